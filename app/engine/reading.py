"""Fetching a page of a list, and counting, at a cost that depends neither on depth nor on the role.

Three ways, cheapest first (`docs/decisions`, measured shapes):

* *walk*: each arm of the scope follows its own index and is limited by itself; filters are looked at on
  the way, within the next `LOOK` rows of the scope;
* *candidates*: all matches, up to `CANDIDATES`, materialised without an order, then sorted;
* *full walk*: the first way without the bound, when there are too many candidates to materialise.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, or_, select, union
from sqlalchemy.orm import Session, aliased

from app.engine import paging, plans
from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec, describe
from app.engine.guards import derived, gate, hidden, projection
from app.engine.listing import Query
from app.engine.paging import Cursor
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor, Arm, arms, condition

LOOK = 5_000
CANDIDATES = 2_000
COUNT_LIMIT = 10_000
MAX_OFFSET = 10_000


@dataclass(slots=True)
class Record:
    """One row of a page: gated values parallel to the specs, names of linked records by field."""

    id: int
    version: int
    values: list[Any]
    place: Any
    links: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Rows:
    """One page and whether there is more on either side; ``total`` when the page's way knew it."""

    specs: list[FieldSpec]
    records: list[Record]
    has_next: bool
    has_previous: bool
    total: int | None = None
    more: bool = False
    """There are more than ``total``."""


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


def read(session: Session, query: Query, specs: Sequence[FieldSpec], *, skip: int = 0) -> Rows:
    """One page. ``skip`` jumps over rows by number, for page links near the beginning only."""
    backward = query.before is not None or query.last
    rows = _Reader(session, query, list(specs), backward, skip).page()
    _attach_links(session, rows, query.actor)
    return rows


class _Reader:
    def __init__(
        self, session: Session, query: Query, specs: list[FieldSpec], backward: bool, skip: int
    ) -> None:
        self.session, self.query, self.specs, self.backward = session, query, specs, backward
        self.skip = min(skip, MAX_OFFSET)
        self.descending = query.descending != backward
        self.cursor = query.before if query.before is not None else query.after
        column = query.sort.attribute.property.columns[0]
        self.nullable = bool(column.nullable)
        self.filtered = not _follows_index(query)
        self.guarded = [s if s.guard is not None or s.kind in derived else None for s in specs]

    def page(self) -> Rows:
        need = self.query.per_page + 1
        total: int | None = None
        more = False
        raw: list[Any] | None = None
        if not self.query.selective:
            raw = self._walk(need, bounded=self.filtered)
            if self.filtered and len(raw) < need and self._reaches_bound():
                raw = None
        if raw is None:
            raw, total = self._from_candidates(need)
            if raw is None:
                total, more = CANDIDATES, True
                raw = self._walk(need, bounded=False)
        rows = self._rows(raw, total)
        rows.more = more
        return rows

    def _segments(self) -> list[Segment]:
        filled = Segment(self.cursor, self.descending, True, self.nullable)
        if not self.nullable:
            return [filled]
        empty = replace(filled, filled=False)
        if self.cursor is None:
            return [empty, filled] if self.backward else [filled, empty]
        if self.cursor.value is None:
            rest = replace(filled, cursor=None)
            return [empty, rest] if self.backward else [empty]
        return [filled] if self.backward else [filled, replace(empty, cursor=None)]

    def _walk(self, need: int, *, bounded: bool) -> list[Any]:
        found: list[Any] = []
        for segment in self._segments():
            limit = need - len(found)
            build = partial(self._ids, segment, limit, bounded)
            found += self._fetch(build, segment, ("walk", limit, self.skip, bounded))
            if len(found) >= need:
                break
        return found

    def _fetch(
        self, ids: Callable[[], Select[Any]], segment: Segment, way: tuple[Hashable, ...]
    ) -> list[Any]:
        query = self.query
        shape = query.shape
        key = None
        if shape is not None:
            shown = tuple((s.name, hidden(s, query.actor) is None) for s in self.specs)
            key = ("page", *shape, query.sort.name, *segment.shape, *way, shown)

        def build() -> Select[Any]:
            return page_statement(query, ids(), self.specs, descending=segment.descending)

        return list(plans.run(self.session, key, build, query.params))

    def _ids(self, segment: Segment, limit: int, bounded: bool) -> Select[Any]:
        parts = arms(self.query.resource, self.query.scopes)
        column = self.query.sort.attribute
        if not parts:
            return select(literal(0).label("id"), column.label("place")).where(literal(1) == 0)
        whole = limit + self.skip
        statement: Select[Any]
        if len(parts) == 1:
            statement = self._arm(parts[0], segment, limit if self.skip else whole, bounded)
        else:
            each = [select(self._arm(arm, segment, whole, bounded).subquery()) for arm in parts]
            united = union(*each).subquery()
            merged: Select[Any] = select(united.c.id, united.c.place)
            statement = segment.ordered(merged, united.c.place, united.c.id).limit(limit)
        return statement.offset(self.skip) if self.skip else statement

    def _arm(self, arm: Arm, segment: Segment, limit: int, bounded: bool) -> Select[Any]:
        pk, column = self.query.resource.pk(), self.query.sort.attribute
        statement, key, order = _arm_source(arm, pk, column)
        statement = statement.where(*arm.where, *self.query.conditions, *segment.conditions(order, key))
        if bounded and segment.filled:
            extreme = _extreme(self.query.sort, segment.descending)
            if extreme is not None:
                bound = func.coalesce(_bound(arm, pk, column, segment), extreme)
                statement = statement.where(order >= bound if segment.descending else order <= bound)
        return segment.ordered(statement, order, key).limit(limit)

    def _reaches_bound(self) -> bool:
        """Whether the bounded walk may have stopped before the end of the scope."""
        segment = self._segments()[0]
        if not segment.filled:
            return False
        pk, column = self.query.resource.pk(), self.query.sort.attribute
        bounds = [_bound(arm, pk, column, segment) for arm in arms(self.query.resource, self.query.scopes)]
        if not bounds:
            return False
        found = self.session.execute(select(*bounds), self.query.params).one()
        return any(value is not None for value in found)

    def _from_candidates(self, need: int) -> tuple[list[Any] | None, int | None]:
        """The page out of all matches, and how many there are; no page when there are too many."""
        found: list[Any] = []
        amount: int | None = None
        for segment in self._segments():
            limit = need - len(found)
            build = partial(self._sorted, segment, limit)
            way = ("candidates", limit, self.skip, self.query.sort.name)
            rows = self._fetch(build, segment, way)
            if rows:
                amount = rows[0][-1]
                if amount > CANDIDATES:
                    return None, None
            found += [row[:-1] for row in rows]
            if len(found) >= need:
                break
        if not found and self.cursor is None and not self.skip:
            amount = 0
        return found, amount

    def _candidates(self) -> Any:
        query = self.query
        return (
            select(query.resource.pk().label("id"), query.sort.attribute.label("place"))
            .where(query.condition)
            .limit(CANDIDATES + 1)
            .cte("candidates")
            .prefix_with("MATERIALIZED", dialect="postgresql")
            .prefix_with("MATERIALIZED", dialect="sqlite")
        )

    def _sorted(self, segment: Segment, limit: int) -> Select[Any]:
        chosen = self._candidates()
        amount = select(func.count()).select_from(chosen).scalar_subquery()
        statement: Select[Any] = select(chosen.c.id, chosen.c.place, amount.label("amount"))
        statement = statement.where(*segment.conditions(chosen.c.place, chosen.c.id))
        statement = segment.ordered(statement, chosen.c.place, chosen.c.id)
        return statement.limit(limit).offset(self.skip or None)

    def _rows(self, raw: list[Any], total: int | None) -> Rows:
        query = self.query
        more = len(raw) > query.per_page
        raw = raw[: query.per_page]
        if self.backward:
            raw.reverse()
        records = [self._record(row) for row in raw]
        if self.backward:
            return Rows(self.specs, records, query.before is not None, more, total)
        return Rows(self.specs, records, more, self.cursor is not None or self.skip > 0, total)

    def _record(self, row: Any) -> Record:
        actor = self.query.actor
        record_id, version, place, *values = row
        taken = iter(values)
        shown = []
        for spec, guarded in zip(self.specs, self.guarded, strict=True):
            value = next(taken) if spec.attribute is not None else None
            if guarded is not None and spec.attribute is not None:
                value = gate(guarded, value, actor, projected=True)
            shown.append(value)
        return Record(record_id, version, shown, place)


def _selected(spec: FieldSpec) -> bool:
    return spec.attribute is not None


def _follows_index(query: Query) -> bool:
    """Whether nearly every row of the index matches: no filter but a range of the sort column itself and
    what the list leaves out by default."""
    return (
        query.view is None
        and query.search is None
        and all(f.default or f.spec.name == query.sort.name for f in query.filters)
    )


def _arm_source(arm: Arm, pk: Any, column: Any) -> tuple[Select[Any], Any, Any]:
    """The arm's select with the key and order columns whose index it follows."""
    statement = select(pk.label("id"), column.label("place"))
    if arm.links is None:
        return statement, pk, column
    statement = statement.join(arm.links.left.class_, arm.links.left == pk)
    copied = {original.key: copy for copy, original in arm.links.copies}
    if column.key in copied:
        return statement, arm.links.left, copied[column.key]
    return statement, pk, column


def _bound(arm: Arm, pk: Any, column: Any, segment: Segment) -> Any:
    """The sort value `LOOK` rows further on in this arm, or null when the arm ends before."""
    inner, key, order = _arm_source(arm, pk, column)
    inner = inner.with_only_columns(order).where(*arm.where, *segment.conditions(order, key))
    return segment.ordered(inner, order, key).limit(1).offset(LOOK).correlate(None).scalar_subquery()


def _extreme(spec: FieldSpec, descending: bool) -> Any:
    """The value nothing lies beyond, so that a missing bound bounds nothing and the index still serves."""
    extreme: date
    if spec.kind == "datetime":
        extreme = datetime.min if descending else datetime.max
    elif spec.kind == "date":
        extreme = date.min if descending else date.max
    elif spec.kind in ("integer", "ref"):
        return literal(-MAX_ID if descending else MAX_ID, spec.attribute.type)
    elif spec.kind == "money":
        return literal(1 - 10**12 if descending else 10**12 - 1, spec.attribute.type)
    else:
        return None
    return literal(extreme, spec.attribute.type)


def page_statement(query: Query, ids: Any, specs: Sequence[FieldSpec], *, descending: bool) -> Select[Any]:
    """The page's rows: ids joined with the projected columns and the names of what they refer to."""
    found = ids.subquery("page")
    chosen, joins = projected(query.resource, query.actor, specs)
    statement = select(query.resource.pk(), _version(query.resource), found.c.place, *chosen)
    statement = statement.select_from(found).join(query.resource.model, query.resource.pk() == found.c.id)
    if "amount" in found.c:
        statement = statement.add_columns(found.c.amount)
    for other, on in joins:
        statement = statement.outerjoin(other, on)
    keys = [found.c.place, found.c.id]
    return statement.order_by(*[k.desc() if descending else k.asc() for k in keys])


def _version(resource: type[Resource]) -> Any:
    version = getattr(resource.model, "version", None)
    return version if version is not None else literal(0)


def projected(
    resource: type[Resource], actor: Actor, specs: Sequence[FieldSpec]
) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The columns to select for these fields, in their order, and the outer joins they need. A column
    the actor may not read is replaced by its mask or by null, never selected."""
    chosen: list[Any] = []
    joins: list[tuple[Any, Any]] = []
    for spec in specs:
        if not _selected(spec):
            continue
        if spec.kind == "ref" and hidden(spec, actor) is None:
            other = aliased(spec.target)
            joins.append((other, other.id == spec.attribute))
            chosen.append(getattr(other, resource_of(spec.target).title.key).label(f"v_{spec.name}"))
        else:
            selected = projection(spec, actor)
            chosen.append((literal(None) if selected is None else selected).label(f"v_{spec.name}"))
    return chosen, joins


def _attach_links(session: Session, rows: Rows, actor: Actor) -> None:
    if not rows.records:
        return
    by_id = {r.id: r for r in rows.records}
    for index, spec in enumerate(rows.specs):
        if spec.attribute is not None:
            continue
        found = linked(session, spec, list(by_id), actor)
        for record in rows.records:
            record.values[index] = found.get(record.id, ())


def linked(session: Session, spec: FieldSpec, ids: list[int], actor: Actor) -> dict[int, tuple[Any, ...]]:
    """What is attached to these records: ``(name, tone)`` of linked records, or gated plain values."""
    collected: dict[int, list[Any]] = {}
    if spec.links is not None:
        rows: Any = plans.run(session, ("links", spec), partial(_links_of, spec), {"owners": ids})
        for owner, name, colour in rows:
            collected.setdefault(owner, []).append((name, getattr(colour, "value", colour) or ""))
    elif spec.values is not None:
        shown = projection(spec, actor, spec.values.value)
        if shown is not None:
            order = spec.values.order if spec.values.order is not None else spec.values.value
            many = select(spec.values.left, shown).where(spec.values.left.in_(ids)).order_by(order)
            main = spec.values.main
            if main is not None:
                many = many.join(main.class_, main.class_.id == spec.values.left)
                many = many.where(spec.values.value != main)
            for owner, value in session.execute(many):
                collected.setdefault(owner, []).append(gate(spec, value, actor, projected=True))
    return {owner: tuple(values) for owner, values in collected.items()}


def _links_of(spec: FieldSpec) -> Select[Any]:
    links = spec.links
    assert links is not None
    target = resource_of(spec.target)
    tone = getattr(spec.target, "tone", None)
    return (
        select(links.left, target.title, tone if tone is not None else literal(""))
        .join(spec.target, spec.target.id == links.right)
        .where(links.left.in_(bindparam("owners", expanding=True)))
        .order_by(links.left, target.pk())
    )


def count(session: Session, query: Query, limit: int = COUNT_LIMIT) -> tuple[int, bool]:
    """How many rows match, up to ``limit``; True says that there are more, or that not all were looked at.

    With filters only the next `LOOK` × 4 rows of the scope are looked at, so no count walks a million.
    """
    resource = query.resource
    inner = select(literal(1)).select_from(resource.model)
    if query.selective or _follows_index(query):
        matching = inner.where(query.condition).limit(limit + 1).subquery()
        total = session.scalar(select(func.count()).select_from(matching), query.params) or 0
        return min(total, limit), total > limit
    first = describe(resource.sorts[0]) if resource.sorts else query.sort
    ends = []
    if not arms(resource, query.scopes):
        return 0, False
    for arm in arms(resource, query.scopes):
        segment = Segment(None, True, True, False)
        base, key, order = _arm_source(arm, resource.pk(), first.attribute)
        base = base.with_only_columns(order).where(*arm.where)
        ends.append(segment.ordered(base, order, key).limit(1).offset(LOOK * 4).scalar_subquery())
    # One statement: where each arm's look ends, and what matches before the nearest end.
    end = select(*(e.label(f"e{n}") for n, e in enumerate(ends))).cte("ends")
    inner = inner.where(condition(resource, query.scopes), *query.conditions)
    extreme = _extreme(first, True)
    for column in end.c:
        nearest = select(column).scalar_subquery()
        if extreme is None:
            inner = inner.where(or_(nearest.is_(None), first.attribute >= nearest))
        else:
            inner = inner.where(first.attribute >= func.coalesce(nearest, extreme))
    matching = inner.limit(limit + 1).subquery()
    amount = select(func.count()).select_from(matching).scalar_subquery()
    total, *bounds = session.execute(select(amount, *end.c), query.params).one()
    return min(total, limit), total > limit or any(bound is not None for bound in bounds)


def amounts(query: Query, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[Any]:
    """Bounded counts of several conditions within the query's scope, each to be selected beside others."""
    scope = condition(query.resource, query.scopes)
    return [
        select(func.count())
        .select_from(
            select(literal(1)).select_from(query.resource.model).where(and_(scope, c)).limit(limit).subquery()
        )
        .scalar_subquery()
        for c in conditions
    ]
