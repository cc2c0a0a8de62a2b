"""公告: what an administrator tells the whole house, and who has read it (C-03…C-06)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.database import Model
from app.engine.fields import CreatedAt, Pk, column
from models.base import Audited, Dated, Versioned


class Announcement(Audited, Versioned, Dated, Model):
    """A message to everybody of a dealer. Withdrawn, it is on nobody's home page any more (C-06)."""

    __tablename__ = "announcements"
    __table_args__ = (Index("ix_announcements_shown", "dealer_id", "withdrawn_at", "published_at", "id"),)

    id: Mapped[Pk]
    title: Mapped[str] = column("标题", String(100))
    body: Mapped[str] = column("内容", Text, wide=True, hint="换行和网址会照原样显示")
    publisher_id: Mapped[int | None] = column("发布人", ForeignKey("ab_user.id"))
    published_at: Mapped[datetime] = column("发布时间", DateTime)
    withdrawn_at: Mapped[datetime | None] = column("撤回时间", DateTime)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class AnnouncementRead(Model):
    """Somebody has opened an announcement: it bears no red dot for that person any more."""

    __tablename__ = "announcement_reads"
    __table_args__ = (UniqueConstraint("user_id", "announcement_id"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = column("员工", ForeignKey("ab_user.id", ondelete="CASCADE"))
    announcement_id: Mapped[int] = column("公告", ForeignKey("announcements.id", ondelete="CASCADE"))
    at: Mapped[CreatedAt] = column("阅读时间", DateTime)
