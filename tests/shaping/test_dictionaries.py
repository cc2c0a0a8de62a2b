"""管理 → 数据字典: the options of one dictionary on a page of its own."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from flask import Flask

from app.engine.choices import dictionary
from app.engine.database import db
from models.settings import uses
from models.settings.tables import DictionaryEntry, EntryTone
from models.shaping.options import places
from tests.customers.world import World
from tests.generic.test_queries import counted
from tests.plugins.people import Login
from tests.shaping.editor import URL, show, undo

KIND = "customer.kind"
KINDS = ["潜在客户", "意向客户", "需求客户"]


def labels(dealer_id: int | None, name: str = KIND) -> list[str]:
    """What people of the dealer are offered, in order."""
    return [e.label for e in dictionary(name, dealer_id) if e.active]


def test_dictionaries_stand_in_groups_and_open_one_by_one(world: World, login: Login) -> None:
    client = login("boss")
    page = client.get(URL).get_data(as_text=True)
    for words in ("客户", "地区", "收款", "渠道报备", "意向级别", "支付方式", "搜索全部条目"):
        assert words in page
    assert show(client, KIND).labels == KINDS
    assert client.get(f"{URL}?name=made.up").status_code == 404
    assert login("seller").get(URL).status_code == 403
    assert 'href="/dictionaries/"' in client.get("/").get_data(as_text=True)


def test_a_dealer_renames_a_preset_for_itself_and_takes_it_back(world: World, login: Login) -> None:
    client = login("boss")
    shown = show(client, KIND)
    shown.set("潜在客户", "tone", "good").rename("潜在客户", "潜在")
    assert shown.send().status_code == 302
    assert labels(world.a.id) == ["潜在", *KINDS[1:]]
    assert dictionary(KIND, world.a.id)[0].tone == "g"
    assert labels(world.b.id) == KINDS
    assert "已撤销" in undo(client).get_data(as_text=True)
    assert labels(world.a.id) == KINDS


def test_an_option_is_switched_off_and_on(world: World, login: Login) -> None:
    client = login("boss")
    shown = show(client, KIND)
    del shown.form[f"active.{shown.id('意向客户')}"]
    shown.send()
    assert labels(world.a.id) == ["潜在客户", "需求客户"]
    show(client, KIND).set("意向客户", "active", "1").send()
    assert labels(world.a.id) == KINDS


def test_several_are_added_at_once_and_taken_back(world: World, login: Login) -> None:
    client = login("boss")
    assert show(client, KIND).send(do="add", lines="老带新\n\n 团购客户 \n老带新\n").status_code == 302
    assert labels(world.a.id) == [*KINDS, "老带新", "团购客户"]
    assert labels(world.b.id) == KINDS
    undo(client)
    assert labels(world.a.id) == KINDS


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("新的一项\n意向客户", "“意向客户”已存在"),
        ("长" * 33, "超过32个字"),
        (" \n", "请填写选项"),
        ("\n".join(f"第{n}项" for n in range(201)), "一次最多新增200项"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_added(
    world: World, login: Login, lines: str, sentence: str
) -> None:
    answer = show(login("boss"), KIND).send(do="add", lines=lines)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and sentence in page
    assert lines.strip()[:6] in page
    assert labels(world.a.id) == KINDS


@pytest.mark.parametrize(("name", "sentence"), [("", "请填写名称"), ("需求客户", "“需求客户”已存在")])
def test_a_wrong_name_is_said_beside_it_and_nothing_is_saved(
    world: World, login: Login, name: str, sentence: str
) -> None:
    shown = show(login("boss"), KIND).rename("意向客户", "另一个").rename("潜在客户", name)
    answer = shown.send()
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and sentence in page and 'value="另一个"' in page
    assert labels(world.a.id) == KINDS


def test_the_order_is_changed_with_and_without_script(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).order("需求客户", "潜在客户", "意向客户").send()
    assert labels(world.a.id) == ["需求客户", "潜在客户", "意向客户"]
    rows = db.session.query(DictionaryEntry).filter_by(dealer_id=world.a.id).all()
    assert [row.label for row in rows] == ["需求客户"], "only what was moved becomes the dealer's own"
    shown = show(client, KIND)
    shown.send(up=shown.id("意向客户"))
    assert labels(world.a.id) == ["需求客户", "意向客户", "潜在客户"]
    shown = show(client, KIND)
    shown.send(down=shown.id("需求客户"))
    assert labels(world.a.id) == ["意向客户", "需求客户", "潜在客户"]
    assert labels(world.b.id) == KINDS
    undo(client)
    assert labels(world.a.id) == ["需求客户", "意向客户", "潜在客户"]


def test_any_order_comes_out_as_wanted_with_few_changes() -> None:
    chance = Random(7)
    for _ in range(500):
        sorts = sorted(chance.choices(range(60), k=chance.randint(1, 8)))
        wanted = [(n, sort) for n, sort in enumerate(sorts)]
        chance.shuffle(wanted)
        moved = places(wanted)
        after = [moved.get(n, sort) for n, sort in wanted]
        assert after == sorted(set(after)), (wanted, moved)
    assert places([(1, 10), (3, 30), (2, 20), (4, 40)]) in ({3: 15}, {2: 35})
    assert places([(1, 10), (2, 20)]) == {}


def test_of_two_who_save_the_later_is_told_and_keeps_what_was_typed(world: World, login: Login) -> None:
    one, two = show(login("boss"), KIND), show(login("boss"), KIND)
    one.rename("潜在客户", "甲的名称").send()
    answer = two.rename("潜在客户", "乙的名称").rename("意向客户", "乙的另一项").send()
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "数据已被他人修改" in page and 'value="乙的另一项"' in page
    assert labels(world.a.id) == ["甲的名称", "意向客户", "需求客户"]
    first, second = show(login("boss"), KIND), show(login("boss"), KIND)
    first.rename("甲的名称", "丙").send()
    answer = second.rename("甲的名称", "丁").send()
    assert answer.status_code == 409 and 'value="丁"' in answer.get_data(as_text=True)


def test_what_is_in_use_is_not_deleted_but_switched_off(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).send(do="add", lines="团购客户\n会员客户")
    customer = world.customer(kind="团购客户")
    shown = show(client, KIND)
    answer = shown.send(remove=shown.id("团购客户"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "“团购客户”正被 1 位客户使用，不能删除；可以停用，或合并到另一项" in page
    shown.send(remove=shown.id("会员客户"))
    assert labels(world.a.id) == [*KINDS, "团购客户"]
    shown = show(client, KIND)
    del shown.form[f"active.{shown.id('团购客户')}"]
    shown.send()
    new = login("seller").get("/customers/new").get_data(as_text=True)
    assert "团购客户" not in new
    assert "团购客户" in login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)
    undo(client)
    assert "团购客户" in login("seller").get("/customers/new").get_data(as_text=True)


def test_a_deleted_option_comes_back_by_taking_it_back(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).send(do="add", lines="团购客户")
    shown = show(client, KIND)
    shown.send(remove=shown.id("团购客户"))
    assert labels(world.a.id) == KINDS
    undo(client)
    assert labels(world.a.id) == [*KINDS, "团购客户"]


def test_presets_are_not_deleted_by_a_dealer_nor_those_of_the_product(world: World, login: Login) -> None:
    shown = show(login("boss"), KIND)
    answer = shown.send(remove=shown.id("潜在客户"))
    assert answer.status_code == 400 and "集团预置项" in answer.get_data(as_text=True)
    row = db.session.query(DictionaryEntry).filter_by(dictionary=KIND, value="潜在客户", dealer_id=None).one()
    answer = login("admin").post(f"/dictionary_entries/{row.id}/delete", data={"version": row.version})
    assert db.session.get(DictionaryEntry, row.id) is not None


def test_taking_back_refuses_what_was_changed_since(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).rename("潜在客户", "甲").send()
    page = client.get(f"{URL}?name={KIND}").get_data(as_text=True)
    other = login("boss")
    show(other, KIND).rename("甲", "乙").send()
    deed = page.split('name="deed" value="')[1].split('"')[0]
    answer = client.post("/dictionaries/undo", data={"deed": deed}, follow_redirects=True)
    assert "此后又被修改，不能撤销" in answer.get_data(as_text=True)
    assert labels(world.a.id)[0] == "乙"
    assert client.post("/dictionaries/undo", data={"deed": "0" * 32}).status_code == 404


def test_what_another_dealer_did_is_out_of_reach(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).send(do="add", lines="甲的一项")
    page = client.get(f"{URL}?name={KIND}").get_data(as_text=True)
    deed = page.split('name="deed" value="')[1].split('"')[0]
    assert login("admin").post("/dictionaries/undo", data={"deed": deed}).status_code == 404
    assert "甲的一项" in labels(world.a.id)


def test_linked_lists_stand_under_their_parents(world: World, login: Login) -> None:
    client = login("boss")
    shown = show(client, "customer.source")
    assert shown.labels[:3] == ["自然到店", "活动到店", "短视频平台"]
    show(client, "customer.source").send(do="add", lines="朋友圈", under="线上")
    found = {e.value: e.parent for e in dictionary("customer.source", world.a.id)}
    assert found["朋友圈"] == "线上"
    show(client, "customer.source").set("朋友圈", "parent", "渠道").send()
    found = {e.value: e.parent for e in dictionary("customer.source", world.a.id)}
    assert found["朋友圈"] == "渠道"
    page = client.get(f"{URL}?name=customer.source&parent=渠道").get_data(as_text=True)
    assert 'value="小区拓展" maxlength' in page and 'value="电商平台" maxlength' not in page


def test_use_counts_are_those_of_the_own_dealer(
    world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        world.customer(level="A" if n else "B")
    world.customer(by="outsider", level="A")
    client = login("boss")
    counted = client.get("/dictionaries/uses?name=customer.level").get_json()["uses"]
    assert counted == {"H": "0", "A": "2", "B": "1", "C": "0", "D": "0"}
    page = client.get(f"{URL}?name=customer.level&uses=1").get_data(as_text=True)
    assert 'data-value="A">2<' in page and 'data-value="H">0<' in page
    assert login("seller").get("/dictionaries/uses?name=customer.level").status_code == 403
    monkeypatch.setattr(uses, "MOST_COUNTED", 2)
    page = client.get(f"{URL}?name=customer.level&uses=1").get_data(as_text=True)
    assert 'data-value="H">0+<' in page, "of a long list only so many are looked at"


def test_the_group_changes_the_presets_of_everybody(world: World, login: Login, app: Flask) -> None:
    from app.setup import actor_of

    admin = actor_of("admin")
    shown = show(login("admin"), KIND).rename("潜在客户", "潜在")
    assert shown.send().status_code == 302
    mine = labels(admin.dealer_id)
    assert mine[0] == "潜在"
    assert (labels(world.b.id)[0] == "潜在") is (admin.dealer_id is None)


@pytest.mark.sqlite_only
def test_the_page_asks_little_however_long_the_list(world: World, login: Login) -> None:
    client = login("boss")
    show(client, "region.district")
    with counted() as seen:
        client.get(f"{URL}?name=region.district")
    assert len(seen) <= 10, seen


def test_every_change_is_in_the_history(world: World, login: Login) -> None:
    client = login("boss")
    show(client, KIND).set("潜在客户", "tone", EntryTone.BAD.value).send()
    assert "本商场修改" in show(client, KIND).page
    row: Any = db.session.query(DictionaryEntry).filter_by(dealer_id=world.a.id).one()
    page = client.get(f"/dictionary_entries/{row.id}/history").get_data(as_text=True)
    assert "总管" in page and "红色" in page
