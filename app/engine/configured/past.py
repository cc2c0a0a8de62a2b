"""Every change of the configuration, newest first, and the way back.

The history knows what each entry was before and after. A change can be taken back as long as the entry still
is as the change left it; taking back is a deed like any other, so that it can be taken back itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.engine import audit, deeds, history, perform
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal
from app.engine.audit import AuditEntry, AuditLog, Source
from app.engine.changes import plain, typed
from app.engine.configured import difference, state, values
from app.engine.configured.addresses import told
from app.engine.configured.values import Names
from app.engine.configuring import EXACT, Kind, kind
from app.engine.database import utcnow
from app.engine.fields import FieldSpec, describe
from app.engine.localtime import local_day
from app.engine.pages import HistoryChange
from app.engine.resource import fields_of, resource_of
from app.engine.scopes import Actor, visible

CREATED, CHANGED, REMOVED = "create", "update", "delete"
SHOWN = 50
MOST = 1000
"""So many changes at most are taken back together."""
UNDO = "撤销"
AGAIN = f"{EXACT}again"
"""In the history of a record that was made again: which one it stands for."""
_BACK = {CREATED: "删除此项", CHANGED: "恢复原值", REMOVED: "重新建立此项"}


@dataclass(frozen=True)
class Asked:
    """Which changes are asked for; with ``setup`` also what the product began with."""

    kind: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None
    deed: str = ""
    setup: bool = False


@dataclass
class Change:
    """One entry of the history that is about the configuration."""

    entry: AuditEntry
    kind: Kind
    did: str
    title: str = ""
    lines: list[HistoryChange] = field(default_factory=list)

    @property
    def fields(self) -> Mapping[str, list[Any]]:
        """Old and new by field."""
        found: Mapping[str, list[Any]] = self.entry.changes.get("fields") or {}
        return found

    @property
    def begun_with(self) -> bool:
        """Whether it is no administrator's change but what the product began with."""
        return self.entry.source is Source.SETUP

    @property
    def back(self) -> str:
        """What taking it back does."""
        return _BACK[self.did]


def changes(
    session: Session, actor: Actor, asked: Asked, limit: int = SHOWN, *, named: int | None = None
) -> list[Change]:
    """The changes this person may see, newest first; in words as many of them as are ``named``."""
    mine = {k.name: k for k in state.readable(actor)}
    names = [asked.kind] if asked.kind in mine else [] if asked.kind else sorted(mine)
    statement = select(AuditEntry).where(visible(AuditLog, actor), AuditEntry.resource.in_(names))
    statement = statement.where(*(_shared(mine[n]) for n in names if mine[n].personal is not None))
    if asked.person:
        statement = statement.where(AuditEntry.actor_name == asked.person)
    if asked.since is not None:
        statement = statement.where(AuditEntry.at >= local_day(asked.since))
    if asked.until is not None:
        statement = statement.where(AuditEntry.at < local_day(asked.until + timedelta(days=1)))
    if asked.before is not None:
        statement = statement.where(AuditEntry.id < asked.before)
    if not asked.setup:
        statement = statement.where(AuditEntry.source != Source.SETUP)
    if asked.deed:
        statement = statement.where(AuditEntry.deed_id == asked.deed)
    else:  # not by dealer and time: among millions of entries only few are about the configuration
        statement = statement.with_hint(AuditEntry, "INDEXED BY ix_audit_entries_record", "sqlite")
    statement = statement.order_by(AuditEntry.id.desc()).limit(limit)
    found = [
        Change(e, mine[e.resource], did(mine[e.resource], e))
        for e in session.scalars(statement, actor.params)
        if e.changes.get("fields")
    ]
    _name(session, found[:named], actor)
    return found


def one(session: Session, actor: Actor, entry_id: int) -> Change:
    """One change; raises `NotFound` out of reach."""
    statement = select(AuditEntry).where(AuditEntry.id == entry_id, visible(AuditLog, actor))
    entry = session.scalar(statement, actor.params)
    known = kind(entry.resource) if entry is not None else None
    if known is not None and known.personal is not None:
        entry = session.scalar(statement.where(_shared(known)), actor.params)
    mine = known is not None and actor.can("can_list", known.resource.view_name())
    if entry is None or known is None or not mine or not entry.changes.get("fields"):
        raise NotFound
    found = Change(entry, known, did(known, entry))
    _name(session, [found], actor)
    return found


def _shared(known: Kind) -> ColumnElement[bool]:
    """Of a kind whose entries may be somebody's own: what is about others, now or by this very change."""
    mark, model = known.personal, known.resource.model
    assert mark is not None
    there = select(model.id).where(model.id == AuditEntry.record_id, ~mark.holds()).exists()
    sides = [AuditEntry.changes[("fields", mark.name, n)].as_string() for n in (0, 1)]
    said = [and_(side.is_not(None), side != mark.stored) for side in sides]
    return or_(AuditEntry.resource != known.name, there, *said)


def did(known: Kind, entry: AuditEntry) -> str:
    """Whether it made the entry, changed it or took it away: the first column of its name tells, or the mark of
    what is there."""
    fields = entry.changes.get("fields") or {}
    old, new = (fields.get(known.key[0].name) or [True, True])[:2]
    if known.there is not None and old is True and known.there.name in fields:
        return CREATED if fields[known.there.name][1] == known.there.stored else REMOVED
    return CREATED if old is None else REMOVED if new is None else CHANGED


def _marked(change: Change) -> bool:
    """Whether it was taken away by a mark, so that its row is still there."""
    there = change.kind.there
    return there is not None and change.did == REMOVED and there.name in change.fields


def batch(session: Session, actor: Actor, change: Change, *, named: int = SHOWN) -> list[Change]:
    """All changes of the same deed, newest first; only the one of a deed that is too large to be taken back."""
    if not change.entry.deed_id or change.begun_with:
        return [change]
    found = changes(session, actor, Asked(deed=change.entry.deed_id), MOST + 1, named=named)
    return [change] if len(found) > MOST else found


# ----- in words


def _name(session: Session, found: Iterable[Change], actor: Actor) -> None:
    listed = list(found)
    above, titles = _above(session, listed), _titles(session, listed)
    for change in listed:
        flat = _flat(change, above)
        called = titles.get(change.entry.id) or change.entry.record_label
        change.title = change.kind.words(flat) if change.kind.words is not None else called
        change.lines = _lines(change, flat, actor)


def _above(session: Session, listed: Sequence[Change]) -> dict[tuple[str, int], Any]:
    """What the entries stand under that are told apart by it, as far as the history does not say."""
    found: dict[tuple[str, int], Any] = {}
    wanted: dict[str, tuple[Kind, set[int]]] = {}
    for change in listed:
        under = change.kind.under
        if under is not None and under.key not in change.fields:
            wanted.setdefault(change.kind.name, (change.kind, set()))[1].add(change.entry.record_id)
    for name, (known, ids) in wanted.items():
        rows = session.execute(select(known.resource.pk(), known.under).where(known.resource.pk().in_(ids)))
        found.update({(name, record_id): value for record_id, value in rows})
    return found


def _flat(change: Change, above: Mapping[tuple[str, int], Any]) -> dict[str, Any]:
    """What is known of the entry: by what it was called, and what the change says."""
    side = 0 if change.did == REMOVED else 1
    flat: dict[str, Any] = {change.kind.resource.title.key: change.entry.record_label}
    flat |= {n: pair[side] for n, pair in change.fields.items() if n in change.kind.specs}
    under = change.kind.under
    if under is not None and under.key not in flat:
        flat[under.key] = above.get((change.kind.name, change.entry.record_id))
    return flat


def _titles(session: Session, listed: Sequence[Change]) -> dict[int, str]:
    """The names of whom or what entries are about that are called by a reference, by number of the change."""
    found: dict[int, str] = {}
    wanted: dict[Any, dict[int, list[int]]] = {}
    for change in listed:
        spec = describe(change.kind.resource.title)
        pair = change.fields.get(spec.name, [])
        if spec.target is None:
            continue
        if len(pair) == 4:
            found[change.entry.id] = str(pair[2] or pair[3])
        elif change.entry.record_label.isdigit():
            ids = wanted.setdefault(spec.target, {})
            ids.setdefault(int(change.entry.record_label), []).append(change.entry.id)
    for target, ids in wanted.items():
        title = resource_of(target).title
        for record_id, name in session.execute(select(target.id, title).where(target.id.in_(ids))):
            found.update(dict.fromkeys(ids[record_id], str(name)))
    return found


def _lines(change: Change, flat: Mapping[str, Any], actor: Actor) -> list[HistoryChange]:
    """The fields before and after, through the gate; a secret stays one."""
    changes, there = change.entry.changes, change.kind.there
    if there is not None and change.did == CREATED and change.kind.key[0].name in change.fields:
        # a new one is there, which is no news
        changes = {**changes, "fields": {n: p for n, p in change.fields.items() if n != there.name}}
    found = history.changes_of(changes, actor, change.entry.dealer_id)
    if change.kind.hidden(flat):
        return [HistoryChange(c.label, "", "", "保密") for c in found if c.label]
    known = change.kind.typed
    if known is None:
        return found
    shown = []
    for name, pair in change.fields.items():
        spec = known(flat, name)
        if spec is not None:
            old, new = (in_words(spec, value, change.entry.dealer_id) for value in pair[:2])
            shown.append(HistoryChange(spec.label, old, new))
    return shown or found


def in_words(spec: FieldSpec, value: Any, dealer_id: int | None) -> str:
    """A value of a setting."""
    if isinstance(value, bool):
        return "是" if value else "否"
    known = {e.value: e.label for e in spec.entries(dealer_id)}
    given = value if isinstance(value, list) else [value]
    return "、".join(known.get(str(v), str(v)) for v in given if v not in (None, ""))


# ----- the way back


def refusal(session: Session, change: Change, actor: Actor) -> str:
    """Why the change cannot be taken back now, in words; empty when it can, as far as one sees."""
    try:
        _check(session, change, actor)
    except Refusal as why:
        return why.message
    return ""


def undo(
    session: Session,
    found: Sequence[Change],
    actor: Actor,
    *,
    source: str = "web",
    now: datetime | None = None,
) -> Act:
    """Take changes back, the newest first, all or none; raises `Refusal` with the reasons."""
    act = Act(actor, now or utcnow(), session, source, UNDO)
    with deeds.deed(act):
        for known in {c.kind.name: c.kind for c in found}.values():
            ids = [c.entry.record_id for c in found if c.kind is known]
            deeds.lock(
                session, known.resource, ids, where=visible(known.resource, actor), params=actor.params
            )
        refused = difference.settle(found, lambda change: _take_back(act, change))
        if refused:
            raise refused[0][1] if len(found) == 1 else _all(refused)
    return act


def _all(refused: Sequence[tuple[Change, Refusal]]) -> Refusal:
    said = [f"{c.kind.label}“{c.title}”：{why.message}" for c, why in refused[:5]]
    more = f"；另有{len(refused) - 5}项" if len(refused) > 5 else ""
    return Refusal("不能整批撤销。" + "；".join(said) + more)


def _take_back(act: Act, change: Change) -> None:
    session, known = act.session, change.kind
    record = _check(session, change, act.actor)
    if change.did == CREATED:
        difference.remove(act, known, record)
        return
    if _marked(change):
        difference.bring_back(act, known, record)
        return
    old = {n: pair[0] for n, pair in change.fields.items()}
    owner = old.get(known.owner.key) if record is None else getattr(record, known.owner.key)
    act = _for(act, known, owner)
    names = Names(session, act.actor, owner)
    if known.writer is not None:
        columns = [s for s in known.specs.values() if s.name in old and s.name not in known.parts]
        flat = {s.name: _as_file(s, old[s.name], names) for s in columns}
        flat |= {n: old[EXACT + n] for n in known.parts if EXACT + n in old}
        difference.put(act, known, names, record, told(known, flat, names, record))
        return
    asked = fields_of(known.resource.groups(editing=record is not None))
    restored = {s.name: typed(s, old[s.name]) for s in asked if s.name in old and s.name not in known.parts}
    restored |= {n: old[EXACT + n] for n in known.parts if EXACT + n in old}
    _check_targets(session, asked, restored)
    kept = difference.keep(act, known, record, restored)
    if record is None:
        audit.note(session, kept, AGAIN, [], [change.entry.record_id])


def _for(act: Act, known: Kind, owner: int | None) -> Act:
    """The same deed by the person as one of that dealer, or of the group."""
    try:
        actor = difference.acting_for(act.actor, owner, [known])
    except Forbidden:
        raise Refusal("集团预置项只能由集团管理员修改" if owner is None else "只能撤销本商场的变更") from None
    return Act(actor, act.now, act.session, act.source, act.action, act.answers, act.warnings, act.deed_id)


def _check(session: Session, change: Change, actor: Actor) -> Any:
    """The record as the change left it, None for one that it took away; raises `Refusal`."""
    known = change.kind
    if change.begun_with:
        raise Refusal("初始化时写入的配置不能撤销，可以在它自己的页面修改")
    view = known.resource.view_name()
    needed = {CREATED: "can_delete", CHANGED: "can_edit", REMOVED: "can_add"}[change.did]
    perform.require(
        actor, (known.writer.right if known.writer is not None else needed, view), f"{known.label}：撤销"
    )
    _check_kept(change)
    try:
        record = perform.find(session, known.resource, change.entry.record_id, actor)
    except NotFound:
        record = None
    if change.did == REMOVED and not _marked(change):
        _check_free(session, change, actor)
        return None
    if record is None:
        record = _made_again(session, change, actor)
    if record is None:
        raise Refusal(f"此项已由{_who(session, change, None)}删除，请先撤销该删除")
    touched = _touched(session, change, record)
    if touched:
        raise Refusal(touched)
    if change.did == CREATED and known.depends is not None:
        leaning = known.depends(session, record)
        if leaning:
            raise Refusal(leaning)
    return record


def _check_kept(change: Change) -> None:
    """The history holds what people read of a part, and only of late also what it was exactly."""
    for name in change.kind.parts:
        if name in change.fields and EXACT + name not in change.fields:
            raise Refusal("此变更发生在本版本之前，历史中没有可恢复的明细")
    for pair in change.fields.values():
        if any(isinstance(v, str) and len(v) >= 2000 for v in pair[:1]):
            raise Refusal("原内容过长，历史中没有保存全文")


def _touched(session: Session, change: Change, record: Any) -> str:
    """Whether somebody has changed the same since, and who; empty for nobody."""
    part = change.kind.part
    parts = part.read(session, [record.id])[record.id] if part is not None else {}
    for name, pair in change.fields.items():
        exactly = name.removeprefix(EXACT)
        if name in change.kind.parts:
            continue
        if name.startswith(EXACT) and exactly in parts:
            now, label = parts[exactly], change.kind.specs[exactly].label
        elif hasattr(type(record), name):
            now, label = plain(getattr(record, name)), describe(getattr(type(record), name)).label
        else:
            continue
        if now != pair[1]:
            return f"“{label}”此后已由{_who(session, change, name)}再次修改，请先撤销该变更"
    return ""


def _who(session: Session, change: Change, name: str | None) -> str:
    """Who changed that field of the entry, or the entry at all, last."""
    entry = change.entry
    later = select(AuditEntry).where(
        AuditEntry.resource == entry.resource,
        AuditEntry.record_id == entry.record_id,
        AuditEntry.id > entry.id,
    )
    for found in session.scalars(later.order_by(AuditEntry.id.desc())):
        if name is None or name in (found.changes.get("fields") or {}):
            return f"{found.actor_name}于{history.moment(found.at)}"
    return "其他人"


def _check_free(session: Session, change: Change, actor: Actor) -> None:
    """Whether the name of what was taken away is free; raises `Refusal` with whoever has taken it."""
    there = _of_that_name(session, change.kind, change.fields, actor)
    if there is None:
        return
    later = select(AuditEntry.actor_name).where(
        AuditEntry.resource == change.kind.name, AuditEntry.record_id == there.record.id
    )
    who = session.scalar(later.order_by(AuditEntry.id.desc()).limit(1)) or "其他人"
    raise Refusal(f"{change.kind.label}“{there.words}”已由{who}重新建立")


def _made_again(session: Session, change: Change, actor: Actor) -> Any:
    """The record that has taken the place of one that was taken away since, whatever it is called by now; None
    for none."""
    entry, known = change.entry, change.kind
    later = select(AuditEntry).where(AuditEntry.resource == known.name, AuditEntry.id > entry.id)
    now, gone = entry.record_id, None
    for found in session.scalars(later.order_by(AuditEntry.id)):
        fields = found.changes.get("fields") or {}
        if now in (fields.get(AGAIN) or [[], []])[1]:
            now = found.record_id
        elif found.record_id == now and did(known, found) == REMOVED:
            gone = fields
    if now != entry.record_id:
        there = select(known.resource.model).where(known.resource.pk() == now, visible(known.resource, actor))
        return session.scalar(there, actor.params)
    named = _of_that_name(session, known, gone, actor) if gone is not None else None
    return named.record if named is not None else None


def _of_that_name(
    session: Session, known: Kind, fields: Mapping[str, list[Any]], actor: Actor
) -> state.Entry | None:
    """The entry there is now under the name of one that was taken away."""
    old = {n: pair[0] for n, pair in fields.items()}
    owner = old.get(known.owner.key)
    names = Names(session, actor, owner)
    flat = {s.name: None if old.get(s.name) is None else _as_file(s, old[s.name], names) for s in known.key}
    return state.entries(session, known, actor, owner).get(values.token(known.identity(flat)))


def _as_file(spec: FieldSpec, value: Any, names: Names) -> Any:
    return values.written(spec, typed(spec, value), names)


def _check_targets(session: Session, asked: Iterable[FieldSpec], restored: Mapping[str, Any]) -> None:
    for spec in asked:
        value = restored.get(spec.name)
        if spec.target is None or not isinstance(value, int):
            continue
        if session.get(spec.target, value) is None:
            raise Invalid({spec.name: f"原{spec.label}已不存在"})
