"""What the pages of the menu's editor hand to their templates, like `pages`."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages import Difference, Link, Option


@dataclass(slots=True)
class MenuLine:
    """A group, an entry or a link as the editor shows it. ``marks`` say what differs from the default, with
    their tones; ``error`` is why the last deed with it was refused."""

    key: str
    label: str
    icon: str
    version: int
    url: str = ""
    edit_url: str = ""
    marks: list[tuple[str, str]] = field(default_factory=list)
    hidden: bool = False
    own: bool = False
    changed: bool = False
    keeps: bool = False
    """It cannot be hidden."""
    error: str = ""


@dataclass(slots=True)
class MenuBlock:
    """A group with what stands in it."""

    group: MenuLine
    lines: list[MenuLine]


@dataclass(slots=True)
class MenuPage:
    """The whole menu of one owner; ``of`` is submitted with every deed."""

    title: str
    url: str
    of: str
    intro: str
    blocks: list[MenuBlock]
    owners: list[Link] = field(default_factory=list)
    adds: list[Link] = field(default_factory=list)
    may: bool = False
    changed: int = 0


@dataclass(slots=True)
class MenuForm:
    """One piece of the menu, or a new one; errors by field."""

    title: str
    url: str
    of: str
    key: str
    kind: str
    label: str
    icon: str
    cancel_url: str
    back: str
    submit: str = "保存"
    version: int = 0
    longest: int = 20
    default: str = ""
    address: str = ""
    places: list[Option] = field(default_factory=list)
    icons: tuple[str, ...] = ()
    roles: list[Option] = field(default_factory=list)
    hidden: bool = False
    hides: bool = True
    links: list[Link] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    conflict: list[Difference] = field(default_factory=list)
    theirs_url: str = ""
