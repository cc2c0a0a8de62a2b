"""Which records somebody may open, asked for a handful of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.resource import resource
from app.engine.scopes import Actor, visible

Place = tuple[str, int]
"""A record: the name of its resource, and its id."""


def openable(session: Session, actor: Actor, wanted: Iterable[Place]) -> frozenset[Place]:
    """Those of the records that exist and that the person may see, in one statement per kind of record."""
    by_name: defaultdict[str, set[int]] = defaultdict(set)
    for name, record_id in wanted:
        by_name[name].add(record_id)
    found: set[Place] = set()
    for name, ids in by_name.items():
        declared = resource(name)
        if declared is None or not declared.columns or not actor.can("can_list", declared.view_name()):
            continue
        mine = select(declared.pk()).where(declared.pk().in_(sorted(ids)), visible(declared, actor))
        found |= {(name, record_id) for record_id in session.scalars(mine, actor.params)}
    return frozenset(found)
