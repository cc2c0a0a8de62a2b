"""A number that is on file already comes in again: the entry is kept, and the customer is to be called today
(D-23, D-24)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped

from app.engine.actions import Act
from app.engine.choices import Choice
from app.engine.database import Model
from app.engine.events import publish
from app.engine.fields import Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE
from models.base import Dated
from models.customers.policy import Entrance
from models.customers.tables import Customer, Stage

ACTIVATED = "H"
"""The level of a lost customer who is called again."""


class Met(Choice):
    """How the customer stood when the entry came in."""

    OPEN = "open", "已有客户，安排回访"
    LOST = "lost", "战败客户，重新激活"
    INVALID = "invalid", "已失效，仅登记"


class DuplicateEntry(Dated, Model):
    """One entry that made no new file because its number was there: what it said, and whom it met."""

    __tablename__ = "duplicate_entries"

    id: Mapped[Pk]
    name: Mapped[str | None] = column("登记姓名", String(64))
    phone: Mapped[Phone] = column("登记号码", index=True, guard=CUSTOMER_PHONE)
    entrance: Mapped[Entrance] = column("入口", choices=Entrance)
    met: Mapped[Met] = column("处理", choices=Met)
    customer_id: Mapped[int] = column("已有客户", ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    filer_id: Mapped[int | None] = column("登记人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属门店", ForeignKey("stores.id"))


def absorb(
    act: Act, met: Sequence[tuple[Customer, str, str | None]], entrance: Entrance
) -> list[DuplicateEntry]:
    """Log the entries (customer met, number, name as it came in) and have each customer called today: once, however
    often it comes in. A lost one is followed again, with level H and nobody in charge; the customers are
    locked by the caller."""
    again: list[Customer] = []
    entries = []
    for customer, phone, name in met:
        kind = {Stage.LOST: Met.LOST, Stage.INVALID: Met.INVALID}.get(customer.stage, Met.OPEN)
        entries.append(
            DuplicateEntry(
                name=name, phone=phone, entrance=entrance, met=kind, customer_id=customer.id,
                filer_id=act.actor.id or None, dealer_id=customer.dealer_id, store_id=customer.store_id,
                created_at=act.now,
            )
        )  # fmt: skip
        if kind is Met.LOST:
            customer.stage, customer.lost_reason = Stage.FOLLOWING, None
            customer.level, customer.owner_id, customer.department_id = ACTIVATED, None, None
        if kind is not Met.INVALID and customer not in again:
            again.append(customer)
    act.session.add_all(entries)
    act.session.flush()
    if again:
        publish(act, "customers.returned", again)
    return entries
