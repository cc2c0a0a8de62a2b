"""Writing out a list (D-12): what is asked for, whether it may be, and the job that does it.

A small list is answered at once; a larger one becomes a job, above a number of rows one that somebody has to
approve. The rights that hold are those of the moment the file is written, and they are looked at again when
it is fetched.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.engine import audit, exporting, files, jobs, listing
from app.engine.actions import Act, Forbidden, Refusal
from app.engine.database import utcnow
from app.engine.deeds import deed
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.guards import Guard, added_guards, all_guards, hidden
from app.engine.jobs import OPEN, Finish, Job, JobState, Work
from app.engine.listing import Query
from app.engine.localtime import local
from app.engine.resource import Resource
from app.engine.resource import resource as named
from app.engine.scopes import Actor, Scope, scopes_of

KIND = "export"
FORMATS = {"xlsx": "Excel", "csv": "CSV"}
AT_ONCE = 5  # exports of one person that may be under way
_PLACES = frozenset({Scope.STORE, Scope.DEPARTMENT})


@dataclass(frozen=True)
class Limits:
    """A dealer's settings: up to how many rows a file comes at once, above how many somebody has to approve it
    (0: never), and for how many days it is kept."""

    at_once: int = 2_000
    approval: int = 50_000
    days: int = 7


_limits: list[Callable[[Session, int | None], Limits]] = [lambda _session, _dealer: Limits()]


def provide_limits(limits: Callable[[Session, int | None], Limits]) -> None:
    """Install the function that reads a dealer's limits; the settings domain calls this."""
    _limits[:] = [limits]


@dataclass(frozen=True)
class Ready:
    """A file that is answered at once."""

    content: io.BytesIO
    name: str
    rows: int


def permission(resource: type[Resource]) -> tuple[str, str]:
    """Whose ``(permission, view)`` pair opens the way out."""
    return ("can_export", resource.view_name())


def require(actor: Actor, resource: type[Resource]) -> None:
    """Raise `Forbidden` unless the person may see the list and write it out."""
    for pair in (("can_list", resource.view_name()), permission(resource)):
        if not actor.can(*pair):
            raise Forbidden(f"导出{resource.label}")


def columns(query: Query, chosen: Sequence[str], *, every: bool) -> list[FieldSpec]:
    """The columns as the person has arranged them, or all that the list can show."""
    shown = listing.columns(query.resource, query.actor, chosen)
    rest = [describe(c) for c in (*query.resource.columns, *query.resource.more_columns)] if every else []
    return list({s.name: s for s in [*shown, *rest]}.values())


def ask(
    session: Session, query: Query, specs: Sequence[FieldSpec], kind: str, words: str, source: str
) -> Ready | Job:
    """The file, or the job that makes it. ``words`` say what the list was asked for.

    Raises `Refusal` for a filter that was not understood and for too many exports at a time.
    """
    resource, actor = query.resource, query.actor
    require(actor, resource)
    if query.errors:
        raise Refusal(f"筛选条件有误，未导出：{'；'.join(query.errors)}")
    limits = _limits[0](session, actor.dealer_id)
    rows = exporting.count(session, query)
    act = Act(actor, query.now, session, source, KIND)
    about = f"{words}；{len(specs)} 列；{FORMATS[kind]}"
    if rows <= limits.at_once:
        return _at_once(act, query, specs, kind, about)
    _within_reason(session, actor, limits)
    payload = {
        "resource": resource.name,
        "args": _args(query),
        "columns": [s.name for s in specs],
        "format": kind,
        "asked_at": query.now.isoformat(),
        "place": _place(actor),
        "by": [actor.id, actor.called],
        "file": files.fresh(f"{local(query.now):%Y-%m}", kind),
        "file_name": _file_name(query, kind),
        "approval": 0 < limits.approval < rows,
    }
    state = JobState.APPROVAL if payload["approval"] else JobState.WAITING
    with deed(act):
        return jobs.start(
            session, actor, KIND, f"导出{resource.label} {rows} 行", payload, query.now, total=rows, state=state,
            about=about,
        )  # fmt: skip


def _args(query: Query) -> dict[str, list[str]]:
    """The address with the scope it was read in: a list may open elsewhere tomorrow."""
    args = {
        k: list(v) for k, v in query.args.items() if k not in ("page", "after", "before", "last", "per_page")
    }
    return args if query.scope is None else {**args, "scope": [query.scope.value]}


def _within_reason(session: Session, actor: Actor, limits: Limits) -> None:
    if not actor.can("can_list", "Jobs"):
        raise Refusal(f"超过 {limits.at_once} 行的导出在任务中心进行，您没有「任务中心」的权限，请缩小范围")
    mine = select(func.count()).where(Job.user_id == actor.id, Job.kind == KIND, Job.state.in_(OPEN))
    if (session.scalar(mine) or 0) >= AT_ONCE:
        raise Refusal(f"您已有 {AT_ONCE} 个导出任务未完成，请等待完成或在任务中心取消后再试")


def _at_once(act: Act, query: Query, specs: Sequence[FieldSpec], kind: str, about: str) -> Ready:
    file = io.BytesIO()
    rows = _write(act.session, query, specs, kind, file, about, None)
    with deed(act):
        _keep(act, query.resource, rows, about)
    file.seek(0)
    return Ready(file, _file_name(query, kind), rows)


def _write(
    session: Session,
    query: Query,
    specs: Sequence[FieldSpec],
    kind: str,
    file: Any,
    about: str,
    told: exporting.Told | None,
) -> int:
    """Write the file, with a last line that says whose it is."""
    head = exporting.about(query, query.now)

    def note(rows: int) -> str:
        return f"导出人：{head.by}；导出时间：{head.at:%Y-%m-%d %H:%M:%S}；{about}；共 {rows} 行"

    return exporting.write(session, query, specs, kind, file, head, note, told)


def _keep(act: Act, resource: type[Resource], rows: int, about: str) -> None:
    """The entry of the log: who, when, which filter, how many rows."""
    audit.enter(act, resource, KIND, f"导出 {rows} 行", f"导出 {rows} 行；{about}")


def _file_name(query: Query, kind: str) -> str:
    head = exporting.about(query, query.now)
    return f"{head.title}_{head.at:%Y%m%d_%H%M%S}.{kind}"


# ----- the job


def _ended(session: Session, job_id: int, state: JobState) -> None:
    """A finished one is logged; nothing is left of one that was not."""
    job = session.get_one(Job, job_id)
    payload = job.payload
    place = files.path(payload["file"])
    for part in place.parent.glob(f"{place.name}.*.part"):
        part.unlink(missing_ok=True)
    if state != JobState.DONE:
        files.remove(payload["file"])
        return
    resource = named(payload["resource"])
    assert resource is not None
    by_id, by_name = payload["by"]
    act = Act(
        Actor(by_id, name=by_name, dealer_id=job.dealer_id), job.finished_at or job.created_at, session, "job"
    )
    _keep(act, resource, int((job.counts or {})["rows"]), job.about or "")


def _guards() -> list[Guard]:
    return [*all_guards(), *(added.guard for added in added_guards())]


def _may_fetch(actor: Actor, job: Job) -> None:
    """The file holds what the person could read when it was written: no more may be given than now."""
    resource = named(job.payload["resource"])
    assert resource is not None
    require(actor, resource)
    held = job.counts or {}
    changed = any(g.name in held.get("open", ()) and g.hides(actor) for g in _guards())
    scopes = {Scope.of(s) for s in held.get("scopes", ())}
    moved = job.payload["place"] != _place(actor) and scopes & _PLACES
    if changed or moved or not scopes <= scopes_of(resource, actor):
        raise Refusal("您的权限或所在门店已变化，此文件不能再下载，请重新导出")


@jobs.doer(KIND, "导出", ended=_ended, fetch=_may_fetch, again=True)
def run(work: Work) -> Finish:
    """Write the file as its person may read the list now; an attempt that was cut off is begun anew."""
    payload, session = work.payload, work.session
    query = _again(session, work.actor, payload)
    by_name = {describe(c).name: describe(c) for c in (*query.resource.columns, *query.resource.more_columns)}
    specs = [by_name[name] for name in payload["columns"] if name in by_name]
    job = session.get_one(Job, work.id, populate_existing=True)
    about, approved = job.about or "", job.decided_at is not None
    limits = _limits[0](session, work.actor.dealer_id)
    session.rollback()
    place = files.path(payload["file"])
    part = place.with_name(f"{place.name}.{work.delivery.attempt}.part")
    try:
        with part.open("wb") as file:
            rows = _write(session, query, specs, payload["format"], file, about, work.pulse)
            file.flush()
            os.fsync(file.fileno())
        if not approved and 0 < limits.approval < rows:
            raise Refusal(f"现在共 {rows} 行，超过 {limits.approval} 行需要审批，请重新导出")
        files.publish(part, payload["file"])
    finally:
        part.unlink(missing_ok=True)
    seen = {s.guard.name for s in specs if s.guard is not None and hidden(s, work.actor) is None}
    kept = {"rows": rows, "open": sorted(seen), "scopes": sorted(s.value for s in query.scopes)}
    expires = utcnow() + timedelta(days=limits.days)
    return Finish(f"共 {rows} 行", kept, payload["file"], payload["file_name"], expires)


def _again(session: Session, actor: Actor, payload: Mapping[str, Any]) -> Query:
    """The list as it was asked for, by what the person may see now; raises `Refusal` where that is no longer
    the same list."""
    resource = named(payload["resource"])
    if resource is None:
        raise Refusal("此列表已不存在")
    require(actor, resource)
    if payload["place"] != _place(actor):
        raise Refusal("您已切换门店或部门，列表的范围与申请时不同，请重新导出")
    resource = faced(resource, actor.dealer_id)
    args = payload["args"]
    asked_at = datetime.fromisoformat(payload["asked_at"])
    query = listing.parse(resource, actor, args, asked_at, session.get_bind().dialect.name)
    if query.errors or query.notices:
        raise Refusal("您的权限已变化，列表与申请时不同，请重新导出")
    return query


def _place(actor: Actor) -> list[int | None]:
    return [actor.dealer_id, actor.store_id, actor.department_id]
