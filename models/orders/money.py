"""Money in and out of a customer (A-61, A-119)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.lifecycle import Lifecycle
from app.engine.localtime import local
from models.customers.persons import touch, track
from models.customers.tables import Customer, Stage
from models.customers.track import TrackAct
from models.orders import queries
from models.orders.tables import Receipt, ReceiptKind, ReceiptState, ServiceOrder

life = Lifecycle(Receipt.state, {ReceiptState.VALID: {ReceiptState.VOID}, ReceiptState.VOID: set()})
CENT = Decimal("0.01")


def create_receipt(receipt: Receipt, act: Act, values: dict[str, Any]) -> Receipt:
    """Enter money received or paid back; a refund never exceeds the net received amount (A-119)."""
    if receipt.amount is None or receipt.amount < CENT:
        raise Invalid({"amount": "金额须大于0"})
    customer = act.session.get(Customer, receipt.customer_id)
    if customer is None:
        raise Invalid({"customer_id": "请选择客户"})
    if customer.stage == Stage.INVALID:
        raise Refusal("该客户已失效，恢复后才能收款")
    order = act.session.get(ServiceOrder, receipt.service_order_id) if receipt.service_order_id else None
    if order is not None and order.customer_id != customer.id:
        raise Invalid({"service_order_id": "所选服务单不属于该客户"})
    receipt.kind = receipt.kind or ReceiptKind.RECEIPT
    receipt.state = ReceiptState.VALID
    receipt.dealer_id, receipt.store_id = customer.dealer_id, customer.store_id
    receipt.writer_id = act.actor.id or None
    receipt.paid_on = receipt.paid_on or local(act.now).date()
    receipt.created_at = act.now
    with act.session.no_autoflush:
        net = queries.net_of_customer(act.session, customer.id) + receipt.signed
    if net < 0:
        raise Invalid({"amount": f"退款金额不能超过已收净额{net - receipt.signed:,.2f}元"})
    touch(act.session, customer, net_received=net)
    what = TrackAct.RECEIPT if receipt.kind == ReceiptKind.RECEIPT else TrackAct.REFUND
    track(act, customer, what, f"{receipt.kind.label}¥{receipt.amount:,.2f}")
    publish(act, "receipt.entered", receipt, customer=customer)
    return receipt


@action(
    "作废", on=Receipt, name="void", icon="ban", tone="r", moves=life.to(ReceiptState.VOID), batch=False,
    fields=(entry("reason", "作废原因", "textarea", required=True, maxlength=200),),
    when=lambda receipt: receipt.state == ReceiptState.VALID,
)  # fmt: skip
def void(receipt: Receipt, act: Act, reason: str) -> None:
    """Take an entry out of the account; entries are never edited (A-119)."""
    customer = act.session.get_one(Customer, receipt.customer_id)
    net = queries.net_of_customer(act.session, customer.id) - receipt.signed
    if net < 0:
        raise Refusal("该收款已有退款，请先作废退款")
    receipt.void_reason = reason
    touch(act.session, customer, net_received=net)
    publish(act, "receipt.voided", receipt, customer=customer)
