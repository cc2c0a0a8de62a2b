"""What stands in the left menu: entries of resources and of hand-written pages, and how they are arranged.

The engine arranges them as they are declared; a domain that keeps what administrators changed installs its
own way with `provide_menu`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.engine.resource import Badge, Resource, resources
from app.engine.scopes import Actor

_ICON = re.compile(r"^\.ti-([a-z0-9-]+)\{", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A menu item: generated from a resource, or declared for a hand-written page.

    ``declared`` is how the product calls it, where an administrator has named it otherwise; an ``external``
    one leads away from the product; an ``own`` one is somebody's (`provide_entries`) and is named where it is
    made.
    """

    group: str
    key: str
    label: str
    url: str
    icon: str
    order: int
    permission: tuple[str, str]
    badge: Badge | None = None
    resource: type[Resource] | None = None
    declared: str = ""
    external: bool = False
    own: bool = False


@dataclass(frozen=True)
class Section:
    """A titled group of entries as somebody sees it; ``key`` stays when it is renamed."""

    key: str
    label: str
    icon: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Arranged:
    """Somebody's menu: its sections, every page of the product he or she may open (also those the menu leaves
    out), and where entries are changed, for those who may."""

    sections: tuple[Section, ...]
    entries: tuple[Entry, ...]
    editor: str = ""


_extra: list[Entry] = []
_own_entries: list[Callable[[Actor], Sequence[Entry]]] = []
_group_icons: dict[str, str] = {}


def add_entry(entry: Entry) -> None:
    """Put a hand-written page into the menu; once, at import."""
    if entry.key not in {e.key for e in _extra}:
        _extra.append(entry)


def provide_entries(source: Callable[[Actor], Sequence[Entry]]) -> None:
    """Install a function that gives menu items of one person which no declaration knows; asked when the menu is
    made, not per request."""
    if source not in _own_entries:
        _own_entries.append(source)


def group_icon(group: str, icon: str) -> None:
    """The icon of a menu group."""
    _group_icons[group] = icon


def icon_of(group: str) -> str:
    """The icon declared for a group."""
    return _group_icons.get(group, "folder")


def entries() -> list[Entry]:
    """All menu items of the product, in order."""
    found = list(_extra)
    for resource in resources():
        menu = resource.menu
        if menu is not None:
            found.append(
                Entry(
                    menu.group, resource.name, resource.titled(), menu.page or f"/{resource.name}/",
                    menu.icon or resource.icon, menu.order, ("can_list", resource.view_name()),
                    menu.badge, resource,
                )
            )  # fmt: skip
    return sorted(found, key=lambda e: e.order)


def as_declared(_actor: Actor, mine: Sequence[Entry]) -> Arranged:
    """The menu that nobody has changed."""
    groups: dict[str, list[Entry]] = {}
    for entry in mine:
        groups.setdefault(entry.group, []).append(entry)
    return Arranged(tuple(Section(g, g, icon_of(g), tuple(held)) for g, held in groups.items()), tuple(mine))


_arrange: list[Callable[[Actor, Sequence[Entry]], Arranged]] = [as_declared]


def provide_menu(arrange: Callable[[Actor, Sequence[Entry]], Arranged]) -> None:
    """Install the function that arranges the entries somebody may open; once, at import. It is asked once per
    person and state of the rights."""
    _arrange[:] = [arrange]


def arranged(actor: Actor) -> Arranged:
    """The person's menu."""
    own = [e for source in _own_entries for e in source(actor)]
    mine = [e for e in entries() if actor.can(*e.permission)]
    return _arrange[0](actor, tuple(sorted([*mine, *own], key=lambda e: e.order)))


@cache
def icons() -> tuple[str, ...]:
    """The names of the icons that the product's font has."""
    sheet = Path(__file__).parents[1] / "static" / "vendor" / "icons.css"
    return tuple(_ICON.findall(sheet.read_text(encoding="utf-8")))
