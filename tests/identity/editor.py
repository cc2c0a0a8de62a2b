"""Filling in the role editor as a browser would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask.testing import FlaskClient

from app.engine.database import db
from models.identity import presets, role_rules
from models.identity.roles import StaffRole

TAGS = "can_set_tags@System"
PRICE = "guard_settlement_price@Guards"
MASK = "guard_customer_phone@Guards"


def role(dealer_id: int | None, key: str) -> StaffRole:
    """A preset role."""
    return presets.preset_role(db.session(), dealer_id, key)


def form_of(role: StaffRole) -> dict[str, Any]:
    """What the editor's form submits when nothing is touched."""
    rights = role_rules.rights_of(db.session(), role.id)
    form: dict[str, Any] = {"label": role.label, "version": str(role.version)}
    form["permission"] = [role_rules.key_of(pair) for pair in sorted(rights.grants)]
    for name, scope in sorted(rights.scopes):
        form.setdefault(f"scope.{name}", []).append(scope.value)
    return form


def edit(
    client: FlaskClient,
    role: StaffRole,
    *,
    add: Iterable[str] = (),
    take: Iterable[str] = (),
    step: str = "save",
    **change: Any,
) -> Any:
    """Tick and untick, and submit."""
    form = form_of(role)
    form["permission"] = [p for p in (*form["permission"], *add) if p not in set(take)]
    form |= {"step": step, **change}
    return client.post(f"/roles/{role.id}/edit", data=form)
