"""The kinds of charts a resource declares, and the columns each of them looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.fields import FieldSpec, describe

Chosen = tuple[tuple[Any, tuple[Any, ...]], ...]
"""Values of filters, e.g. ``((Receipt.state, (ReceiptState.VALID,)),)``."""


@dataclass(frozen=True, eq=False)
class Net:
    """The sum of a column where rows having one of ``values`` in ``by`` count against it: receipts less
    refunds."""

    column: Any
    by: Any
    values: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Breakdown:
    """Records grouped by one column: a list of bars, or shares of a whole (``style="pie"``).

    ``sum`` is a column or a `Net` where records are not merely counted. ``only`` are values of the list's
    filters within which the chart looks, so that its bars open the same.
    """

    name: str
    title: str
    by: Any
    style: str = "bar"
    sum: Any = None
    only: Chosen = ()


@dataclass(frozen=True, eq=False)
class Ranking:
    """People or stores in the order of what they have: the first ``top`` of them, the own place wherever it
    is, and the others together. Records without anybody take no place and stand last."""

    name: str
    title: str
    by: Any
    sum: Any = None
    top: int = 10
    only: Chosen = ()


@dataclass(frozen=True, eq=False)
class Pivot:
    """Records grouped by two columns: a table of ``by`` against ``across`` with totals, the fuller cells
    darker; each cell opens its rows."""

    name: str
    title: str
    by: Any
    across: Any
    sum: Any = None
    only: Chosen = ()


@dataclass(frozen=True, eq=False)
class Trend:
    """Records per day, week or month (chosen from the period's length) of ``at``."""

    name: str
    title: str
    at: Any
    sum: Any = None
    only: Chosen = ()


@dataclass(frozen=True, eq=False)
class Funnel:
    """Records that have reached a step of a choice column, in the order given: whoever stands at a later
    step counts at the earlier ones too."""

    name: str
    title: str
    by: Any
    steps: tuple[Any, ...]
    only: Chosen = ()


@dataclass(frozen=True, eq=False)
class Number:
    """One figure: a count or a sum of the list's records, of one of its views, or of some filter values;
    it opens what it counts."""

    name: str
    title: str
    view: str = ""
    sum: Any = None
    unit: str = ""
    only: Chosen = ()


Grouped = Breakdown | Ranking | Pivot | Funnel
Chart = Grouped | Trend | Number


def grouped_by(chart: Grouped) -> list[FieldSpec]:
    """The fields a chart groups by, in the order in which it reads them."""
    return [describe(s) for s in ((chart.by, chart.across) if isinstance(chart, Pivot) else (chart.by,))]


def overlapping(spec: FieldSpec) -> bool:
    """Whether one record may stand in several groups of the field, so that these are more than their rows."""
    return spec.links is not None or spec.kind == "choices"


def summed(chart: Chart) -> list[FieldSpec]:
    """The fields a chart sums, with what decides whether they count against the sum."""
    measure = getattr(chart, "sum", None)
    if measure is None:
        return []
    return [describe(s) for s in ((measure.column, measure.by) if isinstance(measure, Net) else (measure,))]


def charted(chart: Chart) -> list[FieldSpec]:
    """Every field a chart groups, sums or narrows by: who may not read one of them sees no such chart."""
    if isinstance(chart, Trend):
        grouped = [describe(chart.at)]
    else:
        grouped = [] if isinstance(chart, Number) else grouped_by(chart)
    return [*grouped, *summed(chart), *(describe(column) for column, _ in chart.only)]
