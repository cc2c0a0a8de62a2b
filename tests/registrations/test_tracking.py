"""Tracking leads, in words and by text message (E-47…E-54)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.engine.actions import Act, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.localtime import local
from app.engine.perform import remove
from app.engine.resource import resource
from models.customers.track import TrackAct, TrackEvent
from models.follow_ups import gateways
from models.follow_ups.tables import Channel as Way
from models.follow_ups.tables import SmsMessage, SmsState
from models.registrations import tracking
from models.registrations.settings import FOLLOW_UP_DAYS, TRACKING
from models.registrations.tables import Progress, Registration, RegistrationTrack
from tests.customers.world import grant, words
from tests.plugins.people import Login
from tests.registrations.leads import given_to, switch
from tests.registrations.world import Channel

WINDOW = "/registration-tracking"


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The channel's people; the manager works with the first worker's leads."""
    channel.grant_leads("chief", "worker1")
    return channel


def records(of: Registration) -> list[RegistrationTrack]:
    """The lead's records, oldest first."""
    db.session.rollback()
    mine = RegistrationTrack.registration_id == of.id
    return list(db.session.scalars(select(RegistrationTrack).where(mine).order_by(RegistrationTrack.id)))


def page(client: FlaskClient, url: str) -> str:
    """What the page says."""
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code, answer.location)
    return answer.get_data(as_text=True)


def note(client: FlaskClient, of: Registration, text: str, **more: Any) -> Any:
    """Submit the first tab."""
    return client.post(f"{WINDOW}/track", data={"id": of.id, "state": "继续跟踪", "text": text, **more})


def value(html: str, name: str) -> str:
    """What the input holds."""
    found = re.search(rf'<input class="in" id="f-{name}" name="{name}" value="([^"]*)"', html)
    assert found, name
    return found.group(1)


# ----- the window


@pytest.mark.spec("E-47")
def test_the_window_opens_on_an_assigned_lead_from_list_and_page(world: Channel, login: Login) -> None:
    found = world.lead()
    given_to(world, found)
    client = login("worker1")
    listed = page(client, "/registrations/")
    (item,) = re.findall(r'<button[^>]*data-url="([^"]*)"[^>]*data-act="track"', listed)
    assert item == f"{WINDOW}/"
    assert f'href="{WINDOW}/?id={found.id}"' in page(client, f"/registrations/{found.id}")
    assert "客户跟踪记录" in page(client, f"{WINDOW}/?id={found.id}")


@pytest.mark.spec("E-47")
@pytest.mark.parametrize("progress", list(Progress))
def test_tracking_goes_on_in_every_progress(world: Channel, login: Login, progress: Progress) -> None:
    found = world.lead()
    if progress != Progress.REGISTERED:
        given_to(world, found, progress=progress)
    note(login("worker1"), found, "已联系")
    assert [r.text for r in records(found)] == ["已联系"]


@pytest.mark.spec("E-47")
def test_without_or_with_several_selected_a_hint_is_all(world: Channel, login: Login) -> None:
    client, one, two = login("worker1"), world.lead(), world.lead()
    for query, said in (
        (f"?id={one.id}&id={two.id}", "一次只能跟踪一条客户线索"),
        ("", "请先选择一条客户线索"),
    ):
        answer = client.get(f"{WINDOW}/{query}", follow_redirects=True)
        assert said in answer.get_data(as_text=True)


@pytest.mark.spec("E-47")
def test_nobody_tracks_what_is_not_his(world: Channel, login: Login) -> None:
    found = world.lead()
    other = login("worker2")
    for url in (f"{WINDOW}/?id={found.id}", f"{WINDOW}/track?id={found.id}", f"{WINDOW}/sms?id={found.id}"):
        assert other.get(url).status_code == 404
    assert note(other, found, "抢单").status_code == 404
    assert login("typist").get(f"{WINDOW}/sms?id={found.id}").status_code == 403
    assert records(found) == []


@pytest.mark.spec("E-47")
def test_a_dealer_may_switch_tracking_off(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("worker1")
    switch(world, TRACKING, False)
    shown = page(client, "/registrations/") + page(client, f"/registrations/{found.id}")
    assert 'data-act="track"' not in shown and 'data-act="send_lead_sms"' not in shown
    for name in ("track", "sms"):
        answer = client.post(f"{WINDOW}/{name}", data={"id": found.id, "text": "偷写"}, follow_redirects=True)
        assert "客户跟踪功能未启用" in answer.get_data(as_text=True)
    for name in ("track", "send_lead_sms"):
        with pytest.raises(Refusal, match="客户跟踪功能未启用"):
            world.act(name, found, "worker1", text="偷写")
    assert records(found) == []
    switch(world, TRACKING, True)
    assert 'data-act="track"' in page(client, "/registrations/")


@pytest.mark.spec("E-48")
def test_two_records_are_two_rows_the_newest_on_top_in_five_columns(world: Channel, login: Login) -> None:
    found = world.lead(phone="13912345678")
    client = login("worker1")
    note(client, found, "第一次", next_on=str(local(utcnow()).date()))
    note(client, found, "第二次", state="已约到店")
    shown = page(client, f"{WINDOW}/?id={found.id}")
    table = shown[shown.index("<table") : shown.index("</table>")]
    heads = [words(h) for h in re.findall(r"<th[^>]*>.*?</th>", table)]
    assert heads == ["跟踪时间", "跟踪状态", "下次跟踪时间", "客户电话", "跟踪内容"]
    rows = [words(r) for r in re.findall(r"<tr>(.*?)</tr>", table[table.index("<tbody>") :], re.S)]
    assert len(rows) == 2 and "第二次" in rows[0] and "已约到店" in rows[0] and "第一次" in rows[1]
    assert str(local(utcnow()).date()) in rows[1] and "13912345678" in rows[1]


# ----- a new record


@pytest.mark.spec("E-49")
def test_a_new_record_has_two_tabs(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("worker1")
    (link,) = re.findall(
        r'<a [^>]*href="([^"]*)"[^>]*>(?:<i[^>]*></i>)?新建客户跟踪记录',
        page(client, f"{WINDOW}/?id={found.id}"),
    )
    shown = page(client, link.replace("&amp;", "&"))
    tabs = re.findall(r'<a href="([^"]*)"[^>]*>(沟通表内容|短信发送)</a>', shown)
    assert [label for _, label in tabs] == ["沟通表内容", "短信发送"]
    for url, label in tabs:
        other = page(client, url)
        assert f'aria-current="page">{label}</a>' in other and f'<h2 id="s1">{label}</h2>' in other


@pytest.mark.spec("E-50")
def test_a_new_record_starts_with_the_samples_defaults(
    world: Channel, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = world.lead(phone="13912345678")
    monkeypatch.setattr("views.registration_tracking.utcnow", lambda: datetime(2026, 6, 3, 1, 30))
    shown = page(login("worker1"), f"{WINDOW}/track?id={found.id}")
    assert value(shown, "next_on") == "2026-06-06"
    assert re.search(r'<option value="继续跟踪" selected>', shown)
    said = words(shown)
    assert f"客户编号{found.code}" in said and "客户电话13912345678" in said
    assert "录入人林一" in said and "跟踪日期2026-06-03" in said
    labels = [words(x) for x in re.findall(r'class="lab"[^>]*>(.*?)</(?:label|span)>', shown)]
    asked = ["客户编号", "客户电话", "客户状态", "下次跟踪时间", "跟踪内容", "录入人", "跟踪日期"]
    assert [label.lstrip("*") for label in labels] == asked


@pytest.mark.spec("E-50")
def test_the_days_until_the_next_time_are_the_dealers_own(
    world: Channel, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = world.lead()
    switch(world, FOLLOW_UP_DAYS, 10)
    # 17:00 UTC is the next day in China already.
    monkeypatch.setattr("views.registration_tracking.utcnow", lambda: datetime(2026, 6, 2, 17, 0))
    assert value(page(login("worker1"), f"{WINDOW}/track?id={found.id}"), "next_on") == "2026-06-13"


@pytest.mark.spec("E-51")
def test_submit_stores_one_record_and_close_none(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("worker1")
    shown = page(client, f"{WINDOW}/track?id={found.id}")
    assert re.search(rf'href="{re.escape(WINDOW)}/\?id={found.id}" data-leave>关闭</a>', shown)
    assert re.search(r'type="submit" data-main>提交</button>', shown)
    assert records(found) == []
    soon = local(utcnow()).date() + timedelta(days=5)
    answer = note(client, found, "周末到店看样", state="已约到店", next_on=soon.isoformat())
    assert answer.location == f"{WINDOW}/?id={found.id}"
    (row,) = records(found)
    assert (row.text, row.state, row.next_tracking_on) == ("周末到店看样", "已约到店", soon)
    assert row.writer_id == world.people["worker1"].id and row.phone == found.phone


@pytest.mark.spec("E-51")
@pytest.mark.parametrize(("name", "said"), [("track", "请输入跟踪内容"), ("sms", "请输入短信内容")])
def test_empty_content_is_asked_for_and_nothing_is_lost(
    world: Channel, login: Login, name: str, said: str
) -> None:
    found = world.lead()
    data = {"id": found.id, "text": " \u200b ", "state": "暂无意向"}
    answer = login("worker1").post(f"{WINDOW}/{name}", data=data)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and said in shown
    assert re.search(r'<option value="暂无意向" selected>', shown)
    assert records(found) == []


@pytest.mark.spec("E-51")
def test_the_same_form_twice_is_one_record(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("worker1")
    for _ in range(2):
        note(client, found, "一次", _once="same-form")
    assert len(records(found)) == 1


@pytest.mark.spec("E-51")
def test_records_never_change_or_go(world: Channel, login: Login) -> None:
    found = world.lead()
    note(login("worker1"), found, "定稿")
    (row,) = records(found)
    for person in ("worker1", "keeper", "boss"):
        client = login(person)
        for url in (
            f"/registration_tracks/{row.id}/edit",
            f"/registration_tracks/{row.id}/delete",
            "/registration_tracks/new",
        ):
            assert client.get(url).status_code in (403, 404, 405)
            assert client.post(url, data={"text": "改"}).status_code in (403, 404, 405)
    assert [r.text for r in records(found)] == ["定稿"]


def test_a_next_time_in_the_past_is_refused(world: Channel, login: Login) -> None:
    found = world.lead()
    answer = note(login("worker1"), found, "x", next_on="2020-01-01")
    assert answer.status_code == 400 and "不能早于今天" in answer.get_data(as_text=True)


# ----- what the lead shows of it


@pytest.mark.spec("E-52")
def test_the_list_shows_time_state_and_text_of_the_latest(world: Channel, login: Login) -> None:
    found = world.lead()
    version = found.version
    client = login("worker1")
    note(client, found, "先说价格", next_on="2099-01-01")
    note(client, found, "约好\n周六", state="已约到店", next_on="2099-02-01")
    last = records(found)[-1]
    shown = db.session.get_one(Registration, found.id)
    assert (shown.last_tracked_at, shown.last_tracking_text) == (last.at, "约好 周六")
    assert (shown.tracking_state, shown.next_tracking_on) == ("已约到店", date(2099, 2, 1))
    assert shown.track_count == 2 and shown.version == version
    listed = words(page(client, "/registrations/"))
    assert "约好周六" in listed and "已约到店" in listed and "先说价格" not in listed


@pytest.mark.spec("E-52")
def test_the_latest_is_that_of_the_tracking_time(world: Channel) -> None:
    found = world.lead()
    world.act("track", found, "worker1", text="昨天")
    session = db.session()
    with deed(Act(world.actor("worker1"), utcnow() - timedelta(days=3), session)) as act:
        of = session.get_one(Registration, found.id)
        tracking.add(act, of, tracking.TrackKind.NOTE, "早先", "跟进", None)
    shown = db.session.get_one(Registration, found.id)
    assert (shown.last_tracking_text, shown.tracking_state, shown.track_count) == ("昨天", "继续跟踪", 2)


@pytest.mark.spec("E-52")
def test_an_open_form_of_the_lead_does_not_become_stale_and_overwrites_no_record(
    world: Channel, login: Login
) -> None:
    found = world.lead()
    typed = world.form(phone=found.phone, room="3栋503", version=found.version, next_tracking_on="2030-01-01")
    world.act("track", found, "worker1", text="电话打通", state="已约到店", next_on=date(2031, 1, 1))
    client = login("worker1")
    assert client.post(f"/registrations/{found.id}/edit", data=typed).status_code == 302
    shown = db.session.get_one(Registration, found.id)
    assert (shown.room, shown.tracking_state) == ("3栋503", "已约到店")
    assert shown.next_tracking_on == date(2031, 1, 1)
    again = page(client, f"/registrations/{found.id}/edit")
    assert 'name="tracking_state"' not in again and 'name="next_tracking_on"' not in again


def test_the_leads_page_tells_what_was_done(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("worker1")
    note(client, found, "量完再谈")
    world.act("send_lead_sms", found, "worker1", text="您好")
    shown = page(client, f"/registrations/{found.id}")
    line = words(shown[shown.index('aria-label="轨迹"') :])
    assert line.index("您好") < line.index("量完再谈") and "林一" in line
    only = page(client, f"/registrations/{found.id}?kind=sms")
    line = words(only[only.index('aria-label="轨迹"') :])
    assert "您好" in line and "量完再谈" not in line


def test_the_timeline_goes_on_where_it_ended(world: Channel, login: Login) -> None:
    found = world.lead()
    session, at = db.session(), utcnow() - timedelta(days=1)
    with deed(Act(world.actor("worker1"), at, session)) as act:
        of = session.get_one(Registration, found.id)
        for n in range(33):
            tracking.add(act, of, tracking.TrackKind.NOTE, f"第{n:02}次", "跟进", None)
    client = login("worker1")
    first = page(client, f"/registrations/{found.id}")
    first = first[first.index('aria-label="轨迹"') :]
    (more,) = re.findall(r'href="([^"]*)">查看更早的轨迹', first)
    rest = page(client, more.replace("&amp;", "&"))
    rest = rest[rest.index('aria-label="轨迹"') :]
    seen = re.findall(r"<p>(第\d\d次)</p>", first) + re.findall(r"<p>(第\d\d次)</p>", rest)
    assert seen == [f"第{n:02}次" for n in reversed(range(33))]


# ----- by text message


class Stubborn:
    """A gateway that refuses at the door, or afterwards."""

    def __init__(self, *, late: bool) -> None:
        self.late = late

    def accept(self, message: SmsMessage) -> None:
        """Take it, or not."""
        if not self.late:
            raise gateways.NotAccepted("通道故障")

    def deliver(self, message: SmsMessage, number: int, now: Any) -> str:
        """It never arrives."""
        raise gateways.NotAccepted("空号")


@pytest.fixture
def stubborn() -> Any:
    """Install one; gone after the test."""

    def install(*, late: bool) -> None:
        gateways.use(Way.SMS, Stubborn(late=late))

    yield install
    gateways.use(Way.SMS, None)


@pytest.mark.spec("E-54")
def test_a_message_is_sent_and_kept_with_its_result(
    world: Channel, login: Login, run_outbox: Callable[..., None]
) -> None:
    found = world.lead(phone="13912345678")
    client = login("worker1")
    shown = page(client, f"{WINDOW}/sms?id={found.id}")
    assert "13912345678" in shown
    client.post(f"{WINDOW}/sms", data={"id": found.id, "text": "周六到店有礼", "state": "继续跟踪"})
    (row,) = records(found)
    assert row.outcome == SmsState.QUEUED
    assert "【短信待发送】周六到店有礼" in page(client, f"{WINDOW}/?id={found.id}")
    run_outbox()
    (row,) = records(found)
    message = db.session.get_one(SmsMessage, row.message_id)
    assert (message.phone, message.text, message.state) == ("13912345678", "周六到店有礼", SmsState.SENT)
    assert row.outcome == SmsState.SENT and row.text == "周六到店有礼"
    assert "【短信已发送】周六到店有礼" in page(client, f"{WINDOW}/?id={found.id}")
    assert db.session.get_one(Registration, found.id).track_count == 1


@pytest.mark.spec("E-54")
def test_who_may_not_read_the_number_sends_to_it_all_the_same(world: Channel, login: Login) -> None:
    found = world.lead(phone="13912345678")
    grant(world, "channel_worker", ("guard_customer_phone", "Guards"))
    client = login("worker1")
    for url in (f"{WINDOW}/sms?id={found.id}", f"{WINDOW}/track?id={found.id}"):
        shown = page(client, url)
        assert "139****5678" in shown and "13912345678" not in shown
    client.post(f"{WINDOW}/sms", data={"id": found.id, "text": "您好", "state": "继续跟踪"})
    (row,) = records(found)
    assert db.session.get_one(SmsMessage, row.message_id).phone == row.phone == "13912345678"
    shown = page(client, f"{WINDOW}/?id={found.id}")
    assert "139****5678" in shown and "13912345678" not in shown


@pytest.mark.spec("E-54")
def test_what_the_gateway_does_not_take_leaves_nothing(world: Channel, login: Login, stubborn: Any) -> None:
    found = world.lead()
    stubborn(late=False)
    answer = login("worker1").post(f"{WINDOW}/sms", data={"id": found.id, "text": "您好", "state": "跟进"})
    assert answer.status_code == 400
    assert "短信未成功：通道故障，未记录跟踪" in answer.get_data(as_text=True)
    assert records(found) == []
    assert db.session.scalar(select(func.count()).select_from(SmsMessage)) == 0
    assert db.session.get_one(Registration, found.id).track_count == 0


@pytest.mark.spec("E-54")
def test_a_message_that_never_arrives_says_so_and_proves_nothing(
    world: Channel, login: Login, stubborn: Any, run_outbox: Callable[..., None]
) -> None:
    found = world.lead()
    world.act("track", found, "worker1", text="电话沟通", state="跟进")
    stubborn(late=True)
    world.act("send_lead_sms", found, "worker1", text="您好", state="已约到店")
    run_outbox()
    client = login("worker1")
    assert "【短信发送失败】您好" in page(client, f"{WINDOW}/?id={found.id}")
    assert "发送失败：空号" in page(client, f"/registrations/{found.id}")
    shown = db.session.get_one(Registration, found.id)
    assert (shown.last_tracking_text, shown.tracking_state, shown.track_count) == ("电话沟通", "跟进", 1)


# ----- with the customer, and with the lead


def told(customer: Any) -> list[TrackEvent]:
    """What the customer's track has of leads."""
    db.session.rollback()
    mine = (TrackEvent.customer_id == customer.id, TrackEvent.sender == tracking.SENDER)
    return list(db.session.scalars(select(TrackEvent).where(*mine).order_by(TrackEvent.at, TrackEvent.id)))


def become(world: Channel, found: Registration, customer: Any) -> None:
    """The deposit makes the lead a customer, as assignments do."""
    session = db.session()
    with deed(Act(world.actor("keeper"), utcnow(), session)) as act:
        of = session.get_one(Registration, found.id)
        tracking.take_over(act, of, session.get_one(type(customer), customer.id))


def test_the_customers_track_has_every_record_once(world: Channel, login: Login) -> None:
    found = world.lead()
    world.act("track", found, "worker1", text="要做橱柜")
    world.act("send_lead_sms", found, "worker1", text="活动通知")
    customer = world.customer("seller", phone=found.phone)
    before = db.session.get_one(type(customer), customer.id).activity_score
    given_to(world, found, customer)
    become(world, found, customer)
    become(world, found, customer)
    world.act("track", found, "worker1", text="后来又问")
    events = told(customer)
    assert [(e.act, e.text) for e in events] == [
        (TrackAct.WRITTEN, "要做橱柜"), (TrackAct.SMS, "活动通知"), (TrackAct.WRITTEN, "后来又问"),
    ]  # fmt: skip
    assert {e.by_id for e in events} == {world.people["worker1"].id}
    after = db.session.get_one(type(customer), customer.id)
    assert after.activity_score == before + sum(e.score for e in events)
    assert not after.followed
    shown = words(page(login("seller"), f"/customers/{customer.id}"))
    assert shown.count("要做橱柜") == 1 and shown.count("后来又问") == 1


def test_a_message_that_failed_leaves_the_customers_track_again(
    world: Channel, stubborn: Any, run_outbox: Callable[..., None]
) -> None:
    found = world.lead()
    customer = world.customer("seller", phone=found.phone)
    given_to(world, found, customer)
    before = db.session.get_one(type(customer), customer.id).activity_score
    stubborn(late=True)
    world.act("send_lead_sms", found, "worker1", text="您好")
    assert [e.act for e in told(customer)] == [TrackAct.SMS]
    run_outbox()
    assert told(customer) == []
    assert db.session.get_one(type(customer), customer.id).activity_score == before


def test_records_go_with_their_lead_and_the_history_says_how_many(world: Channel) -> None:
    found = world.lead()
    world.act("track", found, "worker1", text="问过价格")
    world.act("send_lead_sms", found, "worker1", text="您好")
    remove(resource("registrations"), found.id, world.actor("boss"))
    assert records(found) == []
    deleted = select(AuditEntry).where(AuditEntry.resource == "registrations", AuditEntry.action == "delete")
    entry = db.session.scalars(deleted).one()
    assert entry.changes["fields"]["track_count"] == [2, None]
    assert entry.changes["fields"]["last_tracking_text"] == ["您好", None]
    assert db.session.scalar(select(func.count()).select_from(SmsMessage)) == 1
