"""Briefs: a dashboard's numbers as a message, each to whoever asked for it or has one of the roles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Entry, Tone, declare_entries
from app.engine.database import Model
from app.engine.fields import Links, Pk, column
from models.base import OF_GROUP, Audited, Dated, Versioned

BOARDS = "briefed_boards"
"""The dictionary of dashboards that a dealer's people share, by their keys in the menu."""


DAYS = "days_of_every_month"
"""The dictionary of the days that no month lacks."""


class Cadence(Choice):
    """How often a brief comes, which is also what it looks back on."""

    DAILY = "daily", "每天", Tone.ACTIVE
    WEEKLY = "weekly", "每周", Tone.INFO
    MONTHLY = "monthly", "每月", Tone.GOOD


class Weekday(Choice):
    """The day of a weekly brief, as calendars count them."""

    MONDAY = "1", "周一"
    TUESDAY = "2", "周二"
    WEDNESDAY = "3", "周三"
    THURSDAY = "4", "周四"
    FRIDAY = "5", "周五"
    SATURDAY = "6", "周六"
    SUNDAY = "7", "周日"


class Recipients(Choice):
    """Who gets a brief."""

    MYSELF = "myself", "仅自己", Tone.MUTED
    ROLES = "roles", "指定角色", Tone.INFO


class Brief(Dated, Versioned, Audited, Model):
    """One subscription. ``board`` is the dashboard's key in the menu, ``sent_for`` the last moment it was sent for
    (UTC): a moment that passed meanwhile is made up for once."""

    __tablename__ = "board_briefs"
    __table_args__ = (Index("ix_board_briefs_board", "board"),)

    id: Mapped[Pk]
    board: Mapped[str] = column("看板", String(64), dictionary=BOARDS)
    name: Mapped[str] = column("看板名称", String(40), required=False)
    cadence: Mapped[Cadence] = column("发送周期", choices=Cadence, default=Cadence.DAILY, required=True)
    weekday: Mapped[Weekday | None] = column(
        "星期",
        choices=Weekday,
        default=Weekday.MONDAY,
        shown_when="cadence=weekly",
        needed_when="cadence=weekly",
    )
    day: Mapped[str | None] = column(
        "日期",
        String(2),
        dictionary=DAYS,
        default="1",
        shown_when="cadence=monthly",
        needed_when="cadence=monthly",
    )
    at: Mapped[str] = column(
        "时间", String(5), default="08:30", required=True, pattern=r"([01]\d|2[0-3]):[0-5]\d", wrong="请填写时间，例如 08:30",
        hint="每天的简报统计昨日，每周的统计上周，每月的统计上月",
    )  # fmt: skip
    recipients: Mapped[Recipients] = column(
        "接收人",
        choices=Recipients,
        default=Recipients.MYSELF,
        required=True,
        hint="每个人收到的都是自己有权看到的数字",
    )
    owner_id: Mapped[int] = column("订阅人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    sent_for: Mapped[datetime] = mapped_column()


class BriefRole(Model):
    """A role whose people get a brief."""

    __tablename__ = "board_brief_roles"
    __table_args__ = (UniqueConstraint("brief_id", "role_id"),)

    id: Mapped[Pk]
    brief_id: Mapped[int] = column("简报", ForeignKey("board_briefs.id", ondelete="CASCADE"))
    role_id: Mapped[int] = column("角色", ForeignKey("ab_role.id", ondelete="CASCADE"), index=True)


class BriefLeaver(Model):
    """Somebody who does not want a brief of his or her role."""

    __tablename__ = "board_brief_leavers"
    __table_args__ = (UniqueConstraint("brief_id", "user_id"),)

    id: Mapped[Pk]
    brief_id: Mapped[int] = mapped_column(ForeignKey("board_briefs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)


ROLES_OF_BRIEF = Links("roles", "接收角色", left=BriefRole.brief_id, right=BriefRole.role_id)

declare_entries(DAYS, lambda: tuple(Entry(str(day), f"{day}日") for day in range(1, 29)))
