"""What one submit of the editor of dictionaries says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.settings.tables import DictionaryEntry, EntryTone


@dataclass
class Wish:
    """What the page says of one option, beside the version it was shown with and what it remembers of it."""

    label: str
    tone: EntryTone
    active: bool
    version: int
    parent: str | None = None
    """None where the page does not ask for it."""
    was: str = ""

    def changes(self, row: DictionaryEntry) -> dict[str, Any]:
        """What differs from the row."""
        wanted = {"label": self.label, "tone": self.tone, "active": self.active}
        if self.parent is not None:
            wanted["parent"] = self.parent or None
        return {name: value for name, value in wanted.items() if getattr(row, name) != value}


@dataclass
class Edit:
    """One submit of the editor: the options by id, in the order they were left in, and one to be deleted."""

    wishes: Mapping[int, Wish]
    order: Sequence[int] = ()
    step: tuple[int, int] = (0, 0)
    """An option and by how many places it goes up (less than 0) or down among those of its parent."""
    removed: int = 0
    began: Sequence[int] = ()
    """The order with which the page was opened."""
