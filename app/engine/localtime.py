"""Stored time and the time of day in China. Times are stored in UTC without zone.

Eight hours at every moment, also for dates before 1992, when there was summer time for a while: what is
typed and what is shown are then always the same.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_OFFSET = timedelta(hours=8)


def local(moment: datetime) -> datetime:
    """A stored time as shown, without zone."""
    return moment + _OFFSET


def to_utc(moment: datetime) -> datetime:
    """A time as stored: one typed by a person in China, or one that names its zone."""
    if moment.tzinfo is not None:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment - _OFFSET


def local_day(day: date) -> datetime:
    """The stored time at which a day begins in China."""
    return to_utc(datetime(day.year, day.month, day.day))
