"""Periods that move with the day."""

from __future__ import annotations

from datetime import date

import pytest

from app.engine import relative

FRIDAY = date(2026, 2, 27)


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [
        ("today", FRIDAY, FRIDAY),
        ("yesterday", date(2026, 2, 26), date(2026, 2, 26)),
        ("tomorrow", date(2026, 2, 28), date(2026, 2, 28)),
        ("week", date(2026, 2, 23), date(2026, 3, 1)),
        ("last_week", date(2026, 2, 16), date(2026, 2, 22)),
        ("next_week", date(2026, 3, 2), date(2026, 3, 8)),
        ("month", date(2026, 2, 1), date(2026, 2, 28)),
        ("last_month", date(2026, 1, 1), date(2026, 1, 31)),
        ("next_month", date(2026, 3, 1), date(2026, 3, 31)),
        ("quarter", date(2026, 1, 1), date(2026, 3, 31)),
        ("year", date(2026, 1, 1), date(2026, 12, 31)),
        ("past", None, date(2026, 2, 26)),
        ("due", None, FRIDAY),
        ("future", date(2026, 2, 28), None),
        ("last-7", date(2026, 2, 20), FRIDAY),
        ("next-2", FRIDAY, date(2026, 3, 1)),
    ],
)
def test_its_days(word: str, first: date | None, last: date | None) -> None:
    assert relative.days(word, FRIDAY) == (first, last)
    assert relative.label(word)


def test_the_months_of_a_turn_of_the_year() -> None:
    assert relative.days("last_month", date(2026, 1, 5)) == (date(2025, 12, 1), date(2025, 12, 31))
    assert relative.days("next_month", date(2026, 12, 5)) == (date(2027, 1, 1), date(2027, 1, 31))
    assert relative.days("quarter", date(2026, 12, 5)) == (date(2026, 10, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    "word", ["", "decade", "last-0", "last-", "last-99999", "last-3651", "next-７", "-7"]
)
def test_no_period(word: str) -> None:
    assert relative.days(word, FRIDAY) is None
    assert relative.label(word) == ""


def test_every_offered_one_has_days_and_words() -> None:
    for word in relative.OFFERED:
        assert relative.days(word, FRIDAY) is not None and relative.label(word)
