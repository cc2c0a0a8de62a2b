"""What a deed tells people: collected while it runs, written with its commit, one message per person and
matter however many records it changed (A-37, A-38, A-56)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.collected import Collected
from models.notifications.rules import ITEMS, notify_many
from models.notifications.tables import NoticeEvent, NoticeKind, Notification
from models.notifications.topics import Topic

NUMBER = "{n}"
"""Stands in a sentence about several records for how many they are."""

Words = str | Callable[[], str]
"""A sentence, or how to make it when the deed is done and its records have their numbers."""

_Key = tuple[int, str]


def _said(words: Words) -> str:
    return words if isinstance(words, str) else words()


@dataclass(slots=True)
class _Word:
    """What one person hears of one matter of one deed."""

    topic: Topic
    now: datetime
    dealer_id: int | None
    many: str
    one: Words
    records: list[tuple[Any, Words]] = field(default_factory=list)
    amount: int = 0

    def title(self, amount: int) -> str:
        """The sentence, for one record or for many."""
        return (_said(self.one) if amount == 1 else self.many.replace(NUMBER, str(amount)))[:160]

    def items(self) -> list[dict[str, Any]]:
        """The records, as a message lists them."""
        return [
            {
                "group": self.topic.label,
                "title": _said(label)[:160],
                "resource": record.__tablename__,
                "id": record.id,
            }
            for record, label in self.records
        ]


_Share = dict[_Key, _Word]


def _join(lower: _Share, upper: _Share) -> None:
    for key, word in upper.items():
        known = lower.setdefault(key, word)
        if known is not word:
            known.amount += word.amount
            known.records += word.records[: ITEMS - len(known.records)]


_told: Collected[_Share] = Collected("telling", dict, _join)


def tell(
    act: Act,
    users: Iterable[int | None],
    topic: Topic,
    one: Words,
    many: str,
    *,
    record: Any,
    label: Words,
    dealer_id: int | None,
    amount: int = 1,
    matter: str = "",
) -> None:
    """Tell these people, without the actor, what this deed did to a record, which the message opens.

    ``one`` is the sentence about that record alone, ``many`` the one that stands for all of them when the
    deed did the same to several (`NUMBER` is how many); ``label`` names the record in that list. Neither
    may hold a guarded value. ``amount`` counts further records, which nobody lists, along with this one.
    ``matter`` says what is one message, where that is not ``many`` itself.
    A file read in from another system is no news to anybody.
    """
    if act.source == "load":
        return
    share = _told.share(act.session)
    key = f"{act.deed_id}:{topic.key}:{crc32((matter or many).encode()):08x}"
    for user in dict.fromkeys(users):
        if not user or user == act.actor.id:
            continue
        word = share.setdefault((user, key), _Word(topic, act.now, dealer_id, many, one))
        word.amount += amount
        if len(word.records) < ITEMS:
            word.records.append((record, label))


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction():
        return
    words = _told.take(session)
    if words:
        session.flush()  # every record has its id now
        _instant(session, {key: w for key, w in words.items() if w.topic.instant})
        _hourly(session, words)


def _instant(session: Session, words: _Share) -> None:
    """One message each; a deed of many transactions adds to the one it began with."""
    users, keys = {user for user, _ in words}, {key for _, key in words}
    known = select(Notification).where(Notification.user_id.in_(users), Notification.key.in_(keys))
    earlier = {(m.user_id, m.key): m for m in session.scalars(known)} if words else {}
    fresh = []
    for (user, key), word in words.items():
        message = earlier.get((user, key))
        if message is None:
            fresh.append(_row(user, key, word))
            continue
        amount = message.amount + word.amount
        session.execute(
            update(Notification)
            .where(Notification.id == message.id)
            .values(
                title=word.title(amount), amount=amount, read_at=None, resource=None, record_id=None,
                items=[*(message.items or ()), *word.items()][:ITEMS],
            ),
            execution_options={"synchronize_session": False},
        )  # fmt: skip
    notify_many(session, fresh)


def _row(user: int, key: str, word: _Word) -> dict[str, Any]:
    items = word.items()
    first, alone = items[0], word.amount == 1
    return {
        "user_id": user,
        "dealer_id": word.dealer_id,
        "kind": NoticeKind.INSTANT,
        "topic": word.topic.key,
        "title": word.title(word.amount),
        "resource": first["resource"] if alone else None,
        "record_id": first["id"] if alone else None,
        "items": items,
        "amount": word.amount,
        "key": key,
        "created_at": word.now,
    }


def _hourly(session: Session, words: _Share) -> None:
    rows = []
    for (user, _), word in words.items():
        if word.topic.hourly:
            first, alone = word.records[0][0], word.amount == 1
            rows.append(
                {
                    "user_id": user,
                    "dealer_id": word.dealer_id,
                    "topic": word.topic.key,
                    "title": word.title(word.amount),
                    "amount": word.amount,
                    "resource": first.__tablename__ if alone else None,
                    "record_id": first.id if alone else None,
                    "at": word.now,
                }
            )
    if rows:
        session.execute(insert(NoticeEvent), rows)
