"""The port through which a domain shows what will happen to a record by itself: the ownership clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.engine.pages import OwnershipClock
from app.engine.resource import Resource
from app.engine.scopes import Actor

ClockSource = Callable[[Session, type[Resource], int, Actor, datetime], OwnershipClock | None]
"""``source(session, resource, record_id, actor, now)``: what lies ahead of a record the actor may see."""

_sources: dict[str, ClockSource] = {}


def provide(resource_name: str, source: ClockSource) -> None:
    """Install the function that looks ahead for a resource's records; the owning domain calls this."""
    _sources[resource_name] = source


def of(
    session: Session, resource: type[Resource], record_id: int, actor: Actor, now: datetime
) -> OwnershipClock | None:
    """What will happen to a record the actor may see; None where nothing happens by itself."""
    source = _sources.get(resource.name)
    return source(session, resource, record_id, actor, now) if source is not None else None
