"""What people are told about long jobs: that one has ended, waits for their approval, was approved."""

from __future__ import annotations

from app.engine.actions import Act
from app.engine.events import subscribe
from app.engine.jobcentre import APPROVING, Jobs
from app.engine.jobs import ASKED, DECIDED, ENDED, Job
from models.identity.queries import holders
from models.notifications.rules import notify
from models.notifications.tables import NoticeKind
from models.notifications.topics import JOB


@subscribe(ENDED)
def tell_of_end(act: Act, job: Job, *, once: str) -> None:
    """Whoever started a job learns how it ended, once; what one ends oneself one knows."""
    if job.user_id == act.actor.id:
        return
    notify(
        act.session, users=[job.user_id], kind=NoticeKind.INSTANT, topic=JOB.key,
        title=f"{job.title}：{job.state.label}", text=job.result or "", now=act.now, dealer_id=job.dealer_id,
        about=(Jobs.name, job.id), key=f"job:{once}",
    )  # fmt: skip


@subscribe(ASKED)
def ask_for_approval(act: Act, job: Job) -> None:
    """Those of the dealer who may approve learn that a job waits for one of them."""
    others = [user for user in holders(act.session, *APPROVING, job.dealer_id) if user != job.user_id]
    notify(
        act.session, users=others, kind=NoticeKind.INSTANT, topic=JOB.key, title=f"待审批：{job.title}",
        text=f"申请人：{act.actor.name or act.actor.username}", now=act.now, dealer_id=job.dealer_id,
        about=(Jobs.name, job.id), key=f"job:{job.id}:{act.deed_id}",
    )  # fmt: skip


@subscribe(DECIDED)
def tell_of_approval(act: Act, job: Job) -> None:
    """Whoever asked learns that the job may begin."""
    notify(
        act.session, users=[job.user_id], kind=NoticeKind.INSTANT, topic=JOB.key,
        title=f"{job.title}：已通过审批", text=f"审批人：{act.actor.name or act.actor.username}", now=act.now,
        dealer_id=job.dealer_id, about=(Jobs.name, job.id), key=f"job:{job.id}:{act.deed_id}",
    )  # fmt: skip
