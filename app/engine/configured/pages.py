"""What the pages of the configuration hand to their templates, like `pages`."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages import HistoryChange, Link, Option


@dataclass(slots=True)
class ChangeLine:
    """One change of the configuration; without ``undo_url`` it is none that is taken back."""

    at: str
    who: str
    did: str
    kind: str
    title: str
    source: str
    lines: list[HistoryChange]
    fresh: bool
    url: str = ""
    undo_url: str = ""


@dataclass(slots=True)
class ChangesPage:
    """配置变更: the changes, newest first, and the files."""

    title: str
    lines: list[ChangeLine]
    kinds: list[Option]
    person: str
    since: str
    until: str
    owners: list[Option]
    presets: list[Link]
    error: str = ""
    newer: str = ""
    older: str = ""
    asked: bool = False
    setup: bool = False
    """Whether what the product began with is shown too."""


@dataclass(slots=True)
class UndoPage:
    """What taking back one change, or all of its deed, would do; ``reasons`` are why it cannot be done."""

    title: str
    url: str
    lines: list[ChangeLine]
    backs: list[str]
    reasons: list[str]
    whole_url: str = ""
    whole: int = 0
    back_url: str = "/configuration/"


@dataclass(slots=True)
class DifferenceKind:
    """The difference of one kind: how many of each, and the entries with what changes of them."""

    label: str
    counts: list[tuple[str, int]]
    entries: list[tuple[str, str, str, list[str]]]
    more: int = 0


@dataclass(slots=True)
class ImportPage:
    """Bringing a file in: choosing it, then what would happen, then doing it."""

    title: str
    owners: list[Option]
    about: str = ""
    owner: str = ""
    owner_label: str = ""
    packed: str = ""
    seen: str = ""
    removes: bool = True
    has_removes: bool = False
    compared: bool = False
    kinds: list[DifferenceKind] = field(default_factory=list)
    amount: int = 0
    mistakes: list[str] = field(default_factory=list)
    note: str = ""
