"""Leads for tests of what is done with them."""

from __future__ import annotations

from typing import Any

from app.engine.actions import Act
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from models.registrations.tables import Assignment, Progress, Registration
from models.settings.rules import set_parameters
from tests.registrations.world import Channel


def given_to(
    world: Channel, of: Registration, customer: Any = None, progress: Progress = Progress.ASSIGNED
) -> Any:
    """A showroom has the lead, perhaps as a customer of its own."""
    session = db.session()
    with acting(session):
        found = Assignment(
            registration_id=of.id, brand_category_id=world.categories[0].id, used_type="1", phone=of.phone,
            name=of.name, city=of.city, community=of.community, room=of.room, progress=progress,
            customer_id=None if customer is None else customer.id, registrant_id=of.registrant_id,
            outlet_id=of.outlet_id, registered_at=of.registered_at, store_id=of.outlet_id, dealer_id=of.dealer_id,
        )  # fmt: skip
        session.add(found)
        of.progress = progress
        session.commit()
    return found


def switch(world: Channel, key: str, value: Any) -> None:
    """Set a parameter of the dealer."""
    session = db.session()
    with deed(Act(world.actor("boss"), utcnow(), session)) as act:
        set_parameters(act, world.a.id, {key: value})
