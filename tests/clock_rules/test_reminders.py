"""The reminders every dealer starts with: default after 7 days, strong at its minute (A-31…A-35, A-39, A-40)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.scopes import SYSTEM
from app.setup import install
from jobs.schedule import Clock
from models.clock_rules.queries import LISTED
from models.clock_rules.tables import ClockFiring, ClockRule
from models.customers.tables import Stage
from models.follow_ups.tables import Task, TaskState
from models.notifications.tables import NoticeKind, Notification
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World, words

Told = Callable[..., list[Notification]]
Reminded = Callable[..., list[str]]


@pytest.mark.spec("A-31")
def test_nothing_until_the_seventh_day_after_a_follow_up(
    world: World, times: Times, reminded: Reminded
) -> None:
    customer = world.customer(now=at("2026-02-20 10:00"))
    times.tick("2026-02-28 23:00")
    world.act("write_follow_up", customer, text="已联系", now=at("2026-03-01 15:30"))
    times.days("2026-03-02", "2026-03-07")
    assert reminded(customer) == []
    times.tick("2026-03-08 07:59")
    assert reminded(customer) == []
    times.tick("2026-03-08 08:00")
    assert reminded(customer) == ["03-08 08:00"]


@pytest.mark.spec("A-32")
def test_without_a_follow_up_the_filing_day_counts(world: World, times: Times, reminded: Reminded) -> None:
    times.tick("2026-03-01 08:00")
    customer = world.customer(now=at("2026-03-01 23:40"))
    times.days("2026-03-02", "2026-03-08")
    assert reminded(customer) == ["03-08 08:00"]


@pytest.mark.spec("A-33")
def test_from_the_eighth_day_every_day_until_somebody_follows_up(
    world: World, times: Times, reminded: Reminded
) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-11")
    assert reminded(customer) == ["03-08 08:00", "03-09 08:00", "03-10 08:00", "03-11 08:00"]
    world.act("call", customer, now=at("2026-03-11 10:00"))
    times.days("2026-03-12", "2026-03-19")
    assert reminded(customer)[4:] == ["03-18 08:00", "03-19 08:00"]


@pytest.mark.spec("A-34")
def test_a_time_set_by_hand_is_reminded_at_its_minute_once(
    world: World, times: Times, told: Told, login: Any
) -> None:
    customer = world.customer(now=at("2026-03-10 09:00"))
    times.tick("2026-03-10 12:00")
    world.act(
        "write_follow_up", customer, text="约好了", now=at("2026-03-10 12:10"),
        next_follow_up_at=at("2026-03-15 14:30"),
    )  # fmt: skip
    times.tick("2026-03-15 14:29")
    assert told(NoticeKind.STRONG) == []
    for minute in ("14:30", "14:31", "15:00"):
        times.tick(f"2026-03-15 {minute}")
    (message,) = told(NoticeKind.STRONG)
    assert message.user_id == world.people["seller"].id
    assert message.created_at == at("2026-03-15 14:30")
    assert message.title == "约定跟进：张女士" and "2026-03-15 14:30" in message.text
    assert (message.resource, message.record_id) == ("customers", customer.id)
    assert "张女士" in login("seller").get(f"/{message.resource}/{message.record_id}").get_data(as_text=True)


@pytest.mark.spec("A-35")
def test_a_strong_reminder_stands_alone(world: World, times: Times, told: Told, reminded: Reminded) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    strong = at("2026-03-21 10:00")
    world.act("write_follow_up", customer, text="以后", now=at("2026-03-01 09:05"), next_follow_up_at=strong)
    times.days("2026-03-02", "2026-03-21")
    assert reminded(customer) == [] and told(NoticeKind.STRONG) == []
    times.tick("2026-03-21 10:00")
    assert [n.record_id for n in told(NoticeKind.STRONG)] == [customer.id]
    assert reminded(customer) == []


@pytest.mark.spec("A-40")
def test_an_unanswered_strong_reminder_is_overdue_and_brings_no_daily_one(
    world: World, times: Times, told: Told, reminded: Reminded
) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    strong = at("2026-03-03 15:00")
    world.act("write_follow_up", customer, text="约", now=at("2026-03-01 09:05"), next_follow_up_at=strong)
    for moment in ("2026-03-03 15:00", "2026-03-03 20:00"):
        times.tick(moment)
    (task,) = db.session.scalars(select(Task))
    assert (task.state, task.due_at) == (TaskState.OVERDUE, strong)
    times.days("2026-03-04", "2026-03-20")
    assert reminded(customer) == [] and len(told(NoticeKind.STRONG)) == 1
    world.act("write_follow_up", customer, text="已联系", now=at("2026-03-20 11:00"))
    db.session.refresh(task)
    assert task.state == TaskState.DONE
    times.days("2026-03-21", "2026-03-28")
    assert reminded(customer) == ["03-27 08:00", "03-28 08:00"]


@pytest.mark.spec("A-34")
def test_a_strong_reminder_moves_with_its_task(world: World, times: Times, told: Told) -> None:
    customer = world.customer(now=at("2026-12-10 09:00"))
    times.tick("2026-12-10 12:00")
    world.act(
        "write_follow_up", customer, text="约好了", now=at("2026-12-10 12:10"),
        next_follow_up_at=at("2026-12-15 14:30"),
    )  # fmt: skip
    (task,) = db.session.scalars(select(Task))
    world.change(task, "boss", due_at=at("2026-12-16 09:00"))
    db.session.refresh(customer)
    assert customer.next_follow_up_at == at("2026-12-16 09:00")
    times.tick("2026-12-15 14:30")
    assert told(NoticeKind.STRONG) == []
    times.tick("2026-12-16 09:00")
    assert [n.record_id for n in told(NoticeKind.STRONG)] == [customer.id]


@pytest.mark.spec("A-40")
def test_without_its_task_a_strong_reminder_silences_nothing(
    world: World, times: Times, told: Told, reminded: Reminded
) -> None:
    times.tick("2026-12-01 07:00")
    customer = world.customer(now=at("2026-12-01 09:00"))
    world.act(
        "write_follow_up", customer, text="约", now=at("2026-12-01 09:05"),
        next_follow_up_at=at("2026-12-03 15:00"),
    )  # fmt: skip
    world.act("cancel", db.session.scalars(select(Task)).one(), now=at("2026-12-02 10:00"))
    times.days("2026-12-03", "2026-12-09")
    assert told(NoticeKind.STRONG) == []
    assert reminded(customer) == ["12-08 08:00", "12-09 08:00"]


@pytest.mark.spec("A-39")
def test_days_are_those_of_china(world: World, times: Times, reminded: Reminded) -> None:
    """Filed at 00:30 in China it is still the day before in UTC."""
    times.tick("2026-03-01 08:00")
    late = world.customer(now=at("2026-03-02 00:30"))
    times.days("2026-03-02", "2026-03-09")
    assert reminded(late) == ["03-09 08:00"]


@pytest.mark.spec("A-39")
@pytest.mark.parametrize("end", ["invalid", "lost"])
def test_nobody_is_reminded_of_lost_and_invalid_customers(
    world: World, times: Times, reminded: Reminded, told: Told, end: str
) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    alive = world.customer(now=at("2026-03-01 09:00"))
    if end == "invalid":
        world.act("invalidate", customer, now=at("2026-03-07 10:00"))
    else:
        order = world.order(customer)
        world.act("lose", order, now=at("2026-03-07 10:00"), reason="价格")
        db.session.refresh(customer)
        assert customer.stage == Stage.LOST
    times.days("2026-03-08", "2026-03-10")
    assert reminded(customer) == [] and len(reminded(alive)) == 3


@pytest.mark.spec("A-39")
def test_after_a_handover_the_new_owner_is_reminded(world: World, times: Times, reminded: Reminded) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-08")
    world.act("reassign", customer, "boss", owner=world.people["seller2"].id, now=at("2026-03-08 12:00"))
    times.days("2026-03-09", "2026-03-10")
    assert reminded(customer, "seller") == ["03-08 08:00"]
    assert reminded(customer, "seller2") == ["03-09 08:00", "03-10 08:00"]


@pytest.mark.spec("A-39")
def test_a_run_missed_while_the_server_was_down_is_sent_once(world: World, times: Times, told: Told) -> None:
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-08 07:50")
    for moment in ("08:03", "08:04", "08:30", "12:00"):
        times.tick(f"2026-03-08 {moment}", clock=Clock())
    (message,) = told(NoticeKind.DEFAULT)
    assert message.created_at == at("2026-03-08 08:03") and message.amount == 1


@pytest.mark.spec("A-39")
def test_who_has_nothing_due_gets_no_message(world: World, times: Times, told: Told) -> None:
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-08")
    assert {n.user_id for n in told(NoticeKind.DEFAULT)} == {world.people["seller"].id}


def test_one_message_lists_all_that_is_due(world: World, times: Times, told: Told, login: Any) -> None:
    times.tick("2026-03-01 07:00")
    followed = world.customer(name="王先生", now=at("2026-02-01 09:00"))
    world.act("call", followed, now=at("2026-03-01 09:00"))
    filed = [world.customer(name=f"客户{n}", now=at("2026-03-01 09:00")) for n in range(3)]
    times.tick("2026-03-08 08:00")
    (message,) = told(NoticeKind.DEFAULT, world.people["seller"])
    assert message.title == "有4位客户需要跟进" and message.amount == 4
    assert {i["id"] for i in message.items or ()} == {followed.id, *(c.id for c in filed)}
    assert {i["group"] for i in message.items or ()} == {"跟进满7天", "建档满7天未跟进"}


def test_customers_and_contacts_stand_in_one_message(
    world: World, times: Times, told: Told, rule: Callable[..., object]
) -> None:
    rule(name="潜客满1天", subject="contacts", amount=1, at="08:00", start="filed", effect="remind")
    times.tick("2026-03-07 20:00")
    world.customer(now=at("2026-03-01 09:00"))
    contact = world.contact()
    with acting(db.session()):
        contact.created_at = at("2026-03-07 09:00")
        db.session.commit()
    times.tick("2026-03-08 08:00")
    (message,) = told(NoticeKind.DEFAULT, world.people["seller"])
    assert message.title == "有1位客户、1位潜客需要跟进" and message.amount == 2
    assert {i["resource"] for i in message.items or ()} == {"customers", "contacts"}


def test_what_is_overdue_for_long_is_counted_and_the_newest_listed(
    world: World, times: Times, told: Told
) -> None:
    times.tick("2026-03-30 07:00")
    for n in range(LISTED + 3):
        world.customer(name=f"客户{n}", now=at(f"2026-03-{n % 20 + 1:02d} 09:00"))
    times.tick("2026-03-30 08:00")
    (message,) = told(NoticeKind.DEFAULT)
    assert message.amount == LISTED + 3 and len(message.items or ()) == LISTED


def test_a_contact_with_a_time_set_by_hand_is_reminded(world: World, times: Times, told: Told) -> None:
    contact = world.contact()
    times.tick("2026-12-01 10:00")
    world.act(
        "write_follow_up", contact, text="问过", now=at("2026-12-01 10:05"),
        next_follow_up_at=at("2026-12-03 16:00"),
    )  # fmt: skip
    times.tick("2026-12-03 16:00")
    assert [(n.resource, n.record_id) for n in told(NoticeKind.STRONG)] == [("contacts", contact.id)]


def test_presets_are_installed_once_and_stay_as_they_were_changed(world: World) -> None:
    amount = db.session.scalar(select(func.count()).select_from(ClockRule))
    preset = db.session.scalars(select(ClockRule).where(ClockRule.code == "customers.since_filed")).one()
    world_rule = preset.id
    with acting(db.session()):
        preset.active = False
        db.session.commit()
    install()
    assert db.session.scalar(select(func.count()).select_from(ClockRule)) == amount
    assert db.session.get_one(ClockRule, world_rule).active is False
    assert SYSTEM.system and db.session.scalar(select(func.count()).select_from(ClockFiring)) == 0


def test_messages_hold_no_phone(world: World, times: Times, told: Told) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    world.act("call", customer, now=at("2026-03-01 09:05"), next_follow_up_at=at("2026-03-02 10:00"))
    other = world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-02 10:00")
    times.tick("2026-03-08 08:00")
    said = "".join(
        words(f"{n.title}{n.text}{n.items}") for k in NoticeKind for n in told(k) if k != NoticeKind.INSTANT
    )
    assert customer.name in said
    assert customer.phone not in said and other.phone not in said
