"""The arithmetic of the clock: days of the calendar, exact moments, and the way back from a day to its starts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.localtime import local
from models.clock_rules.occurrences import Timing, due_day, moved, starts_due, upcoming
from models.clock_rules.tables import Direction, Repeat, Unit
from tests.clock_rules.conftest import at

EIGHT = time(8)
CALENDAR = (Unit.DAYS, Unit.WEEKS, Unit.MONTHS, Unit.YEARS)
DAYS = st.dates(date(1950, 1, 1), date(2060, 12, 31))
TIMINGS = st.builds(
    Timing,
    amount=st.integers(0, 40),
    unit=st.sampled_from(CALENDAR),
    direction=st.sampled_from(list(Direction)),
    ahead_days=st.integers(0, 60),
    at=st.just(EIGHT),
    repeat=st.sampled_from([Repeat.NONE, Repeat.YEARLY]),
)


@pytest.mark.parametrize(
    ("day", "steps", "unit", "expected"),
    [
        ("2026-01-31", 1, Unit.MONTHS, "2026-02-28"),
        ("2024-02-29", 1, Unit.YEARS, "2025-02-28"),
        ("2024-02-29", 4, Unit.YEARS, "2028-02-29"),
        ("2026-03-31", -1, Unit.MONTHS, "2026-02-28"),
        ("2026-01-15", -13, Unit.MONTHS, "2024-12-15"),
        ("2026-12-28", 2, Unit.WEEKS, "2027-01-11"),
    ],
)
def test_a_month_without_that_day_takes_its_last(day: str, steps: int, unit: Unit, expected: str) -> None:
    assert moved(date.fromisoformat(day), steps, unit) == date.fromisoformat(expected)


@settings(max_examples=400, deadline=None)
@given(timing=TIMINGS, start=DAYS, turn=st.integers(0, 30))
def test_every_start_is_found_from_the_day_it_is_due(timing: Timing, start: date, turn: int) -> None:
    turn = turn if timing.repeat == Repeat.YEARLY else 0
    day = due_day(timing, start, turn)
    spans = starts_due(timing, day)
    assert any((first or start) <= start <= last for first, last in spans), (day, spans)


@settings(max_examples=200, deadline=None)
@given(timing=TIMINGS, day=DAYS)
def test_what_is_found_for_a_day_is_due_on_it(timing: Timing, day: date) -> None:
    for first, last in starts_due(timing, day):
        assert first is not None
        for start in {first, last}:
            turns = range(-2, 200) if timing.repeat == Repeat.YEARLY else range(1)
            assert day in {
                due_day(timing, start, n) for n in turns if 1 <= start.year + timing.steps + n < 9000
            }


def test_daily_from_a_day_on_reaches_back_without_end() -> None:
    timing = Timing(7, Unit.DAYS, at=EIGHT, repeat=Repeat.DAYS)
    assert starts_due(timing, date(2026, 3, 8)) == [(None, date(2026, 3, 1))]


def test_the_days_whose_hour_lies_in_a_span() -> None:
    timing = Timing(0, Unit.DAYS, at=EIGHT)
    assert timing.slots(at("2026-03-01 08:00"), at("2026-03-01 23:00")) == []
    assert timing.slots(at("2026-03-01 07:59"), at("2026-03-01 08:00")) == [date(2026, 3, 1)]
    assert timing.slots(at("2026-03-01 08:00"), at("2026-03-04 07:00")) == [
        date(2026, 3, 2),
        date(2026, 3, 3),
    ]


@settings(max_examples=200, deadline=None)
@given(
    timing=st.builds(
        Timing, amount=st.integers(0, 40), unit=st.sampled_from(CALENDAR), ahead_days=st.integers(0, 20),
        at=st.just(EIGHT), repeat=st.sampled_from(list(Repeat)), every_days=st.integers(1, 9),
    ),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)),
)  # fmt: skip
def test_the_calendar_of_a_record_is_what_the_sweep_would_find(timing: Timing, start: datetime) -> None:
    """Day by day: the moments foretold for a record are the days on which the sweep would take it."""
    after = at("2026-03-01 08:00")
    foretold = {local(m).date() for m in upcoming(timing, start, after, after + timedelta(days=60))}
    began, swept = local(start).date(), set()
    for n in range(1, 61):
        day = date(2026, 3, 1) + timedelta(days=n)
        for first, last in starts_due(timing, day):
            hit = (first or began) <= began <= last
            if timing.daily:
                hit = hit and (last - began).days % timing.every_days == 0
            if hit:
                swept.add(day)
    if timing.daily and timing.every_days > 1 and timing.unit in (Unit.MONTHS, Unit.YEARS):
        return  # such a rule is refused
    assert foretold == swept


@pytest.mark.parametrize("steps", [Direction.AFTER, Direction.BEFORE])
def test_beyond_the_calendar_nothing_is_due(steps: Direction) -> None:
    timing = Timing(9000, Unit.YEARS, steps, at=EIGHT, repeat=Repeat.YEARLY)
    start = at("2026-03-01 08:00")
    assert list(upcoming(timing, start, start, start + timedelta(days=60))) == []


def test_exact_rules_keep_the_minute() -> None:
    timing = Timing(90, Unit.MINUTES)
    start = at("2026-03-01 10:07")
    found = list(upcoming(timing, start, start, start + timedelta(days=1)))
    assert found == [at("2026-03-01 11:37")]
