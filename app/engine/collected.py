"""What a transaction collects for its end: a savepoint's share goes with the savepoint.

Rolled back, it is thrown away; released, it joins what the transaction around it has collected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session

T = TypeVar("T")


class Collected(Generic[T]):
    """One kind of such things, kept in every session; ``join(lower, upper)`` adds a released share.

    Made once per process, by the module that collects.
    """

    def __init__(self, name: str, fresh: Callable[[], T], join: Callable[[T, T], None]) -> None:
        self._key, self._fresh, self._join = f"zhike.{name}", fresh, join
        event.listen(Session, "after_transaction_create", self._open)
        event.listen(Session, "after_commit", self._release)
        event.listen(Session, "after_transaction_end", self._close)

    def share(self, session: Session) -> T:
        """The share of the innermost transaction, to add to."""
        return self._shares(session)[-1]

    def take(self, session: Session) -> T:
        """All that the session has collected; it starts anew."""
        whole, *upper = self._shares(session)
        for share in upper:
            self._join(whole, share)
        self._shares(session)[:] = [self._fresh() for _ in (whole, *upper)]
        return whole

    def _shares(self, session: Session) -> list[T]:
        found: list[T] = session.info.setdefault(self._key, [self._fresh()])
        return found

    def _open(self, session: Session, transaction: Any) -> None:
        if transaction.nested:
            self._shares(session).append(self._fresh())

    def _release(self, session: Session) -> None:
        if session.in_nested_transaction():
            shares = self._shares(session)
            self._join(shares[-2], shares[-1])
            shares[-1] = self._fresh()  # closed by `_close`, empty

    def _close(self, session: Session, transaction: Any) -> None:
        if transaction.nested:
            self._shares(session).pop()
        elif transaction.parent is None:
            session.info.pop(self._key, None)
