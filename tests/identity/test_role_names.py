"""One role of each name per dealer, whoever is first (A-114)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.engine.audit import acting
from app.engine.database import db
from models.identity import role_rules
from models.identity.roles import RoleKind, StaffRole
from tests.customers.world import World
from tests.plugins.people import Login


def amount(label: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(StaffRole.label == label)) or 0


def test_two_forms_at_the_same_moment_make_one_role(
    world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the other's name while it asks."""
    monkeypatch.setattr(role_rules, "_check_label", lambda *args: None)
    codes = [login("boss").post("/api/v1/roles", json={"label": "同名"}).status_code for _ in range(2)]
    assert (codes, amount("同名")) == ([201, 400], 1)


@pytest.mark.parametrize("owner", ["dealer", "group"])
def test_the_database_keeps_names_apart(world: World, owner: str) -> None:
    def add(label: str, dealer_id: Any) -> None:
        with acting(db.session()):
            number = db.session.scalar(select(func.max(StaffRole.id)))
            db.session.add(
                StaffRole(name=f"t:{number}", label=label, kind=RoleKind.GROUP, dealer_id=dealer_id)
            )
            db.session.commit()

    place = world.a.id if owner == "dealer" else None
    add("同名", place)
    add("同名", world.b.id)
    with pytest.raises(IntegrityError):
        add("同名", place)
    db.session.rollback()
    assert amount("同名") == 2
