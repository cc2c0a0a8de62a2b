"""撤销导入: takes back what an import created and changed, and says what it could not take back because somebody
has worked on it since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import delete, func, select, update
from sqlalchemy import inspect as sa_inspect
from sqlalchemy.orm import Session

from app.engine import approving, audit, bulk, deeds, files, jobs
from app.engine.actions import Act, NotFound, Refusal, new_deed_id
from app.engine.audit import AuditEntry
from app.engine.changes import field_of, typed
from app.engine.database import Model, forget_many, utcnow, writing
from app.engine.deeds import deed
from app.engine.events import publish
from app.engine.imports import runs
from app.engine.imports.filing import Filing, Options
from app.engine.imports.tables import IMPORTS, ImportState
from app.engine.jobs import Finish, JobState, Work
from app.engine.resource import Resource, resource
from app.engine.scopes import visible

KIND = "import.undo"
LABEL = "撤销导入"
_PIECE = 500
_WORKED_ON = "导入后已有人处理"


@dataclass(frozen=True)
class Kept:
    """A record that stays as it is, and why."""

    label: str
    reason: str


def _ended(session: Session, job_id: int, state: JobState) -> None:
    """One that did not come to its end may be begun again."""
    if state != JobState.DONE:
        session.execute(update(IMPORTS).where(IMPORTS.c.job_id == job_id).values(state=ImportState.DONE))


@jobs.doer(KIND, LABEL, ended=_ended, fetch=runs.may_fetch, page=runs.PAGE)
def undo(work: Work) -> Finish:
    """Go through what the import's deed did, newest first, so that a piece that is done is not met again."""
    session = work.session
    run = session.execute(select(IMPORTS).where(IMPORTS.c.id == int(work.payload["import"]))).one()
    found, template = runs.resource_for(run)
    runs.allow(found, work.actor, Options.of(run.options))
    if run.dealer_id != work.actor.dealer_id:
        raise Refusal("您已不在导入时的商场，不能撤销")
    filing: type[Filing] = template.filing
    deed_id = work.counts.get("deed") or new_deed_id()
    removed, restored = int(work.counts.get("removed", 0)), int(work.counts.get("restored", 0))
    kept = [Kept(*pair) for pair in work.counts.get("kept", ())]
    before = work.counts.get("before")
    total = session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.deed_id == run.deed_id)
    )
    session.rollback()
    done = int(work.counts.get("done", 0))
    while piece := _entries(session, run.deed_id, before):
        session.rollback()
        act = Act(work.actor, utcnow(), session, "import", LABEL, deed_id=deed_id)
        with deed(act):
            gone, back, stays = _take_back(act, found, filing, piece, run.deed_id)
            removed, restored, kept = removed + gone, restored + back, [*kept, *stays]
            done, before = done + len(piece), piece[-1].id
            work.note(
                done, total or 0,
                {"deed": deed_id, "removed": removed, "restored": restored, "before": before, "done": done,
                 "kept": [(k.label, k.reason) for k in kept]},
            )  # fmt: skip
        forget_many(session)
    return _finish(work, run, removed, restored, kept)


def _finish(work: Work, run: Any, removed: int, restored: int, kept: Sequence[Kept]) -> Finish:
    """Raises `Refusal` where nothing was taken back and some of it needs approval: it may be tried again."""
    waits = next((k.reason for k in kept if k.reason.startswith(approving.WAITS)), "")
    if waits and not removed and not restored:
        raise Refusal(f"没有撤销任何记录：{waits}")
    said = f"已删除 {removed:,} 条新增，已还原 {restored:,} 条更新"
    name = ""
    if kept:
        said += f"；{len(kept):,} 条未撤销，原因见明细"
        name = files.fresh(work.now.strftime("%Y-%m"), "xlsx")
        _write(kept, files.path(name))
    with writing(work.session):
        work.session.execute(
            update(IMPORTS).where(IMPORTS.c.id == run.id).values(state=ImportState.UNDONE, reason=said)
        )
        work.session.commit()
    file_name = f"{Path(run.file_name).stem}-未撤销明细.xlsx" if kept else ""
    return Finish(said, {}, name, file_name, utcnow() + runs.KEPT)


def _write(kept: Sequence[Kept], target: Path) -> None:
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet("未撤销明细")
    sheet.set_column(0, 1, 40)
    sheet.write_row(0, 0, ["记录", "原因"], book.add_format({"bold": True, "bg_color": "#E8EEF7"}))
    for row, one in enumerate(kept, 1):
        sheet.write_string(row, 0, one.label)
        sheet.write_string(row, 1, one.reason)
    book.close()


def _entries(session: Session, deed_id: str, before: int | None) -> list[Any]:
    """The next entries of the import's deed, newest first."""
    table = AuditEntry.__table__.c
    statement = select(table.id, table.resource, table.record_id, table.record_label, table.changes).where(
        table.deed_id == deed_id
    )
    if before is not None:
        statement = statement.where(table.id < before)
    return list(session.execute(statement.order_by(table.id.desc()).limit(_PIECE)))


def _take_back(
    act: Act, found: type[Resource], filing: type[Filing], piece: Sequence[Any], deed_id: str
) -> tuple[int, int, list[Kept]]:
    """Undo some entries: how many records were deleted, how many restored, and what stays. What the import made
    and nobody has touched goes wherever it lies; what it changed is given back where the person still sees it."""
    removed = restored = 0
    stays: list[Kept] = []
    for name in dict.fromkeys(entry.resource for entry in piece):
        mine = {e.record_id: e for e in piece if e.resource == name}
        shown = found if name == found.name else resource(name)
        if shown is None:
            stays += [Kept(e.record_label, "此类数据不能撤销") for e in mine.values()]
            continue
        later = _later(act.session, name, list(mine), deed_id)
        made = _made(shown, mine)
        traces = filing if shown is found else Filing
        free = [i for i in made if not later.get(i)]
        used = _used(act.session, shown, traces, free)
        held = _held(act, shown, [i for i in free if i not in used])
        going = [i for i in free if i not in used and i not in held]
        removed += _remove(act, shown, traces, going, mine)
        stays += [Kept(mine[i].record_label, held.get(i, _WORKED_ON)) for i in made if i not in set(going)]
        rules = approving.ruling(act, shown, approving.EDIT)
        changed, back = [i for i in mine if i not in made], []
        seen = visible(shown, act.actor)
        for record in deeds.lock(act.session, shown, changed, where=seen, params=act.actor.params):
            fields = mine[record.id].changes["fields"]
            why = _why_held(act, rules, record, shown, fields) if rules else ""
            if why:
                stays.append(Kept(mine[record.id].record_label, why))
            elif _restore(act.session, record, shown, fields, later.get(record.id, set())):
                back.append(record.id)
            else:
                stays.append(Kept(mine[record.id].record_label, _WORKED_ON))
            changed.remove(record.id)
        stays += [Kept(mine[i].record_label, NotFound().message) for i in changed]
        restored += len(back)
        publish(act, f"{name}.taken_back", [mine[i] for i in (*going, *back)])
    return removed, restored, stays


def _later(session: Session, name: str, ids: list[int], deed_id: str) -> dict[int, set[str]]:
    """The fields that others have changed since, by record; a deed that changed none counts as one."""
    table = AuditEntry.__table__.c
    own = (
        select(table.record_id, func.max(table.id).label("last"))
        .where(table.resource == name, bulk.among(session, table.record_id, ids), table.deed_id == deed_id)
        .group_by(table.record_id)
        .subquery()
    )
    rows = session.execute(
        select(table.record_id, table.changes)
        .join(own, own.c.record_id == table.record_id)
        .where(table.resource == name, table.id > own.c.last)
    )
    found: dict[int, set[str]] = {}
    for record_id, changes in rows:
        found.setdefault(record_id, {""}).update((changes or {}).get("fields", {}))
    return found


def _made(shown: type[Resource], mine: Mapping[int, Any]) -> list[int]:
    """The records that the import made: their entry gives a value to what no record is without."""
    columns = sa_inspect(shown.model).columns
    always = {c.key for c in columns if not c.nullable and not c.primary_key}

    def begins(fields: Mapping[str, Sequence[Any]]) -> bool:
        return any(name in always and pair[0] is None for name, pair in fields.items())

    return [record_id for record_id, entry in mine.items() if begins(entry.changes["fields"])]


def _used(session: Session, shown: type[Resource], filing: type[Filing], ids: Sequence[int]) -> set[int]:
    """Those that something else hangs on by now."""
    found: set[int] = set()
    if not ids:
        return found
    for key in _keys_to(shown):
        where = bulk.among(session, key, ids)
        if any(key is trace for trace in filing.own_traces):
            where &= ~filing.trace(key)
        found.update(session.scalars(select(key).where(where).distinct()))
    return found


def _held(act: Act, shown: type[Resource], ids: Sequence[int]) -> dict[int, str]:
    """Those whose deletion needs approval, and why; asks nothing where no rule is about it."""
    rules = approving.ruling(act, shown, approving.DELETE)
    if not rules:
        return {}
    records = act.session.scalars(select(shown.model).where(shown.pk().in_(ids)))
    found = {r.id: rules.why_not(act, r, {}) for r in records}
    return {i: why for i, why in found.items() if why}


def _why_held(
    act: Act, rules: approving.Asking, record: Any, shown: type[Resource], fields: Mapping[str, Sequence[Any]]
) -> str:
    """Why a record does not get its old values back: as an edit that would need approval."""
    values = {}
    for name, pair in fields.items():
        spec = field_of(shown.name, name, getattr(record, "dealer_id", None), act.session)
        if spec is not None:
            values[name] = pair[0] if spec.links or spec.values else typed(spec, pair[0])
    return rules.why_not(act, record, values)


def _keys_to(shown: type[Resource]) -> Iterator[Any]:
    """Every foreign key to these records that keeps one from being deleted."""
    for mapper in Model.registry.mappers:
        for column in mapper.columns:
            for key in column.foreign_keys:
                if key.column.table is shown.model.__table__ and key.ondelete is None:
                    yield getattr(mapper.class_, mapper.get_property_by_column(column).key)


def _remove(
    act: Act, shown: type[Resource], filing: type[Filing], ids: Sequence[int], mine: Mapping[int, Any]
) -> int:
    if not ids:
        return 0
    kept = {"audited": True, "synchronize_session": False}
    for source in filing.own_traces:
        act.session.execute(
            delete(source.class_).where(source.in_(ids), filing.trace(source)), execution_options=kept
        )
    act.session.execute(delete(shown.model).where(shown.pk().in_(ids)), execution_options=kept)
    rows = []
    for i in ids:
        fields = mine[i].changes["fields"]
        rows.append(
            (i, mine[i].record_label, act.actor.dealer_id, {n: _turned(pair) for n, pair in fields.items()})
        )
    audit.record_many(act, shown, rows)
    return len(ids)


def _turned(pair: Sequence[Any]) -> list[Any]:
    """Old and new, and their names, the other way round."""
    return [pair[1], pair[0], *reversed(pair[2:4])]


def _restore(
    session: Session, record: Any, shown: type[Resource], fields: Mapping[str, Sequence[Any]], later: set[str]
) -> bool:
    """Give the fields their old values back; nothing, when somebody has changed one of them since."""
    if later & set(fields):
        return False
    for name, pair in fields.items():
        spec = field_of(shown.name, name, getattr(record, "dealer_id", None), session)
        if spec is None:
            continue
        source = spec.links or spec.values
        if source is None:
            setattr(record, name, typed(spec, pair[0]))
            continue
        added = set(map(str, pair[1] or ())) - set(map(str, pair[0] or ()))
        member: Any = spec.links.right if spec.links is not None else source.value  # type: ignore[union-attr]
        own = source.left == record.id
        gone = [m for m in session.scalars(select(member).where(own)) if str(m) in added]
        if gone:
            session.execute(
                delete(source.left.class_).where(own, member.in_(gone)), execution_options={"audited": True}
            )
            audit.note(
                session, record, name, sorted(map(str, pair[1] or ())), sorted(map(str, pair[0] or ()))
            )
    session.flush()
    return True
