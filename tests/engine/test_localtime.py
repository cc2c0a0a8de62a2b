"""What is typed in China is what is shown again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.engine.localtime import local, to_utc


@pytest.mark.parametrize(
    "typed", [datetime(2026, 11, 25, 9, 30), datetime(1988, 7, 1), datetime(1900, 1, 1, 0, 5)]
)
def test_a_time_reads_back_as_it_was_typed(typed: datetime) -> None:
    assert local(to_utc(typed)) == typed


def test_a_time_with_a_zone_keeps_its_moment() -> None:
    assert to_utc(datetime(2026, 11, 25, 1, 0, tzinfo=UTC)) == datetime(2026, 11, 25, 1, 0)
