"""The quiet tone at the edge of a row, by a condition of the open view. It is judged from what the page shows
anyway: gated values of its own columns, without a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from app.engine import relative
from app.engine.fields import FieldSpec
from app.engine.filters import EMPTY
from app.engine.guards import may_filter
from app.engine.localtime import local
from app.engine.savedviews import RowColour
from app.engine.scopes import Actor

MOST = 5
KINDS = frozenset({"choice", "bool", "date", "datetime"})
"""The kinds of fields that colour a row."""
PERIODS = ("past", "today", "tomorrow", "week", "next-3", "next-7", "last-7")
"""What of a date colours a row."""

Painter = Callable[[Sequence[Any]], str]


def painter(
    colours: Sequence[RowColour], specs: Sequence[FieldSpec], actor: Actor, now: datetime
) -> Painter | None:
    """What gives the tone of a row by its values, which stand in the order of the columns; None where no
    condition looks at any of them. The first that holds counts."""
    places = {s.name: n for n, s in enumerate(specs) if s.kind in KINDS and not s.multiple}
    today = local(now).date()
    found: list[tuple[int, str, relative.Days | None, str]] = []
    for colour in colours[:MOST]:
        place = places.get(colour.field)
        if place is None or not may_filter(specs[place], actor):
            continue
        dated = specs[place].kind in ("date", "datetime") and colour.value != EMPTY
        period = relative.days(colour.value, today) if dated else None
        if not dated or period is not None:
            found.append((place, colour.value, period, colour.tone.value))
    if not found:
        return None

    def paint(values: Sequence[Any]) -> str:
        for place, wanted, period, tone in found:
            value = values[place]
            if _within(value, period) if period is not None else _word(value) == wanted:
                return tone
        return ""

    return paint


def _within(value: Any, period: relative.Days) -> bool:
    day = local(value).date() if isinstance(value, datetime) else value
    if not isinstance(day, date):
        return False
    first, last = period
    return (first is None or first <= day) and (last is None or day <= last)


def _word(value: Any) -> str:
    """A value as filters write it."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(getattr(value, "value", value))
