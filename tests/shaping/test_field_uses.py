"""Who speaks of an added field: on its page, before it is removed, and nothing of it to whom it is not for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from app.engine import conditions
from app.engine.actions import Act, Question, Refusal
from app.engine.configured import past
from app.engine.configured.past import Asked
from app.engine.configured.uses import NEEDED, namings
from app.engine.configured.values import coders
from app.engine.configuring import kinds
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.perform import create, perform, remove
from app.engine.resource import resource
from models.identity.roles import RoleKind
from models.shaping import custom_uses, view_rules
from models.shaping.approval_tables import ApprovalFlow
from models.shaping.custom_fields import CustomField
from models.shaping.custom_rules import SURE
from models.shaping.dashboards import Sharing
from models.shaping.template_tables import Template, TemplateKind
from models.shaping.view_tables import SavedView
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.automations import automation, setting, where
from tests.shaping.fields import act, add, formula
from tests.shaping.shapes import shared_view
from tests.shaping.speaking import speak
from tests.shaping.test_dashboards import board

pytestmark = pytest.mark.usefixtures("boss_b")


def told(world: World, field: CustomField, by: str = "boss") -> list[tuple[str, str, str]]:
    """Kind, entry and place of every line that person reads."""
    found = custom_uses.of_field(db.session(), field)
    return [(u.kind, u.title, u.place) for u in custom_uses.lines(db.session(), found, world.actor(by))]


def named(label: str) -> CustomField:
    return db.session.scalars(select(CustomField).where(CustomField.label == label)).one()


SILENT = {("roles", "grants"), ("roles", "scopes")}
"""Permissions of guarded fields are no use of them: without the field they mean nothing."""
OF_NO_FIELD = {"menu_role", "parameters"}
"""Kinds of columns that a file says otherwise, but that speak of roles and of a rule's inputs."""


@pytest.mark.sqlite_only
def test_whatever_a_file_says_otherwise_says_which_fields_it_names() -> None:
    """A kind that comes to name fields cannot forget to say so."""
    known = list(kinds())
    assert {k.name for k in known if namings(k)} >= {"automations", "clock_rules", "boards", "saved_views"}
    for kind in known:
        typed = {s.name for s in kind.content if s.kind in coders and s.kind not in OF_NO_FIELD}
        wanted = {(kind.name, name) for name in (typed | set(kind.spoken))} - SILENT
        assert wanted <= {(kind.name, name) for name in namings(kind)}, kind.name


def test_every_kind_that_speaks_of_a_field_is_listed_with_the_way_to_it(world: World, login: Login) -> None:
    speak(world)
    node, nick = named("施工节点"), named("昵称")
    page = login("boss").get(f"/custom_fields/{node.id}").get_data(as_text=True)
    said = words(page)
    assert "使用情况" in said and page.count(NEEDED) == 3
    for label in ("自动化", "审批流程", "时间规则", "模板"):
        assert label in said
    assert told(world, node) == [
        ("时间规则", "进场提醒", "适用条件"),
        ("自动化", "试验", "变化的字段、条件"),
        ("审批流程", "作废审批", "适用条件"),
        ("模板", "资料单", "页眉"),
    ]
    assert ("自动化", "试验", "条件、修改的字段") in told(world, nick)
    assert ("页面布局", "客户 · 详情页", "分组和字段") in told(world, nick)
    assert told(world, named("进场日期"))[0] == ("时间规则", "进场提醒", "起算时间")
    budget = [line for line in told(world, named("预算:万元")) if line[0] == "模板"]
    assert budget == [("模板", "资料单", "正文"), ("模板", "资料单", "页脚")]
    assert told(world, named("介绍人")) == []


def test_dashboards_views_formulas_and_conditions_are_among_them(world: World) -> None:
    stage = add(world, "装修阶段", "choice", options="水电\n木工", also=["chart"])
    area = add(world, "面积", "number")
    formula(world, "双倍", f"[{area.slot}] * 2")
    add(world, "工长", "text", shown_when=f"customers:{stage.slot}=水电")
    own = {"stage": ["following"], f"{area.slot}.from": ["5"]}
    board(world, {"list": "customers", "chart": f"by_{stage.slot}"}, name="甲", shared=Sharing.ALL)
    board(world, {"list": "customers", "kind": "number", "own": own}, name="乙", shared=Sharing.ALL)
    args = {stage.slot: ["水电"], "cols": ["name", area.slot]}
    shared_view(world, "本周", args=args, colour1=f"{stage.slot}=水电", tone1="warn")
    assert told(world, stage) == [
        ("自定义字段", "工长", "显示条件"),
        ("看板", "甲", "图块"),
        ("视图", "本周", "条件、行颜色"),
    ]
    assert told(world, area) == [
        ("自定义字段", "双倍", "公式"),
        ("看板", "乙", "图块"),
        ("视图", "本周", "列"),
    ]


def test_what_would_do_another_thing_keeps_the_field(world: World, login: Login) -> None:
    nick = add(world, "昵称", "text")
    made = automation(world, active=False, **setting(nick.slot, "老客户"))
    with pytest.raises(Refusal, match="自动化“试验（已停用）”的修改的字段引用了此字段，请先修改"):
        act(world, "remove_field", nick)
    db.session.rollback()
    answer = login("boss").post(f"/custom_fields/action/remove_field?id={nick.id}", data={"id": str(nick.id)})
    assert answer.status_code == 302
    remove(resource("automations"), made.id, world.actor("boss"))
    act(world, "remove_field", nick)
    db.session.refresh(nick)
    assert nick.removed_at is not None


@pytest.mark.sqlite_only
def test_what_goes_on_without_the_field_is_read_before_it_is_removed(world: World, login: Login) -> None:
    area = add(world, "面积", "number")
    shared_view(world, "大户型", args={f"{area.slot}.from": ["120"]})
    client, at = login("boss"), "/custom_fields/action/remove_field"
    asked = client.post(at, data={"id": str(area.id)}).get_data(as_text=True)
    view = db.session.scalars(select(SavedView)).one()
    assert "确认删除字段“面积”" in asked and "不再按它筛选" in asked
    assert re.search(r'<button class="btn1 danger"[^>]*name="_answer"', asked)
    assert f'href="/saved_views/{view.id}"' in asked and "大户型" in asked
    assert client.get(f"/custom_fields/{area.id}").get_data(as_text=True).count("大户型") == 1
    assert client.post(at, data={"id": str(area.id), "_answer": SURE}).status_code == 302
    db.session.refresh(area)
    assert area.removed_at is not None
    assert "使用情况" not in client.get(f"/custom_fields/{area.id}").get_data(as_text=True)


@pytest.mark.sqlite_only
def test_a_field_that_nothing_speaks_of_says_so(world: World, login: Login) -> None:
    field = add(world, "昵称", "text")
    found = next(a for a in resource("custom_fields").actions if a.name == "remove_field")
    with pytest.raises(Question, match="确认删除字段“昵称”") as asked:
        perform(found, [field.id], world.actor("boss"), {})
    assert "没有其他配置引用此字段" in asked.value.text and not asked.value.rows
    db.session.rollback()
    assert "没有自动化" in login("boss").get(f"/custom_fields/{field.id}").get_data(as_text=True)


def template(world: World, by: str, name: str, body: str) -> Any:
    """A sheet about customers."""
    values = {"kind": TemplateKind.PRINT, "resource": "customers", "name": name, "body": body, "active": True}
    return create(resource("text_templates"), values, world.actor(by))[0]


def test_of_other_dealers_only_the_group_reads_how_many_they_are(world: World, login: Login) -> None:
    field = add(world, "面积", "number", "admin", for_all=True)
    template(world, "boss", "甲的", "{{面积}}")
    template(world, "boss_b", "乙的", "{{面积}}")
    of_group = update(Template).where(Template.id == template(world, "admin", "集团的", "{{面积}}").id)
    db.session.execute(of_group.values(dealer_id=None), execution_options={"audited": True})
    db.session.commit()
    assert told(world, field, "boss") == [("模板", "甲的", "正文"), ("模板", "集团的", "正文")]
    assert told(world, field, "boss_b") == [("模板", "乙的", "正文"), ("模板", "集团的", "正文")]
    others = f"其他商场的2项模板（{world.a.name}、{world.b.name}）"
    assert told(world, field, "admin") == [("模板", "集团的", "正文"), ("模板", others, "")]
    page = login("boss").get(f"/custom_fields/{field.id}").get_data(as_text=True)
    assert "甲的" in page and "乙的" not in page and "其他商场" not in page


def test_the_same_slot_of_another_dealer_is_another_field(world: World) -> None:
    mine, theirs = add(world, "面积", "number"), add(world, "面积", "number", "boss_b")
    assert mine.slot == theirs.slot
    asks = where({"field": theirs.slot, "is": "at_least", "value": [20]})
    asks = conditions.from_json(asks, actor=world.actor("boss_b"), session=db.session()).to_json()
    automation(world, "boss_b", name="乙的", condition=asks, do_1="tell_owner", words_1="看看")
    assert told(world, mine) == []
    assert [line[:2] for line in told(world, theirs, "boss_b")] == [("自动化", "乙的")]


@pytest.mark.sqlite_only
def test_personal_views_are_counted_but_the_own_ones(world: World) -> None:
    field = add(world, "面积", "number")
    for who in ("seller", "boss"):
        act_of = Act(world.actor(who), utcnow(), db.session(), "web", "create")
        with deed(act_of):
            args = {f"{field.slot}.from": ["5"]}
            view_rules.make(act_of, view_rules.list_of(act_of.actor, "customers"), f"{who}的", args, "")
    assert told(world, field) == [("视图", "boss的", "条件、列"), ("视图", "1项个人视图", "")]


@pytest.mark.sqlite_only
def test_a_field_is_not_taken_back_under_what_speaks_of_it(world: World) -> None:
    boss, session = world.actor("boss"), db.session()
    field = add(world, "面积", "number")
    made = past.changes(session, boss, Asked(kind="custom_fields"), 1)
    template(world, "boss", "甲的", "{{面积}}")
    assert past.refusal(session, made[0], boss) == "模板1项引用了此字段，请先修改"
    past.undo(session, past.changes(session, boss, Asked(kind="text_templates"), 1), boss)
    past.undo(session, made, boss)
    session.refresh(field)
    assert field.removed_at is not None


@pytest.mark.sqlite_only
def test_the_approval_of_an_edit_names_the_fields_it_watches_and_what_is_filled_in(world: World) -> None:
    stage, area = add(world, "装修阶段", "choice", options="水电\n木工"), add(world, "面积", "number")
    of, more = "customers/update", {"dealer": world.a.id}
    values = {
        "name": "改阶段", "subject": "customers", "deed": of, "active": True, "sort": 1,
        "watched": {"of": of, "fields": [stage.slot], **more}, "steps": [{"who": "manager"}],
        "condition": {"of": of, "where": {"all": [{"field": f"asked.{area.slot}", "op": "ge", "value": 100}]}, **more},
    }  # fmt: skip
    create(resource("approval_flows"), values, world.actor("boss"))
    assert told(world, stage) == [("审批流程", "改阶段", "改动的字段")]
    assert told(world, area) == [("审批流程", "改阶段", "适用条件")]


def test_a_role_stays_while_an_approval_waits_for_its_word(world: World) -> None:
    boss = world.actor("boss")
    made, _ = create(resource("roles"), {"label": "复核", "kind": RoleKind.DEALER, "assignable": True}, boss)
    key = made.name.partition(":")[2]
    values = {
        "name": "作废审批",
        "subject": "customers",
        "deed": "customers/invalidate",
        "active": False,
        "sort": 1,
    }
    steps = [{"who": "role:admin", "named": "商场系统管理员"}]
    waits, _ = create(resource("approval_flows"), {**values, "steps": steps}, boss)
    rule = update(ApprovalFlow).where(ApprovalFlow.id == waits.id)
    steps = [*steps, {"who": f"role:{key}", "named": "复核"}]
    db.session.execute(rule.values(steps=steps), execution_options={"audited": True})
    db.session.commit()
    with pytest.raises(Refusal, match="审批流程“作废审批（已停用）”的审批步骤引用了此角色，请先修改"):
        remove(resource("roles"), made.id, boss)
    db.session.rollback()
    remove(resource("approval_flows"), waits.id, boss)
    remove(resource("roles"), made.id, boss)
