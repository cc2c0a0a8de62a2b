"""Masked phones, and two people at one file (A-90…A-92, A-116)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.engine.actions import Stale
from app.engine.audit import AuditEntry, acting
from app.engine.database import db
from models.customers.tables import Customer, CustomerPhone
from models.follow_ups.tables import SmsMessage
from models.identity import presets
from models.identity.roles import RoleAssignment
from tests.customers.world import PHONE, World
from tests.plugins.people import Login

MASK = "138****0001"


@pytest.mark.spec("A-90")
def test_one_ticked_role_of_several_is_enough(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    assert PHONE in login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)
    with acting(db.session()):
        clerk = presets.preset_role(db.session(), world.a.id, "clerk")
        db.session.add(RoleAssignment(user_id=world.people["seller"].id, role_id=clerk.id))
        db.session.commit()
    page = login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)
    assert PHONE not in page and MASK in page


@pytest.mark.spec("A-91")
def test_files_service_orders_and_orders_are_masked_alike(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    service_order = world.order(customer)
    factory_order = world.make("factory_orders", service_order_id=service_order.id)
    places = (
        "/customers/", f"/customers/{customer.id}", "/service_orders/", f"/service_orders/{service_order.id}",
        "/factory_orders/", f"/factory_orders/{factory_order.id}",
    )  # fmt: skip
    masked, full = login("typist"), login("seller")
    for place in places:
        assert PHONE in full.get(place).get_data(as_text=True), place
        page = masked.get(place).get_data(as_text=True)
        assert MASK in page and PHONE not in page, place


@pytest.mark.spec("A-92")
def test_saving_with_an_untouched_mask_keeps_the_number(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE, phones=["13700000007"])
    client = login("typist")
    form = client.get(f"/customers/{customer.id}/edit").get_data(as_text=True)
    assert MASK in form and PHONE not in form and "13700000007" not in form
    answer = client.post(
        f"/customers/{customer.id}/edit",
        data={"name": "改名女士", "phone": MASK, "phones": "137****0007", "version": customer.version},
    )
    assert answer.status_code == 302
    db.session.refresh(customer)
    numbers = db.session.scalars(select(CustomerPhone.phone).order_by(CustomerPhone.position)).all()
    assert (customer.name, customer.phone, numbers) == ("改名女士", PHONE, [PHONE, "13700000007"])


@pytest.mark.spec("A-92")
def test_a_masked_person_may_enter_a_new_number_and_search_a_known_one(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    client = login("typist")
    listed = client.get("/customers/", query_string={"q": PHONE, "scope": "dealer"}).get_data(as_text=True)
    assert customer.code in listed
    part = client.get("/customers/", query_string={"q": "0001", "scope": "dealer"}).get_data(as_text=True)
    assert customer.code not in part
    client.post(
        f"/customers/{customer.id}/edit",
        data={"name": "张女士", "phone": "13600000006", "version": customer.version},
    )
    db.session.refresh(customer)
    assert customer.phone == "13600000006"
    assert db.session.scalars(select(CustomerPhone.phone)).all() == ["13600000006"]


@pytest.mark.spec("A-92")
def test_the_duplicate_dialog_gives_no_number_away(world: World, login: Login) -> None:
    world.customer(phone="13700000007", phones=[PHONE])
    page = (
        login("typist").post("/customers/new", data={"name": "某女士", "phone": PHONE}).get_data(as_text=True)
    )
    assert "此电话号码已建档" in page and "13700000007" not in page


@pytest.mark.spec("A-92")
def test_calling_and_texting_work_without_seeing_the_number(world: World, login: Login) -> None:
    from tests.customers.world import grant

    customer = world.customer(phone=PHONE)
    for name in ("call", "send_sms"):
        grant(world, "clerk", (f"can_{name}", "Customers"))
    client = login("typist")
    for name in ("call", "send_sms"):
        form = client.get(f"/customers/action/{name}", query_string={"id": customer.id})
        assert form.status_code == 200 and PHONE not in form.get_data(as_text=True)
        done = client.post(
            f"/customers/action/{name}", data={"id": customer.id, "text": "您好"}, follow_redirects=True
        )
        assert PHONE not in done.get_data(as_text=True)
    assert {m.phone for m in db.session.scalars(select(SmsMessage))} == {PHONE}


@pytest.mark.spec("A-92")
def test_the_orders_follow_a_changed_number(world: World) -> None:
    customer = world.customer(phone=PHONE)
    service_order = world.order(customer)
    world.change(customer, phone="13600000006")
    db.session.refresh(service_order)
    assert service_order.customer_phone == "13600000006"


@pytest.mark.spec("A-116")
def test_the_second_of_two_savers_is_refused(world: World, login: Login) -> None:
    customer = world.customer(name="原名女士")
    version = customer.version
    world.change(customer, version=version, name="先存女士")
    with pytest.raises(Stale, match="数据已被他人修改，请刷新后重试"):
        world.change(customer, version=version, name="后存女士")
    answer = login("seller").post(
        f"/customers/{customer.id}/edit",
        data={"name": "后存女士", "phone": customer.phone, "version": version},
    )
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "数据已被他人修改，请刷新后重试" in page and "后存女士" in page and "先存女士" in page
    assert db.session.scalars(select(Customer.name)).all() == ["先存女士"]


@pytest.mark.spec("A-116")
def test_owner_store_and_state_are_logged_with_old_and_new(world: World) -> None:
    customer = world.customer()
    world.act("reassign", customer, by="keeper", owner=world.people["seller2"].id)
    world.act("change_store", customer, by="boss", store=world.stores[1].id)
    world.act("invalidate", customer, by="boss")
    rows = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.resource == "customers", AuditEntry.action != "create")
        .order_by(AuditEntry.id)
    ).all()
    found = [
        (r.actor_name, name, pair[0], pair[1]) for r in rows for name, pair in r.changes["fields"].items()
    ]
    people = world.people
    assert ("店长甲", "owner_id", people["seller"].id, people["seller2"].id) in found
    assert ("总管", "store_id", world.stores[0].id, world.stores[1].id) in found
    assert ("总管", "stage", "following", "invalid") in found


@pytest.mark.spec("A-116")
def test_a_follow_up_does_not_make_an_open_form_stale(world: World) -> None:
    customer = world.customer()
    version = customer.version
    world.act("call", customer)
    world.change(customer, version=version, name="改名女士")
    assert customer.name == "改名女士"
