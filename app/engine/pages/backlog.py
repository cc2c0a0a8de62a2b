"""The page of the queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class BacklogLine:
    """A kind of row, and how many wait, are due later, are carried out, were parked."""

    label: str
    waiting: int
    later: int
    running: int
    parked: int
    since: str
    """Since when the longest waiting one is due, in words."""


@dataclass(slots=True)
class ParkedLine:
    """A row that was given up."""

    label: str
    attempts: int
    at: str
    reason: str
    id: int


@dataclass(slots=True)
class WorkerLine:
    """A worker that is alive."""

    name: str
    takes: str
    state: str
    tone: str
    seen: str


@dataclass(slots=True)
class QueuePage:
    """后台队列: the outbox in numbers, what was parked, and who carries it. ``away`` is a sentence when the
    queue does not answer."""

    title: str
    url: str
    figures: list[tuple[str, str, str]]
    """Label, number, tone."""
    lines: list[BacklogLine]
    parked: list[ParkedLine]
    workers: list[WorkerLine]
    away: str = ""
    more_parked: str = ""
