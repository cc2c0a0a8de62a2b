"""When a brief is due, and which days it looks back on. Times are stored in UTC; days are those of China."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.engine.localtime import local, to_utc
from models.shaping.brief_tables import Cadence


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, and at which time of day; ``weekday`` (1 is Monday) and ``day`` of the month where they matter."""

    cadence: Cadence
    weekday: int
    day: int
    at: str

    def latest(self, now: datetime) -> datetime:
        """The newest moment not after ``now``."""
        here = local(now)
        clock = time.fromisoformat(self.at)
        day = here.date() if here.time() >= clock else here.date() - timedelta(days=1)
        if self.cadence is Cadence.WEEKLY:
            day -= timedelta(days=(day.isoweekday() - self.weekday) % 7)
        elif self.cadence is Cadence.MONTHLY:
            month = day if day.day >= self.day else day.replace(day=1) - timedelta(days=1)
            day = month.replace(day=self.day)
        return to_utc(datetime.combine(day, clock))


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days that are over, in a word."""

    word: str
    first: date
    last: date

    @property
    def days(self) -> str:
        """The days as they are read."""
        return f"{self.first}" if self.first == self.last else f"{self.first} 至 {self.last}"


def looks_back(cadence: Cadence, moment: datetime) -> Span:
    """The days that the brief of that moment is about."""
    today = local(moment).date()
    if cadence is Cadence.DAILY:
        yesterday = today - timedelta(days=1)
        return Span("昨日", yesterday, yesterday)
    if cadence is Cadence.WEEKLY:
        monday = today - timedelta(days=today.isoweekday() - 1)
        return Span("上周", monday - timedelta(days=7), monday - timedelta(days=1))
    last = today.replace(day=1) - timedelta(days=1)
    return Span("上月", last.replace(day=1), last)
