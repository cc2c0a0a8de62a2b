"""The interaction track (互动轨迹): what happened to a person, and what each act is worth (A-41…A-47)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Versioned, once_for_all


class TrackKind(Choice):
    """The three kinds of track items (A-41)."""

    BEHAVIOUR = "behaviour", "行为轨迹", Tone.INFO
    FOLLOW_UP = "follow_up", "跟进轨迹", Tone.ACTIVE
    SERVICE = "service", "服务轨迹", Tone.GOOD


class TrackAct(Choice):
    """What can happen to a person; each act belongs to exactly one kind (`KINDS`)."""

    ADD_FRIEND = "add_friend", "添加好友"
    CHAT = "chat", "微信聊天"
    BOOKMARK = "bookmark", "收藏案例"
    SIGN_UP = "sign_up", "报名"
    BUY_COUPON = "buy_coupon", "购买卡券"
    VISIT = "visit", "到店"
    BROWSE = "browse", "浏览"
    STAFF_CHAT = "staff_chat", "微信沟通"
    MESSAGE = "message", "发信息"
    SMS = "sms", "发短信"
    CALL = "call", "打电话"
    WRITTEN = "written", "手动填写跟进"
    FILED = "filed", "建档"
    SERVICE_ORDER = "service_order", "新增服务单"
    RECEIPT = "receipt", "收款"
    REFUND = "refund", "退款"
    MEASURE = "measure", "量尺"
    CONTRACT = "contract", "合同签订"
    TRANSMIT = "transmit", "传单"
    PRINTED = "printed", "打印单据"


_BEHAVIOUR = (
    TrackAct.ADD_FRIEND, TrackAct.CHAT, TrackAct.BOOKMARK, TrackAct.SIGN_UP, TrackAct.BUY_COUPON,
    TrackAct.VISIT, TrackAct.BROWSE,
)  # fmt: skip
_FOLLOW_UP = (TrackAct.STAFF_CHAT, TrackAct.MESSAGE, TrackAct.SMS, TrackAct.CALL, TrackAct.WRITTEN)
KINDS: Mapping[TrackAct, TrackKind] = {
    act: TrackKind.BEHAVIOUR if act in _BEHAVIOUR
    else TrackKind.FOLLOW_UP if act in _FOLLOW_UP
    else TrackKind.SERVICE
    for act in TrackAct
}  # fmt: skip


_CONTACT = text("contact_id IS NOT NULL")
"""Most of what happens, happens to customers."""
NUMBERED = text("event_id IS NOT NULL")
"""What another system told; most items are our own and have no number."""


class TrackEvent(Model):
    """One thing that happened to a person, never edited.

    ``contact_id`` stays with the contact it happened to, so that the item leaves the customer's track
    again when the link is undone (A-19, A-47). The dealer is a copy of the person's and is not looked up again by
    the database.
    """

    __tablename__ = "track_events"
    __table_args__ = (
        Index("ix_track_events_customer", "customer_id", "at", "id"),
        Index(
            "ix_track_events_contact",
            "contact_id",
            "at",
            "id",
            sqlite_where=_CONTACT,
            postgresql_where=_CONTACT,
        ),
        Index(
            "uq_track_events_event",
            "dealer_id",
            "sender",
            "event_id",
            unique=True,
            sqlite_where=NUMBERED,
            postgresql_where=NUMBERED,
        ),
    )

    id: Mapped[Pk]
    dealer_id: Mapped[int] = column("所属商场", Integer)
    customer_id: Mapped[int | None] = column("客户", ForeignKey("customers.id"))
    contact_id: Mapped[int | None] = column("潜客", ForeignKey("contacts.id"))
    kind: Mapped[TrackKind] = column("轨迹类型", choices=TrackKind)
    act: Mapped[TrackAct] = column("行为", choices=TrackAct)
    title: Mapped[str] = column("标题", String(80), default="")
    text: Mapped[str] = column("内容", Text, default="")
    score: Mapped[int] = column("分值", Integer, default=0)
    at: Mapped[datetime] = column("时间", DateTime)
    by_id: Mapped[int | None] = column("操作人", ForeignKey("ab_user.id"))
    sender: Mapped[str | None] = column("事件来源", String(32))
    event_id: Mapped[str | None] = column("事件编号", String(80))


class TrackPoints(Audited, Versioned, Dated, Model):
    """What an act is worth for one dealer, or for all of them when no dealer is named (A-47)."""

    __tablename__ = "track_points"
    __table_args__ = (UniqueConstraint("act", "dealer_id"), once_for_all("track_points", "act"))

    id: Mapped[Pk]
    act: Mapped[TrackAct] = column("行为", choices=TrackAct)
    points: Mapped[int] = column("分值", Integer, minimum=-10_000, maximum=10_000)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)


class InboundKind(Choice):
    """What another system tells about a person (A-12…A-14, A-42)."""

    FRIEND = "friend", "企业微信添加好友"
    CAMERA = "camera", "摄像头到店"
    VISITOR = "visitor", "小程序/公众号互动"
    BEHAVIOUR = "behaviour", "客户行为"


class InboundEvent(Model):
    """One event as another system sent it; its number makes a second delivery harmless (A-47)."""

    __tablename__ = "inbound_events"
    __table_args__ = (UniqueConstraint("dealer_id", "sender", "event_id"),)

    id: Mapped[Pk]
    sender: Mapped[str] = column("发送系统", String(32))
    event_id: Mapped[str] = column("事件编号", String(80))
    kind: Mapped[InboundKind] = column("事件类型", choices=InboundKind)
    act: Mapped[TrackAct | None] = column("行为", choices=TrackAct)
    outside_id: Mapped[str] = column("外部标识", String(64))
    name: Mapped[str | None] = column("姓名", String(64))
    text: Mapped[str | None] = column("内容", String(200), wide=True)
    employee_id: Mapped[int | None] = column("关联员工", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    contact_id: Mapped[int | None] = column("潜客", ForeignKey("contacts.id"))
    at: Mapped[datetime] = column("发生时间", DateTime, required=False)
