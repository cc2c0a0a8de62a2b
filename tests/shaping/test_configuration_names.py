"""Added fields that other configuration speaks of stand in a file by what they are called, wherever they are kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.engine import conditions, templating
from app.engine.actions import Act
from app.engine.configured import difference, files, past, state
from app.engine.configured.past import Asked
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.layouts import FULL
from app.engine.perform import create, update
from app.engine.resource import resource
from models.clock_rules.tables import ClockRule
from models.identity import role_rules
from models.identity.roles import RoleKind, StaffRole
from models.shaping.approval_tables import ApprovalFlow
from models.shaping.automation_tables import Automation
from models.shaping.custom_fields import CustomField
from models.shaping.custom_queries import guard_of
from models.shaping.layout_tables import PageLayout
from models.shaping.template_tables import Template, TemplateKind
from tests.customers.world import World
from tests.shaping.automations import SURE as SURE_OF_AUTOMATION
from tests.shaping.automations import where
from tests.shaping.fields import add
from tests.shaping.layouts import hiding, lay, plan_of
from tests.shaping.speaking import slots, speak
from tests.shaping.test_configuration_files import bring_in, entry_file, export

pytestmark = pytest.mark.usefixtures("boss_b")

SPEAKING = ("automations", "layouts", "approval_flows", "text_templates", "clock_rules")


def others_first(world: World) -> None:
    """The second dealer has fields already: those that come in get other slots, and other numbers."""
    for label, kind in (("楼盘", "text"), ("楼栋", "text"), ("楼层", "number"), ("交房", "date")):
        add(world, label, kind, "boss_b")


def shapes(text: str, *kinds: str) -> dict[str, Any]:
    """What a file says of these kinds."""
    return {name: json.loads(text)["kinds"][name] for name in kinds}


def part_of(text: str, *kinds: str) -> str:
    """The file with these kinds alone."""
    body = json.loads(text)
    return json.dumps(body | {"kinds": shapes(text, *kinds)}, ensure_ascii=False, indent=1)


def own(model: Any, dealer_id: int) -> Any:
    """The dealer's one row."""
    db.session.expire_all()
    return db.session.scalars(select(model).where(model.dealer_id == dealer_id)).one()


def taken_back(world: World, kind: str) -> None:
    """The newest change of that kind, undone by the administrator."""
    boss, session = world.actor("boss"), db.session()
    past.undo(session, [past.changes(session, boss, Asked(kind), 1)[0]], boss)


# ----- what speaks of fields


def test_what_speaks_of_added_fields_means_the_same_elsewhere(world: World) -> None:
    here = speak(world)
    others_first(world)
    text = export(world)
    bring_in(world, part_of(text, "custom_fields", *SPEAKING), by="boss_b")
    there = slots(world.b.id)
    assert all(there[label] != here[label] for label in ("施工节点", "预算:万元", "进场日期", "昵称"))
    made = own(Automation, world.b.id)
    assert (made.watched, made.field_1) == (there["施工节点"], there["昵称"])
    asked = [there["施工节点"], there["预算:万元"], there["昵称"]]
    flow, rule = own(ApprovalFlow, world.b.id), own(ClockRule, world.b.id)
    for condition in (made.condition, flow.condition, rule.condition):
        found = conditions.from_json(condition)
        assert [t.spec.name for t in found.terms()][:3] == asked and condition["dealer"] == world.b.id
    assert rule.start == there["进场日期"]
    spots = {s["name"]: s for part in own(PageLayout, world.b.id).parts for s in part["fields"]}
    assert spots[there["昵称"]]["hidden"] and spots[there["预算:万元"]]["width"] == FULL
    texts = {
        t.resource: t for t in db.session.scalars(select(Template).where(Template.dealer_id == world.b.id))
    }
    assert texts["customers"].body == f"{{{{{there['预算:万元']}}}}}\n{{{{ owner_id.name }}}}"
    assert texts["service_orders"].foot == f"{{{{customer_id.{there['预算:万元']}}}}}"
    again = export(world, "boss_b")
    assert shapes(again, *SPEAKING) == shapes(text, *SPEAKING)
    assert bring_in(world, again, by="boss_b").steps == []


def test_a_file_speaks_of_fields_by_their_names_alone(world: World) -> None:
    known = speak(world)
    held = shapes(export(world), *SPEAKING)
    said = json.dumps(held, ensure_ascii=False)
    assert not any(re.search(rf"\b{slot}\b", said) for slot in known.values())
    assert (held["automations"][0]["watched"], held["automations"][0]["field_1"]) == ("[施工节点]", "[昵称]")
    assert held["clock_rules"][0]["start"] == "[进场日期]"
    assert held["approval_flows"][0]["condition"]["where"]["all"][0] == {
        "field": "[施工节点]", "is": "one_of", "value": ["水电"],
    }  # fmt: skip
    texts = {t["resource"]: t for t in held["text_templates"]}
    assert texts["customers"]["body"] == "{{[预算:万元]}}\n{{ owner_id.name }}"
    assert texts["customers"]["head"] == "{{客户姓名}} {{施工节点}}"
    assert texts["service_orders"]["foot"] == "{{customer_id.[预算:万元]}}"


def test_what_speaks_of_added_fields_is_taken_back_as_it_was(world: World) -> None:
    known = speak(world)
    was = shapes(export(world), *SPEAKING)
    plan = plan_of(world, "detail")
    lay(world, hiding(plan, known["进场日期"]), "detail")
    taken_back(world, "layouts")
    lay(world, plan, "detail")
    taken_back(world, "layouts")
    rule = own(Automation, world.a.id)
    update(resource("automations"), rule.id, {"watched": "level", "condition": None}, world.actor("boss"),
           answers=SURE_OF_AUTOMATION)  # fmt: skip
    taken_back(world, "automations")
    assert shapes(export(world), *SPEAKING) == was


@pytest.mark.sqlite_only
def test_a_template_may_name_a_field_that_comes_with_it(world: World) -> None:
    boss, session = world.actor("boss"), db.session()
    templating.book(resource("customers"), world.a.id, boss.epoch)  # as a page has asked for it before
    with deed(Act(boss, utcnow(), session, "import", "import")):
        add(world, "昵称", "text")
        values = {"kind": TemplateKind.PRINT, "resource": "customers", "name": "资料单", "active": True}
        create(resource("text_templates"), values | {"body": "{{昵称}}"}, boss)
    assert own(Template, world.a.id).body == "{{昵称}}"


AUTOMATION = {"name": "甲", "subject": "customers", "event": "changed", "do_1": "set"}
FLOW = {
    "name": "甲",
    "subject": "customers",
    "deed": "customers/invalidate",
    "steps": ["角色 商场系统管理员"],
}
SHEET = {"kind": "print", "resource": "customers", "name": "甲", "body": "单据"}


def asking(name: str, of: str = "customers") -> dict[str, Any]:
    """A condition of a file that asks for that field."""
    return {"condition": where({"field": name, "is": "filled"}, of=of)}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ({"automations": [AUTOMATION | {"watched": "[无]"}]}, "，变化的字段：客户没有自定义字段“无”"),
        ({"automations": [AUTOMATION | {"watched": "text_1"}]}, "，变化的字段：自定义字段应写作 [字段名称]"),
        ({"automations": [AUTOMATION | {"watched": ["level"]}]}, "，变化的字段：字段的名称格式不正确"),
        ({"automations": [AUTOMATION | {"field_1": "[无]"}]}, "，修改的字段：客户没有自定义字段“无”"),
        ({"automations": [AUTOMATION | {"watched": "level"} | asking("[无]")]}, "，条件：客户没有自定义字段“无”"),
        ({"automations": [AUTOMATION | {"watched": "level"} | asking("text_1")]}, "，条件：自定义字段应写作"),
        ({"approval_flows": [FLOW | asking("[无]", "customers/invalidate")]}, "，适用条件：客户没有自定义字段“无”"),
        ({"clock_rules": [{"name": "甲", "subject": "customers", "start": "[无]"}]},
         "，起算时间：客户没有自定义字段“无”"),
        ({"text_templates": [SHEET | {"body": "{{[无]}}"}]}, "，正文：没有自定义字段“无”"),
        ({"text_templates": [SHEET | {"head": "{{text_1}}"}]}, "，页眉：自定义字段应写作 [字段名称]"),
        ({"text_templates": [SHEET | {"foot": "{{customer_id.[无]}}"}]}, "，页脚：没有自定义字段“无”"),
        ({"text_templates": [SHEET | {"body": "{{没有的表：[无]}}"}]}, "，正文：没有自定义字段“无”"),
        ({"roles": [{"label": "甲", "grants": ["[无]@Customers"]}]},
         "，权限：客户没有仅授权可见的自定义字段“无”"),
        ({"roles": [{"label": "甲", "grants": ["guard_custom_2@Guards"]}]},
         "，权限：自定义字段的权限应写作 [字段名称]@Customers"),
    ],
)  # fmt: skip
def test_a_field_that_is_not_here_is_named_with_its_place(
    world: World, kinds: dict[str, Any], sentence: str
) -> None:
    before = export(world)
    with pytest.raises(files.BadFile) as refused:
        bring_in(world, entry_file(tags=[{"name": "急装"}], **kinds), removes=False)
    assert sentence in refused.value.message and "第" in refused.value.sentences[0]
    assert export(world) == before


# ----- who may see a field


def role_of(world: World, dealer_id: int, label: str) -> StaffRole:
    """The dealer's role of that name."""
    found = select(StaffRole).where(StaffRole.dealer_id == dealer_id, StaffRole.label == label)
    return db.session.scalars(found).one()


def guards_of(role: StaffRole) -> set[str]:
    """The guards of added fields that it grants."""
    grants = role_rules.rights_of(db.session(), role.id).grants
    return {p for p, view in grants if view == "Guards" and p.startswith("guard_custom_")}


def secret(world: World, by: str = "boss") -> str:
    """A field that only some may see, as its permission is kept."""
    guard = guard_of(add(world, "底价", "number", by, guarded=True))
    assert guard is not None
    return guard.permission[0]


def test_a_role_has_the_permission_of_the_field_of_that_name_elsewhere(world: World) -> None:
    """The clerk's role makes no fields: in the second dealer it has the permission by the file alone."""
    kept = secret(world)
    grants = ["can_list@Customers", f"{kept}@Guards"]
    create(resource("roles"), {"label": "核价员", "grants": grants, "scopes": []}, world.actor("boss"))
    others_first(world)
    text = export(world)
    role = next(r for r in json.loads(text)["kinds"]["roles"] if r["label"] == "核价员")
    assert role["grants"] == ["[底价]@Customers", "can_list@Customers"] and kept not in text
    actor = world.actor("boss_b")
    plan = difference.plan(db.session(), files.read(text, actor), actor, world.b.id)
    said = [line for s in plan.steps if s.words == "核价员" for line in plan.lines(s, db.session(), actor)]
    assert "+ 字段权限 · 查看底价" in said
    bring_in(world, text, by="boss_b")
    theirs = guards_of(role_of(world, world.b.id, "核价员"))
    field = db.session.scalars(
        select(CustomField).where(CustomField.dealer_id == world.b.id, CustomField.guarded)
    ).one()
    assert theirs == {f"guard_custom_{field.id}"} != {kept}
    kinds = ("roles", "custom_fields")
    again = export(world, "boss_b")
    assert shapes(again, *kinds) == shapes(text, *kinds)
    assert bring_in(world, part_of(again, *kinds), by="boss_b").steps == []


def test_who_makes_fields_does_not_see_one_that_the_file_keeps_from_them(world: World) -> None:
    """Making the field gives its permission to those who make fields; the file has the last word."""
    boss = world.actor("boss")
    made, _ = create(
        resource("roles"), {"label": "录入员", "grants": ["can_add@CustomFields"], "scopes": []}, boss
    )
    kept = secret(world)
    assert guards_of(made) == {kept}
    update(resource("roles"), made.id, {"grants": ["can_add@CustomFields"]}, world.actor("boss"))
    text = export(world)
    bring_in(world, text, by="boss_b")
    assert guards_of(role_of(world, world.b.id, "录入员")) == set()
    assert len(guards_of(role_of(world, world.b.id, "商场系统管理员"))) == 1
    assert shapes(export(world, "boss_b"), "roles") == shapes(text, "roles")


def test_a_permission_is_taken_back_whatever_the_field_is_called_by_now(world: World) -> None:
    kept = secret(world)
    boss = world.actor("boss")
    made, _ = create(resource("roles"), {"label": "核价员", "grants": [f"{kept}@Guards"], "scopes": []}, boss)
    update(resource("roles"), made.id, {"grants": []}, boss)
    field = db.session.scalars(select(CustomField)).one()
    update(resource("custom_fields"), field.id, {"label": "成交底价"}, boss)
    taken_back(world, "roles")
    assert guards_of(made) == {kept}
    roles = {r["label"]: r["grants"] for r in json.loads(export(world))["kinds"]["roles"]}
    assert roles["核价员"] == ["[成交底价]@Customers"]


def test_a_dealers_permission_in_a_role_of_the_group_is_no_part_of_the_groups_file(world: World) -> None:
    admin, session = world.actor("admin"), db.session()
    made, _ = create(
        resource("roles"), {"label": "集团核价", "kind": RoleKind.GROUP, "grants": ["can_add@CustomFields"],
                            "scopes": []}, replace(admin, dealer_id=None),
    )  # fmt: skip
    kept = secret(world)
    assert guards_of(made) == {kept}
    actor = difference.acting_for(admin, None, state.readable(admin))
    body = json.loads(difference.export(session, actor, None))
    role = next(r for r in body["kinds"]["roles"] if r["label"] == "集团核价")
    assert role["grants"] == ["can_add@CustomFields"]
    role["grants"] = ["can_add@CustomFields", "can_list@Customers"]
    plan = difference.plan(session, files.read(part_of(json.dumps(body), "roles")), actor, None)
    difference.carry_out(session, plan, actor)
    assert guards_of(made) == {kept}
