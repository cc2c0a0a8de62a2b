"""Where a customer stands follows from jobs and orders, by the ways of its life only (unified model)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import event

from app.engine.actions import Refusal
from app.engine.database import db
from app.engine.perform import perform
from models.customers.rules import life, move
from models.customers.tables import Customer, Stage
from models.orders.resources import ServiceOrders
from models.orders.tables import FactoryOrder, ServiceOrder
from tests.customers.world import World


@pytest.fixture
def steps() -> Iterator[list[tuple[Stage, Stage]]]:
    """Every change of a stage, from where to where."""
    seen: list[tuple[Stage, Stage]] = []

    def note(_customer: Any, new: Stage, old: Any, _initiator: Any) -> None:
        if isinstance(old, Stage) and old != new:
            seen.append((old, new))

    event.listen(Customer.stage, "set", note)
    yield seen
    event.remove(Customer.stage, "set", note)


def at_the_factory(world: World) -> tuple[Customer, ServiceOrder, FactoryOrder]:
    """A customer whose only job has an order at the factory."""
    customer = world.customer()
    job = world.order(customer)
    order = world.make("factory_orders", "boss", service_order_id=job.id)
    world.act("transmit", order, by="boss")
    return customer, job, order


def stage(customer: Customer) -> Stage:
    """Where the customer stands now."""
    db.session.refresh(customer)
    return customer.stage


def test_every_step_is_one_of_the_life(world: World, steps: list[tuple[Stage, Stage]]) -> None:
    customer, job, order = at_the_factory(world)
    assert stage(customer) == Stage.ORDERED
    world.act("finish", job)
    assert stage(customer) == Stage.SERVED
    world.act("continue_service", customer, brand_category=world.categories[1].id)
    assert stage(customer) == Stage.FOLLOWING
    world.act("lose", customer, reason="另选他家")
    assert stage(customer) == Stage.FOLLOWING  # one job was done
    world.act("return_order", order, by="boss")
    assert steps and all(life.allows(*step) for step in steps), steps


def test_transmitting_for_a_served_customer_is_a_new_need(
    world: World, steps: list[tuple[Stage, Stage]]
) -> None:
    customer, job, _ = at_the_factory(world)
    late = world.make("factory_orders", "boss", service_order_id=job.id)
    world.act("finish", job)
    assert stage(customer) == Stage.SERVED
    del steps[:]
    world.act("transmit", late, by="boss")
    assert stage(customer) == Stage.ORDERED
    assert steps == [(Stage.SERVED, Stage.FOLLOWING), (Stage.FOLLOWING, Stage.ORDERED)]


def test_a_job_that_was_not_done_after_all(world: World) -> None:
    customer, job, order = at_the_factory(world)
    world.act("finish", job)
    world.act("reopen", job, by="boss")
    assert stage(customer) == Stage.ORDERED
    world.act("finish", job)
    world.act("return_order", order, by="boss")
    world.act("reopen", job, by="boss")
    assert stage(customer) == Stage.FOLLOWING


def test_retained_since_the_day_in_china(world: World) -> None:
    customer, job, _ = at_the_factory(world)
    finish = next(a for a in ServiceOrders.actions if a.name == "finish")
    after_midnight = datetime(2026, 11, 24, 17, 0)
    perform(finish, [job.id], world.actor("seller"), now=after_midnight)
    assert stage(customer) == Stage.SERVED
    assert customer.retained_since == date(2026, 11, 25)


def test_where_no_way_leads_the_move_is_refused(world: World) -> None:
    customer = world.customer()
    with pytest.raises(Refusal, match="“跟进中”不能变为“已服务”"):
        move(customer, Stage.SERVED)
