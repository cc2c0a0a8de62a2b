"""What several kinds of pages are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup

from app.engine.fields import ask_for


@dataclass(slots=True)
class Link:
    """Something to click. ``reason`` says why it is disabled (permission name in words); ``keep`` leaves
    it in the head of the page on a phone. One that says how a record stands is ``beside`` its name."""

    label: str
    url: str
    icon: str = ""
    active: bool = False
    enabled: bool = True
    reason: str = ""
    count: str | None = None
    tone: str = ""
    name: str = ""
    primary: bool = False
    confirm: str = ""
    has_form: bool = True
    batch: bool = False
    row: bool = False
    key: str = ""
    keep: bool = False
    beside: bool = False


@dataclass(slots=True)
class Option:
    """One choice of a select, already translated."""

    value: str
    label: str
    tone: str = ""
    selected: bool = False
    parent: str = ""
    group: str = ""


@dataclass(slots=True)
class Field:
    """One input. ``kind``: text, textarea, texts, phone, phones, money, number, integer, date, datetime,
    bool, choice, choices, ref, refs, password, readonly, telephone; in filters also date_range, number_range,
    ticks.

    A choice among ``swatches`` shows each option in its colour. A ``ref`` with options beside the chosen
    one is drawn as a plain select; otherwise it is searched remotely, and ``text`` holds words that were
    typed but name nothing yet. A ``future`` time is one to come: tomorrow, in three days, next week are one
    click away. A ``closed`` one cannot be filled in as things stand, and one that is ``needed`` by a condition
    must be; ``aid`` is the word on the button that fills it in, ``aid_from`` the field it only copies.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    values: list[str] = field(default_factory=list)
    value_to: str = ""
    required: bool = False
    readonly: bool = False
    hint: str = ""
    error: str = ""
    placeholder: str = ""
    options: list[Option] = field(default_factory=list)
    picker_url: str = ""
    check_url: str = ""
    maxlength: int | None = None
    locked: str = ""
    parent: str = ""
    primary: bool = False
    wide: bool = False
    half: bool = False
    """Never a row of its own, whatever its kind."""
    shown_when: str = ""
    unit: str = ""
    text: str = ""
    accept: str = ""
    """The endings of the files it takes."""
    sole: bool = False
    swatches: bool = False
    future: bool = False
    opens_when: str = ""
    needed_when: str = ""
    closed: bool = False
    needed: bool = False
    aid: str = ""
    aid_from: str = ""
    asks: str = ""
    drawn: Markup | None = None
    """As a filter, where it was drawn before."""
    rows: list[list[Field]] = field(default_factory=list)
    """The inputs of each line, where lines are picked in rows; ``row_unit`` is what one row is."""
    row_unit: str = ""

    @property
    def ask(self) -> str:
        """What is said when it stays empty though it is required."""
        return self.asks or ask_for(self.kind, self.label)

    @property
    def grouped(self) -> list[tuple[str, list[Option]]]:
        """The options under their headings, in order."""
        return [(name, list(found)) for name, found in groupby(self.options, key=lambda o: o.group)]


@dataclass(slots=True)
class FieldSection:
    """A titled group of inputs, ``folded`` under its title unless ``opened``."""

    title: str
    fields: list[Field]
    folded: bool = False
    opened: bool = False


@dataclass(slots=True)
class Column:
    """A heading of a list."""

    name: str
    label: str
    sort_url: str = ""
    sorted: str = ""
    kind: str = "text"
    role: str = ""
    hidden: bool = False
    who_url: str = ""
    """Where it is decided who reads it, for those who decide."""
    width: int = 0
    """In pixels, where a view says so."""


@dataclass(slots=True)
class Row:
    """One record of a list. ``cells`` run parallel to the shown columns; ``html`` are the same cells as
    table cells in one piece, because a list page is mostly that."""

    id: int
    url: str
    cells: list[Markup]
    version: int = 0
    number: int = 0
    html: Markup = field(default_factory=Markup)
    edge: str = ""
    """The tone at its edge."""


@dataclass(slots=True)
class Item:
    """A label and its value. ``locked`` names the permission that would show it."""

    label: str
    html: Markup
    locked: str = ""
    wide: bool = False
    name: str = ""
    who_url: str = ""


@dataclass(slots=True)
class Section:
    """A titled group of values."""

    title: str
    items: list[Item]
