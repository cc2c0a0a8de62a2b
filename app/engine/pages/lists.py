"""A list and its filter bar."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from app.engine.pages.parts import Column, Field, Link, Option, Row


@dataclass(slots=True)
class Chip:
    """An active filter; following ``url`` removes it."""

    label: str
    url: str


@dataclass(slots=True)
class Pager:
    """``total`` reads like ``128条记录 1/13 页``; addresses are empty where there is no such page."""

    total: str
    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""
    per_page: list[Link] = field(default_factory=list)
    pages: list[Link] = field(default_factory=list)
    matching: str = ""


@dataclass(slots=True)
class ExportForm:
    """The way out of a list: where the form goes, and the kinds of files, the usual one first."""

    url: str
    formats: list[Option]
    rows: str
    """How many rows it would have, in words."""


@dataclass(slots=True)
class ViewMenu:
    """The menu of saved views: which there are, what can be done with the open one, and the form that keeps
    the list as it stands under a name."""

    views: list[Link]
    make_url: str
    kept: list[tuple[str, str]]
    """The list as it stands, for the forms."""
    id: int = 0
    """Of the open one; the rest is about it."""
    name: str = ""
    whom: str = ""
    version: int = 0
    may_change: bool = False
    changed: bool = False
    differences: list[str] = field(default_factory=list)
    """What it shows otherwise than the list without it, in words."""
    save_url: str = ""
    edit_url: str = ""
    copy_url: str = ""
    reset_url: str = ""


@dataclass(slots=True)
class ListPage:
    """A list with its filter bar, tabs, rows and batch bar."""

    name: str
    title: str
    icon: str
    url: str
    scopes: list[Link]
    views: list[Link]
    filters: list[Field]
    hidden: list[tuple[str, str]]
    chips: list[Chip]
    columns: list[Column]
    rows: list[Row]
    pager: Pager
    batch: list[Link]
    buttons: list[Link]
    row_menu: Markup
    """What can be done with one row, drawn: links with ``{id}`` in their addresses, or of actions; those with
    ``row`` stand in the row itself."""
    empty: str
    empty_hint: str
    all_columns: list[Column] = field(default_factory=list)
    columns_url: str = ""
    select_all: str = ""
    notice: str = ""
    standing: str = ""
    """What bounds the person just now."""
    error: str = ""
    clear_url: str = ""
    batch_menu: list[Link] = field(default_factory=list)
    """The drop-down 批量: what can be chosen before the records are (A-48)."""
    batch_many: list[Link] = field(default_factory=list)
    """The same functions in the batch bar, for what is ticked."""
    doing: Link | None = None
    """The one function that the ticks are for, chosen beforehand; ``stop_url`` leaves it."""
    stop_url: str = ""
    export: ExportForm | None = None
    script: str = ""
    toolbar: list[Link] = field(default_factory=list)
    """The functions above the list; those with ``row`` are about the row selected there."""
    select_first: str = ""
    """What is said when none is."""
    find_label: str = "查询"
    asides: list[Link] = field(default_factory=list)
    """What those who look after rights find beside its heading."""
    adding_url: str = ""
    """Where one adds a field of one's own to the list."""
    saved: ViewMenu | None = None

    @property
    def ticks(self) -> bool:
        """Whether rows can be ticked, because something can be done with them."""
        return bool(self.batch or self.batch_many or self.toolbar)
