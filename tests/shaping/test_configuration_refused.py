"""Files that would do harm are refused as a whole, in words, with the place named; nothing of them is kept."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from app.engine.configured import files
from app.engine.database import db
from app.engine.scopes import Actor
from models.shaping import menus
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.test_configuration_files import HEAD, bring_in, entry_file, export

FIELD = {"resource": "customers", "kind": "text"}


def sent(client: Any, text: str, owner: int) -> Any:
    """The file as somebody uploads it."""
    data = {"file": (io.BytesIO(text.encode()), "配置.json"), "owner": str(owner)}
    return client.post("/configuration/import", data=data, content_type="multipart/form-data")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (json.dumps(HEAD | {"format": 9, "kinds": {}}, indent=1), "第3行：文件由更新版本的知客导出（格式9，本系统支持到1）"),
        (json.dumps({"name": "x", "version": "3.1", "settings": {}}), "第1行：不是知客的配置文件"),
        (entry_file(tags=[{"name": "急装"}]).replace('"tags"', '"tags"x'), "第7行：不是有效的 JSON"),
        (entry_file(tags=[{"name": "急装", "colour": "red"}]), "没有“colour”这一项"),
        (entry_file(custom_fields=[FIELD | {"label": "昵称"}, FIELD | {"label": "昵称"}]), "条目重复"),
        (entry_file(custom_fields=[FIELD | {"label": "客户姓名"}]), "，字段名称：客户已有字段“客户姓名”"),
        (
            entry_file(**{"menu-settings": [{"key": "group:管理", "place": "group:管理"}]}),
            "，所在分组：分组不能移到自己里面",
        ),
        (
            entry_file(**{"menu-settings": [{"key": menus.GROUP + "管理", "hidden": True}]}),
            "，隐藏：分组“管理”中有“菜单设置”，不能隐藏",
        ),
        (
            entry_file(custom_fields=[
                FIELD | {"label": "甲", "kind": "bool", "shown_when": "customers:[乙]=1"},
                FIELD | {"label": "乙", "kind": "bool", "shown_when": "customers:[甲]=1"},
            ]),
            "，显示条件：客户没有自定义字段",
        ),
    ],
    ids=["newer", "other product", "not json", "unknown", "twice", "declared", "into itself", "hidden editor", "circle"],
)  # fmt: skip
def test_a_file_that_cannot_be_is_refused_on_the_page(
    world: World, login: Login, text: str, sentence: str
) -> None:
    before = export(world)
    answer = sent(login("boss"), text, world.a.id)
    shown = words(answer.get_data(as_text=True))
    assert answer.status_code == 400
    assert "不能导入，没有任何改动" in shown and words(sentence) in shown
    assert export(world) == before


def lacking(world: World, right: str) -> str:
    """The dealer's configuration with a right taken from every role."""
    body = json.loads(export(world))
    for role in body["kinds"]["roles"]:
        role["grants"] = [g for g in role["grants"] if g != right]
    return json.dumps(body, ensure_ascii=False, indent=2)


def test_nobody_is_locked_out_by_a_file(world: World, login: Login) -> None:
    """Whoever manages roles could not take it back."""
    before = export(world)
    text = lacking(world, "can_edit@Roles")
    with pytest.raises(files.BadFile) as refused:
        bring_in(world, text)
    assert "角色“商场系统管理员”" in refused.value.message and "第" in refused.value.sentences[0]
    shown = words(sent(login("boss"), text, world.a.id).get_data(as_text=True))
    assert "不能导入，没有任何改动" in shown
    assert export(world) == before
    actor: Actor = world.actor("boss")
    assert actor.can("can_edit", "Roles")
    db.session.rollback()


def test_a_circle_is_refused_where_it_is_closed(world: World) -> None:
    """Two fields, each of which is there already, cannot be made to wait for each other."""
    first, second = (FIELD | {"label": n, "kind": "bool"} for n in "甲乙")
    bring_in(world, entry_file(custom_fields=[first, second | {"shown_when": "customers:[甲]=1"}]))
    before = export(world)
    with pytest.raises(files.BadFile, match="显示条件互相依赖"):
        bring_in(world, entry_file(custom_fields=[first | {"shown_when": "customers:[乙]=1"}]))
    assert export(world) == before
