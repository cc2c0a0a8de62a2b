"""The port through which a domain shows what happened to a record (A-44, A-45)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.engine.pages import Timeline
from app.engine.resource import Resource
from app.engine.scopes import Actor

SHOWN = 30

TimelineSource = Callable[[Session, int, Actor, datetime, str, int, str], Timeline]
"""``source(session, record_id, actor, now, kind, limit, before)``: the newest ``limit`` events of that kind (empty: all)
before the place ``before`` (empty: now). Its texts have passed the gate; the record is in scope. Kinds carry
their ``name``; ``more_url`` holds the place where the older events begin."""

_sources: dict[str, TimelineSource] = {}


def provide_timeline(resource_name: str, source: TimelineSource) -> None:
    """Install the function that reads a resource's events; the owning domain calls this."""
    _sources[resource_name] = source


def of(
    session: Session,
    resource: type[Resource],
    record_id: int,
    actor: Actor,
    now: datetime,
    kind: str,
    url: str,
    before: str = "",
) -> Timeline | None:
    """What happened to a record the actor may see, newest first; None where nobody provides it.

    ``url`` is the page of the record; the addresses of kinds and older events are completed from it.
    """
    source = _sources.get(resource.name)
    if source is None:
        return None
    found = source(session, record_id, actor, now, kind, SHOWN, before)
    for link in found.kinds:
        link.url = link.url or (f"{url}?{urlencode({'kind': link.name})}" if link.name else url)
    if found.more_url and not found.more_url.startswith("/"):
        found.more_url = f"{url}?{urlencode({'kind': kind, 'before': found.more_url})}"
    return found
