"""任务中心: everybody's long jobs, with what can be done about them; administrators see those of their dealer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from app.engine import audit, events, jobs
from app.engine.actions import Act, Forbidden, Refusal, action
from app.engine.fields import entry
from app.engine.jobs import OPEN, STOPPED, Job, JobState
from app.engine.resource import Badge, Between, Group, Menu, Resource, View
from app.engine.scopes import Actor, Scopes

VIEW = "Jobs"
SEEING = ("can_list", VIEW)
WHO_SEES = "查看列表与详情"
"""Whoever sees a job may stop and repeat it; the rules look whose it is."""
APPROVING = ("can_approve", VIEW)
OPERATING = ("can_operate", VIEW)
"""Looking after the jobs of others, and the page of the queue."""


def _in_hand(job: Job, act: Act, doing: str) -> None:
    """Raise `Refusal` unless it is the person's own, or he or she looks after those of others."""
    if job.user_id != act.actor.id and not act.actor.can(*OPERATING):
        raise Refusal(f"只能{doing}自己的任务")


def _repeatable(job: Job) -> bool:
    known = jobs.doer_of(job.kind)
    return job.state in STOPPED and known is not None and known.again


@action(
    "取消任务", on=Job, name="cancel", permission=SEEING, permission_label=WHO_SEES, icon="player-stop", tone="r", batch=False,
    confirm="确认取消此任务？已处理的部分不会撤回。", when=lambda job: job.state in OPEN and not job.stopping,
)  # fmt: skip
def cancel(job: Job, act: Act) -> str:
    """Stop it: at once while it waits, else at the next piece of its work."""
    _in_hand(job, act, "取消")
    if job.state not in OPEN:
        raise Refusal(f"任务{job.state.label}，不能取消")
    audit.log(act, job, "取消任务")
    if job.state == JobState.RUNNING:
        job.stopping = True
        return "已要求停止，正在进行的一步完成后生效"
    job.state, job.result, job.finished_at = JobState.CANCELLED, "已取消", act.now
    act.session.flush()
    jobs.told_of_end(act, job.id, f"{job.id}:{act.deed_id}")
    return "任务已取消"


@action(
    "重试", on=Job, name="retry", permission=SEEING, permission_label=WHO_SEES, icon="refresh", batch=False,
    when=_repeatable,
)  # fmt: skip
def retry(job: Job, act: Act) -> str:
    """Another attempt at the same; what has to be approved and was not is asked for anew."""
    _in_hand(job, act, "重试")
    if not _repeatable(job):
        raise Refusal(f"任务{job.state.label}，不能重试" if job.state not in STOPPED else "此类任务不能重试")
    audit.log(act, job, "重试")
    job.done, job.result, job.finished_at, job.stopping = 0, None, None, False
    if job.payload.get("approval") and job.decided_at is None:
        job.state = JobState.APPROVAL
        act.session.flush()
        events.publish(act, jobs.ASKED, job)
        return "已重新提交审批"
    job.state = JobState.WAITING
    jobs.hand_over(act.session, job.id, act.now)
    return "任务已重新排队"


def _decides(job: Job, act: Act) -> None:
    if job.user_id == act.actor.id:
        raise Refusal("不能审批自己提交的任务")
    if job.state != JobState.APPROVAL:
        raise Refusal(f"任务{job.state.label}，不需要审批")


def _waits(job: Job) -> bool:
    return job.state == JobState.APPROVAL


def _of_others(job: Job, actor: Actor) -> bool:
    return job.user_id != actor.id


@action(
    "同意", on=Job, name="approve", permission=APPROVING, permission_label="审批导出", icon="check",
    primary=True, batch=False, when=_waits, whom=_of_others, confirm="确认同意此任务执行？",
)  # fmt: skip
def approve(job: Job, act: Act) -> str:
    """Let it begin; nobody approves an own one."""
    _decides(job, act)
    audit.log(act, job, "同意导出")
    job.state, job.decided_by_id, job.decided_at = JobState.WAITING, act.actor.id, act.now
    act.session.flush()
    jobs.hand_over(act.session, job.id, act.now)
    events.publish(act, jobs.DECIDED, job)
    return "已同意，任务开始排队"


REASON = entry("reason", "不同意的理由", "textarea", required=True, maxlength=200)


@action(
    "不同意", on=Job, name="refuse", fields=(REASON,), permission=APPROVING, permission_label="审批导出",
    icon="x", tone="r", batch=False, when=_waits, whom=_of_others,
)  # fmt: skip
def refuse(job: Job, act: Act, reason: str) -> str:
    """Send it back with the reason."""
    _decides(job, act)
    audit.log(act, job, "不同意导出")
    job.state, job.finished_at = JobState.CANCELLED, act.now
    job.result = f"审批未通过（{act.actor.called}）：{reason}"
    act.session.flush()
    jobs.told_of_end(act, job.id, f"{job.id}:{act.deed_id}")
    return "已退回申请人"


def _of(*states: JobState) -> Any:
    def where(_now: Any) -> ColumnElement[bool]:
        return Job.state.in_(states)

    return where


class Jobs(Resource, model=Job):
    """任务中心: imports, exports and other long work, with how far they are."""

    label = "任务中心"
    icon = "progress"
    menu = Menu("经营", icon="progress", order=290, badge=Badge("open"))
    scopes = Scopes(mine=Job.user_id, dealer=Job.dealer_id)
    title = Job.title
    columns = (
        Job.title, Job.kind, Job.state, Job.done, Job.result, Job.file_name, Job.user_id, Job.created_at,
    )  # fmt: skip
    more_columns = (Job.total, Job.started_at, Job.finished_at, Job.expires_at, Job.about)
    filters = (Job.state, Job.user_id, Between(Job.created_at))
    sorts = (Job.created_at,)
    views = (
        View("open", "未完成", _of(*OPEN)),
        View("approval", "待审批", _of(JobState.APPROVAL), hot=True),
        View("failed", "失败", _of(JobState.FAILED)),
    )
    badges = (Job.state,)
    facts = (Job.about, Job.total)
    detail = (
        Group("结果", Job.kind, Job.done, Job.result, Job.file_name),
        Group(
            "过程", Job.user_id, Job.created_at, Job.started_at, Job.finished_at, Job.decided_by_id,
            Job.decided_at, Job.expires_at,
        ),
    )  # fmt: skip
    actions = (approve, refuse, cancel, retry)
    permissions = ((OPERATING[0], "后台队列与他人任务"),)
    empty = "暂无后台任务"
    empty_hint = "较大的导出等需要较长时间的操作会在这里显示进度和结果"
    script = "jobs.js"


def fetchable(job: Job, actor: Actor, now: Any) -> str:
    """The name of a job's file, for its person alone: nobody else may have what he or she was allowed to read.
    Raises `Refusal` for what has expired, and when the person's rights no longer cover it."""
    if job.user_id != actor.id:
        raise Forbidden("下载他人的结果文件")
    if not job.file or (job.expires_at is not None and job.expires_at <= now):
        raise Refusal("文件已过期删除，请重新执行任务" if job.file_name else "此任务没有可下载的文件")
    known = jobs.doer_of(job.kind)
    if known is not None and known.fetch is not None:
        known.fetch(actor, job)
    return job.file
