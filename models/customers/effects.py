"""What stands on a person's track of deeds that lower domains do for every kind of record."""

from __future__ import annotations

from typing import Any

from app.engine.actions import Act
from app.engine.events import subscribe
from app.engine.resource import resource_of
from models.customers.persons import track
from models.customers.tables import Contact, Customer
from models.customers.track import TrackAct


@subscribe("printed")
def keep_print(act: Act, record: Any, *, template: str) -> None:
    """What was printed of a person, or of a record of a customer, is read on the track."""
    person = record
    if not isinstance(record, Customer | Contact):
        person = act.session.get(Customer, getattr(record, "customer_id", None) or 0)
    if person is not None:
        what = "" if person is record else f"{resource_of(type(record)).label} "
        track(act, person, TrackAct.PRINTED, f"{what}{template}")
