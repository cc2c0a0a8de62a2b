"""The screens of service orders, money and factory orders."""

from __future__ import annotations

from app.engine.resource import (
    Between,
    Breakdown,
    Group,
    Menu,
    Net,
    Number,
    Ranking,
    Related,
    Resource,
    Trend,
    View,
    Window,
)
from app.engine.scopes import Scope, Scopes
from models.customers.resources import WINDOW_HINT, Customers
from models.follow_ups.tables import Task
from models.orders import factory, money, rules
from models.orders.tables import (
    FactoryOrder,
    FactoryState,
    OrderState,
    OrderStep,
    Receipt,
    ReceiptKind,
    ReceiptState,
    ServiceOrder,
)


class ServiceOrders(Resource, model=ServiceOrder):
    """服务单: jobs of the last 180 days by default (A-64, A-69)."""

    label = "服务单"
    unit = "个服务单"
    icon = "clipboard-text"
    menu = Menu("经营", icon="clipboard-text", order=230)
    create_label = "新增服务单"
    root = ServiceOrder.customer_id
    scopes = Scopes(
        mine=ServiceOrder.filer_id,
        related=(ServiceOrder.owner_id, ServiceOrder.designer_id),
        store=ServiceOrder.store_id,
        dealer=ServiceOrder.dealer_id,
    )
    scope_tabs = (Scope.MINE, Scope.RELATED, Scope.STORE, Scope.DEALER, Scope.GROUP)
    title = ServiceOrder.code
    columns = (
        ServiceOrder.code,
        ServiceOrder.customer_id,
        ServiceOrder.customer_phone,
        ServiceOrder.brand_category_id,
        ServiceOrder.state,
        ServiceOrder.owner_id,
        ServiceOrder.designer_id,
        ServiceOrder.store_id,
        ServiceOrder.created_at,
    )
    more_columns = (ServiceOrder.lost_reason, ServiceOrder.lost_at, ServiceOrder.filer_id)
    filters = (
        ServiceOrder.state,
        ServiceOrder.brand_category_id,
        ServiceOrder.owner_id,
        ServiceOrder.customer_phone,
        ServiceOrder.designer_id,
        ServiceOrder.store_id,
        Between(ServiceOrder.created_at),
    )
    leaves_out = ((ServiceOrder.state, (OrderState.LOST,)),)
    exact = (ServiceOrder.code, ServiceOrder.customer_phone)
    quick_search = True
    search_hint = "服务单号、完整手机号码"
    sorts = (ServiceOrder.created_at,)
    window = Window(ServiceOrder.created_at, days=180)
    views = (
        View("open", "进行中", lambda now: ServiceOrder.state == OrderState.OPEN),
        View("lost", "失单", lambda now: ServiceOrder.state == OrderState.LOST),
    )
    badges = (ServiceOrder.state,)
    subtitle = (ServiceOrder.customer_id, ServiceOrder.brand_category_id, ServiceOrder.created_at)
    detail = (
        Group(
            "服务单",
            ServiceOrder.code,
            ServiceOrder.customer_id,
            ServiceOrder.customer_phone,
            ServiceOrder.brand_category_id,
            ServiceOrder.state,
            ServiceOrder.lost_reason,
            ServiceOrder.lost_at,
            ServiceOrder.remark,
        ),
        Group(
            "归属",
            ServiceOrder.store_id,
            ServiceOrder.owner_id,
            ServiceOrder.designer_id,
            ServiceOrder.filer_id,
            ServiceOrder.created_at,
        ),
        Related(FactoryOrder.service_order_id, "工厂订单"),
        Related(Receipt.service_order_id, "收款"),
        Related(Task.service_order_id, "任务"),
    )
    form = (
        Group(
            "服务单",
            ServiceOrder.customer_id,
            ServiceOrder.brand_category_id,
            ServiceOrder.designer_id,
            ServiceOrder.remark,
        ),
    )
    edit_form = (Group("服务单", ServiceOrder.designer_id, ServiceOrder.remark),)
    create = staticmethod(rules.create_order)
    pick_note = (ServiceOrder.brand_category_id, ServiceOrder.customer_id)
    dealer_from = ServiceOrder.customer_id
    actions = (rules.lose, rules.reopen, rules.finish)
    charts = (
        Trend("created", "新增服务单", at=ServiceOrder.created_at),
        Breakdown("category", "品类分布", by=ServiceOrder.brand_category_id),
        Breakdown("state", "服务单状态", by=ServiceOrder.state, style="pie"),
    )
    empty_hint = WINDOW_HINT


_VALID = ((Receipt.state, (ReceiptState.VALID,)),)
_RECEIVED = (*_VALID, (Receipt.kind, (ReceiptKind.RECEIPT,)))
_REFUNDED = (*_VALID, (Receipt.kind, (ReceiptKind.REFUND,)))
_NET = Net(Receipt.amount, by=Receipt.kind, values=(ReceiptKind.REFUND,))


class Receipts(Resource, model=Receipt):
    """收款: money received from customers and paid back (A-119)."""

    label = "收款"
    unit = "笔"
    icon = "cash"
    menu = Menu("经营", label="收款", icon="cash", order=250)
    create_label = "新增收款/退款"
    scopes = Scopes(
        mine=Receipt.writer_id, store=Receipt.store_id, dealer=Receipt.dealer_id, through=Receipt.customer_id
    )
    scope_tabs = (Scope.MINE, Scope.RELATED, Scope.STORE, Scope.DEALER, Scope.GROUP)
    title = Receipt.code
    columns = (
        Receipt.code,
        Receipt.customer_id,
        Receipt.kind,
        Receipt.amount,
        Receipt.paid_on,
        Receipt.subject,
        Receipt.service_order_id,
        Receipt.state,
        Receipt.writer_id,
    )
    more_columns = (Receipt.method, Receipt.voucher_no, Receipt.store_id, Receipt.created_at)
    filters = (
        Receipt.kind,
        Receipt.state,
        Receipt.writer_id,
        Receipt.store_id,
        Receipt.method,
        Receipt.subject,
        Between(Receipt.paid_on),
        Between(Receipt.created_at),
    )
    exact = (Receipt.code, Receipt.voucher_no)
    search_hint = "收款单号、收据编号"
    sorts = (Receipt.created_at, Receipt.paid_on)
    badges = (Receipt.kind, Receipt.state)
    detail = (
        Group(
            "收款",
            Receipt.code,
            Receipt.customer_id,
            Receipt.service_order_id,
            Receipt.kind,
            Receipt.amount,
            Receipt.paid_on,
            Receipt.subject,
            Receipt.method,
            Receipt.voucher_no,
            Receipt.state,
            Receipt.void_reason,
            Receipt.remark,
            Receipt.writer_id,
            Receipt.store_id,
            Receipt.created_at,
        ),
    )
    form = (
        Group(
            "收款",
            Receipt.customer_id,
            Receipt.service_order_id,
            Receipt.kind,
            Receipt.amount,
            Receipt.paid_on,
            Receipt.subject,
            Receipt.method,
            Receipt.voucher_no,
            Receipt.remark,
        ),
    )
    edit_form = ()
    create = staticmethod(money.create_receipt)
    dealer_from = Receipt.customer_id
    actions = (money.void,)
    facets = (
        (
            Receipt.store_id,
            Receipt.writer_id,
            Receipt.state,
            Receipt.kind,
            Receipt.method,
            Receipt.subject,
        ),
    )
    charts = (
        Number("net", "收款净额", sum=_NET, only=_VALID),
        Number("received", "收款", sum=Receipt.amount, only=_RECEIVED),
        Number("refunded", "退款", sum=Receipt.amount, only=_REFUNDED),
        Number("entries", "笔数", only=_VALID, unit="笔"),
        Trend("paid", "收款净额走势", at=Receipt.paid_on, sum=_NET, only=_VALID),
        Breakdown("kind", "收款与退款", by=Receipt.kind, style="pie", sum=Receipt.amount, only=_VALID),
        Breakdown("method", "支付方式（收款）", by=Receipt.method, sum=Receipt.amount, only=_RECEIVED),
        Breakdown("subject", "款项（收款）", by=Receipt.subject, sum=Receipt.amount, only=_RECEIVED),
        Ranking("writer", "经办人收款净额排行", by=Receipt.writer_id, sum=_NET, only=_VALID),
        Ranking("store", "门店收款净额排行", by=Receipt.store_id, sum=_NET, only=_VALID),
    )


class FactoryOrders(Resource, model=FactoryOrder):
    """工厂订单 (A-69, A-87…A-91); the settlement price is shown by its own, logged action only."""

    label = "工厂订单"
    unit = "个订单"
    icon = "building-factory-2"
    menu = Menu("经营", label="工厂订单", icon="building-factory-2", order=240)
    create_label = "新增工厂订单"
    root = FactoryOrder.customer_id
    scopes = Scopes(mine=FactoryOrder.filer_id, store=FactoryOrder.store_id, dealer=FactoryOrder.dealer_id)
    title = FactoryOrder.self_no
    columns = (
        FactoryOrder.self_no,
        FactoryOrder.order_no,
        FactoryOrder.customer_id,
        FactoryOrder.customer_phone,
        FactoryOrder.brand_category_id,
        FactoryOrder.state,
        FactoryOrder.transmitted_at,
        FactoryOrder.store_id,
        FactoryOrder.created_at,
    )
    more_columns = (FactoryOrder.contract_no, FactoryOrder.service_order_id, FactoryOrder.filer_id)
    filters = (
        FactoryOrder.state,
        FactoryOrder.brand_category_id,
        FactoryOrder.customer_phone,
        FactoryOrder.store_id,
        FactoryOrder.filer_id,
        Between(FactoryOrder.created_at),
        Between(FactoryOrder.transmitted_at),
    )
    exact = (
        FactoryOrder.self_no,
        FactoryOrder.order_no,
        FactoryOrder.contract_no,
        FactoryOrder.customer_phone,
    )
    quick_search = True
    search_hint = "工厂订单自编号、订单号、合同号、完整手机号码"
    sorts = (FactoryOrder.created_at,)
    views = (
        View("waiting", "待下单", lambda now: FactoryOrder.state == FactoryState.WAITING),
        View("placed", "已下单", lambda now: FactoryOrder.state == FactoryState.PLACED),
        View("returned", "已退单", lambda now: FactoryOrder.state == FactoryState.RETURNED),
    )
    badges = (FactoryOrder.state,)
    subtitle = (FactoryOrder.customer_id, FactoryOrder.brand_category_id, FactoryOrder.created_at)
    detail = (
        Group(
            "订单",
            FactoryOrder.self_no,
            FactoryOrder.order_no,
            FactoryOrder.contract_no,
            FactoryOrder.state,
            FactoryOrder.transmitted_at,
            FactoryOrder.brand_category_id,
            FactoryOrder.service_order_id,
            FactoryOrder.customer_id,
            FactoryOrder.customer_phone,
            FactoryOrder.remark,
        ),
        Group("归属", FactoryOrder.store_id, FactoryOrder.filer_id, FactoryOrder.created_at),
        Related(OrderStep.factory_order_id, "订单进度"),
    )
    form = (
        Group(
            "订单",
            FactoryOrder.customer_id,
            FactoryOrder.service_order_id,
            FactoryOrder.order_no,
            FactoryOrder.contract_no,
            FactoryOrder.remark,
        ),
    )
    edit_form = (Group("订单", FactoryOrder.order_no, FactoryOrder.contract_no, FactoryOrder.remark),)
    create = staticmethod(factory.create_factory_order)
    dealer_from = FactoryOrder.customer_id
    actions = (
        factory.view_settlement_price,
        factory.transmit,
        factory.add_step,
        factory.set_settlement_price,
        factory.return_order,
    )
    charts = (
        Trend("created", "新增工厂订单", at=FactoryOrder.created_at),
        Breakdown("state", "订单状态", by=FactoryOrder.state, style="pie"),
    )


class OrderSteps(Resource, model=OrderStep):
    """订单进度: the stages of an order, newest first."""

    label = "订单进度"
    unit = "个节点"
    icon = "progress"
    scopes = Scopes(through=OrderStep.factory_order_id)
    title = OrderStep.name
    columns = (OrderStep.at, OrderStep.kind, OrderStep.name, OrderStep.note)
    filters = (OrderStep.kind, OrderStep.factory_order_id)
    sorts = (OrderStep.at,)
    detail = (Group("节点", *columns),)


Customers.extend(
    actions=(rules.continue_service, rules.lose_orders),
    detail=(
        Related(ServiceOrder.customer_id, "服务单"),
        Related(FactoryOrder.customer_id, "工厂订单"),
        Related(Receipt.customer_id, "收款"),
    ),
)
