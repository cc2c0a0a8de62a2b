"""What people are told by the product: one row per person and message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Pk, column


class NoticeKind(Choice):
    """The five kinds of reminder, and no sixth (A-30)."""

    DEFAULT = "default", "默认提醒", Tone.INFO
    STRONG = "strong", "强提醒", Tone.BAD
    DAILY = "daily", "定时提醒", Tone.ACTIVE
    HOURLY = "hourly", "整点提醒", Tone.MUTED
    INSTANT = "instant", "实时提醒", Tone.WARN


_UNREAD = text("read_at IS NULL")


class Notification(Model):
    """A message to one person (A-30…A-40). Its texts hold no guarded value, whoever reads them.

    ``items`` lists what a summary is about, at most `ITEMS` of them: ``{"group", "title", "note",
    "resource", "id"}``; ``amount`` counts all. ``key`` makes a message once only for its person.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notifications_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_notifications_unread", "user_id", "id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    )

    id: Mapped[Pk]
    user_id: Mapped[int] = column("接收人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"))
    kind: Mapped[NoticeKind] = column("提醒类型", choices=NoticeKind)
    topic: Mapped[str] = column("事项", String(32))
    title: Mapped[str] = column("标题", String(160))
    text: Mapped[str] = column("内容", Text, default="")
    resource: Mapped[str | None] = column("对象代码", String(64))
    record_id: Mapped[int | None] = column("记录编号", Integer)
    items: Mapped[list[dict[str, Any]] | None] = column("明细", JSON(none_as_null=True))
    amount: Mapped[int] = column("条数", Integer, default=0)
    key: Mapped[str | None] = column("唯一标识", String(160))
    created_at: Mapped[CreatedAt] = column("时间", DateTime)
    read_at: Mapped[datetime | None] = column("阅读时间", DateTime)
