"""What a chart counts or sums, and time in steps: days, weeks and months of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, literal_column
from sqlalchemy.types import Date

from app.engine.cells import money
from app.engine.chartkinds import Chart, Net
from app.engine.fields import FieldSpec, describe

YUAN = "元"
DAY, WEEK, MONTH = "day", "week", "month"
_DAYS_BY_DAY = 62
_DAYS_BY_WEEK = 200
MOST_STEPS = 400


def measured(chart: Chart) -> tuple[ColumnElement[Any], str]:
    """What is counted or summed, and its unit."""
    source = getattr(chart, "sum", None)
    if source is None:
        return func.count(), ""
    column = source.column if isinstance(source, Net) else source
    spec = describe(column)
    if column is spec:
        return func.coalesce(func.sum(_added(spec)), 0), YUAN if spec.kind == "money" else spec.unit
    amount = case((source.by.in_(source.values), -column), else_=column) if column is not source else column
    return func.coalesce(func.sum(amount), 0), YUAN if spec.kind == "money" else spec.unit


def _added(spec: FieldSpec) -> Any:
    """The column of an added field, in the records of the dealer whose field it is."""
    column = spec.attribute
    return column if spec.dealer is None else case((column.class_.dealer_id == spec.dealer, column))


def figure(value: Any, unit: str) -> str:
    """The number with its unit as it stands on a card."""
    amount = value if isinstance(value, Decimal) else Decimal(str(value or 0))
    return money(amount) if unit == YUAN else f"{amount:,f}{unit}"


def share(part: float, whole: float) -> str:
    """The part in whole percents; what is there is not called nothing, and what is not all not all."""
    if not whole:
        return ""
    percent = part / whole * 100
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"


def change(now: Decimal, before: Decimal) -> str:
    """What has become of a number since the period before, in words; empty where both are nothing."""
    if not before:
        return "上期无数据" if now else ""
    percent = (now - before) / abs(before) * 100
    if round(percent) == 0:
        return "持平"
    return f"{'▲' if percent > 0 else '▼'} {abs(percent):,.0f}%"


def day_of(column: Any, stored_in_utc: bool, dialect: str) -> ColumnElement[Any]:
    """The day a time falls into, as the database groups by it; China keeps UTC+8 all year."""
    if dialect == "postgresql":
        there = column + literal_column("interval '8 hours'") if stored_in_utc else column
        return cast(there, Date)
    return func.date(column, *(("+8 hours",) if stored_in_utc else ()))


def step_of(first: date, last: date) -> str:
    """The step that fits a period: days up to two months, weeks up to 200 days, months beyond."""
    days = (last - first).days
    if days < _DAYS_BY_DAY:
        return DAY
    return WEEK if days <= _DAYS_BY_WEEK else MONTH


def start_of(day: date, step: str) -> date:
    """The first day of the step a day belongs to; weeks begin on Monday."""
    if step == MONTH:
        return day.replace(day=1)
    return day - timedelta(days=min(day.weekday(), day.toordinal() - 1)) if step == WEEK else day


def end_of(start: date, step: str) -> date:
    """The last day of a step."""
    days = {DAY: 0, WEEK: 6, MONTH: 31}[step]
    if (date.max - start).days <= days:
        return date.max
    if step == MONTH:
        return (start + timedelta(days=days)).replace(day=1) - timedelta(days=1)
    return start + timedelta(days=days)


def spans(first: date, last: date, step: str) -> list[tuple[date, date]]:
    """The steps of a period as days from and to, the first and the last cut to it; no more than are drawn."""
    found: list[tuple[date, date]] = []
    start = start_of(first, step)
    while len(found) <= MOST_STEPS:
        end = end_of(start, step)
        found.append((max(start, first), min(end, last)))
        if end >= last:
            break
        start = end + timedelta(days=1)
    return found


def in_steps(found: Mapping[date, Any], first: date, last: date, step: str) -> dict[date, Any]:
    """The amounts of days summed into every step of the period, empty ones included. A period of
    absurd length (a mistyped year) shows only the steps with something in them."""
    summed: dict[date, Any] = {}
    for day in sorted(found):
        start = start_of(day, step)
        summed[start] = summed.get(start, 0) + found[day]
    filled: dict[date, Any] = {}
    start = start_of(first, step)
    while len(filled) < MOST_STEPS:
        filled[start] = summed.get(start, 0)
        end = end_of(start, step)
        if end >= last:
            return filled
        start = end + timedelta(days=1)
    return summed


def step_label(begin: date, close: date, step: str) -> tuple[str, str]:
    """How a step reads on the axis, and in full."""
    if step == DAY:
        return f"{begin:%m-%d}", begin.isoformat()
    if step == WEEK:
        return f"{begin:%m-%d}", f"{begin:%m-%d} 至 {close:%m-%d}"
    month = begin.isoformat()[:7]
    whole = begin.day == 1 and close == end_of(begin, step)
    return month, month if whole else f"{begin.isoformat()} 至 {close.isoformat()}"
