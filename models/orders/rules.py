"""Jobs of a customer: continuing service, losing and reopening (A-07, A-10, A-58, A-59, A-63)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.deeds import hold
from app.engine.events import Happening, publish, subscribe
from app.engine.fields import entry
from app.engine.lifecycle import Lifecycle
from app.engine.localtime import local
from app.engine.numbers import next_number
from models.customers.persons import track
from models.customers.rules import follow_again, lose_customer, move
from models.customers.tables import Customer, Stage
from models.customers.track import TrackAct
from models.follow_ups import tasks
from models.follow_ups.tables import Task
from models.identity.tables import BrandCategory
from models.orders import queries
from models.orders.tables import FactoryOrder, FactoryState, OrderState, ServiceOrder

CATEGORY_TAKEN = "该客户已有此品类的服务单"
NO_REASON = "请填写失单原因"
life = Lifecycle(
    ServiceOrder.state,
    {
        OrderState.OPEN: {OrderState.DONE, OrderState.LOST},
        OrderState.DONE: {OrderState.OPEN},
        OrderState.LOST: {OrderState.OPEN},
    },
)


def create_order(order: ServiceOrder, act: Act, values: dict[str, Any]) -> ServiceOrder:
    """A further job under an existing customer; refuses a category with an open one (A-10)."""
    customer = act.session.get(Customer, order.customer_id)
    if customer is None:
        raise Invalid({"customer_id": "请选择客户"})
    _open_job(act, customer, order)
    return order


def _open_job(act: Act, customer: Customer, order: ServiceOrder) -> None:
    if customer.stage == Stage.INVALID:
        raise Refusal("该客户已失效，恢复后才能继续服务")
    if queries.open_order(act.session, customer.id, order.brand_category_id) is not None:
        raise Refusal(CATEGORY_TAKEN, field="brand_category_id")
    order.customer_id = customer.id
    order.customer_phone = customer.phone
    order.dealer_id, order.store_id = customer.dealer_id, customer.store_id
    order.filer_id = act.actor.id or customer.owner_id
    order.owner_id = customer.owner_id
    order.designer_id = order.designer_id or customer.designer_id
    order.state = OrderState.OPEN
    order.created_at = act.now
    order.code = order.code or next_number(act.session, "service_order", order.dealer_id, act.now)
    act.session.add(order)
    follow_again(customer)
    act.session.flush()
    category = act.session.get(BrandCategory, order.brand_category_id)
    track(act, customer, TrackAct.SERVICE_ORDER, f"{category.name if category else ''} {order.code}".strip())
    publish(act, "order.opened", order)


@action(
    "继续服务", on=Customer, icon="clipboard-plus", batch=False,
    fields=(
        entry("brand_category", "品牌品类", target=BrandCategory, required=True),
        entry("remark", "备注", "textarea", maxlength=500),
    ),
    when=lambda customer: customer.stage != Stage.INVALID,
)  # fmt: skip
def continue_service(customer: Customer, act: Act, brand_category: int, remark: str | None = None) -> str:
    """Add a service order for a further category; no second file is made (A-07)."""
    order = ServiceOrder(brand_category_id=brand_category, remark=remark or None)
    _open_job(act, customer, order)
    return f"已新增服务单{order.code}"


def _lose(act: Act, order: ServiceOrder, reason: str) -> None:
    move = life.to(OrderState.LOST)
    move.check(order)
    net = queries.net_received(act.session, order)
    if net:
        act.warn(f"服务单{order.code}已收款{net:,.2f}元，收款记录保留，不会自动退款")
    move.apply(order)
    order.lost_reason, order.lost_at = reason, act.now
    tasks.close(act, Task.service_order_id == order.id, f"order{order.id}"[:16])
    publish(act, "order.lost", order)


def _settle(act: Act, customer_id: int, reason: str) -> None:
    """A customer all of whose jobs are lost is lost (unified model)."""
    act.session.flush()
    states = queries.states(act.session, customer_id)
    if states and states <= {OrderState.LOST}:
        lose_customer(act, act.session.get_one(Customer, customer_id), reason)


def _reason(reason: str | None) -> str:
    text = (reason or "").strip()
    if not text:
        raise Invalid({"reason": NO_REASON})
    return text


REASON = entry("reason", "失单原因", "textarea", required=True, maxlength=200)


@action(
    "失单", on=ServiceOrder, name="lose", icon="circle-x", tone="r", fields=(REASON,),
    when=lambda order: order.state == OrderState.OPEN,
)  # fmt: skip
def lose(order: ServiceOrder, act: Act, reason: str) -> None:
    """Mark jobs as lost, with the reason; their tasks close, the others carry on (A-58, A-59)."""
    text = _reason(reason)
    _lose(act, order, text)
    _settle(act, order.customer_id, text)


@action(
    "失单", on=Customer, name="lose", icon="circle-x", tone="r",
    fields=(
        entry("orders", "服务单", target=ServiceOrder, multiple=True, hint="不选择则全部失单",
              within=ServiceOrder.customer_id),
        REASON,
    ),
    when=lambda customer: customer.stage not in (Stage.INVALID, Stage.LOST),
)  # fmt: skip
def lose_orders(customer: Customer, act: Act, reason: str, orders: Sequence[int] = ()) -> str:
    """Lose all open jobs of a customer, or the chosen ones only (A-58, A-59); of several customers each those
    of the chosen ones that are its own."""
    text = _reason(reason)
    wanted = select(ServiceOrder).where(ServiceOrder.customer_id == customer.id)
    if orders:
        wanted = wanted.where(ServiceOrder.id.in_(orders))
    else:
        wanted = wanted.where(ServiceOrder.state == OrderState.OPEN)
    found = act.session.scalars(wanted.order_by(ServiceOrder.id).with_for_update(key_share=True)).all()
    if not found:
        raise Refusal("所选服务单不属于该客户" if orders else "该客户没有进行中的服务单")
    for order in found:
        _lose(act, order, text)
    _settle(act, customer.id, text)
    return f"已将{len(found)}个服务单置为失单"


@action(
    "恢复", on=ServiceOrder, name="reopen", icon="refresh", moves=life.to(OrderState.OPEN),
    confirm="确认恢复所选服务单？关闭的待办任务将一并恢复。",
    when=lambda order: order.state != OrderState.OPEN,
)  # fmt: skip
def reopen(order: ServiceOrder, act: Act) -> None:
    """Bring a lost job back with its tasks (A-63), or one that was not done after all; its customer has an
    open need again, or an order still at the factory."""
    if queries.open_order(act.session, order.customer_id, order.brand_category_id) is not None:
        raise Refusal(CATEGORY_TAKEN)
    order.lost_reason = order.lost_at = None
    tasks.bring_back(act, Task.service_order_id == order.id, f"order{order.id}"[:16])
    customer = act.session.get_one(Customer, order.customer_id)
    if customer.stage == Stage.LOST:
        tasks.bring_back(act, Task.customer_id == customer.id, Stage.LOST.value)
    if customer.stage in (Stage.SERVED, Stage.LOST):
        follow_again(customer)
        if queries.has_placed_order(act.session, customer.id):
            move(customer, Stage.ORDERED)


@action(
    "完成服务", on=ServiceOrder, name="finish", icon="circle-check", moves=life.to(OrderState.DONE),
    confirm="确认所选服务单已完成？", when=lambda order: order.state == OrderState.OPEN,
)  # fmt: skip
def finish(order: ServiceOrder, act: Act) -> None:
    """A job is done; a customer with no open need left is served (unified model)."""
    order.state = OrderState.DONE
    act.session.flush()
    publish(act, "order.finished", order)
    customer = act.session.get_one(Customer, order.customer_id)
    left = queries.states(act.session, order.customer_id)
    if OrderState.OPEN not in left and customer.stage == Stage.ORDERED:
        move(customer, Stage.SERVED)
        customer.retained_since = customer.retained_since or local(act.now).date()


@subscribe("customer.phone_changed")
def _repeat_phone(act: Act, customer: Customer, phone: str) -> None:
    """Orders repeat the customer's number; it is one fact, so it follows, and its history is the customer's."""
    for model in (ServiceOrder, FactoryOrder):
        act.session.execute(
            update(model).where(model.customer_id == customer.id).values(customer_phone=phone),
            execution_options={"audited": True},
        )


@subscribe("task.created")
def _check_job(act: Act, task: Task) -> None:
    """A duty of a job belongs to the job's customer, and only a running job has any."""
    if task.service_order_id is None:
        return
    order = hold(act.session, ServiceOrder, task.service_order_id)
    if task.customer_id not in (None, order.customer_id):
        raise Invalid({"service_order_id": "所选服务单不属于该客户"})
    if order.state == OrderState.LOST:
        raise Invalid({"service_order_id": "该服务单已失单"})
    task.customer_id = order.customer_id
    task.dealer_id, task.store_id = order.dealer_id, order.store_id


@subscribe("customer.moved", gathered=True)
def _follow_store(act: Act, found: Sequence[Happening]) -> None:
    """Open jobs and orders not yet at the factory go to the new store with their customer."""
    stores = {h.record.id: h.record.store_id for h in found}
    mine = (ServiceOrder.customer_id.in_(stores), ServiceOrder.state == OrderState.OPEN)
    waiting = (FactoryOrder.customer_id.in_(stores), FactoryOrder.state == FactoryState.WAITING)
    for job in act.session.scalars(select(ServiceOrder).where(*mine)):
        job.store_id = stores[job.customer_id]
    for order in act.session.scalars(select(FactoryOrder).where(*waiting)):
        order.store_id = stores[order.customer_id]


@subscribe("customer.reassigned", gathered=True)
def _follow_owner(act: Act, found: Sequence[Happening]) -> None:
    """Open jobs go to the new consultant with their customer."""
    owners = {h.record.id: h.facts["new"] for h in found}
    mine = (ServiceOrder.customer_id.in_(owners), ServiceOrder.state == OrderState.OPEN)
    for order in act.session.scalars(select(ServiceOrder).where(*mine)):
        order.owner_id = owners[order.customer_id]


@subscribe("customer.designer_changed", gathered=True)
def _follow_designer(act: Act, found: Sequence[Happening]) -> None:
    """Open jobs that the former designer drew for go to the new one with their customer (A-54)."""
    moved = {h.record.id: h.facts for h in found if h.facts["old"] and h.facts["new"]}
    mine = (ServiceOrder.customer_id.in_(moved), ServiceOrder.state == OrderState.OPEN)
    for order in act.session.scalars(select(ServiceOrder).where(*mine)) if moved else ():
        if order.designer_id == moved[order.customer_id]["old"]:
            order.designer_id = moved[order.customer_id]["new"]
