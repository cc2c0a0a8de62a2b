"""What a process keeps of what it worked out: so many of each kind, and of those the ones that are still asked for."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """At most ``most`` values by key; the one that was longest not asked for makes room."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def recall(self, key: K) -> V | None:
        """The value, which from now on is the one asked for last; None for one that is not kept (any more)."""
        try:
            self.move_to_end(key)
            return self[key]
        except KeyError:  # also when another thread has just made room
            return None

    def keep(self, key: K, value: V) -> V:
        """Keep the value as the one asked for last, and hand it back."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)
        return value
