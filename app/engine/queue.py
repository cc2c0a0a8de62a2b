"""The port to a job queue. The engine hands over outbox ids; who carries them is decided outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Flask, current_app

_KEY = "zhike.queue"


class QueueDown(Exception):
    """The queue cannot be reached now; what was to be handed over stays in the outbox."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker that is alive: its name, what it takes, whether it is busy, and its last sign of life (UTC)."""

    name: str
    takes: tuple[str, ...]
    busy: bool
    at: datetime | None


class Queue(Protocol):
    """Carries outbox ids to a worker, at least once and in no promised order."""

    carries: bool
    """Whether what is handed over reaches a worker by itself."""

    def hand_over(self, ids: Sequence[int], *, seconds: int, long: bool = False) -> None:
        """Pass the ids on; each may run for ``seconds``, ``long`` ones where nobody waits behind them.
        Raises `QueueDown`."""

    def depth(self) -> int:
        """How many jobs wait for a worker. Raises `QueueDown`."""

    def workers(self) -> list[Seen]:
        """Who carries jobs at the moment. Raises `QueueDown`."""


class MemoryQueue:
    """The queue of a process that has none: it remembers, and `take` gives back. Nothing runs by itself."""

    carries = False

    def __init__(self) -> None:
        self._ids: deque[int] = deque(maxlen=100_000)

    def hand_over(self, ids: Sequence[int], *, seconds: int, long: bool = False) -> None:
        """Remember the ids."""
        self._ids.extend(ids)

    def depth(self) -> int:
        """How many ids are remembered."""
        return len(self._ids)

    def workers(self) -> list[Seen]:
        """Nobody."""
        return []

    def take(self) -> list[int]:
        """All remembered ids, each once, oldest first; they are forgotten."""
        taken = list(dict.fromkeys(self._ids))
        self._ids.clear()
        return taken


def connect(app: Flask, queue: Queue) -> None:
    """Make this queue the application's."""
    app.extensions[_KEY] = queue


def current() -> Queue:
    """The queue of the current application; a `MemoryQueue` when none was connected."""
    queue: Queue = current_app.extensions.setdefault(_KEY, MemoryQueue())
    return queue
