"""States and the ways between them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from app.engine.actions import Refusal
from app.engine.choices import Choice
from app.engine.fields import describe


@dataclass(frozen=True, eq=False)
class Lifecycle:
    """The allowed transitions of a choice column."""

    column: Any
    ways: Mapping[Choice, Set[Choice]]

    def to(self, state: Choice) -> Move:
        """The move into ``state``, for an action's ``moves``."""
        return Move(self, state)

    def allows(self, source: Choice | None, target: Choice) -> bool:
        """Whether a record may go from ``source`` to ``target``."""
        return source is not None and target in self.ways.get(source, set())


@dataclass(frozen=True, eq=False)
class Move:
    """One transition; `perform` checks it before the rule and sets the state after it."""

    life: Lifecycle
    target: Choice

    def check(self, record: Any) -> None:
        """Refuse in words when the record's state does not lead to the target."""
        state = getattr(record, self.life.column.key)
        if state == self.target:
            raise Refusal(f"当前{describe(self.life.column).label}已是“{self.target.label}”")
        if not self.life.allows(state, self.target):
            raise Refusal(f"当前状态“{state.label}”不能变为“{self.target.label}”")

    def apply(self, record: Any) -> None:
        """Set the new state."""
        setattr(record, self.life.column.key, self.target)
