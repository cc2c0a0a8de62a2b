"""What of the announcements a person may read (C-04…C-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from app.engine.actions import NotFound
from app.engine.resource import resource_of
from app.engine.scopes import Actor, visible
from models.announcements.tables import Announcement, AnnouncementRead
from models.identity.tables import Employee


@dataclass(frozen=True, slots=True)
class Notice:
    """An announcement as one person sees it."""

    id: int
    title: str
    body: str
    publisher: str
    published_at: datetime
    unread: bool


def _shown(actor: Actor) -> Select[Any, Any, Any, Any, Any, Any]:
    """Those not withdrawn that are for this person, newest first; everybody signed in may read them."""
    mine = and_(AnnouncementRead.announcement_id == Announcement.id, AnnouncementRead.user_id == actor.id)
    return (
        select(
            Announcement.id,
            Announcement.title,
            Announcement.body,
            func.coalesce(Employee.name, ""),
            Announcement.published_at,
            AnnouncementRead.id.is_(None),
        )
        .outerjoin(Employee, Employee.id == Announcement.publisher_id)
        .outerjoin(AnnouncementRead, mine)
        .where(visible(resource_of(Announcement), actor), Announcement.withdrawn_at.is_(None))
        .order_by(Announcement.published_at.desc(), Announcement.id.desc())
    )


def newest(session: Session, actor: Actor, limit: int, offset: int = 0) -> list[Notice]:
    """A page of them."""
    rows: Sequence[Any] = session.execute(_shown(actor).limit(limit).offset(offset), actor.params).all()
    return [Notice(*row) for row in rows]


def one(session: Session, actor: Actor, announcement_id: int) -> Notice:
    """One of them; raises `NotFound` for a withdrawn one and for that of another dealer."""
    row = session.execute(_shown(actor).where(Announcement.id == announcement_id), actor.params).first()
    if row is None:
        raise NotFound
    return Notice(*row)
