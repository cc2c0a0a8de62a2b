"""What the group makes for all dealers, from an account that belongs to one of them: ``admin`` sits in a dealer of its
own, the trade has two others."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid, Refusal
from app.engine.audit import acting
from app.engine.configured import difference, files
from app.engine.database import db
from app.engine.perform import create, remove, update
from app.engine.resource import resource
from models.clock_rules.tables import ClockRule
from models.follow_ups.tables import Task
from models.identity import presets
from models.identity.for_all import begun
from models.identity.roles import RoleKind, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Store
from models.notifications.tables import NoticeKind, Notification
from models.shaping import dashboard_queries, dashboard_rules, template_queries
from models.shaping.approval_tables import ApprovalFlow
from models.shaping.automation_tables import Automation
from models.shaping.custom_fields import CustomField, Place
from models.shaping.dashboards import Board, Sharing
from models.shaping.notice_tables import NoticeWords
from models.shaping.template_tables import Template, TemplateKind
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.automations import SURE, runs, setting, work
from tests.shaping.fields import add
from tests.shaping.test_configuration import an_entry
from tests.shaping.test_notice_words import GIVEN, give

ALL = {"for_all": "1"}
AUTOMATION = {
    "name": "集团补址", "subject": "customers", "event": "created", "do_1": "set", "field_1": "address",
    "value_1": "待补", "active": "1",
}  # fmt: skip
CLOCK = {
    "name": "集团回访", "subject": "customers", "start": "filed", "amount": "2", "unit": "days", "direction": "after",
    "ahead_days": "0", "at": "08:00", "repeat": "none", "every_days": "1", "effect": "alert", "active": "1",
    "sort": "50",
}  # fmt: skip
FLOW = {
    "name": "集团失效", "subject": "customers", "deed": "customers/invalidate", "steps": "申请人的上级", "active": "1",
    "sort": "10",
}  # fmt: skip
TEXT = {
    "kind": "message", "resource": "customers", "name": "集团问候", "body": "{{客户姓名}}您好", "sort": "10",
    "active": "1",
}  # fmt: skip
WORDS = {"sentence": GIVEN, "one": "集团：{{客户}}", "many": "集团：{{数量}}位", "active": "1"}
BOARD = {"name": "集团看板", "icon": "users", "sort": "10", "shared": "all"}
FIELD = {
    "label": "会员号", "kind": "text", "resource": "customers", "places": ["form"], "section": "更多信息",
    "position": "100",
}  # fmt: skip
KINDS = {
    "automations": (Automation, AUTOMATION, "自动化"),
    "clock_rules": (ClockRule, CLOCK, "时间规则"),
    "approval_flows": (ApprovalFlow, FLOW, "审批流程"),
    "text_templates": (Template, TEXT, "模板"),
    "notice_words": (NoticeWords, WORDS, "通知用语"),
    "boards": (Board, BOARD, "看板"),
    "custom_fields": (CustomField, FIELD, "自定义字段"),
}


def newest(name: str) -> Any:
    """The last entry of that kind."""
    model = KINDS[name][0]
    db.session.expire_all()
    return db.session.scalars(select(model).order_by(model.id.desc()).limit(1)).first()


def made(login: Login, name: str, /, by: str = "admin", **more: Any) -> Any:
    """An entry as it comes out of the form, for all."""
    data = {**KINDS[name][1], **ALL, "_answer": "touch", **more}
    answer = login(by).post(f"/{name}/new", data=data)
    assert answer.status_code == 302, words(answer.get_data(as_text=True))
    found = newest(name)
    assert found.dealer_id is None
    return found


# ----- the choice


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", KINDS)
def test_only_the_group_is_offered_the_choice_and_others_are_told(
    world: World, login: Login, name: str
) -> None:
    for person, offered in (("admin", True), ("boss", False)):
        form = login(person).get(f"/{name}/new").get_data(as_text=True)
        assert ('name="for_all"' in form) is offered, person
    before = newest(name)
    _, data, label = KINDS[name]
    answer = login("boss").post(f"/{name}/new", data={**data, **ALL, "_answer": "touch"})
    assert answer.status_code == 400 and newest(name) is before
    assert f"只有集团管理员可以新增集团通用的{label}" in answer.get_data(as_text=True)
    more = {"shared": Sharing.ALL} if name == "boards" else {}
    with pytest.raises(Invalid) as said:
        create(resource(name), {"for_all": True, **more}, world.actor("boss"))
    assert list(said.value.errors) == ["for_all"]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", KINDS)
def test_without_the_tick_it_is_the_own_dealers_and_with_it_it_stays_everybodys(
    world: World, login: Login, name: str
) -> None:
    client = login("admin")
    own = {**KINDS[name][1], "_answer": "touch"}
    assert client.post(f"/{name}/new", data=own).status_code == 302
    assert newest(name).dealer_id == world.actor("admin").dealer_id
    different = {n: f"{v}二" for n, v in own.items() if n in ("name", "label")}
    row = made(login, name, **different)
    form = client.get(f"/{name}/{row.id}/edit").get_data(as_text=True)
    assert 'name="for_all"' not in form
    data = {**own, **different, "version": str(row.version)}
    assert client.post(f"/{name}/{row.id}/edit", data=data).status_code == 302
    assert newest(name).dealer_id is None
    listed = client.get(f"/{name}/?active=1" if name == "automations" else f"/{name}/").get_data(as_text=True)
    assert "集团通用" in listed


@pytest.mark.sqlite_only
def test_who_belongs_to_no_dealer_makes_what_is_everybodys(world: World) -> None:
    """The form is ticked already; what says nothing of it stays as it was."""
    chief = replace(world.actor("admin"), dealer_id=None)
    assert is_group(chief, "approval_flows")
    assert begun(ApprovalFlow)({}, chief, db.session()) == {"for_all": True}
    values = {**FLOW, "active": True, "steps": [{"who": "manager"}]}
    with pytest.raises(Invalid) as said:
        create(resource("approval_flows"), {**values, "for_all": False}, chief)
    assert said.value.errors["for_all"] == "当前账号不属于任何商场，请勾选“集团所有商场通用”"
    db.session.rollback()
    assert create(resource("approval_flows"), values, chief)[0].dealer_id is None


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["automations", "clock_rules"])
def test_what_only_a_dealer_or_only_the_group_has_is_asked_then_alone(
    world: World, login: Login, name: str
) -> None:
    row = made(login, name, optional="1")
    client = login("admin")
    ticked = re.compile(r'name="for_all"[^>]*checked|checked[^>]*name="for_all"')
    copy = client.get(f"/{name}/new?copy={row.id}").get_data(as_text=True)
    assert ticked.search(copy) and 'data-shown-when="for_all="' in copy
    assert not ticked.search(client.get(f"/{name}/new").get_data(as_text=True))
    edited = client.get(f"/{name}/{row.id}/edit").get_data(as_text=True)
    assert 'name="replaces_id' not in edited and ('name="optional"' in edited) is (name == "automations")
    mine = login("boss").get(f"/{name}/new?copy={row.id}").get_data(as_text=True)
    assert re.search(rf'name="replaces_id" value="{row.id}" checked|value="{row.id}" selected', mine)
    assert 'name="optional"' not in mine and 'name="for_all"' not in mine


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["automations", "clock_rules", "approval_flows"])
def test_the_interface_asks_the_same(world: World, login: Login, name: str) -> None:
    sent = {**KINDS[name][1], "active": True, "for_all": True, "answers": ["touch"]}
    answer = login("boss").post(f"/api/v1/{name}", json=sent)
    assert answer.status_code == 400 and "只有集团管理员" in answer.get_json()["errors"]["for_all"]
    answer = login("admin").post(f"/api/v1/{name}", json=sent)
    assert answer.status_code == 201, answer.get_json()
    assert newest(name).dealer_id is None
    answer = login("boss").post(f"/api/v1/{name}", json={**sent, "for_all": False, "name": "本商场的"})
    assert answer.status_code == 201 and newest(name).dealer_id == world.a.id


# ----- it acts in every dealer


def test_an_automation_runs_in_other_dealers(world: World, login: Login) -> None:
    """Everything that it makes there is the other dealer's, although whoever saved it sits in a third one."""
    made(login, "automations", do_2="task", title_2="回访", days_2="1", do_3="tell_owner", words_3="请看")
    for by, dealer in (("seller", world.a), ("outsider", world.b)):
        customer = world.customer(by)
        work()
        db.session.refresh(customer)
        assert customer.address == "待补", runs()
        person = world.people[by].id
        tasks = select(Task.dealer_id, Task.owner_id).where(Task.customer_id == customer.id)
        assert db.session.execute(tasks).all() == [(dealer.id, person)]
        told = select(Notification.dealer_id).where(
            Notification.user_id == person, Notification.title.contains("请看")
        )
        assert db.session.scalars(told).all() == [dealer.id]


def test_a_preset_role_is_each_dealers_own(world: World, login: Login) -> None:
    """Records go round among its people, and they are told, in the dealer of the record."""
    asked = {"do_1": "rotate", "preset_1": "*:consultant", "do_2": "tell_role", "preset_2": "*:consultant"}
    client = login("admin")
    form = client.get("/automations/new").get_data(as_text=True)
    assert re.search(r'name="preset_1".*?<option value="\*:consultant">导购</option>', form, re.S)
    row = made(login, "automations", **asked, words_2="请看")
    assert (row.role_1, row.preset_1) == (None, "*:consultant")
    for by, dealer, people in (
        ("boss", world.a, ("seller", "seller2")),
        ("outsider", world.b, ("outsider",)),
    ):
        customers = [
            world.customer(by, store_id=store.id) for store in world.stores if store.dealer_id == dealer.id
        ]
        work()
        ids = {world.people[p].id for p in people}
        assert {c.owner_id for c in customers} <= ids, runs()
        told = select(Notification.user_id).where(
            Notification.dealer_id == dealer.id, Notification.title.contains("请看")
        )
        assert set(db.session.scalars(told)) <= ids and db.session.scalars(told).first(), runs()
    listed = client.get("/automations/?active=1").get_data(as_text=True)
    assert "在“导购”中轮流分配" in listed and "通知“导购”" in listed


@pytest.mark.sqlite_only
def test_a_role_is_asked_by_row_or_for_all_and_never_both(world: World, login: Login) -> None:
    client, boss = login("admin"), login("boss")
    given = {**AUTOMATION, "do_1": "rotate", "_answer": "touch"}
    role = presets.preset_role(db.session(), world.a.id, "consultant").id
    for sent, said in (
        ({**ALL, "role_1": str(role)}, "请选择通用角色"),
        ({"preset_1": "*:consultant"}, "请选择角色"),
    ):
        answer = client.post("/automations/new", data={**given, **sent})
        assert answer.status_code == 400 and said in answer.get_data(as_text=True), sent
    assert 'name="preset_1"' not in boss.get("/automations/new").get_data(as_text=True)
    row = made(login, "automations", do_1="rotate", preset_1="*:consultant", optional="1")
    edited = client.get(f"/automations/{row.id}/edit").get_data(as_text=True)
    assert 'name="preset_1"' in edited and 'name="role_1' not in edited
    copy = boss.get(f"/automations/new?copy={row.id}").get_data(as_text=True)
    assert re.search(rf'name="role_1" value="{role}"|value="{role}" selected', copy), (
        "the dealer's own of that key"
    )
    with pytest.raises(Invalid, match="“导购”只属于一个商场"):
        update(resource("automations"), row.id, {"role_1": role}, world.actor("admin"), answers=SURE)


@pytest.mark.sqlite_only
def test_a_role_of_the_group_is_named_by_its_key_and_kept_while_it_is(world: World, login: Login) -> None:
    session, admin = db.session(), world.actor("admin")
    values = {"label": "区域督导", "kind": RoleKind.GROUP, "grants": [], "scopes": []}
    role, _ = create(resource("roles"), values, admin)
    assert role.dealer_id is None
    row = made(login, "automations", do_1="tell_role", preset_1=role.name, words_1="请看")
    assert "通知“区域督导”" in login("admin").get("/automations/?active=1").get_data(as_text=True)
    with pytest.raises(Refusal, match="集团补址"):
        remove(resource("roles"), role.id, admin)
    session.rollback()
    text, kept = difference.export(session, admin, None, ("automations",)), role.name
    assert "区域督导" in text and kept not in text
    remove(resource("automations"), row.id, admin)
    found = difference.plan(session, files.read(text, admin), admin, None)
    difference.carry_out(session, found, difference.acting_for(admin, None, [c.kind for c in found.compared]))
    assert newest("automations").preset_1 == kept
    found = difference.plan(session, files.read(text.replace("区域督导", "督导"), admin), admin, None)
    with pytest.raises(files.BadFile, match="集团没有角色“督导”"):
        difference.carry_out(
            session, found, difference.acting_for(admin, None, [c.kind for c in found.compared])
        )


@pytest.mark.sqlite_only
def test_what_the_makers_dealer_does_without_holds_in_others(world: World, login: Login) -> None:
    an_entry(world, "admin", dictionary="customer.kind", label="意向客户", value="意向客户", active=False)
    made(login, "automations", field_1="kind", value_1="意向客户")
    customer = world.customer()
    work()
    db.session.refresh(customer)
    assert customer.kind == "意向客户", runs()


def test_a_time_rule_comes_due_in_other_dealers(world: World, login: Login) -> None:
    times = Times()
    times.tick("2026-03-01 07:00")
    made(login, "clock_rules")
    for by in ("seller", "outsider"):
        world.customer(by, now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-04")
    told = select(Notification.user_id).where(
        Notification.kind == NoticeKind.STRONG, Notification.title.contains("集团回访")
    )
    assert set(db.session.scalars(told)) == {world.people[p].id for p in ("seller", "outsider")}


@pytest.mark.sqlite_only
def test_an_approval_asks_in_other_dealers(world: World, login: Login) -> None:
    made(login, "approval_flows")
    customer = world.customer()
    report = world.act("invalidate", customer)
    assert report.waiting == 1 and "已提交审批（集团失效，申请人的上级）" in report.messages[0]


@pytest.mark.sqlite_only
def test_templates_messages_and_dashboards_are_there_in_other_dealers(world: World, login: Login) -> None:
    for name in ("text_templates", "notice_words", "boards"):
        made(login, name)
    session = db.session()
    offered = template_queries.templates(session, TemplateKind.MESSAGE, "customers", world.a.id)
    assert "集团问候" in [t.name for t in offered]
    assert give(world, world.customer(name="乙")) == "集团：乙"
    seen = dashboard_queries.in_menu(session, world.actor("outsider"))
    assert [b.name for b in seen] == ["集团看板"]


# ----- what is said there is everybody's


CASES = {
    "automations": [
        ({"condition": "展厅 是 甲"}, "字段“展厅”"),
        ({"event": "changed", "watched": "SLOT"}, "字段“展厅”"),
        ({"field_1": "SLOT", "value_1": "甲"}, "字段“展厅”"),
        ({"condition": "客户来源 是 本馆活动"}, "选项“本馆活动”"),
        ({"condition": "所属组织（门店） 属于 STORE"}, "“STORE”"),
        ({"do_1": "tell_person", "person_1": "PERSON", "words_1": "请看"}, "“总管”"),
        ({"field_1": "designer_id", "value_1": "设计师甲"}, "“设计师甲”"),
    ],
    "clock_rules": [({"condition": "展厅 是 甲"}, "字段“展厅”"), ({"start": "DAY"}, "字段“装修日”")],
    "approval_flows": [
        ({"condition": "展厅 是 甲"}, "字段“展厅”"),
        ({"condition": "本次展厅 是 甲", "deed": "customers/update"}, "字段“展厅”"),
        ({"watched": "展厅", "deed": "customers/update"}, "字段“展厅”"),
        ({"steps": "角色 展厅主管"}, "第1步的角色“展厅主管”"),
    ],
    "text_templates": [({"body": "{{展厅}}"}, "字段“展厅”")],
    "boards": [({"shared": "roles", "roles": "ROLE"}, "“导购”")],
}


@pytest.fixture
def home(world: World) -> dict[str, str]:
    """What the administrator's own dealer has, by the words of the cases."""
    dealer = world.actor("admin").dealer_id
    store = "本馆一店"
    with acting(db.session()):
        db.session.add(Store(dealer_id=dealer, code="HOME-9", name=store))
        db.session.commit()
    role = select(StaffRole.id).where(StaffRole.dealer_id == world.a.id, StaffRole.label == "导购")
    field, day = add(world, "展厅", "text", "admin"), add(world, "装修日", "date", "admin")
    an_entry(world, "admin", dictionary="customer.source_category", label="本馆", value="ours")
    an_entry(world, "admin", dictionary="customer.source", label="本馆活动", value="here", parent="ours")
    create(resource("roles"), {"label": "展厅主管", "grants": [], "scopes": []}, world.actor("admin"))
    return {
        "SLOT": field.slot, "DAY": day.slot, "STORE": store, "PERSON": str(world.people["boss"].id),
        "ROLE": str(db.session.scalar(role)),
    }  # fmt: skip


def filled(text: str, home: dict[str, str]) -> str:
    for word, meant in home.items():
        text = text.replace(word, meant)
    return text


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", CASES)
def test_what_one_dealer_has_is_refused_in_words(
    world: World, login: Login, home: dict[str, str], name: str
) -> None:
    client, label = login("admin"), KINDS[name][2]
    for more, said in CASES[name]:
        before = newest(name)
        data = {**KINDS[name][1], **ALL, "_answer": "touch", **{n: filled(v, home) for n, v in more.items()}}
        answer = client.post(f"/{name}/new", data=data)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400 and newest(name) is before, more
        errors = [words(e) for e in re.findall(r'<p class="err".*?</p>', page, re.S)]
        assert words(filled(f"{said}只属于一个商场，不能用在集团通用的{label}中", home)) in errors, (
            more,
            errors,
        )


@pytest.mark.sqlite_only
def test_a_tile_and_a_rule_of_a_field_name_nothing_of_one_dealer(
    world: World, login: Login, home: dict[str, str]
) -> None:
    add(world, "展区", "choice", "admin", options="甲\n乙", also=(Place.CHART,))
    board = made(login, "boards")
    slot = db.session.scalars(select(CustomField.slot).where(CustomField.label == "展区")).one()
    tile = dashboard_rules.adding({"list": "customers", "kind": "breakdown", "by": slot})
    own = {"store_id": [str(world.stores[0].id)]}
    filtered = dashboard_rules.adding({"list": "customers", "kind": "number", "own": own})
    for change, said in ((tile, "字段“展区”"), (filtered, f"“{world.stores[0].name}”")):
        with pytest.raises(Refusal, match=f"{said}只属于一个商场，不能用在集团通用的看板中"):
            dashboard_rules.rearrange(board.id, board.version, change, world.actor("admin"), "web")
        db.session.rollback()
    data = {**FIELD, **ALL, "needed_when": "客户来源=本馆活动"}
    answer = login("admin").post("/custom_fields/new", data=data)
    assert answer.status_code == 400 and "没有选项“本馆活动”" in answer.get_data(as_text=True)


@pytest.mark.sqlite_only
def test_changing_one_of_the_groups_is_judged_the_same(
    world: World, login: Login, home: dict[str, str]
) -> None:
    row = made(login, "automations")
    with pytest.raises(Invalid, match="字段“展厅”只属于一个商场"):
        update(
            resource("automations"), row.id, setting(home["SLOT"], "甲"), world.actor("admin"), answers=SURE
        )


# ----- as configuration


@pytest.mark.sqlite_only
def test_the_groups_travel_as_the_groups(world: World, login: Login) -> None:
    """Whoever brings them in belongs to a dealer; that the group holds on to one comes along."""
    rows = [made(login, "automations", name="可替代", optional="1"), made(login, "automations", name="必须")]
    rows.append(made(login, "clock_rules"))
    assert [r.optional for r in rows[:2]] == [True, False]
    session, admin = db.session(), world.actor("admin")
    kinds = ("automations", "clock_rules")
    text = difference.export(session, admin, None, kinds)
    for row in rows:
        remove(resource(type(row).__tablename__), row.id, admin)
    found = difference.plan(session, files.read(text, admin), admin, None)
    difference.carry_out(session, found, difference.acting_for(admin, None, [c.kind for c in found.compared]))
    assert difference.export(session, admin, None, kinds) == text
    again = session.scalars(select(Automation).order_by(Automation.name)).all()
    assert {(a.name, a.dealer_id, a.optional) for a in again} == {
        ("可替代", None, True),
        ("必须", None, False),
    }
    body = json.loads(text)
    body["kinds"]["automations"][0]["for_all"] = True
    with pytest.raises(files.BadFile, match="没有“for_all”这一项"):
        files.read(json.dumps(body), admin)
