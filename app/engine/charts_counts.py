"""The counting behind charts: few statements, each of which reads an index and no row.

All charts of a page that look at the same rows are counted by one walk: the rows are grouped by every column
that one of the charts groups by, and each chart sums those groups by its own. Where the resource declares
``facets``, the walk follows the index over them (`indexes`), and a trend the index along its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    String,
    cast,
    func,
    literal,
    null,
    select,
    text,
    type_coerce,
    union_all,
    values,
)
from sqlalchemy import column as named_column

from app.engine import indexes, measures
from app.engine.chartkinds import Chart, Grouped, Number, Trend, grouped_by, overlapping, summed
from app.engine.charts_board import Board
from app.engine.database import id_of
from app.engine.fields import FieldSpec, describe
from app.engine.guards import beyond, own
from app.engine.localtime import local, local_day
from app.engine.resource import resource_of
from app.engine.scopes import Scope
from app.engine.slots import contains, marked

_OF_A_PLACE = frozenset({Scope.GROUP, Scope.DEALER, Scope.STORE})


@dataclass(frozen=True, slots=True)
class Group:
    """The rows with one value, or with one value and another across, and how much they are; ``named`` are
    the names of the records referred to."""

    value: Any
    amount: Any
    named: str | None = None
    across: Any = None
    across_named: str | None = None


Counted = tuple[Grouped, Board]


def grouped(wanted: Sequence[Counted]) -> dict[str, list[Group]]:
    """The groups of each chart by its name, the biggest first: one statement for all that look at the same
    rows by the same index and measure the same, one more for each chart over links."""
    found: dict[str, list[Group]] = {}
    together: dict[tuple[str, int, str], list[Counted]] = {}
    for chart, board in wanted:
        if any(spec.links is not None for spec in grouped_by(chart)):
            found[chart.name] = _linked(chart, board)
        elif any(map(overlapping, grouped_by(chart))):
            found[chart.name] = _of_each_option(chart, board)
        else:
            way = _way([chart], board)
            key = (board.address({}), id(measure_of(chart)), way.name if way is not None else "")
            together.setdefault(key, []).append((chart, board))
    for alike in together.values():
        found |= _counted([chart for chart, _ in alike], alike[0][1])
    return found


def measure_of(chart: Chart) -> Any:
    """What the chart sums; None where it counts."""
    return getattr(chart, "sum", None)


def _way(charts: Sequence[Grouped], board: Board) -> indexes.Walk | None:
    """The index over facets that holds everything these charts and the board's conditions look at."""
    names = {spec.name for chart in charts for spec in grouped_by(chart)}
    for walk in indexes.walks(board.resource):
        if names <= {f.name for f in walk.facets} and _held(charts, board, walk.held):
            return walk
    return None


def _counted(charts: Sequence[Grouped], board: Board) -> dict[str, list[Group]]:
    measure, unit = measures.measured(charts[0])
    way = _way(charts, board)
    columns = list({spec.name: spec for chart in charts for spec in grouped_by(chart)}.values())
    if way is not None:
        # An index is walked from its beginning: with the facets between those of the charts.
        names = [f.name for f in way.facets]
        columns = list(way.facets[: 1 + max(names.index(spec.name) for spec in columns)])
    keys: list[Any] = [own(spec, spec.attribute, board.query.actor) for spec in columns]
    rows = select(*(key.label(f"c{n}") for n, key in enumerate(keys)), measure.label("amount"))
    keys = [
        key if key is spec.attribute else text(f"c{n}")
        for n, (key, spec) in enumerate(zip(keys, columns, strict=True))
    ]
    if way is not None:
        keys.insert(0, board.resource.scopes.dealer)
        rows = _hinted(rows, board, way.name)
    walk = rows.where(board.query.condition).group_by(*keys).cte("walk")
    place = {spec.name: walk.c[f"c{n}"] for n, spec in enumerate(columns)}
    arms: list[Any] = [_arm(n, grouped_by(chart), place, walk) for n, chart in enumerate(charts)]
    statement: Any = union_all(*arms) if len(arms) > 1 else arms[0]
    found: dict[str, list[Group]] = {chart.name: [] for chart in charts}
    for n, value, named, across, across_named, amount in board.run(statement):
        chart = charts[n]
        first, *second = grouped_by(chart)
        other = _read(second[0], across) if second else None
        group = Group(_read(first, value), _amount(amount, unit, chart), named, other, across_named)
        found[chart.name].append(group)
    for groups in found.values():
        groups.sort(key=_biggest_first)
    return found


def _arm(number: int, specs: Sequence[FieldSpec], place: Mapping[str, Any], walk: Any) -> Any:
    """One chart's groups: values as texts, so that all charts stand in one result."""
    keys = [place[spec.name] for spec in specs]
    groups = (
        select(*(key.label(f"k{n}") for n, key in enumerate(keys)), func.sum(walk.c.amount).label("amount"))
        .group_by(*keys)
        .subquery(f"groups{number}")
    )
    source: Any = groups
    shown: list[Any] = []
    for n, spec in enumerate(specs):
        key = groups.c[f"k{n}"]
        shown.append(key)
        if spec.target is None:
            shown.append(null())
            continue
        target = resource_of(spec.target)
        other = target.model.__table__.alias(f"named{number}_{n}")
        source = source.outerjoin(other, other.c.id == key)
        shown.append(other.c[target.title.key])
    shown += [null()] * (4 - len(shown))
    labels = ("value", "named", "across", "across_named")
    texts = [cast(s, String).label(label) for s, label in zip(shown, labels, strict=True)]
    return select(literal(number, Integer).label("chart"), *texts, groups.c.amount).select_from(source)


def _read(spec: FieldSpec, said: str | None) -> Any:
    """A group's value from its text."""
    if said is None:
        return None
    if spec.kind == "bool":
        return said in ("1", "true", "True")
    if spec.kind == "ref":
        return int(said)
    return spec.choices.of(said) if spec.choices is not None else said


def _amount(amount: Any, unit: str, chart: Chart) -> Any:
    if measure_of(chart) is None:
        return int(amount)
    exact = amount if isinstance(amount, Decimal) else Decimal(str(amount or 0))
    return round(exact, 2) if unit == measures.YUAN else exact


def _biggest_first(group: Group) -> tuple[Any, ...]:
    value = getattr(group.value, "value", group.value)
    return -group.amount, value is None, value if isinstance(value, int) else 0, str(value)


def _linked(chart: Grouped, board: Board) -> list[Group]:
    """The groups by a set of links: a record counts in each of its groups."""
    spec = grouped_by(chart)[0]
    measure, unit = measures.measured(chart)
    links = spec.links
    assert links is not None
    key = links.right
    inner = select(key.label("value"), measure.label("amount")).select_from(board.resource.model)
    inner = inner.outerjoin(links.left.class_, links.left == board.resource.pk())
    chosen = [i for i in map(id_of, board.query.args.get(spec.name, ())) if i]
    if chosen:
        inner = inner.where(key.in_(chosen))
    groups = inner.where(board.query.condition).group_by(key).subquery("groups")
    target = resource_of(spec.target)
    statement = select(groups.c.value, groups.c.amount, target.title.label("named")).select_from(
        groups.outerjoin(spec.target, target.pk() == groups.c.value)
    )
    rows = [Group(r.value, _amount(r.amount, unit, chart), r.named) for r in board.run(statement)]
    return sorted(rows, key=_biggest_first)


def _of_each_option(chart: Grouped, board: Board) -> list[Group]:
    """The groups by several choices: a record counts at each option it holds. What was chosen together is summed
    first, and the few sorts of that are looked through for the options; where the page asks for some of them,
    only those, because a bar opens what holds its option whatever else was asked."""
    spec, actor = grouped_by(chart)[0], board.query.actor
    measure, unit = measures.measured(chart)
    held = type_coerce(spec.attribute, String)
    rows = select(held.label("held"), measure.label("amount")).where(board.query.condition)
    dealer = beyond(spec, actor)
    if dealer is not None:  # in other dealers' records the column is something else
        rows = rows.where(spec.attribute.class_.dealer_id == dealer)
    walk = rows.group_by(spec.attribute).cte("walk")
    known = [e.value for e in spec.entries(actor.dealer_id)]
    asked = [v for v in board.query.args.get(spec.name, ()) if v in known] or known
    options = values(named_column("value", String), named_column("marked", String), name="options")
    each = options.data([(value, marked(value)) for value in asked] or [("", "")]).cte("each")
    of_each = select(each.c.value, func.sum(walk.c.amount)).group_by(each.c.value)
    of_each = of_each.where(contains(walk.c.held, each.c.marked))
    of_none = select(null(), func.sum(walk.c.amount)).where(walk.c.held.is_(None))
    both: Any = union_all(of_each, of_none)
    found = board.run(both)
    groups = [Group(value, _amount(amount, unit, chart)) for value, amount in found if amount is not None]
    return sorted(groups, key=_biggest_first)


# ----- figures


def amounts(charts: Sequence[Number], board: Board) -> list[Any]:
    """The figures that look at the same rows, asked for together."""
    statement = select(*(measures.measured(c)[0] for c in charts)).select_from(board.resource.model)
    statement = statement.where(board.query.condition)
    if any(summed(chart) for chart in charts):  # what is only counted has shorter ways
        statement = _by_time(statement, charts, board)
    found = board.run(statement)[0]
    return [_amount(n, measures.measured(c)[1], c) for c, n in zip(charts, found, strict=True)]


# ----- trends


def ends(chart: Trend, board: Board) -> tuple[date, date] | None:
    """The days of the first and the last row of a trend that is counted along the time; None where it has
    none."""
    at = chart.at
    if Scope.GROUP in board.query.scopes:
        dealer = board.resource.scopes.dealer
        house = select(resource_of(describe(dealer).target).pk().label("id")).subquery("house")
        edges = [_edge(chart, board, order).where(dealer == house.c.id) for order in (at, at.desc())]
        old, new = (edge.correlate(house).scalar_subquery() for edge in edges)
        found = board.run(select(func.min(old), func.max(new)).select_from(house))[0]
    else:
        edges = [_edge(chart, board, order) for order in (at, at.desc())]
        found = board.run(select(*(edge.scalar_subquery() for edge in edges)))[0]
    if found[0] is None:
        return None
    low, high = (local(v).date() if isinstance(v, datetime) else v for v in found)
    return low, high


def _edge(chart: Trend, board: Board, order: Any) -> Select[Any]:
    where = (board.query.condition, chart.at.is_not(None))
    found = select(chart.at).where(*where).order_by(order).limit(1)
    return _hinted(found, board, indexes.name_along_time(board.resource))


def in_spans(chart: Trend, board: Board, spans: Sequence[tuple[date, date]]) -> list[Any]:
    """The amounts of some spans of days, none overlapping another: each is a range of the index."""
    spec = describe(chart.at)
    measure, unit = measures.measured(chart)

    def bound(day: date) -> Any:
        return local_day(day) if spec.kind == "datetime" else day

    kind = chart.at.type
    steps = values(
        named_column("n", Integer), named_column("low", kind), named_column("high", kind), name="steps"
    ).data([(n, bound(a), bound(b + timedelta(days=1))) for n, (a, b) in enumerate(spans)])
    steps_cte = steps.cte("steps")
    inner = select(measure).where(
        chart.at >= steps_cte.c.low, chart.at < steps_cte.c.high, board.query.condition
    )
    inner = _by_time(inner, [chart], board).correlate(steps_cte)
    found = {
        row.n: row.amount for row in board.run(select(steps_cte.c.n, inner.scalar_subquery().label("amount")))
    }
    return [_amount(found[n] or 0, unit, chart) for n in range(len(spans))]


def by_day(chart: Trend, board: Board) -> dict[date, Any]:
    """The amounts of the days that have any: the rows are read once, whatever the conditions are."""
    spec = describe(chart.at)
    measure, unit = measures.measured(chart)
    day = measures.day_of(chart.at, spec.kind == "datetime", board.dialect)
    statement = select(day.label("day"), measure.label("amount"))
    statement = statement.where(board.query.condition, chart.at.is_not(None)).group_by(text("1"))
    return {
        date.fromisoformat(str(row.day)[:10]): _amount(row.amount, unit, chart)
        for row in board.run(statement)
    }


# ----- the indexes that hold all that is looked at


def along_time(chart: Trend, board: Board) -> bool:
    """Whether the index along the list's time holds everything that the chart and the board's conditions
    look at: then a range of it is counted without reading a row."""
    return _held([chart], board, indexes.along_time(board.resource))


def _held(charts: Sequence[Chart], board: Board, held: Mapping[str, Any]) -> bool:
    query, scopes = board.query, board.resource.scopes
    places = _OF_A_PLACE if scopes.through is None else _OF_A_PLACE - {Scope.STORE}
    if not held or query.search is not None or query.view is not None:
        return False
    if not query.scopes or not query.scopes <= places:
        return False
    looked = {f.spec.name for f in query.filters}
    for chart in charts:
        grouped = [] if isinstance(chart, Trend | Number) else grouped_by(chart)
        at = [describe(chart.at)] if isinstance(chart, Trend) else []
        looked |= {spec.name for spec in (*summed(chart), *grouped, *at)}
    return looked <= held.keys()


def _by_time(statement: Select[Any], charts: Sequence[Chart], board: Board) -> Select[Any]:
    """The statement made to follow the index along the time, dealer by dealer for those who see several."""
    held = indexes.along_time(board.resource)
    if not _held(charts, board, held):
        return statement
    if Scope.GROUP in board.query.scopes:
        dealer = board.resource.scopes.dealer
        others = resource_of(describe(dealer).target)
        statement = statement.where(dealer.in_(select(others.pk())))
    return _hinted(statement, board, indexes.name_along_time(board.resource))


def _hinted(statement: Select[Any], board: Board, index: str) -> Select[Any]:
    """SQLite plans without knowing the values, and takes the index of a narrower condition though it has to
    read the rows then."""
    return statement.with_hint(board.resource.model, f"INDEXED BY {index}", "sqlite")
