"""Messages leave by robot, e-mail and SMS: once each, not in quiet hours, and what fails says why."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_string
from email.header import decode_header, make_header
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import outbox
from app.engine.audit import acting
from app.engine.database import db
from app.engine.localtime import to_utc
from models.follow_ups.tables import SmsMessage
from models.identity.tables import Employee
from models.notifications import channels, outward
from models.notifications.channels import Letter, NotAccepted
from models.notifications.preferences import Quiet, quiet
from models.notifications.rules import notify
from models.notifications.tables import DeliveryState, NoticeChannel, NoticeDelivery, NoticeKind
from tests.customers.world import World
from tests.notifications.conftest import Choose, MailServer, Robot
from tests.plugins.people import Login
from tests.spec.reading import page, rows

NOON = datetime(2026, 11, 2, 4, 0)  # 12:00 in China


def tell(
    world: World,
    title: str = "客户张三交给您",
    kind: NoticeKind = NoticeKind.INSTANT,
    now: datetime = NOON,
    **more: Any,
) -> None:
    """One message to the seller."""
    people = [world.people["seller"].id]
    notify(db.session(), users=people, kind=kind, topic="customer", title=title, now=now, **more)
    db.session.commit()


def deliveries() -> list[NoticeDelivery]:
    """All of them, in order."""
    return list(db.session.scalars(select(NoticeDelivery).order_by(NoticeDelivery.id)))


def test_the_bell_alone_is_the_default(world: World, run_outbox: Any) -> None:
    tell(world)
    run_outbox()
    assert deliveries() == [] and db.session.scalar(select(func.count(outbox.OutboxRow.id))) == 0


def test_each_kind_goes_by_the_channels_chosen_for_it(world: World, robot: Robot, choose: Choose) -> None:
    choose("seller", instant=["robot", "email"], strong=["sms"], robot_url=f"{robot.url}/hook?key=1")
    world.change(world.people["seller"], "boss", phone="13900000009")
    for kind in NoticeKind:
        tell(world, kind.label, kind)
    made = {(d.title, d.channel) for d in deliveries()}
    assert made == {
        ("实时提醒", NoticeChannel.ROBOT), ("实时提醒", NoticeChannel.EMAIL), ("强提醒", NoticeChannel.SMS),
    }  # fmt: skip


def test_a_robot_gets_the_words_as_json(
    app: Flask, world: World, robot: Robot, choose: Choose, run_outbox: Any
) -> None:
    app.config["SITE_URL"] = "https://crm.example.com/"
    choose("seller", instant=["robot"], robot_url=f"{robot.url}/hook?key=abc")
    tell(world, text="请尽快联系")
    run_outbox(now=NOON)
    (sent,) = deliveries()
    url = f"https://crm.example.com/notifications/{sent.notification_id}"
    assert robot.posts == [
        {"msgtype": "text", "text": {"content": f"客户张三交给您\n请尽快联系\n{url}"}}
    ] and robot.paths == ["/hook?key=abc"]
    assert (sent.state, sent.attempts, sent.sent_at, sent.reason) == (DeliveryState.SENT, 1, NOON, None)


def test_the_dealers_robot_says_for_whom_it_is(
    world: World, robot: Robot, login: Login, run_outbox: Any
) -> None:
    from tests.settings.test_parameters import form

    data = form(notice__robot=robot.url) | {"notice.channels": ["robot"]}
    assert login("boss").post("/parameters/", data=data).status_code == 302
    tell(world)
    run_outbox(now=NOON)
    assert robot.posts[0]["text"]["content"] == "@导购甲 客户张三交给您"


def test_what_a_robot_refuses_fails_with_the_reason_and_may_be_sent_again(
    world: World, robot: Robot, choose: Choose, login: Login, run_outbox: Any
) -> None:
    choose("seller", instant=["robot"], robot_url=robot.url)
    robot.answers = [(200, {"errcode": 93000, "errmsg": "invalid webhook url"})]
    tell(world)
    run_outbox(now=NOON)
    (failed,) = deliveries()
    number = failed.number
    assert failed.state == DeliveryState.FAILED and failed.reason == "机器人拒绝了消息（93000）"
    boss = login("boss")
    (row,) = rows(page(boss, "/notice_deliveries/?view=failed"))
    assert "导购甲" in row and "93000" in row
    assert login("seller").get("/notice_deliveries/").status_code == 403
    boss.post("/notice_deliveries/action/retry", data={"id": failed.id})
    run_outbox()
    (again,) = deliveries()
    assert (again.state, again.number, again.reason) == (DeliveryState.SENT, number, None)
    assert len(robot.posts) == 2
    boss.post("/notice_deliveries/action/retry", data={"id": failed.id})
    run_outbox()
    assert len(robot.posts) == 2


def test_a_robot_that_is_down_is_asked_again_until_it_is_given_up(
    world: World, robot: Robot, choose: Choose, run_outbox: Any
) -> None:
    choose("seller", instant=["robot"], robot_url=robot.url)
    robot.answers = [(503, {}), (200, {"errcode": 45009})] + [(500, {})] * 10
    tell(world)
    now = NOON
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        run_outbox(now=now)
        (waiting,) = deliveries()
        assert waiting.attempts == attempt
        now += timedelta(hours=7)
    assert waiting.state == DeliveryState.FAILED and "机器人地址返回 500" in str(waiting.reason)
    assert len(robot.posts) == outbox.MAX_ATTEMPTS


def test_no_redirect_is_followed(world: World, robot: Robot, choose: Choose, run_outbox: Any) -> None:
    choose("seller", instant=["robot"], robot_url=robot.url)
    robot.answers = [(302, {})]
    tell(world)
    run_outbox(now=NOON)
    assert deliveries()[0].reason == "机器人地址返回了跳转" and len(robot.posts) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x", "https://", "ftp://example.com", "https://u:p@example.com/", "x",
        "https://10.0.0.1/x", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest",
        "https://[::ffff:192.168.0.1]/", "https://example.com:0/", "https://exa mple.com/",
        "https://[64:ff9b::a00:1]/", "https://[2002:7f00:1::]/", "https://[::127.0.0.1]/", "https://[fec0::1]/",
        "https://[::ffff:0:127.0.0.1]/", "https://example.com/机器人",
    ],
)  # fmt: skip
def test_where_a_robot_may_not_stand(world: World, choose: Choose, address: str) -> None:
    answer = choose("seller", 400, robot_url=address)
    assert "机器人地址" in answer.get_data(as_text=True)


@pytest.mark.parametrize("place", ["192.168.1.9", "64:ff9b::c0a8:109", "2002:c0a8:109::1", "fec0::1"])
def test_a_name_that_means_the_own_network_is_refused_when_it_is_resolved(
    app: Flask, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (place, 443))])
    letter = Letter("甲", "https://robot.example.com/x", "标题", "")
    with pytest.raises(NotAccepted, match="内部网络"):
        channels.sender(NoticeChannel.ROBOT).send(letter, 1, NOON)


def test_a_name_that_cannot_be_one_is_given_up_at_once(app: Flask) -> None:
    letter = Letter("甲", f"https://{'a' * 80}.example.com/x", "标题", "")
    with pytest.raises(NotAccepted, match="完整地址"):
        channels.sender(NoticeChannel.ROBOT).send(letter, 1, NOON)


def test_an_e_mail_arrives_whole(
    world: World, mail_server: MailServer, choose: Choose, run_outbox: Any
) -> None:
    choose("seller", daily=["email"])
    items = [{"group": "超时跟进", "title": "跟进张三", "note": "11-01 09:00", "resource": "tasks", "id": 1}]
    tell(world, "12:00 定时提醒：\n超时跟进 1 项", NoticeKind.DAILY, items=items)
    run_outbox(now=NOON)
    (sent,) = deliveries()
    (source,) = mail_server.messages
    message = message_from_string(source)
    assert str(make_header(decode_header(message["Subject"]))) == "12:00 定时提醒： 超时跟进 1 项"
    said = message.get_payload(decode=True).decode()
    assert "导购甲，您好" in said and "【超时跟进】" in said and "跟进张三　11-01 09:00" in said
    assert message["Message-ID"] == f"<notice-{sent.number}@example.com>" == sent.reference
    assert sent.state == DeliveryState.SENT


def test_an_address_the_server_does_not_know_fails_for_good_others_later(
    world: World, mail_server: MailServer, choose: Choose, run_outbox: Any
) -> None:
    choose("seller", instant=["email"])
    mail_server.rcpt = ["451 try later", "550 no such user"]
    tell(world)
    run_outbox(now=NOON)
    assert [(d.state, d.attempts) for d in deliveries()] == [(DeliveryState.WAITING, 1)]
    run_outbox(now=NOON + timedelta(hours=1))
    (failed,) = deliveries()
    assert failed.state == DeliveryState.FAILED and failed.reason == "邮件服务器拒收此地址（550）"
    assert mail_server.messages == []


def test_without_a_mail_server_the_page_shows_what_would_have_left(
    world: World, choose: Choose, login: Login, run_outbox: Any
) -> None:
    choose("seller", instant=["email"])
    tell(world, text="请尽快联系")
    run_outbox(now=NOON)
    (sent,) = deliveries()
    assert sent.state == DeliveryState.SENT and str(sent.reference).startswith(channels.LOCAL)
    shown = page(login("boss"), f"/notice_deliveries/{sent.id}")
    assert "请尽快联系" in shown and "已发送" in shown


def test_an_sms_goes_by_the_gateway_and_stands_in_its_page(
    world: World, choose: Choose, login: Login, run_outbox: Any
) -> None:
    world.change(world.people["seller"], "boss", phone="13900000009")
    choose("seller", strong=["sms"])
    tell(world, kind=NoticeKind.STRONG)
    run_outbox(now=NOON)
    (sent,) = deliveries()
    message = db.session.scalars(select(SmsMessage)).one()
    assert (message.phone, message.text, message.reference) == (
        "13900000009", "客户张三交给您", f"local-{sent.number}",
    )  # fmt: skip
    assert "客户张三交给您" in page(login("boss"), "/sms_messages/")


def test_somebody_who_left_meanwhile_gets_nothing(
    world: World, robot: Robot, choose: Choose, run_outbox: Any
) -> None:
    choose("seller", instant=["robot"], robot_url=robot.url)
    tell(world)
    world.act("deactivate", world.people["seller"], "boss")
    run_outbox(now=NOON)
    assert deliveries()[0].reason == "接收人已停用" and robot.posts == []


def test_what_one_dealer_told_does_not_follow_to_another(
    world: World, robot: Robot, choose: Choose, run_outbox: Any
) -> None:
    """Held back over quiet hours, it would speak of the one's customers in the other's group."""
    choose("seller", instant=["robot"], robot_url=robot.url)
    tell(world)
    with acting(db.session()):
        db.session.get_one(Employee, world.people["seller"].id).dealer_id = world.b.id
        db.session.commit()
    run_outbox(now=NOON)
    assert deliveries()[0].reason == "接收人已调到其他商场" and robot.posts == []


def test_a_delivery_is_carried_out_once_under_one_number(
    world: World, robot: Robot, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies after the robot has answered: the next attempt bears the same number; and once it is
    noted as sent, no further row sends it."""
    choose("seller", instant=["robot"], robot_url=robot.url)
    tell(world)
    numbers = []
    real = channels.sender(NoticeChannel.ROBOT)

    class Counting:
        def send(self, letter: Letter, number: int, now: datetime) -> channels.Sent:
            numbers.append(number)
            answer = real.send(letter, number, now)
            if len(numbers) == 1:
                raise KeyboardInterrupt
            return answer

    monkeypatch.setitem(channels._senders, NoticeChannel.ROBOT, Counting())
    row_id = db.session.scalars(select(outbox.OutboxRow.id)).one()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(db.session(), row_id, now=NOON)
    db.session.rollback()
    assert outbox.deliver(db.session(), row_id, now=NOON) == outbox.Outcome.SKIPPED
    later = NOON + timedelta(minutes=3)
    assert outbox.deliver(db.session(), row_id, now=later) == outbox.Outcome.DONE
    assert outbox.deliver(db.session(), row_id, now=later) == outbox.Outcome.SKIPPED
    twice = outbox.put(db.session(), "notices.deliver", {"id": deliveries()[0].id}, now=later)
    db.session.commit()
    assert twice is not None
    outbox.deliver(db.session(), twice, now=later)
    assert numbers == [row_id, row_id]


# ----- quiet hours


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (("22:00", "08:00"), "2026-11-02 21:59", None),
        (("22:00", "08:00"), "2026-11-02 22:00", "2026-11-03 08:00"),
        (("22:00", "08:00"), "2026-11-03 07:59", "2026-11-03 08:00"),
        (("22:00", "08:00"), "2026-11-03 08:00", None),
        (("12:00", "13:30"), "2026-11-02 12:30", "2026-11-02 13:30"),
        (("12:00", "13:30"), "2026-11-02 13:30", None),
    ],
)
def test_quiet_hours_are_those_of_china_and_may_go_over_midnight(
    hours: tuple[str, str], at: str, until: str | None
) -> None:
    found = quiet(*hours)
    assert isinstance(found, Quiet)
    expected = to_utc(datetime.fromisoformat(until)) if until else None
    assert found.until(to_utc(datetime.fromisoformat(at))) == expected


def test_half_a_range_is_none() -> None:
    assert quiet("22:00", None) is quiet("08:00", "08:00") is None


def test_outside_channels_wait_for_the_end_of_the_quiet_hours(
    world: World, robot: Robot, choose: Choose, login: Login, run_outbox: Any
) -> None:
    choose("seller", instant=["robot"], strong=["robot"], robot_url=robot.url, quiet_from="11:00",
           quiet_to="14:00")  # fmt: skip
    tell(world)
    tell(world, "强", NoticeKind.STRONG)
    assert login("seller").get("/notifications/unread").get_json() == {"unread": "2"}
    run_outbox(now=NOON + timedelta(minutes=59))
    assert robot.posts == [] and {d.due_at for d in deliveries()} == {NOON + timedelta(hours=2)}
    run_outbox(now=NOON + timedelta(hours=2))
    assert len(robot.posts) == 2


def test_strong_ones_go_through_where_the_person_says_so(
    world: World, robot: Robot, choose: Choose, run_outbox: Any
) -> None:
    choose("seller", instant=["robot"], strong=["robot"], robot_url=robot.url, quiet_from="11:00",
           quiet_to="14:00", strong_through="1")  # fmt: skip
    tell(world)
    tell(world, "强", NoticeKind.STRONG)
    run_outbox(now=NOON)
    assert [p["text"]["content"] for p in robot.posts] == ["强"]


# ----- the form


def test_the_form_keeps_what_was_chosen_and_the_dealers_defaults_hold_again_afterwards(
    world: World, choose: Choose, login: Login
) -> None:
    choose("seller", hourly=["email"], quiet_from="21:30", quiet_to="07:00")
    shown = page(login("seller"), "/profile/notices")
    assert 'value="21:30"' in shown and 'value="07:00"' in shown
    tell(world, kind=NoticeKind.HOURLY)
    assert len(deliveries()) == 1
    login("seller").post("/profile/notices", data={"mode": "dealer"})
    tell(world, kind=NoticeKind.HOURLY)
    assert len(deliveries()) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"quiet_from": "25:00", "quiet_to": "08:00"}, "请填写时间"),
        ({"quiet_from": "22:00"}, "请同时填写"),
        ({"daily": ["pigeon"]}, "请选择"),
    ],
)
def test_wrong_settings_are_named(
    world: World, choose: Choose, fields: dict[str, Any], sentence: str
) -> None:
    assert sentence in choose("seller", 400, **fields).get_data(as_text=True)


def test_the_history_names_the_deed_and_not_the_robots_address(
    world: World, choose: Choose, login: Login, robot: Robot
) -> None:
    choose("seller", robot_url=f"{robot.url}/hook?key=secret")
    shown = page(login("boss"), f"/employees/{world.people['seller'].id}/history")
    assert "修改提醒设置" in shown and "secret" not in shown


def test_settings_of_the_dealer_are_checked(world: World, login: Login) -> None:
    from tests.settings.test_parameters import form

    for wrong in ({"notice__quiet_from": "8 点"}, {"notice__robot": "https://192.168.0.7/x"}):
        assert login("boss").post("/parameters/", data=form(**wrong)).status_code == 400
