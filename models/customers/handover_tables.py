"""What is kept of a handover: who gave to whom, and what became of each customer (A-49, A-56)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Pk, column


class HandoverKind(Choice):
    """Whether the person handing over has left or goes on working here (A-49)."""

    DEPARTED = "departed", "离职继承", Tone.WARN
    STAYING = "staying", "在职继承", Tone.ACTIVE


class HandoverState(Choice):
    """How far a handover is."""

    RUNNING = "running", "交接中", Tone.ACTIVE
    DONE = "done", "已交接", Tone.GOOD
    RETURNING = "returning", "撤销中", Tone.WARN
    RETURNED = "returned", "已撤销", Tone.MUTED


class ItemState(Choice):
    """What became of one customer."""

    WAITING = "waiting", "等待交接", Tone.ACTIVE
    DONE = "done", "已交接", Tone.GOOD
    UNCHANGED = "unchanged", "无变化", Tone.MUTED
    REFUSED = "refused", "未交接", Tone.BAD
    RETURNING = "returning", "等待撤销", Tone.WARN
    RETURNED = "returned", "已撤销", Tone.MUTED
    KEPT = "kept", "未撤销", Tone.BAD


class Handover(Model):
    """A person's customers given to one or several successors in one deed; ``deed_id`` is on every entry it
    left in the history, whichever of its transactions wrote it."""

    __tablename__ = "handovers"

    id: Mapped[Pk]
    kind: Mapped[HandoverKind] = column("交接方式", choices=HandoverKind)
    state: Mapped[HandoverState] = column("状态", choices=HandoverState, default=HandoverState.RUNNING)
    person_id: Mapped[int] = column("交接人", ForeignKey("ab_user.id"))
    by_id: Mapped[int] = column("操作人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    title: Mapped[str] = column("交接", String(160))
    total: Mapped[int] = column("客户数", Integer, default=0)
    created_at: Mapped[CreatedAt] = column("提交时间", DateTime)
    finished_at: Mapped[datetime | None] = column("完成时间", DateTime)
    deed_id: Mapped[str] = mapped_column(String(32), default="")
    acting_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    """In whose name the pieces are done: of whoever submitted it, tried again or took it back last."""


class HandoverItem(Model):
    """One customer of a handover."""

    __tablename__ = "handover_items"
    __table_args__ = (
        UniqueConstraint("handover_id", "customer_id"),
        Index("ix_handover_items_state", "handover_id", "state", "id"),
    )

    id: Mapped[Pk]
    handover_id: Mapped[int] = column("交接", ForeignKey("handovers.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id"))
    successor_id: Mapped[int] = column("接手人", ForeignKey("ab_user.id"))
    state: Mapped[ItemState] = column("结果", choices=ItemState, default=ItemState.WAITING)
    reason: Mapped[str | None] = column("原因", String(200))
