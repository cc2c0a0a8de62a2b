"""What people are told by the product, by which ways it also leaves, and what still waits for a summary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
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


class NoticeChannel(Choice):
    """A way by which a message also leaves the product; inside it, it always stands at once."""

    ROBOT = "robot", "工作群机器人"
    EMAIL = "email", "邮件"
    SMS = "sms", "短信"


class DeliveryState(Choice):
    """How far a message is on its way out."""

    WAITING = "waiting", "待发送", Tone.ACTIVE
    SENT = "sent", "已发送", Tone.GOOD
    FAILED = "failed", "失败", Tone.BAD


_UNREAD = text("read_at IS NULL")


class Notification(Model):
    """A message to one person (A-30…A-40). Its texts hold no guarded value, whoever reads them.

    ``items`` lists what a summary is about, at most `ITEMS` of them: ``{"group", "title", "note",
    "resource", "id"}``; ``amount`` counts all, ``groups`` by group: ``{"name", "amount", "resource",
    "query"}``, where the last two name the list that opens the group's rows. ``key`` makes a message once
    only for its person.
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
    groups: Mapped[list[dict[str, Any]] | None] = column("分组", JSON(none_as_null=True))
    amount: Mapped[int] = column("条数", Integer, default=0)
    key: Mapped[str | None] = column("唯一标识", String(160))
    created_at: Mapped[CreatedAt] = column("时间", DateTime)
    read_at: Mapped[datetime | None] = column("阅读时间", DateTime)


class NoticePreference(Model):
    """By which ways one person is reached, and when not. Without a row, or without ``own``, the dealer's
    parameters hold.

    ``channels`` maps a kind to the channels chosen for it; quiet hours are times of day in China.
    """

    __tablename__ = "notice_preferences"

    id: Mapped[Pk]
    user_id: Mapped[int] = column("员工", ForeignKey("ab_user.id"), unique=True)
    own: Mapped[bool] = column("自行设置", Boolean, default=False)
    channels: Mapped[dict[str, list[str]]] = column("渠道", JSON, default=dict)
    quiet_from: Mapped[str | None] = column("免打扰开始", String(5))
    quiet_to: Mapped[str | None] = column("免打扰结束", String(5))
    strong_through: Mapped[bool] = column("强提醒不受免打扰限制", Boolean, default=False)
    robot_url: Mapped[str | None] = column("机器人地址", String(500))


class NoticeDelivery(Model):
    """One message on its way out by one channel, once only (消息投递).

    ``number`` is the sender's number of the delivery, the same at every attempt and after every retry.
    """

    __tablename__ = "notice_deliveries"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel"),
        Index("ix_notice_deliveries_state", "dealer_id", "state", "created_at", "id"),
    )

    id: Mapped[Pk]
    notification_id: Mapped[int] = column("消息", ForeignKey("notifications.id", ondelete="CASCADE"))
    user_id: Mapped[int] = column("接收人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"))
    channel: Mapped[NoticeChannel] = column("渠道", choices=NoticeChannel)
    state: Mapped[DeliveryState] = column("投递状态", choices=DeliveryState, default=DeliveryState.WAITING)
    title: Mapped[str] = column("标题", String(160))
    text: Mapped[str] = column("内容", Text, default="")
    attempts: Mapped[int] = column("尝试次数", Integer, default=0)
    reason: Mapped[str | None] = column("失败原因", String(200))
    reference: Mapped[str | None] = column("回执编号", String(64))
    number: Mapped[int | None] = column("投递编号", Integer)
    created_at: Mapped[CreatedAt] = column("生成时间", DateTime)
    due_at: Mapped[datetime] = column("计划发送时间", DateTime)
    sent_at: Mapped[datetime | None] = column("发送时间", DateTime)


class NoticeEvent(Model):
    """Something that arose for a person and waits for the summary of its hour (A-37)."""

    __tablename__ = "notice_events"
    __table_args__ = (Index("ix_notice_events_user_id", "user_id", "at"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = column("接收人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"))
    topic: Mapped[str] = column("事项", String(32))
    title: Mapped[str] = column("标题", String(160))
    amount: Mapped[int] = column("条数", Integer, default=1)
    resource: Mapped[str | None] = column("对象代码", String(64))
    record_id: Mapped[int | None] = column("记录编号", Integer)
    at: Mapped[datetime] = column("时间", DateTime)
