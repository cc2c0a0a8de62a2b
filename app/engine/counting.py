"""Counting what a list shows, bounded: no count walks a million rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union
from sqlalchemy.orm import Session

from app.engine import gathering, walking
from app.engine.fields import describe
from app.engine.listing import Query
from app.engine.resource import Resource
from app.engine.scopes import Arm, Scope, arms
from app.engine.walking import Segment

COUNT_LIMIT = 10_000
FURTHER, NEARER = 4, 0.2
"""So many times further than a page a count looks along a scope, and along everybody's rows."""


def count(session: Session, query: Query, limit: int = COUNT_LIMIT) -> tuple[int, bool]:
    """How many rows match, up to ``limit``; True says that there are more, or that not all were looked at.

    With filters, and where parents decide who sees a row, only the next rows of the scope are looked at, unless one
    of the filters leaves few.
    """
    resource = query.resource
    along = walking.overlook(session, query)
    if query.selective or gathering.chosen(session, query)[0] is not None:
        chosen = select(resource.pk().label("id")).where(gathering.matches(session, query)).limit(limit + 1)
        total = session.scalar(select(_number(chosen)), query.params) or 0
        return min(total, limit), total > limit
    way = along or walking.road(query)
    if not way.arms:
        return 0, False
    if query.follows_index and (along is None or resource.scopes.through is None):
        way = walking.road(query)
        whole = _united([_of_arm(resource, a, query.conditions, limit + 1) for a in way.arms], limit + 1)
        total = session.scalar(select(_number(whole)), query.params) or 0
        return min(total, limit), total > limit
    look = int(walking.LOOK * (NEARER if along else FURTHER))
    first = describe(resource.sorts[0]) if resource.sorts else query.sort
    segment = Segment(None, resource.descending, True, False)
    ends = [walking.end_of_look(a, resource.pk(), first.attribute, segment, look) for a in way.arms]
    # One statement: where each arm's look ends, and what matches before that.
    end = select(*(e.label(f"e{n}") for n, e in enumerate(ends))).cte("ends")
    extreme = walking.extreme(first, segment.descending)
    each = []
    for arm, column in zip(way.arms, end.c, strict=True):
        order = walking.arm_source(arm, resource.pk(), first.attribute)[2]
        last: Any = select(column).scalar_subquery()
        if extreme is not None:
            last = func.coalesce(last, extreme)
        within = order >= last if segment.descending else order <= last
        # Before the list's own range: SQLite follows the first of two bounds.
        bound = within if extreme is not None else or_(last.is_(None), within)
        seen = walking.on_the_way(query, arm, first)
        each.append(_of_arm(resource, arm, (bound, *way.checks, *seen), limit + 1))
    total, *bounds = session.execute(select(_number(_united(each, limit + 1)), *end.c), query.params).one()
    return min(total, limit), total > limit or any(bound is not None for bound in bounds)


def amount(resource: type[Resource], scopes: frozenset[Scope], where: ColumnElement[bool], limit: int) -> Any:
    """A bounded count within these scopes, to be selected beside others."""
    return _number(_united([_of_arm(resource, a, (where,), limit) for a in arms(resource, scopes)], limit))


def _of_arm(
    resource: type[Resource], arm: Arm, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Select[Any]:
    """Some rows of one arm that meet the conditions."""
    statement, key, _ = walking.arm_source(arm, resource.pk(), resource.pk())
    return (
        statement.with_only_columns(key.label("id"))
        .where(*(arm.by_own_index if arm.own else arm.where), *conditions)
        .limit(limit)
    )


def _united(each: Sequence[Select[Any]], limit: int) -> Select[Any]:
    """The rows of all arms, each once: every arm is found by its own index, which their OR is not."""
    if not each:
        return select(literal(0).label("id")).where(literal(1) == 0)
    if len(each) == 1:
        return each[0]
    return select(union(*(select(one.subquery()) for one in each)).subquery()).limit(limit)


def _number(rows: Select[Any]) -> Any:
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()
