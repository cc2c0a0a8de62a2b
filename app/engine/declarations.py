"""What a resource is declared with: its place in the menu, groups of fields, tabs, filters, tools, views, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.engine.scopes import Actor, Scope


@dataclass(frozen=True)
class Badge:
    """A count of waiting work at a menu item (D-06): the rows of a saved view, in the scope its list opens
    with, so that the number opens exactly what it counts. A ``scope`` is the one it opens with for everybody
    who has it, and nobody's rows are looked for to find out."""

    view: str
    hot: bool = False
    scope: Scope | None = None


@dataclass(frozen=True)
class Menu:
    """Where a resource stands in the left menu. Groups come in the order of their lowest ``order``."""

    group: str
    label: str = ""
    icon: str = "table"
    order: int = 100
    badge: Badge | None = None
    page: str = ""
    """Where it leads, when that is not the list."""


@dataclass(frozen=True, eq=False)
class Group:
    """A titled group of fields on a form or detail page. A ``folded`` one is closed on the form of a new
    record until something in it was filled in by hand or is wrong."""

    title: str
    fields: tuple[Any, ...]
    folded: bool

    def __init__(self, title: str, *fields: Any, folded: bool = False) -> None:
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "folded", folded)


@dataclass(frozen=True, eq=False)
class Related:
    """A tab with the records whose foreign key points here, e.g. ``Related(ServiceOrder.customer_id)``.

    ``creates`` offers a new one from there, with this record filled in.
    """

    by: Any
    label: str = ""
    columns: tuple[Any, ...] = ()
    limit: int = 50
    creates: bool = True


@dataclass(frozen=True, eq=False)
class Alike:
    """A tab with the records of the same kind that are about the same thing, this one among them, as far as
    the person sees them: ``same(pk)`` is their condition, ``order`` how they stand."""

    label: str
    same: Callable[[int], ColumnElement[bool]]
    columns: tuple[Any, ...]
    order: tuple[Any, ...]
    limit: int = 50


@dataclass(frozen=True, eq=False)
class Told:
    """A tab whose rows a domain works out of other records: ``table(session, pk, actor)`` makes it, as far as the
    person may know of them, or gives None where there is nothing to tell."""

    table: Callable[[Session, int, Actor], Any]


@dataclass(frozen=True, eq=False)
class Asked:
    """A filter that asks for its column in another way than by one of its values."""

    column: Any


@dataclass(frozen=True, eq=False)
class Between(Asked):
    """A filter over a range of dates or numbers."""


@dataclass(frozen=True, eq=False)
class Part(Asked):
    """A filter by a part of a text. Of a guarded column only those who read it may ask for a part."""


@dataclass(frozen=True, eq=False)
class Ticked(Asked):
    """A filter whose few values all stand in the bar, to be ticked in any combination."""


@dataclass(frozen=True)
class Tool:
    """A function of a list's toolbar or of the menu of its rows, by the ``name`` of an action or one of new,
    copy, edit, delete, import and export; with ``page``, an address with ``{id}``, it leads there instead, and
    needs the ``permission`` of this resource. One that is not declared is left out."""

    name: str
    label: str = ""
    icon: str = ""
    page: str = ""
    permission: str = ""


@dataclass(frozen=True, eq=False)
class Window:
    """The default range of a list: only the last ``days`` days of ``column`` (A-64)."""

    column: Any
    days: int


@dataclass(frozen=True)
class View:
    """A saved view as a tab: ``where(now)`` gives its condition; ``sort`` like ``-created_at``. Without
    ``tab`` it is only opened by links that name it, and shown as a tab while it is open."""

    name: str
    label: str
    where: Callable[[datetime], ColumnElement[bool]]
    sort: str = ""
    hot: bool = False
    ignores_window: bool = False
    tab: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file may be."""

    rows: int
    megabytes: int


@dataclass(frozen=True, slots=True)
class UploadWords:
    """What the buttons of an upload are called, and what is said without a file."""

    browse: str = "选择文件"
    submit: str = "上传并检查"
    no_file: str = "请选择要上传的文件"


@dataclass(frozen=True, eq=False)
class ImportTemplate:
    """How files of such records come in. The columns are those of the form and ``more``, without
    ``left_out``; ``presets`` may be chosen once for a whole file; existing records can be updated by one of
    ``keys``. ``filing`` is the class of `imports.filing` that judges and files the lines. ``example`` fills the
    example row of the template by field name, ``notes`` stand on its page of instructions. With an
    ``introduction`` they and the choice of presets are a window of their own before the upload."""

    filing: Any
    more: tuple[Any, ...] = ()
    left_out: tuple[str, ...] = ()
    presets: tuple[Any, ...] = ()
    keys: tuple[Any, ...] = ()
    example: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    most: int = 100_000
    """So many rows at most in one file."""
    largest: int = 32
    """So many megabytes at most."""
    bounds: Callable[[Session, int | None], Bounds] | None = None
    """The bounds as the dealer has set them."""
    strict: str = ""
    """What is said of a file whose headings are not those of the template; without it the person says what
    they mean."""
    words: UploadWords = UploadWords()
    introduction: tuple[str, ...] = ()

    def bounds_for(self, session: Session, dealer_id: int | None) -> Bounds:
        """What a file of that dealer's may hold."""
        return self.bounds(session, dealer_id) if self.bounds is not None else Bounds(self.most, self.largest)
