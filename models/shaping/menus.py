"""The menu as administrators have shaped it: what is declared, then the group's changes, then the dealer's.

Arranging is pure; what is stored is read once per process and state of the rights, so that a request costs no
query. Hiding is about the menu alone: who may open a page still may.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_appbuilder.security.sqla.models import assoc_user_role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.database import db
from app.engine.menus import Arranged, Entry, Section, entries, icon_of, provide_menu
from app.engine.scopes import Actor
from models.identity.per_epoch import PerEpoch
from models.identity.roles import StaffRole
from models.identity.templates import DEALER_ROLES
from models.shaping.menu_tables import MenuShape

SELF = "menu-settings"
"""The key of the page on which the menu is shaped, which nobody who may do so can lose."""
URL = f"/{SELF}/"
EDIT = ("can_edit", "MenuSettings")
"""The permission to shape it."""
GROUP = "group:"
OWN_GROUP = "own:"
LINK = "link:"
STEP = 1000
"""Room between two neighbours, so that one can be put between them without moving the others."""
SHAPES = ("label", "icon", "place", "sort", "hidden", "roles", "url")
EVERYWHERE = "*:"
"""Before the key of a preset role: as every dealer has it."""


def names_group(key: str) -> bool:
    """Whether the key is that of a group, the product's or an own one."""
    return key.startswith((GROUP, OWN_GROUP))


def is_own(key: str) -> bool:
    """Whether an administrator has added it."""
    return key.startswith((OWN_GROUP, LINK))


@dataclass(frozen=True)
class Shape:
    """A stored change of one piece, as `MenuShape` holds it."""

    key: str
    label: str | None = None
    icon: str | None = None
    place: str | None = None
    sort: int | None = None
    hidden: bool | None = None
    roles: tuple[str, ...] | None = None
    url: str | None = None
    gone: bool = False
    version: int = 0


@dataclass(frozen=True)
class Piece:
    """A group, an entry or a link of a menu. ``home`` is the group it is declared in."""

    key: str
    label: str
    icon: str
    sort: int
    place: str = ""
    url: str = ""
    hidden: bool = False
    roles: tuple[str, ...] = ()
    home: str = ""


Layout = Mapping[str, Piece]


@dataclass(frozen=True)
class Ordered:
    """A group with what stands in it, in order, hidden pieces too."""

    group: Piece
    pieces: tuple[Piece, ...]


def declared(found: Sequence[Entry]) -> dict[str, Piece]:
    """The product's own menu. A group stands where its first entry does."""
    layout: dict[str, Piece] = {}
    sort = 0
    for entry in found:
        key = GROUP + entry.group
        sort = max(entry.order * STEP, sort + STEP // 10)
        layout.setdefault(key, Piece(key, entry.group, icon_of(entry.group), sort))
        layout[entry.key] = Piece(entry.key, entry.label, entry.icon, sort, key, entry.url, home=key)
    return layout


def shaped(layout: Layout, shapes: Mapping[str, Shape]) -> dict[str, Piece]:
    """The menu with one owner's changes. Those of pages that are no more are left out."""
    found = dict(layout)
    for key, shape in shapes.items():
        piece = found.get(key)
        if shape.gone or (piece is None and not is_own(key)):
            continue
        given = {n: v for n in SHAPES if (v := getattr(shape, n)) is not None}
        found[key] = replace(piece or Piece(key, "", "folder" if names_group(key) else "link", 0), **given)
    return found


def ordered(layout: Layout) -> list[Ordered]:
    """Groups and what stands in them. A piece whose group is no more stands where it is declared, a link in the
    last group; pieces of the same rank keep the order in which they were declared."""
    groups = sorted((p for p in layout.values() if names_group(p.key)), key=lambda p: p.sort)
    known = {g.key for g in groups}
    held: defaultdict[str, list[Piece]] = defaultdict(list)
    for piece in layout.values():
        if not names_group(piece.key):
            places = (piece.place, piece.home, groups[-1].key)
            held[next(p for p in places if p in known)].append(piece)
    return [Ordered(g, tuple(sorted(held[g.key], key=lambda p: p.sort))) for g in groups]


def group_of(layout: Layout, key: str) -> str:
    """The key of the group in which a piece stands."""
    return next(o.group.key for o in ordered(layout) if any(p.key == key for p in o.pieces))


@dataclass(frozen=True)
class Snapshot:
    """All changes of one state of the rights, by owner; ``None`` is the group. ``roles`` are the names of
    those from which something is hidden, ``labels`` what all roles are called."""

    shapes: Mapping[int | None, Mapping[str, Shape]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    layouts: dict[int | None, dict[str, Piece]] = field(default_factory=dict)

    def layout(self, dealer_id: int | None) -> dict[str, Piece]:
        """The menu of a dealer, or the group's preset."""
        if dealer_id not in self.layouts:
            below = declared(entries()) if dealer_id is None else self.layout(None)
            self.layouts[dealer_id] = shaped(below, self.shapes.get(dealer_id, {}))
        return self.layouts[dealer_id]

    def layout_with(self, dealer_id: int | None, own: Sequence[Entry]) -> dict[str, Piece]:
        """The menu of a dealer, and in it the entries of one person that no declaration knows."""
        layout = self.layout(dealer_id)
        fresh = [e for e in own if e.key not in layout]
        return {**declared(fresh), **layout} if fresh else layout

    def below(self, dealer_id: int | None) -> dict[str, Piece]:
        """The menu without the changes of that owner: what 恢复默认 leads back to."""
        return declared(entries()) if dealer_id is None else self.layout(None)


def load(session: Session) -> Snapshot:
    """The changes as the open transaction sees them."""
    table: Any = MenuShape.__table__
    names = (*SHAPES, "gone", "version")
    columns = (table.c.dealer_id, table.c.key, *(table.c[n] for n in names))
    shapes: defaultdict[int | None, dict[str, Shape]] = defaultdict(dict)
    with session.no_autoflush:
        for dealer_id, key, *values in session.execute(select(*columns).order_by(table.c.id)):
            given = dict(zip(names, values, strict=True))
            given["roles"] = tuple(given["roles"]) if given["roles"] is not None else None
            shapes[dealer_id][key] = Shape(key, **given)
        labels = dict(tuple(row) for row in session.execute(select(StaffRole.name, StaffRole.label)))
    labels |= {EVERYWHERE + t.key: t.label for t in DEALER_ROLES}
    roles = {r for own in shapes.values() for s in own.values() for r in s.roles or ()}
    return Snapshot(dict(shapes), frozenset(roles), labels)


snapshot = PerEpoch(load)
"""The changes as they are at this session's epoch."""


def role_names(role: str) -> tuple[str, ...]:
    """The names by which a menu may be hidden from a role: its own, and for preset roles that of the preset in
    every dealer."""
    preset = role.partition(":")[2]
    every = (EVERYWHERE + preset,) if preset in {t.key for t in DEALER_ROLES} else ()
    return (role, *every)


def roles_to_name(session: Session, dealer_id: int | None) -> dict[str, str]:
    """The roles from which pieces can be hidden, by name: a dealer's and the group's, or the presets of every
    dealer where the group decides for all."""
    if dealer_id is None:
        return {EVERYWHERE + t.key: t.label for t in DEALER_ROLES}
    of = StaffRole.dealer_id.is_(None) | (StaffRole.dealer_id == dealer_id)
    statement = select(StaffRole.name, StaffRole.label).where(of, StaffRole.label != "")
    rows = session.execute(statement.order_by(StaffRole.dealer_id.is_(None), StaffRole.id))
    return dict(tuple(row) for row in rows)


def _roles_of(session: Session, actor: Actor) -> list[frozenset[str]]:
    table: Any = StaffRole.__table__
    statement = (
        select(table.c.name)
        .join(assoc_user_role, assoc_user_role.c.role_id == table.c.id)
        .where(assoc_user_role.c.user_id == actor.id)
    )
    return [frozenset(role_names(name)) for name in session.scalars(statement)]


def _arranged(actor: Actor, mine: Sequence[Entry]) -> Arranged:
    """The menu of a person. Something is hidden from a person by role when it is hidden from all the roles he
    or she has, as rights add up too."""
    session = db.session()
    known = snapshot(session)
    edits = actor.can(*EDIT)
    layout = known.layout_with(actor.dealer_id, mine)
    roles = _roles_of(session, actor) if known.roles else []
    may = {e.key: e for e in mine}

    def hides(piece: Piece) -> bool:
        return piece.hidden or bool(piece.roles and roles and all(r & {*piece.roles} for r in roles))

    sections = []
    named: dict[str, Entry] = {}
    for group, pieces in ((o.group, o.pieces) for o in ordered(layout)):
        held = []
        for piece in pieces:
            if not piece.key.startswith(LINK) and piece.key not in may:
                continue
            entry = named[piece.key] = _entry(piece, group.key, may.get(piece.key))
            if (piece.key == SELF and edits) or not (hides(group) or hides(piece)):
                held.append(entry)
        if held:
            sections.append(Section(group.key, group.label, group.icon, tuple(held)))
    return Arranged(tuple(sections), tuple(named[e.key] for e in mine), URL if edits else "")


def _entry(piece: Piece, group: str, entry: Entry | None) -> Entry:
    if entry is None:
        away = piece.url.startswith("https:")
        return Entry(
            group, piece.key, piece.label, piece.url, piece.icon, piece.sort, ("", ""), external=away
        )
    was = entry.label if piece.label != entry.label else ""
    return replace(entry, group=group, label=piece.label, icon=piece.icon, declared=was)


provide_menu(_arranged)
