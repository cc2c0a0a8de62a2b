"""Time in steps: days, weeks and months of Asia/Shanghai, grouped by the database itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, cast, func, literal_column
from sqlalchemy.types import Date

DAY, WEEK, MONTH = "day", "week", "month"
_DAYS_BY_DAY = 45
_DAYS_BY_WEEK = 200
_MOST_STEPS = 400


def step_of(first: date | None, last: date | None) -> str:
    """The step that fits a period: days up to six weeks, weeks up to 200 days, months beyond or unknown."""
    if first is None or last is None:
        return MONTH
    days = (last - first).days
    if days <= _DAYS_BY_DAY:
        return DAY
    return WEEK if days <= _DAYS_BY_WEEK else MONTH


def bucket(column: Any, stored_in_utc: bool, step: str, dialect: str) -> ColumnElement[Any]:
    """The first day of the step a time falls into; China keeps UTC+8 all year."""
    if dialect == "postgresql":
        there = column + literal_column("interval '8 hours'") if stored_in_utc else column
        return cast(func.date_trunc(step, there), Date)
    shift = ("+8 hours",) if stored_in_utc else ()
    if step == MONTH:
        return func.strftime("%Y-%m-01", column, *shift)
    if step == WEEK:
        return func.date(column, *shift, "weekday 0", "-6 days")
    return func.date(column, *shift)


def following(start: date, step: str) -> date:
    """The first day of the next step."""
    if step == MONTH:
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start + timedelta(days=7 if step == WEEK else 1)


def steps(found: Iterable[date], step: str) -> list[date]:
    """All steps from the first to the last one with data, empty ones between them included."""
    known = sorted(found)
    if not known:
        return []
    filled = [known[0]]
    while filled[-1] < known[-1] and len(filled) < _MOST_STEPS:
        filled.append(following(filled[-1], step))
    return filled if filled[-1] == known[-1] else known


def step_label(start: date, step: str) -> str:
    """How a step reads on the axis."""
    if step == MONTH:
        return f"{start:%Y-%m}"
    return f"{start:%m-%d}" if step == DAY else f"{start:%m-%d} 周"
