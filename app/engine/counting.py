"""Counting what a list shows, bounded: no count walks a million rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from app.engine import walking
from app.engine.fields import describe
from app.engine.listing import Query
from app.engine.resource import Resource
from app.engine.scopes import Scope, condition
from app.engine.walking import Segment

COUNT_LIMIT = 10_000
FURTHER, NEARER = 4, 0.2
"""So many times further than a page a count looks along a scope, and along everybody's rows."""


def count(session: Session, query: Query, limit: int = COUNT_LIMIT) -> tuple[int, bool]:
    """How many rows match, up to ``limit``; True says that there are more, or that not all were looked at.

    With filters, and where parents decide who sees a row, only the next rows of the scope are looked at.
    """
    resource = query.resource
    inner = select(literal(1)).select_from(resource.model)
    along = walking.overlook(session, query)
    if query.selective or (query.follows_index and along is None):
        matching = inner.where(query.condition).limit(limit + 1).subquery()
        total = session.scalar(select(func.count()).select_from(matching), query.params) or 0
        return min(total, limit), total > limit
    way = along or walking.road(query)
    look = int(walking.LOOK * (NEARER if along else FURTHER))
    if not way.arms:
        return 0, False
    first = describe(resource.sorts[0]) if resource.sorts else query.sort
    segment = Segment(None, resource.descending, True, False)
    ends = [walking.end_of_look(a, resource.pk(), first.attribute, segment, look) for a in way.arms]
    # One statement: where each arm's look ends, and what matches before the nearest end.
    end = select(*(e.label(f"e{n}") for n, e in enumerate(ends))).cte("ends")
    extreme = walking.extreme(first, segment.descending)
    for column in end.c:  # before the list's own range: SQLite follows the first of two bounds
        nearest: Any = select(column).scalar_subquery()
        if extreme is not None:
            nearest = func.coalesce(nearest, extreme)
        within = first.attribute >= nearest if segment.descending else first.attribute <= nearest
        inner = inner.where(within if extreme is not None else or_(nearest.is_(None), within))
    belongs = (*way.arms[0].where, *way.checks) if along else (condition(resource, query.scopes),)
    inner = inner.where(*belongs, *query.conditions)
    matching = inner.limit(limit + 1).subquery()
    amount = select(func.count()).select_from(matching).scalar_subquery()
    total, *bounds = session.execute(select(amount, *end.c), query.params).one()
    return min(total, limit), total > limit or any(bound is not None for bound in bounds)


def amount(resource: type[Resource], scopes: frozenset[Scope], where: ColumnElement[bool], limit: int) -> Any:
    """A bounded count within these scopes, to be selected beside others."""
    rows = select(literal(1)).select_from(resource.model).where(condition(resource, scopes), where)
    return select(func.count()).select_from(rows.limit(limit).subquery()).scalar_subquery()
