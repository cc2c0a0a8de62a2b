"""What the demo accounts find under their bell: their last summary and some things that happened to their
customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.clock import At
from models.customers.tables import Customer
from models.follow_ups.notices import digests
from models.identity.tables import Employee
from models.notifications.rules import notify_many
from models.notifications.tables import NoticeKind
from models.notifications.topics import CUSTOMER, FINANCE, ORDER, Topic
from models.orders.tables import FactoryOrder, Receipt

ACCOUNTS = (
    "admin", "manager1", "consultant1", "consultant2", "designer1", "clerk1", "manager2d", "consultant2d",
    "designer2d",
)  # fmt: skip
_READ_AFTER = timedelta(minutes=12)


def make(session: Session, now: datetime) -> None:
    """Write them; those of earlier days have been read."""
    people = session.scalars(select(Employee).where(Employee.username.in_(ACCOUNTS))).all()
    rows: list[dict[str, Any]] = []
    for slot in (At("08:00", "20:00").latest(now), At("20:00").latest(now - timedelta(hours=13))):
        rows += digests(session, [p.id for p in people], slot, now=slot)
    managers = {p.dealer_id: p.name for p in people if p.username.startswith("manager")}
    for person in people:
        by = managers.get(person.dealer_id, "店长")
        rows += _happened(session, person, by if by != person.name else "系统", now)
    today = now - timedelta(hours=16)
    for row in rows:
        row["read_at"] = row["created_at"] + _READ_AFTER if row["created_at"] < today else None
    notify_many(session, sorted(rows, key=lambda row: row["created_at"]))


def _happened(session: Session, person: Employee, by: str, now: datetime) -> list[dict[str, Any]]:
    """Their newest customers, receipts and orders, as messages of the last two days."""
    mine = Customer.owner_id == person.id
    if session.scalar(select(Customer.id).where(mine).limit(1)) is None:
        mine = Customer.designer_id == person.id

    def newest(model: Any) -> Sequence[Any]:
        statement = select(model, Customer.name).join(Customer, Customer.id == model.customer_id).where(mine)
        return session.execute(statement.order_by(model.created_at.desc(), model.id.desc()).limit(1)).all()

    filed = session.scalars(select(Customer).where(mine).order_by(Customer.created_at.desc()).limit(2)).all()
    said: list[tuple[Topic, str, str, int]] = [
        (CUSTOMER, f"{by}将客户{c.name}交给您", "customers", c.id) for c in filed
    ]
    said += [
        (FINANCE, f"{by}登记了客户{name}的{r.kind.label}{r.code}", "receipts", r.id)
        for r, name in newest(Receipt)
    ]
    said += [
        (ORDER, f"{by}传单：客户{name}的工厂订单{o.self_no}", "factory_orders", o.id)
        for o, name in newest(FactoryOrder)
    ]
    return [
        {
            "user_id": person.id,
            "dealer_id": person.dealer_id,
            "kind": NoticeKind.INSTANT,
            "topic": topic.key,
            "title": title,
            "resource": resource,
            "record_id": pk,
            "amount": 1,
            "key": f"demo:{n}",
            "created_at": now - timedelta(minutes=25 + 415 * n),
        }
        for n, (topic, title, resource, pk) in enumerate(said)
    ]
