"""Set-based questions about orders and money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from models.customers.handover import Burden, provide_burden
from models.orders.tables import (
    FactoryOrder,
    FactoryState,
    OrderState,
    Receipt,
    ReceiptKind,
    ReceiptState,
    ServiceOrder,
)

_SIGNED = case((Receipt.kind == ReceiptKind.RECEIPT, Receipt.amount), else_=-Receipt.amount)


def open_order(session: Session, customer_id: int, brand_category_id: int) -> int | None:
    """The customer's open job of that category; a lost one does not count (A-10)."""
    statement = select(ServiceOrder.id).where(
        ServiceOrder.customer_id == customer_id,
        ServiceOrder.brand_category_id == brand_category_id,
        ServiceOrder.state == OrderState.OPEN,
    )
    with session.no_autoflush:
        return session.scalars(statement).first()


def states(session: Session, customer_id: int) -> set[OrderState]:
    """The states that occur among a customer's jobs."""
    statement = select(ServiceOrder.state).where(ServiceOrder.customer_id == customer_id).distinct()
    return set(session.scalars(statement))


def net_received(session: Session, order: ServiceOrder) -> Decimal:
    """Receipts minus refunds of one job, in yuan."""
    statement = select(func.coalesce(func.sum(_SIGNED), 0)).where(
        Receipt.service_order_id == order.id, Receipt.state == ReceiptState.VALID
    )
    return Decimal(session.scalar(statement) or 0)


def net_of_customer(session: Session, customer_id: int) -> Decimal:
    """Receipts minus refunds of one customer, in yuan (A-61)."""
    statement = select(func.coalesce(func.sum(_SIGNED), 0)).where(
        Receipt.customer_id == customer_id, Receipt.state == ReceiptState.VALID
    )
    return Decimal(session.scalar(statement) or 0).quantize(Decimal("0.01"))


def open_orders_of(people: Sequence[int]) -> Select[Any, Any]:
    """How many open jobs each of these people has."""
    mine = ServiceOrder.owner_id.in_(people), ServiceOrder.state == OrderState.OPEN
    return select(ServiceOrder.owner_id, func.count()).where(*mine).group_by(ServiceOrder.owner_id)


def open_orders_along(customers: Sequence[int], _person: int) -> Select[Any, Any]:
    """How many open jobs each of these customers has: they go with it, whoever has them."""
    mine = ServiceOrder.customer_id.in_(customers), ServiceOrder.state == OrderState.OPEN
    return select(ServiceOrder.customer_id, func.count()).where(*mine).group_by(ServiceOrder.customer_id)


provide_burden(Burden("进行中服务单", open_orders_of, open_orders_along))


def has_placed_order(session: Session, customer_id: int) -> bool:
    """Whether an order of the customer stands at the factory."""
    statement = select(FactoryOrder.id).where(
        FactoryOrder.customer_id == customer_id, FactoryOrder.state == FactoryState.PLACED
    )
    return session.scalars(statement).first() is not None
