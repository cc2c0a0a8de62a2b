"""When a rule is due: days of the calendar in China, and exact moments. Pure arithmetic, no database.

A month or year that has no such day takes the last one before it: 31 January and a month is 28 February, and a
birthday on 29 February is kept on the 28th in other years (D-214).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.engine.localtime import local, local_day, to_utc
from models.clock_rules.tables import Direction, Repeat, Unit

FIRST_YEAR = 1900
_SLACK = 4  # days by which a step of months differs from its way back
_EXACT = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1),
          Unit.WEEKS: timedelta(weeks=1)}  # fmt: skip
Days = tuple[date | None, date]
"""A first and a last day; without a first one all before the last."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a rule."""

    amount: int
    unit: Unit
    direction: Direction = Direction.AFTER
    ahead_days: int = 0
    at: time | None = None
    repeat: Repeat = Repeat.NONE
    every_days: int = 1

    @property
    def steps(self) -> int:
        """The amount with its direction."""
        return self.amount if self.direction == Direction.AFTER else -self.amount

    @property
    def exact(self) -> timedelta:
        """The whole distance from the start to the exact moment; of rules without a time of day."""
        return _EXACT[self.unit] * self.steps - timedelta(days=self.ahead_days)

    @property
    def daily(self) -> bool:
        """Whether it is due anew every so many days until something changes."""
        return self.repeat == Repeat.DAYS

    def moment(self, day: date) -> datetime:
        """The stored time at which it is carried out on that day."""
        return to_utc(datetime.combine(day, self.at or time()))

    def slots(self, after: datetime, until: datetime) -> list[date]:
        """The days whose time of day lies in the span, oldest first; both ends UTC, the first excluded."""
        day = local(after).date() - timedelta(days=1)
        found = []
        while self.moment(day) <= until:
            if self.moment(day) > after:
                found.append(day)
            day += timedelta(days=1)
        return found


def moved(day: date, steps: int, unit: Unit) -> date:
    """So many days, weeks, months or years on; the last day of the month where there is no such day."""
    if unit in (Unit.DAYS, Unit.WEEKS):
        return day + _EXACT[unit] * steps
    months = day.year * 12 + day.month - 1 + steps * (12 if unit == Unit.YEARS else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def due_day(timing: Timing, start: date, turn: int = 0) -> date:
    """The day of the ``turn``-th time, the first being 0. Years are counted in one step, so that a 29 February
    comes back in leap years."""
    if timing.repeat == Repeat.YEARLY and timing.unit == Unit.YEARS:
        base = moved(start, timing.steps + turn, Unit.YEARS)
    else:
        base = moved(start, timing.steps, timing.unit)
        if timing.repeat == Repeat.YEARLY:
            base = moved(base, turn, Unit.YEARS)
    if timing.daily:
        base += timedelta(days=timing.every_days * turn)
    return base - timedelta(days=timing.ahead_days)


def starts_due(timing: Timing, day: date) -> list[Days]:
    """The days of start for which the rule is due on ``day``. Of a rule every second or third day this is
    the span within which `every_days` decides."""
    if timing.daily:
        last = _starts(timing, day, 0)
        return [(None, last[1])] if last else []
    if timing.repeat == Repeat.NONE:
        found = _starts(timing, day, 0)
        return [found] if found else []
    turns = range(day.year - FIRST_YEAR + timing.amount + 2)
    spans = (_starts(timing, day, turn) for turn in turns)
    return sorted({s for s in spans if s is not None}, key=lambda s: s[1])


def _starts(timing: Timing, day: date, turn: int) -> tuple[date, date] | None:
    """The first and last start whose ``turn``-th time falls on the day; for a daily rule the last one that does
    not lie after it. Later starts are never due earlier, so a few days around the way back are enough."""
    target = day + timedelta(days=timing.ahead_days)
    yearly = turn if timing.repeat == Repeat.YEARLY else 0
    try:
        if timing.unit == Unit.YEARS:
            near = moved(target, -timing.steps - yearly, Unit.YEARS)
        else:
            near = moved(moved(target, -yearly, Unit.YEARS), -timing.steps, timing.unit)
        around = [near + timedelta(days=n) for n in range(-_SLACK, _SLACK + 1)]
        fits = [s for s in around if due_day(timing, s, turn) == day]
    except (ValueError, OverflowError):
        return None
    if not fits and timing.daily:
        fits = [max(s for s in around if due_day(timing, s) <= day)]
    return (fits[0], fits[-1]) if fits and fits[0].year >= FIRST_YEAR else None


def upcoming(timing: Timing, start: datetime | date, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments (UTC) at which a rule is due for a record in a span, oldest first; the first end excluded."""
    if timing.at is None:
        moment = start if isinstance(start, datetime) else local_day(start)
        due = moment + timing.exact
        if after < due <= until:
            yield due
        return
    day = local(start).date() if isinstance(start, datetime) else start
    turn = 0
    if timing.repeat != Repeat.NONE:
        try:
            behind = (local(after).date() - due_day(timing, day)).days
        except (ValueError, OverflowError):
            return
        turn = max(0, behind // (timing.every_days if timing.daily else 366) - 1)
    while True:
        try:
            due = timing.moment(due_day(timing, day, turn))
        except (ValueError, OverflowError):
            return
        if due > until:
            return
        if due > after:
            yield due
        if timing.repeat == Repeat.NONE:
            return
        turn += 1


def span(days: Days, *, moments: bool) -> tuple[datetime | date | None, datetime | date]:
    """The days as bounds of a column, the upper one excluded: stored moments, or days themselves."""
    first, last = days
    after = last + timedelta(days=1)
    if not moments:
        return first, after
    return (None if first is None else local_day(first)), local_day(after)
