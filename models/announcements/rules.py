"""What may happen to announcements: publishing, withdrawing, reading (C-03…C-06)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.engine import outbox
from app.engine.actions import Act, Refusal, action
from app.engine.database import insert_for
from app.engine.outbox import Delivery
from models.announcements.tables import Announcement, AnnouncementRead
from models.identity.rules import own_dealer
from models.identity.tables import Employee
from models.notifications.rules import notify_many
from models.notifications.tables import NoticeKind, Notification
from models.notifications.topics import Topic, declare

TELL = "announcements.tell"
TOPIC = declare(Topic("announcement", "公告", "speakerphone", hourly=False))


def publish(announcement: Announcement, act: Act, values: Mapping[str, Any]) -> None:
    """Tell everybody of the own dealer (C-03)."""
    own_dealer(announcement, act)
    announcement.publisher_id = act.actor.id or None
    announcement.published_at = announcement.created_at = act.now
    act.session.add(announcement)
    act.session.flush()
    act.emit(TELL, {"announcement": announcement.id})


def edit(announcement: Announcement, act: Act, values: Mapping[str, Any]) -> None:
    """Correct what was published; of a withdrawn one nothing is left to correct."""
    if announcement.withdrawn_at is not None:
        raise Refusal("该公告已撤回，不能修改")


@action(
    "撤回", on=Announcement, icon="arrow-back-up", tone="r", menu=True,
    confirm="确认撤回该公告？撤回后所有人的首页和历史公告中都不再显示。",
    when=lambda announcement: announcement.withdrawn_at is None,
)  # fmt: skip
def withdraw(announcement: Announcement, act: Act) -> None:
    """Take it from everybody's home page, and the message about it with it (C-06)."""
    if announcement.withdrawn_at is not None:
        raise Refusal("该公告已撤回")
    announcement.withdrawn_at = act.now
    about = Notification.key == _key(announcement.id), Notification.read_at.is_(None)
    act.session.execute(update(Notification).where(*about).values(read_at=act.now))


def read(session: Session, user_id: int, announcement_id: int, act: Act) -> None:
    """Remember that this person has opened it; a second time changes nothing. The caller commits."""
    session.execute(
        insert_for(session, AnnouncementRead.__table__)
        .values(user_id=user_id, announcement_id=announcement_id, at=act.now)
        .on_conflict_do_nothing(index_elements=["user_id", "announcement_id"])
    )


def _key(announcement_id: int) -> str:
    return f"{TOPIC.key}:{announcement_id}"


@outbox.handler(TELL)
def tell(delivery: Delivery) -> None:
    """A message to everybody whom it is for, once, in one statement; none of one withdrawn meanwhile."""
    session = delivery.session
    announcement = session.get(Announcement, delivery.payload["announcement"], populate_existing=True)
    if announcement is None or announcement.withdrawn_at is not None:
        return
    people = select(Employee.id).where(
        Employee.active.is_(True),
        Employee.dealer_id == announcement.dealer_id,
        Employee.id != (announcement.publisher_id or 0),
    )
    message = {
        "dealer_id": announcement.dealer_id,
        "kind": NoticeKind.INSTANT,
        "topic": TOPIC.key,
        "title": f"公告：{announcement.title}",
        "text": announcement.body[:200],
        "resource": "announcements",
        "record_id": announcement.id,
        "items": None,
        "amount": 0,
        "key": _key(announcement.id),
        "created_at": delivery.now,
    }
    notify_many(session, [message | {"user_id": person} for person in session.scalars(people)])
