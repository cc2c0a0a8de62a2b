"""Layouts as configuration: in the history, taken back, in files, and refused there in words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.configured import past
from app.engine.configured.files import BadFile
from app.engine.database import db
from models.identity import presets
from models.shaping.layout_tables import PageLayout
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.layouts import EDITOR, hiding, lay, plan_of, sent, shown_in
from tests.shaping.test_configuration import newest
from tests.shaping.test_configuration_files import bring_in, export


def kept() -> list[PageLayout]:
    db.session.expire_all()
    return list(db.session.scalars(select(PageLayout).order_by(PageLayout.id)))


def take_back(world: World, entry: int) -> None:
    actor, session = world.actor("boss"), db.session()
    past.undo(session, [past.one(session, actor, entry)], actor)


def test_making_changing_and_dropping_a_layout_are_taken_back_in_turn(world: World) -> None:
    plan = plan_of(world)
    lay(world, hiding(plan, "gender"))
    made = newest("layouts")
    lay(world, hiding(plan, "gender", "kind"))
    changed = newest("layouts")
    lay(world, plan)
    dropped = newest("layouts")
    assert kept() == []
    with pytest.raises(Refusal, match="删除"):
        take_back(world, changed)
    take_back(world, dropped)
    assert [row.summary for row in kept()] == ["“称谓”隐藏；“客户类型”隐藏"]
    take_back(world, changed)
    assert [row.summary for row in kept()] == ["“称谓”隐藏"]
    take_back(world, made)
    assert kept() == []


@pytest.mark.sqlite_only
def test_two_clicks_take_a_saved_layout_back(world: World, login: Login) -> None:
    client = login("boss")
    answer = client.post(EDITOR, data=sent(hiding(plan_of(world), "gender")), follow_redirects=True)
    link = re.search(
        r'<a class="link" href="(/configuration/\d+/undo)">撤销</a>', answer.get_data(as_text=True)
    )
    assert link is not None
    asked = words(client.get(link.group(1)).get_data(as_text=True))
    assert "客户·新建表单" in asked and "删除此项" in asked
    told = words(client.get(f"/layouts/{kept()[0].id}/history").get_data(as_text=True))
    assert "调整布局" in told and "“称谓”隐藏" in told and "客户（8项，隐藏1项）" in told
    client.post(link.group(1))
    assert kept() == []
    assert "gender" in shown_in(login("seller").get("/customers/new").get_data(as_text=True))


def test_what_was_exported_comes_back_and_is_exported_the_same(world: World) -> None:
    role = presets.preset_role(db.session(), world.a.id, "consultant")
    lay(world, hiding(plan_of(world), "gender"))
    lay(world, hiding(plan_of(world, "detail"), "kind"), "detail", role=role.id)
    text = export(world)
    entries = json.loads(text)["kinds"]["layouts"]
    assert {e["page"]: e["role_id"] for e in entries} == {"new": None, "detail": {"label": role.label}}
    for row in kept():
        db.session.delete(row)
    from app.engine.audit import acting

    with acting(db.session()):
        db.session.commit()
    bring_in(world, text)
    assert export(world) == text and len(kept()) == 2
    assert all(not c.steps for c in bring_in(world, text).compared)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"resource": "nothing"}, "没有此页面"),
    ({"resource": "clock_rules"}, "没有此页面"),
    ({"page": "edit", "resource": "receipts"}, "没有此页面"),
    ({"role_id": {"label": "没有的角色"}}, "本系统中没有此角色"),
    ({"parts": "甲"}, "格式不正确"),
    (
        {"parts": [{"key": "客户", "fields": [{"name": "name", "hidden": True}]}]},
        "“客户姓名”是必填项，不能隐藏",
    ),
    ({"parts": []}, "与默认布局相同"),
    (
        {"parts": [{"key": "客户", "fields": [{"name": "text_9"}]}]},
        "自定义字段应写作 [字段名称]，不能写作 text_9",
    ),
    ({"parts": [{"key": "客户", "fields": [{"name": "[无]"}]}]}, "客户没有自定义字段“无”"),
]


@pytest.mark.sqlite_only
def test_a_wrong_layout_in_a_file_is_refused_with_the_place(world: World) -> None:
    lay(world, hiding(plan_of(world), "gender"))
    good = json.loads(export(world))
    for wrong, said in WRONG:
        text = json.loads(json.dumps(good))
        text["kinds"]["layouts"][0] |= wrong
        with pytest.raises(BadFile) as bad:
            bring_in(world, json.dumps(text, ensure_ascii=False))
        assert any(said in sentence for sentence in bad.value.sentences), bad.value.sentences
        assert [r.summary for r in kept()] == ["“称谓”隐藏"]


@pytest.mark.sqlite_only
def test_a_section_and_a_field_a_file_names_that_are_not_here_are_passed_over(world: World) -> None:
    lay(world, hiding(plan_of(world), "gender"))
    text = json.loads(export(world))
    parts = text["kinds"]["layouts"][0]["parts"]
    parts[0]["fields"].insert(0, {"name": "no_such_field"})
    bring_in(world, json.dumps(text, ensure_ascii=False))
    assert [row.summary for row in kept()] == ["“称谓”隐藏"]
    assert "no_such_field" not in json.dumps(kept()[0].parts)


def test_a_removed_role_takes_its_layout_along(world: World) -> None:
    from app.engine.perform import create, remove
    from app.engine.resource import resource

    boss = world.actor("boss")
    role, _ = create(
        resource("roles"),
        {"label": "展厅主管", "grants": ["can_list@Customers"], "scopes": ["customers:store"]},
        boss,
    )
    lay(world, hiding(plan_of(world), "gender"), role=role.id)
    assert [row.name for row in kept()] == ["客户 · 新建表单 · 展厅主管"]
    remove(resource("roles"), role.id, boss)
    assert kept() == []
