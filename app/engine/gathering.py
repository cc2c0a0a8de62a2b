"""Gathering what a list shows by the one of its filters that leaves the fewest rows.

An added field is filtered by an index of its dealer and its slot alone, and SQLite does not know which of several
leaves few. So each is counted there, as far as gathering pays; the rows of the rarest are fetched, the other
conditions looked at row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.orm import Session

from app.engine import indexes, plans
from app.engine.filters import Active
from app.engine.listing import Query
from app.engine.rowwise import looked_at
from app.engine.scopes import MY_DEALER, Scope, condition
from app.engine.slots import SLOTS

FEW = 5_000
"""So many rows are fetched to find the matches among them, as many as are looked at on a walk."""
_BY_INDEX = frozenset({"exact", "any", "range", "empty", "window"})
"""What the keys of conditions begin with whose rows stand together in an index."""


def ways(query: Query) -> Sequence[Active]:
    """The filters by which the matches could be gathered; none where no added field is among them, or where
    something else leaves few rows already."""
    selective = any(f.selective and f.spec.name not in SLOTS for f in query.filters)
    if selective or query.search is not None or query.rare:
        return ()
    found = [f for f in query.filters if _leads(query, f)]
    return found if any(f.spec.name in SLOTS for f in found) else ()


def _leads(query: Query, found: Active) -> bool:
    """Whether the filter's rows stand together within the dealer."""
    dealer, source = query.resource.scopes.dealer, found.spec.attribute
    if dealer is None or not found.spec.stored or found.spec.kind == "choices":
        return False
    if found.key[0] not in _BY_INDEX:
        return False
    if found.key[0] == "any" and found.key[-1] is True:  # or empty
        return False
    within = Scope.GROUP not in query.scopes or found.of is not None
    return within and (found.spec.name in SLOTS or indexes.within_dealer(source))


def amounts(query: Query) -> list[Any]:
    """How many rows each of the `ways()` leaves, as far as gathering them pays."""
    limited = [select(literal(1)).where(_by_index(query, f)).limit(FEW + 1).subquery() for f in ways(query)]
    return [select(func.count()).select_from(rows).scalar_subquery() for rows in limited]


def _by_index(query: Query, found: Active) -> ColumnElement[bool]:
    """The filter within the dealer, in words that its index is found by."""
    if found.of is not None:
        return found.make()
    return and_(query.resource.scopes.dealer == MY_DEALER, found.make())


def choose(query: Query, found: Sequence[int]) -> None:
    """Take the rarest of the `ways()`, given how many rows each leaves, if these are few."""
    least, way = min(zip(found, ways(query), strict=True), key=lambda pair: pair[0], default=(0, None))
    query.gathered = (way, least) if least <= FEW else (None, least)


def counted(session: Session, query: Query) -> Sequence[int]:
    """The `amounts()`, asked for by themselves."""
    key = query.shape and ("amounts", *query.shape)
    return list(plans.run(session, key, lambda: select(*amounts(query)), query.params).one())


def chosen(session: Session, query: Query) -> tuple[Active | None, int]:
    """The filter the matches are gathered by, and how many rows it leaves; without one it is left to the database."""
    if query.gathered is None:
        choose(query, counted(session, query) if ways(query) else ())
    assert query.gathered is not None
    return query.gathered


def matches(session: Session, query: Query) -> ColumnElement[bool]:
    """Scope and filters as one condition, for gathering what meets them."""
    way, _ = chosen(session, query)
    if way is None:
        return query.condition
    table = query.resource.model.__table__
    rest = and_(condition(query.resource, query.scopes), *query.others(way))
    return and_(_by_index(query, way), looked_at(rest, table, {column.name for column in table.columns}))
