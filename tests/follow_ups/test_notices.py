"""定时提醒 and what task owners hear at once: who, when, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.engine import clock, outbox, sweeping
from app.engine.database import db
from jobs.schedule import Clock
from models.follow_ups import notices
from models.follow_ups.tables import Task, TaskKind
from models.notifications import hourly
from models.notifications.tables import NoticeEvent, NoticeKind, Notification
from tests.customers.world import World
from tests.plugins.people import Login
from tests.spec.reading import page, rows

MORNING = datetime(2026, 11, 2, 0, 0)  # 08:00 in China
NIGHT = MORNING - timedelta(hours=10)


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other schedule runs in these days."""
    kept = {n: t for n, t in clock.schedules().items() if n in ("notices.daily", "notices.hourly")}
    monkeypatch.setattr(clock, "_schedules", kept)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the time at which pages are read."""

    def at(moment: datetime) -> None:
        for name in ("app.engine.views", "app.engine.chrome", "views.notifications"):
            monkeypatch.setattr(f"{name}.utcnow", lambda: moment)

    return at


def task(world: World, due_at: datetime, subject: str = "", owner: str = "seller", **more: Any) -> Task:
    """A duty given some days ago."""
    more.setdefault("customer_id", world.customer(owner, now=NIGHT - timedelta(days=9)).id)
    return world.make(
        "tasks", owner, now=NIGHT - timedelta(days=8), kind=TaskKind.OTHER, due_at=due_at,
        subject=subject or f"事项{due_at:%m%d%H}", owner_id=world.people[owner].id, **more,
    )  # fmt: skip


def tick(moment: datetime, run_outbox: Callable[..., None], *, clocks: int = 1) -> None:
    """One or more clocks, which remember nothing, tick at that time; then workers do what is due."""
    for _ in range(clocks):
        Clock().tick(moment)
    run_outbox(now=moment)


def messages(kind: NoticeKind = NoticeKind.DAILY) -> list[Notification]:
    """All messages of that kind, in order."""
    found = select(Notification).where(Notification.kind == kind)
    return list(db.session.scalars(found.order_by(Notification.id)))


def groups(message: Notification) -> list[tuple[str, int]]:
    """Names and numbers of its groups."""
    return [(g["name"], g["amount"]) for g in message.groups or ()]


@pytest.mark.spec("A-36")
def test_two_waiting_and_one_overdue_are_one_message_in_two_groups(
    world: World, login: Login, run_outbox: Any, frozen: Any
) -> None:
    late = task(world, MORNING - timedelta(hours=1), "逾期一项")
    soon = [task(world, MORNING + timedelta(hours=h), f"今天{h}") for h in (0, 15)]
    task(world, MORNING + timedelta(hours=16), "明天零点")
    done = task(world, MORNING + timedelta(hours=2), "已做")
    world.act("complete", done)
    tick(NIGHT, run_outbox)
    tick(MORNING, run_outbox)
    (message,) = messages()
    assert message.user_id == world.people["seller"].id
    assert groups(message) == [("待跟进", 2), ("超时跟进", 1)] and message.amount == 3
    assert message.title == "08:00 定时提醒：待跟进 2 项，超时跟进 1 项"
    frozen(MORNING)
    client = login("seller")
    shown = page(client, f"/notifications/{message.id}")
    for found in (late, *soon):
        assert f'href="/tasks/{found.id}"' in shown
    lists = re.findall(r'href="(/tasks/\?[^"]*)"', shown)
    listed = [rows(page(client, a.replace("&amp;", "&"))) for a in lists]
    assert [len(found) for found in listed] == [2, 1] and "逾期一项" in listed[1][0]
    assert "今天0" in listed[0][0] and "今天15" in listed[0][1]


@pytest.mark.spec("A-36")
def test_it_comes_at_eight_in_the_morning_and_in_the_evening(world: World, run_outbox: Any) -> None:
    task(world, MORNING + timedelta(days=9), owner="seller2")
    task(world, MORNING - timedelta(days=1))
    for hour in range(-10, 40):
        tick(MORNING + timedelta(hours=hour), run_outbox)
    assert [m.title[:5] for m in messages()] == ["08:00", "20:00"] * 2


@pytest.mark.spec("A-39")
def test_a_missed_run_is_made_up_for_once_whoever_ticks(world: World, run_outbox: Any) -> None:
    """Down at 08:00, up again at 08:03, with two clocks: one message per person, none later."""
    task(world, MORNING - timedelta(days=1))
    task(world, MORNING - timedelta(days=1), owner="seller2")
    tick(NIGHT, run_outbox)
    for minute in range(3, 9):
        tick(MORNING + timedelta(minutes=minute), run_outbox, clocks=2)
    assert sorted(m.user_id for m in messages()) == [world.people[n].id for n in ("seller", "seller2")]
    assert {m.key for m in messages()} == {"daily:2026-11-02T00:00:00"}


@pytest.mark.spec("A-39")
def test_who_has_nothing_is_sent_nothing(world: World, run_outbox: Any) -> None:
    task(world, MORNING + timedelta(days=2))
    gone = task(world, MORNING - timedelta(days=1), owner="seller2")
    task(world, MORNING - timedelta(days=1), owner="drawer")
    world.act("invalidate", _customer(gone), "boss")
    world.act("deactivate", world.people["drawer"], "boss")
    tick(NIGHT, run_outbox)
    tick(MORNING, run_outbox)
    assert messages() == []


def _customer(found: Task) -> Any:
    from models.customers.tables import Customer

    return db.session.get_one(Customer, found.customer_id)


@pytest.mark.spec("A-39")
def test_after_a_handover_the_new_owner_gets_them(world: World, run_outbox: Any) -> None:
    found = task(world, MORNING - timedelta(hours=1))
    world.act("reassign", _customer(found), "boss", owner=world.people["seller2"].id)
    tick(NIGHT, run_outbox)
    tick(MORNING, run_outbox)
    assert [m.user_id for m in messages()] == [world.people["seller2"].id]


@pytest.mark.spec("A-40")
def test_an_unanswered_strong_reminder_is_overdue_until_somebody_follows_up(
    world: World, run_outbox: Any
) -> None:
    start = MORNING - timedelta(hours=20)
    customer = world.customer(now=start)
    at = MORNING + timedelta(hours=7)
    world.act("write_follow_up", customer, now=start, text="约了时间", next_follow_up_at=at)
    tick(NIGHT, run_outbox)
    for hour in (0, 12, 24):
        tick(MORNING + timedelta(hours=hour), run_outbox)
    assert [groups(m) for m in messages()] == [[("待跟进", 1)], [("超时跟进", 1)], [("超时跟进", 1)]]
    world.act("write_follow_up", customer, now=MORNING + timedelta(hours=25), text="联系上了")
    tick(MORNING + timedelta(hours=36), run_outbox)
    assert len(messages()) == 3


def test_many_tasks_are_counted_and_the_first_are_listed(world: World, login: Login, run_outbox: Any) -> None:
    customer = world.customer(now=NIGHT - timedelta(days=9))
    for n in range(notices.LINES + 5):
        task(world, MORNING - timedelta(hours=n + 1), f"第{n}项", customer_id=customer.id)
    tick(NIGHT, run_outbox)
    tick(MORNING, run_outbox)
    (message,) = messages()
    assert groups(message) == [("超时跟进", notices.LINES + 5)]
    assert next(i["title"] for i in message.items or ()) == f"第{notices.LINES + 4}项"
    assert "另有 5 项" in page(login("seller"), f"/notifications/{message.id}")


def test_a_worker_killed_in_the_middle_loses_nobody_and_tells_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of one person each; the worker dies in the second, after its message was written."""
    for name in ("seller", "seller2", "drawer"):
        task(world, MORNING - timedelta(hours=1), owner=name)
    monkeypatch.setattr(hourly, "AT_ONCE", 1)
    real, calls = notices.notify_many, []

    def dying(*args: Any) -> Any:
        calls.append(real(*args))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(notices, "notify_many", dying)
    Clock().tick(NIGHT)
    Clock().tick(MORNING)
    for again in range(3):
        moment = MORNING + timedelta(minutes=5 * again)
        for row_id in list(db.session.scalars(select(outbox.OutboxRow.id).order_by(outbox.OutboxRow.id))):
            try:
                outbox.deliver(db.session(), row_id, now=moment)
            except KeyboardInterrupt:
                db.session.rollback()
    assert sorted(m.user_id for m in messages()) == sorted(
        world.people[n].id for n in ("seller", "seller2", "drawer")
    )
    assert len(calls) == 4


# ----- at once


def instant(world: World, user: str) -> list[Notification]:
    """That person's messages pushed at once."""
    mine = Notification.user_id == world.people[user].id, Notification.kind == NoticeKind.INSTANT
    return list(db.session.scalars(select(Notification).where(*mine).order_by(Notification.id)))


@pytest.mark.spec("A-38")
def test_a_rescheduled_task_is_told_its_owner_at_once_and_the_click_opens_it(
    world: World, login: Login
) -> None:
    customer = world.customer(name="张三")
    found = task(world, MORNING, "量尺", customer_id=customer.id)
    login("boss").post(
        f"/tasks/{found.id}/edit",
        data={"subject": "量尺", "due_at": "2026-12-01T10:00", "owner_id": found.owner_id, "version": "1"},
    )
    (message,) = instant(world, "seller")
    assert message.title == "总管将任务“量尺”（客户张三）改约至2026-12-01 10:00"
    assert login("seller").get(f"/notifications/{message.id}").location == f"/tasks/{found.id}"
    assert instant(world, "boss") == []


@pytest.mark.spec("A-38")
def test_the_own_deed_is_no_news(world: World) -> None:
    found = task(world, MORNING)
    world.change(found, "seller", subject="改名", version=found.version)
    world.act("cancel", found)
    assert instant(world, "seller") == []


@pytest.mark.spec("A-38", "A-73")
def test_changed_cancelled_and_given_tasks_are_told(world: World) -> None:
    customer = world.customer(designer_id=world.people["drawer"].id)
    found = [task(world, MORNING, f"任务{n}", customer_id=customer.id) for n in range(3)]
    db.session.execute(delete(Notification))  # the file was told; that is not what is asked here
    db.session.commit()
    world.change(found[0], "boss", subject="新名称")
    world.act("cancel", found[1], "boss")
    world.act("change_owner", [found[0], found[2]], "boss", owner=world.people["seller2"].id)
    assert [m.title for m in instant(world, "seller")] == [
        "总管修改了任务“任务0”（客户张女士）",
        "总管取消了任务“任务1”（客户张女士）",
        "总管将您的2项任务转给了导购乙",
    ]
    assert [m.title for m in instant(world, "seller2")] == ["总管将2项任务交给您"]
    assert [m.title for m in instant(world, "drawer")] == [
        "总管修改了任务“任务0”（客户张女士）", "总管取消了任务“任务1”（客户张女士）",
    ]  # fmt: skip


# ----- on the hour


@pytest.mark.spec("A-37")
def test_two_tasks_and_an_online_lead_are_one_summary_at_the_full_hour(
    world: World, run_outbox: Any, login: Login
) -> None:
    ten = MORNING + timedelta(hours=2)
    tick(ten, run_outbox)
    for minute, subject in ((5, "甲"), (40, "乙")):
        world.make(
            "tasks", "boss", now=ten + timedelta(minutes=minute), kind=TaskKind.OTHER, subject=subject,
            due_at=ten + timedelta(days=1), owner_id=world.people["seller"].id,
            customer_id=world.customer().id,
        )  # fmt: skip
    _lead(world, ten + timedelta(minutes=20))
    tick(ten + timedelta(minutes=59), run_outbox)
    assert messages(NoticeKind.HOURLY) == []
    tick(ten + timedelta(hours=1), run_outbox, clocks=2)
    (message,) = messages(NoticeKind.HOURLY)
    assert message.user_id == world.people["seller"].id
    assert groups(message) == [("新任务", 2), ("线上引流", 1)] and message.amount == 3
    assert message.title == "11:00 整点提醒：新任务 2 项，线上引流 1 项"
    assert [i["note"] for i in message.items or ()] == ["10:05", "10:40", "10:20"]
    shown = page(login("seller"), f"/notifications/{message.id}")
    assert "任务“甲”" in shown and "访客小王" in shown and "/contacts/" in shown
    for hour in range(2, 6):
        tick(ten + timedelta(hours=hour), run_outbox)
    assert len(messages(NoticeKind.HOURLY)) == 1 and db.session.scalar(select(NoticeEvent.id)) is None


def _lead(world: World, at: datetime) -> None:
    from models.customers.track import InboundKind

    world.make(
        "inbound_events", "boss", now=at, kind=InboundKind.VISITOR, sender="mini", event_id="e1",
        outside_id="wx-0001", name="访客小王", employee_id=world.people["seller"].id,
    )  # fmt: skip


@pytest.mark.spec("A-37", "A-39")
def test_hours_missed_while_everything_was_down_are_told_once(world: World, run_outbox: Any) -> None:
    ten = MORNING + timedelta(hours=2)
    tick(ten, run_outbox)
    _lead(world, ten + timedelta(minutes=20))
    back = ten + timedelta(hours=5, minutes=7)
    for minute in range(3):
        tick(back + timedelta(minutes=minute), run_outbox, clocks=2)
    (message,) = messages(NoticeKind.HOURLY)
    assert message.title.startswith("15:00 整点提醒") and message.amount == 1


@pytest.mark.spec("A-39")
def test_days_with_two_clocks_and_three_workers_tell_each_slot_once(world: World, run_outbox: Any) -> None:
    """Three simulated days in steps of an odd number of minutes, the clocks down for a night."""
    task(world, MORNING - timedelta(days=1))
    moment = NIGHT
    clocks = [Clock(), Clock()]
    while moment < MORNING + timedelta(days=3):
        down = MORNING + timedelta(hours=35) < moment < MORNING + timedelta(hours=49)
        for ticking in () if down else clocks:
            ticking.tick(moment)
        waiting = select(outbox.OutboxRow.id).where(outbox.OutboxRow.done_at.is_(None))
        for _worker in range(3):
            for row_id in list(db.session.scalars(waiting)):
                outbox.deliver(db.session(), row_id, now=moment)
        moment += timedelta(minutes=37)
    keys = [m.key for m in messages()]
    assert keys == [f"daily:2026-11-0{day}T{hour}:00:00" for day, hour in _SLOTS]


_SLOTS = [(2, "00"), (2, "12"), (3, "00"), (4, "00"), (4, "12")]
"""The evening of the third was slept through: the morning after is made up for instead, the newest only."""


@pytest.fixture
def down(app: Flask, redis_url: str) -> Iterator[None]:
    """Redis does not answer."""
    from app.engine import queue
    from jobs import worker

    before = queue.current()
    queue.connect(app, worker.RedisQueue("redis://127.0.0.1:1/0"))
    yield
    queue.connect(app, before)


@pytest.mark.spec("A-39")
def test_with_redis_down_all_day_clicks_work_and_everything_is_told_afterwards(
    app: Flask, world: World, login: Login, drain_queue: Any, down: None
) -> None:
    from app.engine import queue
    from jobs import worker

    found = task(world, MORNING - timedelta(hours=1), "量尺")
    Clock().tick(NIGHT)
    Clock().tick(MORNING)
    given = {"id": found.id, "owner": world.people["seller2"].id}
    assert login("boss").post("/tasks/action/change_owner", data=given).status_code == 302
    assert len(instant(world, "seller")) == 1 and messages() == []
    queue.connect(app, worker.RedisQueue(app.config["REDIS_URL"]))
    for _ in range(3):  # the slot puts its parts, which are rows of their own
        sweeping.sweep(db.session())
        drain_queue()
    assert [m.user_id for m in messages()] == [world.people["seller2"].id]


def test_the_list_a_summary_opens_is_a_tab_only_while_it_is_open(world: World, login: Login) -> None:
    from tests.spec.reading import links

    client = login("seller")
    assert "待跟进" not in links(page(client, "/tasks/"), "视图")
    assert "待跟进" in links(page(client, "/tasks/?view=later"), "视图")
