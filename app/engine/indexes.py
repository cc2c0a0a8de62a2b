"""Indexes that follow from declarations: each scope's way through the list's order.

A list walks an index ``(scope column, sort column, id)`` per arm of the scope, so the first page costs
the same for everybody. Called once after all resources are declared and before the metadata is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint

from app.engine.chartkinds import Number, Trend, grouped_by, summed
from app.engine.fields import FieldSpec, Links, describe
from app.engine.resource import (
    Asked,
    Related,
    Resource,
    has_resource,
    looked_up,
    parted,
    resource_of,
    resources,
)
from app.engine.scopes import of_others

_LONGEST = 63


def derive() -> list[Index]:
    """Add the missing indexes to the tables of all resources; returns the new ones."""
    added = []
    for resource in resources():
        added += _of_charts(resource)
        for columns, partial in _wanted(resource):
            index = _add(columns, partial)
            if index is not None:
                added.append(index)
        added += _of_given(resource)
    for table in {index.table for index in added if index.table is not None}:
        _drop_covered(table)
    return [index for index in added if index.table is not None and index in index.table.indexes]


def _drop_covered(table: Table) -> None:
    """An index of one column serves nothing beside one that starts with the same column."""
    longer = {next(iter(i.columns)) for i in table.indexes if len(i.columns) > 1 and _whole(i)}
    for index in [i for i in table.indexes if len(i.columns) == 1 and not i.unique and _whole(i)]:
        if next(iter(index.columns)) in longer:
            table.indexes.discard(index)


def _of_given(resource: type[Resource]) -> list[Index]:
    """What others filed and gave to somebody: most of what a person looks after is filed by the same one, and
    the way to the rest would lead past it."""
    scopes = resource.scopes
    if scopes.mine is None or not any(source is scopes.owned for source in scopes.related):
        return []
    first, key = _orders(resource)[0], _column(resource.pk())
    columns = _distinct(_column(scopes.owned), first, key)
    where = of_others(_column(scopes.mine), columns[0])
    name = f"ix_{columns[0].table.name}_given"
    if any(known.name == name for known in columns[0].table.indexes):
        return []
    return [Index(name, *columns, sqlite_where=where, postgresql_where=where)]


def along_time(resource: type[Resource]) -> Mapping[str, Column[Any]]:
    """What the index along the dealer's time holds, by the fields' names: besides the list's order that by
    which people narrow a chart, and what figures and trends sum. Empty without declared facets."""
    key: Any = resource.base
    return _along_time(key)


@cache
def _along_time(resource: type[Resource]) -> Mapping[str, Column[Any]]:
    dealer, time = resource.scopes.dealer, charted_time(resource)
    if not resource.facets or dealer is None or time is None or _column(dealer).nullable:
        return {}
    facets = (source for group in resource.facets for source in group)
    people = [s for s in map(describe, facets) if s.kind == "ref"]
    narrowed = [column for column, _ in resource.leaves_out]
    narrowed += [column for chart in resource.charts for column, _ in chart.only]
    charts = [c for c in resource.charts if isinstance(c, Number | Trend)]
    more = [*people, *map(describe, narrowed), *(s for chart in charts for s in summed(chart))]
    found = {s.name: _column(s.attribute) for s in (describe(dealer), time)}
    found["id"] = _column(resource.pk())
    return found | {s.name: _column(s.attribute) for s in more if s.attribute is not None}


def name_along_time(resource: type[Resource]) -> str:
    """The name of that index; it stands where the one of the list's order would."""
    columns = list(along_time(resource).values())
    return _name(columns[0].table, columns[:3], taken=())


def charted_time(resource: type[Resource]) -> FieldSpec | None:
    """The time that charts of a list are about: that of its window, else of its first trend."""
    trends = [chart.at for chart in resource.charts if isinstance(chart, Trend)]
    wanted = [resource.window.column] if resource.window is not None else trends[:1]
    return describe(wanted[0]) if wanted else None


@dataclass(frozen=True, slots=True)
class Walk:
    """An index over a group of facets: its name, the fields that charts group by, in its order, and all that
    it holds by the fields' names: besides them what the list leaves out, its time, and what charts sum."""

    name: str
    facets: tuple[FieldSpec, ...]
    held: Mapping[str, Column[Any]]


def walks(resource: type[Resource]) -> Sequence[Walk]:
    """The indexes over the facets of a resource."""
    key: Any = resource.base
    return _walks(key)


@cache
def _walks(resource: type[Resource]) -> Sequence[Walk]:
    time = charted_time(resource)
    if not along_time(resource) or time is None:
        return ()
    found = []
    for group in resource.facets:
        facets = tuple(describe(source) for source in group)
        charts = [c for c in resource.charts if not isinstance(c, Number | Trend)]
        inside = [c for c in charts if {s.name for s in grouped_by(c)} <= {f.name for f in facets}]
        left_out = [describe(column) for column, _ in resource.leaves_out]
        sums = [s for chart in inside for s in summed(chart)]
        specs = [describe(resource.scopes.dealer), *facets, *left_out, time, *sums]
        held = {s.name: _column(s.attribute) for s in specs}
        found.append(Walk(f"ix_{resource.model.__tablename__}_by_{facets[0].name}", facets, held))
    return tuple(found)


def _of_charts(resource: type[Resource]) -> list[Index]:
    """What answers the charts of a large list without its rows: an index along its time, and one over each
    group of facets, by which one walk counts for several charts."""
    if not along_time(resource):
        return []
    known = {i.name for i in resource.model.__table__.indexes}
    wanted = {walk.name: walk.held for walk in walks(resource)}
    wanted[name_along_time(resource)] = along_time(resource)
    return [Index(name, *held.values()) for name, held in wanted.items() if name not in known]


_Wanted = tuple[list[Column[Any]], bool]


def _wanted(resource: type[Resource]) -> Iterator[_Wanted]:
    """The columns of every index the resource's lists need, and whether empty first ones are left out."""
    key = _column(resource.pk())
    scopes = resource.scopes
    first, *further = _orders(resource)
    yield _distinct(first, key), False
    wide = (scopes.dealer, scopes.store, scopes.mine)
    for source in (*wide, scopes.owned, scopes.department, scopes.through):
        if source is not None:
            yield _distinct(_column(source), first, key), False
    for source in scopes.related:
        if not isinstance(source, Links):
            column = _column(source)
            yield _distinct(column, first, key), bool(column.nullable)
    for order in further:
        for source in wide:  # the other scopes are small enough to be sorted on the way
            if source is not None:
                yield _distinct(_column(source), order, key), False
    yield from _of_links(resource, first)
    yield from _of_tabs(resource)
    yield from _of_lookups(resource)


def _orders(resource: type[Resource]) -> list[Column[Any]]:
    """The columns the list may be ordered by, the default first."""
    return _distinct(*(_column(s) for s in resource.sorts)) or [_column(resource.pk())]


def _of_links(resource: type[Resource], order: Column[Any]) -> Iterator[_Wanted]:
    """Link tables: from the other record to this one, in the list's order where it is copied there."""
    for links in _links(resource):
        copied = [_column(copy) for copy, original in links.copies if _column(original) is order]
        yield _distinct(_column(links.right), *copied, _column(links.left)), False


def _of_tabs(resource: type[Resource]) -> Iterator[_Wanted]:
    """Tables under the tabs of a record's page: the newest records that point to it."""
    for part in resource.detail:
        if isinstance(part, Related) and has_resource(part.by.class_):
            shown = resource_of(part.by.class_)
            yield _distinct(_column(part.by), _orders(shown)[0], _column(shown.pk())), False


def _of_lookups(resource: type[Resource]) -> Iterator[_Wanted]:
    """Columns that are looked up by a full value: those of the search box, and filters by a text."""
    filters = [describe(f) for f in resource.filters if not isinstance(f, Asked)]
    filters += [s for s in map(describe, parted(resource)) if s.guard is not None]
    typed = [s for s in filters if s.kind in ("phone", "phones", "text")]
    for spec in (*map(describe, (*resource.exact, *resource.tail)), *typed):
        source = looked_up(resource, spec)
        if source is not None and not _within_dealer(_column(source)):
            yield [_column(source)], False


@cache
def within_dealer(source: Any) -> bool:
    """Whether the rows of a value of this column stand together within the dealer, once all indexes are declared."""
    return _within_dealer(_column(source))


def _within_dealer(column: Column[Any]) -> bool:
    """Whether an index by dealer and this column is there already."""
    dealer = column.table.c.get("dealer_id")
    table: Table = column.table
    return dealer is not None and _exists(table, [dealer, column], False)


def _links(resource: type[Resource]) -> list[Links]:
    found = [s for s in resource.scopes.related if isinstance(s, Links)]
    for source in (*resource.filters, resource.tags):
        if source is not None and not isinstance(source, Asked):
            links = describe(source).links
            if links is not None:
                found.append(links)
    return list(dict.fromkeys(found))


def _column(source: Any) -> Column[Any]:
    column: Column[Any] = source.property.columns[0]
    return column


def _distinct(*columns: Column[Any]) -> list[Column[Any]]:
    return list(dict.fromkeys(columns))


def _add(columns: list[Column[Any]], partial: bool) -> Index | None:
    table: Table = columns[0].table
    if any(c.table is not table for c in columns) or _exists(table, columns, partial):
        return None
    where = columns[0].is_not(None) if partial else None
    return Index(_name(table, columns), *columns, sqlite_where=where, postgresql_where=where)


def _exists(table: Table, columns: list[Column[Any]], partial: bool) -> bool:
    """Whether an index, a unique constraint or the key of the table starts with these columns."""
    if len(columns) == 1 and (columns[0].index or columns[0].unique):
        return True
    if columns == list(table.primary_key.columns)[: len(columns)]:
        return True
    sets = [list(i.columns) for i in table.indexes if partial or _whole(i)]
    sets += [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    return any(found[: len(columns)] == columns for found in sets)


def _whole(index: Index) -> bool:
    return not any(index.dialect_options[d].get("where") is not None for d in ("sqlite", "postgresql"))


def _name(table: Table, columns: list[Column[Any]], taken: Iterable[Index] | None = None) -> str:
    """``ix_customers_owner_id_created_at``: stable, at most 63 characters (PostgreSQL's limit)."""
    parts = [c.name for c in columns if not (c.name == "id" and len(columns) > 1)]
    name = f"ix_{table.name}_{'_'.join(parts)}"
    if len(name) > _LONGEST or any(i.name == name for i in (table.indexes if taken is None else taken)):
        digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9]}_{digest}"
    return name
