"""Tracking a lead (E-47…E-54)."""

from __future__ import annotations

from sqlalchemy import select

from app.engine.actions import Act
from models.customers.persons import track
from models.customers.tables import Customer
from models.customers.track import TrackAct
from models.registrations.tables import Registration, RegistrationTrack

SENDER = "渠道报备"


def take_over(act: Act, lead: Registration, customer: Customer) -> None:
    """What was said to the lead stands on the customer's track, once however many deposits there are."""
    mine = select(RegistrationTrack).where(RegistrationTrack.registration_id == lead.id)
    for row in act.session.scalars(mine.order_by(RegistrationTrack.at, RegistrationTrack.id)):
        track(
            act,
            customer,
            TrackAct.WRITTEN,
            row.text,
            at=row.at,
            sender=SENDER,
            event_id=f"{customer.id}:{row.id}",
        )
