"""Follow-ups of contacts and customers (A-26…A-29), measuring (A-44)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import events, outbox
from app.engine.actions import Invalid, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.localtime import local, local_day
from app.engine.perform import perform
from app.engine.resource import resource
from models.customers.tables import Customer, FollowUpKind
from models.customers.track import TrackEvent, TrackKind
from models.follow_ups import gateways, tasks
from models.follow_ups.resources import Tasks
from models.follow_ups.tables import (
    Channel,
    FollowUp,
    SmsMessage,
    SmsState,
    Task,
    TaskKind,
    TaskState,
)
from tests.customers.world import World, words
from tests.plugins.people import Login

ACTS = {
    "send_message": FollowUpKind.MESSAGE,
    "send_sms": FollowUpKind.SMS,
    "call": FollowUpKind.CALL,
    "write_follow_up": FollowUpKind.MANUAL,
}


def follow_ups() -> list[FollowUp]:
    """All follow-ups, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(FollowUp).order_by(FollowUp.id)))


@pytest.mark.spec("A-26")
def test_a_follow_up_of_a_contact_is_listed_with_writer_and_time(world: World, login: Login) -> None:
    contact = world.contact()
    client = login("seller")
    assert "填写跟进" in client.get("/contacts/").get_data(as_text=True)
    client.post("/contacts/action/write_follow_up", data={"id": contact.id, "text": "有意向做衣柜"})
    (row,) = follow_ups()
    page = client.get(f"/contacts/{contact.id}").get_data(as_text=True)
    day = (row.at + timedelta(hours=8)).strftime("%Y-%m-%d")
    assert "有意向做衣柜" in page and "导购甲" in page and day in page


@pytest.mark.spec("A-27")
@pytest.mark.parametrize("name", list(ACTS))
def test_each_of_the_four_acts_makes_one_record_of_its_kind(world: World, login: Login, name: str) -> None:
    customer = world.customer()
    client = login("seller")
    listed = client.get("/customers/").get_data(as_text=True)
    for label in ("发消息", "发短信", "拨打电话", "手动填写跟进"):
        assert label in listed
    client.post(f"/customers/action/{name}", data={"id": customer.id, "text": "您好"})
    assert [f.kind for f in follow_ups()] == [ACTS[name]]


@pytest.mark.spec("A-28")
def test_an_sms_marks_the_customer_and_raises_the_score(world: World) -> None:
    customer = world.customer()
    before = customer.activity_score
    assert not customer.followed
    world.act("send_sms", customer)
    db.session.refresh(customer)
    (row,) = follow_ups()
    items = db.session.scalars(select(TrackEvent).where(TrackEvent.kind == TrackKind.FOLLOW_UP)).all()
    assert customer.followed and customer.last_follow_up_at == row.at
    assert len(items) == 1 and items[0].score == row.score > 0
    assert customer.activity_score == before + row.score


@pytest.mark.spec("A-28")
def test_following_up_completes_the_task_and_plans_the_next(world: World) -> None:
    customer = world.customer()
    first, second = utcnow() + timedelta(days=2), utcnow() + timedelta(days=9)
    world.act("write_follow_up", customer, text="初次", next_follow_up_at=first)
    world.act("call", customer, next_follow_up_at=second)
    tasks = db.session.scalars(select(Task).order_by(Task.id)).all()
    assert [(t.state, t.due_at) for t in tasks] == [(TaskState.DONE, first), (TaskState.OPEN, second)]
    assert tasks[1].owner_id == world.people["seller"].id
    db.session.refresh(customer)
    assert customer.next_follow_up_at == second


@pytest.mark.spec("A-29")
def test_a_follow_up_is_never_edited_or_deleted(world: World, login: Login) -> None:
    customer = world.customer()
    world.act("write_follow_up", customer, text="已定稿")
    (row,) = follow_ups()
    for client in (login("seller"), login("boss")):
        assert client.get(f"/follow_ups/{row.id}/edit").status_code in (403, 404)
        assert client.post(f"/follow_ups/{row.id}/edit", data={"text": "改"}).status_code in (403, 404)
        assert client.post(f"/follow_ups/{row.id}/delete").status_code in (403, 404)
        assert client.get("/follow_ups/new").status_code in (403, 404)
    assert follow_ups()[0].text == "已定稿"


class Failing:
    """A gateway that takes nothing."""

    def accept(self, message: SmsMessage) -> None:
        """Refuse."""
        raise gateways.NotAccepted("通道故障")

    def deliver(self, message: SmsMessage, number: int, now: Any) -> str:
        """Never reached."""
        raise AssertionError


@pytest.mark.spec("A-29")
@pytest.mark.parametrize(("name", "channel"), [("send_sms", Channel.SMS), ("send_message", Channel.CHAT)])
def test_what_the_gateway_does_not_take_is_no_follow_up(world: World, name: str, channel: Channel) -> None:
    customer = world.customer()
    gateways.use(channel, Failing())
    try:
        with pytest.raises(Refusal, match="通道故障"):
            world.act(name, customer)
    finally:
        gateways.use(channel, None)
    db.session.refresh(customer)
    assert follow_ups() == [] and not customer.followed
    assert db.session.scalar(select(func.count()).select_from(SmsMessage)) == 0


@pytest.mark.spec("A-27")
def test_an_accepted_sms_is_delivered_after_the_commit_and_stands_in_the_outbox_page(
    world: World, login: Login
) -> None:
    customer = world.customer()
    world.act("send_sms", customer, text="新店开业")
    assert db.session.scalars(select(SmsMessage)).one().state == SmsState.QUEUED
    for number in db.session.scalars(
        select(outbox.ROWS.c.id).where(outbox.ROWS.c.kind == "sms.deliver")
    ).all():
        outbox.deliver(db.session(), number)
    db.session.expire_all()
    assert db.session.scalars(select(SmsMessage)).one().state == SmsState.SENT
    assert "新店开业" in login("boss").get("/sms_messages/").get_data(as_text=True)


@pytest.mark.spec("A-26")
def test_a_past_next_time_is_refused_and_the_text_kept(world: World, login: Login) -> None:
    customer = world.customer()
    with pytest.raises(Invalid, match="将来的时间"):
        world.act("write_follow_up", customer, text="x", next_follow_up_at=utcnow() - timedelta(days=1))
    answer = login("seller").post(
        "/customers/action/write_follow_up",
        data={"id": customer.id, "text": "写了很多", "next_follow_up_at": "2020-01-01T09:00"},
    )
    assert answer.status_code == 400 and "写了很多" in answer.get_data(as_text=True)
    assert follow_ups() == []


@pytest.mark.spec("A-44")
def test_completing_the_measuring_task_is_one_item_of_the_service_track(world: World, login: Login) -> None:
    customer = world.customer()
    task = world.make(
        "tasks", kind=TaskKind.MEASURE, subject="上门量尺", customer_id=customer.id,
        due_at=utcnow() + timedelta(days=1),
    )  # fmt: skip
    service = select(TrackEvent).where(TrackEvent.kind == TrackKind.SERVICE, TrackEvent.title == "量尺")
    assert db.session.scalars(service).all() == []
    login("seller").post("/tasks/action/complete", data={"id": task.id, "result": "已量"})
    items = db.session.scalars(service).all()
    assert [i.customer_id for i in items] == [customer.id]
    db.session.refresh(task)
    assert task.state == TaskState.DONE


def test_the_next_follow_up_is_told_like_any_other_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Task] = []
    monkeypatch.setitem(events._subscribers, "task.created", [lambda act, task: told.append(task)])
    world.act("write_follow_up", world.customer(), text="a", next_follow_up_at=utcnow() + timedelta(days=1))
    assert [(t.kind, t.state, bool(t.id)) for t in told] == [(TaskKind.FOLLOW_UP, TaskState.OPEN, True)]


@pytest.mark.spec("A-116", "D-15")
def test_what_the_clock_changed_stands_in_the_history(
    world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_AT_ONCE", 2)
    due = utcnow() + timedelta(minutes=1)
    late = [world.make("tasks", kind=TaskKind.OTHER, subject=f"回电{n}", due_at=due) for n in range(3)]
    versions = [task.version for task in late]
    later = due + timedelta(hours=1)
    waiting = [outbox.put(db.session(), "tasks.overdue", {"slot": later.isoformat()}, now=later)]
    db.session.commit()
    while waiting:
        assert outbox.deliver(db.session(), waiting.pop(), now=later) == outbox.Outcome.DONE
        open_rows = select(outbox.ROWS.c.id).where(outbox.ROWS.c.done_at.is_(None))
        waiting = list(db.session.scalars(open_rows.where(outbox.ROWS.c.kind == "tasks.overdue")))
    db.session.expire_all()
    assert [task.state for task in late] == [TaskState.OVERDUE] * 3
    assert [task.version for task in late] == versions
    shown = words(login("seller").get(f"/tasks/{late[0].id}/history").get_data(as_text=True))
    assert "系统逾期回电0" in shown and "定时任务" in shown and "任务状态待处理已逾期" in shown


def test_a_waiting_task_becomes_overdue_by_the_clock_and_may_be_put_off(world: World) -> None:
    task = world.make(
        "tasks", kind=TaskKind.OTHER, subject="回电", due_at=utcnow() + timedelta(minutes=1)
    )  # fmt: skip
    before, later = utcnow(), utcnow() + timedelta(hours=2)
    for slot, state in ((before, TaskState.OPEN), (later, TaskState.OVERDUE)):
        slots = {"slot": slot.isoformat()}
        tasks.mark_overdue(outbox.Delivery(1, "tasks.overdue", slots, 1, later, db.session()))
        db.session.commit()
        db.session.refresh(task)
        assert task.state == state
    world.change(task, due_at=utcnow() + timedelta(days=1))
    assert task.state == TaskState.OPEN
    world.act("complete", task)
    with pytest.raises(Refusal, match="不能修改"):
        world.change(task, subject="改")


def test_open_tasks_go_with_the_customer_to_the_new_consultant(world: World) -> None:
    customer: Customer = world.customer()
    world.act("write_follow_up", customer, text="a", next_follow_up_at=utcnow() + timedelta(days=1))
    world.act("write_follow_up", customer, text="b", next_follow_up_at=utcnow() + timedelta(days=2))
    world.act("reassign", customer, by="keeper", owner=world.people["seller2"].id)
    owners = [(t.state, t.owner_id) for t in db.session.scalars(select(Task).order_by(Task.id))]
    people = world.people
    assert owners == [(TaskState.DONE, people["seller"].id), (TaskState.OPEN, people["seller2"].id)]


class Slow(gateways.OutboxPage):
    """A gateway that talks for a while."""

    def __init__(self) -> None:
        self.talking, self.go_on = threading.Event(), threading.Event()

    def deliver(self, message: SmsMessage, number: int, now: Any) -> str:
        """Wait for a sign."""
        self.talking.set()
        assert self.go_on.wait(10)
        return f"slow-{message.text}"


class Broken(gateways.OutboxPage):
    """A gateway that accepts and then cannot be reached."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def deliver(self, message: SmsMessage, number: int, now: Any) -> str:
        """Fail."""
        raise self.error


def sms_row() -> int:
    """The outbox row of the newest message."""
    db.session.rollback()
    rows = select(func.max(outbox.ROWS.c.id)).where(outbox.ROWS.c.kind == "sms.deliver")
    return db.session.scalar(rows) or 0


@pytest.mark.spec("A-27")
def test_nobody_waits_while_a_gateway_talks(app: Flask, world: World) -> None:
    customer = world.customer()
    world.act("send_sms", customer, text="新店开业")
    row, slow, outcomes = sms_row(), Slow(), []

    def work() -> None:
        with app.app_context():
            outcomes.append(outbox.deliver(db.session(), row))
            db.session.remove()

    gateways.use(Channel.SMS, slow)
    try:
        db.session.remove()
        thread = threading.Thread(target=work)
        thread.start()
        assert slow.talking.wait(10)
        world.customer()  # a second writer: with the lock held it would wait until the end
        slow.go_on.set()
        thread.join()
    finally:
        gateways.use(Channel.SMS, None)
    assert outcomes == [outbox.Outcome.DONE]
    message = db.session.scalars(select(SmsMessage)).one()
    assert (message.state, message.reference) == (SmsState.SENT, "slow-新店开业")


@pytest.mark.spec("A-29")
@pytest.mark.parametrize("error", [ConnectionError("线路不通"), gateways.NotAccepted("空号")])
def test_a_message_that_never_arrives_is_no_follow_up(world: World, error: Exception) -> None:
    customer = world.customer()
    earlier = utcnow() - timedelta(days=1)
    perform(
        next(a for a in resource("customers").actions if a.name == "write_follow_up"),
        [customer.id], world.actor("seller"), {"text": "初次"}, now=earlier,
    )  # fmt: skip
    db.session.refresh(customer)
    score = customer.activity_score
    world.act("send_sms", customer, text="新店开业")
    row, now = sms_row(), utcnow()
    gateways.use(Channel.SMS, Broken(error))
    try:
        for _ in range(outbox.MAX_ATTEMPTS):
            outbox.deliver(db.session(), row, now=now)
            now += timedelta(hours=7)
    finally:
        gateways.use(Channel.SMS, None)
    db.session.rollback()
    message = db.session.scalars(select(SmsMessage)).one()
    assert message.state == SmsState.FAILED and str(error) in (message.error or "")
    assert [f.text for f in follow_ups()] == ["初次"]
    found = db.session.get_one(Customer, customer.id)
    assert (found.last_follow_up_at, found.last_follow_up_text) == (earlier, "手动填写跟进 · 初次")
    assert found.activity_score == score
    assert [
        e.title for e in db.session.scalars(select(TrackEvent).where(TrackEvent.kind == TrackKind.FOLLOW_UP))
    ] == ["手动填写跟进"]
    (duty,) = db.session.scalars(select(Task))
    assert (duty.state, duty.kind, duty.owner_id) == (TaskState.OPEN, TaskKind.FOLLOW_UP, found.owner_id)
    assert found.next_follow_up_at == duty.due_at
    said = (
        select(AuditEntry.action_label)
        .where(AuditEntry.resource == "customers")
        .order_by(AuditEntry.id.desc())
    )
    assert db.session.scalars(said.limit(1)).one() == "短信发送失败"


def test_a_task_past_its_time_is_overdue_in_every_word(world: World, login: Login) -> None:
    """Rows, tabs and the page of the task tell one story, also before the clock has come round."""
    customer, now = world.customer(), utcnow()
    form = {"text": "a", "next_follow_up_at": now - timedelta(minutes=5), "now": now - timedelta(days=1)}
    world.act("write_follow_up", customer, **form)
    task = db.session.scalars(select(Task)).one()
    assert task.state == TaskState.OPEN
    client = login("seller")
    for path in ("/tasks/?view=overdue", f"/tasks/{task.id}", f"/customers/{customer.id}"):
        page = client.get(path).get_data(as_text=True)
        assert ">已逾期</span>" in page and "已逾期 5 分钟" in page and "待处理</span>" not in page, path
    assert "已过时间" in client.get("/").get_data(as_text=True)


def test_what_was_due_earlier_today_is_among_todays(world: World) -> None:
    """At noon, with one task due in the morning, one in the evening and one yesterday."""
    noon = local_day(local(utcnow()).date()) + timedelta(hours=12)
    for hours in (-3, 3, -24):
        due = noon + timedelta(hours=hours)
        world.act(
            "write_follow_up", world.customer(), text="a", next_follow_up_at=due, now=due - timedelta(days=9)
        )
    today = next(v for v in Tasks.views if v.name == "today")
    found = db.session.scalars(select(Task.due_at).where(today.where(noon)).order_by(Task.due_at))
    assert list(found) == [noon - timedelta(hours=3), noon + timedelta(hours=3)]


def test_an_old_record_does_not_call_its_next_time_late(world: World, login: Login) -> None:
    customer, now = world.customer(), utcnow()
    planned = now - timedelta(days=3)
    world.act("write_follow_up", customer, text="a", next_follow_up_at=planned, now=now - timedelta(days=5))
    world.act("write_follow_up", customer, text="b", next_follow_up_at=now + timedelta(days=5))
    page = login("seller").get("/follow_ups/").get_data(as_text=True)
    assert f">{local(planned):%Y-%m-%d %H:%M}</td>" in page and "已超时" not in page
