"""The port through which a domain shows what happened to a record (A-44, A-45)."""

from __future__ import annotations

from collections.abc import Callable

from app.engine.pages import Timeline
from app.engine.resource import Resource
from app.engine.scopes import Actor

TimelineSource = Callable[[int, Actor, str, int, str], Timeline]
"""``source(record_id, actor, kind, limit, before)``: the newest ``limit`` events of that kind (empty: all)
before the place ``before`` (empty: now). Its texts have passed the gate; the record is in scope."""

_sources: dict[str, TimelineSource] = {}


def provide_timeline(resource_name: str, source: TimelineSource) -> None:
    """Install the function that reads a resource's events; the owning domain calls this."""
    _sources[resource_name] = source


def has_timeline(resource: type[Resource]) -> bool:
    """Whether the resource's page shows a timeline."""
    return resource.timeline and resource.name in _sources


def timeline(
    resource: type[Resource], record_id: int, actor: Actor, kind: str = "", limit: int = 20, before: str = ""
) -> Timeline | None:
    """What happened to a record the actor may see, newest first; None without a timeline."""
    if not has_timeline(resource):
        return None
    return _sources[resource.name](record_id, actor, kind, limit, before)
