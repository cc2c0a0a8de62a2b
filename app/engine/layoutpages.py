"""What the pages of the layout editor hand to their templates, like `pages`."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages import DetailPage, Difference, FieldSection, Link, Option


@dataclass(slots=True)
class SpotLine:
    """A field as the editor shows it. ``keeps`` says why it cannot be hidden, ``marks`` what is special about it."""

    name: str
    label: str
    full: bool
    hidden: bool
    keeps: str = ""
    marks: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class PartBlock:
    """A section with its fields. ``default`` is its declared title where it is called otherwise by now."""

    key: str
    title: str
    lines: list[SpotLine]
    own: bool = False
    default: str = ""
    error: str = ""


@dataclass(slots=True)
class LayoutPreview:
    """How the page would look: the sections of a form, or a record's page."""

    sections: list[FieldSection] = field(default_factory=list)
    detail: DetailPage | None = None
    note: str = ""


@dataclass(slots=True)
class LayoutEditor:
    """One form or page of one owner as it is being laid out; nothing of it is kept yet. ``kept`` is whether it
    has a layout of its own, ``hidden`` what names it, ``remembers`` how it was opened."""

    title: str
    url: str
    blocks: list[PartBlock]
    hidden: list[tuple[str, str]]
    remembers: list[tuple[str, str]]
    differences: list[str]
    preview: LayoutPreview
    pages: list[Link]
    owners: list[Link]
    roles: list[Option]
    base: str
    back_url: str
    longest: int
    kept: bool = False
    changed: bool = False
    may: bool = True
    intro: str = ""
    focus: str = ""
    errors: list[str] = field(default_factory=list)
    conflict: list[Difference] = field(default_factory=list)
    theirs_url: str = ""
    """Where the other one's version is."""


@dataclass(slots=True)
class LayoutRow:
    """A list with what of it is laid out: each page with where it is changed, and for whom it has been, with where
    that is."""

    label: str
    icon: str
    cells: list[tuple[Link | None, list[Link]]]


@dataclass(slots=True)
class LayoutIndex:
    """All lists whose pages can be laid out."""

    title: str
    headings: list[str]
    rows: list[LayoutRow]
    owners: list[Link]
    intro: str = ""
