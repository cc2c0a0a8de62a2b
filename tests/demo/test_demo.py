"""Demo data obeys the rules of the product: every repeated value agrees with what it repeats."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import case, func, select, text

from app.engine.audit import AuditEntry, Source
from app.engine.database import db
from app.engine.numbers import next_number
from models import demo
from models.customers.tables import Contact, Customer, CustomerHelper, CustomerPhone, CustomerTag, Stage
from models.customers.track import TrackEvent
from models.demo import fill as filling
from models.follow_ups.tables import FollowUp, Task, TaskState
from models.identity.tables import Dealer, Employee, Store
from models.orders.tables import FactoryOrder, FactoryState, OrderState, Receipt, ReceiptKind, ServiceOrder
from tests.plugins.databases import Restorer
from tests.plugins.people import Login

AMOUNT = 120


def fill(app: Flask, restorer: Restorer) -> list[str]:
    said: list[str] = []
    restorer.touch_all()
    assert demo.build(app, customers=AMOUNT, echo=said.append)
    return said


@pytest.fixture(params=["small", "large"])
def filled(
    request: pytest.FixtureRequest, app: Flask, restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Demo data written both ways: into the tables as they are, and into stripped ones."""
    if request.param == "large":
        monkeypatch.setattr(filling, "LARGE", 1)
    before = structure()
    fill(app, restorer)
    assert structure() == before


def structure() -> set[tuple[str, ...]]:
    """Indexes, triggers and foreign keys as the database has them."""
    if db.engine.dialect.name == "sqlite":
        query = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE '%fts_%'"
    else:
        query = (
            "SELECT 'index', indexname, indexdef FROM pg_indexes UNION ALL SELECT 'key', conname, "
            "pg_get_constraintdef(oid) || convalidated::text FROM pg_constraint"
        )
    with db.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(text(query)) if not row[1].startswith("sqlite_")}


def wrong(*where: object) -> int:
    """How many customers break a rule."""
    return db.session.scalar(select(func.count()).select_from(Customer).where(*where)) or 0


@pytest.mark.sqlite_only
@pytest.mark.parametrize("filled", ["small"], indirect=True)
def test_nothing_of_it_counts_as_somebodys_change(filled: None) -> None:
    assert set(db.session.scalars(select(AuditEntry.source).distinct())) == {Source.SETUP}


def test_what_customers_repeat_agrees_with_its_source(filled: None) -> None:
    assert wrong() == AMOUNT
    scores = select(func.coalesce(func.sum(TrackEvent.score), 0)).where(TrackEvent.customer_id == Customer.id)
    assert wrong(Customer.activity_score != scores.scalar_subquery()) == 0
    signed = case((Receipt.kind == ReceiptKind.RECEIPT, Receipt.amount), else_=-Receipt.amount)
    net = select(func.coalesce(func.sum(signed), 0)).where(Receipt.customer_id == Customer.id)
    assert wrong(Customer.net_received != net.scalar_subquery()) == 0
    sent = select(FactoryOrder.id).where(
        FactoryOrder.customer_id == Customer.id, FactoryOrder.state == FactoryState.PLACED
    )
    assert wrong(Customer.has_transmitted_order != sent.exists()) == 0
    last = select(func.max(FollowUp.at)).where(FollowUp.customer_id == Customer.id).scalar_subquery()
    assert wrong(Customer.last_follow_up_at.is_distinct_from(last)) == 0
    assert wrong(Customer.followed != last.is_not(None)) == 0
    linked = select(func.count()).select_from(Contact).where(Contact.customer_id == Customer.id)
    assert wrong(Customer.contact_count != linked.scalar_subquery()) == 0
    main = select(CustomerPhone.id).where(
        CustomerPhone.customer_id == Customer.id,
        CustomerPhone.phone == Customer.phone,
        CustomerPhone.position == 0,
        CustomerPhone.tail == func.substr(Customer.phone, 8, 4),
    )
    assert wrong(~main.exists()) == 0
    helpers = select(CustomerHelper.id).join(Customer).where(CustomerHelper.created_at != Customer.created_at)
    assert db.session.scalars(helpers).all() == []
    contacts = select(func.coalesce(func.sum(TrackEvent.score), 0)).where(TrackEvent.contact_id == Contact.id)
    off = select(Contact.id).where(Contact.activity_score != contacts.scalar_subquery())
    assert db.session.scalars(off).all() == []


def test_stages_tasks_and_orders_agree(filled: None) -> None:
    assert wrong(Customer.stage == Stage.INVALID, Customer.net_received != 0) == 0
    assert wrong(Customer.stage == Stage.INVALID, Customer.has_transmitted_order) == 0
    not_lost = select(ServiceOrder.id).where(
        ServiceOrder.customer_id == Customer.id, ServiceOrder.state != OrderState.LOST
    )
    assert wrong(Customer.stage == Stage.LOST, not_lost.exists()) == 0
    waiting = select(func.min(Task.due_at)).where(
        Task.customer_id == Customer.id, Task.state.in_((TaskState.OPEN, TaskState.OVERDUE))
    )
    assert wrong(Customer.next_follow_up_at.is_distinct_from(waiting.scalar_subquery())) == 0
    assert wrong(Customer.stage != Stage.FOLLOWING, Customer.next_follow_up_at.is_not(None)) == 0
    states = set(db.session.scalars(select(Task.state).distinct()))
    assert {TaskState.OPEN, TaskState.OVERDUE, TaskState.DONE} <= states


def test_nothing_crosses_the_border_of_a_dealer(filled: None) -> None:
    elsewhere = select(Customer.id).join(Store, Store.id == Customer.store_id)
    assert db.session.scalars(elsewhere.where(Store.dealer_id != Customer.dealer_id)).all() == []
    for column in (Customer.owner_id, Customer.filer_id, Customer.designer_id, Customer.salesperson_id):
        other = select(Customer.id).join(Employee, Employee.id == column)
        assert db.session.scalars(other.where(Employee.dealer_id != Customer.dealer_id)).all() == []
    assert db.session.scalar(select(func.count()).select_from(CustomerTag)) or AMOUNT < 0
    assert db.session.scalar(select(func.count()).select_from(Dealer)) == 2
    assert db.session.scalar(select(func.count()).select_from(Store)) == 6


def test_numbers_go_on_after_the_demo(filled: None) -> None:
    newest = db.session.scalars(select(Customer).order_by(Customer.id.desc()).limit(1)).one()
    taken = set(db.session.scalars(select(Customer.code).where(Customer.dealer_id == newest.dealer_id)))
    number = next_number(db.session(), "customer", newest.dealer_id, newest.created_at)
    assert number not in taken
    db.session.rollback()


def test_a_second_run_says_so_and_changes_nothing(app: Flask, restorer: Restorer) -> None:
    fill(app, restorer)
    said: list[str] = []
    assert not demo.build(app, customers=AMOUNT, echo=said.append)
    assert said == ["数据库中已有客户，未生成演示数据"]
    assert wrong() == AMOUNT


def test_the_same_number_gives_the_same_people(app: Flask, restorer: Restorer) -> None:
    fill(app, restorer)
    names = db.session.execute(select(Customer.name, Customer.phone).order_by(Customer.id)).all()
    db.session.remove()
    restorer.touch_all()
    restorer.restore()
    fill(app, restorer)
    again = db.session.execute(select(Customer.name, Customer.phone).order_by(Customer.id)).all()
    assert again == names
    assert len({phone for _, phone in again}) == AMOUNT


def test_the_named_people_find_their_work(app: Flask, restorer: Restorer, login: Login) -> None:
    fill(app, restorer)
    for username in ("manager1", "consultant1", "consultant2", "designer1", "clerk1"):
        page = login(username).get("/customers/")
        assert page.status_code == 200
    shaped = login("dealeradmin1").get("/configuration/").get_data(as_text=True)
    assert "示范商场" in shaped and "样板家居商场" not in shaped
    related = login("designer1").get("/customers/?scope=related&window=all").get_data(as_text=True)
    assert "KF" in related
    newest = db.session.scalars(
        select(Customer).where(Customer.dealer_id == 1).order_by(Customer.created_at.desc()).limit(1)
    ).one()
    masked = login("clerk1").get("/customers/").get_data(as_text=True)
    assert newest.code in masked and newest.phone not in masked
