"""One deed is one transaction; two of them lock in one order; a batch says of each record what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.engine import deeds, perform
from app.engine.actions import Act, Answer, Question, Refusal, Stale, action
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow, writing
from app.engine.resource import fields_of, resources
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers
from models.customers.tables import Contact, Customer
from models.orders import queries, rules
from models.orders.resources import ServiceOrders
from models.orders.tables import OrderState, ServiceOrder
from tests.customers.world import World
from tests.spec.reading import at_once


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people."""
    return trade


def of(name: str, found: type[Any]) -> Any:
    """The action of that name."""
    return next(a for a in found.actions if a.name == name)


def inside(app: Flask, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work in a session of its own; what it raises is its answer."""

    def run() -> Any:
        with app.app_context():
            try:
                return work()
            except Exception as error:
                return error
            finally:
                db.session.remove()

    return run


# ----- the order of locks


UNDER_ANOTHER = {"registration_assignments": "registration_id"}
"""What becomes a customer's later hangs under something that is locked before the customer."""


def test_everything_of_a_customer_has_it_as_root() -> None:
    for found in resources():
        for attribute in found.model.__mapper__.column_attrs:
            target = {f.column.table.name for f in attribute.columns[0].foreign_keys}
            if target == {"customers"} and (found.actions or fields_of(found.groups(editing=True))):
                root = deeds.root_of(found)
                wanted = UNDER_ANOTHER.get(found.name, attribute.key)
                assert root is not None and root.key == wanted, found.name


def test_deeds_on_orders_and_on_their_customer_wait_for_each_other(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = world.customer()
    orders = [world.order(customer, n).id for n in range(2)]
    seller, keeper = world.actor("seller"), world.actor("boss")
    began, locked = threading.Event(), threading.Event()
    lose, lock = rules._lose, deeds.lock

    def slowly(act: Act, order: ServiceOrder, reason: str) -> None:
        if act.actor is seller:
            began.set()
            locked.wait(1)
        lose(act, order, reason)

    def noting(session: Any, found: Any, ids: Any, **more: Any) -> Any:
        records = lock(session, found, ids, **more)
        if began.is_set() and found is Customers and records:
            locked.set()
        return records

    monkeypatch.setattr(rules, "_lose", slowly)
    monkeypatch.setattr(deeds, "lock", noting)
    reason = {"reason": "价格"}

    def on_customer() -> Any:
        began.wait(5)
        return perform.perform(of("lose", Customers), [customer.id], keeper, reason)

    db.session.remove()
    first, second = at_once(
        inside(app, work)
        for work in (lambda: perform.perform(of("lose", ServiceOrders), orders, seller, reason), on_customer)
    )
    assert first.done == 2
    assert isinstance(second, Refusal) and "没有进行中的服务单" in second.message


@pytest.mark.spec("A-10")
def test_of_two_jobs_reopened_at_once_one_is_open(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = world.customer()
    orders = []
    for _ in range(2):
        order = world.order(customer)
        world.act("lose", order, reason="价格")
        orders.append(order.id)
    boss, looked = world.actor("boss"), threading.Barrier(2, timeout=1)
    real = queries.open_order

    def slowly(*args: Any) -> int | None:
        found = real(*args)
        with suppress(threading.BrokenBarrierError):
            looked.wait()
        return found

    monkeypatch.setattr(queries, "open_order", slowly)
    db.session.remove()
    reopen = of("reopen", ServiceOrders)
    answers = at_once(
        inside(app, lambda order=order: perform.perform(reopen, [order], boss)) for order in orders
    )
    refused = [a for a in answers if isinstance(a, Refusal)]
    assert [r.message for r in refused] == [rules.CATEGORY_TAKEN]
    opened = select(func.count()).select_from(ServiceOrder).where(ServiceOrder.state == OrderState.OPEN)
    assert db.session.scalar(opened) == 1


@pytest.mark.spec("A-10")
def test_the_database_itself_keeps_two_open_jobs_of_a_category_apart(world: World) -> None:
    customer = world.customer()
    lost = world.order(customer)
    world.act("lose", lost, reason="价格")
    world.order(customer)
    act = Act(world.actor("boss"), utcnow(), db.session())
    with pytest.raises(Refusal, match="冲突"), deeds.deed(act):
        deeds.hold(db.session(), ServiceOrder, lost.id).state = OrderState.OPEN


@pytest.mark.parametrize("times", [1, 9])
def test_what_was_hung_elsewhere_meanwhile_is_locked_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Whoever hangs it elsewhere once is waited for; whoever does so again and again is told to the person."""
    contact = world.contact()
    first, second = world.customer(), world.customer()
    world.act("link_contact", contact, customer=first.id)
    lock, asked = deeds.lock, []

    def moved(session: Any, found: Any, ids: Any, **more: Any) -> Any:
        records = lock(session, found, ids, **more)
        if found is Customers:
            asked.append(set(ids))
            if len(asked) <= times:
                other = second if first.id in asked[-1] else first
                hung = update(Contact).where(Contact.id == contact.id).values(customer_id=other.id)
                session.execute(hung, execution_options={"audited": True})
        return records

    monkeypatch.setattr(deeds, "lock", moved)
    seller = world.actor("seller")
    if times > 1:
        with pytest.raises(Stale):
            perform.perform(of("unlink", Contacts), [contact.id], seller)
    else:
        assert perform.perform(of("unlink", Contacts), [contact.id], seller).done == 1
    assert len(asked) == (3 if times > 1 else 2)


def test_a_linked_customer_is_locked_before_the_contact(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact, customer = world.contact(), world.customer()
    asked: list[tuple[str, set[int]]] = []
    lock = deeds.lock

    def noting(session: Any, found: Any, ids: Any, **more: Any) -> Any:
        asked.append((found.name, set(ids)))
        return lock(session, found, ids, **more)

    monkeypatch.setattr(deeds, "lock", noting)
    world.act("link_contact", contact, customer=customer.id)
    assert asked[:2] == [("contacts", {contact.id}), ("customers", {customer.id})]


# ----- one transaction


def test_a_deed_within_a_deed_is_a_part_of_it(world: World) -> None:
    seller, session = world.actor("seller"), db.session()
    act = Act(seller, utcnow(), session, "load", "load")
    late = {"name": "丁", "phone": "13800000012"}
    before = session.scalar(select(func.count()).select_from(Customer)) or 0
    with deeds.deed(act):
        kept, _ = perform.create(Customers, {"name": "甲", "phone": "13800000011"}, seller)
        with pytest.raises(Refusal):
            perform.create(Customers, {"name": "乙", "phone": "1"}, seller)
        perform.update(Customers, kept.id, {"name": "丙"}, seller)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Customer)) == before + 1
    ids = select(AuditEntry.deed_id, AuditEntry.action).where(AuditEntry.record_id == kept.id)
    entries = session.execute(ids.where(AuditEntry.resource == "customers")).all()
    assert {e.action for e in entries} == {"create", "update"}
    assert {e.deed_id for e in entries} == {act.deed_id}
    with pytest.raises(Stale), deeds.deed(Act(seller, utcnow(), session)):
        perform.update(
            Customers, kept.id, {"name": perform.create(Customers, late, seller)[0].name}, seller, version=9
        )
    assert session.scalar(select(func.count()).select_from(Customer)) == before + 1


def test_all_entries_of_a_batch_bear_one_id_and_the_next_deed_another(world: World) -> None:
    customers = [world.customer() for _ in range(3)]
    world.act("reassign", customers, by="keeper", owner=world.people["seller2"].id)
    world.act("invalidate", customers[0], by="keeper")
    rows = db.session.execute(
        select(AuditEntry.action, AuditEntry.deed_id).where(AuditEntry.resource == "customers")
    ).all()
    ids = {name: {r.deed_id for r in rows if r.action == name} for name in ("reassign", "invalidate")}
    assert len(ids["reassign"]) == len(ids["invalidate"]) == 1
    assert ids["reassign"] != ids["invalidate"] and None not in ids["reassign"]
    with writing(db.session()), acting(db.session()) as outer, acting(db.session()) as inner:
        assert inner.deed_id == outer.deed_id


# ----- a batch


def test_a_question_about_one_of_several_is_asked_and_nothing_is_done(world: World) -> None:
    @action("问", on=Customer, name="ask_first", permission=("can_list", "Customers"))
    def ask(customer: Customer, act: Act) -> None:
        customer.community = "问过"
        if customer.name == "乙" and "yes" not in act.answers:
            raise Question("确定？", "", (Answer("是", "yes"),))

    customers = [world.customer(name=name).id for name in ("甲", "乙")]
    seller = world.actor("seller")
    with pytest.raises(Question):
        perform.perform(ask, customers, seller)
    asked = select(func.count()).select_from(Customer).where(Customer.community == "问过")
    assert db.session.scalar(asked) == 0
    assert perform.perform(ask, customers, seller, answers=["yes"]).done == 2


def test_remarks_about_a_refused_record_are_dropped(world: World) -> None:
    @action("提醒", on=Customer, name="warn_first", permission=("can_list", "Customers"))
    def warn(customer: Customer, act: Act) -> None:
        act.warn(f"{customer.name}已改")
        if customer.name == "乙":
            raise Refusal("不行")

    customers = [world.customer(name=name).id for name in ("甲", "乙")]
    report = perform.perform(warn, customers, world.actor("seller"))
    assert report.warnings == ("甲已改",)
