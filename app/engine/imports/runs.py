"""The two jobs of an import: reading and judging a file, then bringing its lines in.

Both work in pieces. The first writes nothing but what it found; the second commits a piece with its history,
its problems and its progress at once, so a killed worker goes on after the last whole piece.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, object_session

from app.engine import bulk, files, jobs, perform
from app.engine.actions import Act, NotFound, Refusal
from app.engine.database import forget_many, repeatable, utcnow, writing
from app.engine.deeds import deed
from app.engine.faces import faced
from app.engine.fields import FieldSpec
from app.engine.imports import columns, sheets, workbook
from app.engine.imports.drafts import Draft, Parser
from app.engine.imports.filing import Filing, Options
from app.engine.imports.staging import Stage, ahead
from app.engine.imports.tables import IMPORTS, PROBLEMS, ImportRun, ImportState, Verdict
from app.engine.jobs import Finish, JobState, Work
from app.engine.resource import ImportTemplate, Resource, resource
from app.engine.scopes import Actor

PIECE = 6000
_BREATH = 100
"""Lines read between two looks at the clock."""
KEPT = timedelta(days=30)
"""How long the file of an import is kept, and so how long its problems can be fetched."""
PAGE = "/imports/{import}"
CHECK, APPLY = "import.check", "import.apply"


def resource_for(run: Any) -> tuple[type[Resource], ImportTemplate]:
    """What the file is about; raises `Refusal` when that is imported no longer."""
    found = resource(run.resource)
    if found is None or found.template is None:
        raise Refusal("此类数据不支持导入")
    found = faced(found, run.dealer_id)
    assert found.template is not None
    return found, found.template


def allow(found: type[Resource], actor: Actor, options: Options) -> None:
    """Raise `Forbidden` unless the person may import these, and do what the lines will do."""
    perform.require(actor, ("can_import", found.view_name()), f"导入{found.label}")
    if options.adds:
        perform.require(actor, ("can_add", found.view_name()), f"新增{found.label}")
    if options.key:
        perform.require(actor, ("can_edit", found.view_name()), f"编辑{found.label}")


def may_see(run: Any, actor: Actor) -> None:
    """Raise `NotFound` for an import of somebody else, or of a dealer one worked for before, and `Forbidden`
    without the right to import: it shows what the file holds, and what is on file of it."""
    if run is None or run.user_id != actor.id or run.dealer_id != actor.dealer_id:
        raise NotFound
    found, _ = resource_for(run)
    perform.require(actor, ("can_import", found.view_name()), f"导入{found.label}")


def may_fetch(actor: Actor, job: jobs.Job) -> None:
    """The report of an import, whose rights are looked at again."""
    session = object_session(job)
    assert session is not None
    may_see(session.get(ImportRun, int(job.payload["import"])), actor)


def _run(session: Session, import_id: int) -> Any:
    return session.execute(select(IMPORTS).where(IMPORTS.c.id == import_id)).one()


def _keep(session: Session, import_id: int, **values: Any) -> None:
    session.execute(update(IMPORTS).where(IMPORTS.c.id == import_id).values(**values))


def _write(session: Session, import_id: int, **values: Any) -> None:
    with writing(session):
        _keep(session, import_id, **values)
        session.commit()


def _same_place(run: Any, actor: Actor) -> None:
    """Names are looked up, and blanks filled, by the store the person works in."""
    if run.store_id != actor.store_id or run.dealer_id != actor.dealer_id:
        raise Refusal("您已切换门店，请重新上传文件")


def _ended(session: Session, job_id: int, state: JobState) -> None:
    """Whatever ends a job ends the step of its import. Of one that stops half-way what counts is that which is
    in; nothing, when it had not begun."""
    if state == JobState.DONE:
        return
    job = session.execute(select(jobs.JOBS).where(jobs.JOBS.c.id == job_id)).one()
    kind = {JobState.CANCELLED: ImportState.CANCELLED}.get(state, ImportState.FAILED)
    counts = (job.counts or {}).get("verdicts")
    if counts:
        counts = {**counts, **refused(session, int(job.payload["import"]))}
    session.execute(
        update(IMPORTS)
        .where(IMPORTS.c.job_id == job_id)
        .values(state=kind, reason=job.result, finished_at=utcnow(), counts=counts)
    )


# ----- reading and judging


@jobs.doer(CHECK, "检查导入文件", ended=_ended, page=PAGE)
def check(work: Work) -> Finish:
    """Read the file, understand its headings, judge every line (D-22, D-25). Where headings are not
    understood it stops and the person says what they mean."""
    session = work.session
    run = _run(session, int(work.payload["import"]))
    found, template = resource_for(run)
    options = Options.of(run.options)
    allow(found, work.actor, options)
    _same_place(run, work.actor)
    session.rollback()
    lines = files.path(run.lines)
    if run.headings is None:
        unfinished = lines.with_suffix(".part")
        try:
            most = template.bounds_for(session, work.actor.dealer_id).rows
            session.rollback()
            sheet = sheets.read(files.path(run.file), unfinished, most, lambda: work.pulse(0))
            files.publish(unfinished, run.lines)
        finally:
            unfinished.unlink(missing_ok=True)
        columns.fits(found, sheet.template, run.options.get("presets") or {})
        heading = sheets.headings(lines, [s.label for s in columns.offered(found, work.actor, options.key)])
        mapping = columns.match(session, found, work.actor, heading, options.key)
        columns.like_template(found, work.actor, mapping, options)
        _write(
            session, run.id, headings=list(heading), rows=sheet.rows, notes=list(sheet.notes), mapping=mapping
        )
        run = _run(session, run.id)
        session.rollback()
    if None in run.mapping:
        _write(session, run.id, state=ImportState.MAPPING)
        return Finish("请确认各列的含义")
    columns.complete(found, work.actor, run.mapping, options)
    mapping = run.mapping
    sheets.unnamed(lines, run.headings)
    counts = _judge(work, run, found, options, mapping)
    return Finish(f"{foreseen(counts)}。请打开后确认开始")


def _specs(
    found: type[Resource], actor: Actor, mapping: Sequence[str | None], options: Options
) -> list[FieldSpec | None]:
    known = {spec.name: spec for spec in columns.offered(found, actor, options.key)}
    return [known.get(name or "") for name in mapping]


def _filing(work: Work, found: type[Resource], options: Options, specs: Sequence[FieldSpec | None]) -> Filing:
    assert found.template is not None
    given = {spec.name: spec for spec in specs if spec is not None}
    return found.template.filing(work.session, found, work.actor, options, given, work.now)  # type: ignore[no-any-return]


def _judge(
    work: Work, run: Any, found: type[Resource], options: Options, mapping: Sequence[str]
) -> Mapping[str, int]:
    """Give every line its verdict and keep what came of it; returns how many there are of each."""
    session = work.session
    with writing(session):
        session.execute(delete(PROBLEMS).where(PROBLEMS.c.import_id == run.id))
        _keep(session, run.id, state=ImportState.CHECKING, mapping=list(mapping))
        work.note(0, run.rows)
        session.commit()
    specs = _specs(found, work.actor, mapping, options)
    filing = _filing(work, found, options, specs)
    parser = Parser(
        session, found, specs, work.actor, options.presets or {}, work.now, partial=bool(options.key)
    )
    counts: Counter[Verdict] = Counter()
    stage = Stage(_stage_path(run), _all_specs(parser, options))
    stage.write(_judged(work, run, parser, filing, counts))
    kept = {v.value: n for v, n in counts.items()}
    filing.admit(_good(kept))
    with writing(session):
        work.note(run.rows)
        _keep(
            session, run.id, state=ImportState.READY, counts=kept, effects=filing.effects(counts),
            options={**run.options, "stamp": work.actor.epoch},
        )  # fmt: skip
        session.commit()
    return kept


def _all_specs(parser: Parser, options: Options) -> Mapping[str, FieldSpec]:
    known = {s.name: s for s in parser.linked} | parser.specs
    return known | {n: known[n] for n in (options.presets or {}) if n in known}


def _judged(
    work: Work, run: Any, parser: Parser, filing: Filing, counts: Counter[Verdict]
) -> Iterator[list[Draft]]:
    rest = sheets.lines(files.path(run.lines))
    next(rest)
    done = 0
    while piece := list(islice(rest, PIECE)):
        drafts = list(_read(work, parser, piece, done))
        filing.judge(drafts)
        counts.update(draft.verdict for draft in drafts)
        done += len(piece)
        faulty = [d for d in drafts if not d.good and d.verdict is not Verdict.UNCHANGED]
        work.session.rollback()
        if faulty:
            with writing(work.session):
                _note_problems(work.session, run.id, faulty)
                work.note(done)
                work.session.commit()
        else:
            work.pulse(done)
        yield drafts


def _read(
    work: Work, parser: Parser, piece: Sequence[tuple[int, Sequence[str]]], done: int
) -> Iterator[Draft]:
    """The lines as drafts, with a sign of life meanwhile: each may name somebody who has to be looked for."""
    for n, (number, cells) in enumerate(piece):
        if n % _BREATH == 0:
            work.pulse(done + n)
        yield parser.draft(number, cells)


def _note_problems(session: Session, import_id: int, drafts: Sequence[Draft]) -> None:
    bulk.insert(
        session, PROBLEMS, ("line", "verdict", "reason", "cells"),
        [(d.number, d.verdict, d.reason, d.errors or None) for d in drafts], {"import_id": import_id},
    )  # fmt: skip


def _stage_path(run: Any) -> Path:
    return files.path(run.lines).with_suffix(".jsonl")


# ----- bringing in


@jobs.doer(APPLY, "导入", ended=_ended, fetch=may_fetch, page=PAGE)
def apply(work: Work) -> Finish:
    """Bring the lines in, piece by piece; what was committed stays when it stops (A-56, D-25)."""
    session = work.session
    run = _run(session, int(work.payload["import"]))
    found, _ = resource_for(run)
    options = Options.of(run.options)
    allow(found, work.actor, options)
    _same_place(run, work.actor)
    session.rollback()
    expected = run.counts
    if run.options.get("stamp") != work.actor.epoch and not work.counts.get("pieces"):
        expected = _judge(work, run, found, options, run.mapping)
        _write(session, run.id, state=ImportState.RUNNING)
    specs = _specs(found, work.actor, run.mapping, options)
    filing = _filing(work, found, options, specs)
    parser = Parser(session, found, specs, work.actor, {}, work.now, partial=bool(options.key))
    stage = Stage(_stage_path(run), _all_specs(parser, options))
    pieces = int(work.counts.get("pieces", 0))
    session.rollback()
    total = _good(expected)
    for drafts in ahead(stage.pieces(pieces)):
        pieces += 1
        _file(work, run, filing, drafts, pieces, total)
    return _finish(work, run)


def _good(verdicts: Mapping[str, int]) -> int:
    """The lines that are brought in."""
    return sum(verdicts.get(v.value, 0) for v in (Verdict.NEW, Verdict.UPDATED, Verdict.ABSORBED))


def _file(work: Work, run: Any, filing: Filing, drafts: list[Draft], pieces: int, total: int) -> None:
    act = Act(work.actor, utcnow(), work.session, "import", "import", deed_id=run.deed_id)
    with deed(act):
        repeatable(act.session)
        filing.admit(total - sum(work.counts.get("verdicts", {}).values()), act)
        filing.file(act, drafts)
        work.session.flush()
        faulty = [d for d in drafts if not d.good and d.verdict is not Verdict.UNCHANGED]
        _note_problems(work.session, run.id, faulty)
        counts = Counter(work.counts.get("verdicts", {}))
        counts.update(draft.verdict.value for draft in drafts)
        work.note(min(pieces * PIECE, run.rows), counts={"pieces": pieces, "verdicts": dict(counts)})
    forget_many(work.session)


def _finish(work: Work, run: Any) -> Finish:
    session = work.session
    verdicts: Counter[str] = Counter(work.counts.get("verdicts", {}))
    for verdict, amount in refused(session, run.id).items():
        verdicts[verdict] = amount
    session.rollback()
    said = in_words(verdicts)
    name, file_name = "", ""
    if verdicts[Verdict.WRONG.value] + verdicts[Verdict.DUPLICATE.value]:
        name = files.fresh(work.now.strftime("%Y-%m"), "xlsx")
        workbook.problems(session, run, files.path(name))
        file_name = f"{Path(run.file_name).stem}-失败明细.xlsx"
    moment = utcnow()
    _write(
        session, run.id, state=ImportState.DONE, counts={v: n for v, n in verdicts.items() if n},
        finished_at=moment, expires_at=moment + KEPT,
    )  # fmt: skip
    return Finish(said, dict(verdicts), name, file_name, utcnow() + KEPT)


def refused(session: Session, import_id: int) -> Counter[str]:
    """The lines that were not brought in, by verdict; those of the check and those of the deed."""
    found = session.execute(
        select(PROBLEMS.c.verdict, func.count())
        .where(PROBLEMS.c.import_id == import_id)
        .group_by(PROBLEMS.c.verdict)
    )
    return Counter({verdict.value: amount for verdict, amount in found})


def in_words(verdicts: Mapping[str, int]) -> str:
    """What came of a file: 成功, 重复, 失败 and what else there is (D-25)."""
    new, updated, unchanged, absorbed, duplicate, wrong = (verdicts.get(v.value, 0) for v in Verdict)
    parts = [f"成功 {new + updated:,} 条"]
    if updated:
        parts[0] += f"（新增 {new:,}，更新 {updated:,}）"
    parts += [f"重复 {absorbed + duplicate:,} 条", f"失败 {wrong:,} 条"]
    if unchanged:
        parts.append(f"无变化 {unchanged:,} 条")
    return "，".join(parts)


def foreseen(verdicts: Mapping[str, int]) -> str:
    """What would come of a file that was checked, by verdict."""
    always = (Verdict.NEW, Verdict.DUPLICATE, Verdict.WRONG)
    told = [v for v in Verdict if v in always or verdicts.get(v.value)]
    return "；".join(f"{v.foreseen()} {verdicts.get(v.value, 0):,} 条" for v in told)


def start(session: Session, run: ImportRun, actor: Actor, kind: str, state: ImportState, title: str) -> None:
    """Give the next step of an import to a worker, in the open transaction."""
    job = jobs.start(
        session, actor, kind, title, {"import": run.id}, utcnow(), total=run.rows, about=run.file_name
    )
    run.job_id, run.state, run.reason = job.id, state, None
