"""From groups of rows to the cards of a page: bars, steps, places, cross tables, each with its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.engine import charts_counts, measures, periods
from app.engine.chartkinds import (
    Breakdown,
    Chart,
    Funnel,
    Grouped,
    Number,
    Pivot,
    Ranking,
    Trend,
    grouped_by,
    overlapping,
)
from app.engine.charts_board import NOTHING, Board
from app.engine.charts_counts import Group
from app.engine.fields import FieldSpec, describe
from app.engine.pages import Bar, Cell, ChartCard, Figure, Grid, Line, Link
from app.engine.periods import Args, Period

BARS = 20
"""So many bars, lines or columns are shown by themselves; the others are one."""
OTHERS = "其他"
REST = "其余"
SHADES = 5
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


Own = Mapping[str, Args]
"""Filters that hold for one chart alone, by its name."""
_NOTHING_OWN: Own = {}


def _within(chart: Chart, board: Board, own: Own) -> Board | None:
    """What the chart looks at: the board, its own filters, and the values it is declared for."""
    narrowed = board.narrowed(own[chart.name]) if chart.name in own else board
    if narrowed is None:
        return None
    view = chart.view if isinstance(chart, Number) else ""
    return narrowed.under({"view": [view]} if view else {}).within(chart.only)


def cards(charts: Sequence[Grouped | Trend], board: Board, own: Own = _NOTHING_OWN) -> list[ChartCard]:
    """The cards of some charts of one list, counted in as few statements as can be."""
    within = {chart.name: _within(chart, board, own) for chart in charts}
    grouped = [c for c in charts if not isinstance(c, Trend)]
    open_ones = [(c, b) for c in grouped if (b := within[c.name]) is not None]
    found = charts_counts.grouped(open_ones)
    made = []
    for chart in charts:
        under = within[chart.name]
        if isinstance(chart, Trend):
            made.append(_trend(chart, under))
        else:
            made.append(_of_groups(chart, found.get(chart.name, []), under))
    return made


def _of_groups(chart: Grouped, groups: list[Group], board: Board | None) -> ChartCard:
    if isinstance(chart, Funnel):
        return _funnel(chart, groups, board)
    if isinstance(chart, Ranking):
        return _ranking(chart, groups, board)
    if isinstance(chart, Pivot):
        return _pivot(chart, groups, board)
    return _breakdown(chart, groups, board)


def _bar(label: str, amount: Any, unit: str, url: str, **more: Any) -> Bar:
    return Bar(label, float(amount), url, said=measures.figure(amount, unit), **more)


def _total(groups: Sequence[Group]) -> Any:
    return sum((g.amount for g in groups), 0)


# ----- breakdown


def _breakdown(chart: Breakdown, groups: list[Group], board: Board | None) -> ChartCard:
    spec = describe(chart.by)
    card = ChartCard(chart.name, chart.title, chart.style, [], heading=spec.label)
    if board is None:
        return card
    card.unit = measures.measured(chart)[1]
    top, rest = groups[:BARS], groups[BARS:]
    total = _total(groups)
    if not overlapping(spec):
        card.total = measures.figure(total, card.unit)
    if chart.style == "pie":
        top.sort(key=lambda g: board.place(spec, g.value))
    for group in top:
        url = board.rows((spec, [group.value]))
        label = board.label(spec, group.value, group.named)
        card.bars.append(_bar(label, group.amount, card.unit, url, tone=board.tone(spec, group.value)))
    if rest:
        url = "" if overlapping(spec) else board.rows((spec, [g.value for g in rest]))
        card.bars.append(_bar(OTHERS, _total(rest), card.unit, url))
    if chart.style == "pie" and not overlapping(spec):
        card.note_heading = "占比"
        for bar in card.bars:
            bar.note = measures.share(bar.value, float(total))
    return card


# ----- ranking


def _ranking(chart: Ranking, groups: list[Group], board: Board | None) -> ChartCard:
    """Places by amount, equal amounts sharing a place; the reader's own row stands out, and is there even
    when it is not among the first."""
    spec = describe(chart.by)
    card = ChartCard(chart.name, chart.title, "bar", [], heading=spec.label, note_heading="占比")
    if board is None:
        return card
    card.unit = measures.measured(chart)[1]
    total = _total(groups)
    card.total = measures.figure(total, card.unit)
    people = [g for g in groups if g.value is not None]
    mine = _own(spec, board)
    shown = [g for n, g in enumerate(people) if n < chart.top or g.value == mine]
    for group in shown:
        place = 1 + sum(other.amount > group.amount for other in people)
        url = board.rows((spec, [group.value]))
        label = board.label(spec, group.value, group.named)
        own = ("我" if _is_people(spec) else "本店") if group.value == mine else ""
        card.bars.append(_bar(label, group.amount, card.unit, url, place=str(place), own=own))
    rest = [g for g in people if g not in shown]
    if rest:
        label = f"{REST} {len(rest)} {'人' if _is_people(spec) else '个'}"
        card.bars.append(_bar(label, _total(rest), card.unit, board.rows((spec, [g.value for g in rest]))))
    for group in groups:
        if group.value is None:
            card.bars.append(_bar(NOTHING, group.amount, card.unit, board.rows((spec, [None]))))
    for bar in card.bars:
        bar.note = measures.share(bar.value, float(total))
    return card


def _own(spec: FieldSpec, board: Board) -> int | None:
    """The record of a ranking that is the reader: the account itself, or the store worked in."""
    known = {"ab_user": board.actor.id, "stores": board.actor.store_id}
    return known.get(spec.target.__tablename__)


def _is_people(spec: FieldSpec) -> bool:
    return bool(spec.target.__tablename__ == "ab_user")


# ----- cross table


def _pivot(chart: Pivot, groups: list[Group], board: Board | None) -> ChartCard:
    down, across = grouped_by(chart)
    card = ChartCard(chart.name, chart.title, "pivot", [], heading=down.label)
    if board is None:
        return card
    card.unit = measures.measured(chart)[1]
    card.total = measures.figure(_total(groups), card.unit)
    lines = _axis(down, [(g.value, g.named, g.amount) for g in groups], board)
    columns = _axis(across, [(g.across, g.across_named, g.amount) for g in groups], board)
    amounts: dict[tuple[int, int], Any] = {}
    for g in groups:
        at = (_at(lines, g.value), _at(columns, g.across))
        amounts[at] = amounts.get(at, 0) + g.amount
    # What is put together beyond the lines would make all the others pale.
    ends = (len(lines) - 1 if lines and lines[-1][0] == OTHERS else -1,
            len(columns) - 1 if columns and columns[-1][0] == OTHERS else -1)  # fmt: skip
    single = {at: a for at, a in amounts.items() if at[0] != ends[0] and at[1] != ends[1]}
    fullest = max((abs(a) for a in single.values()), default=0)

    def cell(amount: Any, url: str, shaded: bool = False) -> Cell:
        heat = _heat(amount, fullest) if shaded else 0
        return Cell(float(amount), measures.figure(amount, card.unit), url if amount else "", heat)

    made = []
    for y, (label, values) in enumerate(lines):
        cells = [
            cell(amounts.get((y, x), 0), board.rows((down, values), (across, others)), (y, x) in single)
            for x, (_, others) in enumerate(columns)
        ]
        url = board.rows((down, values))
        total = sum((amounts.get((y, x), 0) for x in range(len(columns))), 0)
        made.append(Line(label, cells, cell(total, url), url))
    headings = [Link(label, board.rows((across, values))) for label, values in columns]
    totals = [
        cell(sum((amounts.get((y, x), 0) for y in range(len(lines))), 0), headings[x].url)
        for x in range(len(columns))
    ]
    card.grid = Grid(across.label, headings, made, [*totals, cell(_total(groups), board.address({}))])
    return card


_Axis = list[tuple[str, list[Any]]]
"""The words of each line or column and the values it stands for."""


def _axis(spec: FieldSpec, found: Sequence[tuple[Any, str | None, Any]], board: Board) -> _Axis:
    """Choices in the order of their entries, references the biggest first; what goes beyond is one."""
    amounts: dict[Any, Any] = {}
    names: dict[Any, str | None] = {}
    for value, named, amount in found:
        amounts[value] = amounts.get(value, 0) + amount
        names[value] = named
    ordered = sorted(amounts, key=lambda v: (v is None, -amounts[v], names[v] or ""))
    top, rest = ordered[:BARS], ordered[BARS:]
    if spec.target is None:
        top.sort(key=lambda v: board.place(spec, v))
    axis: _Axis = [(board.label(spec, v, names[v]), [v]) for v in top]
    return [*axis, (OTHERS, rest)] if rest else axis


def _at(axis: _Axis, value: Any) -> int:
    return next(n for n, (_, values) in enumerate(axis) if value in values)


def _heat(amount: Any, fullest: Any) -> int:
    if not amount or not fullest or amount < 0:
        return 0
    return max(1, min(SHADES, int(SHADES * amount / fullest) + 1))


# ----- funnel


def _funnel(chart: Funnel, groups: list[Group], board: Board | None) -> ChartCard:
    """Each step with all that stand there or further on, so that no step is wider than the one before."""
    spec = describe(chart.by)
    card = ChartCard(chart.name, chart.title, "funnel", [], heading=spec.label, note_heading="转化率")
    if board is None:
        return card
    standing = {g.value: g.amount for g in groups}
    for n, step in enumerate(chart.steps):
        further = chart.steps[n:]
        label = board.label(spec, step)
        reached = sum(standing.get(s, 0) for s in further)
        url = board.address({spec.name: board.open_values(spec, further)}) if reached else ""
        note = measures.share(reached, card.bars[-1].value) if card.bars else ""
        label = f"{label}及以后" if len(further) > 1 else label
        card.bars.append(_bar(label, reached, "", url, note=note))
    dealer = board.actor.dealer_id
    left_out = [e.label for e in spec.entries(dealer) if e.value not in {str(s.value) for s in chart.steps}]
    card.remark = f"不含{'、'.join(left_out)}" if left_out else ""
    return card


# ----- trend


def _trend(chart: Trend, board: Board | None) -> ChartCard:
    spec = describe(chart.at)
    card = ChartCard(chart.name, chart.title, "trend", [], heading=spec.label)
    if board is None:
        return card
    card.unit = measures.measured(chart)[1]
    first, last = periods.bounds(board.query, spec)
    along = charts_counts.along_time(chart, board)
    if along and (first is None or last is None):
        ends = charts_counts.ends(chart, board)
        if ends is None and first is None:
            return card
        first = first or (ends[0] if ends else None)
        last = last or max([periods.today(board.query), *(ends or ())])
    if along and first is not None and last is not None and _sane(first, last):
        steps = measures.spans(first, last, measures.step_of(first, last))
        if len(steps) <= measures.MOST_STEPS:
            return _drawn(card, spec, board, steps, charts_counts.in_spans(chart, board, steps))
    return _by_day(chart, card, spec, board)


def _sane(first: date, last: date) -> bool:
    return first.year > _FIRST_YEAR and last.year < _LAST_YEAR and first <= last


def _by_day(chart: Trend, card: ChartCard, spec: FieldSpec, board: Board) -> ChartCard:
    first, last = periods.bounds(board.query, spec)
    found = charts_counts.by_day(chart, board)
    if not found and first is None:
        return card
    days = sorted(found)
    first = first or days[0]
    last = last or max([first, periods.today(board.query), *days])
    step = measures.step_of(first, last)
    summed = measures.in_steps(found, first, last, step)
    steps = [(max(start, first), min(measures.end_of(start, step), last)) for start in summed]
    return _drawn(card, spec, board, steps, list(summed.values()))


def _drawn(
    card: ChartCard, spec: FieldSpec, board: Board, steps: Sequence[tuple[date, date]], amounts: Sequence[Any]
) -> ChartCard:
    card.total = measures.figure(sum(amounts, 0), card.unit)
    step = measures.step_of(steps[0][0], steps[-1][1])
    for (begin, close), amount in zip(steps, amounts, strict=True):
        label, whole = measures.step_label(begin, close, step)
        url = board.span(spec, begin.isoformat(), close.isoformat())
        card.bars.append(_bar(label, amount, card.unit, url, words=whole))
    return card


# ----- figures


def figures(
    charts: Sequence[Number], board: Board, period: Period | None, own: Own = _NOTHING_OWN
) -> list[Figure]:
    """The figures with what they were in the period before; those that look at the same rows are asked
    for together."""
    before = period.before() if period is not None else None
    alike: dict[str, list[Number]] = {}
    boards: dict[str, Board | None] = {}
    for chart in charts:
        within = _within(chart, board, own)
        key = within.address({}) if within is not None else ""
        boards[key] = within
        alike.setdefault(key, []).append(chart)
    found: dict[str, Figure] = {}
    for url, together in alike.items():
        within = boards[url]
        now = _amounts(together, within)
        then = _amounts(together, within.under(before.args())) if within is not None and before else None
        for n, chart in enumerate(together):
            unit = chart.unit or measures.measured(chart)[1]
            figure = Figure(chart.name, chart.title, measures.figure(now[n], unit), url)
            figure.amount, figure.unit = float(now[n]), unit
            found[chart.name] = figure
            if then is not None and before is not None:
                figure.change = measures.change(now[n], then[n])
                figure.before = f"上期（{before.words}）：{measures.figure(then[n], unit)}"
    return [found[chart.name] for chart in charts]


def _amounts(charts: Sequence[Number], board: Board | None) -> list[Any]:
    return [0] * len(charts) if board is None else charts_counts.amounts(charts, board)
