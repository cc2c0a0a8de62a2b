"""A-26…A-29 and A-41…A-46: what following up leaves on the pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.engine.database import db
from models.customers.track import TrackAct, TrackPoints
from models.follow_ups import gateways
from models.follow_ups.tables import Channel, FollowUp
from tests.customers.test_contacts import arrive
from tests.customers.world import World
from tests.follow_ups.test_follow_ups import Failing
from tests.plugins.people import Login
from tests.spec.reading import button, page, text


def track(shown: str) -> list[str]:
    """The items of the track on a page, newest first."""
    return [text(item) for item in re.findall(r'<li class="ev".*?</li>', shown, re.S)]


def score(shown: str) -> int:
    """The activity score beside the track."""
    found = re.search(r"活跃度 <b>(\d+)</b>", shown)
    assert found
    return int(found[1])


def value(shown: str, name: str) -> str:
    """What a record's page says about one field."""
    found = re.search(rf'data-name="{name}">(.*?)</dd>', shown, re.S)
    assert found
    return text(found[1])


@pytest.mark.spec("A-26")
def test_a_follow_up_of_a_lead_stands_in_its_detail(world: World, login: Login) -> None:
    lead, client = world.contact(), login("seller")
    client.post("/contacts/action/write_follow_up", data={"id": lead.id, "text": "有意向做衣柜"})
    written = db.session.scalars(select(FollowUp)).one()
    newest = track(page(client, f"/contacts/{lead.id}"))[0]
    moment = (written.at + timedelta(hours=8)).strftime("%H:%M")
    assert "有意向做衣柜" in newest and "导购甲" in newest and moment in newest


@pytest.mark.spec("A-28")
def test_an_sms_from_the_list_marks_the_customer_at_once(world: World, login: Login) -> None:
    customer, client = world.customer(), login("seller")
    address = f"/customers/{customer.id}"
    assert button(page(client, "/customers/"), "发短信")
    before = page(client, address)
    assert value(before, "followed") == "否"
    assert client.post("/customers/action/send_sms", data={"id": customer.id}).status_code == 302
    after = page(client, address)
    worth = db.session.scalar(
        select(TrackPoints.points).where(TrackPoints.act == TrackAct.SMS, TrackPoints.dealer_id.is_(None))
    )
    assert value(after, "followed") == "是" and worth
    assert len(track(after)) == len(track(before)) + 1 and "发短信" in track(after)[0]
    assert score(after) == score(before) + worth
    assert score(page(client, f"{address}?kind=follow_up")) == score(after)


@pytest.mark.spec("A-29")
def test_an_sms_the_gateway_refuses_is_no_follow_up(world: World, login: Login) -> None:
    customer, client = world.customer(), login("seller")
    before = page(client, f"/customers/{customer.id}")
    gateways.use(Channel.SMS, Failing())
    try:
        answer = client.post("/customers/action/send_sms", data={"id": customer.id, "text": "新店开业"})
    finally:
        gateways.use(Channel.SMS, None)
    said = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "通道故障" in said and "新店开业" in said
    after = page(client, f"/customers/{customer.id}")
    assert value(after, "followed") == "否" and track(after) == track(before)
    assert db.session.scalars(select(FollowUp)).all() == []


@pytest.mark.spec("A-41")
def test_the_track_has_three_tabs_and_no_way_to_add(world: World, login: Login) -> None:
    from models.customers.track import InboundKind

    arrive(world, InboundKind.FRIEND, "1")
    customer, client = world.customer(), login("seller")
    world.act("call", customer)
    world.order(customer)
    shown = page(client, f"/customers/{customer.id}")
    tabs = re.search(r'<div class="seg">(.*?)</div>', shown, re.S)
    assert tabs
    labels = [re.sub(r"[\s\d]", "", text(t)) for t in re.findall(r"<a .*?</a>", tabs[1], re.S)]
    assert labels == ["全部", "行为轨迹", "跟进轨迹", "服务轨迹"]
    kinds = re.findall(r'<li class="ev" data-kind="(\w*)"', shown)
    assert kinds and set(kinds) <= {"behaviour", "follow_up", "service"}
    assert not button(shown, "新增轨迹") and "/track_events/new" not in shown
    assert client.get("/track_events/new").status_code in (403, 404)
    assert login("boss").post("/api/v1/track_events", json={"title": "编造"}).status_code in (403, 404, 405)


@pytest.mark.spec("A-46")
def test_the_newest_item_is_first_on_both_pages(world: World, login: Login) -> None:
    client = login("seller")
    for person, name in ((world.contact(), "contacts"), (world.customer(), "customers")):
        for words in ("先前的话", "后来的话"):
            client.post(f"/{name}/action/write_follow_up", data={"id": person.id, "text": words})
        items = track(page(client, f"/{name}/{person.id}"))
        assert "后来的话" in items[0] and "先前的话" in items[1]
        assert all("手动填写跟进" in item and "+2" in item and "导购甲" in item for item in items[:2])
