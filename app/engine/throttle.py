"""How often somebody may try what could be found out by trying: passwords, numbers behind a mask."""

from __future__ import annotations

from collections.abc import Iterable

from flask import current_app, g, has_request_context
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from app.engine.actions import TooMany
from app.engine.fields import FieldSpec
from app.engine.guards import hidden
from app.engine.scopes import Actor

_beside = FixedWindowRateLimiter(MemoryStorage())
"""Counts within this process while Redis does not answer."""


def spend(what: str, rate: str, who: object, amount: int = 1) -> None:
    """Count ``amount`` tries of somebody; raises `TooMany` beyond the rate (``60/minute;600/hour``)."""
    limiter = current_app.appbuilder.sm.limiter  # type: ignore[attr-defined]
    if not limiter.enabled or not amount:
        return
    items = parse_many(rate)
    try:
        allowed = [limiter.limiter.hit(item, what, str(who), cost=amount) for item in items]
    except RedisError:
        allowed = [_beside.hit(item, what, str(who), cost=amount) for item in items]
    if not all(allowed):
        raise TooMany


def look_up(spec: FieldSpec, actor: Actor, values: Iterable[str]) -> None:
    """Count full values that somebody asks about who may not read them; each once per request."""
    if not has_request_context() or hidden(spec, actor) is None:
        return
    asked: set[str] = g.setdefault("asked", set())
    fresh = set(values) - asked
    asked |= fresh
    spend("lookup", current_app.config["LOOKUP_LIMIT"], actor.id, len(fresh))
