"""What a clock does with the rows of the outbox: hands over what became due or was left behind, and forgets
what was delivered long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause, delete, or_, select, text, update
from sqlalchemy.orm import Session

from app.engine import queue
from app.engine.database import utcnow, writing
from app.engine.outbox import HERE, OPEN, ROWS, hand_over, lane_of

AGAIN = timedelta(minutes=5)  # a row handed over this recently is still the queue's business
KEPT = timedelta(days=7)  # how long delivered rows stay for whoever wants to look


def release(session: Session, *, now: datetime | None = None, limit: int = 1000) -> int:
    """Hand over the rows that are due and were not handed over yet: delayed ones, further attempts, and
    what a queue that was down did not take; returns how many."""
    moment = now or utcnow()
    return _send(session, (text(HERE), ROWS.c.available_at <= moment), moment, limit)


def sweep(session: Session, *, now: datetime | None = None, limit: int = 1000) -> int:
    """Hand over the due rows nobody works on, lost ones too: those handed over long ago, or taken by a
    worker that died; returns how many. With the queue down: none, and no error."""
    moment = now or utcnow()
    table = ROWS.c
    where = (
        text(OPEN),
        table.available_at <= moment,
        or_(table.leased_until.is_(None), table.leased_until <= moment),
        or_(
            table.handed_at.is_(None),
            table.handed_at <= moment - AGAIN,
            table.handed_at < table.leased_until,
        ),
    )
    return _send(session, where, moment, limit)


def _send(
    session: Session, where: tuple[ColumnElement[bool] | TextClause, ...], moment: datetime, limit: int
) -> int:
    """Mark rows as handed over, then do it; piece by piece until none is left."""
    table = ROWS.c
    found = select(table.id).where(*where).order_by(table.available_at, table.id).limit(limit)
    total = 0
    while True:
        ids = list(session.scalars(found))
        session.rollback()
        if not ids or not _queue_is_up():
            return total
        with writing(session):
            mine = session.execute(
                update(ROWS)
                .where(table.id.in_(ids), *where)
                .values(handed_at=moment)
                .returning(table.id, table.kind)
            ).all()
            session.commit()
        handed = hand_over(session, [(lane_of(row.kind), [row.id]) for row in mine])
        total += handed
        if handed < limit:
            return total


def _queue_is_up() -> bool:
    try:
        queue.current().depth()
    except queue.QueueDown:
        return False
    return True


def prune(session: Session, *, now: datetime) -> None:
    """Delete rows delivered more than `KEPT` ago, except those whose key must stay known."""
    table = ROWS.c
    session.execute(delete(ROWS).where(table.done_at < now - KEPT, table.key.is_(None)))
