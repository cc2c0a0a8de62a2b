"""Long work of a person that goes on in the background: imports, exports, handovers (任务中心).

A job is a row that its person watches: state, percentage, result, reason. It is carried out by the outbox
like everything else that happens later; what it does, it does in pieces that commit, so that a killed
worker goes on where it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Pk, column


class JobState(Choice):
    """How far a job is."""

    APPROVAL = "approval", "待审批", Tone.WARN
    WAITING = "waiting", "排队中", Tone.ACTIVE
    RUNNING = "running", "进行中", Tone.ACTIVE
    DONE = "done", "已完成", Tone.GOOD
    FAILED = "failed", "失败", Tone.BAD
    CANCELLED = "cancelled", "已取消", Tone.MUTED


class Job(Model):
    """One long piece of work of one person."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_jobs_dealer_id_created_at", "dealer_id", "created_at", "id"),
        Index("ix_jobs_expires_at", "expires_at"),
    )

    id: Mapped[Pk]
    kind: Mapped[str] = column("类型代码", String(32))
    title: Mapped[str] = column("任务", String(160))
    state: Mapped[JobState] = column("状态", choices=JobState, default=JobState.WAITING)
    done: Mapped[int] = column("已处理", Integer, default=0)
    total: Mapped[int] = column("总数", Integer, default=0)
    result: Mapped[str | None] = column("结果", String(400), wide=True)
    payload: Mapped[dict[str, Any]] = column("参数", JSON)
    counts: Mapped[dict[str, Any] | None] = column("计数", JSON)
    file: Mapped[str | None] = column("结果文件", String(200))
    file_name: Mapped[str | None] = column("文件名", String(160))
    stopping: Mapped[bool] = column("要求取消", Boolean, default=False)
    user_id: Mapped[int] = column("发起人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", Integer)
    created_at: Mapped[CreatedAt] = column("创建时间", DateTime)
    started_at: Mapped[datetime | None] = column("开始时间", DateTime)
    finished_at: Mapped[datetime | None] = column("完成时间", DateTime)
    expires_at: Mapped[datetime | None] = column("文件有效期至", DateTime)
