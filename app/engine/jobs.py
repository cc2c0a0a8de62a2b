"""Long work of a person that goes on in the background: imports, exports, handovers (任务中心).

A job is a row that its person watches: state, percentage, result, reason. The outbox carries it out like
everything else that happens later. It works in pieces that commit, each with a sign of life (`Work.note`);
when its worker is killed another one goes on where the last piece ended, and two can never both write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, String, Table, select, update
from sqlalchemy.orm import Mapped, Session
from sqlalchemy.types import JSON

from app.engine import events, files, outbox
from app.engine.actions import Act, Refusal
from app.engine.cells import Linked, Progress, full
from app.engine.choices import Choice, Tone
from app.engine.database import Model, utcnow, writing
from app.engine.fields import CreatedAt, Pk, column
from app.engine.localtime import local
from app.engine.scopes import SYSTEM, Actor
from app.engine.security import sign_in

KIND = "job.run"
_SECONDS = 6 * 3600
_LEASE = 30
_PULSE = 1.0  # seconds between two signs of life that nothing else is written with
_RESULT = 400
_ABOUT = 1000
GIVEN_UP = "多次尝试后仍未完成，请联系系统管理员在“后台队列”查看原因"
ENDED, ASKED, DECIDED = "job.ended", "job.asked", "job.decided"
"""Events: a job has ended, waits for an approval, was approved."""


class JobState(Choice):
    """How far a job is."""

    APPROVAL = "approval", "待审批", Tone.WARN
    WAITING = "waiting", "排队中", Tone.ACTIVE
    RUNNING = "running", "进行中", Tone.ACTIVE
    DONE = "done", "已完成", Tone.GOOD
    FAILED = "failed", "失败", Tone.BAD
    CANCELLED = "cancelled", "已取消", Tone.MUTED


OPEN = (JobState.APPROVAL, JobState.WAITING, JobState.RUNNING)
STOPPED = (JobState.FAILED, JobState.CANCELLED)


def _kind(kind: str, *, now: datetime) -> str:
    return label_of(kind)


def _took(ended: datetime | None, begun: datetime | None, *, now: datetime) -> str | None:
    """When it ended, and how long it took."""
    if ended is None:
        return None
    seconds = int((ended - begun).total_seconds()) if begun is not None else 0
    took = f"{seconds} 秒" if seconds < 60 else f"{seconds // 60} 分 {seconds % 60} 秒"
    return full(local(ended)) + (f"（用时 {took}）" if begun is not None else "")


def _fetched(
    name: str | None, job_id: int | None, expires_at: datetime | None, file: str | None, *, now: datetime
) -> Linked | str | None:
    if name is None:
        return None
    gone = not file or (expires_at is not None and expires_at <= now)
    return f"{name}（已过期）" if gone else Linked(name, f"/jobs/{job_id}/file", "download")


def _of_page(text: str | None, kind: str | None, job_id: int | None, *, now: datetime) -> Linked | str | None:
    known = _doers.get(kind or "")
    return Linked(text, f"/jobs/{job_id}/open", "external-link") if text and known and known.page else text


def _far(done: int, total: int | None, state: JobState | None, job_id: int | None, *, now: datetime) -> Any:
    """The percentage of one that goes on; of others what they have done, if anything."""
    if state not in (JobState.WAITING, JobState.RUNNING):
        return done or None
    return Progress(percent(done, total), str(job_id or ""), live=True)


def percent(done: int, total: int | None) -> int:
    """How far a job is; the last one comes with its end."""
    return min(99, 100 * done // total) if total else 0


class Job(Model):
    """One long piece of work of one person. ``about`` says in words what it does; it is read by whoever sees
    the job, so no guarded value stands in it. ``payload`` is shown to nobody."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_jobs_dealer_id_created_at", "dealer_id", "created_at", "id"),
        Index("ix_jobs_expires_at", "expires_at"),
    )

    id: Mapped[Pk]
    kind: Mapped[str] = column("类型", String(32), shown=_kind)
    title: Mapped[str] = column("任务", String(160))
    state: Mapped[JobState] = column("状态", choices=JobState, default=JobState.WAITING)
    done: Mapped[int] = column(
        "已处理", Integer, default=0, beside=("total", "state", "id"), shown=_far
    )  # fmt: skip
    total: Mapped[int] = column("总数", Integer, default=0)
    result: Mapped[str | None] = column("结果", String(_RESULT), wide=True)
    about: Mapped[str | None] = column(
        "内容", String(_ABOUT), wide=True, beside=("kind", "id"), shown=_of_page
    )  # fmt: skip
    payload: Mapped[dict[str, Any]] = column("参数", JSON)
    counts: Mapped[dict[str, Any] | None] = column("计数", JSON)
    file: Mapped[str | None] = column("文件位置", String(200))
    file_name: Mapped[str | None] = column(
        "结果文件", String(160), beside=("id", "expires_at", "file"), shown=_fetched
    )  # fmt: skip
    stopping: Mapped[bool] = column("要求取消", Boolean, default=False)
    row_id: Mapped[int | None] = column("队列编号", Integer)
    user_id: Mapped[int] = column("发起人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", Integer)
    created_at: Mapped[CreatedAt] = column("创建时间", DateTime)
    started_at: Mapped[datetime | None] = column("开始时间", DateTime)
    finished_at: Mapped[datetime | None] = column("完成时间", DateTime, beside=("started_at",), shown=_took)
    expires_at: Mapped[datetime | None] = column("文件有效期至", DateTime)
    decided_by_id: Mapped[int | None] = column("审批人", ForeignKey("ab_user.id"))
    decided_at: Mapped[datetime | None] = column("审批时间", DateTime)


JOBS = cast(Table, Job.__table__)


class Cancelled(Exception):
    """The person asked for the job to stop; what is committed stays."""


@dataclass(frozen=True)
class Finish:
    """How a job ended: a sentence, the figures, and a file that may be fetched until it expires."""

    result: str
    counts: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    file_name: str = ""
    expires_at: datetime | None = None


@dataclass
class Work:
    """One attempt at a job, as its function sees it. ``counts`` is what the pieces before have kept."""

    id: int
    payload: Mapping[str, Any]
    counts: dict[str, Any]
    actor: Actor
    session: Session
    now: datetime
    delivery: outbox.Delivery
    _pulsed: float = 0.0

    def note(self, done: int, total: int | None = None, counts: Mapping[str, Any] | None = None) -> None:
        """How far the job is, in the open transaction of a piece, so that both are kept or none.

        Raises `Cancelled` when the person asked for it, and `outbox.Taken` when another worker went on
        with the job meanwhile: either undoes the piece.
        """
        outbox.renew(self.delivery, utcnow())
        values: dict[str, Any] = {"done": done}
        if total is not None:
            values["total"] = total
        if counts is not None:
            self.counts |= counts
            values["counts"] = dict(self.counts)
        told = update(JOBS).where(JOBS.c.id == self.id).values(**values).returning(JOBS.c.stopping)
        if self.session.execute(told).scalar_one():
            raise Cancelled

    def pulse(self, done: int, total: int | None = None) -> None:
        """The same for work that writes nothing meanwhile, at most once a second; a transaction of its own."""
        if time.monotonic() - self._pulsed < _PULSE:
            return
        with writing(self.session):
            self.note(done, total)
            self.session.commit()
        self._pulsed = time.monotonic()


Run = Callable[[Work], Finish]


@dataclass(frozen=True)
class Doer:
    """Who carries out a kind of job; ``ended`` is told of every end, in the transaction that keeps it;
    ``fetch(actor, job)`` refuses the file to its person when the rights have changed meanwhile; ``again`` says
    that a stopped one may be begun once more with the same payload."""

    kind: str
    label: str
    run: Run
    ended: Callable[[Session, int, JobState], None] | None = None
    fetch: Callable[[Actor, Job], None] | None = None
    again: bool = False
    page: str = ""
    """The address of the page that such a job belongs to, with fields of its payload: ``/imports/{import}``."""


_doers: dict[str, Doer] = {}


def doer(
    kind: str,
    label: str,
    *,
    ended: Callable[[Session, int, JobState], None] | None = None,
    fetch: Callable[[Actor, Job], None] | None = None,
    again: bool = False,
    page: str = "",
) -> Callable[[Run], Run]:
    """Register the function that carries out jobs of this kind. A `Refusal` of its is the job's end, any
    other error means another attempt."""

    def register(function: Run) -> Run:
        if kind in _doers and _doers[kind].run is not function:
            raise ValueError(f"job kind {kind} has two doers")
        _doers[kind] = Doer(kind, label, function, ended, fetch, again, page)
        return function

    return register


def label_of(kind: str) -> str:
    """What jobs of this kind are called."""
    return _doers[kind].label if kind in _doers else kind


def doer_of(kind: str) -> Doer | None:
    """Who carries out jobs of this kind."""
    return _doers.get(kind)


def start(
    session: Session,
    actor: Actor,
    kind: str,
    title: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    total: int = 0,
    state: JobState = JobState.WAITING,
    about: str = "",
) -> Job:
    """Make a job in the open transaction; unless it waits for an approval, a worker begins after the commit."""
    job = Job(
        kind=kind, title=title[:160], state=state, total=total, payload=dict(payload), user_id=actor.id,
        dealer_id=actor.dealer_id, created_at=now, about=about[:_ABOUT] or None,
    )  # fmt: skip
    session.add(job)
    session.flush()
    if state == JobState.WAITING:
        hand_over(session, job.id, now)
    else:
        events.publish(Act(actor, now, session, action="ask"), ASKED, job)
    return job


def hand_over(session: Session, job_id: int, now: datetime) -> None:
    """Give the job to a worker after the commit. Rows that carried it before carry it no longer."""
    row_id = outbox.put(session, KIND, {"id": job_id}, now=now)
    session.execute(update(JOBS).where(JOBS.c.id == job_id).values(row_id=row_id))


def _parked(delivery: outbox.Delivery, _reason: str) -> None:
    """The reason is a program's, and may quote values: it is read on the page of the queue alone."""
    _end(delivery, int(delivery.payload["id"]), JobState.FAILED, Finish(GIVEN_UP))


@outbox.handler(
    KIND, label="后台任务", seconds=_SECONDS, lease=_LEASE, long=True, outside=True, on_parked=_parked
)
def run(delivery: outbox.Delivery) -> Callable[[], None] | None:
    """Carry a job out, or go on with it."""
    session, job_id = delivery.session, int(delivery.payload["id"])
    job = _begin(delivery, job_id)
    if job is None:
        return None
    signed = sign_in(job.user_id)
    if signed is None:
        return lambda: _end(delivery, job_id, JobState.FAILED, Finish("发起人的账号已停用"))
    work = Work(job_id, job.payload, dict(job.counts or {}), signed.actor, session, delivery.now, delivery)
    try:
        finish = _doers[job.kind].run(work)
    except Cancelled:
        session.rollback()
        return lambda: _end(delivery, job_id, JobState.CANCELLED, Finish("已按要求停止"))
    except Refusal as refusal:
        session.rollback()
        said = refusal.message
        return lambda: _end(delivery, job_id, JobState.FAILED, Finish(said))
    return lambda: _end(delivery, job_id, JobState.DONE, finish)


def _begin(delivery: outbox.Delivery, job_id: int) -> Any:
    """The job's row marked as running; None when there is nothing to do any more."""
    session, moment = delivery.session, utcnow()
    with writing(session):
        job = session.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        others = job is not None and job.row_id not in (None, delivery.id)
        if job is None or others or job.state not in (JobState.WAITING, JobState.RUNNING):
            session.rollback()
            return None
        started = {"state": JobState.RUNNING, "started_at": job.started_at or moment}
        still = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state == job.state).values(**started)
        if session.execute(still.returning(JOBS.c.id)).first() is None:  # stopped at this very moment
            session.rollback()
            return None
        session.commit()
    return job


def _end(delivery: outbox.Delivery, job_id: int, state: JobState, finish: Finish) -> None:
    session = delivery.session
    values: dict[str, Any] = {
        "state": state,
        "result": finish.result[:_RESULT],
        "finished_at": utcnow(),
        "stopping": False,
    }
    job = session.execute(select(JOBS).where(JOBS.c.id == job_id)).one()
    if state == JobState.DONE:
        values |= {
            "done": job.total or job.done,
            "file": finish.file or None,
            "file_name": files.called(finish.file_name) or None,
            "expires_at": finish.expires_at,
            "counts": {**(job.counts or {}), **finish.counts},
        }
    session.execute(update(JOBS).where(JOBS.c.id == job_id).values(**values))
    told_of_end(Act(SYSTEM, utcnow(), session, "job", "job"), job_id, f"{job_id}:{delivery.id}")


def told_of_end(act: Act, job_id: int, once: str) -> None:
    """Tell those who wait for the end of a job, in its transaction; ``once`` is the same when it is told
    again."""
    job = act.session.get_one(Job, job_id, populate_existing=True)
    known = _doers.get(job.kind)
    if known is not None and known.ended is not None:
        known.ended(act.session, job_id, job.state)
    events.publish(act, ENDED, job, once=once)


def expire(session: Session, now: datetime) -> int:
    """Delete the results whose time is over, of every kind of job; returns how many."""
    over = select(Job).where(Job.expires_at <= now, Job.file.is_not(None)).with_for_update()
    with writing(session):
        jobs_over = list(session.scalars(over))
        gone = [job.file for job in jobs_over]
        for job in jobs_over:
            job.file = None
        session.commit()
    for name in gone:
        files.remove(name)
    return len(gone)
