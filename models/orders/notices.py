"""Who hears of money, orders and their way to the customer, at once (A-38)."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.actions import Act
from app.engine.events import subscribe
from models.customers.notices import concerned
from models.customers.tables import Customer
from models.notifications.sentences import NOTHING, Sentence, Value, say, sentence
from models.notifications.topics import FINANCE, ORDER, SHIPPING, Topic
from models.orders.tables import FactoryOrder, Receipt, ServiceOrder, StepKind

Record = Receipt | ServiceOrder | FactoryOrder


def _sentence(
    key: str,
    topic: Topic,
    label: str,
    done: str,
    kind: str,
    about: str,
    counter: str = "个",
    more: Mapping[str, str] = NOTHING,
) -> Sentence:
    """``done`` is the verb before the record's kind and number."""
    return sentence(
        key, topic, label, f"{{{{操作人}}}}{done}客户{{{{客户}}}}的{kind}{{{{单号}}}}",
        f"{{{{操作人}}}}{done}{{{{数量}}}}{counter}{kind}",
        {"操作人": "店长", **more}, {"单号": "S20260105001", "客户": "张女士"}, about,
    )  # fmt: skip


_RECEIPT, _STEP = "{{单据}}", "登记了进度“{{进度}}”："
ENTERED = _sentence(
    "receipt.entered", FINANCE, "登记了收款或退款", "登记了", _RECEIPT, "receipts", "笔", {"单据": "收款"}
)
VOIDED = _sentence(
    "receipt.voided", FINANCE, "作废了收款或退款", "作废了", _RECEIPT, "receipts", "笔", {"单据": "收款"}
)
OPENED = _sentence("order.opened", ORDER, "新增服务单", "新增了", "服务单", "service_orders")
LOST = _sentence("order.lost", ORDER, "服务单失单", "置为失单：", "服务单", "service_orders")
FINISHED = _sentence("order.finished", ORDER, "服务单完成", "完成了", "服务单", "service_orders")
MADE = _sentence("factory_order.made", ORDER, "新增工厂订单", "新增了", "工厂订单", "factory_orders")
TRANSMITTED = _sentence(
    "factory_order.transmitted", ORDER, "工厂订单传单", "传单：", "工厂订单", "factory_orders"
)
RETURNED = _sentence("factory_order.returned", ORDER, "工厂订单退单", "退单：", "工厂订单", "factory_orders")
PROGRESS = _sentence(
    "factory_order.progress",
    ORDER,
    "工厂订单的生产进度",
    _STEP,
    "工厂订单",
    "factory_orders",
    more={"进度": "开料"},
)
SHIPPED = _sentence(
    "factory_order.logistics",
    SHIPPING,
    "工厂订单的物流进度",
    _STEP,
    "工厂订单",
    "factory_orders",
    more={"进度": "发货"},
)


def _say(act: Act, record: Record, said: Sentence, more: Mapping[str, Value] = NOTHING) -> None:
    """A new record gets its number at the end only."""
    session = act.session
    with session.no_autoflush:
        customer = session.get_one(Customer, record.customer_id)
        users = concerned(session, customer)
    if isinstance(record, ServiceOrder):
        users += [record.owner_id, record.designer_id]

    def code() -> str:
        return record.self_no if isinstance(record, FactoryOrder) else record.code

    name = customer.name
    values = {"操作人": act.actor.name, "客户": name, "单号": code, **more}
    say(
        act, users, said, values,
        record=record, label=lambda: f"{name} {code()}", dealer_id=customer.dealer_id,
    )  # fmt: skip


@subscribe("receipt.entered")
def _entered(act: Act, receipt: Receipt, customer: Customer) -> None:
    _say(act, receipt, ENTERED, {"单据": receipt.kind.label})


@subscribe("receipt.voided")
def _voided(act: Act, receipt: Receipt, customer: Customer) -> None:
    _say(act, receipt, VOIDED, {"单据": receipt.kind.label})


@subscribe("order.opened")
def _opened(act: Act, order: ServiceOrder) -> None:
    _say(act, order, OPENED)


@subscribe("order.lost")
def _lost(act: Act, order: ServiceOrder) -> None:
    _say(act, order, LOST)


@subscribe("order.finished")
def _finished(act: Act, order: ServiceOrder) -> None:
    _say(act, order, FINISHED)


@subscribe("factory_order.made")
def _made(act: Act, order: FactoryOrder) -> None:
    _say(act, order, MADE)


@subscribe("factory_order.transmitted")
def _transmitted(act: Act, order: FactoryOrder) -> None:
    _say(act, order, TRANSMITTED)


@subscribe("factory_order.returned")
def _returned(act: Act, order: FactoryOrder) -> None:
    _say(act, order, RETURNED)


@subscribe("factory_order.step")
def _step(act: Act, order: FactoryOrder, kind: StepKind, step: str) -> None:
    _say(act, order, SHIPPED if kind == StepKind.LOGISTICS else PROGRESS, {"进度": step})
