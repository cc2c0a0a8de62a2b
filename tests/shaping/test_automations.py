"""Automations: when something happens, and it is so, then something follows (issue: shaped without code)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

from app.engine import outbox
from app.engine.actions import Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.localtime import local
from app.engine.perform import create
from app.engine.resource import resource
from app.engine.scopes import SYSTEM
from models.customers.tables import Customer
from models.follow_ups.tables import Task
from models.identity.roles import RoleAssignment
from models.identity.tables import Employee
from models.notifications.tables import Notification
from models.shaping import automation_noticing, automation_running
from models.shaping.automation_running import NO_AUTHOR
from models.shaping.automation_tables import Automation, AutomationRun
from tests.customers.world import World
from tests.imports.conftest import Importer
from tests.imports.conftest import importer as importer
from tests.shaping.automations import automation, runs, setting, waiting, where, work


def role(world: World, key: str) -> int:
    from models.identity import presets

    return presets.preset_role(db.session(), world.a.id, key).id


def test_what_follows_from_a_new_customer_is_done_in_the_background(world: World) -> None:
    """The condition is looked at when it happens; a customer it does not hold for is left alone."""
    automation(
        world, **setting("remark", "请优先联系"),
        condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    customer, other = world.customer(gender="female"), world.customer(gender="male")
    assert customer.remark is None
    assert work() == 1
    assert (customer.remark, other.remark) == ("请优先联系", None)
    assert runs() == [("done", "“备注”改为请优先联系")]
    run = db.session.scalars(select(AutomationRun)).one()
    assert (run.record_label, run.event) == (f"张女士 {customer.code}", "新建")
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "customers").order_by(AuditEntry.id.desc())
    ).first()
    assert entry is not None
    assert (entry.actor_id, entry.actor_name) == (SYSTEM.id, "自动化：试验")
    assert entry.deed_id == run.deed_id


def test_one_event_is_worked_on_once_whatever_happens_to_the_worker(world: World) -> None:
    automation(world, do_1="tell_owner", words_1="新客户")
    world.customer("boss", owner_id=world.people["seller"].id)
    (row,) = waiting()
    work()
    rows = outbox.OutboxRow.__table__
    db.session.execute(update(rows).where(rows.c.id == row).values(done_at=None, leased_until=None))
    db.session.commit()
    assert work() == 1
    assert len(runs()) == 1
    told = select(Notification).where(Notification.topic == "automation")
    assert len(db.session.scalars(told).all()) == 1


@pytest.mark.sqlite_only
def test_what_is_taken_back_starts_nothing(world: World) -> None:
    """A deed that is refused leaves no work behind, and neither does one that changes something else."""
    automation(world, event="changed", watched="address", **setting("remark", "地址已变"))
    customer = world.customer()
    world.change(customer, remark="别的")
    with pytest.raises(Refusal):
        world.change(customer, address="文二路2号", phone="")
    assert not waiting()
    world.change(customer, address="文一路1号")
    assert work() == 1
    assert customer.remark == "地址已变"


@pytest.mark.sqlite_only
@pytest.mark.parametrize("event", ["stage", "tagged", "assigned", "followed_up", "ordered", "paid"])
def test_declared_events_start_automations_of_the_customer(world: World, event: str) -> None:
    automation(world, event=event, **setting("remark", "发生了"))
    customer, tag = world.customer(), world.tag("急装")
    if event == "stage":
        world.act("invalidate", customer)
    elif event == "tagged":
        world.act("tag", customer, "boss", tags=[tag.id])
    elif event == "assigned":
        world.act("reassign", customer, "boss", owner=world.people["seller2"].id)
    elif event == "followed_up":
        world.act("write_follow_up", customer, text="已联系")
    elif event == "ordered":
        world.order(customer)
    else:
        world.receive(customer, "100")
    work()
    assert [outcome for outcome, _ in runs()] == ["done"]
    assert customer.remark == "发生了"


def test_records_go_round_among_the_people_of_a_role_in_their_store(world: World) -> None:
    automation(world, do_1="rotate", role_1=role(world, "consultant"))
    made = [world.customer("boss", store_id=world.stores[0].id) for _ in range(3)]
    work()
    seller, second = world.people["seller"].id, world.people["seller2"].id
    assert [c.owner_id for c in made] == [seller, second, seller]
    session = db.session()
    with acting(session):
        session.get_one(Employee, second).active = False
        session.commit()
    another = world.customer("boss")
    work()
    assert another.owner_id == seller


@pytest.mark.sqlite_only
def test_a_duty_is_made_for_whoever_looks_after_the_customer(world: World) -> None:
    automation(world, do_1="task", title_1="回访", days_1=2)
    world.customer("seller", name="王女士")
    work()
    task = db.session.scalars(select(Task)).one()
    due = local(task.due_at)
    assert (task.subject, task.owner_id) == ("回访王女士", world.people["seller"].id)
    assert (due.date(), due.hour) == (local(utcnow()).date() + timedelta(days=2), 18)


@pytest.mark.sqlite_only
def test_only_those_are_told_who_may_see_the_record(world: World) -> None:
    automation(world, do_1="tell_role", role_1=role(world, "consultant"), words_1="来了新客户")
    world.customer("seller", name="王女士")
    work()
    told = db.session.scalars(select(Notification).where(Notification.topic == "automation")).all()
    assert [n.user_id for n in told] == [world.people["seller"].id]
    assert told[0].title.startswith("来了新客户：王女士")
    assert runs() == [("done", "通知导购甲（另有1人无权查看此记录，未通知）")]


@pytest.mark.sqlite_only
def test_several_things_follow_all_or_none(world: World) -> None:
    """What is refused takes back what came before it, and the log says which step and why."""
    tag = world.tag("急装")
    automation(
        world, do_1="tag_add", tag_1=tag.id, do_2="assign", person_2=world.people["seller2"].id
    )  # fmt: skip
    session = db.session()
    with acting(session):
        session.get_one(Employee, world.people["seller2"].id).active = False
        session.commit()
    customer = world.customer()
    work()
    assert runs() == [("refused", "第2项“分配给人员”：该员工已停用，请重新选择")]
    history = select(AuditEntry.action).where(AuditEntry.record_id == customer.id)
    assert set(db.session.scalars(history.where(AuditEntry.resource == "customers"))) == {"create"}


@pytest.mark.sqlite_only
def test_choices_are_set_by_their_names(world: World) -> None:
    automation(
        world, do_1="set", field_1="level", value_1="A", do_2="set", field_2="gender", value_2="女士"
    )  # fmt: skip
    customer = world.customer()
    work()
    assert (customer.level, customer.gender.value) == ("A", "female")


# ----- whose it is


def test_dealers_keep_to_themselves_and_the_group_is_for_all(world: World, boss_b: None) -> None:
    automation(world, **setting("remark", "甲商场"))
    theirs = world.customer("outsider")
    assert not waiting()
    session = db.session()
    from models.identity import presets

    presets.add_person(
        session, dealer_id=None, username="chief", name="集团", password="Test-demo-2024K",
        roles=[presets.preset_role(session, None, "group_admin")],
    )  # fmt: skip
    session.commit()
    automation(world, "chief", name="集团通用", do_1="set", field_1="address", value_1="待补")
    mine, other = world.customer(), world.customer("outsider")
    work()
    assert (mine.remark, mine.address) == ("甲商场", "待补")
    assert (theirs.remark, other.remark, other.address) == (None, None, "待补")


@pytest.mark.sqlite_only
def test_it_does_no_more_than_whoever_saved_it_may_when_it_runs(world: World) -> None:
    automation(world, do_1="assign", person_1=world.people["seller2"].id)
    session, boss = db.session(), world.people["boss"].id
    with acting(session):
        for held in session.scalars(select(RoleAssignment).where(RoleAssignment.user_id == boss)):
            held.role_id = role(world, "consultant")
        session.commit()
    world.customer("seller")
    work()
    assert runs()[0][0] == "refused"
    assert "不在保存人的数据范围内" in runs()[0][1]
    with acting(session):
        session.get_one(Employee, boss).active = False
        session.commit()
    world.customer("seller")
    work()
    assert runs()[1] == ("refused", NO_AUTHOR)


@pytest.mark.sqlite_only
def test_what_is_switched_off_does_nothing_even_if_it_waits(world: World) -> None:
    made = automation(world, **setting("remark", "请优先联系"))
    customer = world.customer()
    world.act("pause", made, "boss")
    work()
    assert (customer.remark, runs()) == (None, [])
    world.customer()
    assert not waiting()


@pytest.mark.sqlite_only
def test_a_condition_that_no_longer_holds_is_skipped_in_words(world: World) -> None:
    automation(
        world, **setting("remark", "请优先联系"),
        condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    customer = world.customer(gender="female")
    world.change(customer, gender="male")
    work()
    assert runs() == [("skipped", "执行时条件已不再满足")]


# ----- what would go round


def chain_of(world: World, fields: list[str]) -> None:
    """Each field's change sets the next one, saved past the check that would refuse a circle."""
    session, boss = db.session(), world.people["boss"].id
    with acting(session):
        for n, (watched, field) in enumerate(pairwise(fields)):
            made = Automation(
                name=f"第{n}个", subject="customers", event="changed", watched=watched, active=True,
                dealer_id=world.a.id, author_id=boss,
            )  # fmt: skip
            for name, value in setting(field, f"第{n}次").items():
                setattr(made, name, value)
            session.add(made)
        session.commit()


def test_nothing_runs_twice_for_a_record_in_one_chain(world: World) -> None:
    chain_of(world, ["remark", "address", "remark"])
    customer = world.customer()
    world.change(customer, remark="开始")
    work()
    outcomes = runs()
    assert [outcome for outcome, _ in outcomes] == ["done", "done", "stopped"]
    assert outcomes[2][1] == ("本次连锁中已对此记录执行过一次，不再重复执行：“第0个” → “第1个” → “第0个”")


@pytest.mark.sqlite_only
def test_a_chain_ends_at_its_greatest_depth(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automation_noticing, "MAX_DEPTH", 2)
    chain_of(world, ["remark", "address", "community", "name"])
    customer = world.customer(name="王女士")
    world.change(customer, remark="开始")
    work()
    assert [outcome for outcome, _ in runs()] == ["done", "done", "stopped"]
    assert "连锁执行已达2层，不再继续" in runs()[2][1]
    assert (customer.community, customer.name) == ("第1次", "王女士")


@pytest.mark.sqlite_only
def test_files_of_another_system_are_no_news(world: World) -> None:
    automation(world, **setting("remark", "请优先联系"))
    create(
        resource("customers"), {"name": "赵女士", "phone": world.next_phone()}, world.actor("seller"), source="load"
    )  # fmt: skip
    assert not waiting()


def test_customers_of_a_file_are_new_ones_too(
    world: World, importer: Callable[..., Importer], run_outbox: Callable[..., None]
) -> None:
    automation(
        world, **setting("remark", "请优先联系"),
        condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    rows = [
        ["客户姓名", "手机号码", "称谓"],
        ["张一", "13700000001", "女士"],
        ["张二", "13700000002", "先生"],
    ]
    importer("boss").bring_in(rows)
    run_outbox()
    found = db.session.execute(select(Customer.name, Customer.remark).order_by(Customer.name))
    assert [tuple(row) for row in found] == [("张一", "请优先联系"), ("张二", None)]


@pytest.mark.sqlite_only
def test_what_breaks_for_one_of_a_batch_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again for itself; given up at last, the log says so."""
    automation(world, event="assigned", **setting("remark", "已换人"))
    made = [world.customer(name=name) for name in ("甲", "乙", "丙")]
    world.act("reassign", made, "boss", owner=world.people["seller2"].id)
    assert len(waiting()) == 1
    right = automation_running.perform.find

    def find(session: Any, shown: Any, record_id: int, *args: Any, **more: Any) -> Any:
        if record_id == made[1].id and more.get("lock"):
            raise ZeroDivisionError
        return right(session, shown, record_id, *args, **more)

    monkeypatch.setattr(automation_running.perform, "find", find)
    session = db.session()
    assert outbox.deliver(session, waiting()[0], now=utcnow()) is outbox.Outcome.DONE
    session.expire_all()
    assert [c.remark for c in made] == ["已换人", None, "已换人"]
    (row,), now = waiting(), utcnow()
    for _ in range(outbox.MAX_ATTEMPTS):
        now += timedelta(days=1)
        outbox.deliver(session, row, now=now)
    assert runs()[-1] == ("refused", automation_running.BROKEN)
    assert not waiting()
