"""以此角色预览: what somebody would see who had this role alone, as far as the one who looks may see it.

A preview never opens anything. Its rights are the role's where the person has them too, what is hidden from
the person stays hidden, and the rows of a scope are shown only where the person sees all of them. So that
“我的” shows something, a colleague with the role lends the name, where the person sees the whole dealer.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.permissions import all_permissions
from app.engine.resource import resource, resources
from app.engine.scopes import Actor, Scope, scopes_of
from app.engine.security import provide_preview
from models.identity.packing import pack, unpack
from models.identity.rights import Rights
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Employee

Kept = dict[str, Any]
_PLACED = frozenset({Scope.DEALER, Scope.GROUP})
"""Scopes that mean the same rows whoever looks."""


def begin(session: Session, actor: Actor, label: str, rights: Rights, role: StaffRole | None) -> Kept:
    """What the session shall keep: the rights as they stand on the screen, and who lends the name."""
    dealer_id = role.dealer_id if role is not None and role.dealer_id is not None else actor.dealer_id
    lender = _lender(session, dealer_id, role.id) if role is not None and dealer_id is not None else None
    return {
        "user": actor.id,
        "label": label[:64],
        "role": role.id if role is not None else 0,
        "rights": pack(rights),
        "dealer": dealer_id,
        "lender": list(lender) if lender is not None else None,
    }


def _lender(session: Session, dealer_id: int, role_id: int) -> tuple[int, int | None, int | None, str] | None:
    row = session.execute(
        select(Employee.id, Employee.store_id, Employee.department_id, Employee.name)
        .join(RoleAssignment, RoleAssignment.user_id == Employee.id)
        .where(RoleAssignment.role_id == role_id, Employee.active.is_(True), Employee.dealer_id == dealer_id)
        .order_by(Employee.id)
        .limit(1)
    ).first()
    return (row.id, row.store_id, row.department_id, row.name or "") if row is not None else None


def seen(actor: Actor, kept: Any) -> Actor | None:
    """The person in that preview; None when it is somebody else's or of another version of the program."""
    rights = unpack(kept["rights"]) if isinstance(kept, dict) and kept.get("user") == actor.id else None
    if rights is None:
        return None
    dealer_id = _dealer(actor, kept.get("dealer"))
    lender = kept.get("lender") if dealer_id == kept.get("dealer") else None
    state = f"{actor.epoch} {kept['label']} {kept['rights']} {dealer_id} {lender}"
    mark = int.from_bytes(hashlib.sha256(state.encode()).digest()[:7], "big")
    shown = replace(
        actor,
        dealer_id=dealer_id,
        permissions=_permissions(actor, rights),
        scopes=_scopes(actor, rights, lent=lender is not None, elsewhere=dealer_id != actor.dealer_id),
        epoch=-mark - 1,  # what is remembered of the person is not what is remembered of the preview
        preview=kept["label"] or "新角色",
        preview_role=kept.get("role") or 0,
    )
    if lender is None:
        return shown
    person_id, store_id, department_id, name = lender
    return replace(shown, rows_of=person_id, rows_from=name, store_id=store_id, department_id=department_id)


def _dealer(actor: Actor, wanted: int | None) -> int | None:
    """The group looks at a dealer's role in that dealer, where it sees what everybody there may pick."""
    if not is_group(actor):
        return actor.dealer_id
    open_ones = [r for r in resources() if r.scopes.open]
    return wanted if all(Scope.GROUP in scopes_of(r, actor) for r in open_ones) else actor.dealer_id


def _permissions(actor: Actor, rights: Rights) -> frozenset[tuple[str, str]]:
    restricting = frozenset(p.pair for p in all_permissions() if p.restricting)
    return (rights.grants & actor.permissions) | ((rights.grants | actor.permissions) & restricting)


def _scopes(actor: Actor, rights: Rights, *, lent: bool, elsewhere: bool) -> dict[str, frozenset[Scope]]:
    """The role's scopes whose rows the person sees all: the own dealer's by 全部, another one's by 集团."""
    found: dict[str, set[Scope]] = {}
    for name, scope in rights.scopes:
        shown = resource(name)
        if shown is None:
            continue
        held = scopes_of(shown, actor)
        whole = Scope.DEALER in held and scope is not Scope.GROUP
        same = scope in held and (scope in _PLACED or not lent)
        if Scope.GROUP in held or (not elsewhere and (whole or same)):
            found.setdefault(name, set()).add(scope)
    return {name: frozenset(scopes) for name, scopes in found.items()}


provide_preview(seen)
