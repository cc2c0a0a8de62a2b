"""Events: what a lower domain tells whoever listens, at once and in the same transaction.

A rule that must reach upward publishes; the upper domain subscribes. A refusal of a subscriber refuses
the whole deed. What may happen later goes through the outbox instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.engine.actions import Act

Subscriber = Callable[..., None]
F = TypeVar("F", bound=Subscriber)

_subscribers: dict[str, list[Subscriber]] = {}


def subscribe(event: str) -> Callable[[F], F]:
    """Call ``function(act, record, **facts)`` whenever that event is published, in order of subscription."""

    def declare(function: F) -> F:
        known = _subscribers.setdefault(event, [])
        if function not in known:
            known.append(function)
        return function

    return declare


def publish(act: Act, event: str, record: Any, **facts: Any) -> None:
    """Tell all subscribers of ``event`` about ``record``; whatever they raise is raised here."""
    for subscriber in tuple(_subscribers.get(event, ())):
        subscriber(act, record, **facts)


def subscribers(event: str) -> tuple[Subscriber, ...]:
    """Who listens to that event."""
    return tuple(_subscribers.get(event, ()))
