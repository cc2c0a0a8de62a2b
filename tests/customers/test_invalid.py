"""Invalid customers, and who may bring them back (A-60…A-63)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.engine.actions import Forbidden, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from models.customers.tables import Stage
from models.follow_ups.tables import Task, TaskState
from tests.customers.world import World
from tests.plugins.people import Login

HOLDS_MONEY = "该客户已收款，请先将收款退回为0再操作失效"
TRANSMITTED = "该客户已传单，不允许失效"


@pytest.mark.spec("A-60")
def test_a_customer_turns_invalid_after_confirming(world: World, login: Login) -> None:
    customer = world.customer()
    client = login("seller")
    page = client.get("/customers/action/invalidate", query_string={"id": customer.id}).get_data(as_text=True)
    assert "确认将所选客户置为失效" in page
    db.session.refresh(customer)
    assert customer.stage == Stage.FOLLOWING
    client.post("/customers/action/invalidate", data={"id": customer.id})
    db.session.refresh(customer)
    assert customer.stage == Stage.INVALID


@pytest.mark.spec("A-61", "A-63")
def test_money_must_be_back_to_nothing(world: World, login: Login) -> None:
    customer = world.customer()
    world.receive(customer, "1000")
    with pytest.raises(Refusal, match=HOLDS_MONEY):
        world.act("invalidate", customer)
    world.receive(customer, "600", "refund")
    page = login("seller").post(
        "/customers/action/invalidate", data={"id": customer.id}, follow_redirects=True
    )
    assert HOLDS_MONEY in page.get_data(as_text=True)
    world.receive(customer, "400", "refund")
    world.act("invalidate", customer)
    assert customer.stage == Stage.INVALID


@pytest.mark.spec("A-62", "A-63")
def test_a_transmitted_order_forbids_it_for_good(world: World) -> None:
    customer = world.customer()
    world.receive(customer, "500")
    factory_order = world.make("factory_orders", service_order_id=world.order(customer).id)
    world.act("transmit", factory_order)
    world.receive(customer, "500", "refund")
    with pytest.raises(Refusal, match=TRANSMITTED):
        world.act("invalidate", customer)
    world.act("return_order", factory_order, by="keeper")
    with pytest.raises(Refusal, match=TRANSMITTED):
        world.act("invalidate", customer)


@pytest.mark.spec("A-63")
def test_an_invalid_customer_leaves_the_list_with_its_tasks_and_comes_back(
    world: World, login: Login
) -> None:
    customer = world.customer(name="失效者")
    world.act("write_follow_up", customer, text="约下周", next_follow_up_at=utcnow() + timedelta(days=7))
    world.act("invalidate", customer)
    client = login("seller")
    assert "失效者" not in client.get("/customers/", query_string={"all": ""}).get_data(as_text=True)
    assert "失效者" in client.get("/customers/", query_string={"stage": "invalid"}).get_data(as_text=True)
    task = db.session.scalars(select(Task)).one()
    assert task.state == TaskState.CANCELLED
    with pytest.raises(Forbidden):
        world.act("reopen", customer)
    world.act("reopen", customer, by="boss")
    db.session.refresh(task)
    db.session.refresh(customer)
    assert (task.state, customer.stage) == (TaskState.OPEN, Stage.FOLLOWING)
    logged = db.session.scalars(
        select(AuditEntry.action).where(
            AuditEntry.resource == "customers", AuditEntry.record_id == customer.id
        )
    ).all()
    assert "invalidate" in logged and "reopen" in logged


@pytest.mark.spec("A-63")
def test_in_a_batch_each_refused_customer_is_named_with_its_cause(world: World, login: Login) -> None:
    rich, plain = world.customer(name="有款者"), world.customer(name="无款者")
    world.receive(rich, "10")
    page = login("seller").post("/customers/action/invalidate", data={"id": [rich.id, plain.id]})
    text = page.get_data(as_text=True)
    assert "有款者" in text and HOLDS_MONEY in text
    db.session.refresh(plain)
    assert plain.stage == Stage.INVALID
