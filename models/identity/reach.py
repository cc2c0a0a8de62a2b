"""谁能看到: how far each role of a dealer reaches on one list, and whether it reads one guarded field.

The role editor says the same in full; this says it from where the wish arises, for all roles side by side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.engine import perform
from app.engine.actions import Act, Invalid, Stale
from app.engine.choices import Choice
from app.engine.guards import Guard
from app.engine.resource import Resource
from app.engine.resource import resource as named
from app.engine.scopes import PERSONAL, Actor, Scope, offered
from models.identity import role_rules
from models.identity.delegation import MANAGE_ROLES
from models.identity.resources import Roles
from models.identity.rights import Rights
from models.identity.role_rules import Change
from models.identity.roles import RoleAssignment, RoleScope
from models.identity.tables import Employee

_STORES = frozenset({Scope.STORE, Scope.DEPARTMENT})
_ALL = frozenset({Scope.DEALER, Scope.GROUP})


class Reach(Choice):
    """How far a role reaches on a list, each more than the one before."""

    NONE = "none", "看不到"
    OWN = "own", "仅本人"
    STORE = "store", "本店"
    DEALER = "dealer", "全部"


_ORDER = list(Reach)


@dataclass(frozen=True)
class Held:
    """What one role holds of a list and a field: the page, the scopes, and whether the guard's tick is set."""

    page: bool = False
    scopes: frozenset[Scope] = frozenset()
    ticked: bool = False


@dataclass(frozen=True)
class Wish:
    """What shall hold for one role: a reach, or exactly these scopes (to take a change back), and whether it
    reads the field. None leaves as it is."""

    role_id: int
    version: int
    reach: Reach | None = None
    exact: Held | None = None
    reads: bool | None = None


@dataclass(frozen=True)
class Changed:
    """A role that was changed: what it held before, its version now, and the change in words."""

    role_id: int
    label: str
    version: int
    before: Held
    changes: tuple[Change, ...]


def choices(resource: type[Resource], actor: Actor) -> list[Reach]:
    """The reaches that mean something on this list and that this person may hand out."""
    if resource.scopes.open:
        return [Reach.NONE, Reach.DEALER]
    give = frozenset(role_rules.scopes_to_give(resource, actor))
    found = [Reach.NONE]
    if give & PERSONAL:
        found.append(Reach.OWN)
    if give & _STORES:
        found.append(Reach.STORE)
    return [*found, Reach.DEALER] if give & _ALL else found


def reach_of(resource: type[Resource], held: Held) -> Reach:
    """How far a role reaches that holds this."""
    if not held.page:
        return Reach.NONE
    if resource.scopes.open or held.scopes & _ALL:
        return Reach.DEALER
    if held.scopes & _STORES:
        return Reach.STORE
    return Reach.OWN if held.scopes else Reach.NONE


def reads(guard: Guard, held: Held) -> bool:
    """Whether the role alone lets its people read the field."""
    return held.ticked is not guard.restricting


def held_by(
    session: Session, role_ids: Iterable[int], resource: type[Resource], guard: Guard | None
) -> dict[int, Held]:
    """What these roles hold of the list and the field."""
    ids = list(role_ids)
    page = ("can_list", resource.view_name())
    wanted = [page] if guard is None else [page, guard.permission]
    table = assoc_permissionview_role
    ticks: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for role_id, permission, view in session.execute(
        select(table.c.role_id, Permission.name, ViewMenu.name)
        .join(PermissionView, PermissionView.id == table.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(table.c.role_id.in_(ids), tuple_(Permission.name, ViewMenu.name).in_(wanted))
    ):
        ticks[role_id].add((permission, view))
    opened: defaultdict[int, set[Scope]] = defaultdict(set)
    for role_id, scope in session.execute(
        select(RoleScope.role_id, RoleScope.scope).where(
            RoleScope.role_id.in_(ids), RoleScope.resource == resource.name
        )
    ):
        opened[role_id].add(scope)
    return {
        i: Held(
            page in ticks[i], frozenset(opened[i]), guard is not None and guard.permission in ticks[i]
        )
        for i in ids
    }  # fmt: skip


def people_by_role(session: Session, role_ids: Iterable[int], dealer_id: int | None) -> dict[int, set[int]]:
    """The active people of the dealer by role, of every role they have among these."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    statement = (
        select(RoleAssignment.role_id, RoleAssignment.user_id)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(RoleAssignment.role_id.in_(list(role_ids)), Employee.active.is_(True))
    )
    if dealer_id is not None:
        statement = statement.where(Employee.dealer_id == dealer_id)
    for role_id, user_id in session.execute(statement):
        found[role_id].add(user_id)
    return dict(found)


def moved_by_reach(
    resource: type[Resource],
    role_id: int,
    wanted: Reach,
    held: Mapping[int, Held],
    people: Mapping[int, set[int]],
) -> int:
    """How many people would see more or fewer rows, when the others of their roles stay as they are."""
    now = _ORDER.index(reach_of(resource, held[role_id]))
    then = _ORDER.index(wanted)
    moved = 0
    for person in people.get(role_id, ()):
        others = [
            _ORDER.index(reach_of(resource, held[other]))
            for other, members in people.items()
            if other != role_id and person in members
        ]
        moved += max([now, *others]) != max([then, *others])
    return moved


def moved_by_field(
    guard: Guard, role_id: int, held: Mapping[int, Held], people: Mapping[int, set[int]]
) -> int:
    """How many people begin or cease to read the field when this role's tick is turned: a tick of another of
    their roles decides by itself (A-90)."""
    return sum(
        not any(
            other != role_id and person in members and held[other].ticked for other, members in people.items()
        )
        for person in people.get(role_id, ())
    )


def rights_for(
    resource: type[Resource], guard: Guard | None, old: Rights, wish: Wish, actor: Actor
) -> Rights:
    """The role's rights as they shall be; everything the wish does not speak of stays."""
    page = ("can_list", resource.view_name())
    grants, scopes = set(old.grants), set(old.scopes)
    mine = frozenset(s for name, s in scopes if name == resource.name)
    held = Held(page in grants, mine, guard is not None and guard.permission in grants)
    to_page, to_scopes, ticked = held.page, held.scopes, held.ticked
    if wish.exact is not None:
        to_page, to_scopes, ticked = wish.exact.page, wish.exact.scopes, wish.exact.ticked
    elif wish.reach is not None and wish.reach is not reach_of(resource, held):
        if wish.reach not in choices(resource, actor):
            raise Invalid({"reach": "没有此数据范围或不能授予"})
        to_page = wish.reach is not Reach.NONE
        at_hand = reach_of(resource, Held(True, held.scopes))
        if to_page and at_hand is not wish.reach:
            to_scopes = _scopes(wish.reach) & offered(resource) - {Scope.GROUP}
    if guard is not None and wish.reads is not None:
        ticked = wish.reads is not guard.restricting
    _set(grants, page, to_page)
    if guard is not None:
        _set(grants, guard.permission, ticked)
    scopes = {s for s in scopes if s[0] != resource.name} | {(resource.name, s) for s in to_scopes}
    return Rights(frozenset(grants), frozenset(scopes))


def _scopes(reach: Reach) -> frozenset[Scope]:
    """Narrower scopes stay open, as tabs of the list."""
    found = PERSONAL
    if reach in (Reach.STORE, Reach.DEALER):
        found |= _STORES
    return found | {Scope.DEALER} if reach is Reach.DEALER else found


def _set(grants: set[tuple[str, str]], pair: tuple[str, str], on: bool) -> None:
    (grants.add if on else grants.discard)(pair)


def apply(act: Act, resource: type[Resource], guard: Guard | None, wishes: Iterable[Wish]) -> list[Changed]:
    """Change the roles, all of them or none; raises `Stale` when one was changed by somebody else. Part of
    the running deed."""
    perform.require(act.actor, MANAGE_ROLES, f"编辑{Roles.label}")
    may = {p.pair for p in role_rules.catalogue(act.actor)}
    found: list[Changed] = []
    for wish in sorted(wishes, key=lambda w: w.role_id):
        role: Any = perform.find(act.session, Roles, wish.role_id, act.actor, lock=True)
        old = role_rules.rights_of(act.session, role.id)
        new = rights_for(resource, guard, old, wish, act.actor)
        if new == old:
            continue
        if role.version != wish.version:
            raise Stale
        before = held_by(act.session, [role.id], resource, guard)[role.id]
        values = {
            "grants": [role_rules.key_of(p) for p in new.grants if p in may],
            "scopes": [f"{name}:{s.value}" for name, s in new.scopes if _known(name, s, act.actor)],
        }
        role_rules.update_role(role, act, values)
        act.session.flush()
        changes = tuple(role_rules.difference(old, new))
        found.append(Changed(role.id, role.label, role.version, before, changes))
    return found


def _known(name: str, scope: Scope, actor: Actor) -> bool:
    shown = named(name)
    return shown is not None and scope in role_rules.scopes_to_give(shown, actor)
