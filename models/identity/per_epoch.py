"""What is read once per process and state of the rights, and again after the next change of either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from models.identity.rights import current_epoch

T = TypeVar("T")


class PerEpoch(Generic[T]):
    """Something that administrators set, called with a session to have it as it is at that session's epoch: a
    change acts at the next click on every process, and a request asks nothing.

    ``load(session)`` reads it as the open transaction sees it; nothing is written for that.
    """

    def __init__(self, load: Callable[[Session], T]) -> None:
        self.load = load
        self._kept: tuple[int, T] | None = None

    def __call__(self, session: Session, epoch: int = 0) -> T:
        """As it is at the session's epoch, or at a given one where the process knows that."""
        wanted, kept = epoch or current_epoch(session), self._kept
        if kept is not None and kept[0] == wanted:
            return kept[1]
        with session.no_autoflush:
            fresh = self.load(session)
        if wanted and wanted == current_epoch(session):
            self._kept = (wanted, fresh)
        return fresh
