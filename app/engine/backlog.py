"""What the outbox holds, for those who look after the product: numbers by kind, and why rows were parked.

Payloads are shown to nobody: they may hold what only their receiver may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select, text, update
from sqlalchemy.orm import Session

from app.engine import jobs, outbox
from app.engine.database import writing
from app.engine.guards import without_numbers
from app.engine.jobs import JOBS, JobState
from app.engine.outbox import ROWS

SHOWN = 100
_PARKED = text(outbox.PARKED)
_OPEN = text(outbox.OPEN)


@dataclass(frozen=True, slots=True)
class Amount:
    """How many rows of a kind wait, will be due later, are carried out now, and were parked."""

    kind: str
    label: str
    waiting: int
    later: int
    running: int
    parked: int
    oldest: datetime | None
    """Since when the longest waiting one is due."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that was given up, with the reason."""

    id: int
    label: str
    attempts: int
    at: datetime
    reason: str


def waiting(session: Session, *, bound: int = 10_000) -> int:
    """How many rows are not yet done, counted up to ``bound``."""
    rows = select(ROWS.c.id).where(_OPEN).limit(bound).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def amounts(session: Session, now: datetime) -> list[Amount]:
    """The kinds that have open or parked rows, by their labels."""
    table = ROWS.c
    running = table.leased_until > now
    idle, due = or_(table.leased_until.is_(None), table.leased_until <= now), table.available_at <= now
    found: dict[str, tuple[int, int, int]] = {}
    oldest: dict[str, datetime | None] = {}
    counted = select(
        table.kind,
        func.sum(case((idle & due, 1), else_=0)),
        func.sum(case((idle & ~due, 1), else_=0)),
        func.sum(case((running, 1), else_=0)),
        func.min(case((idle & due, table.available_at))),
    )
    for kind, waiting, later, held, since in session.execute(counted.where(_OPEN).group_by(table.kind)):
        found[kind] = (int(waiting), int(later), int(held))
        oldest[kind] = since
    lost = select(table.kind, func.count()).where(_PARKED).group_by(table.kind)
    parked = {kind: int(n) for kind, n in session.execute(lost)}
    every = [
        Amount(k, outbox.label_of(k), *found.get(k, (0, 0, 0)), parked.get(k, 0), oldest.get(k))
        for k in {*found, *parked}
    ]
    return sorted(every, key=lambda a: (a.label, a.kind))


def parked(session: Session) -> list[Parked]:
    """The rows given up last, newest first."""
    table = ROWS.c
    statement = select(table.id, table.kind, table.attempts, table.parked_at, table.error)
    rows = session.execute(statement.where(_PARKED).order_by(table.parked_at.desc()).limit(SHOWN))
    return [
        Parked(r.id, outbox.label_of(r.kind), r.attempts, r.parked_at, _first_line(r.error)) for r in rows
    ]


def _first_line(error: str | None) -> str:
    """The reason without what a library appends to it, statements and their values, and without numbers that
    the database may quote."""
    return without_numbers((error or "").partition("\n")[0])[:200]


def again(session: Session, row_id: int, now: datetime) -> bool:
    """Take a parked row up again, with all its attempts before it. False when it is not parked, or when it
    carried a job that its person has started again meanwhile."""
    table = ROWS.c
    fresh = {
        "parked_at": None, "attempts": 0, "error": None, "leased_until": None, "available_at": now,
        "handed_at": None,
    }  # fmt: skip
    with writing(session):
        taken = session.execute(
            update(ROWS).where(table.id == row_id, _PARKED).values(**fresh).returning(table.kind)
        ).first()
        if taken is None or (taken.kind == jobs.KIND and not _waits_again(session, row_id)):
            session.rollback()
            return False
        session.commit()
    return True


def _waits_again(session: Session, row_id: int) -> bool:
    job = JOBS.c
    failed = update(JOBS).where(job.row_id == row_id, job.state == JobState.FAILED)
    waiting = failed.values(state=JobState.WAITING, result=None, finished_at=None).returning(job.id)
    return session.execute(waiting).first() is not None
