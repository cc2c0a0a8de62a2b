"""The administrators' page of what leaves the product."""

from __future__ import annotations

from app.engine.audit import LOGS
from app.engine.resource import Badge, Between, Breakdown, Group, Menu, Resource, View, Window
from app.engine.scopes import Scopes
from models.notifications import deliveries
from models.notifications.tables import DeliveryState, NoticeDelivery


class NoticeDeliveries(Resource, model=NoticeDelivery):
    """消息投递: messages by robot, e-mail and SMS, how far they are, and why one did not arrive."""

    label = "消息投递"
    unit = "条消息"
    icon = "bell-ringing"
    menu = Menu(LOGS, label="消息投递", icon="bell-ringing", order=982, badge=Badge("failed", hot=True))
    scopes = Scopes(dealer=NoticeDelivery.dealer_id)
    title = NoticeDelivery.title
    columns = (
        NoticeDelivery.created_at,
        NoticeDelivery.user_id,
        NoticeDelivery.channel,
        NoticeDelivery.title,
        NoticeDelivery.state,
        NoticeDelivery.attempts,
        NoticeDelivery.reason,
        NoticeDelivery.due_at,
        NoticeDelivery.sent_at,
    )
    filters = (
        NoticeDelivery.state,
        NoticeDelivery.channel,
        NoticeDelivery.user_id,
        Between(NoticeDelivery.created_at),
    )
    sorts = (NoticeDelivery.created_at,)
    window = Window(NoticeDelivery.created_at, days=30)
    views = (
        View("failed", "失败", lambda now: NoticeDelivery.state == DeliveryState.FAILED, hot=True),
        View("waiting", "待发送", lambda now: NoticeDelivery.state == DeliveryState.WAITING),
    )
    badges = (NoticeDelivery.state, NoticeDelivery.channel)
    detail = (
        Group(
            "消息", NoticeDelivery.user_id, NoticeDelivery.channel, NoticeDelivery.title, NoticeDelivery.text
        ),
        Group(
            "投递",
            NoticeDelivery.state,
            NoticeDelivery.attempts,
            NoticeDelivery.reason,
            NoticeDelivery.created_at,
            NoticeDelivery.due_at,
            NoticeDelivery.sent_at,
            NoticeDelivery.number,
            NoticeDelivery.reference,
        ),
    )
    actions = (deliveries.retry,)
    charts = (
        Breakdown("state", "投递状态", by=NoticeDelivery.state, style="pie"),
        Breakdown("channel", "渠道", by=NoticeDelivery.channel),
    )
    empty = "暂无站外消息"
