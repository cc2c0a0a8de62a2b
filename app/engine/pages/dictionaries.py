"""The editor of dictionaries, and what a merge of two options does."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.forms import Difference
from app.engine.pages.parts import Link, Option


@dataclass(slots=True)
class OptionRow:
    """One option as the editor shows it; ``parents`` are offered where it may hang elsewhere."""

    id: int
    value: str
    label: str
    tone: str
    active: bool
    version: int
    was: str
    """What it was when the page was opened, in a few letters."""
    origin: str = ""
    tones: list[Option] = field(default_factory=list)
    parents: list[Option] = field(default_factory=list)
    uses: str = ""
    error: str = ""
    merge_url: str = ""
    remove: str = ""
    """What deleting it is called; empty where it cannot be."""
    confirm: str = ""
    first: bool = False
    last: bool = False


@dataclass(slots=True)
class OptionSection:
    """The options under one parent, or all of a dictionary without parents."""

    title: str
    rows: list[OptionRow]


@dataclass(slots=True)
class DictionaryPage:
    """One dictionary: the others at the left, its options, and a place for more of them."""

    title: str
    name: str
    url: str
    groups: list[tuple[str, list[Link]]]
    sections: list[OptionSection]
    used_in: str = ""
    count: int = 0
    readonly: str = ""
    may_add: bool = False
    parents: list[Option] = field(default_factory=list)
    parent_label: str = ""
    parent: str = ""
    lines: str = ""
    lines_error: str = ""
    errors: list[str] = field(default_factory=list)
    uses_url: str = ""
    counted: bool = False
    merges: list[Link] = field(default_factory=list)
    list_url: str = ""
    undo_url: str = ""
    began: str = ""
    """The order with which it was opened."""
    conflict: list[Difference] = field(default_factory=list)
    unsaved: bool = False
    for_all: Option | None = None
    """The choice whether further options are the group's; None for those who have none."""


@dataclass(slots=True)
class MergePage:
    """A merge before it begins, or what has come of it; ``refresh`` seconds until the page looks again."""

    title: str
    url: str
    back_url: str
    old: str
    new: str = ""
    choices: list[Option] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, str]] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    hindrances: list[str] = field(default_factory=list)
    ready: bool = False
    confirm: str = ""
    state: str = ""
    tone: str = ""
    said: str = ""
    percent: int = 0
    refresh: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)
    undo: bool = False
    job_url: str = ""
