"""One import: what will happen, the way to start it, how far it is, what came of it, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, select

from app.engine import chrome, files, jobs, pages
from app.engine.actions import Forbidden, NotFound, Refusal
from app.engine.database import PK, db, utcnow, writing
from app.engine.fields import describe
from app.engine.imports import columns, sheets, undo, uploads, workbook
from app.engine.imports.filing import Options
from app.engine.imports.runs import resource_for
from app.engine.imports.tables import BUSY, PROBLEMS, ImportRun, ImportState, Verdict
from app.engine.localtime import local
from app.engine.scopes import Actor
from app.engine.security import require_actor
from app.engine.viewbase import download

SHOWN = 50
_SAMPLES = 3
_WIDEST = 60  # characters of a heading, or of what stands below it, that are shown
_ORDER = ("读取与检查", "确认", "导入", "完成")
_AT = {
    ImportState.READING: 0, ImportState.CHECKING: 0, ImportState.MAPPING: 0, ImportState.READY: 1,
    ImportState.RUNNING: 2, ImportState.DONE: 3, ImportState.UNDOING: 3, ImportState.UNDONE: 3,
}  # fmt: skip


class ImportView(BaseView):  # type: ignore[misc]
    """The person's own imports; nobody else's, because they show what a file holds."""

    route_base = "/imports"

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """Where it stands."""
        actor = require_actor()
        return _page(uploads.find(db.session(), pk, actor), actor)

    @expose(f"/{PK}/progress", methods=["GET"])
    def progress(self, pk: int) -> ResponseReturnValue:
        """The state and the percentage, for the page that waits."""
        run = uploads.find(db.session(), pk, require_actor())
        percent, said = _progress(run)
        return jsonify(state=run.state.value, busy=run.state in BUSY, percent=percent, said=said)

    @expose(f"/{PK}/mapping", methods=["POST"])
    def mapping(self, pk: int) -> ResponseReturnValue:
        """What the headings mean."""
        chosen = request.form.getlist("field")
        return _do(pk, lambda actor: uploads.explain(db.session(), pk, actor, chosen))

    @expose(f"/{PK}/start", methods=["POST"])
    def start(self, pk: int) -> ResponseReturnValue:
        """Bring it in."""
        return _do(pk, lambda actor: uploads.carry_out(db.session(), pk, actor))

    @expose(f"/{PK}/stop", methods=["POST"])
    def stop(self, pk: int) -> ResponseReturnValue:
        """Give it up."""
        return _do(pk, lambda actor: uploads.stop(db.session(), pk, actor))

    @expose(f"/{PK}/undo", methods=["POST"])
    def undo(self, pk: int) -> ResponseReturnValue:
        """Take it back."""
        return _do(pk, lambda actor: uploads.take_back(db.session(), pk, actor))

    @expose(f"/{PK}/problems", methods=["GET"])
    def problems(self, pk: int) -> ResponseReturnValue:
        """The lines that are not brought in, as a workbook to correct."""
        session = db.session()
        run = uploads.find(session, pk, require_actor())
        if run.lines is None:
            raise Refusal("文件已过保留期，无法再下载")
        if not files.path(run.lines).exists():
            raise Refusal("文件没有读出内容，没有失败明细可以下载")
        name = files.fresh(local(run.created_at).strftime("%Y-%m"), "xlsx")
        target = files.path(name)
        try:
            workbook.problems(session, run, target)
            shown = f"{run.file_name.rpartition('.')[0]}-失败明细.xlsx"
            return download(target.open("rb"), shown)
        finally:
            files.remove(name)


def _do(pk: int, what: Callable[[Actor], None]) -> ResponseReturnValue:
    actor = require_actor()
    session = db.session()
    try:
        with writing(session):
            what(actor)
            session.commit()
    except (Forbidden, NotFound):
        session.rollback()
        raise
    except Refusal as refusal:
        session.rollback()
        flash(refusal.message, "bad")
    return redirect(f"/imports/{pk}")


def _progress(run: ImportRun) -> tuple[int, str]:
    job = _job(run)
    if job is None or run.state not in BUSY:
        return (100, "") if run.state in (ImportState.DONE, ImportState.UNDONE) else (0, "")
    if job.state == jobs.JobState.WAITING:
        return 0, "排队中"
    total = job.total or run.rows
    if not total:
        return 0, "正在读取文件"
    return min(99, job.done * 100 // total), f"{job.done:,} / {total:,}"


def _page(run: ImportRun, actor: Actor) -> str:
    session = db.session()
    found, _ = resource_for(run)
    percent, said = _progress(run)
    busy = run.state in BUSY
    shown = pages.ImportPage(
        f"导入{found.label}", found.name, f"/imports/{run.id}", f"/{found.name}/", run.state.label,
        run.state.tone.value, busy, percent, said, run.file_name, _facts(run, found), _steps(run),
        notes=list(run.notes or ()), reason=run.reason or "",
    )  # fmt: skip
    if run.state == ImportState.MAPPING and run.lines:
        shown.headings = _headings(run, actor)
    elif not busy:
        shown.tallies = _tallies(run)
        shown.effects = list(run.effects or ()) if run.state == ImportState.READY else []
        _add_problems(run, shown)
    if run.state == ImportState.UNDONE:
        _add_kept(run, shown)
    if run.state == ImportState.READY:
        again = uploads.repeated(session, run)
        if again is not None:
            shown.notes.append(f"同一个文件已于 {local(again):%Y-%m-%d %H:%M} 导入过")
    if not _startable(run):
        shown.notes.append("没有可以导入的行，请改正后重新上传")
    if run.state == ImportState.DONE:
        _add_failure(run, shown)
    shown.buttons = _buttons(run, f"/{found.name}/import")
    return chrome.page("import.html", key=found.name, title=shown.title, page=shown)


def _facts(run: ImportRun, found: Any) -> list[tuple[str, str]]:
    options = Options.of(run.options)
    facts = [("文件", run.file_name), ("上传时间", local(run.created_at).strftime("%Y-%m-%d %H:%M"))]
    if run.rows:
        facts.append(("数据行数", f"{run.rows:,} 行"))
    how = "只新增"
    if options.key:
        spec = next(s for s in map(describe, found.template.keys) if s.name == options.key)
        how = f"{'新增，并' if options.adds else '只'}按{spec.label}更新已有的"
    facts.append(("方式", how))
    for source in found.template.presets:
        spec = describe(source)
        value = (options.presets or {}).get(spec.name)
        if value:
            label = next((e.label for e in spec.entries(run.dealer_id) if e.value == value), str(value))
            facts.append((spec.label, label))
    return facts


def _steps(run: ImportRun) -> list[tuple[str, str]]:
    at = _AT.get(run.state)
    if at is None:
        at = 2 if run.counts else 0
    return [(label, "on" if n == at else "past" if n < at else "") for n, label in enumerate(_ORDER)]


def _tallies(run: ImportRun) -> list[pages.Tally]:
    counts = run.counts or {}
    future = run.state == ImportState.READY
    found = []
    for verdict in Verdict:
        amount = counts.get(verdict.value, 0)
        if amount or verdict in (Verdict.NEW, Verdict.DUPLICATE, Verdict.WRONG):
            label = verdict.foreseen() if future else verdict.found()
            tone = {Verdict.NEW: "good", Verdict.DUPLICATE: "warn", Verdict.WRONG: "bad"}.get(verdict, "")
            found.append(pages.Tally(label, f"{amount:,}", tone if amount else ""))
    return found if run.counts else []


def _job(run: ImportRun) -> jobs.Job | None:
    """The last step of the import."""
    return db.session.get(jobs.Job, run.job_id) if run.job_id else None


def _add_problems(run: ImportRun, shown: pages.ImportPage) -> None:
    mine = PROBLEMS.c.import_id == run.id
    rows = db.session.execute(select(PROBLEMS).where(mine).order_by(PROBLEMS.c.line).limit(SHOWN + 1)).all()
    future = run.state == ImportState.READY
    shown.problems_title = "不会导入的行" if future else "没有导入的行"
    shown.problems = [
        pages.Problem(
            f"第 {row.line} 行",
            row.verdict.foreseen() if future else row.verdict.found(),
            row.verdict.tone.value,
            row.reason,
        )
        for row in rows[:SHOWN]
    ]
    if len(rows) > SHOWN:
        total = db.session.scalar(select(func.count()).select_from(PROBLEMS).where(mine))
        shown.more_problems = f"仅显示前 {SHOWN} 条，共 {total:,} 条，完整内容请下载失败明细"


def _add_failure(run: ImportRun, shown: pages.ImportPage) -> None:
    """Why taking back did not come to its end; the import stands as before and it may be tried again."""
    job = _job(run)
    if job is not None and job.kind == undo.KIND and job.state == jobs.JobState.FAILED:
        shown.notes.append(f"撤销没有完成：{job.result}")


def _add_kept(run: ImportRun, shown: pages.ImportPage) -> None:
    """What 撤销导入 could not take back, from the job that did it."""
    job = _job(run)
    if job is None:
        return
    shown.kept = [(label, reason) for label, reason in (job.counts or {}).get("kept", ())][:SHOWN]
    if shown.kept and job.file and (job.expires_at is None or job.expires_at > utcnow()):
        shown.kept_file = f"/jobs/{job.id}/file"


def _headings(run: ImportRun, actor: Actor) -> list[pages.Heading]:
    found, _ = resource_for(run)
    options = Options.of(run.options)
    specs = columns.offered(found, actor, options.key)
    mapping = run.mapping or [None] * len(run.headings or ())
    taken = {name for name in mapping if name}
    first = [cells for _, cells in islice(sheets.lines(files.path(run.lines or "")), 1, 1 + _SAMPLES)]
    shown = []
    for place, (heading, name) in enumerate(zip(run.headings or (), mapping, strict=True)):
        samples = "、".join(cells[place] for cells in first if place < len(cells) and cells[place])
        meant = columns.guess(heading, specs, taken) if name is None else name
        taken.add(meant)
        choices = [
            pages.Option(s.name, f"{s.label}{'（必填）' if s.required else ''}", selected=s.name == meant)
            for s in specs
        ]
        shown.append(
            pages.Heading(
                heading[:_WIDEST] or "（没有表头）", samples[:_WIDEST], choices, undecided=name is None
            )
        )
    return shown


def _startable(run: ImportRun) -> bool:
    """Not a file that was checked and has no line to bring in."""
    good = ((run.counts or {}).get(v.value, 0) for v in (Verdict.NEW, Verdict.UPDATED, Verdict.ABSORBED))
    return run.state != ImportState.READY or any(good)


def _buttons(run: ImportRun, upload_url: str) -> list[pages.Link]:
    base = f"/imports/{run.id}"
    found = []
    if run.state == ImportState.READY:
        good = _startable(run)
        reason = "" if good else "没有可以导入的行"
        found.append(
            pages.Link(
                "开始导入",
                f"{base}/start",
                "upload",
                primary=True,
                enabled=good,
                reason=reason,
                has_form=False,
            )
        )
    if run.state in (*BUSY, ImportState.READY, ImportState.MAPPING) and run.state != ImportState.UNDOING:
        asks = "确认停止？已导入的部分会保留，可以撤销。" if run.state == ImportState.RUNNING else ""
        found.append(pages.Link("取消导入", f"{base}/stop", "x", confirm=asks, has_form=False, keep=True))
    partly = run.state in (ImportState.CANCELLED, ImportState.FAILED) and run.counts is not None
    if run.state == ImportState.DONE or partly:
        found.append(
            pages.Link(
                "撤销导入", f"{base}/undo", "arrow-back-up", tone="r", has_form=False, keep=True,
                confirm="确认撤销此次导入？导入后没有人处理过的新记录将被删除，更新过的内容恢复原值。",
            )
        )  # fmt: skip
    if run.state in (ImportState.CANCELLED, ImportState.FAILED) or not _startable(run):
        found.append(pages.Link("重新上传", upload_url, "upload", primary=True))
    return found


VIEWS = [ImportView]
