"""The permission of a field that only some may see: made with the field, and given to those who make fields."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from app.engine import permissions
from app.engine.actions import Act
from models.identity import role_rules
from models.identity.rights import role_ids_with
from models.identity.roles import StaffRole
from models.shaping.custom_queries import guard_of

_MAKES = ("can_add", "CustomFields")


def grant(act: Act, field: Any) -> None:
    """Let the permission of a guarded field be there; roles that add fields for these people hold it."""
    guard = guard_of(field)
    if not field.guarded or guard is None:
        return
    session = act.session
    permissions.write(session, [guard.permission])
    makers = select(StaffRole).where(StaffRole.id.in_(role_ids_with(*_MAKES)))
    if field.dealer_id is not None:
        makers = makers.where(StaffRole.dealer_id.is_(None) | (StaffRole.dealer_id == field.dealer_id))
    for role in session.scalars(makers.order_by(StaffRole.id)):
        held = role_rules.rights_of(session, role.id)
        wanted = role_rules.Rights(held.grants | {guard.permission}, held.scopes)
        changes = role_rules.give(session, role, wanted)
        if changes:
            role_rules.note(session, role, changes, held, wanted)
            flag_modified(role, "name")  # its version moves, so that nobody saves what was open before
