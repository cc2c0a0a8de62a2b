"""Giving customers to other people and stores (A-52, A-54, A-55)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.engine.actions import Invalid, Refusal
from app.engine.audit import acting
from app.engine.database import db, utcnow
from models.follow_ups.tables import TaskKind
from tests.customers.world import World
from tests.plugins.people import Login


def tomorrow() -> datetime:
    """This time of day tomorrow."""
    return utcnow() + timedelta(days=1)


@pytest.mark.spec("A-52")
def test_a_salesperson_is_set_for_several_customers_and_removed(world: World, login: Login) -> None:
    customers = [world.customer("keeper"), world.customer("keeper")]
    client = login("keeper")
    ids, person = [c.id for c in customers], world.people["seller2"].id
    client.post("/customers/action/change_salesperson", data={"id": ids, "salesperson": person})
    for customer in customers:
        db.session.refresh(customer)
        assert customer.salesperson_id == person
        assert "导购乙" in client.get(f"/customers/{customer.id}").get_data(as_text=True)
    world.act("clear_salesperson", customers, by="keeper")
    assert [c.salesperson_id for c in customers] == [None, None]


@pytest.mark.spec("A-54")
def test_a_new_designer_finds_the_customers_under_related(world: World, login: Login) -> None:
    customers = [world.customer(), world.customer()]
    world.act("change_designer", customers, by="keeper", designer=world.people["drawer"].id)
    page = login("drawer").get("/customers/", query_string={"scope": "related"}).get_data(as_text=True)
    assert all(c.code in page for c in customers)


@pytest.mark.spec("A-55")
def test_customers_move_to_another_store_with_what_is_open(world: World, login: Login) -> None:
    customers = [world.customer() for _ in range(3)]
    order = world.order(customers[0])
    task = world.make(
        "tasks", kind=TaskKind.OTHER, subject="回电", customer_id=customers[0].id,
        due_at=utcnow() + timedelta(days=1),
    )  # fmt: skip
    waiting = world.make("factory_orders", "boss", service_order_id=order.id)
    sent = world.make("factory_orders", "boss", service_order_id=order.id)
    world.act("transmit", sent, by="boss")
    target = world.stores[1]
    login("boss").post(
        "/customers/action/change_store", data={"id": [c.id for c in customers], "store": target.id}
    )
    for record in (*customers, order, task, waiting):
        db.session.refresh(record)
        assert record.store_id == target.id
    db.session.refresh(sent)
    assert sent.store_id == world.stores[0].id
    with pytest.raises(Refusal, match="只能选择本商场的门店"):
        world.act("change_store", customers[0], by="boss", store=world.stores[2].id)


def test_nobody_of_another_dealer_and_nobody_who_left_gets_a_customer(world: World) -> None:
    customer = world.customer()
    with pytest.raises(Refusal, match="只能选择本商场的员工"):
        world.act("reassign", customer, by="keeper", owner=world.people["outsider"].id)
    task = world.make(
        "tasks", kind=TaskKind.OTHER, subject="回电", customer_id=customer.id, due_at=tomorrow()
    )
    gone = world.people["seller2"]
    with acting(db.session()):
        gone.active = False
        db.session.commit()
    given = {"kind": TaskKind.OTHER, "subject": "回电", "customer_id": customer.id, "due_at": tomorrow()}
    for person, sentence in ((gone, "该员工已停用"), (world.people["outsider"], "只能选择本商场的员工")):
        for deed in (
            lambda to: world.act("reassign", customer, by="keeper", owner=to),
            lambda to: world.act("change_owner", task, by="boss", owner=to),
            lambda to: world.make("tasks", owner_id=to, **given),
            lambda to: world.change(task, "boss", owner_id=to),
        ):
            with pytest.raises(Refusal, match=sentence):
                deed(person.id)


def test_a_job_of_somebody_else_is_no_task_of_this_customer(world: World) -> None:
    customer, other = world.customer(), world.customer()
    with pytest.raises(Invalid, match="不属于该客户"):
        world.make(
            "tasks", kind=TaskKind.MEASURE, subject="量尺", customer_id=customer.id,
            service_order_id=world.order(other).id, due_at=utcnow() + timedelta(days=1),
        )  # fmt: skip
