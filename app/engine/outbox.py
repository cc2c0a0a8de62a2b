"""What must happen after commit.

A rule calls `put` in its own transaction. After the commit the row's id is handed to the queue; what
became due later or was left behind a clock hands over (`sweeping`). A job is idempotent by its row: the
handler's effects and the mark "done" are one transaction, so a second run of the same row changes nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar, cast

from flask import has_app_context
from sqlalchemy import (
    Engine,
    Index,
    String,
    Table,
    Text,
    event,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import JSON

from app.engine import queue
from app.engine.collected import Collected
from app.engine.database import Model, insert_for, pieces, utcnow, writing
from app.engine.fields import CreatedAt, Pk

MAX_ATTEMPTS = 8
BACK_OFF = (30, 120, 480, 1800, 7200, 21600)  # seconds before the next attempt; the last one repeats
OPEN = "done_at IS NULL AND parked_at IS NULL"
HERE = f"{OPEN} AND handed_at IS NULL"  # no queue has been given it
PARKED = "parked_at IS NOT NULL"
log = logging.getLogger(__name__)


class OutboxRow(Model):
    """Something that must happen once after its transaction: a message, a reminder, a long job."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "available_at", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
        Index("ix_outbox_here", "available_at", sqlite_where=text(HERE), postgresql_where=text(HERE)),
        Index("ix_outbox_done_at", "done_at"),
        Index("ix_outbox_parked_at", "parked_at", sqlite_where=text(PARKED), postgresql_where=text(PARKED)),
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


Run = Callable[[Delivery], Callable[[], None] | None]
R = TypeVar("R", bound=Run)
Parked = Callable[[Delivery, str], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """Who carries out a kind of row: for how many seconds one attempt may run, after how many without a
    sign of life somebody else takes it, and whether it is ``long`` and others must not wait behind it.
    ``label`` is what rows of that kind are called."""

    run: Run
    seconds: int
    outside: bool
    on_parked: Parked | None
    lease: int
    long: bool
    label: str = ""


_handlers: dict[str, Handler] = {}


def handler(
    kind: str,
    *,
    seconds: int = 60,
    outside: bool = False,
    on_parked: Parked | None = None,
    lease: int = 0,
    long: bool = False,
    label: str = "",
) -> Callable[[R], R]:
    """Register the function that carries out rows of this kind.

    It runs in a writing transaction that commits together with the mark "done". With ``outside`` it talks
    to another system and holds no lock meanwhile; what it has to write it returns as a function, which
    runs in the transaction of the mark. ``on_parked(delivery, reason)`` runs in the transaction that
    parks a row, so that somebody learns of what will never happen. One that takes long gives a ``lease``
    shorter than its ``seconds`` and renews it (`renew`); ``long`` ones have workers of their own.
    """

    def register(function: R) -> R:
        known = _handlers.get(kind)
        if known is not None and known.run is not function:
            raise ValueError(f"outbox kind {kind} has two handlers")
        _handlers[kind] = Handler(function, seconds, outside, on_parked, lease or seconds, long, label)
        return function

    return register


def kinds() -> frozenset[str]:
    """The kinds somebody handles."""
    return frozenset(_handlers)


def label_of(kind: str) -> str:
    """What rows of this kind are called."""
    known = _handlers.get(kind)
    return (known.label if known is not None else "") or kind


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
    ``at`` (UTC) delays it; a clock hands it over then.
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
    """`put` for many payloads with their keys; returns the ids of the new rows."""
    moment = now or utcnow()
    due = at is None or at <= moment
    handed = due and has_app_context() and queue.current().carries
    rows = [
        {
            "kind": kind,
            "payload": dict(payload),
            "key": key,
            "created_at": moment,
            "available_at": at or moment,
            "handed_at": moment if handed else None,
            "attempts": 0,
        }
        for payload, key in entries
    ]
    if not rows:
        return []
    statement = insert_for(session, ROWS).on_conflict_do_nothing(index_elements=["key"])
    ids = list(session.scalars(statement.returning(ROWS.c.id), rows))
    if due:
        _pending.share(session).append((lane_of(kind), ids))
    return ids


def lane_of(kind: str) -> Lane:
    """The lane of a kind; one nobody handles is neither long nor slow."""
    known = _handlers.get(kind)
    return (known.seconds, known.long) if known else (60, False)


Lane = tuple[int, bool]
"""How many seconds rows may run, and whether they are long."""
Ids = list[tuple[Lane, list[int]]]
_pending: Collected[Ids] = Collected("outbox", list, lambda lower, upper: lower.extend(upper))


@event.listens_for(Session, "after_commit")
def _hand_over_committed(session: Session) -> None:
    if session.in_nested_transaction():
        return
    pending = _pending.take(session)
    if pending and has_app_context():
        hand_over(session, pending)


def hand_over(session: Session, rows: Ids) -> int:
    """Give ids, marked as handed over, to the queue; returns how many. Those that the queue does not
    take are marked as still here: nobody's click fails for it, a clock finds them."""
    by_lane: defaultdict[Lane, list[int]] = defaultdict(list)
    for lane, ids in rows:
        by_lane[lane] += ids
    handed = 0
    try:
        while by_lane:
            (seconds, long), ids = next(iter(by_lane.items()))
            queue.current().hand_over(ids, seconds=seconds, long=long)
            handed += len(ids)
            del by_lane[seconds, long]
    except queue.QueueDown:
        _take_back(session, [i for ids in by_lane.values() for i in ids])
    return handed


def _take_back(session: Session, ids: list[int]) -> None:
    """In a transaction of its own: the session's has just ended."""
    try:
        with cast(Engine, session.get_bind()).begin() as connection:
            for some in pieces(ids):
                connection.execute(update(ROWS).where(ROWS.c.id.in_(some)).values(handed_at=None))
    except SQLAlchemyError:
        log.exception("rows that no queue took wait for the sweeper")


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
        write = known.run(delivery) if known.outside else lambda: known.run(delivery)
        with writing(session):
            if write is not None:
                write()
            return _finish(delivery)
    except GiveUp as reason:
        return _fail(delivery, str(reason), final=True)
    except Taken:
        session.rollback()
        return Outcome.SKIPPED
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
            .values(attempts=table.attempts + 1, leased_until=now + timedelta(seconds=_lease_of(kind)))
            .returning(table.payload, table.attempts)
        ).first()
        session.commit()
    if taken is None:
        return None
    return Delivery(row_id, kind, taken.payload, taken.attempts, now, session)


def _lease_of(kind: str) -> int:
    known = _handlers.get(kind)
    return known.lease if known else 60


class Taken(Exception):
    """Another worker carries this row out by now; whatever this attempt has open is to be undone."""


def renew(delivery: Delivery, now: datetime) -> None:
    """A sign of life of a long attempt, in the open transaction; raises `Taken` when it came too late."""
    table = ROWS.c
    mine = delivery.session.execute(
        update(ROWS)
        .where(table.id == delivery.id, table.done_at.is_(None), table.attempts == delivery.attempt)
        .values(leased_until=now + timedelta(seconds=_lease_of(delivery.kind)))
        .returning(table.id)
    ).first()
    if mine is None:
        raise Taken


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
    """Note the failure of this attempt; a final one parks the row and tells its handler."""
    known = _handlers.get(delivery.kind)
    tell = known.on_parked if known is not None and final else None
    try:
        _note_failure(delivery, reason, final, tell)
    except Exception:  # whatever a handler runs into, the row must be parked
        if tell is None:
            raise
        log.exception("a parked row could not be told to its handler")
        _note_failure(delivery, reason, final, None)
    return Outcome.PARKED if final else Outcome.RETRY


def _note_failure(delivery: Delivery, reason: str, final: bool, tell: Parked | None) -> None:
    wait = BACK_OFF[min(delivery.attempt, len(BACK_OFF)) - 1]
    table = ROWS.c
    with writing(delivery.session):
        noted = delivery.session.execute(
            update(ROWS)
            .where(table.id == delivery.id, table.done_at.is_(None), table.attempts == delivery.attempt)
            .values(
                error=reason[:2000],
                leased_until=None,
                handed_at=None,
                available_at=delivery.now + timedelta(seconds=wait),
                parked_at=delivery.now if final else None,
            )
            .returning(table.id)
        ).first()
        if noted is not None and tell is not None:
            tell(delivery, reason)
        delivery.session.commit()
