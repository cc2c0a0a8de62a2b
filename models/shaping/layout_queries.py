"""Whose layout somebody sees: read once per process and state of the rights, so that a request asks nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import layouts
from app.engine.configuring import kind_of
from app.engine.database import db
from app.engine.layouts import Layout
from app.engine.permissions import place_of
from app.engine.resource import Resource, resource, resources
from app.engine.scopes import Actor
from models.identity.menu_groups import BRIEFS, SETTINGS
from models.identity.per_epoch import PerEpoch
from models.identity.roles import RoleAssignment
from models.shaping.layout_tables import LayoutPage, PageLayout

SELF = "layouts"
URL = f"/{SELF}/"
EDIT = ("can_edit", "PageLayouts")
"""The permission to lay out pages."""

Place = tuple[int | None, int | None]
"""The dealer and the role of a layout; neither is the group's for everybody."""


@dataclass(frozen=True)
class Kept:
    """A stored layout with the version of its row."""

    id: int
    version: int
    layout: Layout


@dataclass(frozen=True)
class Snapshot:
    """All layouts of one state of the rights by list and page, and the roles, in order, of those who have one
    that is laid out for."""

    kept: Mapping[tuple[str, str], Mapping[Place, Kept]]
    roles: Mapping[int, tuple[int, ...]]

    def find(self, resource_name: str, page: str, place: Place) -> Kept | None:
        """The layout of that owner for that role, or for everybody."""
        return self.kept.get((resource_name, page), {}).get(place)

    def seen(self, actor: Actor, resource_name: str, page: str) -> Kept | None:
        """The layout somebody sees: of the first of the own roles that has one, else the dealer's, else the
        group's."""
        known = self.kept.get((resource_name, page))
        if not known:
            return None
        roles = (actor.preview_role,) if actor.preview else self.roles.get(actor.id, ())
        for role_id in roles:
            found = known.get((actor.dealer_id, role_id)) or known.get((None, role_id))
            if found is not None:
                return found
        return known.get((actor.dealer_id, None)) or known.get((None, None))

    def below(self, resource_name: str, page: str, place: Place) -> Kept | None:
        """What would hold without that layout: that for everybody of the same dealer, else the group's."""
        known = self.kept.get((resource_name, page), {})
        dealer_id, role_id = place
        chain: list[Place] = [(None, role_id)] if role_id and dealer_id else []
        chain += [(dealer_id, None)] if role_id else []
        chain += [(None, None)] if dealer_id else []
        return next((known[p] for p in chain if p in known), None)


def load(session: Session) -> Snapshot:
    """The layouts as the open transaction sees them."""
    table: Any = PageLayout.__table__
    names = ("id", "version", "resource", "page", "dealer_id", "role_id", "parts")
    found: defaultdict[tuple[str, str], dict[Place, Kept]] = defaultdict(dict)
    with session.no_autoflush:
        for row in session.execute(select(*(table.c[n] for n in names))):
            layout = _layout(row.parts)
            if layout is None:
                continue
            found[row.resource, row.page.value][row.dealer_id, row.role_id] = Kept(
                row.id, row.version, layout
            )
        named = {role_id for places in found.values() for _, role_id in places if role_id is not None}
        return Snapshot(dict(found), _holders(session, named) if named else {})


snapshot = PerEpoch(load)
"""The layouts as they are at this session's epoch."""


def _layout(parts: Any) -> Layout | None:
    """A stored layout; None for what is none: a page is then drawn as it is declared, rather than not at all."""
    try:
        return Layout(layouts.from_json(parts))
    except ValueError:
        return None


def _holders(session: Session, named: set[int]) -> dict[int, tuple[int, ...]]:
    """The people who have these roles, each with them in the order in which the roles were made."""
    held = select(RoleAssignment.user_id, RoleAssignment.role_id).where(RoleAssignment.role_id.in_(named))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for user_id, role_id in session.execute(held.order_by(RoleAssignment.role_id)):
        found[user_id].append(role_id)
    return {user_id: tuple(roles) for user_id, roles in found.items()}


def pages_of(found: type[Resource]) -> list[LayoutPage]:
    """What of a list's records can be laid out; nothing of the settings themselves."""
    of_settings = found.menu is not None and (found.menu.group in SETTINGS or found.name == BRIEFS)
    if not found.columns or of_settings or kind_of(found.model) is not None:
        return []
    return [page for page in LayoutPage if layouts.groups_of(found, page.value)]


def laid_out(actor: Actor) -> list[type[Resource]]:
    """The lists of which this person may lay out something."""
    found = [r for r in resources() if pages_of(r) and actor.can("can_list", r.view_name())]
    return sorted(found, key=place_of)


class _Source:
    """What the engine asks of layouts."""

    def layout(self, actor: Actor, resource_name: str, page: str) -> Layout | None:
        kept = snapshot(db.session()).seen(actor, resource_name, page)
        return kept.layout if kept is not None else None

    def editor(self, actor: Actor, found: type[Resource], page: str, record_id: int) -> str:
        if not actor.can(*EDIT) or not actor.can("can_list", found.view_name()):
            return ""
        if LayoutPage.of(page) not in pages_of(resource(found.name) or found):
            return ""
        asked = {"resource": found.name, "page": page, **({"record": record_id} if record_id else {})}
        return f"{URL}edit?{urlencode(asked)}"


layouts.provide_layouts(_Source())
