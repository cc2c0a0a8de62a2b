"""What later domains ask of the clock works as mere rows: levels, pool release, end dates, birthdays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.engine import audit
from app.engine.actions import Act
from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.localtime import local
from app.engine.perform import update as save
from models.clock_rules import occurrences, subjects
from models.clock_rules.book import rules_in_force
from models.clock_rules.resources import ClockRules
from models.clock_rules.subjects import Effect, Fired, declare_effect
from models.clock_rules.tables import ClockFiring, Direction, Repeat, Unit
from models.customers.tables import Customer
from models.follow_ups.tables import Task, TaskKind, TaskState
from models.notifications.tables import NoticeKind, Notification
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World

Rule = Callable[..., Any]
Told = Callable[..., list[Notification]]


def level(value: str) -> dict[str, Any]:
    """Customers of that level, as a form would store it."""
    return {"of": "customers", "where": {"all": [{"field": "level", "is": "is", "value": [value]}]}}


def tasks() -> list[Task]:
    """All tasks, oldest first."""
    return list(db.session.scalars(select(Task).order_by(Task.id)))


def fired() -> list[ClockFiring]:
    """All firings, oldest first."""
    return list(db.session.scalars(select(ClockFiring).order_by(ClockFiring.id)))


def retain(customer: Customer, day: date) -> None:
    """Give a customer the day that stands for a birthday, a purchase or the end of a policy here."""
    with audit.acting(db.session()):
        customer.retained_since = day
        db.session.commit()


@pytest.mark.spec("D-193")
def test_a_level_cadence_makes_a_task(world: World, times: Times, rule: Rule) -> None:
    for name, days in (("A", 3), ("B", 7)):
        rule(
            name=f"{name}级回访", condition=level(name), start="last_follow_up", amount=days, at="08:00",
            effect="make_task", parameters={"subject": "回访", "kind": "follow_up"},
        )  # fmt: skip
    times.tick("2026-03-01 07:00")
    keen = world.customer(name="王先生", level="A", now=at("2026-03-01 09:00"))
    cool = world.customer(name="李先生", level="B", now=at("2026-03-01 09:00"))
    for customer in (keen, cool):
        world.act("call", customer, now=at("2026-03-01 10:00"))
    times.days("2026-03-02", "2026-03-03")
    assert tasks() == []
    times.tick("2026-03-04 08:00")
    (task,) = tasks()
    assert (task.subject, task.kind, task.state) == ("回访王先生", TaskKind.FOLLOW_UP, TaskState.OPEN)
    assert (task.customer_id, task.owner_id) == (keen.id, world.people["seller"].id)
    assert (task.due_at, task.store_id) == (at("2026-03-04 08:00"), keen.store_id)
    times.days("2026-03-05", "2026-03-08")
    assert [t.customer_id for t in tasks()] == [keen.id, cool.id]
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "tasks", AuditEntry.record_id == task.id)
    ).first()
    assert entry is not None and (entry.action_label, entry.source.value) == ("新增", "timer")
    assert entry.changes["fields"]["subject"] == [None, "回访王先生"]
    assert entry.actor_name == "系统"


@pytest.mark.spec("D-193")
def test_a_task_made_ahead_keeps_its_date_when_the_number_changes(
    world: World, times: Times, rule: Rule
) -> None:
    """Made on the day of the follow-up for three days later; four days hold for those made afterwards."""
    cadence = rule(
        condition=level("A"), start="last_follow_up", amount=3, ahead_days=3, at="20:00", effect="make_task"
    )
    times.tick("2026-03-01 07:00")
    first, second = (world.customer(level="A", now=at("2026-03-01 09:00")) for _ in range(2))
    world.act("call", first, now=at("2026-03-01 10:00"))
    times.tick("2026-03-01 20:00")
    assert [t.due_at for t in tasks()] == [at("2026-03-04 20:00")]
    save(ClockRules, cadence.id, {"amount": 4, "ahead_days": 4}, world.actor("boss"), answers=("touch",))
    world.act("call", second, now=at("2026-03-02 10:00"))
    times.tick("2026-03-02 20:00")
    assert [t.due_at for t in tasks()] == [at("2026-03-04 20:00"), at("2026-03-06 20:00")]


def test_no_second_task_where_one_waits(world: World, times: Times, rule: Rule) -> None:
    rule(condition=level("A"), amount=1, at="08:00", effect="make_task")
    times.tick("2026-03-01 07:00")
    customer = world.customer(level="A", now=at("2026-03-01 09:00"))
    world.act("call", customer, now=at("2026-03-01 10:00"), next_follow_up_at=at("2026-03-09 10:00"))
    times.days("2026-03-02", "2026-03-03")
    assert [t.due_at for t in tasks()] == [at("2026-03-09 10:00")]


@pytest.fixture
def release(app: Any) -> Iterator[str]:
    """An effect that a later domain will declare: customers go to the pool, in one statement."""

    def run(act: Act, due: Fired) -> None:
        ids = list(act.session.scalars(select(due.rows.subquery().c.record_id)))
        for customer in act.session.scalars(select(Customer).where(Customer.id.in_(ids))):
            audit.log(act, customer, "流入公海", {"owner_id": (customer.owner_id, None)})
        act.session.execute(
            update(Customer).where(Customer.id.in_(ids)).values(owner_id=None),
            execution_options={"audited": True, "synchronize_session": False},
        )

    declare_effect(Effect("release", "流入公海", run, late=True))
    yield "release"
    subjects._effects.pop("release")


def owned() -> dict[str, Any]:
    """Customers somebody owns."""
    return {"of": "customers", "where": {"all": [{"field": "owner_id", "is": "filled"}]}}


@pytest.mark.spec("C-94", "C-98")
def test_release_to_the_pool_at_the_minute(world: World, times: Times, rule: Rule, release: str) -> None:
    """Parameter 7 days, follow-up on 1 June 10:00: deadline 8 June 10:00, once, with one history entry."""
    rule(name="流入公海", condition=owned(), start="last_follow_up", effect=release)
    times.tick("2026-06-01 08:00")
    customer = world.customer(now=at("2026-06-01 09:00"))
    world.act("call", customer, now=at("2026-06-01 10:00"))
    times.tick("2026-06-08 09:59")
    db.session.refresh(customer)
    assert customer.owner_id == world.people["seller"].id
    for minute in ("10:00", "10:01", "10:06"):
        times.tick(f"2026-06-08 {minute}")
    db.session.refresh(customer)
    assert customer.owner_id is None
    assert [f.due for f in fired()] == [at("2026-06-08 10:00")]
    entries = select(func.count()).select_from(AuditEntry).where(AuditEntry.action_label == "流入公海")
    assert db.session.scalar(entries) == 1


@pytest.mark.spec("C-95")
def test_a_changed_deadline_counts_for_all_at_once(
    world: World, times: Times, rule: Rule, release: str
) -> None:
    pool = rule(name="流入公海", condition=owned(), start="last_follow_up", effect=release, amount=30)
    times.tick("2026-06-01 08:00")
    customer = world.customer(now=at("2026-06-01 09:00"))
    world.act("call", customer, now=at("2026-06-01 10:00"))
    times.tick("2026-06-20 10:00")
    save(ClockRules, pool.id, {"amount": 10}, world.actor("boss"), answers=("touch",))
    times.tick("2026-06-20 10:01")
    db.session.refresh(customer)
    assert customer.owner_id is None and [f.due for f in fired()] == [at("2026-06-11 10:00")]


@pytest.mark.spec("C-98")
def test_a_follow_up_saved_before_the_run_wins(world: World, times: Times, rule: Rule, release: str) -> None:
    rule(condition=owned(), start="last_follow_up", effect=release)
    times.tick("2026-06-01 08:00")
    customer = world.customer(now=at("2026-06-01 09:00"))
    world.act("call", customer, now=at("2026-06-01 10:00"))
    times.tick("2026-06-08 09:30")
    world.act("call", customer, now=at("2026-06-08 09:45"))
    times.tick("2026-06-08 10:30")
    db.session.refresh(customer)
    assert customer.owner_id is not None and fired() == []


@pytest.mark.spec("C-99")
def test_a_warning_some_days_ahead_of_a_deadline(world: World, times: Times, rule: Rule, told: Told) -> None:
    rule(
        name="即将流入公海", start="last_follow_up", amount=7, ahead_days=3, effect="alert",
        parameters={"title": "即将流入公海"},
    )  # fmt: skip
    times.tick("2026-06-01 08:00")
    customer = world.customer(now=at("2026-06-01 09:00"))
    world.act("call", customer, now=at("2026-06-01 10:00"))
    times.tick("2026-06-05 10:00")
    (message,) = told(NoticeKind.STRONG)
    assert message.title == "即将流入公海：张女士" and "2026-06-08 10:00" in message.text


@pytest.mark.spec("D-206", "D-144")
def test_steps_before_an_end_date(world: World, times: Times, rule: Rule) -> None:
    for step, days in (("一级", 120), ("二级", 90), ("三级", 30)):
        rule(
            name=f"{step}续保", start="retained_since", amount=days, direction=Direction.BEFORE, at="08:00",
            effect="make_task", parameters={"subject": f"{step}续保", "kind": "other"},
        )  # fmt: skip
    customer = world.customer(now=at("2026-01-01 09:00"))
    retain(customer, date(2026, 12, 31))
    for day in ("09-01", "09-02", "09-03", "10-01", "10-02", "10-03", "11-30", "12-01", "12-02", "12-31"):
        times.tick(f"2026-{day} 08:00")
        for task in tasks():
            if task.state == TaskState.OPEN:
                world.act("complete", task, now=at(f"2026-{day} 09:00"))
    made = [(t.subject, f"{local(t.due_at):%m-%d}") for t in tasks()]
    assert made == [("一级续保张女士", "09-02"), ("二级续保张女士", "10-02"), ("三级续保张女士", "12-01")]


@pytest.mark.spec("D-207")
def test_lapse_some_days_after_an_end_date(world: World, times: Times, rule: Rule, release: str) -> None:
    rule(start="retained_since", amount=15, at="08:00", effect=release, condition=owned())
    customer = world.customer(now=at("2026-01-01 09:00"))
    retain(customer, date(2026, 3, 1))
    times.tick("2026-03-15 08:00")
    db.session.refresh(customer)
    assert customer.owner_id is not None
    times.tick("2026-03-16 08:00")
    db.session.refresh(customer)
    assert customer.owner_id is None


@pytest.mark.spec("D-214")
def test_a_birthday_on_29_february_is_kept_on_the_28th(
    world: World, times: Times, rule: Rule, told: Told
) -> None:
    rule(
        name="生日关怀", start="retained_since", amount=0, at="09:00", repeat=Repeat.YEARLY, effect="alert",
        parameters={"title": "生日"},
    )  # fmt: skip
    leaper, plain = (world.customer(name=n, now=at("2026-01-01 09:00")) for n in ("闰女士", "平先生"))
    retain(leaper, date(1992, 2, 29))
    retain(plain, date(1990, 2, 28))
    seen = {}
    for year in (2026, 2027, 2028):
        times.tick(f"{year}-02-27 09:00")
        for day in ("02-28", "02-29", "03-01") if year == 2028 else ("02-28", "03-01"):
            before = len(told(NoticeKind.STRONG))
            times.tick(f"{year}-{day} 09:00")
            times.tick(f"{year}-{day} 09:30")
            seen[f"{year}-{day}"] = sorted(n.title for n in told(NoticeKind.STRONG)[before:])
    both, late = ["生日：平先生", "生日：闰女士"], ["生日：闰女士"]
    assert seen == {
        "2026-02-28": both, "2026-03-01": [], "2027-02-28": both, "2027-03-01": [],
        "2028-02-28": both[:1], "2028-02-29": late, "2028-03-01": [],
    }  # fmt: skip


@pytest.mark.spec("D-213")
def test_inspection_thirty_days_ahead_after_2_4_6_and_then_every_year(
    world: World, times: Times, rule: Rule
) -> None:
    common = {
        "start": "retained_since", "unit": Unit.YEARS, "ahead_days": 30, "at": "08:00", "effect": "alert",
        "direction": Direction.AFTER, "parameters": {"title": "年检"},
    }  # fmt: skip
    rules = [rule(name="满2年", amount=2, **common), rule(name="满4年", amount=4, **common)]
    rules.append(rule(name="满6年起每年", amount=6, repeat=Repeat.YEARLY, **common))
    customer = world.customer(now=at("2026-01-01 09:00"))
    retain(customer, date(2020, 5, 10))
    mine = [r for r in rules_in_force(db.session()) if r.id in {x.id for x in rules}]
    due = sorted(
        day
        for r in mine
        for day in occurrences.upcoming(r.timing, date(2020, 5, 10), at("2020-01-01"), at("2030-01-01"))
    )
    days = [f"{local(d) + timedelta(days=30):%Y-%m-%d}" for d in due]
    assert days == [f"{year}-05-10" for year in (2022, 2024, 2026, 2027, 2028, 2029)]
    times.tick("2026-04-09 08:00")
    times.tick("2026-04-10 08:00")
    assert [f.due for f in fired()] == [at("2026-04-10 08:00")]


def test_every_third_day_from_a_day_on(world: World, times: Times, rule: Rule) -> None:
    rule(amount=2, at="08:00", repeat=Repeat.DAYS, every_days=3, effect="alert")
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-12")
    assert [f"{local(f.due):%m-%d}" for f in fired()] == ["03-03", "03-06", "03-09", "03-12"]
