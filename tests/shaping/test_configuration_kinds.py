"""Menus, added fields, dashboards and views as configuration: out, compared, in elsewhere, and taken back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy import inspect as mapped

from app.engine.actions import NotFound
from app.engine.audit import AuditEntry
from app.engine.configured import difference, files, past
from app.engine.configured.past import Asked
from app.engine.configuring import kind
from app.engine.database import db
from app.engine.perform import remove, update
from app.engine.resource import resource
from models.identity.presets import preset_role
from models.shaping.custom_fields import CustomField
from models.shaping.dashboards import Board, Sharing
from models.shaping.view_tables import Audience, SavedView
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.fields import act, formula
from tests.shaping.shapes import furnish_shapes, shape_menu, shared_view
from tests.shaping.test_configuration import take_back
from tests.shaping.test_configuration_files import bring_in, entry_file, export
from tests.shaping.test_configuration_undo import mark, unwind
from tests.shaping.test_custom_fields import add
from tests.shaping.test_dashboards import board, put

KINDS = ("menu-settings", "custom_fields", "boards", "saved_views")
pytestmark = pytest.mark.usefixtures("boss_b")


def shapes(text: str) -> dict[str, Any]:
    """What a file says of the four."""
    return {name: json.loads(text)["kinds"][name] for name in (*KINDS, "tags")}


def test_a_file_names_everything_as_people_do(world: World) -> None:
    furnish_shapes(world)
    text = export(world)
    held = shapes(text)
    assert [f["label"] for f in held["custom_fields"]] == ["开工日期", "房屋面积", "装修阶段"]
    assert held["custom_fields"][0]["shown_when"] == "customers:[装修阶段]=硬装|软装"
    assert held["custom_fields"][2]["options"][1] == {
        "value": "硬装", "label": "硬装", "tone": "good", "active": True,
    }  # fmt: skip
    assert [b["name"] for b in held["boards"]] == ["早会"]
    assert held["boards"][0]["roles"] == [{"label": "店长"}]
    assert held["boards"][0]["tiles"][0]["own"][1] == {
        "field": "store_id", "values": [{"record": world.stores[0].code}],
    }  # fmt: skip
    by_name = {v["name"]: v for v in held["saved_views"]}
    assert set(by_name) == {"本周到期", "本店的", "导购的"}
    assert by_name["本店的"]["store_id"] == world.stores[0].code
    assert {"field": "[装修阶段]", "values": ["硬装"]} in by_name["本周到期"]["conditions"]
    assert by_name["本周到期"]["columns"] == ["name", "[装修阶段]", "level"]
    assert not re.search(r'"text_\d', text) and '"custom.' not in text


def test_another_dealer_gets_the_same_and_says_it_the_same(world: World) -> None:
    """What leaves one dealer and comes into another is no other: the strongest sense of a name."""
    furnish_shapes(world)
    body = json.loads(export(world))
    body["kinds"] = {name: body["kinds"][name] for name in ("tags", *KINDS)}
    text = json.dumps(body, ensure_ascii=False)
    elsewhere = text.replace(f'"{world.stores[0].code}"', f'"{world.stores[2].code}"').replace(
        '"seller"', '"outsider"'
    )
    plan = bring_in(world, elsewhere, by="boss_b")
    assert len(plan.steps) >= 12
    assert shapes(export(world, by="boss_b")) == shapes(elsewhere)
    assert bring_in(world, export(world, by="boss_b"), by="boss_b").steps == []


def test_everything_shaped_is_unwound_from_its_end(world: World) -> None:
    start, before = mark(), export(world)
    furnish_shapes(world)
    assert export(world) != before
    assert unwind(world.actor("boss"), start) >= 15
    assert export(world) == before


def test_an_empty_file_takes_everything_away_and_the_deed_is_undone_as_a_whole(world: World) -> None:
    furnish_shapes(world)
    text = export(world)
    body = json.loads(text)
    body["kinds"] |= {name: [] for name in KINDS}
    boss, session = world.actor("boss"), db.session()
    bring_in(world, json.dumps(body))
    empty = json.loads(export(world))["kinds"]
    assert not any(empty[name] for name in KINDS)
    newest = past.changes(session, boss, Asked(), 1)[0]
    past.undo(session, past.batch(session, boss, newest), boss)
    assert shapes(export(world)) == shapes(text)
    bring_in(world, json.dumps(body))
    bring_in(world, text)
    assert shapes(export(world)) == shapes(text)


def taken_back(world: World) -> None:
    """The newest change of the configuration, undone by the administrator."""
    boss, session = world.actor("boss"), db.session()
    past.undo(session, [past.changes(session, boss, Asked(), 1)[0]], boss)


def test_a_changed_field_goes_back_with_its_places_and_rules(world: World) -> None:
    field = add(world, "昵称", "text", hint="怎么称呼")
    was = shapes(export(world))
    update(
        resource("custom_fields"), field.id,
        {"label": "小名", "places": ["form"], "required": True, "needed_when": "customers:stage=ordered"},
        world.actor("boss"),
    )  # fmt: skip
    assert shapes(export(world)) != was
    taken_back(world)
    assert shapes(export(world)) == was


def test_a_changed_dashboard_goes_back_tile_by_tile(world: World) -> None:
    tile = {"list": "customers", "kind": "number"}
    made = board(world, tile, name="早会", shared=Sharing.ALL)
    was, start = shapes(export(world)), mark()
    roles = [preset_role(db.session(), world.a.id, "manager").id]
    values = {"name": "晚会", "shared": Sharing.ROLES, "roles": roles}
    update(resource("boards"), made.id, values, world.actor("boss"))
    board_two = {"list": "customers", "chart": "source"}
    put(world, made, board_two)
    put(world, made, board_two)
    assert unwind(world.actor("boss"), start) == 3
    assert shapes(export(world)) == was
    put(world, made, board_two)
    full = shapes(export(world))
    remove(resource("boards"), made.id, world.actor("boss"))
    taken_back(world)
    assert shapes(export(world)) == full


def test_what_is_somebodys_own_is_neither_in_the_file_nor_among_the_changes(world: World) -> None:
    session, boss = db.session(), world.actor("boss")
    own = board(world, {"list": "customers", "kind": "number"}, name="自用")
    view = shared_view(world, "门店的", Audience.STORE, store_id=world.stores[0].id)
    kept = session.scalars(select(SavedView)).one()
    before = {c.entry.record_id for c in past.changes(session, boss, Asked("boards"), 50)}
    assert before == set() and "自用" not in export(world)
    entry = session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.resource == "boards"))
    with pytest.raises(NotFound):
        past.one(session, boss, entry)
    remove(resource("boards"), own.id, boss)
    assert past.changes(session, boss, Asked("boards"), 50) == []
    assert {c.entry.record_id for c in past.changes(session, boss, Asked("saved_views"), 50)} == {view.id}
    assert kept.audience is Audience.STORE


FIELD = {"resource": "customers", "label": "昵称", "kind": "text"}
VIEW = {"resource": "customers", "name": "全店", "audience": "dealer"}
BOARD = {"name": "早会", "shared": "all"}
PIECE = {"key": "customers", "label": "我的客户"}
NUMBER = {"list": "customers", "kind": "number"}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ({"menu-settings": [{"key": "no-such-page", "label": "甲"}]}, "没有菜单项“no-such-page”"),
        ({"menu-settings": [PIECE | {"label": "长" * 30}]}, "，名称：名称最多20个字"),
        ({"menu-settings": [PIECE | {"icon": "nothing"}]}, "，图标：请从列表中选择图标"),
        ({"menu-settings": [PIECE | {"place": "group:无"}]}, "，所在分组：请选择分组"),
        ({"menu-settings": [PIECE | {"hidden": "yes"}]}, "，隐藏：应为 true 或 false"),
        ({"menu-settings": [PIECE | {"sort": "first"}]}, "，次序：请输入整数"),
        ({"menu-settings": [PIECE | {"roles": [{"label": "无"}]}]}, "没有角色“无”"),
        ({"menu-settings": [{"key": "menu-settings", "hidden": True}]}, "不能隐藏"),
        ({"menu-settings": [{"key": "own:a1", "label": "组", "sort": 1, "place": "own:a1"}]}, "分组不能移到自己里面"),
        ({"menu-settings": [{"key": "link:a1", "label": "链", "sort": 1, "url": "/x"}]}, "，所在分组：请填写此项"),
        ({"menu-settings": [{"key": "link:a1", "label": "链", "sort": 1, "url": "javascript:1",
                            "place": "group:管理"}]}, "，地址：地址应为"),
        ({"custom_fields": [FIELD, FIELD | {"kind": "number"}]}, "条目重复"),
        ({"custom_fields": [FIELD | {"label": "客户姓名"}]}, "已有字段“客户姓名”"),
        ({"custom_fields": [FIELD | {"kind": "magic"}]}, "，类型：请从列表中选择"),
        ({"custom_fields": [FIELD | {"in_form": 1}]}, "应为 true 或 false"),
        ({"custom_fields": [FIELD | {"kind": "choice"}]}, "，选项：请填写选项"),
        ({"custom_fields": [FIELD | {"kind": "choice", "options": [{"label": "甲", "tone": "pink"}]}]},
         "没有颜色“pink”"),
        ({"custom_fields": [FIELD | {"kind": "choice", "options": [{"label": "甲"}, {"label": "甲"}]}]}, "“甲”重复"),
        ({"custom_fields": [FIELD | {"shown_when": "customers:[无]=1"}]}, "没有自定义字段“无”"),
        ({"custom_fields": [FIELD | {"shown_when": "customers:stage=nothing"}]}, "没有选项“nothing”"),
        ({"custom_fields": [FIELD | {"pattern": "(a+)+"}]}, "，格式：格式不能重复"),
        ({"boards": [BOARD | {"shared": "personal"}]}, "只含共享的看板"),
        ({"boards": [BOARD | {"roles": [{"label": "无"}], "shared": "roles"}]}, "，共享给角色：本系统中没有“无”"),
        ({"boards": [BOARD | {"tiles": [NUMBER, {"list": "cats", "kind": "number"}]}]}, "第2个图块：本系统中没有列表"),
        ({"boards": [BOARD | {"tiles": [{"list": "customers", "kind": "breakdown", "by": "phone"}]}]}, "不能用来分组"),
        ({"boards": [BOARD | {"tiles": [NUMBER | {"own": [{"field": "store_id", "values": [{"record": "X"}]}]}]}]},
         "“X”在本系统中不存在"),
        ({"boards": [BOARD | {"tiles": "all"}]}, "应为图块的列表"),
        ({"saved_views": [VIEW | {"audience": "person"}]}, "只含共享的视图"),
        ({"saved_views": [VIEW | {"audience": "store"}]}, "请选择门店"),
        ({"saved_views": [VIEW | {"resource": "cats"}]}, "本系统中没有列表“cats”"),
        ({"saved_views": [VIEW | {"conditions": [{"field": "stage", "values": ["nothing"]}]}]}, "没有"),
        ({"saved_views": [VIEW | {"conditions": [{"field": "text_1", "values": ["x"]}]}]}, "不能写作 text_1"),
        ({"saved_views": [VIEW | {"columns": ["[无]"]}]}, "没有自定义字段“无”"),
        ({"saved_views": [VIEW | {"colours": [["stage", "following"]]}]}, "字段、值、颜色三项"),
        ({"saved_views": [VIEW | {"conditions": [{"field": "q", "values": ["13800001111"]}]}]}, "不能按电话号码"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_place(
    world: World, kinds: dict[str, Any], sentence: str
) -> None:
    before = export(world)
    with pytest.raises(files.BadFile) as refused:
        bring_in(world, entry_file(tags=[{"name": "急装"}], **kinds))
    assert sentence in refused.value.message and "第" in refused.value.sentences[0]
    assert export(world) == before


def test_a_field_keeps_its_kind_whatever_a_file_says(world: World) -> None:
    add(world, "昵称", "text")
    with pytest.raises(files.BadFile, match="类型保存后不能修改"):
        bring_in(world, entry_file(custom_fields=[FIELD | {"kind": "number"}]))


def test_a_removed_field_that_comes_in_again_has_its_values(world: World) -> None:
    field = add(world, "昵称", "text")
    text = export(world)
    body = json.loads(text)
    body["kinds"]["custom_fields"] = []
    bring_in(world, json.dumps(body))
    bring_in(world, text)
    assert db.session.scalars(select(CustomField.slot)).all() == [field.slot]
    assert db.session.scalars(select(Board.id)).all() == []
    assert shape_menu(world)
    assert (
        difference.plan(db.session(), files.read(text), world.actor("boss"), world.a.id, removes=False).steps
        == []
    )


def test_a_hidden_entry_is_told_and_taken_back_on_the_page(world: World, login: Login) -> None:
    shape_menu(world)
    client = login("boss")
    shown = words(client.get("/configuration/?kind=menu-settings").get_data(as_text=True))
    assert "名称我的客户" in shown and "对角色隐藏导购" in shown and "已删除" not in shown
    assert take_back(client, "menu-settings").count("已撤销：菜单项“") == 1
    act(world, "remove_field", add(world, "昵称", "text"))
    assert "删除时间" in words(client.get("/configuration/?kind=custom_fields").get_data(as_text=True))
    assert "已撤销：自定义字段“" in take_back(client, "custom_fields")


OF_THE_ROW = {"dealer_id", "owner_id", "gone", "state", "removed_at", "purged_at", "slot", "indexed_at"}
"""What a row keeps that is no content of its entry: whose it is, whether it is there, where its values stand."""


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", KINDS)
def test_a_file_holds_whatever_the_history_keeps_of_an_entry(name: str) -> None:
    """A column that is added to one of them is configuration too, or it says above why not."""
    known = kind(name)
    assert known is not None
    kept = {a.key for a in mapped(known.resource.model).column_attrs if "zk" in a.columns[0].info}
    named = {"name"} if name == "menu-settings" else set()  # as the product calls the piece
    unseen = {"created_at", "updated_at", "created_by_id", "updated_by_id", "version"}
    assert kept - set(known.specs) - OF_THE_ROW - named - unseen == set()


def test_a_formula_stands_in_a_file_by_labels_whatever_the_order(world: World) -> None:
    """总价 stands before 面积 in the file, and leans on it."""
    area = add(world, "面积", "number")
    formula(world, "总价", f"[{area.slot}] × 2", guarded=True)
    add(world, "爱好", "choices", options="茶\n酒")
    text = export(world)
    held = {f["label"]: f for f in shapes(text)["custom_fields"]}
    assert held["总价"]["formula"] == "[面积] × 2" and held["总价"]["guarded"] is True
    assert [o["label"] for o in held["爱好"]["options"]] == ["茶", "酒"]
    bring_in(world, text, "boss_b")
    made = {
        f.label: f for f in db.session.scalars(select(CustomField).where(CustomField.dealer_id == world.b.id))
    }
    assert made["总价"].formula == f"customers:[{made['面积'].slot}] × 2" and made["总价"].guarded
    assert shapes(export(world, "boss_b"))["custom_fields"] == shapes(text)["custom_fields"]
