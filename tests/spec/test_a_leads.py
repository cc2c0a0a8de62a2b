"""A-11…A-19 and A-47: leads, as their owners work with them on the pages."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from app.engine.database import db
from models.customers.tables import Contact, ContactSource, Customer
from models.customers.track import InboundKind, TrackEvent
from tests.customers.test_contacts import arrive
from tests.customers.world import PHONE, World
from tests.plugins.people import Login
from tests.spec.reading import at_once, button, link, options, page, rows

SOURCES = {"self_filed": "自建者", "work_chat": "好友者", "camera": "到店者", "visitor": "访客者"}


@pytest.mark.spec("A-11")
def test_the_filter_offers_the_four_sources_and_finds_each_lead_under_its_own(
    world: World, login: Login
) -> None:
    client = login("seller")
    assert options(page(client, "/contacts/"), "source") == [s.label for s in ContactSource]
    assert len(ContactSource) == 4
    world.contact(name="自建者")
    arrive(world, InboundKind.FRIEND, "1", name="好友者")
    arrive(world, InboundKind.CAMERA, "2", name="到店者")
    arrive(world, InboundKind.VISITOR, "3", name="访客者")
    for value, name in SOURCES.items():
        (row,) = rows(page(client, f"/contacts/?source={value}"))
        assert name in row


@pytest.mark.spec("A-15", "A-18")
def test_a_lead_is_linked_and_the_link_is_undone(world: World, login: Login) -> None:
    lead, customer = world.contact(name="待关联者"), world.customer(name="老客户")
    client = login("seller")
    choosing = page(client, link(page(client, f"/contacts/{lead.id}"), "关联客户"))
    assert "选择客户" in choosing
    client.post("/contacts/action/link_contact", data={"id": lead.id, "customer": customer.id})
    client.get("/")  # the message about what was done
    assert rows(page(client, "/contacts/")) == []
    (row,) = rows(page(client, "/customers/?view=with_contacts"))
    assert "老客户" in row
    assert "待关联者" in page(client, f"/customers/{customer.id}/panel")
    confirm = page(client, f"/customers/action/unlink_contacts?id={customer.id}")
    assert (
        "解除潜客关系" in confirm
        and "老客户" in confirm
        and "待关联者" not in str(rows(page(client, "/contacts/")))
    )
    client.post("/customers/action/unlink_contacts", data={"id": customer.id})
    assert "待关联者" in rows(page(client, "/contacts/"))[0]
    assert "老客户" in rows(page(client, "/customers/"))[0]
    assert rows(page(client, "/customers/?view=with_contacts")) == []


@pytest.mark.spec("A-17")
def test_the_phone_decides_whether_a_lead_becomes_a_customer(world: World, login: Login) -> None:
    lead = world.contact(name="未留号者")
    client, address = login("seller"), f"/customers/new?contact={lead.id}"
    form = {"name": "未留号者", "contact": lead.id}
    page(client, address)
    back = client.post("/customers/new", data=form, follow_redirects=True)
    assert back.request.path == "/contacts/"
    assert len(rows(page(client, "/contacts/"))) == 1 and rows(page(client, "/customers/")) == []
    assert db.session.scalars(select(Contact.id)).all() == [lead.id]
    client.post("/customers/new", data={**form, "phone": PHONE})
    client.get("/")
    assert rows(page(client, "/contacts/")) == [] and len(rows(page(client, "/customers/"))) == 1
    assert db.session.scalars(select(Contact.id)).all() == [lead.id]


@pytest.mark.spec("A-19")
def test_unlinking_is_offered_for_customers_with_leads_only(world: World, login: Login) -> None:
    linked, bare = world.customer(name="有潜客者"), world.customer(name="无潜客者")
    for name in ("甲", "乙"):
        world.act("link_contact", world.contact(name=name), customer=linked.id)
    client = login("seller")
    assert button(page(client, f"/customers/{linked.id}"), "解除潜客关系")
    assert not button(page(client, f"/customers/{bare.id}"), "解除潜客关系")
    (row,) = rows(page(client, "/customers/?view=with_contacts"))
    assert "有潜客者" in row
    refused = client.post("/customers/action/unlink_contacts", data={"id": bare.id}, follow_redirects=True)
    assert "该客户没有关联的潜客" in refused.get_data(as_text=True)


@pytest.mark.spec("A-19")
def test_two_people_linking_one_lead_at_the_same_moment(world: World, login: Login) -> None:
    clients = [login("seller"), login("keeper")]
    targets = [world.customer(name="甲客户").id, world.customer(name="乙客户").id]
    for n in range(3):
        lead = world.contact(name=f"抢手{n}").id
        answers = at_once(
            [
                partial(c.post, "/contacts/action/link_contact", data={"id": lead, "customer": t})
                for c, t in zip(clients, targets, strict=True)
            ]
        )
        assert sorted(a.status_code for a in answers) == [302, 400]
        (refused,) = (a.get_data(as_text=True) for a in answers if a.status_code == 400)
        assert "该潜客已关联客户" in refused
    db.session.rollback()
    assert sum(db.session.scalars(select(Customer.contact_count))) == 3


@pytest.mark.spec("A-47")
def test_one_event_delivered_twice_at_the_same_moment_counts_once(world: World, login: Login) -> None:
    sent = {
        "sender": "work-chat", "event_id": "f9", "kind": "friend", "outside_id": "wx-9", "name": "小贺",
        "employee_id": world.people["seller"].id,
    }  # fmt: skip
    systems = [login("boss"), login("boss")]
    answers = at_once([partial(s.post, "/api/v1/inbound_events", json=sent) for s in systems])
    assert [a.status_code for a in answers] == [201, 201], [a.get_json() for a in answers]
    assert len({a.get_json()["id"] for a in answers}) == 1
    db.session.rollback()
    assert len(db.session.scalars(select(TrackEvent)).all()) == 1
    assert db.session.scalars(select(Contact.activity_score)).all() == [10]
