"""Telling people something: the one way in for every domain and every job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.engine.database import insert_for
from models.notifications import deliveries
from models.notifications.tables import NoticeKind, Notification

ITEMS = 100
"""So many lines of a summary are kept; the rest is counted."""

_MESSAGES: Any = Notification.__table__
_BLANK = {
    "dealer_id": None, "text": "", "resource": None, "record_id": None, "items": None, "groups": None,
    "amount": 0, "key": None,
}  # fmt: skip


def notify(
    session: Session,
    *,
    users: Iterable[int | None],
    kind: NoticeKind,
    topic: str,
    title: str,
    now: datetime,
    dealer_id: int | None = None,
    text: str = "",
    about: tuple[str, int] | None = None,
    items: Sequence[Mapping[str, Any]] = (),
    groups: Sequence[Mapping[str, Any]] = (),
    amount: int = 0,
    key: str | None = None,
) -> list[int]:
    """Tell each of these people once; returns the ids of the new messages.

    Runs in the caller's transaction. ``about`` is the resource's name and the record that the message
    opens; with ``key`` a second message with the same key is not made for the same person. Whoever wants
    to be reached by other channels too is reached after the commit.
    """
    row = {
        "dealer_id": dealer_id,
        "kind": kind,
        "topic": topic,
        "title": title[:160],
        "text": text,
        "resource": about[0] if about else None,
        "record_id": about[1] if about else None,
        "items": [dict(item) for item in items[:ITEMS]] or None,
        "groups": [dict(group) for group in groups] or None,
        "amount": amount or len(items),
        "key": key,
        "created_at": now,
    }
    return notify_many(session, [row | {"user_id": user} for user in dict.fromkeys(users) if user])


def notify_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """`notify` for rows of their own (the columns of `Notification`); what is there already by its key stays
    as it is. Returns the ids of the new ones."""
    if not rows:
        return []
    t = _MESSAGES.c
    statement = insert_for(session, _MESSAGES).on_conflict_do_nothing(index_elements=["user_id", "key"])
    statement = statement.returning(t.id, t.user_id, t.kind, t.title, t.text, t["items"], t.created_at)
    made = session.execute(statement, [_BLANK | dict(row) for row in rows]).all()
    deliveries.route(session, made)
    return [row.id for row in made]
