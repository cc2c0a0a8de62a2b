"""Set-based questions about people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from app.engine.database import alone, among
from models.customers.policy import SameWithin
from models.customers.tables import Contact, ContactTag, Customer, CustomerPhone, CustomerTag, Stage, Tag
from models.identity.tables import Employee, Store

MOST_MATCHES = 20
MOST_OWNERS = 200
_PHONES = "phones"


def lock_phones(session: Session, dealer_id: int, phones: Sequence[str]) -> None:
    """Let nobody else file one of these numbers until the transaction ends (A-09)."""
    among(session, dealer_id, _PHONES)
    alone(session, dealer_id, *phones)


def lock_all_phones(session: Session, dealer_id: int) -> None:
    """The same for all numbers of the dealer: for a piece of a file, which names a thousand."""
    among(session, dealer_id, _PHONES, whole=True)


def lock_outside(session: Session, dealer_id: int, outside_id: str) -> None:
    """Let nobody else take in an event of this dealer's outside person until the transaction ends (A-47)."""
    alone(session, dealer_id, f"outside {outside_id}")


def same_phone(
    session: Session,
    phones: Sequence[str],
    dealer_id: int,
    store_id: int | None,
    within: SameWithin,
    except_id: int | None,
) -> ColumnElement[bool]:
    """Customers having one of the numbers, within the dealer or the store.

    The few owners of the numbers are looked up first: as a sub-select they would be looked for among all
    customers of the dealer.
    """
    owners = (
        select(CustomerPhone.customer_id)
        .where(CustomerPhone.phone.in_(phones), CustomerPhone.dealer_id == dealer_id)
        .distinct()
        .limit(MOST_OWNERS)
    )
    condition: ColumnElement[bool] = Customer.id.in_(session.scalars(owners).all())
    if within == SameWithin.STORE:
        condition &= Customer.store_id == store_id
    if except_id is not None:
        condition &= Customer.id != except_id
    return condition


def matches(session: Session, condition: ColumnElement[bool]) -> Sequence[Row[int, str, str, str, Stage]]:
    """Id, name, store, owner and stage of matching customers, newest first (A-10)."""
    statement = (
        select(Customer.id, Customer.name, Store.name, Employee.name, Customer.stage)
        .join(Store, Store.id == Customer.store_id)
        .outerjoin(Employee, Employee.id == Customer.owner_id)
        .where(condition)
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(MOST_MATCHES)
    )
    return session.execute(statement).all()


def tagged(session: Session, tag: Tag) -> tuple[int, int]:
    """How many contacts and how many customers carry the tag."""
    contacts = select(func.count()).select_from(ContactTag).where(ContactTag.tag_id == tag.id)
    customers = select(func.count()).select_from(CustomerTag).where(CustomerTag.tag_id == tag.id)
    return session.scalar(contacts) or 0, session.scalar(customers) or 0


def linked_contacts(customer_id: int) -> Any:
    """The contacts linked to a customer, oldest link first."""
    return (
        select(Contact)
        .where(Contact.customer_id == customer_id)
        .order_by(Contact.linked_at, Contact.id)
        .with_for_update(key_share=True)
    )
