"""What happens by itself at a time of day.

Every slot of a schedule is claimed by a unique row, so it runs once however many clocks tick; a slot missed
while no clock ran is made up for once, the newest only. What is claimed becomes an outbox row in the same
transaction, so the work itself is done by a worker, once. Times of day are those of Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol, cast

from sqlalchemy import String, Table, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.engine import outbox
from app.engine.actions import Act
from app.engine.database import Model, insert_for, writing
from app.engine.localtime import local, to_utc
from app.engine.scopes import SYSTEM

KEPT = timedelta(days=60)


class ClockSlot(Model):
    """A moment of a schedule that some clock has taken care of."""

    __tablename__ = "clock_slots"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime]


SLOTS = cast(Table, ClockSlot.__table__)


class Times(Protocol):
    """The moments of a schedule."""

    def latest(self, now: datetime) -> datetime:
        """The newest moment not after ``now``; both UTC without zone."""


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many minutes, counted from midnight; 60 means each full hour."""

    minutes: int

    def latest(self, now: datetime) -> datetime:
        """The newest moment not after ``now``."""
        here = local(now)
        past = (here.hour * 60 + here.minute) % self.minutes
        return to_utc(here.replace(second=0, microsecond=0) - timedelta(minutes=past))


@dataclass(frozen=True, slots=True, init=False)
class At:
    """At these times of day: ``At("08:00", "20:00")``."""

    times: tuple[time, ...]

    def __init__(self, *times: str) -> None:
        object.__setattr__(self, "times", tuple(sorted(time.fromisoformat(text) for text in times)))

    def latest(self, now: datetime) -> datetime:
        """The newest moment not after ``now``."""
        here = local(now)
        days = (here.date(), here.date() - timedelta(days=1))
        moments = [datetime.combine(day, at) for day in days for at in self.times]
        return to_utc(max(moment for moment in moments if moment <= here))


_schedules: dict[str, Times] = {}


def scheduled(
    name: str, times: Times, *, seconds: int = 300, label: str = ""
) -> Callable[[Callable[[outbox.Delivery], None]], Callable[[outbox.Delivery], None]]:
    """Run the function at these times, as an outbox handler of that name.

    ``delivery.payload["slot"]`` is the moment it runs for (ISO, UTC); work out what is due from the slot,
    not from the time of running.
    """

    def register(function: Callable[[outbox.Delivery], None]) -> Callable[[outbox.Delivery], None]:
        _schedules[name] = times
        return outbox.handler(name, seconds=seconds, label=label)(function)

    return register


def deed(delivery: outbox.Delivery, action: str) -> Act:
    """What a schedule does, as the history names it: the system's deed, by the clock (D-15)."""
    return Act(SYSTEM, delivery.now, delivery.session, "timer", action)


def schedules() -> dict[str, Times]:
    """Every schedule by name."""
    return dict(_schedules)


def claim(session: Session, name: str, slot: datetime, *, now: datetime) -> bool:
    """Take this slot, in the current transaction; False when another clock has it.

    The first slot ever seen of a name is only noted: a new schedule has missed nothing.
    """
    table = SLOTS.c
    newest = session.scalar(select(table.slot).where(table.name == name).order_by(table.slot.desc()).limit(1))
    if newest is not None and newest >= slot:
        return False
    taken = session.execute(
        insert_for(session, SLOTS)
        .values(name=name, slot=slot, claimed_at=now)
        .on_conflict_do_nothing()
        .returning(table.slot)
    ).first()
    return taken is not None and newest is not None


def tick(session: Session, now: datetime, seen: dict[str, datetime]) -> list[str]:
    """Start what is due at ``now`` (UTC); returns the names started by this clock.

    ``seen`` is this clock's memory of slots that are settled, which saves asking the database.
    """
    started = []
    for name, times in _schedules.items():
        slot = times.latest(now)
        if seen.get(name) == slot:
            continue
        with writing(session):
            if claim(session, name, slot, now=now):
                outbox.put(session, name, {"slot": slot.isoformat()}, now=now)
                started.append(name)
            session.commit()
        seen[name] = slot
    return started


def prune(session: Session, *, now: datetime) -> None:
    """Forget slots older than `KEPT`."""
    session.execute(delete(SLOTS).where(SLOTS.c.slot < now - KEPT))
