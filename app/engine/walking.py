"""Walking along a scope's indexes: the roads of a list, stretches of its order, and how far one looks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, literal, or_, select, true, union
from sqlalchemy.orm import Session

from app.engine import paging, plans
from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec, describe
from app.engine.listing import Query
from app.engine.paging import Cursor
from app.engine.resource import Resource
from app.engine.rowwise import looked_at
from app.engine.scopes import Arm, Scope, arms, offered, overview
from app.engine.slots import SLOTS

LOOK = 5_000
"""Rows of each arm that are looked at for matches before another way is taken."""
MANY_PARENTS = 3_000
"""So many parents, or rows of people whose work was granted: one of the next rows likely belongs to them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the order: filled or empty sort values, from a cursor on, in one direction."""

    cursor: Cursor | None
    descending: bool
    filled: bool
    nullable: bool

    def conditions(self, column: Any, pk: Any) -> list[ColumnElement[bool]]:
        """What belongs to the segment and lies beyond the cursor."""
        found: list[ColumnElement[bool]] = []
        if self.nullable:
            found.append(column.is_not(None) if self.filled else column.is_(None))
        if self.cursor is not None:
            if self.filled:
                found.append(paging.beyond(column, pk, descending=self.descending))
            else:
                last: Any = bindparam("cursor_id")
                found.append(pk < last if self.descending else pk > last)
        return found

    @property
    def shape(self) -> tuple[bool, bool, bool, bool]:
        """The segment without the cursor's values."""
        return (self.cursor is not None, self.descending, self.filled, self.nullable)

    def ordered(self, statement: Select[Any], column: Any, pk: Any) -> Select[Any]:
        """The statement in the segment's order."""
        keys = [column, pk] if self.filled else [pk]
        return statement.order_by(*[k.desc() if self.descending else k.asc() for k in keys])


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a whole list, in which empty values stand together: at the end, or first when it is read
    backwards."""

    segments: tuple[Segment, ...]
    nullable: bool
    descending: bool
    backward: bool

    def conditions(self, column: Any, pk: Any) -> ColumnElement[bool]:
        """What belongs to one of the segments."""
        return or_(*(and_(true(), *segment.conditions(column, pk)) for segment in self.segments))

    @property
    def shape(self) -> tuple[Hashable, ...]:
        """The order without the cursor's values."""
        return (self.backward, *(segment.shape for segment in self.segments))

    def ordered(self, statement: Select[Any], column: Any, pk: Any) -> Select[Any]:
        """The statement in that order."""
        keys = [column.desc(), pk.desc()] if self.descending else [column.asc(), pk.asc()]
        empty = column.is_(None)
        return statement.order_by(
            *([empty.desc() if self.backward else empty] if self.nullable else ()), *keys
        )


@dataclass(frozen=True, slots=True)
class Road:
    """What a list walks along: the arms of its scope, or the rows of all with a ``check`` of each row."""

    arms: tuple[Arm, ...]
    check: ColumnElement[bool] | None = None

    @property
    def checks(self) -> Sequence[ColumnElement[bool]]:
        """The check, when there is one."""
        return () if self.check is None else (self.check,)


def road(query: Query) -> Road:
    """The arms of the query's scopes, each with its own index. Who sees all dealers and filters by a field of
    one walks along this one's rows."""
    dealer = query.resource.scopes.dealer
    of = next((f.of for f in query.filters if f.of is not None), None)
    if Scope.GROUP in query.scopes and dealer is not None and of is not None:
        return Road((Arm((dealer == of,), wide=dealer),))
    return Road(arms(query.resource, query.scopes))


def overlook(session: Session, query: Query) -> Road | None:
    """The way along everybody's rows, for children seen through so many parents, or so many rows of granted
    people, that one of the next rows is likely to belong to them; fewer are gathered sooner."""
    found = overview(query.resource, query.scopes)
    if found is None:
        return None
    if query.many_parents is None:
        query.many_parents = _many_parents(session, query)
    return Road((found[0],), found[1]) if query.many_parents else None


def _many_parents(session: Session, query: Query) -> bool:
    resource = query.resource
    counted = resource if resource.scopes.through is None else resource.parent()
    scopes = query.scopes & offered(counted)

    def amounts() -> Select[Any]:
        # By the arm's own index alone: an estimate needs no look at the rows.
        each = [
            arm_source(a, counted.pk(), counted.pk())[0].where(*(a.own or a.walked))
            for a in arms(counted, scopes)
        ]
        limited = [s.with_only_columns(literal(1)).limit(MANY_PARENTS).subquery() for s in each]
        return select(*(select(func.count()).select_from(s).scalar_subquery() for s in limited))

    numbers = plans.run(session, ("parents", query.resource.name, scopes), amounts, query.params).one()
    return bool(sum(numbers) >= MANY_PARENTS)


def ids(
    query: Query, way: Road, segment: Segment, limit: int, *, skip: int = 0, bounded: bool = False
) -> Select[Any]:
    """The ids and places of the segment's next rows: each arm is limited by itself, then they are united.
    ``bounded``: only the next `LOOK` rows of each arm are looked at."""
    if not way.arms:
        nothing = select(literal(0).label("id"), query.sort.attribute.label("place"))
        return nothing.where(literal(1) == 0)
    whole = limit + skip
    statement: Select[Any]
    if len(way.arms) == 1:
        statement = _arm(query, way, way.arms[0], segment, limit if skip else whole, bounded)
    else:
        each = [select(_arm(query, way, a, segment, whole, bounded).subquery()) for a in way.arms]
        united = union(*each).subquery()
        merged: Select[Any] = select(united.c.id, united.c.place)
        statement = segment.ordered(merged, united.c.place, united.c.id).limit(limit)
    return statement.offset(skip) if skip else statement


def _arm(query: Query, way: Road, arm: Arm, segment: Segment, limit: int, bounded: bool) -> Select[Any]:
    pk, column = query.resource.pk(), query.sort.attribute
    statement, key, order = arm_source(arm, pk, column)
    statement = statement.where(*arm.walked)
    extreme = _extreme(query.sort, segment) if bounded and _is_ordered(query, arm) else None
    if extreme is not None:  # before the list's own range: SQLite follows the first of two bounds
        bound = func.coalesce(end_of_look(arm, pk, column, segment, LOOK), extreme)
        last = order if segment.filled else key
        statement = statement.where(last >= bound if segment.descending else last <= bound)
    seen = on_the_way(query, arm, query.sort)
    statement = statement.where(*way.checks, *seen, *segment.conditions(order, key))
    return segment.ordered(statement, order, key).limit(limit)


def on_the_way(query: Query, arm: Arm, order: FieldSpec) -> list[ColumnElement[bool]]:
    """The query's conditions as they are looked at along the arm: an added field has an index by the dealer
    alone, and where each order has an index of the arm, that one is followed whatever is asked besides."""
    resource = query.resource
    table = resource.model.__table__
    names = set(SLOTS)
    if arm.wide is not None and _is_further(resource, order):
        scopes = resource.scopes
        led = (resource.pk(), *(s for s in (scopes.dealer, scopes.store, scopes.mine) if s is not None))
        names = {column.name for column in table.columns} - {source.key for source in led}
    if arm.dealer is not None:
        names.add(arm.dealer.key)
    names.discard(order.attribute.key)
    return [looked_at(condition, table, names) for condition in query.conditions]


def reaches_bound(query: Query, way: Road, segments: Sequence[Segment]) -> list[Any]:
    """What tells of each segment whether a bounded walk may have stopped before its end."""
    pk, column = query.resource.pk(), query.sort.attribute
    ordered = [arm for arm in way.arms if _is_ordered(query, arm)]
    return [
        or_(false(), *(end_of_look(arm, pk, column, segment, LOOK).is_not(None) for arm in ordered))
        for segment in segments
    ]


def _is_ordered(query: Query, arm: Arm) -> bool:
    """Whether the arm has an index in the list's order; without it all its rows are read, wherever one stops."""
    return arm.wide is not None or not _is_further(query.resource, query.sort)


def _is_further(resource: type[Resource], order: FieldSpec) -> bool:
    """Whether this is not the order the list stands in by itself, in which every arm has an index."""
    return bool(resource.sorts) and order.name != describe(resource.sorts[0]).name


def arm_source(arm: Arm, pk: Any, column: Any) -> tuple[Select[Any], Any, Any]:
    """The arm's select with the key and order columns whose index it follows."""
    statement = select(pk.label("id"), column.label("place"))
    if arm.links is None:
        return statement, pk, column
    statement = statement.join(arm.links.left.class_, arm.links.left == pk)
    copied = {original.key: copy for copy, original in arm.links.copies}
    if column.key in copied:
        return statement, arm.links.left, copied[column.key]
    return statement, pk, column


def end_of_look(arm: Arm, pk: Any, column: Any, segment: Segment, look: int) -> Any:
    """The place ``look`` rows further on in this arm (the sort value, or the id among empty values), or null
    when the arm ends before. By the arm's own index alone: how far one looks needs no look at the rows."""
    inner, key, order = arm_source(arm, pk, column)
    inner = inner.with_only_columns(order if segment.filled else key)
    inner = inner.where(*(arm.own or arm.walked), *segment.conditions(order, key))
    return segment.ordered(inner, order, key).limit(1).offset(look).correlate(None).scalar_subquery()


def _extreme(spec: FieldSpec, segment: Segment) -> Any:
    """The place nothing lies beyond, so that a missing bound bounds nothing and the index still serves."""
    return (
        extreme(spec, segment.descending) if segment.filled else literal(-1 if segment.descending else MAX_ID)
    )


def extreme(spec: FieldSpec, descending: bool) -> Any:
    """The value nothing lies beyond, so that a missing bound bounds nothing and the index still serves."""
    extreme: date
    if spec.kind == "datetime":
        extreme = datetime.min if descending else datetime.max
    elif spec.kind == "date":
        extreme = date.min if descending else date.max
    elif spec.kind in ("integer", "ref"):
        return literal(-MAX_ID if descending else MAX_ID, spec.attribute.type)
    elif spec.kind in ("money", "number"):
        most = 10 ** (12 if spec.kind == "money" else 14) - 1
        return literal(-most if descending else most, spec.attribute.type)
    else:
        return None
    return literal(extreme, spec.attribute.type)
