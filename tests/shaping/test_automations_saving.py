"""Saving automations: looked at first, refused in words with the place named, never beyond whoever saves them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Invalid, Question, Refusal
from app.engine.audit import acting
from app.engine.automating import CHANGED
from app.engine.conditions import from_json
from app.engine.configured import past
from app.engine.database import db
from app.engine.perform import create, perform, remove, update
from app.engine.resource import resource
from models.shaping.automation_book import Rule, Then
from models.shaping.automation_circles import circle
from models.shaping.automation_parts import Event, doing, subject
from models.shaping.automation_rules import OF_GROUP, try_out
from models.shaping.automation_tables import Automation
from models.shaping.custom_fields import FieldKind
from tests.customers.world import World, grant, words
from tests.plugins.databases import statements
from tests.plugins.people import Login
from tests.shaping.automations import SURE, automation, runs, setting, where, work
from tests.shaping.test_configuration import newest
from tests.shaping.test_configuration_files import bring_in, export

NOW = datetime(2026, 3, 8)
FORM = {
    "name": "线上客户", "subject": "customers", "event": "created", "active": "1", "do_1": "set",
    "field_1": "remark", "value_1": "请优先联系", "condition": "称谓 是 女士",
}  # fmt: skip


def errors(world: World, by: str = "boss", /, **values: Any) -> dict[str, str]:
    """What is said beside which input."""
    with pytest.raises(Invalid) as refused:
        automation(world, by, **values)
    return refused.value.errors


def test_the_form_asks_with_how_many_records_it_meets_now(world: World, login: Login) -> None:
    world.customer(gender="female", name="王女士")
    world.customer(gender="male", name="李先生")
    world.customer("outsider", gender="female", name="乙商场的")
    boss = login("boss")
    page = boss.post("/automations/new", data=FORM).get_data(as_text=True)
    assert "现有1位客户符合条件" in page
    assert "王女士" in page
    assert "乙商场的" not in page
    assert not db.session.scalar(select(func.count()).select_from(Automation))
    assert boss.post("/automations/new", data=FORM | {"_answer": "touch"}).status_code == 302
    made = db.session.scalars(select(Automation)).one()
    assert (made.dealer_id, made.author_id) == (world.a.id, world.people["boss"].id)
    shown = words(boss.get(f"/automations/{made.id}").get_data(as_text=True))
    assert "事件新建" in shown
    assert "称谓是女士" in shown
    assert "“备注”改为请优先联系" in shown
    assert "请优先联系" in boss.get("/automations/").get_data(as_text=True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"condition": "年龄 是 3"}, "condition", "没有以客户的某一项开头；可用的有：服务号"),
        ({"condition": "称谓 是 女士\n称谓 是 先生"}, "condition", "对“称谓”的要求互相矛盾，永远不会满足"),
        ({"condition": "称谓 是 女士\n称谓 为空"}, "condition", "对“称谓”的要求互相矛盾"),
        ({"event": "rescheduled"}, "event", "请选择所选对象下的事件"),
        ({"event": "changed"}, "watched", "请选择变化的字段"),
        ({"do_1": ""}, "do_1", "请选择动作"),
        ({"field_1": ""}, "field_1", "请选择修改的字段"),
        ({"field_1": "level", "value_1": "Z"}, "value_1", "请从列表中选择"),
        ({"field_1": "phone", "value_1": "13912345678"}, "field_1", "请从列表中选择"),
        ({"field_1": "name", "value_1": ""}, "value_1", "请填写客户姓名"),
        ({"do_1": "task"}, "title_1", "请填写任务标题"),
        ({"do_1": "tell_person", "words_1": "看"}, "person_1", "请选择人员"),
        ({"do_1": "hook", "url_1": "http://example.com/a"}, "url_1", "接口地址应为 https:// 开头的完整地址"),
        ({"do_1": "hook", "url_1": "https://10.0.0.8/a"}, "url_1", "接口地址不能指向内部网络"),
        ({"do_1": "hook", "url_1": "https://example.com/a?key=1"}, "url_1", "不能带“?”之后的参数"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_input(
    world: World, login: Login, change: dict[str, str], field: str, said: str
) -> None:
    answer = login("boss").post("/automations/new", data=FORM | change)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    place = page.index(f'data-field="{field}"')
    assert said in page[place : place + 4000]
    assert 'value="线上客户"' in page
    assert not db.session.scalar(select(func.count()).select_from(Automation))


@pytest.mark.sqlite_only
def test_nobody_saves_what_he_or_she_may_not_do(world: World, boss_b: None) -> None:
    """A name twice, another dealer's people, and rights that are lacking."""
    for permission in ("can_list", "can_add", "can_edit"):
        grant(world, "consultant", (permission, "Automations"))
    assert (
        "不能超出保存人的权限" in errors(world, "seller", do_1="hook", url_1="https://example.com/a")["do_1"]
    )
    automation(world, **setting("remark", "甲"))
    assert "已存在" in errors(world, **setting("remark", "乙"))["name"]
    automation(world, "boss_b", **setting("remark", "乙"))
    theirs = db.session.scalars(select(Automation).where(Automation.dealer_id == world.b.id)).one()
    with pytest.raises(Refusal):
        update(resource("automations"), theirs.id, {"active": False}, world.actor("boss"))


@pytest.mark.sqlite_only
def test_those_of_the_group_are_changed_by_the_group_alone(world: World) -> None:
    made = automation(world, **setting("remark", "甲"))
    with acting(db.session()):
        made.dealer_id = None
        db.session.commit()
    boss = world.actor("boss")
    for attempt in (
        lambda: update(resource("automations"), made.id, {"name": "改"}, boss, answers=SURE),
        lambda: remove(resource("automations"), made.id, boss),
        lambda: world.act("pause", made, "boss"),
    ):
        with pytest.raises(Refusal, match=OF_GROUP):
            attempt()


# ----- circles


def rule(number: int, watched: str, sets: str, value: str = "*", condition: Any = None) -> Rule:
    about, does = subject("customers"), doing("set")
    assert about is not None
    assert does is not None
    event = Event(CHANGED, "字段变化", "customers")
    then = Then(1, does, {"field": sets, "value": value})
    met = from_json(where(*([condition] if condition else [])))
    return Rule(number, f"第{number}个", about, event, watched, met, (then,), 1, 1)


@pytest.mark.sqlite_only
def test_circles_are_found_with_the_way_they_go(app: Flask) -> None:
    """Unless what the field then holds rules the next one out."""
    one, two, three = (
        rule(1, "remark", "address"),
        rule(2, "address", "community"),
        rule(3, "community", "remark"),
    )
    assert [r.id for r in circle(one, [two, three], NOW)] == [1, 2, 3]
    assert not circle(one, [two], NOW)
    assert circle(rule(4, "remark", "remark"), [], NOW)
    only_b = {"field": "level", "is": "is", "value": ["B"]}
    assert not circle(rule(5, "level", "level", "A", only_b), [], NOW)
    assert circle(rule(6, "level", "level", "B", only_b), [], NOW)
    women = {"field": "gender", "is": "is", "value": ["female"]}
    assert circle(rule(7, "gender", "gender", "女士", women), [], NOW)
    assert not circle(rule(8, "gender", "gender", "先生", women), [], NOW)
    assert not circle(one, [two, replace(three, dealer_id=2)], NOW)


@pytest.mark.sqlite_only
def test_a_circle_is_refused_and_named_and_so_is_what_sets_itself_off(world: World) -> None:
    first = automation(world, name="甲", event="changed", watched="remark", **setting("address", "待补"))
    closing = {"event": "changed", "watched": "address", **setting("remark", "地址已变")}
    assert errors(world, name="乙", **closing) == {
        "do_1": "会循环触发：“乙” → “甲” → “乙”，请修改其中一个的条件或执行内容"
    }
    own = {"event": "changed", "watched": "community", **setting("community", "待补")}
    assert "会再次触发本自动化" in errors(world, name="丙", **own)["do_1"]
    off = automation(world, name="乙", active=False, **closing)
    with pytest.raises(Invalid, match="会循环触发"):
        world.act("resume", off, "boss")
    world.act("pause", first, "boss")
    with pytest.raises(Question, match="符合条件"):
        world.act("resume", off, "boss")


# ----- trials, the log, the configuration


def test_a_trial_says_what_would_happen_and_writes_nothing(world: World, login: Login) -> None:
    made = automation(
        world, **setting("remark", "请优先联系"), do_2="task", title_2="回访", days_2=1,
        condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    customer, other = world.customer(gender="female", name="王女士"), world.customer(name="李先生")
    work()
    before = runs()
    world.change(customer, remark="原来的")
    boss, url = login("boss"), f"/automation/trial?id={made.id}"
    assert "试运行" in boss.get(url).get_data(as_text=True)
    page = words(boss.post(url, data={"record": "王女士"}).get_data(as_text=True))
    assert "事件发生时将会执行" in page
    assert "“备注”改为请优先联系" in page
    assert "新建任务“回访王女士”" in page
    assert customer.remark == "原来的"
    assert runs() == before
    page = words(boss.post(url, data={"record": other.code}).get_data(as_text=True))
    assert "条件不满足，不会执行" in page
    assert boss.post(url, data={"record": "没有这个人"}).status_code == 400
    assert boss.get("/automation/trial?id=999999").status_code == 404
    assert login("seller").get(url).status_code == 403


@pytest.mark.sqlite_only
def test_a_trial_by_another_program_answers_in_words(world: World) -> None:
    made = automation(world, do_1="assign", person_1=world.people["seller2"].id)
    customer = world.customer()
    report = perform(try_out, [made.id], world.actor("boss"), {"target": customer.id})
    assert report.messages == ("将会执行：分配给导购乙",)
    assert customer.owner_id == world.people["seller"].id


@pytest.mark.sqlite_only
def test_the_log_is_the_dealers_own(world: World, login: Login, boss_b: None) -> None:
    automation(world, **setting("remark", "请优先联系"))
    world.customer(name="王女士")
    work()
    assert "王女士" in login("boss").get("/automation_runs/").get_data(as_text=True)
    assert "王女士" not in login("boss_b").get("/automation_runs/").get_data(as_text=True)
    assert login("seller").get("/automation_runs/").status_code == 403


@pytest.mark.sqlite_only
def test_automations_are_part_of_the_configuration(world: World) -> None:
    """They leave by names, come in again as the same, and changes are taken back."""
    start = export(world)
    tag = world.tag("急装")
    made = automation(
        world, do_1="tag_add", tag_1=tag.id, do_2="tell_person", person_2=world.people["seller"].id,
        words_2="来了新客户", condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    text = export(world)
    (entry,) = json.loads(text)["kinds"]["automations"]
    assert (entry["tag_1"], entry["person_2"]) == ({"name": "急装"}, "seller")
    boss = world.actor("boss")
    update(resource("automations"), made.id, {"words_2": "改了"}, boss, answers=SURE)
    past.undo(db.session(), [past.one(db.session(), boss, newest("automations"))], boss)
    assert export(world) == text
    remove(resource("automations"), made.id, boss)
    bring_in(world, text)
    assert export(world) == text
    assert start != text


@pytest.mark.sqlite_only
def test_no_query_is_asked_of_deeds_that_nothing_is_about(world: World) -> None:
    automation(world, subject="contacts", event="created", **setting("remark", "新潜客"))
    world.customer()
    seen = statements(db.engine)
    world.customer()
    assert seen
    assert not [statement for statement in seen if "automation" in statement]


@pytest.mark.sqlite_only
def test_conditions_are_offered_by_picking(world: World, login: Login) -> None:
    found = login("boss").get("/automation/terms?subject=customers").get_json()
    level = next(t for t in found if t["label"] == "意向级别")
    assert "属于 {}" in level["many"]
    assert "A" in level["values"]
    assert login("boss").get("/automation/terms?subject=nothing").status_code == 404
    of_deed = login("boss").get("/automation/terms?subject=customers/invalidate").get_json()
    assert {"意向级别", "本次记录数"} <= {t["label"] for t in of_deed}


@pytest.mark.sqlite_only
def test_an_added_field_is_a_condition_and_is_set(world: World, login: Login) -> None:
    field, _ = create(
        resource("custom_fields"),
        {"label": "装修阶段", "kind": FieldKind.CHOICE, "options": "毛坯\n水电", "resource": "customers", "places": ["form"]},
        world.actor("boss"),
    )  # fmt: skip
    slot = field.slot
    login("boss").post(
        "/automations/new",
        data=FORM | {"_answer": "touch", "condition": "装修阶段 为空", "field_1": slot, "value_1": "水电"},
    )
    made = db.session.scalars(select(Automation)).one()
    assert made.condition == {
        "of": "customers", "dealer": world.a.id, "where": {"all": [{"field": slot, "is": "empty"}]},
    }  # fmt: skip
    customer = world.customer()
    work()
    assert runs() == [("done", "“装修阶段”改为水电")]
    assert getattr(customer, slot)
