"""The page of clock rules: typed in words, looked at before it is saved, nearest rule first."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Forbidden, Invalid, NotFound, Question, Refusal
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.perform import create, perform, remove, update
from models.clock_rules.preview import said
from models.clock_rules.resources import ClockRules
from models.clock_rules.tables import ClockRule, Direction, Repeat, Unit
from models.identity import presets, role_rules
from models.notifications.tables import NoticeKind
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World, words

Rule = Callable[..., Any]
FORM = {
    "name": "回访", "subject": "customers", "condition": "意向级别 属于 A、B\n阶段 是 跟进中", "start": "filed",
    "amount": "3", "unit": "days", "direction": "after", "ahead_days": "0", "at": "08:00", "repeat": "none",
    "every_days": "1", "effect": "make_task", "parameters": "任务标题：回访\n任务类型：其他", "active": "1", "sort": "50",
}  # fmt: skip


def rules() -> list[ClockRule]:
    """Rules that dealers made."""
    return list(db.session.scalars(select(ClockRule).where(ClockRule.code.is_(None)).order_by(ClockRule.id)))


def preset(code: str = "customers.since_filed") -> ClockRule:
    """A rule of the group."""
    return db.session.scalars(select(ClockRule).where(ClockRule.code == code)).one()


def test_a_rule_is_typed_in_words_and_reads_the_same(world: World, login: Any) -> None:
    client = login("boss")
    assert client.post("/clock_rules/new", data=FORM).status_code == 302
    (rule,) = rules()
    assert rule.dealer_id == world.a.id and rule.parameters == {"subject": "回访", "kind": "other"}
    page = client.get(f"/clock_rules/{rule.id}").get_data(as_text=True)
    assert "意向级别 属于 A、B" in page and "之后3天，08:00" in page and "任务类型：其他" in page
    form = client.get(f"/clock_rules/{rule.id}/edit").get_data(as_text=True)
    assert "意向级别 属于 A、B\n阶段 是 跟进中</textarea>" in form and "任务标题：回访" in form
    history = words(client.get(f"/clock_rules/{rule.id}/history").get_data(as_text=True))
    assert "意向级别属于A、B" in history


def test_saving_asks_with_whom_it_touches(world: World, login: Any) -> None:
    """影响 2 位客户，24 小时内产生 1 条: within the scope of whoever asks, and nothing is saved yet."""
    now = utcnow()
    world.customer(name="王先生", level="A", now=now - timedelta(days=2))
    world.customer(name="赵先生", level="A", now=now)
    world.customer(name="钱先生", level="C", now=now)
    world.customer("outsider", name="外店客户", level="A", now=now - timedelta(days=2))
    client = login("boss")
    data = {**FORM, "amount": "60", "unit": "hours", "at": ""}
    asked = client.post("/clock_rules/new", data=data)
    page = asked.get_data(as_text=True)
    assert "影响2位客户，24小时内产生1条任务" in page and rules() == []
    assert "王先生" in page and "赵先生" in page and "外店客户" not in page and "钱先生" not in page
    assert client.post("/clock_rules/new", data={**data, "_answer": "touch"}).status_code == 302
    (rule,) = rules()
    previewed = client.post("/clock_rules/action/preview", data={"id": rule.id}, follow_redirects=True)
    assert "影响2位客户，24小时内产生1条任务" in previewed.get_data(as_text=True)


def test_the_preview_is_read_in_the_scope_of_the_person(world: World) -> None:
    world.customer(now=utcnow())
    world.customer("outsider", now=utcnow())
    action = next(a for a in ClockRules.actions if a.name == "preview")
    for person, amount in (("boss", 1), ("admin", 2)):
        report = perform(action, [preset().id], world.actor(person))
        assert f"影响{amount}位客户" in report.messages[0]
    with pytest.raises(Forbidden):
        perform(action, [preset().id], world.actor("seller"))


def test_whoever_sees_no_list_of_them_is_shown_none(world: World) -> None:
    world.customer(name="王先生", now=utcnow())
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "admin")
        old = role_rules.rights_of(session, role.id)
        left = role_rules.Rights(old.grants - {("can_list", "Customers")}, old.scopes)
        role_rules.give(session, role, left)
        session.commit()
    action = next(a for a in ClockRules.actions if a.name == "preview")
    report = perform(action, [preset().id], world.actor("boss"))
    assert "影响0位客户" in report.messages[0]
    assert report.told == ()


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"at": "25:00"}, "at", "08:00 的格式"),
        ({"unit": Unit.HOURS}, "at", "精确到分钟执行，不能填写执行时刻"),
        ({"effect": "remind", "at": None}, "at", "请填写执行时刻"),
        ({"effect": "alert", "at": None, "unit": Unit.MONTHS}, "at", "按月、年计算的规则请填写执行时刻"),
        ({"effect": "alert", "at": None, "start": "retained_since"}, "at", "从日期起算的规则请填写执行时刻"),
        ({"effect": "alert", "at": None, "repeat": Repeat.DAYS}, "at", "重复的规则请填写执行时刻"),
        ({"unit": Unit.YEARS, "amount": 101, "repeat": Repeat.YEARLY}, "amount", "时长最多100年"),
        ({"unit": Unit.MONTHS, "amount": 1201}, "amount", "时长最多1200个月"),
        ({"unit": Unit.YEARS, "repeat": Repeat.DAYS, "every_days": 2}, "every_days", "每天或每年重复"),
        ({"start": "retained_since", "subject": "contacts"}, "start", "所选对象的起算时间"),
        ({"parameters": {"title": "x"}}, "parameters", "没有这些参数"),
        ({"condition": {"of": "contacts", "where": {"all": []}}}, "condition", "另一种对象"),
    ],
)
def test_what_does_not_fit_together_is_said(
    world: World, change: dict[str, Any], field: str, sentence: str
) -> None:
    values = {"name": "试", "subject": "customers", "start": "filed", "at": "08:00", "effect": "make_task"}
    with pytest.raises(Invalid) as wrong:
        create(ClockRules, {**values, **change}, world.actor("boss"))
    assert sentence in wrong.value.errors[field] and rules() == []


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("condition", "年龄 是 3", "没有以客户的某一项开头"),
        ("condition", "长" * 6000, "不能超过5000个字"),
        ("condition", "非 " * 2400 + "备注 为空", "的“非”过多"),
        ("parameters", "时间：3", "可用：任务类型、任务标题"),
        ("parameters", "任务类型：打扫", "请从列表中选择"),
    ],
)
def test_wrong_words_are_said_beside_the_field(
    world: World, login: Any, field: str, text: str, sentence: str
) -> None:
    answer = login("boss").post("/clock_rules/new", data={**FORM, field: text})
    assert answer.status_code == 400
    assert sentence in re.sub("&#34;|&quot;", '"', answer.get_data(as_text=True)) and rules() == []


def test_a_dealer_leaves_the_rules_of_the_group_alone(world: World) -> None:
    boss = world.actor("boss")
    with pytest.raises(Refusal, match="集团规则不能修改"):
        update(ClockRules, preset().id, {"amount": 3}, boss)
    with pytest.raises(Refusal, match="预置规则不能删除"):
        remove(ClockRules, preset().id, boss)


@pytest.mark.sqlite_only
def test_a_rule_of_the_group_is_copied_to_stand_in_for_it(world: World, login: Any) -> None:
    held = preset()
    looked = login("boss").get(f"/clock_rules/{held.id}/edit").get_data(as_text=True)
    assert "集团规则不能修改；复制新建一条" in looked and "data-main" not in looked
    assert f'href="/clock_rules/new?copy={held.id}"' in looked
    page = login("boss").get(f"/clock_rules/new?copy={held.id}").get_data(as_text=True)
    typed = page[page.index('id="f-condition"') :].partition("</textarea>")[0]
    assert "阶段 属于 跟进中、订单客户" in typed
    assert re.search(rf'<option value="{held.id}" selected>', page), "what it replaces"
    assert login("admin").get(f"/clock_rules/{held.id}/edit").get_data(as_text=True).count("data-main") == 1


def test_a_foreign_dealers_rule_is_not_there(world: World, rule: Rule) -> None:
    own = rule(at="08:00")
    with pytest.raises((NotFound, Forbidden)):
        update(ClockRules, own.id, {"amount": 3}, world.actor("outsider"))
    remove(ClockRules, own.id, world.actor("boss"))
    assert rules() == []


def test_the_nearest_rule_wins(world: World, times: Times, rule: Rule, told: Any) -> None:
    """The group says 7 days, the dealer 3, one of its stores 5; another dealer keeps the group's."""
    times.tick("2026-03-01 07:00")
    common = {"start": "filed", "at": "08:00", "repeat": Repeat.DAYS, "effect": "remind"}
    dealer = rule(name="商场", amount=3, replaces_id=preset().id, **common)
    rule(name="门店", amount=5, replaces_id=dealer.id, store_id=world.stores[1].id, **common)
    here = world.customer("seller", now=at("2026-03-01 09:00"))
    there = world.customer("boss", store_id=world.stores[1].id, now=at("2026-03-01 09:00"))
    away = world.customer("outsider", now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-08")
    first: dict[int, str] = {}
    for message in told(NoticeKind.DEFAULT):
        for item in message.items:
            first.setdefault(item["id"], f"{message.created_at:%m-%d} {item['group']}")
    assert first == {here.id: "03-04 商场", there.id: "03-06 门店", away.id: "03-08 建档满7天未跟进"}


def test_an_inactive_own_rule_does_without(world: World, times: Times, rule: Rule, told: Any) -> None:
    times.tick("2026-03-01 07:00")
    rule(start="filed", at="08:00", replaces_id=preset().id, active=False)
    world.customer("seller", now=at("2026-03-01 09:00"))
    world.customer("outsider", now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-08")
    assert {n.user_id for n in told(NoticeKind.DEFAULT)} == {world.people["outsider"].id}


def test_what_may_stand_in_for_what(world: World, rule: Rule) -> None:
    own = rule(at="08:00", replaces_id=preset().id)
    with pytest.raises(Invalid, match="已有替代它的规则"):
        rule(at="08:00", replaces_id=preset().id)
    with pytest.raises(Invalid, match="只能替代适用范围更大的规则"):
        rule(at="08:00", replaces_id=own.id)
    with pytest.raises(Invalid, match="同一种对象"):
        rule(at="08:00", replaces_id=preset("contacts.planned").id)
    with pytest.raises(Refusal):
        rule(at="08:00", store_id=world.stores[2].id)
    rule(at="08:00", replaces_id=own.id, store_id=world.stores[0].id)
    with pytest.raises(Refusal, match="正被时间规则使用"):
        remove(ClockRules, own.id, world.actor("boss"))


def test_the_same_through_the_api(world: World, login: Any) -> None:
    """The API takes the same words, asks the same question, and gives the condition back in words."""
    world.customer(level="A", now=utcnow())
    client = login("boss")
    sent = {k: v for k, v in FORM.items() if k != "active"}
    sent |= {"amount": 3, "active": True, "condition": "意向级别 是 A"}
    asked = client.post("/api/v1/clock_rules", json=sent)
    assert asked.status_code in (400, 409) and "影响1位客户" in asked.get_data(as_text=True)
    made = client.post("/api/v1/clock_rules", json={**sent, "answers": ["touch"]})
    assert made.status_code == 201, made.get_data(as_text=True)
    (rule,) = rules()
    read = client.get(f"/api/v1/clock_rules/{rule.id}").get_json()
    assert "意向级别 是 A" in str(read)


def test_a_question_is_asked_of_programs_too(world: World) -> None:
    world.customer(level="A", now=utcnow())
    values = {"name": "试", "subject": "customers", "start": "filed", "at": "08:00", "effect": "make_task"}
    with pytest.raises(Question, match="影响1位客户") as asked:
        create(ClockRules, {**values, "direction": Direction.AFTER}, world.actor("boss"))
    assert asked.value.rows[0][0] == "张女士" and asked.value.links[0].startswith("/customers/")


@pytest.mark.parametrize(
    ("hour", "words"),
    [(2, "明日凌晨02:00"), (8, "明早08:00"), (14, "今天14:00"), (20, "今晚20:00"), (17, "今天17:00")],
)
def test_when_a_rule_runs_next_is_said_as_people_say_it(hour: int, words: str) -> None:
    now = datetime(2026, 3, 4, 12, 30)
    moment = now.replace(hour=hour, minute=0)
    assert said(moment if moment > now else moment + timedelta(days=1), now) == words
