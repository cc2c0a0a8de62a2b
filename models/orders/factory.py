"""Orders at the factory: transmitting, returning, and the settlement price (A-62, A-87…A-89)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from app.engine import audit
from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.deeds import hold
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.guards import SETTLEMENT_PRICE
from app.engine.lifecycle import Lifecycle
from models.customers.persons import touch, track
from models.customers.rules import follow_again, move
from models.customers.tables import Customer, Stage
from models.customers.track import TrackAct
from models.orders import queries
from models.orders.tables import FactoryOrder, FactoryState, OrderState, OrderStep, ServiceOrder, StepKind

life = Lifecycle(
    FactoryOrder.state,
    {
        FactoryState.WAITING: {FactoryState.PLACED},
        FactoryState.PLACED: {FactoryState.RETURNED},
        FactoryState.RETURNED: set(),
    },
)


def create_factory_order(order: FactoryOrder, act: Act, values: dict[str, Any]) -> FactoryOrder:
    """Prepare an order for one job; customer, category and store are the job's."""
    job = hold(act.session, ServiceOrder, order.service_order_id)
    if job is None:
        raise Invalid({"service_order_id": "请选择服务单"})
    if job.state == OrderState.LOST:
        raise Refusal("该服务单已失单，不能下单")
    order.customer_id, order.customer_phone = job.customer_id, job.customer_phone
    order.brand_category_id = job.brand_category_id
    order.dealer_id, order.store_id = job.dealer_id, job.store_id
    order.filer_id = act.actor.id or job.owner_id
    order.state = FactoryState.WAITING
    order.created_at = act.now
    publish(act, "factory_order.made", order)
    return order


def _step(
    act: Act,
    order: FactoryOrder,
    kind: StepKind,
    name: str,
    at: datetime | None = None,
    note: str | None = None,
) -> None:
    step = OrderStep(
        factory_order_id=order.id, kind=kind, name=name, at=at or act.now, note=note, created_at=act.now
    )
    act.session.add(step)


@action(
    "传单", on=FactoryOrder, name="transmit", icon="send", primary=True, moves=life.to(FactoryState.PLACED),
    confirm="确认将所选订单传至工厂？传单后客户不能再置为失效。",
    when=lambda order: order.state == FactoryState.WAITING,
)  # fmt: skip
def transmit(order: FactoryOrder, act: Act) -> None:
    """Send an order to the factory; from then on the customer cannot be invalidated (A-62). For one who was
    served or lost it is a new need, and so he is followed again first."""
    customer = act.session.get_one(Customer, order.customer_id)
    if customer.stage == Stage.INVALID:
        raise Refusal("该客户已失效，不能传单")
    if act.session.get_one(ServiceOrder, order.service_order_id).state == OrderState.LOST:
        raise Refusal("该服务单已失单，不能传单")
    order.transmitted_at = act.now
    follow_again(customer)
    move(customer, Stage.ORDERED)
    touch(act.session, customer, has_transmitted_order=True)
    _step(act, order, StepKind.PROGRESS, "已传单")
    track(act, customer, TrackAct.TRANSMIT, order.self_no)
    publish(act, "factory_order.transmitted", order)


@action(
    "退单", on=FactoryOrder, name="return_order", icon="arrow-back-up", tone="r",
    moves=life.to(FactoryState.RETURNED), confirm="确认将所选订单退单？",
    when=lambda order: order.state == FactoryState.PLACED,
)  # fmt: skip
def return_order(order: FactoryOrder, act: Act) -> None:
    """Take an order back; a customer without any order at the factory is followed again."""
    order.state = FactoryState.RETURNED
    act.session.flush()
    customer = act.session.get_one(Customer, order.customer_id)
    placed = queries.has_placed_order(act.session, order.customer_id)
    if customer.stage == Stage.ORDERED and not placed:
        move(customer, Stage.FOLLOWING)
    _step(act, order, StepKind.PROGRESS, "已退单")
    publish(act, "factory_order.returned", order)


@action(
    "登记进度", on=FactoryOrder, name="add_step", icon="progress", batch=False,
    fields=(
        entry("kind", "进度类型", choices=StepKind, default=StepKind.PROGRESS, required=True),
        entry("step", "节点", required=True, maxlength=40),
        entry("at", "时间", "datetime", hint="不填写则为现在"),
        entry("note", "说明", maxlength=200),
    ),
)  # fmt: skip
def add_step(
    order: FactoryOrder,
    act: Act,
    kind: StepKind,
    step: str,
    at: datetime | None = None,
    note: str | None = None,
) -> None:
    """Note a stage of production or transport; stages are data, not code."""
    _step(act, order, kind, step, at, note)
    publish(act, "factory_order.step", order, kind=kind, step=step)


@action(
    "查看结算价", on=FactoryOrder, name="view_settlement_price", icon="eye", batch=False,
    permission=SETTLEMENT_PRICE.permission, permission_label=SETTLEMENT_PRICE.label,
    confirm="查看结算价将记入操作日志。",
)  # fmt: skip
def view_settlement_price(order: FactoryOrder, act: Act) -> str:
    """Show what the dealer pays; every view is logged (A-87, A-89)."""
    audit.log(act, order, "查看结算价")
    price = order.settlement_price
    return "该订单暂无结算价" if price is None else f"结算价：¥{price:,.2f}"


@action(
    "录入结算价", on=FactoryOrder, name="set_settlement_price", icon="currency-yuan", batch=False,
    guard=SETTLEMENT_PRICE,
    fields=(entry("price", "结算价", "money", required=True, minimum=0),),
)  # fmt: skip
def set_settlement_price(order: FactoryOrder, act: Act, price: Decimal) -> None:
    """Enter what the dealer pays to the group."""
    order.settlement_price = price
