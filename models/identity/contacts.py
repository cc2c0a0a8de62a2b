"""售服对接人: the people of a dealer whom its consumers call after a sale (A-115).

Only the group's own role of that name shows somebody to consumers. What a dealer calls its roles has no effect:
the role is known by its key.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, select, true
from sqlalchemy.orm import Session

from app.engine.fields import reckoned
from app.engine.phones import as_dialled
from models.identity.presets import role_key
from models.identity.roles import RoleAssignment, RoleKind, StaffRole
from models.identity.tables import Dealer, Employee

CONTACT_ROLE = role_key(None, "service_contact")
NOBODY = "暂无售后联系人，请联系门店"
"""What consumers read where a dealer has no contact."""


@dataclass(frozen=True, slots=True)
class ServiceContact:
    """Somebody consumers may call; ``number`` is what they see, empty where the person has none."""

    id: int
    name: str
    number: str


def is_contact_role(role: Any) -> bool:
    """Whether a role makes its people visible to consumers: the group's own, and as long as the group controls
    it."""
    return role.name == CONTACT_ROLE and role.kind is RoleKind.GROUP and role.dealer_id is None


def is_visible(person: Any, roles: Collection[Any]) -> bool:
    """Whether consumers see a person with these roles; who has left drops out (A-115)."""
    return bool(person.active) and person.departed_at is None and any(map(is_contact_role, roles))


def number_of(person: Any) -> str:
    """The number consumers see: the alternative one, and without it the mobile number."""
    return as_dialled(person.alternative_phone or person.phone or "")


def visible_to_consumers() -> ColumnElement[bool]:
    """The same as `is_visible`, asked of the database."""
    held = (
        exists()
        .where(
            RoleAssignment.user_id == Employee.id,
            RoleAssignment.role_id == StaffRole.id,
            StaffRole.name == CONTACT_ROLE,
            StaffRole.kind == RoleKind.GROUP,
            StaffRole.dealer_id.is_(None),
        )
        .correlate(Employee)
    )
    return and_(Employee.active.is_(True), Employee.departed_at.is_(None), held)


CONSUMER_VISIBLE = reckoned(
    "consumer_visible",
    "消费者可见",
    "bool",
    case((visible_to_consumers(), true()), else_=false()),
)
"""Whether consumers see the person, as lists and pages of people show it."""


def after_sales_contacts(session: Session, dealer_id: int) -> list[ServiceContact]:
    """Whom the consumers of a dealer may call, each with the number they see; several are all shown. A masking
    role of staff does not concern these numbers: they are meant for everybody."""
    people = session.execute(_contacts().where(Employee.dealer_id == dealer_id))
    return [ServiceContact(p.id, p.name, number_of(p)) for p in people]


def contacts_everywhere(session: Session) -> dict[str, list[ServiceContact]]:
    """The same of every dealer by its name, those without a contact with an empty list."""
    found: dict[int, tuple[str, list[ServiceContact]]] = {
        d.id: (d.name, []) for d in session.execute(_dealers().order_by(Dealer.name))
    }
    for p in session.execute(_contacts().add_columns(Employee.dealer_id)):
        if p.dealer_id in found:
            found[p.dealer_id][1].append(ServiceContact(p.id, p.name, number_of(p)))
    return dict(found.values())


def _dealers() -> Any:
    return select(Dealer.id, Dealer.name).where(Dealer.active.is_(True))


def _contacts() -> Any:
    return (
        select(Employee.id, Employee.name, Employee.phone, Employee.alternative_phone)
        .where(visible_to_consumers())
        .order_by(Employee.name, Employee.id)
    )
