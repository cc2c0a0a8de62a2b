"""What other systems tell about people: friends, visitors, behaviour (A-12…A-14, A-42)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.engine.actions import Act, Invalid
from app.engine.deeds import hold
from models.customers import queries
from models.customers.contacts import register
from models.customers.persons import track
from models.customers.tables import Contact, ContactSource
from models.customers.track import KINDS, InboundEvent, InboundKind, TrackAct, TrackKind
from models.identity.tables import Employee

_SOURCES = {
    InboundKind.FRIEND: ContactSource.WORK_CHAT,
    InboundKind.CAMERA: ContactSource.CAMERA,
    InboundKind.VISITOR: ContactSource.VISITOR,
}
_ACTS = {
    InboundKind.FRIEND: TrackAct.ADD_FRIEND,
    InboundKind.CAMERA: TrackAct.VISIT,
    InboundKind.VISITOR: TrackAct.BROWSE,
}


def receive(event: InboundEvent, act: Act, values: dict[str, Any]) -> InboundEvent:
    """Take in one event of another system; a second delivery of it changes nothing (A-47). Numbers are
    those of one dealer's sender: other dealers' systems count for themselves.

    A person not known yet becomes a contact of the linked employee; an event without an employee makes
    none (A-13, A-14).
    """
    session = act.session
    with session.no_autoflush:
        employee = session.get(Employee, event.employee_id) if event.employee_id else None
        _place(event, act, employee)
    queries.lock_outside(session, event.dealer_id, event.outside_id)
    known = select(InboundEvent).where(
        InboundEvent.dealer_id == event.dealer_id,
        InboundEvent.sender == event.sender,
        InboundEvent.event_id == event.event_id,
    )
    with session.no_autoflush:
        earlier = session.scalars(known).first()
    if earlier is not None:
        return earlier
    event.at = event.at or act.now
    what = event.act or _ACTS.get(event.kind)
    if what is None or KINDS[what] != TrackKind.BEHAVIOUR:
        raise Invalid({"act": "请选择客户行为"})
    event.act = what
    contact = _person(event, act, employee)
    if contact is not None:
        event.contact_id = contact.id
        track(act, contact, what, event.text or "", at=event.at, sender=event.sender, event_id=event.event_id)
    return event


def _place(event: InboundEvent, act: Act, employee: Employee | None) -> None:
    dealer_id = employee.dealer_id if employee else event.dealer_id or act.actor.dealer_id
    if dealer_id is None:
        raise Invalid({"dealer_id": "请选择商场"})
    if act.actor.dealer_id not in (None, dealer_id):
        raise Invalid({"employee_id": "只能选择本商场的员工"})
    event.dealer_id = dealer_id


def _person(event: InboundEvent, act: Act, employee: Employee | None) -> Contact | None:
    with act.session.no_autoflush:
        known = select(Contact.id).where(
            Contact.dealer_id == event.dealer_id, Contact.outside_id == event.outside_id
        )
        contact: Contact | None = hold(act.session, Contact, act.session.scalar(known))
    source = _SOURCES.get(event.kind)
    if contact is not None or employee is None or source is None:
        return contact
    name = event.name or f"访客{event.outside_id[-4:]}"
    contact = Contact(
        name=name, outside_id=event.outside_id, employee_id=employee.id, store_id=employee.store_id
    )
    return register(act, contact, source)
