"""Messages on their way out: who gets one by which channel, and what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.engine import audit, outbox
from app.engine.actions import Act, Refusal, action
from app.engine.database import insert_for
from models.notifications import preferences
from models.notifications.channels import Letter, NotAccepted, Sender, Sent, sender
from models.notifications.tables import DeliveryState, NoticeChannel, NoticeDelivery

KIND = "notices.deliver"
LINES = 20
"""So many lines of a summary leave the product; the rest is read in it."""

_TABLE: Any = NoticeDelivery.__table__
_MISSING = {
    NoticeChannel.ROBOT: "未设置机器人地址",
    NoticeChannel.EMAIL: "未填写电子邮箱",
    NoticeChannel.SMS: "未填写联系电话",
}


def route(session: Session, made: Sequence[Any]) -> None:
    """Send new messages on by the channels their people chose, after the commit; during quiet hours when
    these end. Two or three statements, however many messages.

    A channel by which somebody cannot be reached is left out: nobody has to look after it.
    """
    if not made:
        return
    wishes = preferences.wishes(session, {row.user_id for row in made})
    rows: list[dict[str, Any]] = []
    for message in made:
        wish = wishes.get(message.user_id)
        for channel in wish.ways(message.kind) if wish is not None else ():
            if wish is None or not wish.address(channel):
                continue
            rows.append(
                {
                    "notification_id": message.id,
                    "user_id": message.user_id,
                    "dealer_id": wish.dealer_id,
                    "channel": channel,
                    "state": DeliveryState.WAITING,
                    "title": message.title,
                    "text": _in_full(message.text, message.items),
                    "attempts": 0,
                    "created_at": message.created_at,
                    "due_at": wish.held_until(message.kind, message.created_at) or message.created_at,
                }
            )
    if not rows:
        return
    statement = insert_for(session, _TABLE).on_conflict_do_nothing(
        index_elements=["notification_id", "channel"]
    )
    statement = statement.returning(_TABLE.c.id, _TABLE.c.due_at, _TABLE.c.created_at)
    by_time: defaultdict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    for row in session.execute(statement, rows):
        by_time[row.due_at, row.created_at].append(row.id)
    for (due_at, now), ids in by_time.items():
        outbox.put_many(session, KIND, [({"id": i}, None) for i in ids], at=due_at, now=now)


def _in_full(text: str, items: Sequence[Mapping[str, Any]] | None) -> str:
    """The words of a message with its lines under their groups, as far as they fit."""
    lines = [text] if text else []
    group = ""
    for item in list(items or ())[:LINES]:
        if item.get("group", "") != group:
            group = item["group"]
            lines.append(f"【{group}】")
        lines.append("　".join(p for p in (str(item.get("title", "")), str(item.get("note") or "")) if p))
    if items and len(items) > LINES:
        lines.append("…")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery ready to be carried out."""

    id: int
    sender: Sender
    letter: Letter


def parcel(session: Session, delivery_id: int) -> Parcel | None:
    """The delivery with today's address of its person; None when nothing is left to do. Raises `NotAccepted`
    for somebody who has left, went to another dealer, or cannot be reached this way any more."""
    row = session.get(NoticeDelivery, delivery_id)
    if row is None or row.state != DeliveryState.WAITING:
        return None
    wish = preferences.wishes(session, [row.user_id]).get(row.user_id)
    if wish is None or not wish.active:
        raise NotAccepted("接收人已停用")
    if wish.dealer_id != row.dealer_id:  # whose robot, and whose people, would read it now
        raise NotAccepted("接收人已调到其他商场")
    address = wish.address(row.channel)
    if not address:
        raise NotAccepted(_MISSING[row.channel])
    shared = row.channel == NoticeChannel.ROBOT and wish.robot_shared
    site = str(current_app.config.get("SITE_URL", "")).rstrip("/")
    url = f"{site}/notifications/{row.notification_id}" if site else ""
    letter = Letter(wish.name, address, row.title, row.text, url, shared, wish.dealer_id, wish.store_id)
    return Parcel(row.id, sender(row.channel), letter)


def tried(session: Session, delivery_id: int, attempt: int, reason: str) -> None:
    """Note an attempt that failed and will be repeated."""
    _note(session, delivery_id, attempts=attempt, reason=reason[:200])


def sent(session: Session, delivery_id: int, attempt: int, number: int, answer: Sent, now: datetime) -> None:
    """Note that it has left."""
    _note(
        session, delivery_id, state=DeliveryState.SENT, attempts=attempt, number=number, sent_at=now,
        reason=None, reference=answer.reference,
    )  # fmt: skip
    if answer.keep is not None:
        answer.keep(session)


def failed(session: Session, delivery_id: int, attempt: int, number: int, reason: str) -> None:
    """Note that it will not arrive, and why."""
    _note(
        session, delivery_id, state=DeliveryState.FAILED, attempts=attempt, number=number, reason=reason[:200]
    )


def _note(session: Session, delivery_id: int, **values: Any) -> None:
    waiting = NoticeDelivery.state == DeliveryState.WAITING
    session.execute(update(NoticeDelivery).where(NoticeDelivery.id == delivery_id, waiting).values(**values))


@action(
    "重新发送", on=NoticeDelivery, name="retry", icon="send",
    when=lambda delivery: delivery.state == DeliveryState.FAILED,
)  # fmt: skip
def retry(delivery: NoticeDelivery, act: Act) -> str:
    """Try a failed delivery again, under the number it had: who got it after all can tell."""
    if delivery.state != DeliveryState.FAILED:
        raise Refusal("只有投递失败的消息可以重新发送")
    delivery.state, delivery.reason = DeliveryState.WAITING, None
    delivery.due_at = act.now
    act.session.flush()
    act.emit(KIND, {"id": delivery.id, "number": delivery.number})
    audit.log(act, delivery, act.action)
    return "已重新提交发送"


def number_of(payload: Mapping[str, Any], row_id: int) -> int:
    """The sender's number of a delivery: that of its first row in the outbox."""
    return int(payload.get("number") or row_id)
