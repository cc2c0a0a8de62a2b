"""整点提醒: on the hour, what arose for a person since the last one, grouped by matter (A-37)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.engine import outbox
from app.engine.clock import Every, scheduled
from app.engine.database import pieces
from app.engine.localtime import local
from app.engine.outbox import Delivery, handler
from models.notifications.rules import ITEMS, notify_many
from models.notifications.tables import NoticeEvent, NoticeKind
from models.notifications.topics import label, topics

AT_ONCE = 200
"""So many people are written to in one transaction, so that a killed worker goes on where it stopped."""


@scheduled("notices.hourly", Every(60), label="整点提醒")
def plan(delivery: Delivery) -> None:
    """At each full hour: whoever something arose for before it, in parts. A slot made up for later takes in
    the hours that were missed."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    people = select(NoticeEvent.user_id).where(NoticeEvent.at < slot).distinct().order_by(NoticeEvent.user_id)
    put_parts(delivery, "notices.hourly.part", list(delivery.session.scalars(people)))


def put_parts(delivery: Delivery, kind: str, users: Sequence[int]) -> None:
    """The people of a slot as rows of the outbox, each a transaction of its own, done once by one worker."""
    slot = delivery.payload["slot"]
    parts = [{"slot": slot, "users": some} for some in pieces(users, AT_ONCE)]
    outbox.put_many(delivery.session, kind, [(part, None) for part in parts], now=delivery.now)


@handler("notices.hourly.part", seconds=120, label="整点提醒（分批）")
def write(delivery: Delivery) -> None:
    """Write the summaries of some people and let go of what they list: both or neither."""
    session = delivery.session
    slot = datetime.fromisoformat(delivery.payload["slot"])
    mine = NoticeEvent.user_id.in_(delivery.payload["users"]), NoticeEvent.at < slot
    by_person: defaultdict[int, list[NoticeEvent]] = defaultdict(list)
    for arisen in session.scalars(select(NoticeEvent).where(*mine).order_by(NoticeEvent.at, NoticeEvent.id)):
        by_person[arisen.user_id].append(arisen)
    notify_many(session, [summary(user, found, slot, delivery.now) for user, found in by_person.items()])
    _let_go(session, [arisen.id for found in by_person.values() for arisen in found])


def _let_go(session: Session, ids: Sequence[int]) -> None:
    for some in pieces(ids):
        session.execute(
            delete(NoticeEvent).where(NoticeEvent.id.in_(some)),
            execution_options={"synchronize_session": False},
        )


def summary(user: int, found: Sequence[NoticeEvent], slot: datetime, now: datetime) -> dict[str, Any]:
    """The message about these things, as `notify_many` takes it."""
    order = {topic.key: n for n, topic in enumerate(topics())}
    by_topic: defaultdict[str, list[NoticeEvent]] = defaultdict(list)
    for arisen in sorted(found, key=lambda e: (order.get(e.topic, len(order)), e.topic, e.at, e.id)):
        by_topic[arisen.topic].append(arisen)
    amounts = {topic: sum(e.amount for e in events) for topic, events in by_topic.items()}
    said = "，".join(f"{label(topic)} {n} 项" for topic, n in amounts.items())
    items = [
        {
            "group": label(topic),
            "title": e.title,
            "note": f"{local(e.at):%H:%M}",
            "resource": e.resource,
            "id": e.record_id,
        }
        for topic, events in by_topic.items()
        for e in events
    ]
    return {
        "user_id": user,
        "dealer_id": found[0].dealer_id,
        "kind": NoticeKind.HOURLY,
        "topic": next(iter(by_topic)) if len(by_topic) == 1 else "",
        "title": f"{local(slot):%H:%M} 整点提醒：{said}"[:160],
        "items": items[:ITEMS],
        "groups": [{"name": label(topic), "amount": n} for topic, n in amounts.items()],
        "amount": sum(amounts.values()),
        "key": f"hourly:{slot.isoformat()}",
        "created_at": now,
    }
