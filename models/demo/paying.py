"""Demo customers whose first receipt a lead can have led to."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.customers.tables import Customer
from models.demo.chance import Calendar
from models.orders.tables import Receipt, ReceiptKind, ReceiptState

MOST = 20_000


@dataclass(frozen=True)
class Home:
    """Who a lead is: what makes two registrations claims on one customer."""

    name: str
    phone: str
    city: str
    district: str
    community: str
    room: str


@dataclass(frozen=True)
class Paid:
    """A customer with his or her first receipt; moments are seconds of the calendar."""

    home: Home
    created: int
    customer_id: int
    store_id: int
    receipt_id: int
    amount: str
    day: str
    at: int


Pools = dict[int, deque[Paid]]
"""By dealer, in the order in which the customers were filed."""


def pools(connection: Connection, calendar: Calendar) -> Pools:
    """Customers with a whole address who have paid."""
    first = (
        select(func.min(Receipt.id).label("id"))
        .where(Receipt.kind == ReceiptKind.RECEIPT, Receipt.state == ReceiptState.VALID)
        .group_by(Receipt.customer_id)
        .subquery()
    )
    one = Customer
    statement = (
        select(one.id, one.dealer_id, one.store_id, one.name, one.phone, one.city, one.district, one.community,
               one.address, one.created_at, Receipt.id, Receipt.amount, Receipt.paid_on, Receipt.created_at)
        .join(Receipt, Receipt.customer_id == one.id)
        .join(first, first.c.id == Receipt.id)
        .where(one.phone.is_not(None), one.community.is_not(None), one.address.is_not(None))
        .order_by(one.created_at, one.id)
        .limit(MOST)
    )  # fmt: skip
    found: defaultdict[int, deque[Paid]] = defaultdict(deque)

    def second(moment: datetime) -> int:
        return int((moment - calendar.start).total_seconds())

    rows: Any = connection.execute(statement)
    for (
        pk,
        dealer,
        store,
        name,
        phone,
        city,
        district,
        community,
        room,
        filed,
        receipt,
        amount,
        day,
        at,
    ) in rows:
        home = Home(name, phone, city, district, community, room)
        paid = Paid(home, second(filed), pk, store, receipt, str(amount), day.isoformat(), second(at))
        found[dealer].append(paid)
    return dict(found)
