"""What happens to jobs and money, for automations."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import object_session

from app.engine.events import Happening
from models.customers.resources import Customers
from models.customers.tables import Customer
from models.orders.resources import ServiceOrders
from models.orders.tables import ServiceOrder
from models.shaping.automation_parts import Subject, declare_happening, declare_subject


def _paying(happening: Happening) -> Any:
    return happening.facts["customer"]


def _ordering(happening: Happening) -> Any:
    session = object_session(happening.record)
    return session.get(Customer, happening.record.customer_id) if session is not None else None


def _job(happening: Happening) -> Any:
    return happening.record


declare_subject(Subject(ServiceOrders, ServiceOrder.owner_id), state=("state", "状态变化"))
declare_happening("order.finished", "finished", "服务单完成", ServiceOrders, _job)
declare_happening("order.lost", "lost", "服务单战败", ServiceOrders, _job)
declare_happening("order.opened", "ordered", "下单", Customers, _ordering)
declare_happening("receipt.entered", "paid", "收到款项", Customers, _paying)
