"""Pick lists: who is offered first, how namesakes and dealers are told apart, what follows what (D-13)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid
from app.engine.audit import acting
from app.engine.database import db
from app.engine.fields import ask_for
from models.identity import presets
from models.identity.tables import Department, Employee, Position, Store
from tests.customers.world import PASSWORD, World
from tests.plugins.people import Login

ADMIN = "admin"
"""Sees both dealers."""


@pytest.fixture
def world(trade: World) -> World:
    """The small trade, whose people have positions here, with a namesake in each dealer."""
    made = trade
    session = db.session()
    with acting(session):
        for username, name in (("seller", "导购"), ("seller2", "导购"), ("drawer", "设计师")):
            job = session.scalars(select(Position).where(Position.name == name)).first()
            assert job is not None
            made.people[username].position_id = job.id
        for dealer, store, username in ((made.a, made.stores[0], "twin"), (made.b, made.stores[2], "twin_b")):
            made.people[username] = presets.add_person(
                session, dealer_id=dealer.id, username=username, name="魏磊", password=PASSWORD,
                stores=[store], position="导购",
            )  # fmt: skip
        session.commit()
    return made


def offered(client: Any, path: str) -> list[tuple[str, str]]:
    """Label and note of what a picker answers."""
    return [(r["label"], r["note"]) for r in client.get(path).get_json()["results"]]


def picker(client: Any, path: str, name: str) -> str:
    """Where the form's picker asks."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(rf'data-picker="([^"]*/pick/{name}\?[^"]*)"', page)
    assert found is not None, name
    return found[1].replace("&amp;", "&")


def field(page: str, name: str) -> str:
    """The part of a page that shows one input."""
    return page.partition(f'data-field="{name}"')[2].partition("data-field=")[0]


def crowd(world: World, amount: int = 15) -> None:
    """More people than a short list holds."""
    session = db.session()
    with acting(session):
        for n in range(amount):
            presets.add_person(
                session, dealer_id=world.a.id, username=f"crowd{n}", name=f"众{n:02d}", password=PASSWORD,
                stores=[world.stores[0]], position="渠道文员",
            )  # fmt: skip
        session.commit()


def test_people_are_offered_with_position_and_store_the_fitting_ones_first(
    world: World, login: Login
) -> None:
    customer = world.customer()
    page = login("keeper").get(f"/customers/action/reassign?id={customer.id}").get_data(as_text=True)
    options = re.findall(r"<option[^>]*>([^<]+)</option>", field(page, "owner"))[1:]
    assert "导购甲 · 导购 · 甲商场1店" in options[:3] and "魏磊 · 导购 · 甲商场1店" in options[:3]
    assert options.index("导购乙 · 导购 · 甲商场1店") < options.index("设计师甲 · 设计师 · 甲商场1店")
    drawn = login("keeper").get(f"/customers/action/change_designer?id={customer.id}").get_data(as_text=True)
    assert "设计师甲" in re.findall(r"<option[^>]*>([^<]+)</option>", field(drawn, "designer"))[1]


def test_a_long_list_is_searched_in_the_same_order(world: World, login: Login) -> None:
    crowd(world)
    customer = world.customer()
    client = login("keeper")
    url = picker(client, f"/customers/action/reassign?id={customer.id}", "owner")
    assert {note for _, note in offered(client, url)[:3]} == {"导购 · 甲商场1店"}
    helpers = picker(client, "/customers/new", "helpers")
    assert offered(client, f"{helpers}&q=众03") == [("众03", "渠道文员 · 甲商场1店")]


def test_who_has_left_is_not_offered_anew_but_still_filtered_by(world: World, login: Login) -> None:
    customer = world.customer(by="seller2")
    world.act("deactivate", world.people["seller2"], by="boss")
    client = login("keeper")
    form = client.get(f"/customers/action/reassign?id={customer.id}").get_data(as_text=True)
    assert "导购乙" not in field(form, "owner")
    assert "导购乙" in [label for label, _ in offered(client, "/customers/pick/owner_id?q=导购乙")]


def test_an_unfitting_choice_is_done_and_told(world: World) -> None:
    session = db.session()
    with acting(session):
        for person, name in (("seller", "销售部"), ("drawer", "设计部")):
            department = Department(name=name, dealer_id=world.a.id)
            session.add(department)
            session.flush()
            world.people[person].department_id = department.id
        session.commit()
    customer = world.customer()
    fitting = world.act("reassign", customer, by="keeper", owner=world.people["twin"].id)
    assert not any("岗位" in w for w in fitting.warnings)
    world.act("reassign", customer, by="keeper", owner=world.people["seller"].id)
    report = world.act("reassign", customer, by="keeper", owner=world.people["drawer"].id)
    assert report.done == 1
    assert set(report.warnings) == {
        "设计师甲的岗位是设计师，请确认由其担任导购",
        "所属部门随新导购由销售部改为设计部",
    }


def test_of_several_dealers_only_the_records_own_is_offered(world: World, login: Login) -> None:
    mine, theirs = world.customer(), world.customer(by="outsider")
    client = login(ADMIN)
    for customer, own, foreign in ((mine, "甲商场1店", "乙商场1店"), (theirs, "乙商场1店", "甲商场1店")):
        for action, name in (("reassign", "owner"), ("change_store", "store")):
            page = client.get(f"/customers/action/{action}?id={customer.id}").get_data(as_text=True)
            part = field(page, name)
            assert own in part and foreign not in part
        edit = client.get(f"/customers/{customer.id}/edit").get_data(as_text=True)
        part = field(edit, "designer_id")
        assert own in part and foreign not in part


def test_records_of_two_dealers_are_told_apart_by_dealer(world: World, login: Login) -> None:
    mine, theirs = world.customer(), world.customer(by="outsider")
    client = login(ADMIN)
    page = client.get(f"/customers/action/change_store?id={mine.id}&id={theirs.id}").get_data(as_text=True)
    part = field(page, "store")
    assert '<optgroup label="甲商场">' in part and '<optgroup label="乙商场">' in part
    found = offered(client, "/receipts/pick/customer_id?new=1&q=张女士")
    assert {note for _, note in found} == {
        f"{mine.code} · 甲商场1店 · 甲商场",
        f"{theirs.code} · 乙商场1店 · 乙商场",
    }


def test_a_name_of_another_dealer_is_no_second_one(world: World, login: Login) -> None:
    """Typed without scripts: within the record's dealer the name is clear."""
    customer = world.customer(by="outsider")
    answer = login(ADMIN).post(
        "/customers/action/reassign", data={"id": customer.id, "owner": "", "owner__text": "魏磊"}
    )
    assert answer.status_code == 302
    db.session.refresh(customer)
    assert customer.owner_id == world.people["twin_b"].id


def test_namesakes_are_told_apart_by_all_the_list_says(world: World, login: Login) -> None:
    session = db.session()
    with acting(session):
        other = presets.add_person(
            session, dealer_id=world.a.id, username="twin2", name="魏磊", password=PASSWORD,
            stores=[world.stores[1]], position="设计师",
        )  # fmt: skip
        session.commit()
    customer, client = world.customer(), login("keeper")
    data = {"id": customer.id, "designer": "", "designer__text": "魏磊"}
    page = client.post("/customers/action/change_designer", data=data)
    assert page.status_code == 400
    assert "魏磊 · 设计师 · 甲商场2店" in page.get_data(as_text=True)
    data["designer__text"] = "魏磊 · 设计师 · 甲商场2店"
    assert client.post("/customers/action/change_designer", data=data).status_code == 302
    db.session.refresh(customer)
    assert customer.designer_id == other.id


@pytest.mark.spec("D-14")
def test_what_belongs_to_another_dealer_is_refused_wherever_it_comes_from(world: World, login: Login) -> None:
    customer, foreign = world.customer(), world.stores[2]
    client = login(ADMIN)
    stored = {"version": customer.version, "designer_id": world.people["twin_b"].id}
    page = client.post(
        f"/customers/{customer.id}/edit", data={"name": "张女士", "phone": customer.phone, **stored}
    )
    assert page.status_code == 400 and "“魏磊”属于其他商场" in page.get_data(as_text=True)
    sent = client.patch(f"/api/v1/customers/{customer.id}", json=stored)
    assert sent.status_code == 400 and "其他商场" in sent.get_json()["errors"]["designer_id"]
    person = {"username": "newcomer", "name": "新人", "stores": [foreign.id], "roles": []}
    with pytest.raises(Invalid, match="属于其他商场"):
        world.make("employees", ADMIN, **person)
    assert db.session.scalar(select(Employee.id).where(Employee.username == "newcomer")) is None


def test_new_records_of_ones_own_dealer_offer_nothing_of_another(world: World, login: Login) -> None:
    client = login(ADMIN)
    own = db.session.get(Employee, world.actor(ADMIN).id)
    assert own is not None
    shop = db.session.scalars(select(Store.name).where(Store.dealer_id == own.dealer_id)).first()
    page = client.get("/employees/new").get_data(as_text=True)
    stores, roles = field(page, "stores"), field(page, "roles")
    assert shop is not None and shop in stores and "甲商场1店" not in stores and "乙商场1店" not in stores
    assert roles.count(">导购<") == 1


@pytest.mark.spec("A-119")
def test_the_job_of_a_receipt_follows_its_customer(world: World, login: Login) -> None:
    customer, other = world.customer(name="何女士"), world.customer()
    order, foreign = world.order(customer), world.order(other)
    client = login("seller")
    url = picker(client, "/receipts/new", "service_order_id")
    assert offered(client, f"{url}&parent={customer.id}") == [(order.code, "甲牌橱柜 · 何女士")]
    one = field(
        client.get(f"/receipts/new?customer_id={customer.id}").get_data(as_text=True), "service_order_id"
    )
    assert f'value="{order.id}" checked' in one
    world.order(customer, 1)
    two = field(
        client.get(f"/receipts/new?customer_id={customer.id}").get_data(as_text=True), "service_order_id"
    )
    assert "checked" not in two
    data = {
        "customer_id": customer.id,
        "service_order_id": foreign.id,
        "amount": "5",
        "paid_on": "2026-11-20",
    }
    wrong = client.post("/receipts/new", data=data)
    assert wrong.status_code == 400 and "所选服务单不属于该客户" in wrong.get_data(as_text=True)


def test_a_picker_of_an_action_offers_what_belongs_to_its_records(world: World, login: Login) -> None:
    customer, other = world.customer(), world.customer()
    order = world.order(customer)
    world.order(other)
    client = login("seller")
    path = "/customers/action/lose/pick/orders?new=1"
    assert [label for label, _ in offered(client, f"{path}&of={customer.id}")] == [order.code]
    assert len(offered(client, path)) == 2
    assert client.get(f"{path}&of=x&dealer={'9' * 40}&parent=-1").status_code == 200


def test_a_factory_order_takes_the_customer_from_its_job(world: World, login: Login) -> None:
    customer, other = world.customer(), world.customer()
    order = world.order(customer)
    client = login("seller")
    made = client.post("/api/v1/factory_orders", json={"service_order_id": order.id})
    assert made.status_code == 201 and made.get_json()["result"]["customer_id"] == customer.id
    wrong = {"service_order_id": order.id, "customer_id": other.id}
    assert client.post("/api/v1/factory_orders", json=wrong).status_code == 400


@pytest.mark.parametrize(
    ("kind", "label", "said"),
    [
        ("ref", "选择客户", "请选择客户"),
        ("password", "再次输入新密码", "请再次输入新密码"),
        ("text", "姓名", "请填写姓名"),
        ("date", "收款日期", "请选择收款日期"),
    ],
)
def test_what_is_missing_is_asked_for_in_good_chinese(kind: str, label: str, said: str) -> None:
    assert ask_for(kind, label) == said
