"""Fetching a page of a list at a cost that depends neither on depth nor on the role.

The ways, cheapest first (`docs/decisions/0005`):

* *walk*: each arm of the scope follows its own index and is limited by itself; filters are looked at on
  the way, within the next `walking.LOOK` rows of the scope. Children seen through their parents are first
  looked for along everybody's rows;
* *candidates*: all matches, up to `CANDIDATES`, materialised without an order, then sorted;
* *full walk*: the first way without the bound, when there are too many candidates to materialise.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.engine import gathering, plans, walking
from app.engine.fields import FieldSpec
from app.engine.guards import beyond, derived, gate, left_of
from app.engine.listing import Query
from app.engine.projecting import linked, page_statement
from app.engine.scopes import Actor
from app.engine.walking import Order, Road, Segment

CANDIDATES = 2_000
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


Keep = Callable[[Callable[[], Sequence[int]]], Sequence[int]]


def read(
    session: Session,
    query: Query,
    specs: Sequence[FieldSpec],
    *,
    skip: int = 0,
    keep: Keep = lambda count: count(),
) -> Rows:
    """One page. ``skip`` jumps over rows by number, for page links near the beginning only; ``keep`` gives what
    was counted a moment ago, or counts."""
    backward = query.before is not None or query.last
    rows = _Reader(session, query, list(specs), backward, skip).page(keep)
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
        self.filtered = not query.follows_index or query.beside_window
        self.way, self.over = walking.road(query), walking.overlook(session, query)
        self.stopped: list[bool] | None = None
        self.guarded = [s if s.guard is not None or s.kind in derived else None for s in specs]

    def page(self, keep: Keep) -> Rows:
        """The page by the cheapest way that fills it."""
        if self.query.gathered is None and gathering.ways(self.query):
            gathering.choose(self.query, keep(self._amounts))
        need = self.query.per_page + 1
        total: int | None = None
        more = False
        raw = None if self.query.selective or self._few else self._along_indexes(need)
        if raw is None and (self.query.selective or self.filtered):
            raw, total = self._from_candidates(need)
            more = raw is None
            total = CANDIDATES if more else total
        if raw is None:
            raw = self._walk(self.way, need) or []
        rows = self._rows(raw, total)
        rows.more = more
        return rows

    def _along_indexes(self, need: int) -> list[Any] | None:
        """The page as the walks find it, or None when they stopped before it was full."""
        if self.over is not None:
            return self._walk(self.over, need, bounded=True)
        return self._walk(self.way, need, bounded=self.filtered)

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

    def _walk(self, way: Road, need: int, *, bounded: bool = False) -> list[Any] | None:
        """The page along the way; None when a bounded walk stopped before it was full."""
        key = ("walk", bounded, way.check is not None)
        found: list[Any] = []
        skip = self.skip
        for n, segment in enumerate(self._segments()):
            limit = need - len(found)
            build = partial(walking.ids, self.query, way, segment, limit, skip=skip, bounded=bounded)
            rows = self._fetch(build, segment, (*key, limit, skip))
            found += rows
            if len(found) >= need:
                break
            if bounded and self._stopped_early(way, n):
                return None
            if skip:
                passed = partial(walking.ids, self.query, way, segment, skip, bounded=bounded)
                skip = 0 if rows else skip - self._amount(passed)
        return found

    def _amount(self, ids: Callable[[], Select[Any]]) -> int:
        """How many rows a segment has, as far as the page skips over them."""
        counted = select(func.count()).select_from(ids().subquery())
        return int(self.session.execute(counted, self.query.params).scalar_one())

    def _fetch(
        self, ids: Callable[[], Select[Any]], order: Segment | Order, way: tuple[Hashable, ...]
    ) -> list[Any]:
        query = self.query
        shape = query.shape
        key = None
        if shape is not None:
            shown = tuple(
                (s.name, left_of(s, query.actor), s.signed is None, beyond(s, query.actor), s.target)
                for s in self.specs
            )
            key = ("page", *shape, query.sort.name, *order.shape, *way, shown)

        def build() -> Select[Any]:
            return page_statement(query, ids(), self.specs, order)

        return list(plans.run(self.session, key, build, query.params))

    @property
    def _few(self) -> bool:
        """Whether a filter leaves so few rows that its matches are gathered sooner than a page is walked to."""
        way, rows = gathering.chosen(self.session, self.query)
        return way is not None and rows <= CANDIDATES

    def _amounts(self) -> Sequence[int]:
        """How many rows the filters leave; where a walk may follow, the same statement tells how far it leads."""
        if self.query.selective:
            return gathering.counted(self.session, self.query)
        return self._ask(self.over or self.way, amounts=True)

    def _stopped_early(self, way: Road, segment: int) -> bool:
        """Whether the bounded walk may have ended before the segment did."""
        if not way.arms:
            return False
        if self.stopped is None:
            self._ask(way)
        return self.stopped is not None and self.stopped[segment]

    def _ask(self, way: Road, *, amounts: bool = False) -> Sequence[int]:
        """Note of each segment whether a bounded walk may end before it; gives the amounts asked for besides."""
        query, segments = self.query, self._segments()

        def asked() -> Select[Any]:
            wanted: list[Any] = walking.reaches_bound(query, way, segments)
            return select(*wanted, *(gathering.amounts(query) if amounts else ()))

        shape = query.shape
        key = ("bound", query.sort.name, amounts, way.check is not None, tuple(s.shape for s in segments))
        told = plans.run(self.session, shape and (*key, *shape), asked, query.params).one()
        self.stopped = [bool(reached) for reached in told[: len(segments)]]
        return list(told[len(segments) :])

    def _from_candidates(self, need: int) -> tuple[list[Any] | None, int | None]:
        """The page out of all matches, and how many there are; no page when there are too many."""
        way, _ = gathering.chosen(self.session, self.query)
        order = Order(tuple(self._segments()), self.nullable, self.descending, self.backward)
        shape = ("candidates", need, self.skip, way.spec.name if way is not None else "")
        rows = self._fetch(partial(self._sorted, order, need), order, shape)
        whole = self.cursor is None and not self.skip
        amount = (
            rows[0][-1] if rows else 0 if whole else self._amount(lambda: select(self._candidates().c.id))
        )
        if amount > CANDIDATES:
            return None, None
        return [row[:-1] for row in rows], amount

    def _candidates(self) -> Any:
        query = self.query
        return (
            select(query.resource.pk().label("id"), query.sort.attribute.label("place"))
            .where(gathering.matches(self.session, query))
            .limit(CANDIDATES + 1)
            .cte("candidates")
            .prefix_with("MATERIALIZED", dialect="postgresql")
            .prefix_with("MATERIALIZED", dialect="sqlite")
        )

    def _sorted(self, order: Order, limit: int) -> Select[Any]:
        chosen = self._candidates()
        amount = select(func.count()).select_from(chosen).scalar_subquery()
        statement: Select[Any] = select(chosen.c.id, chosen.c.place, amount.label("amount"))
        statement = statement.where(order.conditions(chosen.c.place, chosen.c.id))
        statement = order.ordered(statement, chosen.c.place, chosen.c.id)
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
