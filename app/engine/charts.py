"""Charts of a list: each is one grouped statement under the list's own scope and filters.

The address behind a bar, a point or a number is the list's address with the same filters and one more,
so that it opens exactly the rows that were counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, text

from app.engine import filters, listing, measures, presenting
from app.engine.cells import entry_of, local
from app.engine.cells import text as words
from app.engine.database import db
from app.engine.fields import FieldSpec, describe
from app.engine.guards import hidden, may_filter
from app.engine.listing import Query
from app.engine.pages import ChartCard, ChartPage, Link
from app.engine.resource import Breakdown, Chart, Funnel, Number, Resource, Trend, resource_of
from app.engine.scopes import Actor

BARS = 20
OTHERS = "其他"
NOTHING = "未填写"
PERIODS = ((30, "近30天"), (90, "近90天"), (180, "近180天"), (365, "近一年"))

Args = dict[str, list[str]]


@dataclass(slots=True)
class _Board:
    """What all charts of one page share."""

    resource: type[Resource]
    actor: Actor
    query: Query
    where: ColumnElement[bool]
    params: Mapping[str, Any]
    args: Args
    dialect: str

    def run(self, statement: Select[Any]) -> list[Any]:
        """All rows of a statement under the actor's parameters."""
        return list(db.session.execute(statement, dict(self.params)))

    def filterable(self, spec: FieldSpec) -> bool:
        """Whether the list understands a filter by this field from this person."""
        return any(f.spec.name == spec.name for f in filters.declared(self.resource, self.actor))

    def rows(self, spec: FieldSpec, **put: Sequence[str]) -> str:
        """The list's address with the same filters and these; empty when the list knows no such filter."""
        return self.address(put) if self.filterable(spec) else ""

    def address(self, put: Mapping[str, Sequence[str]]) -> str:
        """The list's address under this page's filters, some of them replaced."""
        args = {**self.args, **{name: list(values) for name, values in put.items()}}
        return presenting.address(f"/{self.resource.name}/", args)


def page(
    resource: type[Resource],
    actor: Actor,
    condition: ColumnElement[bool],
    params: Mapping[str, Any],
    args: listing.Args,
    now: datetime,
) -> ChartPage:
    """All charts of a list that this person may see, under the list's condition (scope and filters)."""
    dialect = db.session().get_bind().dialect.name
    query = listing.parse(resource, actor, args, now, dialect)
    pinned = _pinned(resource, query, args)
    board = _Board(resource, actor, query, condition, params, pinned, dialect)
    shown = [c for c in resource.charts if _allowed(c, actor)]
    base = f"/{resource.name}/charts"
    bar = presenting.filter_bar(db.session(), resource, actor, query)
    return ChartPage(
        f"{resource.label}图表", resource.name, base, presenting.address(f"/{resource.name}/", pinned), [],
        _periods(resource, query, args, now, base),
        [_card(c, board) for c in shown if not isinstance(c, Number)],
        _numbers([c for c in shown if isinstance(c, Number)], board),
        filters=bar, chips=presenting.chips(query, base, bar), hidden=presenting.kept(query),
        clear_url=presenting.address(base, {k: v for k, v in args.items() if k == "scope"}),
    )  # fmt: skip


def _allowed(chart: Chart, actor: Actor) -> bool:
    """No chart over what the person may not read: counts and sums would give it away."""
    sources = [getattr(chart, name, None) for name in ("by", "at", "sum")]
    return all(may_filter(describe(s), actor) for s in sources if s is not None)


def _pinned(resource: type[Resource], query: Query, args: listing.Args) -> Args:
    """The filters in force with the default window as a plain date, so that no later rule changes it."""
    found = {name: list(values) for name, values in args.items()}
    if query.scope is not None:
        found["scope"] = [query.scope.value]
    if any(f.default and f.names == ("window",) for f in query.filters) and resource.window is not None:
        name = describe(resource.window.column).name
        if any(f.name == name for f in (d.spec for d in filters.declared(resource, query.actor))):
            first = local(query.now).date() - timedelta(days=resource.window.days)
            found[f"{name}.from"] = [first.isoformat()]
    return found


def _card(chart: Breakdown | Trend | Funnel, board: _Board) -> ChartCard:
    if isinstance(chart, Trend):
        return _trend(chart, board)
    if isinstance(chart, Funnel):
        return _funnel(chart, board)
    return _breakdown(chart, board)


def _measure(chart: Any) -> tuple[ColumnElement[Any], str]:
    """What is counted or summed, and its unit."""
    if getattr(chart, "sum", None) is None:
        return func.count(), ""
    spec = describe(chart.sum)
    return func.coalesce(func.sum(chart.sum), 0), "元" if spec.kind == "money" else spec.unit


def _total(value: float, unit: str) -> str:
    return f"¥{value:,.2f}" if unit == "元" else f"{value:,.12g}"


# ----- breakdown


def _breakdown(chart: Breakdown, board: _Board) -> ChartCard:
    spec = describe(chart.by)
    measure, unit = _measure(chart)
    limit = BARS + filters.MAX_VALUES + 1
    found = board.run(_grouped(spec, measure, board, limit))
    top, rest = found[:BARS], found[BARS:]
    whole = float(found[0].whole) if found else 0.0
    card = ChartCard(chart.name, chart.title, chart.style, [], [], [], unit)
    card.total = "" if spec.links is not None else _total(whole, unit)
    for row in top:
        card.labels.append(_label(spec, row, board))
        card.values.append(float(row.amount))
        card.urls.append(_bar_url(spec, [row.value], board))
    if rest:
        complete = len(found) < limit and spec.links is None
        card.labels.append(OTHERS)
        card.values.append(round(whole - sum(card.values), 2))
        card.urls.append(_bar_url(spec, [row.value for row in rest], board) if complete else "")
    return card


def _grouped(spec: FieldSpec, measure: ColumnElement[Any], board: _Board, limit: int) -> Select[Any]:
    """Value, amount, the amount of all groups and, for references, the name: biggest first."""
    inner: Select[Any]
    if spec.links is not None:
        key = spec.links.right
        inner = select(key.label("value"), measure.label("amount")).select_from(board.resource.model)
        inner = inner.outerjoin(spec.links.left.class_, spec.links.left == board.resource.pk())
        chosen = [int(v) for v in board.args.get(spec.name, ()) if v.isdigit()]
        if chosen:
            inner = inner.where(key.in_(chosen))
    else:
        key = spec.attribute
        inner = select(key.label("value"), measure.label("amount"))
    groups = inner.where(board.where).group_by(key).subquery("groups")
    columns: list[Any] = [groups.c.value, groups.c.amount, func.sum(groups.c.amount).over().label("whole")]
    statement: Select[Any] = select(*columns)
    if spec.target is not None:
        target = resource_of(spec.target)
        statement = select(*columns, target.title.label("named")).select_from(
            groups.outerjoin(spec.target, target.pk() == groups.c.value)
        )
    return statement.order_by(groups.c.amount.desc(), groups.c.value.asc()).limit(limit)


def _label(spec: FieldSpec, row: Any, board: _Board) -> str:
    if row.value is None or row.value == "":
        return NOTHING
    if spec.target is not None:
        return str(row.named) if row.named is not None else f"#{row.value}"
    return words(spec, row.value, board.actor.dealer_id, board.actor.epoch)


def _bar_url(spec: FieldSpec, values: Sequence[Any], board: _Board) -> str:
    written = [_written(spec, value, board) for value in values]
    if any(value is None for value in written):
        return ""
    return board.rows(spec, **{spec.name: [v for v in written if v is not None]})


def _written(spec: FieldSpec, value: Any, board: _Board) -> str | None:
    """The value as the list's filter reads it; None when it cannot."""
    if value is None:
        return filters.EMPTY
    if spec.kind == "bool":
        return "1" if value else "0"
    if spec.kind in ("ref", "refs", "integer"):
        return str(value)
    if spec.kind == "choice":
        known = entry_of(spec, value, board.actor.dealer_id, board.actor.epoch)
        return known.value if known is not None else None
    return None


# ----- funnel


def _funnel(chart: Funnel, board: _Board) -> ChartCard:
    spec = describe(chart.by)
    statement = (
        select(chart.by, func.count()).where(board.where, chart.by.in_(chart.steps)).group_by(chart.by)
    )
    found = {row[0]: int(row[1]) for row in board.run(statement)}
    dealer, epoch = board.actor.dealer_id, board.actor.epoch
    return ChartCard(
        chart.name, chart.title, "funnel",
        [words(spec, step, dealer, epoch) for step in chart.steps],
        [float(found.get(step, 0)) for step in chart.steps],
        [_bar_url(spec, [step], board) if found.get(step) else "" for step in chart.steps],
        total=_total(sum(found.values()), ""),
    )  # fmt: skip


# ----- trend


def _trend(chart: Trend, board: _Board) -> ChartCard:
    spec = describe(chart.at)
    measure, unit = _measure(chart)
    first, last = _period(spec, board)
    step = measures.step_of(first, last)
    bucket = measures.bucket(chart.at, spec.kind == "datetime", step, board.dialect)
    inner = select(bucket.label("bucket"), measure.label("amount"))
    inner = inner.where(board.where, chart.at.is_not(None)).group_by(text("1")).order_by(text("1"))
    found = {date.fromisoformat(str(row.bucket)[:10]): float(row.amount) for row in board.run(inner)}
    card = ChartCard(chart.name, chart.title, "line", [], [], [], unit, _total(sum(found.values()), unit))
    for start in measures.steps(found, step):
        end = measures.following(start, step) - timedelta(days=1)
        begin = max(start, first) if first else start
        close = min(end, last) if last else end
        card.labels.append(measures.step_label(start, step))
        card.values.append(found.get(start, 0.0))
        put = {f"{spec.name}.from": [begin.isoformat()], f"{spec.name}.to": [close.isoformat()]}
        card.urls.append(board.rows(spec, **put))
    return card


def _period(spec: FieldSpec, board: _Board) -> tuple[date | None, date | None]:
    """The first and last day in force for this field, in local days."""
    ends: list[date | None] = []
    for end in ("from", "to"):
        given = (board.args.get(f"{spec.name}.{end}") or [""])[0][:10]
        try:
            ends.append(date.fromisoformat(given))
        except ValueError:
            ends.append(None)
    first, last = ends
    return first, last or (local(board.query.now).date() if first else None)


# ----- numbers


def _numbers(charts: Sequence[Number], board: _Board) -> list[Link]:
    """All figures in one statement; a figure opens its rows when a view of the list means the same."""
    if not charts:
        return []
    parts, urls, units = [], [], []
    params = dict(board.params)
    for chart in charts:
        where, more, url = _number_rows(chart, board)
        params |= more
        measure, unit = _measure(chart)
        parts.append(select(measure).select_from(board.resource.model).where(where).scalar_subquery())
        urls.append(url)
        units.append(chart.unit or unit)
    row = db.session.execute(select(*parts), params).one()
    return [
        Link(chart.title, url, count=_figure(value, unit), name=chart.name)
        for chart, value, url, unit in zip(charts, row, urls, units, strict=True)
    ]


def _number_rows(chart: Number, board: _Board) -> tuple[ColumnElement[bool], Mapping[str, Any], str]:
    """What is counted, its further parameters, and the address that lists the same."""
    if chart.where is None:
        return board.where, {}, board.address({})
    view = next((v for v in board.resource.views if v.where is chart.where or v.name == chart.name), None)
    if view is None:
        return and_(board.where, chart.where(board.query.now)), {}, ""
    args = {**board.args, "view": [view.name]}
    query = listing.parse(board.resource, board.actor, args, board.query.now, board.dialect)
    return query.condition, query.params, board.address({"view": [view.name]})


def _figure(value: Any, unit: str) -> str:
    amount = value if isinstance(value, Decimal) else Decimal(str(value or 0))
    return f"¥{amount:,.2f}" if unit == "元" else f"{amount:,f}{unit}"


# ----- periods


def _periods(
    resource: type[Resource], query: Query, args: listing.Args, now: datetime, base: str
) -> list[Link]:
    """Quick choices of the time range, where the list has a window or a range of times to filter by."""
    source = resource.window.column if resource.window is not None else None
    if source is None or hidden(source, query.actor) is not None:
        return []
    name = describe(source).name
    today = local(now).date()
    drop = (f"{name}.from", f"{name}.to", "window")
    given = listing.first(args, f"{name}.from")
    asked_all = listing.first(args, "window") == "all"
    found = []
    for days, label in PERIODS:
        first = (today - timedelta(days=days)).isoformat()
        default = not given and not asked_all and resource.window_days() == days
        url = presenting.address(base, args, drop=drop, **{f"{name}.from": first})
        found.append(Link(label, url, active=default or given == first))
    everything = presenting.address(base, args, drop=drop, window="all")
    return [*found, Link("全部", everything, active=asked_all and not given)]
