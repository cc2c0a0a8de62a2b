"""The small trade for tests of what administrators shape."""

from __future__ import annotations

import pytest

from app.engine.database import db
from models.identity import presets
from tests.customers.world import PASSWORD, World


@pytest.fixture
def boss_b(world: World) -> None:
    """The second dealer has an administrator too."""
    session = db.session()
    presets.add_person(
        session, dealer_id=world.b.id, username="boss_b", name="总管乙", password=PASSWORD,
        roles=[presets.preset_role(session, world.b.id, "admin")],
    )  # fmt: skip
    session.commit()


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people; gone after the test."""
    return trade
