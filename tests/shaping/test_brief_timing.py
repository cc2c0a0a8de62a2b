"""When a brief is due and what it looks back on: rules of the calendar alone."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app.engine.localtime import local, to_utc
from models.shaping.brief_tables import Cadence
from models.shaping.brief_timing import Timing, looks_back

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("cadence", "weekday", "day", "now", "due"),
    [
        (Cadence.DAILY, 1, 1, "2026-11-27 08:30", "2026-11-27 08:30"),
        (Cadence.DAILY, 1, 1, "2026-11-27 08:29", "2026-11-26 08:30"),
        (Cadence.DAILY, 1, 1, "2026-01-01 00:00", "2025-12-31 08:30"),
        (Cadence.WEEKLY, 1, 1, "2026-11-27 09:00", "2026-11-23 08:30"),
        (Cadence.WEEKLY, 5, 1, "2026-11-27 09:00", "2026-11-27 08:30"),
        (Cadence.WEEKLY, 5, 1, "2026-11-27 08:00", "2026-11-20 08:30"),
        (Cadence.WEEKLY, 7, 1, "2026-11-27 08:00", "2026-11-22 08:30"),
        (Cadence.MONTHLY, 1, 1, "2026-11-27 09:00", "2026-11-01 08:30"),
        (Cadence.MONTHLY, 1, 28, "2026-11-27 09:00", "2026-10-28 08:30"),
        (Cadence.MONTHLY, 1, 27, "2026-11-27 08:00", "2026-10-27 08:30"),
        (Cadence.MONTHLY, 1, 28, "2026-03-01 09:00", "2026-02-28 08:30"),
    ],
)
def test_the_newest_moment(cadence: Cadence, weekday: int, day: int, now: str, due: str) -> None:
    found = Timing(cadence, weekday, day, "08:30").latest(to_utc(datetime.fromisoformat(now)))
    assert local(found) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("cadence", "first", "last", "said"),
    [
        (Cadence.DAILY, date(2026, 11, 26), date(2026, 11, 26), "2026-11-26"),
        (Cadence.WEEKLY, date(2026, 11, 16), date(2026, 11, 22), "2026-11-16 至 2026-11-22"),
        (Cadence.MONTHLY, date(2026, 10, 1), date(2026, 10, 31), "2026-10-01 至 2026-10-31"),
    ],
)
def test_it_looks_back_on_whole_days(cadence: Cadence, first: date, last: date, said: str) -> None:
    span = looks_back(cadence, to_utc(datetime(2026, 11, 27, 0, 5)))
    assert (span.first, span.last, span.days) == (first, last, said)
