"""What must happen after commit.

A rule calls `put` in its own transaction. After the commit the row's id is handed to the queue; `sweep`
hands over whatever was left behind. A job is idempotent by its row: the handler's effects and the mark
"done" are one transaction, so a second run of the same row changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, cast

from flask import has_app_context
from sqlalchemy import Index, String, Table, Text, and_, delete, event, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import JSON

from app.engine import queue
from app.engine.database import Model, utcnow, writing
from app.engine.fields import CreatedAt, Pk

MAX_ATTEMPTS = 8
BACK_OFF = (30, 120, 480, 1800, 7200, 21600)  # seconds before the next attempt; the last one repeats
GRACE = timedelta(seconds=30)  # a row this young was handed over by its own transaction
AGAIN = timedelta(minutes=5)  # a row swept this recently is still the queue's business
KEPT = timedelta(days=7)  # how long delivered rows stay for whoever wants to look
_PENDING = "zhike.outbox"
_OPEN = "done_at IS NULL AND parked_at IS NULL"


class OutboxRow(Model):
    """Something that must happen once after its transaction: a message, a reminder, a long job."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "available_at", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index("ix_outbox_done_at", "done_at"),
    )

    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    created_at: Mapped[CreatedAt]
    available_at: Mapped[datetime]
    handed_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]


ROWS = cast(Table, OutboxRow.__table__)


class GiveUp(Exception):
    """Raised by a handler when no later attempt can succeed; the row is parked with this reason."""


class Outcome(Enum):
    """How one delivery ended."""

    DONE = "done"
    SKIPPED = "skipped"
    RETRY = "retry"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to carry out one row. ``id`` is the same at every attempt: pass it to outside systems
    as the sender's number, so that they too can tell a repetition."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    attempt: int
    now: datetime
    session: Session


@dataclass(frozen=True, slots=True)
class Handler:
    """Who carries out a kind of row, and for how many seconds one attempt may run."""

    run: Callable[[Delivery], None]
    seconds: int
    outside: bool


_handlers: dict[str, Handler] = {}


def handler(
    kind: str, *, seconds: int = 60, outside: bool = False
) -> Callable[[Callable[[Delivery], None]], Callable[[Delivery], None]]:
    """Register the function that carries out rows of this kind.

    It runs in a writing transaction that commits together with the mark "done". With ``outside`` it talks
    to another system first: no lock is held until it starts `writing` itself, if it does.
    """

    def register(function: Callable[[Delivery], None]) -> Callable[[Delivery], None]:
        known = _handlers.get(kind)
        if known is not None and known.run is not function:
            raise ValueError(f"outbox kind {kind} has two handlers")
        _handlers[kind] = Handler(function, seconds, outside)
        return function

    return register


def kinds() -> frozenset[str]:
    """The kinds somebody handles."""
    return frozenset(_handlers)


def put(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    key: str | None = None,
    *,
    at: datetime | None = None,
    now: datetime | None = None,
) -> int | None:
    """Store what must happen after this transaction; returns the row's id.

    ``key`` makes it unique for good: a second `put` with the same key stores nothing and returns None.
    ``at`` (UTC) delays it; it then runs at the first sweep after that time.
    """
    found = put_many(session, kind, [(payload, key)], at=at, now=now)
    return found[0] if found else None


def put_many(
    session: Session,
    kind: str,
    entries: Iterable[tuple[Mapping[str, Any], str | None]],
    *,
    at: datetime | None = None,
    now: datetime | None = None,
) -> list[int]:
    """`put` for many payloads with their keys in one statement; returns the ids of the new rows."""
    moment = now or utcnow()
    rows = [
        {
            "kind": kind,
            "payload": dict(payload),
            "key": key,
            "created_at": moment,
            "available_at": at or moment,
            "attempts": 0,
        }
        for payload, key in entries
    ]
    if not rows:
        return []
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert(ROWS).values(rows).on_conflict_do_nothing(index_elements=["key"])
    ids = list(session.scalars(statement.returning(ROWS.c.id)))
    if at is None or at <= moment:
        session.info.setdefault(_PENDING, []).append((_seconds(kind), ids))
    return ids


def _seconds(kind: str) -> int:
    known = _handlers.get(kind)
    return known.seconds if known else 60


@event.listens_for(Session, "after_commit")
def _hand_over_committed(session: Session) -> None:
    if _PENDING not in session.info or session.in_nested_transaction():
        return
    pending = session.info.pop(_PENDING)
    if has_app_context():
        by_seconds: defaultdict[int, list[int]] = defaultdict(list)
        for seconds, ids in pending:
            by_seconds[seconds] += ids
        try:
            for seconds, ids in by_seconds.items():
                queue.current().hand_over(ids, seconds=seconds)
        except queue.QueueDown:
            return  # nobody's click fails for it: the sweeper finds the rows


@event.listens_for(Session, "after_rollback")
def _forget_rolled_back(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_PENDING, None)


def deliver(session: Session, row_id: int, *, now: datetime | None = None) -> Outcome:
    """Carry out one row, once: skipped when done, parked, not yet due, or in another worker's hands."""
    moment = now or utcnow()
    delivery = _lease(session, row_id, moment)
    if delivery is None:
        return Outcome.SKIPPED
    known = _handlers.get(delivery.kind)
    if known is None:
        return _fail(delivery, f"没有程序处理“{delivery.kind}”", final=True)
    if delivery.attempt > MAX_ATTEMPTS:
        return _fail(delivery, "多次执行中途中断", final=True)
    try:
        if known.outside:
            known.run(delivery)
            return _finish(delivery)
        with writing(session):
            known.run(delivery)
            return _finish(delivery)
    except GiveUp as reason:
        return _fail(delivery, str(reason), final=True)
    except Exception as error:  # whatever a handler runs into, the row must be kept and tried again
        return _fail(delivery, f"{type(error).__name__}: {error}", final=delivery.attempt >= MAX_ATTEMPTS)


def _lease(session: Session, row_id: int, now: datetime) -> Delivery | None:
    """Take the row for one attempt; the attempt counts even if the worker dies in it."""
    table = ROWS.c
    with writing(session):
        kind = session.scalar(select(table.kind).where(table.id == row_id))
        if kind is None:
            session.rollback()
            return None
        taken = session.execute(
            update(ROWS)
            .where(
                table.id == row_id,
                table.done_at.is_(None),
                table.parked_at.is_(None),
                table.available_at <= now,
                or_(table.leased_until.is_(None), table.leased_until <= now),
            )
            .values(attempts=table.attempts + 1, leased_until=now + timedelta(seconds=_seconds(kind)))
            .returning(table.payload, table.attempts)
        ).first()
        session.commit()
    if taken is None:
        return None
    return Delivery(row_id, kind, taken.payload, taken.attempts, now, session)


def _finish(delivery: Delivery) -> Outcome:
    """Mark done in the handler's own transaction; if somebody else was faster, undo the effects."""
    table = ROWS.c
    marked = delivery.session.execute(
        update(ROWS)
        .where(
            table.id == delivery.id,
            table.done_at.is_(None),
            table.parked_at.is_(None),
            table.attempts == delivery.attempt,
        )
        .values(done_at=delivery.now, leased_until=None, error=None)
        .returning(table.id)
    ).first()
    if marked is None:
        delivery.session.rollback()
        return Outcome.SKIPPED
    delivery.session.commit()
    return Outcome.DONE


def _fail(delivery: Delivery, reason: str, *, final: bool) -> Outcome:
    wait = BACK_OFF[min(delivery.attempt, len(BACK_OFF)) - 1]
    table = ROWS.c
    with writing(delivery.session):
        delivery.session.execute(
            update(ROWS)
            .where(table.id == delivery.id, table.done_at.is_(None), table.attempts == delivery.attempt)
            .values(
                error=reason[:2000],
                leased_until=None,
                handed_at=None,
                available_at=delivery.now + timedelta(seconds=wait),
                parked_at=delivery.now if final else None,
            )
        )
        delivery.session.commit()
    return Outcome.PARKED if final else Outcome.RETRY


def sweep(session: Session, *, now: datetime | None = None, limit: int = 1000) -> int:
    """Hand over the due rows nobody works on; returns how many. With the queue down: none, and no error."""
    moment = now or utcnow()
    table = ROWS.c
    due = session.execute(
        select(table.id, table.kind)
        .where(
            text(_OPEN),
            table.available_at <= moment,
            or_(table.leased_until.is_(None), table.leased_until <= moment),
            or_(
                and_(table.handed_at.is_(None), table.created_at <= moment - GRACE),
                table.handed_at <= moment - AGAIN,
            ),
        )
        .order_by(table.available_at)
        .limit(limit)
    ).all()
    session.rollback()
    by_seconds: defaultdict[int, list[int]] = defaultdict(list)
    for row in due:
        by_seconds[_seconds(row.kind)].append(row.id)
    handed: list[int] = []
    try:
        for seconds, ids in by_seconds.items():
            queue.current().hand_over(ids, seconds=seconds)
            handed += ids
    except queue.QueueDown:
        pass  # the rest waits for the next sweep
    if handed:
        with writing(session):
            session.execute(update(ROWS).where(table.id.in_(handed)).values(handed_at=moment))
            session.commit()
    return len(handed)


def prune(session: Session, *, now: datetime) -> None:
    """Delete rows delivered more than `KEPT` ago, except those whose key must stay known."""
    table = ROWS.c
    session.execute(delete(ROWS).where(table.done_at < now - KEPT, table.key.is_(None)))


def waiting(session: Session, *, bound: int = 10_000) -> int:
    """How many rows are not yet done, counted up to ``bound``."""
    rows = select(ROWS.c.id).where(text(_OPEN)).limit(bound).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0
