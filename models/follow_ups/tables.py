"""Follow-ups, dated duties, and what was handed to the outside for a person's phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.cells import Due
from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE
from models.base import Audited, Dated, Versioned
from models.customers.tables import FollowUpKind

__all__ = ["Channel", "FollowUp", "FollowUpKind", "SmsMessage", "SmsState", "Task", "TaskKind", "TaskState"]


class FollowUp(Dated, Model):
    """One logged contact with a customer or contact; never edited afterwards (A-29)."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        Index("ix_follow_ups_customer", "customer_id", "at", "id"),
        Index("ix_follow_ups_contact", "contact_id", "at", "id"),
    )

    id: Mapped[Pk]
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属门店", ForeignKey("stores.id"))
    customer_id: Mapped[int | None] = column("客户", ForeignKey("customers.id"))
    contact_id: Mapped[int | None] = column("潜客", ForeignKey("contacts.id"))
    kind: Mapped[FollowUpKind] = column("跟进方式", choices=FollowUpKind)
    text: Mapped[str] = column("跟进内容", Text, default="")
    at: Mapped[datetime] = column("跟进时间", DateTime)
    next_follow_up_at: Mapped[datetime | None] = column("下次跟进时间", DateTime)
    writer_id: Mapped[int | None] = column("跟进人", ForeignKey("ab_user.id"))
    score: Mapped[int] = column("分值", Integer, default=0)


class TaskKind(Choice):
    """What a duty is about."""

    FOLLOW_UP = "follow_up", "跟进"
    MEASURE = "measure", "量尺"
    CONTRACT = "contract", "合同签订"
    OTHER = "other", "其他"


class TaskState(Choice):
    """How far a duty is."""

    OPEN = "open", "待处理", Tone.ACTIVE
    DONE = "done", "已完成", Tone.GOOD
    OVERDUE = "overdue", "已逾期", Tone.BAD
    CANCELLED = "cancelled", "已取消", Tone.MUTED


WAITING = (TaskState.OPEN, TaskState.OVERDUE)
SETTLED = (TaskState.DONE, TaskState.CANCELLED)


def _state(state: TaskState, due_at: datetime | None, *, now: datetime) -> TaskState:
    """Overdue from the moment the time has passed, before the clock has written it down."""
    late = state == TaskState.OPEN and due_at is not None and due_at < now
    return TaskState.OVERDUE if late else state


def _due(at: datetime, state: TaskState | None, *, now: datetime) -> Due | datetime:
    """Somebody waits for it while the task waits."""
    return Due(at, TaskState.OVERDUE.label) if state in WAITING else at


def _of_waiting(column: str) -> Index:
    """The way along what waits: after some years nearly all tasks of a list are done."""
    waits = text("state <> 'done' AND state <> 'cancelled'")
    return Index(
        f"ix_tasks_waiting_{column}", column, "due_at", "id", sqlite_where=waits, postgresql_where=waits
    )


class Task(Audited, Versioned, Dated, Model):
    """A dated duty of one person."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_due", "state", "due_at"),
        Index("ix_tasks_state", "dealer_id", "state", "due_at", "id"),
        *(_of_waiting(column) for column in ("dealer_id", "store_id", "owner_id")),
    )

    id: Mapped[Pk]
    subject: Mapped[str] = column("任务", String(120))
    kind: Mapped[TaskKind] = column("任务类型", choices=TaskKind, default=TaskKind.FOLLOW_UP)
    state: Mapped[TaskState] = column(
        "任务状态", choices=TaskState, default=TaskState.OPEN, beside=("due_at",), shown=_state
    )
    due_at: Mapped[datetime] = column("到期时间", DateTime, look="due", beside=("state",), shown=_due)
    done_at: Mapped[datetime | None] = column("完成时间", DateTime)
    result: Mapped[str | None] = column("处理结果", String(200), wide=True)
    customer_id: Mapped[int | None] = column("客户", ForeignKey("customers.id"), index=True)
    contact_id: Mapped[int | None] = column("潜客", ForeignKey("contacts.id"), index=True)
    # The duty of one job; orders stand above this domain, so only the key is known here.
    service_order_id: Mapped[int | None] = column(
        "服务单", ForeignKey("service_orders.id"), index=True, parent="customer_id"
    )
    # A mark by which what closed a duty finds it again; in the history it would tell nobody anything.
    closed_with: Mapped[str | None] = mapped_column(String(16))
    owner_id: Mapped[int | None] = column("责任人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属门店", ForeignKey("stores.id"))


class Channel(Choice):
    """By which way something goes out."""

    SMS = "sms", "短信"
    CHAT = "chat", "企业微信消息"
    CALL = "call", "电话"


class SmsState(Choice):
    """How far an outgoing message or call is."""

    QUEUED = "queued", "待发送", Tone.ACTIVE
    SENT = "sent", "已发送", Tone.GOOD
    FAILED = "failed", "发送失败", Tone.BAD


class SmsMessage(Dated, Model):
    """One message or call handed to the outside for a person's phone; the built-in gateway ends here."""

    __tablename__ = "sms_messages"

    id: Mapped[Pk]
    channel: Mapped[Channel] = column("渠道", choices=Channel, default=Channel.SMS)
    phone: Mapped[Phone] = column("接收号码", index=True, guard=CUSTOMER_PHONE)
    text: Mapped[str] = column("内容", Text, default="")
    state: Mapped[SmsState] = column("发送状态", choices=SmsState, default=SmsState.QUEUED)
    error: Mapped[str | None] = column("失败原因", String(200))
    reference: Mapped[str | None] = column("网关编号", String(64))
    sent_at: Mapped[datetime | None] = column("发送时间", DateTime)
    follow_up_id: Mapped[int | None] = column("跟进记录", ForeignKey("follow_ups.id"))
    customer_id: Mapped[int | None] = column("客户", ForeignKey("customers.id"), index=True)
    writer_id: Mapped[int | None] = column("发送人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属门店", ForeignKey("stores.id"))
