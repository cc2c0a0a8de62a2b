"""What a person does with an import: upload, say what headings mean, start, stop, take back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.engine import files
from app.engine.actions import Refusal, new_deed_id
from app.engine.database import alone, writing
from app.engine.imports import columns, runs, undo
from app.engine.imports.filing import Options
from app.engine.imports.tables import BUSY, IMPORTS, PENDING, ImportRun, ImportState
from app.engine.jobs import JOBS
from app.engine.resource import Resource
from app.engine.scopes import Actor

SUFFIXES = ("xlsx", "xls", "csv")
_SPACE = -4
_PART = _MEGABYTE = 1 << 20


def begin(
    session: Session,
    resource: type[Resource],
    actor: Actor,
    stream: IO[bytes],
    file_name: str,
    options: dict[str, Any],
    now: datetime,
) -> ImportRun:
    """Keep an uploaded file and have it checked; raises `Refusal` for what cannot be one, and for a file that
    is on its way in already."""
    runs.allow(resource, actor, Options.of(options))
    assert resource.template is not None
    most = resource.template.bounds_for(session, actor.dealer_id).megabytes
    file_name = files.called(file_name)
    suffix = file_name.rpartition(".")[2].lower()
    if suffix == "xlsm":
        raise Refusal("文件含有宏，请另存为不含宏的工作簿（.xlsx）后重试", field="file")
    if suffix not in SUFFIXES:
        raise Refusal("请上传 xlsx、xls 或 csv 文件", field="file")
    name = files.fresh(now.strftime("%Y-%m"), suffix)
    try:
        digest = _save(stream, name, most)
        with writing(session):
            alone(session, _SPACE, digest)
            _only_once(session, actor, digest)
            run = ImportRun(
                resource=resource.name, state=ImportState.READING, file_name=file_name, digest=digest,
                file=name, lines=files.fresh(now.strftime("%Y-%m"), "csv"), options=options, deed_id=new_deed_id(),
                user_id=actor.id, dealer_id=actor.dealer_id, store_id=actor.store_id, created_at=now,
                expires_at=now + runs.KEPT,
            )  # fmt: skip
            session.add(run)
            session.flush()
            title = f"检查导入文件：{run.file_name}"
            runs.start(session, run, actor, runs.CHECK, ImportState.READING, title)
            session.commit()
    except BaseException:
        files.remove(name)
        raise
    return run


def _save(stream: IO[bytes], name: str, most: int) -> str:
    found = hashlib.sha256()
    size = 0
    with files.path(name).open("wb") as out:
        while part := stream.read(_PART):
            size += len(part)
            if size > most * _MEGABYTE:
                raise Refusal(f"文件超过 {most} MB，请分成几个文件", field="file")
            found.update(part)
            out.write(part)
    if not size:
        raise Refusal("文件是空的", field="file")
    return found.hexdigest()


def _only_once(session: Session, actor: Actor, digest: str) -> None:
    same = (IMPORTS.c.digest == digest, IMPORTS.c.dealer_id == actor.dealer_id)
    running = select(IMPORTS.c.id).where(*same, IMPORTS.c.state == ImportState.RUNNING)
    if session.scalar(running.limit(1)) is not None:
        raise Refusal("同一个文件正在导入，请等待完成后再上传", field="file")


def find(session: Session, import_id: int, actor: Actor) -> ImportRun:
    """An import of one's own; raises what `runs.may_see` says of any other."""
    run = session.get(ImportRun, import_id)
    runs.may_see(run, actor)
    assert run is not None
    return run


def repeated(session: Session, run: ImportRun) -> datetime | None:
    """When the same file was imported before, if it was."""
    same = (IMPORTS.c.digest == run.digest, IMPORTS.c.dealer_id == run.dealer_id, IMPORTS.c.id != run.id)
    done = select(IMPORTS.c.finished_at).where(*same, IMPORTS.c.state == ImportState.DONE)
    return session.scalar(done.order_by(IMPORTS.c.id.desc()).limit(1))


def explain(session: Session, import_id: int, actor: Actor, mapping: Sequence[str]) -> None:
    """Say what every heading means (an empty name: passed over), remember it, and have the file checked."""
    run = _locked(session, import_id, actor, (ImportState.MAPPING, ImportState.READY), file=True)
    found, _ = runs.resource_for(run)
    options = Options.of(run.options)
    headings = run.headings or []
    known = {spec.name for spec in columns.offered(found, actor, options.key)} | {""}
    chosen = [name if name in known else "" for name in mapping[: len(headings)]]
    chosen += [""] * (len(headings) - len(chosen))
    columns.twice(headings, chosen)
    columns.complete(found, actor, chosen, options)
    columns.remember(session, found, actor, headings, chosen)
    run.mapping = list(chosen)
    runs.start(session, run, actor, runs.CHECK, ImportState.READING, f"检查导入文件：{run.file_name}")


def carry_out(session: Session, import_id: int, actor: Actor) -> None:
    """Bring the lines in; asked twice, it happens once."""
    run = _locked(session, import_id, actor, (ImportState.READY,), file=True)
    found, _ = runs.resource_for(run)
    runs.allow(found, actor, Options.of(run.options))
    alone(session, _SPACE, run.digest)
    _only_once(session, actor, run.digest)
    runs.start(session, run, actor, runs.APPLY, ImportState.RUNNING, f"导入{found.label}：{run.file_name}")


def stop(session: Session, import_id: int, actor: Actor) -> None:
    """Give an import up: one that a job works on ends after its piece, what it has committed stays."""
    run = _locked(session, import_id, actor, PENDING)
    if run.state in BUSY:
        session.execute(update(JOBS).where(JOBS.c.id == run.job_id).values(stopping=True))
    else:
        run.state, run.counts = ImportState.CANCELLED, None


def take_back(session: Session, import_id: int, actor: Actor) -> None:
    """撤销导入, of one that is done or was stopped half-way."""
    ended = (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED)
    run = _locked(session, import_id, actor, ended)
    found, _ = runs.resource_for(run)
    runs.allow(found, actor, Options.of(run.options))
    runs.start(session, run, actor, undo.KIND, ImportState.UNDOING, f"{undo.LABEL}：{run.file_name}")


def _locked(
    session: Session, import_id: int, actor: Actor, states: Sequence[ImportState], *, file: bool = False
) -> ImportRun:
    """The import in one of these states, locked until the transaction ends; with ``file`` one that is kept."""
    run = session.scalars(
        select(ImportRun)
        .where(ImportRun.id == import_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    runs.may_see(run, actor)
    assert run is not None
    if run.state not in states:
        raise Refusal(f"该导入{run.state.label}，不能执行此操作")
    if file and run.file is None:
        raise Refusal("文件已过保留期，请重新上传")
    return run


def prune(session: Session, now: datetime) -> list[str]:
    """Let go of files that are kept no longer; returns their names, to be deleted after the commit."""
    old = (IMPORTS.c.expires_at < now, IMPORTS.c.file.is_not(None), IMPORTS.c.state.not_in(BUSY))
    found = session.execute(
        select(IMPORTS.c.id, IMPORTS.c.file, IMPORTS.c.lines).where(*old).limit(500)
    ).all()
    session.execute(
        update(IMPORTS).where(IMPORTS.c.id.in_([row.id for row in found])).values(file=None, lines=None)
    )
    names = [name for row in found for name in (row.file, row.lines) if name]
    return [*names, *(f"{row.lines.rpartition('.')[0]}.jsonl" for row in found if row.lines)]
