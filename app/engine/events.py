"""Events: what a lower domain tells whoever listens, at once and in the same transaction.

A rule that must reach upward publishes; the upper domain subscribes. A refusal of a subscriber refuses
the whole deed. What may happen later goes through the outbox instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.collected import Collected

Subscriber = Callable[..., None]
F = TypeVar("F", bound=Subscriber)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as those learn of it who are told of a whole deed at once."""

    record: Any
    facts: Mapping[str, Any]


_subscribers: dict[str, list[Subscriber]] = {}
_gatherers: dict[str, list[Subscriber]] = {}
_Waiting = list[tuple[Act, str, Happening]]
_waiting: Collected[_Waiting] = Collected("events", list, lambda lower, upper: lower.extend(upper))


def subscribe(event: str, *, gathered: bool = False) -> Callable[[F], F]:
    """Call ``function(act, record, **facts)`` whenever that event is published, in order of subscription.

    A ``gathered`` one is called once, when the deed is about to end, as ``function(act, happenings)`` with
    everything that happened in it: what follows from a batch is then looked up and written set-based. What a
    refused record had published is not among it, and a gathered subscriber refuses nothing.
    """

    def declare(function: F) -> F:
        known = (_gatherers if gathered else _subscribers).setdefault(event, [])
        if function not in known:
            known.append(function)
        return function

    return declare


def publish(act: Act, event: str, record: Any, **facts: Any) -> None:
    """Tell all subscribers of ``event`` about ``record``; whatever they raise is raised here."""
    for subscriber in tuple(_subscribers.get(event, ())):
        subscriber(act, record, **facts)
    if event in _gatherers:
        _waiting.share(act.session).append((act, event, Happening(record, facts)))


def deliver(session: Session) -> None:
    """Tell the gathered subscribers; the deed does so before it commits."""
    while waiting := _waiting.take(session):
        by_deed: dict[tuple[int, str], tuple[Act, list[Happening]]] = {}
        for act, event, happening in waiting:
            by_deed.setdefault((id(act), event), (act, []))[1].append(happening)
        for (_, event), (act, happenings) in by_deed.items():
            for gatherer in tuple(_gatherers[event]):
                gatherer(act, happenings)


def subscribers(event: str) -> tuple[Subscriber, ...]:
    """Who listens to that event."""
    return (*_subscribers.get(event, ()), *_gatherers.get(event, ()))
