"""Losing and reopening jobs (A-58, A-59, A-63), money (A-119), settlement prices (A-87…A-89)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.engine.actions import Forbidden, Invalid, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.localtime import local
from models.customers.tables import Customer, Stage
from models.customers.track import TrackEvent, TrackKind
from models.follow_ups.tables import Task, TaskKind, TaskState
from models.orders.tables import FactoryOrder, OrderState, Receipt, ServiceOrder
from tests.customers.world import World, grant
from tests.plugins.people import Login

SETTLEMENT = ("guard_settlement_price", "Guards")


def measuring(world: World, customer: Customer, order: ServiceOrder) -> Task:
    """A duty that belongs to one job."""
    return world.make(
        "tasks", kind=TaskKind.MEASURE, subject="量尺", customer_id=customer.id, service_order_id=order.id,
        due_at=utcnow() + timedelta(days=1),
    )  # fmt: skip


@pytest.mark.spec("A-58")
def test_losing_needs_a_reason_and_shows_it(world: World, login: Login) -> None:
    customer = world.customer()
    order = world.order(customer)
    client = login("seller")
    empty = client.post("/service_orders/action/lose", data={"id": order.id, "reason": ""})
    assert empty.status_code == 400
    with pytest.raises(Invalid, match="请填写失单原因"):
        world.act("lose", order, reason="  ")
    db.session.refresh(order)
    assert order.state == OrderState.OPEN
    client.post("/service_orders/action/lose", data={"id": order.id, "reason": "选了别家"})
    page = client.get(f"/service_orders/{order.id}").get_data(as_text=True)
    assert "失单" in page and "选了别家" in page


@pytest.mark.spec("A-59")
def test_one_job_is_lost_and_the_other_carries_on(world: World) -> None:
    customer = world.customer()
    kitchen, wardrobe = world.order(customer, 0), world.order(customer, 1)
    tasks = [measuring(world, customer, o) for o in (kitchen, wardrobe)]
    world.act("lose", customer, reason="只做橱柜", orders=[wardrobe.id])
    for record in (kitchen, wardrobe, customer, *tasks):
        db.session.refresh(record)
    assert (kitchen.state, wardrobe.state) == (OrderState.OPEN, OrderState.LOST)
    assert [t.state for t in tasks] == [TaskState.OPEN, TaskState.CANCELLED]
    assert customer.stage == Stage.FOLLOWING
    world.act("lose", customer, reason="都不做了")
    db.session.refresh(customer)
    assert customer.stage == Stage.LOST and customer.owner_id == world.people["seller"].id


@pytest.mark.spec("A-58", "A-59")
def test_the_chosen_customers_jobs_are_offered_by_category(world: World, login: Login) -> None:
    customer, other = world.customer(), world.customer()
    kitchen, wardrobe, foreign = world.order(customer, 0), world.order(customer, 1), world.order(other, 2)
    client = login("seller")
    page = client.get("/customers/action/lose", query_string={"id": customer.id}).get_data(as_text=True)
    assert f"{kitchen.code} · 甲牌橱柜" in page and f"{wardrobe.code} · 甲牌衣柜" in page
    assert foreign.code not in page
    client.post(
        "/customers/action/lose", data={"id": customer.id, "orders": wardrobe.id, "reason": "只做橱柜"}
    )
    db.session.refresh(kitchen)
    db.session.refresh(wardrobe)
    assert (kitchen.state, wardrobe.state) == (OrderState.OPEN, OrderState.LOST)


@pytest.mark.spec("A-59")
def test_another_customers_job_cannot_be_named(world: World) -> None:
    customer, other = world.customer(), world.customer()
    world.order(customer)
    foreign = world.order(other)
    with pytest.raises(Refusal, match="不属于该客户"):
        world.act("lose", customer, reason="x", orders=[foreign.id])


@pytest.mark.spec("A-63")
def test_a_lost_order_leaves_the_list_is_found_by_state_and_comes_back(world: World, login: Login) -> None:
    customer = world.customer()
    order = world.order(customer)
    task = measuring(world, customer, order)
    world.receive(customer, "300", service_order_id=order.id)
    report = world.act("lose", order, reason="价格")
    assert any("300.00" in w for w in report.warnings)
    client = login("seller")
    assert order.code not in client.get("/service_orders/").get_data(as_text=True)
    lost = client.get("/service_orders/", query_string={"state": "lost"}).get_data(as_text=True)
    assert order.code in lost
    db.session.refresh(task)
    assert task.state == TaskState.CANCELLED
    with pytest.raises(Forbidden):
        world.act("reopen", order)
    world.act("reopen", order, by="boss")
    for record in (order, task, customer):
        db.session.refresh(record)
    assert (order.state, task.state, customer.stage) == (OrderState.OPEN, TaskState.OPEN, Stage.FOLLOWING)
    assert customer.net_received == Decimal("300.00")


@pytest.mark.spec("A-119", "A-44")
def test_receipts_and_refunds_make_the_net_amount(world: World, login: Login) -> None:
    customer = world.customer()
    client = login("seller")
    for kind, amount in (("receipt", "1000"), ("refund", "400")):
        answer = client.post(
            "/receipts/new",
            data={"customer_id": customer.id, "kind": kind, "amount": amount, "paid_on": "2026-11-20"},
        )
        assert answer.status_code == 302
    db.session.refresh(customer)
    assert customer.net_received == Decimal("600.00")
    items = db.session.scalars(
        select(TrackEvent).where(TrackEvent.kind == TrackKind.SERVICE, TrackEvent.title == "收款")
    ).all()
    assert len(items) == 1
    refused = client.post(
        "/receipts/new",
        data={"customer_id": customer.id, "kind": "refund", "amount": "700", "paid_on": "2026-11-20"},
    )
    assert refused.status_code == 400 and "退款金额不能超过已收净额600.00元" in refused.get_data(as_text=True)
    assert len(db.session.scalars(select(Receipt)).all()) == 2


@pytest.mark.spec("A-119")
def test_entries_are_voided_never_edited(world: World, login: Login) -> None:
    customer = world.customer()
    receipt = world.receive(customer, "1000")
    refund = world.receive(customer, "400", "refund")
    assert login("boss").get(f"/receipts/{receipt.id}/edit").status_code in (403, 404)
    with pytest.raises(Refusal, match="请先作废退款"):
        world.act("void", receipt, by="boss", reason="录错")
    world.act("void", refund, by="boss", reason="录错")
    world.act("void", receipt, by="boss", reason="录错")
    db.session.refresh(customer)
    assert customer.net_received == 0
    for amount in ("0", "-5"):
        with pytest.raises(Invalid):
            world.receive(customer, amount)


def test_a_sum_that_no_column_holds_is_refused_and_the_form_kept(world: World, login: Login) -> None:
    """PostgreSQL counts the digits, SQLite does not."""
    customer = world.customer()
    world.receive(customer, "1.00")
    db.session.execute(
        update(Receipt.__table__).values(amount=Decimal("999999999999.99")),
        execution_options={"audited": True},
    )
    db.session.commit()
    form = {
        "customer_id": customer.id,
        "amount": "99999999.99",
        "remark": "写过的话",
        "paid_on": "2026-11-01",
        "kind": "receipt",
    }
    answer = login("seller").post("/receipts/new", data=form)
    if db.engine.dialect.name == "postgresql":
        assert answer.status_code == 400
        assert "超出可保存的范围" in (page := answer.get_data(as_text=True)) and "写过的话" in page
    else:
        assert answer.status_code == 302


@pytest.fixture
def priced(world: World) -> FactoryOrder:
    """An order whose settlement price is 4321.00."""
    order = world.make("factory_orders", service_order_id=world.order(world.customer()).id)
    world.act("set_settlement_price", order, by="boss", price=Decimal("4321.00"))
    return order


@pytest.mark.spec("A-87")
def test_the_administrator_sees_the_price(world: World, login: Login, priced: FactoryOrder) -> None:
    client = login("boss")
    page = client.get(f"/factory_orders/{priced.id}").get_data(as_text=True)
    assert "查看结算价" in page and "订单进度" in page
    shown = client.post(
        "/factory_orders/action/view_settlement_price", data={"id": priced.id}, follow_redirects=True
    )
    assert "4,321.00" in shown.get_data(as_text=True)


@pytest.mark.spec("A-88")
def test_others_see_it_after_the_grant_only(world: World, login: Login, priced: FactoryOrder) -> None:
    address = "/factory_orders/action/view_settlement_price"
    client = login("seller")
    assert "查看结算价" not in client.get(f"/factory_orders/{priced.id}").get_data(as_text=True)
    assert client.post(address, data={"id": priced.id}).status_code == 403
    grant(world, "consultant", SETTLEMENT)
    assert "查看结算价" in client.get(f"/factory_orders/{priced.id}").get_data(as_text=True)
    assert "4,321.00" in client.post(address, data={"id": priced.id}, follow_redirects=True).get_data(
        as_text=True
    )


@pytest.mark.spec("A-88")
def test_seeing_the_price_is_not_writing_it(world: World, login: Login, priced: FactoryOrder) -> None:
    address, writes = (
        "/factory_orders/action/set_settlement_price",
        ("can_set_settlement_price", "FactoryOrders"),
    )
    grant(world, "consultant", SETTLEMENT)
    client = login("seller")
    assert "录入结算价" not in client.get(f"/factory_orders/{priced.id}").get_data(as_text=True)
    assert client.post(address, data={"id": priced.id, "price": "1"}).status_code == 403
    sent = {"ids": [priced.id], "price": "1"}
    assert client.post("/api/v1/factory_orders/actions/set_settlement_price", json=sent).status_code == 403
    grant(world, "designer", writes)
    assert login("drawer").post(address, data={"id": priced.id, "price": "1"}).status_code == 403
    grant(world, "consultant", writes)
    assert client.post(address, data={"id": priced.id, "price": "1"}).status_code == 302
    db.session.refresh(priced)
    assert priced.settlement_price == 1


@pytest.mark.spec("A-89")
def test_without_the_right_no_answer_holds_the_price(
    world: World, login: Login, priced: FactoryOrder
) -> None:
    client = login("seller")
    for place in ("/factory_orders/", f"/factory_orders/{priced.id}", f"/factory_orders/{priced.id}/history"):
        page = client.get(place).get_data(as_text=True)
        assert "4321" not in page and "4,321" not in page


@pytest.mark.spec("A-89", "A-116")
def test_each_viewing_is_logged(world: World, priced: FactoryOrder) -> None:
    for _ in range(2):
        world.act("view_settlement_price", priced, by="boss")
    views = db.session.scalars(select(AuditEntry).where(AuditEntry.action_label == "查看结算价")).all()
    assert [(v.actor_name, v.record_id) for v in views] == [("总管", priced.id)] * 2


def test_a_lost_job_is_not_transmitted(world: World) -> None:
    order = world.order(world.customer())
    waiting = world.make("factory_orders", service_order_id=order.id)
    world.act("lose", order, reason="价格")
    with pytest.raises(Refusal, match="该服务单已失单，不能传单"):
        world.act("transmit", waiting)
    with pytest.raises(Refusal, match="该服务单已失单，不能下单"):
        world.make("factory_orders", service_order_id=order.id)


def test_a_refund_is_shown_as_taken_away(world: World, login: Login) -> None:
    customer = world.customer()
    world.receive(customer, "1000")
    refund = world.receive(customer, "300", kind="refund")
    client = login("seller")
    shown = '<span class="warn">−¥300.00</span>'
    for path in ("/receipts/", f"/receipts/{refund.id}", f"/customers/{customer.id}"):
        page = client.get(path).get_data(as_text=True)
        assert shown in page, path
    assert "¥1,000.00" in client.get("/receipts/").get_data(as_text=True)
    listed = client.get("/api/v1/receipts").get_json()["result"]
    assert {r["kind"]: r["amount"] for r in listed} == {"receipt": "1000.00", "refund": "300.00"}


def test_todays_date_stands_in_a_new_receipt(world: World, login: Login) -> None:
    page = login("seller").get("/receipts/new").get_data(as_text=True)
    today = local(utcnow()).date().isoformat()
    assert f'name="paid_on" value="{today}"' in page
