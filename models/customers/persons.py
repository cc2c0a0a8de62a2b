"""What customers and contacts have in common: derived values, tracks and scores."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.engine.actions import Act, Invalid
from app.engine.database import insert_for
from models.customers.tables import Contact, Customer
from models.customers.track import KINDS, NUMBERED, TrackAct, TrackEvent, TrackPoints
from models.identity.tables import Store

Person = Customer | Contact


def touch(session: Session, record: Any, **values: Any) -> None:
    """Write derived values of a record without a new version of it.

    Nobody typed them, so a form that is open elsewhere does not become stale by them, and their history
    is the entries they derive from.
    """
    session.flush()
    table = type(record).__table__
    statement = update(table).where(table.c.id == record.id).values(**values)
    session.execute(statement, execution_options={"audited": True})
    for name, value in values.items():
        set_committed_value(record, name, value)


def store_of(act: Act, record: Any) -> Store:
    """The store a new record belongs to, the actor's own by default; sets store and dealer on it."""
    store_id = record.store_id or act.actor.store_id
    store = act.session.get(Store, store_id) if store_id else None
    if store is None or act.actor.dealer_id not in (None, store.dealer_id):
        raise Invalid({"store_id": "请选择门店"})
    record.store_id, record.dealer_id = store.id, store.dealer_id
    return store


def points(session: Session, dealer_id: int, act: TrackAct) -> int:
    """What the act is worth now: the dealer's own row, else the group's; nothing without a row (A-47)."""
    statement = (
        select(TrackPoints.points)
        .where(TrackPoints.act == act)
        .where(or_(TrackPoints.dealer_id == dealer_id, TrackPoints.dealer_id.is_(None)))
        .order_by(TrackPoints.dealer_id.is_(None))
    )
    return session.scalars(statement).first() or 0


def track(
    act: Act,
    person: Person,
    what: TrackAct,
    text: str = "",
    *,
    at: datetime | None = None,
    sender: str | None = None,
    event_id: str | None = None,
    by_id: int | None = None,
) -> int:
    """Add one item to a person's track and its points to the score; returns the points (A-45).

    An item of a linked contact counts for the customer as well. What another system (``sender``) tells is
    nobody's deed here, unless it says whose (``by_id``). The same ``event_id`` of one sender of a dealer is
    kept once, however often it is delivered (A-47).
    """
    session = act.session
    session.flush()
    customer_id = person.id if isinstance(person, Customer) else person.customer_id
    contact_id = person.id if isinstance(person, Contact) else None
    score = points(session, person.dealer_id, what)
    statement = insert_for(session, TrackEvent.__table__).values(
        dealer_id=person.dealer_id,
        customer_id=customer_id,
        contact_id=contact_id,
        kind=KINDS[what],
        act=what,
        title=what.label,
        text=text,
        score=score,
        at=at or act.now,
        by_id=by_id if sender else act.actor.id or None,
        sender=sender,
        event_id=event_id,
    )
    statement = statement.on_conflict_do_nothing(
        index_elements=["dealer_id", "sender", "event_id"], index_where=NUMBERED
    )
    statement = statement.returning(TrackEvent.__table__.c.id)
    if session.scalar(statement) is None:
        return 0
    if score:
        _add_score(session, person, score)
    return score


def take_back(act: Act, person: Person, what: TrackAct, at: datetime) -> None:
    """Remove an item of the person's own that turned out not to have happened, with its points."""
    session = act.session
    session.flush()
    whose = TrackEvent.customer_id if isinstance(person, Customer) else TrackEvent.contact_id
    item = session.scalars(
        select(TrackEvent).where(whose == person.id, TrackEvent.act == what, TrackEvent.at == at).limit(1)
    ).first()
    if item is not None:
        session.delete(item)
        session.flush()
        _add_score(session, person, -item.score)


def _add_score(session: Session, person: Person, score: int) -> None:
    people: list[Person] = [person]
    if isinstance(person, Contact) and person.customer_id is not None:
        customer = session.get(Customer, person.customer_id)
        people += [customer] if customer is not None else []
    for one in people:
        table = type(one).__table__
        total = session.scalar(
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == one.id)
            .values(activity_score=table.c.activity_score + score)
            .returning(table.c.activity_score),
            execution_options={"audited": True},
        )
        set_committed_value(one, "activity_score", total)


def move_track(act: Act, contact: Contact, customer: Customer, *, join: bool) -> None:
    """Let a contact's items join the customer's track, or leave it again (A-19, A-47)."""
    session = act.session
    session.flush()
    session.execute(
        update(TrackEvent)
        .where(TrackEvent.contact_id == contact.id)
        .values(customer_id=customer.id if join else None)
    )
    total = session.scalar(
        select(func.coalesce(func.sum(TrackEvent.score), 0)).where(TrackEvent.customer_id == customer.id)
    )
    amount = session.scalar(
        select(func.count()).select_from(Contact).where(Contact.customer_id == customer.id)
    )
    touch(session, customer, activity_score=int(total or 0), contact_count=amount or 0)
