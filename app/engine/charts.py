"""Charts of a list: each is one grouped statement under the list's own scope and filters.

What a bar, a point or a figure counts is what the list understands from the address behind it: both come
from the same arguments, so that following one shows exactly the rows that were counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, text

from app.engine import filters, listing, measures, periods, presenting
from app.engine.cells import entry_of
from app.engine.cells import text as words
from app.engine.database import db, id_of
from app.engine.fields import FieldSpec, describe
from app.engine.guards import may_filter
from app.engine.listing import Query
from app.engine.pages import Bar, ChartCard, ChartPage, Chip, Figure, Link
from app.engine.periods import Args, Period
from app.engine.resource import (
    Breakdown,
    Chosen,
    Funnel,
    Number,
    Resource,
    Trend,
    charted,
    resource_of,
)
from app.engine.scopes import Actor, Scope

BARS = 20
OTHERS = "其他"
NOTHING = "未填写"
_WIDE = (Scope.GROUP, Scope.DEALER, Scope.STORE, Scope.DEPARTMENT)
_PLAIN = "n"
"""The tone of a value without one among values that have theirs."""


@dataclass(slots=True)
class _Board:
    """What a chart stands on: a list's address, understood."""

    query: Query
    dialect: str

    @classmethod
    def of(cls, resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> _Board:
        dialect = db.session().get_bind().dialect.name
        return cls(listing.parse(resource, actor, args, now, dialect), dialect)

    @property
    def resource(self) -> type[Resource]:
        return self.query.resource

    @property
    def actor(self) -> Actor:
        return self.query.actor

    def run(self, statement: Select[Any]) -> list[Any]:
        """All rows of a statement under the list's parameters."""
        return list(db.session.execute(statement, self.query.params))

    def under(self, put: Mapping[str, Sequence[str]]) -> _Board:
        """The board of the same address with some arguments replaced."""
        if not put:
            return self
        args = {**self.query.args, **{name: list(values) for name, values in put.items()}}
        return _Board.of(self.resource, self.actor, args, self.query.now)

    def within(self, only: Chosen) -> _Board | None:
        """The board with these values of filters alone; None when the page's own filters exclude them."""
        put: Args = {}
        for column, values in only:
            spec = describe(column)
            put[spec.name] = self.open_values(spec, values)
            if not put[spec.name]:
                return None
        return self.under(put)

    def open_values(self, spec: FieldSpec, values: Sequence[Any]) -> list[str]:
        """Those of the values that the page's own filter by the field leaves, as filters read them."""
        given = [v for v in self.query.args.get(spec.name, ()) if v]
        written = [_written(spec, value, self) for value in values]
        return [w for w in written if w is not None and (not given or w in given)]

    def rows(self, spec: FieldSpec, **put: Sequence[str]) -> str:
        """The list's address with these arguments; empty when the list knows no such filter."""
        known = any(f.spec.name == spec.name for f in filters.declared(self.resource, self.actor))
        return self.address(put) if known else ""

    def address(self, put: Mapping[str, Sequence[str]]) -> str:
        """The list's address, some of its arguments replaced."""
        args = {**self.query.args, **{name: list(values) for name, values in put.items()}}
        return presenting.address(f"/{self.resource.name}/", args)


def page(resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> ChartPage:
    """All charts of a list that this person may see, under the conditions of the address.

    Without a scope in it the page opens as wide as the person may see: charts are looked at for the whole.
    """
    asked = _asked(resource, actor, args, now)
    board = _Board.of(resource, actor, periods.pinned(asked), now)
    period = periods.of(board.query)
    shown = [c for c in resource.charts if all(may_filter(spec, actor) for spec in charted(c))]
    base = f"/{resource.name}/charts"
    fields = presenting.filter_bar(db.session(), resource, actor, asked)
    return ChartPage(
        f"{resource.label}图表", resource.name, base, board.address({}), _scopes(asked, base),
        periods.bar(asked, period, base),
        [_card(c, board) for c in shown if not isinstance(c, Number)],
        _figures([c for c in shown if isinstance(c, Number)], board, period),
        filters=fields, chips=[*_view_chip(asked, base), *presenting.chips(asked, base, fields)],
        hidden=presenting.kept(asked) + [(k, v) for k in ("window", "include") for v in args.get(k, ())],
        clear_url=presenting.address(base, {k: v for k, v in args.items() if k == "scope"}),
        error="；".join(asked.errors),
    )  # fmt: skip


def _asked(resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> Query:
    """The address understood, as wide as the person may see unless it names a scope. A full number is
    looked for in all of them anyhow."""
    query = _Board.of(resource, actor, args, now).query
    tabs = listing.tabs(resource, actor)
    named = listing.first(args, "scope") in {s.value for s in tabs}
    widest = next((s for s in _WIDE if s in tabs), query.scope)
    if named or query.scope is None or widest is None or widest is query.scope:
        return query
    return _Board.of(resource, actor, {**args, "scope": [widest.value]}, now).query


def _scopes(asked: Query, base: str) -> list[Link]:
    return [
        Link(
            asked.resource.scope_label(scope),
            presenting.address(base, asked.args, scope=scope.value),
            active=scope is asked.scope,
        )
        for scope in listing.tabs(asked.resource, asked.actor)
    ]


def _view_chip(asked: Query, base: str) -> list[Chip]:
    """The list shows its view as a tab; here it is one of the conditions."""
    if asked.view is None:
        return []
    return [Chip(f"视图：{asked.view.label}", presenting.address(base, asked.args, drop=("view",)))]


def _card(chart: Breakdown | Trend | Funnel, board: _Board) -> ChartCard:
    within = board.within(chart.only)
    if isinstance(chart, Trend):
        return _trend(chart, within)
    if isinstance(chart, Funnel):
        return _funnel(chart, within)
    return _breakdown(chart, within)


# ----- breakdown


def _breakdown(chart: Breakdown, board: _Board | None) -> ChartCard:
    spec = describe(chart.by)
    card = ChartCard(chart.name, chart.title, chart.style, [], heading=spec.label)
    if board is None:
        return card
    measure, card.unit = measures.measured(chart)
    limit = BARS + filters.MAX_VALUES + 1
    found = board.run(_grouped(spec, measure, board, limit))
    top, rest = found[:BARS], found[BARS:]
    total = found[0].whole if found else 0
    whole = float(total)
    if spec.links is None:
        card.total = measures.figure(total, card.unit)
    if chart.style == "pie":
        top = _in_order(spec, top, board)
    toned = any(e.tone for e in spec.entries(board.actor.dealer_id))
    for row in top:
        url = _bar_url(spec, [row.value], board)
        card.bars.append(Bar(_label(spec, row, board), float(row.amount), url))
        if toned:
            card.bars[-1].tone = _tone(spec, row.value, board)
    if rest:
        complete = len(found) < limit and spec.links is None
        url = _bar_url(spec, [row.value for row in rest], board) if complete else ""
        card.bars.append(Bar(OTHERS, round(whole - sum(bar.value for bar in card.bars), 2), url))
    if chart.style == "pie" and spec.links is None:
        card.note_heading = "占比"
        for bar in card.bars:
            bar.note = measures.share(bar.value, whole)
    return card


def _grouped(spec: FieldSpec, measure: Any, board: _Board, limit: int) -> Select[Any]:
    """Value, amount, the amount of all groups and, for references, the name: biggest first."""
    inner: Select[Any]
    if spec.links is not None:
        key = spec.links.right
        inner = select(key.label("value"), measure.label("amount")).select_from(board.resource.model)
        inner = inner.outerjoin(spec.links.left.class_, spec.links.left == board.resource.pk())
        chosen = [i for i in map(id_of, board.query.args.get(spec.name, ())) if i]
        if chosen:
            inner = inner.where(key.in_(chosen))
    else:
        key = spec.attribute
        inner = select(key.label("value"), measure.label("amount"))
    groups = inner.where(board.query.condition).group_by(key).subquery("groups")
    columns: list[Any] = [groups.c.value, groups.c.amount, func.sum(groups.c.amount).over().label("whole")]
    statement: Select[Any] = select(*columns)
    if spec.target is not None:
        target = resource_of(spec.target)
        statement = select(*columns, target.title.label("named")).select_from(
            groups.outerjoin(spec.target, target.pk() == groups.c.value)
        )
    return statement.order_by(groups.c.amount.desc(), groups.c.value.asc()).limit(limit)


def _in_order(spec: FieldSpec, found: Sequence[Any], board: _Board) -> list[Any]:
    """The shares of a choice in the order of its entries, whatever is not among them last."""
    place = {e.value: n for n, e in enumerate(spec.entries(board.actor.dealer_id))}
    return sorted(found, key=lambda row: place.get(_written(spec, row.value, board) or "", len(place)))


def _tone(spec: FieldSpec, value: Any, board: _Board) -> str:
    known = entry_of(spec, value, board.actor.dealer_id, board.actor.epoch)
    return (known.tone if known is not None else "") or _PLAIN


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


def _funnel(chart: Funnel, board: _Board | None) -> ChartCard:
    """Each step with all that stand there or further on, so that no step is wider than the one before."""
    spec = describe(chart.by)
    card = ChartCard(chart.name, chart.title, "funnel", [], heading=spec.label, note_heading="转化率")
    if board is None:
        return card
    statement = select(chart.by, func.count()).group_by(chart.by)
    standing = {
        row[0]: int(row[1])
        for row in board.run(statement.where(board.query.condition, chart.by.in_(chart.steps)))
    }
    dealer, epoch = board.actor.dealer_id, board.actor.epoch
    for n, step in enumerate(chart.steps):
        further = chart.steps[n:]
        label = words(spec, step, dealer, epoch)
        reached = sum(standing.get(s, 0) for s in further)
        url = board.rows(spec, **{spec.name: board.open_values(spec, further)}) if reached else ""
        note = measures.share(reached, card.bars[-1].value) if card.bars else ""
        bar = Bar(f"{label}及以后" if len(further) > 1 else label, float(reached), url, note=note)
        card.bars.append(bar)
    left_out = [e.label for e in spec.entries(dealer) if e.value not in {str(s.value) for s in chart.steps}]
    card.remark = f"不含{'、'.join(left_out)}" if left_out else ""
    return card


# ----- trend


def _trend(chart: Trend, board: _Board | None) -> ChartCard:
    spec = describe(chart.at)
    card = ChartCard(chart.name, chart.title, "trend", [], heading=spec.label)
    if board is None:
        return card
    measure, card.unit = measures.measured(chart)
    day = measures.day_of(chart.at, spec.kind == "datetime", board.dialect)
    inner = select(day.label("day"), measure.label("amount"))
    inner = inner.where(board.query.condition, chart.at.is_not(None)).group_by(text("1"))
    found = {date.fromisoformat(str(row.day)[:10]): row.amount for row in board.run(inner)}
    first, last = periods.bounds(board.query, spec)
    if not found and first is None:
        return card
    card.total = measures.figure(sum(found.values()), card.unit)
    days = sorted(found)
    first = first or days[0]
    last = last or max([first, periods.today(board.query), *days])
    step = measures.step_of(first, last)
    for start, amount in measures.in_steps(found, first, last, step).items():
        begin, close = max(start, first), min(measures.end_of(start, step), last)
        put = {f"{spec.name}.from": [begin.isoformat()], f"{spec.name}.to": [close.isoformat()]}
        label, whole = measures.step_label(begin, close, step)
        card.bars.append(Bar(label, float(amount), board.rows(spec, **put), words=whole))
    return card


# ----- figures


def _figures(charts: Sequence[Number], board: _Board, period: Period | None) -> list[Figure]:
    """The figures with what they were in the period before; those that look at the same rows are asked
    for together."""
    before = period.before() if period is not None else None
    alike: dict[str, list[Number]] = {}
    boards: dict[str, _Board | None] = {}
    for chart in charts:
        within = board.under({"view": [chart.view]} if chart.view else {}).within(chart.only)
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
            figure = found[chart.name] = Figure(chart.name, chart.title, measures.figure(now[n], unit), url)
            if then is not None and before is not None:
                figure.change = measures.change(now[n], then[n])
                figure.before = f"上期（{before.words}）：{measures.figure(then[n], unit)}"
    return [found[chart.name] for chart in charts]


def _amounts(charts: Sequence[Number], board: _Board | None) -> list[Any]:
    if board is None:
        return [0] * len(charts)
    statement = select(*(measures.measured(c)[0] for c in charts)).select_from(board.resource.model)
    return list(board.run(statement.where(board.query.condition))[0])
