"""Taking back a deed that only set columns: a batch edit, a reassignment, a handover.

The history knows what every record was before. The records of the deed's own kind get their old values back,
and what followed them in the same deed (tasks, jobs) follows them back; what somebody has changed since stays,
and is named. Taking back is a deed like any other: scoped, locked root first, in the history.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import null, select, true
from sqlalchemy.orm import Session

from app.engine import approving, deeds, perform
from app.engine.actions import UNCHANGED, Act, Action, NotFound, Refusal
from app.engine.audit import AuditEntry
from app.engine.changes import plain, spec_of, typed
from app.engine.database import db, utcnow
from app.engine.events import publish
from app.engine.fields import describe
from app.engine.perform import Report, Result, label_of
from app.engine.resource import Resource, resource, resource_of
from app.engine.scopes import Actor, visible

Judge = Callable[[Mapping[int, Any]], Mapping[int, str]]
"""Says of records, by id, why they stay as they are."""
_DEED = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True)
class Past:
    """A deed that can be taken back: what was done, by whom, when, to which records."""

    deed_id: str
    action: Action
    actor_name: str
    at: datetime
    ids: tuple[int, ...]


def past(session: Session, found: type[Resource], deed_id: str, actor: Actor) -> Past:
    """The deed of that id on records of that kind in the person's scope; raises `NotFound` where there is
    nothing of it to see or it cannot be taken back, `Forbidden` without the right to do the like."""
    if not _DEED.fullmatch(deed_id):
        raise NotFound
    statement = (
        select(AuditEntry.action, AuditEntry.actor_name, AuditEntry.at, AuditEntry.record_id)
        .where(AuditEntry.deed_id == deed_id, AuditEntry.resource == found.name)
        .where(AuditEntry.record_id.in_(select(found.pk()).where(visible(found, actor))))
        .order_by(AuditEntry.id)
    )
    rows = session.execute(statement, actor.params).all()
    action = next((a for a in found.actions if a.sets and rows and a.name == rows[0].action), None)
    if action is None:
        raise NotFound
    perform.require_action(actor, action, found)
    return Past(deed_id, action, rows[0].actor_name, rows[0].at, tuple(r.record_id for r in rows))


def undo(
    found: type[Resource], deed_id: str, actor: Actor, *, source: str = "web", now: datetime | None = None
) -> Report:
    """Take a deed back as far as nobody has changed the same values since; a second time changes nothing. Where
    the action needs approval it is not taken back past it."""
    session = db.session()
    meant = past(session, found, deed_id, actor)
    act = Act(actor, now or utcnow(), session, source, f"撤销{meant.action.label}")
    why = why_not(act, found, meant.action)
    if why:
        raise Refusal(why)
    with deeds.deed(act):
        results = restore(act, found, deed_id, meant.ids)
    return Report(tuple(results), tuple(dict.fromkeys(act.warnings)), deed_id=act.deed_id)


def why_not(act: Act, found: type[Resource], action: Action) -> str:
    """Why a deed of that kind is not taken back at once: it would change the same the other way round, and that has
    to wait."""
    label = action.label
    waits = approving.asking(act, found, action.name)
    return f"“{label}”需要审批，不能直接撤销，请用“{label}”改回并提交审批" if waits else ""


def restore(
    act: Act,
    found: type[Resource],
    deed_id: str,
    ids: Collection[int],
    *,
    judge: Judge | None = None,
    to_inactive: bool = False,
) -> list[Result]:
    """Give records back what they held before that deed, and what followed them; inside a running deed.

    ``judge`` may keep more of them as they are; with ``to_inactive`` somebody who has left gets back what he
    or she had.
    """
    session, actor = act.session, act.actor
    records = deeds.lock(session, found, ids, where=visible(found, actor), params=actor.params)
    by_id = {r.id: r for r in records}
    entries = _entries(session, found.name, deed_id, by_id)
    kept = dict(judge(by_id)) if judge is not None else {}
    gone = _gone(session, entries, by_id, to_inactive=to_inactive)
    kept |= {k: v for k, v in gone.items() if k not in kept}
    kept |= {k: v for k, v in _touched(session, found.name, entries).items() if k not in kept}
    results, restored = [], set()
    for entry in entries:
        record = by_id[entry.record_id]
        label = label_of(found, record)
        if _is_as(record, entry, 0):
            results.append(Result(record.id, label, True, UNCHANGED.message, changed=False))
        elif record.id in kept:
            results.append(Result(record.id, label, False, kept[record.id]))
        else:
            publish(act, f"{found.name}.restored", record, changes=_put_back(record, entry))
            restored.add(record.id)
            results.append(Result(record.id, label, True))
    _take_along(act, found, deed_id, restored)
    missing = [i for i in ids if i not in by_id]
    return results + [Result(i, f"#{i}", False, NotFound().message) for i in missing]


def _entries(session: Session, name: str, deed_id: str, ids: Iterable[int]) -> list[AuditEntry]:
    statement = select(AuditEntry).where(
        AuditEntry.deed_id == deed_id, AuditEntry.resource == name, AuditEntry.record_id.in_(sorted(ids))
    )
    return list(session.scalars(statement.order_by(AuditEntry.id)))


def _fields(entry: AuditEntry) -> Mapping[str, list[Any]]:
    found: Mapping[str, list[Any]] = entry.changes.get("fields") or {}
    return found


def _is_as(record: Any, entry: AuditEntry, side: int) -> bool:
    """Whether the record holds what the deed found (0) or what it left (1)."""
    return all(plain(getattr(record, name)) == pair[side] for name, pair in _fields(entry).items())


def _touched(session: Session, name: str, entries: Iterable[AuditEntry]) -> dict[int, str]:
    """The records of which somebody has changed the same values since, and who."""
    of = {e.record_id: e for e in entries}
    if not of:
        return {}
    statement = (
        select(AuditEntry)
        .where(AuditEntry.resource == name, AuditEntry.record_id.in_(of))
        .where(AuditEntry.id > min(e.id for e in of.values()))
        .order_by(AuditEntry.id)
    )
    found: dict[int, str] = {}
    for later in session.scalars(statement):
        entry = of[later.record_id]
        shared = [n for n in _fields(later) if n in _fields(entry)] if later.id > entry.id else []
        if shared:
            spec = spec_of(name, shared[0])
            what = spec.label if spec is not None else ""
            found[later.record_id] = f"{what}此后已由{later.actor_name}再次修改（{later.action_label}）"
    return found


def _gone(
    session: Session, entries: Iterable[AuditEntry], by_id: Mapping[int, Any], *, to_inactive: bool
) -> dict[int, str]:
    """The records whose old value nobody may choose any more: somebody who has left or works for another dealer
    now, a closed store."""
    pointed: dict[Any, dict[int, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        for name, pair in _fields(entry).items():
            spec = spec_of(entry.resource, name)
            if spec is not None and spec.target is not None and isinstance(pair[0], int):
                pointed[spec.target][pair[0]].append((entry.record_id, spec.label))
    found = {}
    for target, ids in pointed.items():
        active, dealer = resource_of(target).pick_active, getattr(target, "dealer_id", null())
        known = select(target.id, true() if active is None or to_inactive else active, dealer)
        for gone, used, dealer_id in session.execute(known.where(target.id.in_(ids))):
            for record_id, label in ids[gone]:
                if not used:
                    found[record_id] = f"原{label}已停用"
                elif dealer_id not in (None, getattr(by_id[record_id], "dealer_id", dealer_id)):
                    found[record_id] = f"原{label}已不在本商场"
    return found


def _put_back(record: Any, entry: AuditEntry) -> dict[str, tuple[Any, Any]]:
    changes = {}
    for name, pair in _fields(entry).items():
        old = typed(describe(getattr(type(record), name)), pair[0])
        changes[name] = (getattr(record, name), old)
        setattr(record, name, old)
    return changes


def _take_along(act: Act, found: type[Resource], deed_id: str, restored: Collection[int]) -> None:
    """What hangs under the restored records and followed them in that deed follows them back, unless it has
    gone elsewhere since."""
    session = act.session
    names = select(AuditEntry.resource).where(AuditEntry.deed_id == deed_id).distinct()
    for name in sorted(session.scalars(names)):
        child = resource(name)
        root = deeds.root_of(child) if child is not None else None
        if child is None or root is None or describe(root).target is not found.model or not restored:
            continue
        mine = select(child.pk()).where(root.in_(restored))
        statement = select(AuditEntry).where(
            AuditEntry.deed_id == deed_id, AuditEntry.resource == name, AuditEntry.record_id.in_(mine)
        )
        of = {e.record_id: e for e in session.scalars(statement)}
        for record in deeds.lock(session, child, of):
            if _is_as(record, of[record.id], 1):
                _put_back(record, of[record.id])
