"""Contacts: their sources, linking and unlinking (A-11…A-19)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Refusal
from app.engine.database import db
from models.customers.tables import Contact, ContactSource, ContactState, Customer
from models.customers.track import InboundKind, TrackAct
from tests.customers.world import PHONE, World
from tests.plugins.people import Login
from tests.spec.reading import headings, rows


def arrive(world: World, kind: InboundKind, number: str, employee: str | None = "seller", **more: Any) -> Any:
    """An event of another system, as its account at the API would send it."""
    more.setdefault("outside_id", f"person-{number}")
    employee_id = world.people[employee].id if employee else None
    return world.make(
        "inbound_events", "boss", sender="work-chat", event_id=number, kind=kind, employee_id=employee_id, **more
    )  # fmt: skip


def contacts() -> list[Contact]:
    """All contacts, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Contact).order_by(Contact.id)))


def test_after_linking_the_contacts_page_shows_where_it_went_and_the_way_back(
    world: World, login: Login
) -> None:
    contact, customer, client = world.contact(), world.customer(name="何怡玲"), login("seller")
    answer = client.post(
        "/contacts/action/link_contact",
        data={"id": contact.id, "customer": customer.id, "back": "/contacts/"},
    )
    assert answer.status_code == 302 and answer.location == f"/contacts/{contact.id}"
    page = client.get(answer.location).get_data(as_text=True)
    assert "已关联客户何怡玲" in page
    assert f'<a class="link" href="/customers/{customer.id}">查看客户</a>' in page
    assert f'<a class="link" href="/contacts/action/unlink?id={contact.id}">撤销</a>' in page
    client.post("/contacts/action/unlink", data={"id": contact.id})
    db.session.refresh(contact)
    assert contact.customer_id is None


@pytest.mark.spec("A-11")
def test_each_source_is_found_by_its_filter(world: World, login: Login) -> None:
    world.contact(name="自建者")
    arrive(world, InboundKind.FRIEND, "1", name="好友者")
    arrive(world, InboundKind.CAMERA, "2", name="到店者")
    arrive(world, InboundKind.VISITOR, "3", name="访客者")
    client = login("seller")
    page = client.get("/contacts/").get_data(as_text=True)
    for source in ContactSource:
        assert source.label in page
    names = {"self_filed": "自建者", "work_chat": "好友者", "camera": "到店者", "visitor": "访客者"}
    for value, name in names.items():
        listed = client.get("/contacts/", query_string={"source": value}).get_data(as_text=True)
        assert name in listed
        assert not any(other in listed for other in names.values() if other != name)


@pytest.mark.spec("A-12")
def test_a_work_chat_friend_is_a_contact_of_that_employee(world: World, login: Login) -> None:
    arrive(world, InboundKind.FRIEND, "f1", name="小程")
    (contact,) = contacts()
    assert contact.source == ContactSource.WORK_CHAT
    assert contact.employee_id == world.people["seller"].id
    assert "小程" in login("seller").get("/contacts/").get_data(as_text=True)


@pytest.mark.spec("A-12", "A-47")
def test_another_system_delivers_by_the_api_and_may_repeat_itself(world: World, login: Login) -> None:
    sent = {
        "sender": "work-chat", "event_id": "f9", "kind": "friend", "outside_id": "wx-9", "name": "小贺",
        "employee_id": world.people["seller"].id,
    }  # fmt: skip
    system = login("boss")
    answers = [system.post("/api/v1/inbound_events", json=sent) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].get_json()["id"] == answers[1].get_json()["id"]
    assert [(c.name, c.activity_score) for c in contacts()] == [("小贺", 10)]
    assert login("seller").post("/api/v1/inbound_events", json=sent).status_code == 403


@pytest.mark.spec("A-13")
def test_a_camera_visitor_counts_only_when_linked(world: World) -> None:
    arrive(world, InboundKind.CAMERA, "c1", employee=None)
    assert contacts() == []
    arrive(world, InboundKind.CAMERA, "c2")
    assert [c.source for c in contacts()] == [ContactSource.CAMERA]


@pytest.mark.spec("A-14")
def test_a_visitor_counts_only_with_an_employee(world: World) -> None:
    arrive(world, InboundKind.VISITOR, "v1", employee=None)
    assert contacts() == []
    arrive(world, InboundKind.VISITOR, "v2")
    assert [c.source for c in contacts()] == [ContactSource.VISITOR]


@pytest.mark.spec("A-15")
def test_a_linked_contact_leaves_the_list_and_stands_at_the_customer(world: World, login: Login) -> None:
    contact, customer = world.contact(name="待关联者"), world.customer(phone=PHONE)
    client = login("seller")
    page = client.get("/contacts/action/link_contact", query_string={"id": contact.id}).get_data(as_text=True)
    assert "关联客户" in page and "选择客户" in page
    client.post("/contacts/action/link_contact", data={"id": contact.id, "customer": customer.id})
    assert "待关联者" not in client.get("/contacts/").get_data(as_text=True)
    assert "待关联者" in client.get(f"/customers/{customer.id}").get_data(as_text=True)
    world.customer(name="无潜客者")
    client.post("/customers/columns", data={"column": ["name", "contact_count"]})
    for view in ("", "?view=with_contacts"):
        listed = client.get(f"/customers/{view}").get_data(as_text=True)
        assert "关联潜客数" in headings(listed)
        (row,) = [r for r in rows(listed) if customer.name in r]
        assert row.split()[-1] == "1"
    assert "无潜客者" not in listed


@pytest.mark.spec("A-16")
def test_the_linking_page_offers_a_new_file_with_what_is_known(world: World, login: Login) -> None:
    contact = world.contact(name="已知者", community="翠园小区")
    client = login("seller")
    page = client.get("/contacts/action/link_contact", query_string={"id": contact.id}).get_data(as_text=True)
    address = f"/customers/new?contact={contact.id}"
    assert address in page and "新增" in page
    form = client.get(address).get_data(as_text=True)
    assert "新增服务号" in form and "已知者" in form and "翠园小区" in form


@pytest.mark.spec("A-16")
def test_the_same_phone_check_holds_for_a_contact_too(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    contact = world.contact(name="同号者")
    page = login("seller").post(
        "/customers/new", data={"name": "同号者", "phone": PHONE, "contact": contact.id}
    )
    assert "此电话号码已建档，请选择建档标签" in page.get_data(as_text=True)


@pytest.mark.spec("A-17")
def test_with_a_phone_the_contact_becomes_a_customer(world: World, login: Login) -> None:
    contact = world.contact(name="成客者")
    client = login("seller")
    client.post("/customers/new", data={"name": "成客者", "phone": PHONE, "contact": contact.id})
    customer = db.session.scalars(select(Customer)).one()
    db.session.refresh(contact)
    assert contact.customer_id == customer.id
    client.get("/")  # the message about what was saved
    assert "成客者" not in client.get("/contacts/").get_data(as_text=True)
    assert "成客者" in client.get("/customers/").get_data(as_text=True)


@pytest.mark.spec("A-17")
def test_without_a_phone_the_same_contact_stays(world: World, login: Login) -> None:
    contact = world.contact(name="未留号者")
    client = login("seller")
    answer = client.post("/customers/new", data={"name": "未留号者", "contact": contact.id})
    assert answer.status_code == 302 and answer.location.rstrip("/").endswith("/contacts")
    assert [c.id for c in contacts()] == [contact.id]
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 0


@pytest.mark.spec("A-18")
def test_undoing_a_link_returns_the_contact_and_keeps_the_customer(world: World, login: Login) -> None:
    contact, customer = world.contact(name="误关联者"), world.customer(name="留存者")
    world.act("link_contact", contact, customer=customer.id)
    client = login("seller")
    assert "解除潜客关系" in client.get("/customers/").get_data(as_text=True)
    client.post("/customers/action/unlink_contacts", data={"id": customer.id})
    assert "误关联者" in client.get("/contacts/").get_data(as_text=True)
    assert "留存者" in client.get("/customers/").get_data(as_text=True)


@pytest.mark.spec("A-19")
def test_only_customers_with_contacts_can_be_unlinked(world: World, login: Login) -> None:
    contact, linked, bare = world.contact(), world.customer(name="有潜客者"), world.customer(name="无潜客者")
    world.act("link_contact", contact, customer=linked.id)
    offered = (
        login("seller").get("/customers/", query_string={"view": "with_contacts"}).get_data(as_text=True)
    )
    assert "有潜客者" in offered and "无潜客者" not in offered
    with pytest.raises(Refusal, match="该客户没有关联的潜客"):
        world.act("unlink_contacts", bare)


@pytest.mark.spec("A-19")
def test_a_customer_made_of_a_contact_keeps_its_file(world: World) -> None:
    contact = world.contact()
    customer = world.customer(contact=contact.id)
    world.act("unlink_contacts", customer)
    db.session.refresh(contact)
    assert contact.state == ContactState.OPEN
    assert db.session.get(Customer, customer.id) is not None


@pytest.mark.spec("A-19")
def test_a_second_link_is_refused_even_at_the_same_moment(app: Flask, world: World) -> None:
    contact, first, second = world.contact(), world.customer(), world.customer()
    contact_id, targets = contact.id, [first.id, second.id]
    db.session.commit()
    said: list[str] = []

    def link(customer_id: int) -> None:
        with app.app_context():
            again = db.session.get_one(Contact, contact_id)
            try:
                world.act("link_contact", again, customer=customer_id)
                said.append("done")
            except Refusal as refusal:
                said.append(refusal.message)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=link, args=(t,)) for t in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["done", "该潜客已关联客户"]


@pytest.mark.spec("A-19", "A-47")
def test_track_items_join_and_leave_with_the_contact(world: World) -> None:
    arrive(world, InboundKind.FRIEND, "t1", outside_id="wx-1")
    arrive(world, InboundKind.BEHAVIOUR, "t2", act=TrackAct.CHAT, outside_id="wx-1")
    (contact,) = contacts()
    assert contact.activity_score == 12
    customer = world.customer()
    for n in range(5):
        world.act("tag", customer, by="boss", tags=[world.tag(f"标签{n}").id])
    before = customer.activity_score
    world.act("link_contact", contact, customer=customer.id)
    db.session.refresh(customer)
    assert customer.activity_score == before + 12
    arrive(world, InboundKind.BEHAVIOUR, "t3", act=TrackAct.CHAT, outside_id="wx-1")
    db.session.refresh(customer)
    assert customer.activity_score == before + 14
    world.act("unlink_contacts", customer)
    db.session.refresh(customer)
    db.session.refresh(contact)
    assert (customer.activity_score, contact.activity_score) == (before, 14)
