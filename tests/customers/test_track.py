"""The interaction track and the activity score (A-41…A-47)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app.engine.actions import Refusal
from app.engine.audit import acting
from app.engine.database import db, writing
from models.customers.track import InboundKind, TrackAct, TrackEvent, TrackKind, TrackPoints
from models.identity import presets
from tests.customers.test_contacts import arrive, contacts
from tests.customers.world import World, words
from tests.plugins.people import Login


def events(kind: TrackKind | None = None) -> list[TrackEvent]:
    """All track items of a kind, oldest first."""
    db.session.rollback()
    statement = select(TrackEvent).order_by(TrackEvent.id)
    return list(db.session.scalars(statement if kind is None else statement.where(TrackEvent.kind == kind)))


@pytest.mark.spec("A-41")
def test_the_track_has_three_tabs_and_nothing_to_type_in(world: World, login: Login) -> None:
    customer = world.customer()
    client = login("seller")
    page = client.get(f"/customers/{customer.id}").get_data(as_text=True)
    for kind in TrackKind:
        assert kind.label in page
    assert client.get("/track_events/new").status_code in (403, 404)


@pytest.mark.spec("A-42")
def test_a_bookmarked_case_is_one_item_of_behaviour(world: World, login: Login) -> None:
    """The person did it, and the system that saw it tells so: it is no deed of the account that sent it."""
    arrive(world, InboundKind.FRIEND, "1", outside_id="wx")
    before = len(events(TrackKind.BEHAVIOUR))
    arrive(world, InboundKind.BEHAVIOUR, "2", outside_id="wx", act=TrackAct.BOOKMARK)
    items = events(TrackKind.BEHAVIOUR)
    assert len(items) == before + 1 and items[-1].title == "收藏案例"
    assert items[-1].by_id is None
    shown = words(login("seller").get(f"/contacts/{contacts()[0].id}").get_data(as_text=True))
    (item,) = re.findall("收藏案例(.*?)(?:添加好友|$)", shown[shown.index("活跃度") :])
    assert items[-1].sender in item and "总管" not in item


@pytest.mark.spec("A-43")
def test_phoning_is_one_item_of_the_follow_up_track(world: World) -> None:
    customer = world.customer()
    world.act("call", customer)
    assert [e.title for e in events(TrackKind.FOLLOW_UP)] == ["打电话"]


@pytest.mark.spec("A-45")
def test_an_item_raises_the_score_by_its_points(world: World, login: Login) -> None:
    customer = world.customer()
    before = customer.activity_score
    world.act("call", customer)
    db.session.refresh(customer)
    worth = db.session.scalar(select(TrackPoints.points).where(TrackPoints.act == TrackAct.CALL))
    assert worth and customer.activity_score == before + worth
    total = db.session.scalar(select(func.sum(TrackEvent.score)))
    assert customer.activity_score == total
    assert str(total) in login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)


@pytest.mark.spec("A-46")
def test_both_pages_show_the_newest_item_first(world: World, login: Login) -> None:
    client = login("seller")
    contact, customer = world.contact(), world.customer()
    for person, name in ((contact, "contacts"), (customer, "customers")):
        world.act("write_follow_up", person, text="先前的话")
        world.act("write_follow_up", person, text="后来的话")
        page = client.get(f"/{name}/{person.id}").get_data(as_text=True)
        track = page[page.index('class="tl"') :]
        assert track.index("后来的话") < track.index("先前的话")
        at, kind, by = words(re.findall(r"<small>(.*?)</small>", track)[0]).split("·")
        assert (kind, by) == ("跟进", "导购甲") and re.search(r"\d\d:\d\d", at)
        assert "手动填写跟进" in track and "+2" in track
        alone = client.get(f"/{name}/{person.id}?kind=follow_up").get_data(as_text=True)
        assert "·跟进·" not in words(alone)


@pytest.mark.spec("A-47")
def test_points_are_set_by_the_dealer_and_hold_for_new_items_only(world: World) -> None:
    customer = world.customer()
    world.act("call", customer)
    world.make("track_points", "boss", act=TrackAct.CALL, points=50)
    world.act("call", customer)
    assert [e.score for e in events(TrackKind.FOLLOW_UP)] == [3, 50]
    default = db.session.scalars(
        select(TrackPoints).where(TrackPoints.act == TrackAct.SMS, TrackPoints.dealer_id.is_(None))
    ).one()
    with pytest.raises(Refusal, match="集团默认值不能修改"):
        world.change(default, "boss", points=9)


@pytest.mark.spec("A-47")
def test_an_event_delivered_twice_counts_once(world: World) -> None:
    arrive(world, InboundKind.FRIEND, "same")
    arrive(world, InboundKind.FRIEND, "same")
    assert len(events()) == 1
    assert contacts()[0].activity_score == 10


@pytest.mark.spec("A-47")
def test_numbers_of_events_are_those_of_one_dealers_systems(world: World) -> None:
    session = db.session()
    with writing(session), acting(session):
        presets.add_person(
            session, dealer_id=world.b.id, username="boss_b", name="乙总", password="Test-demo-2024K",
            roles=[presets.preset_role(session, world.b.id, "admin")],
        )  # fmt: skip
        session.commit()
    made = [
        world.make(
            "inbound_events", by, sender="wecom", event_id="1", kind=InboundKind.FRIEND, outside_id="wx",
            employee_id=world.people[employee].id,
        )
        for by, employee in (("boss", "seller"), ("boss_b", "outsider"))
    ]  # fmt: skip
    assert [e.dealer_id for e in made] == [world.a.id, world.b.id]
    assert [e.dealer_id for e in events()] == [world.a.id, world.b.id]


@pytest.mark.spec("A-47")
def test_a_contact_with_12_joins_a_customer_with_30(world: World) -> None:
    arrive(world, InboundKind.FRIEND, "1", outside_id="wx")
    arrive(world, InboundKind.BEHAVIOUR, "2", outside_id="wx", act=TrackAct.CHAT)
    world.make("track_points", "boss", act=TrackAct.FILED, points=30)
    customer = world.customer()
    assert customer.activity_score == 30
    world.act("link_contact", contacts()[0], customer=customer.id)
    db.session.refresh(customer)
    assert customer.activity_score == 42
