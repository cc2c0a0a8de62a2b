"""Who hears of what happens to people: files and contacts that came in, customers in other hands (A-38, A-56)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.events import subscribe
from models.customers.tables import Contact, ContactSource, Customer, CustomerHelper
from models.identity.tables import Employee, Store
from models.notifications.rules import ITEMS
from models.notifications.telling import NUMBER, tell
from models.notifications.topics import CUSTOMER, LEAD, Topic


def concerned(session: Session, customer: Customer) -> list[int | None]:
    """Everybody who works on a customer: consultant, designer, salesperson and helpers."""
    helpers = select(CustomerHelper.user_id).where(CustomerHelper.customer_id == customer.id)
    with session.no_autoflush:
        beside = session.scalars(helpers.order_by(CustomerHelper.user_id)).all()
    return [customer.owner_id, customer.designer_id, customer.salesperson_id, *beside]


def label(customer: Customer) -> str:
    """A customer in a list of several."""
    return f"{customer.name} {customer.code}"


def tell_of(
    act: Act, customer: Customer, users: list[int | None], one: str, many: str, topic: Topic = CUSTOMER
) -> None:
    """Tell these people something about a customer, which the message opens."""
    tell(act, users, topic, one, many, record=customer, label=label(customer), dealer_id=customer.dealer_id)


def _name(act: Act, employee_id: int | None) -> str:
    found = act.session.get(Employee, employee_id) if employee_id else None
    return found.name if found is not None else ""


@subscribe("customer.filed")
def _filed(act: Act, customer: Customer) -> None:
    who = act.actor.name
    users = concerned(act.session, customer)
    tell_of(
        act, customer, users, f"{who}建档了客户{customer.name}，请跟进", f"{who}建档了{NUMBER}位客户，请跟进"
    )


@dataclass(frozen=True, slots=True)
class _Filed:
    """One of many customers that were filed by sets, as a message refers to it."""

    id: int
    __tablename__: ClassVar[str] = Customer.__tablename__


_FEW = 500
"""A larger file lists only the first of a consultant's customers in each of its pieces."""
_FEW_LISTED = 3


@subscribe("customers.filed")
def _filed_many(act: Act, rows: Sequence[tuple[int, str, str, int | None]], dealer_id: int) -> None:
    """A file's customers (id, number, name, consultant): one message for each consultant."""
    by_owner: defaultdict[int | None, list[tuple[int, str, str, int | None]]] = defaultdict(list)
    for row in rows:
        by_owner[row[3]].append(row)
    who = act.actor.name
    for owner, mine in by_owner.items():
        listed = mine[: ITEMS if len(rows) <= _FEW else _FEW_LISTED]
        for n, (pk, code, name, _) in enumerate(listed, 1):
            tell(
                act, [owner], CUSTOMER, f"{who}导入了客户{name}，请跟进", f"{who}导入了{NUMBER}位客户，请跟进",
                record=_Filed(pk), label=f"{name} {code}", dealer_id=dealer_id,
                amount=1 + (len(mine) - len(listed) if n == len(listed) else 0),
            )  # fmt: skip


@subscribe("customer.reassigned")
def _reassigned(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    """Both are told at once; many customers of one deed are one message."""
    if old == new:
        return
    who, to = act.actor.name, _name(act, new) or "公司"
    tell_of(act, customer, [new], f"{who}将客户{customer.name}交给您", f"{who}将{NUMBER}位客户交给您")
    tell_of(
        act, customer, [old],
        f"{who}将您的客户{customer.name}转给了{to}", f"{who}将您的{NUMBER}位客户转给了{to}",
    )  # fmt: skip


@subscribe("customer.designer_changed")
def _designer(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    _changed(act, customer, "设计师", old, new)


@subscribe("customer.salesperson_changed")
def _salesperson(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    _changed(act, customer, "业务员", old, new)


def _changed(act: Act, customer: Customer, duty: str, old: int | None, new: int | None) -> None:
    who, to = act.actor.name, _name(act, new)
    then = f"改为{to}" if to else "取消"
    tell_of(
        act, customer, [new],
        f"{who}请您担任客户{customer.name}的{duty}", f"{who}请您担任{NUMBER}位客户的{duty}",
    )  # fmt: skip
    tell_of(
        act, customer, [old],
        f"{who}将客户{customer.name}的{duty}{then}", f"{who}将您的{NUMBER}位客户的{duty}{then}",
    )  # fmt: skip


@subscribe("customer.moved")
def _moved(act: Act, customer: Customer, old: int | None, new: int) -> None:
    """Whoever works on a customer hears that another store has it now (A-56)."""
    store = act.session.get(Store, new)
    to, who = store.name if store is not None else "", act.actor.name
    tell_of(
        act, customer, concerned(act.session, customer),
        f"{who}将客户{customer.name}转到了{to}", f"{who}将{NUMBER}位客户转到了{to}",
    )  # fmt: skip


@subscribe("customers.restored")
def _restored(act: Act, customer: Customer, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """What is taken back goes to other hands as well (A-56)."""
    for name, told in _OF_COLUMNS.items():
        if name in changes:
            told(act, customer, *changes[name])


_OF_COLUMNS: Mapping[str, Callable[..., None]] = {
    "owner_id": _reassigned, "designer_id": _designer, "salesperson_id": _salesperson, "store_id": _moved,
}  # fmt: skip


@subscribe("contact.filed")
def _lead(act: Act, contact: Contact) -> None:
    """Somebody came in from outside by himself: an online lead of the employee it is linked to."""
    if contact.source == ContactSource.SELF_FILED:
        return
    source = contact.source.label
    tell(
        act, [contact.employee_id], LEAD, f"新的线上引流：{contact.name}（{source}）",
        f"新的线上引流{NUMBER}位（{source}）", record=contact,
        label=f"{contact.name} {contact.code}", dealer_id=contact.dealer_id,
    )  # fmt: skip
