"""Who hears of money, orders and their way to the customer, at once (A-38)."""

from __future__ import annotations

from app.engine.actions import Act
from app.engine.events import subscribe
from models.customers.notices import concerned
from models.customers.tables import Customer
from models.notifications.telling import NUMBER, tell
from models.notifications.topics import FINANCE, ORDER, SHIPPING, Topic
from models.orders.tables import FactoryOrder, Receipt, ServiceOrder, StepKind

Record = Receipt | ServiceOrder | FactoryOrder


def _tell(act: Act, record: Record, topic: Topic, done: str, kind: str, counter: str = "个") -> None:
    """``done`` is the verb before the record's kind and number, which a new one gets at the end only."""
    session = act.session
    with session.no_autoflush:
        customer = session.get_one(Customer, record.customer_id)
        users = concerned(session, customer)
    if isinstance(record, ServiceOrder):
        users += [record.owner_id, record.designer_id]

    def code() -> str:
        return record.self_no if isinstance(record, FactoryOrder) else record.code

    who, name = act.actor.name, customer.name
    tell(
        act, users, topic,
        lambda: f"{who}{done}客户{name}的{kind}{code()}",
        f"{who}{done}{NUMBER}{counter}{kind}",
        record=record, label=lambda: f"{name} {code()}", dealer_id=customer.dealer_id,
    )  # fmt: skip


@subscribe("receipt.entered")
def _entered(act: Act, receipt: Receipt, customer: Customer) -> None:
    _tell(act, receipt, FINANCE, "登记了", receipt.kind.label, "笔")


@subscribe("receipt.voided")
def _voided(act: Act, receipt: Receipt, customer: Customer) -> None:
    _tell(act, receipt, FINANCE, "作废了", receipt.kind.label, "笔")


@subscribe("order.opened")
def _opened(act: Act, order: ServiceOrder) -> None:
    _tell(act, order, ORDER, "新增了", "服务单")


@subscribe("order.lost")
def _lost(act: Act, order: ServiceOrder) -> None:
    _tell(act, order, ORDER, "置为失单：", "服务单")


@subscribe("order.finished")
def _finished(act: Act, order: ServiceOrder) -> None:
    _tell(act, order, ORDER, "完成了", "服务单")


@subscribe("factory_order.made")
def _made(act: Act, order: FactoryOrder) -> None:
    _tell(act, order, ORDER, "新增了", "工厂订单")


@subscribe("factory_order.transmitted")
def _transmitted(act: Act, order: FactoryOrder) -> None:
    _tell(act, order, ORDER, "传单：", "工厂订单")


@subscribe("factory_order.returned")
def _returned(act: Act, order: FactoryOrder) -> None:
    _tell(act, order, ORDER, "退单：", "工厂订单")


@subscribe("factory_order.step")
def _step(act: Act, order: FactoryOrder, kind: StepKind, step: str) -> None:
    topic = SHIPPING if kind == StepKind.LOGISTICS else ORDER
    _tell(act, order, topic, f"登记了进度“{step}”：", "工厂订单")
