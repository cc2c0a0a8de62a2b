"""Money, orders and deliveries are told those who work on the customer, at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from app.engine.database import db
from models.notifications.tables import NoticeEvent, NoticeKind, Notification
from models.orders.tables import StepKind
from tests.customers.world import World
from tests.plugins.people import Login


@pytest.fixture
def customer(world: World) -> Any:
    """Of the seller, with a designer and a helper; nobody has heard anything yet."""
    found = world.customer(
        name="张三", designer_id=world.people["drawer"].id, helpers=[world.people["seller2"].id]
    )
    db.session.execute(delete(Notification))
    db.session.commit()
    return found


def titles(world: World, user: str) -> list[str]:
    """What that person was told at once."""
    mine = Notification.user_id == world.people[user].id, Notification.kind == NoticeKind.INSTANT
    return list(db.session.scalars(select(Notification.title).where(*mine).order_by(Notification.id)))


@pytest.mark.spec("A-38", "A-119")
def test_money_is_told_with_customer_and_actor_and_opens_the_entry(
    world: World, customer: Any, login: Login
) -> None:
    receipt = world.receive(customer, "1000", by="keeper")
    world.act("void", receipt, "keeper", reason="重复")
    said = [f"店长甲登记了客户张三的收款{receipt.code}", f"店长甲作废了客户张三的收款{receipt.code}"]
    for user in ("seller", "drawer", "seller2"):
        assert titles(world, user) == said
    assert titles(world, "keeper") == [] and "1000" not in "".join(said)
    first = db.session.scalars(select(Notification.id).order_by(Notification.id)).first()
    mine = select(Notification.id).where(Notification.user_id == world.people["seller"].id)
    opened = login("seller").get(f"/notifications/{db.session.scalars(mine).first()}")
    assert first and opened.location == f"/receipts/{receipt.id}"
    assert {e.topic for e in db.session.scalars(select(NoticeEvent))} == {"finance"}


@pytest.mark.spec("A-38")
def test_every_step_of_an_order_is_told(world: World, customer: Any) -> None:
    job = world.order(customer, by="keeper")
    order = world.make("factory_orders", "keeper", service_order_id=job.id, customer_id=customer.id)
    world.act("transmit", order, "keeper")
    world.act("add_step", order, "keeper", kind=StepKind.LOGISTICS, step="送货")
    world.act("return_order", order, "boss")
    world.act("finish", job, "keeper")
    assert titles(world, "seller") == [
        f"店长甲新增了客户张三的服务单{job.code}",
        f"店长甲新增了客户张三的工厂订单{order.self_no}",
        f"店长甲传单：客户张三的工厂订单{order.self_no}",
        f"店长甲登记了进度“送货”：客户张三的工厂订单{order.self_no}",
        f"总管退单：客户张三的工厂订单{order.self_no}",
        f"店长甲完成了客户张三的服务单{job.code}",
    ]
    topics = set(db.session.scalars(select(Notification.topic)))
    assert topics == {"order", "shipping"}


def test_a_lost_job_is_told(world: World, customer: Any) -> None:
    job = world.order(customer, by="keeper")
    db.session.execute(delete(Notification))
    db.session.commit()
    world.act("lose", job, "boss", reason="预算不足")
    assert titles(world, "drawer") == [f"总管置为失单：客户张三的服务单{job.code}"]
