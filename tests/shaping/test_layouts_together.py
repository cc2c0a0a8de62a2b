"""Two administrators at one layout: both versions stand side by side, and nobody's change is lost."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine import layouts
from app.engine.colliding import THEIRS, UNTOUCHED
from app.engine.database import db
from app.engine.layouts import Part, Plan, Spot
from models.shaping import layout_edits
from models.shaping.layout_sides import settle, take
from models.shaping.layout_tables import PageLayout
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.layouts import EDITOR, changed, hiding, plan_of, sent

pytestmark = pytest.mark.sqlite_only
SHOWN = f"{EDITOR}?resource=customers&page=new"
LABELS = {"a": "甲", "b": "乙", "c": "丙", "d": "丁"}
BEGAN: Plan = (
    Part("一", "一", (Spot("a"), Spot("b"), Spot("c"))),
    Part("二", "二", (Spot("d"),)),
)


def opened(page: str) -> dict[str, Any]:
    """What the form remembers."""
    values = {
        n: re.findall(rf'name="{n}" value="([^"]*)"', page.split("data-layout")[1])
        for n in ("version", "began", "_side")
    }
    return {n: [unescape(v) for v in found] for n, found in values.items()}


def open_editor(client: FlaskClient) -> dict[str, Any]:
    return opened(client.get(SHOWN).get_data(as_text=True))


def sides(page: str) -> dict[str, tuple[str, str]]:
    """Both versions by what they are of."""
    both = page.partition('<section class="card0 conflict"')[2].partition("</section>")[0]
    rows = re.findall(r'scope="row">(.*?)</th><td class="mine">(.*?)</td><td class="theirs">([^<]*)', both)
    return {label: (mine, theirs.strip()) for label, mine, theirs in rows}


def hidden_in(page: str) -> set[str]:
    """The fields that the draft hides."""
    return set(re.findall(r'name="hide" value="([^"]+)" checked', page))


def stored() -> str:
    return db.session.scalars(select(PageLayout)).one().summary


# ----- put together


def test_what_only_one_has_touched_is_kept_from_that_one() -> None:
    mine = (replace(BEGAN[0], title="壹"), BEGAN[1])
    theirs = changed(BEGAN, {"c": Spot("c", hidden=True), "d": Spot("d", "full")})
    together, found = settle(BEGAN, mine, theirs, LABELS)
    assert together == changed(mine, {"c": Spot("c", hidden=True), "d": Spot("d", "full")})
    assert [s.name for s in found] == ["", "", ""]
    assert {(s.label, s.mine, s.theirs) for s in found} == {
        ("分组“一”", "壹", UNTOUCHED), ("丙 · 显示", UNTOUCHED, "隐藏"), ("丁 · 宽度", UNTOUCHED, "整行"),
    }  # fmt: skip


def test_a_field_that_one_moves_and_an_order_that_the_other_changes_go_together() -> None:
    mine = (replace(BEGAN[0], spots=(Spot("b"), Spot("c"))), Part("二", "二", (Spot("d"), Spot("a"))))
    theirs = (BEGAN[1], replace(BEGAN[0], spots=(Spot("c"), Spot("a"), Spot("b"))))
    together, found = settle(BEGAN, mine, theirs, LABELS)
    assert not [s for s in found if s.name]
    assert [(p.key, [s.name for s in p.spots]) for p in together] == [("二", ["d", "a"]), ("一", ["c", "b"])]


def test_what_both_have_touched_is_mine_until_theirs_is_asked_for() -> None:
    mine = (replace(BEGAN[0], spots=(Spot("c"), Spot("a"), Spot("b"))), BEGAN[1])
    theirs = (replace(BEGAN[0], spots=(Spot("b"), Spot("a"), Spot("c"))), BEGAN[1])
    together, found = settle(BEGAN, mine, theirs, LABELS)
    assert [(s.label, s.mine, s.theirs, s.name) for s in found] == [
        ("一 · 字段顺序", "丙、甲、乙", "乙、甲、丙", "order.一")
    ]
    assert together == mine
    assert take(together, theirs, ["order.一"], ["order.一"], LABELS) == (theirs, [])
    assert take(together, theirs, ["order.九", "x"], ["order.一"], LABELS) == (mine, found)


def test_sections_that_two_add_at_the_same_time_are_two() -> None:
    mine = (*BEGAN, Part("+1", "我的", (Spot("z"),)))
    theirs = (*BEGAN, Part("+1", "对方的", ()))
    together, found = settle(BEGAN, mine, theirs, LABELS)
    assert {p.title for p in together} == {"一", "二", "我的", "对方的"}
    assert len({p.key for p in together}) == 4 and not [s for s in found if s.name]


def test_a_section_that_somebody_has_taken_away_stays_while_a_field_was_put_there() -> None:
    began = (*BEGAN, Part("+1", "临时", ()))
    mine = (replace(BEGAN[0], spots=(Spot("b"), Spot("c"))), BEGAN[1], Part("+1", "临时", (Spot("a"),)))
    together, _ = settle(began, mine, BEGAN, LABELS)
    assert {s.name for p in together for s in p.spots} == set(LABELS)
    renamed = (*BEGAN, Part("+1", "长期", ()))
    together, found = settle(began, renamed, BEGAN, LABELS)
    assert together[-1].title == "长期" and [s.name for s in found] == ["title.+1"]
    assert take(together, BEGAN, ["title.+1"], [], LABELS)[0] == BEGAN


def test_without_knowing_how_the_page_was_opened_everything_is_asked() -> None:
    mine, theirs = hiding(BEGAN, "a"), hiding(BEGAN, "b")
    together, found = settle(None, mine, theirs, LABELS)
    assert together == mine and {s.name for s in found} == {"hidden.a", "hidden.b"}


def edited(chance: random.Random, plan: Plan, steps: int) -> Plan:
    """The plan after some steps of the editor."""
    for _ in range(steps):
        key = chance.choice([part.key for part in plan])
        name = chance.choice([spot.name for part in plan for spot in part.spots])
        spot = Spot(name, chance.choice(("", "full", "half")), chance.random() < 0.5)
        plan = chance.choice(
            (
                layout_edits.move_part(plan, key, chance.choice((-1, 1))),
                layout_edits.move_spot(plan, name, chance.choice((-1, 1))),
                layout_edits.add_part(plan)[0],
                layout_edits.remove_part(plan, key),
                tuple(replace(p, title=f"{p.title}改") if p.key == key else p for p in plan),
                changed(plan, {name: spot}),
            )
        )
    return plan


def test_whatever_two_people_do_no_field_is_lost_and_each_version_can_be_had_whole() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        began = edited(chance, BEGAN, chance.randrange(6))
        mine, theirs = (edited(chance, began, chance.randrange(8)) for _ in range(2))
        together, found = settle(began, mine, theirs, LABELS)
        assert sorted(s.name for p in together for s in p.spots) == sorted(LABELS), seed
        asked = [s.name for s in found if s.name]
        assert take(together, theirs, [], asked, LABELS)[0] == together, seed
        assert take(together, theirs, asked, asked, LABELS)[1] == [], seed
        assert settle(began, began, theirs, LABELS)[0] == theirs, seed
        assert settle(began, mine, began, LABELS)[0] == mine, seed
        everything = [s.name for s in settle(None, mine, theirs, LABELS)[1]]
        assert take(mine, theirs, everything, everything, LABELS) == (theirs, []), seed


# ----- on the page


def test_different_fields_of_two_people_are_both_saved_without_asking(world: World, login: Login) -> None:
    client, plan = login("boss"), plan_of(world)
    mine = open_editor(client)
    assert json.loads(mine["began"][0]) == layouts.to_json(plan, plan)
    assert client.post(EDITOR, data=sent(hiding(plan, "gender"))).status_code == 302
    assert client.post(EDITOR, data=sent(hiding(plan, "kind")) | mine).status_code == 302
    assert "“客户类型”隐藏" in stored() and "“称谓”隐藏" in stored()


def test_what_was_chosen_of_theirs_stands_in_the_draft_and_the_rest_is_still_mine(
    world: World, login: Login
) -> None:
    client, plan = login("boss"), plan_of(world)
    mine = open_editor(client)
    named = (replace(plan[0], title="对方的"), *plan[1:])
    assert client.post(EDITOR, data=sent(hiding(named, "gender"))).status_code == 302
    ours = hiding((replace(plan[0], title="我的"), *plan[1:]), "kind")
    late = client.post(EDITOR, data=sent(ours) | mine)
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and "总管</small>" in page and stored().count("隐藏") == 1
    title = f"title.{plan[0].key}"
    assert sides(page) == {
        "分组“对方的”": ("我的", "对方的"), "称谓 · 显示": (UNTOUCHED, "隐藏"), "客户类型 · 显示": ("隐藏", UNTOUCHED),
    }  # fmt: skip
    assert hidden_in(page) == {"gender", "kind"}, "what only they have hidden is in the draft"
    again = sent(hiding(ours, "gender")) | opened(page)
    del again["do"]
    step = client.post(EDITOR, data={**again, "do": "preview"}).get_data(as_text=True)
    assert sides(step) == {"分组“对方的”": ("我的", "对方的")}, "a step does not decide it"
    taken = client.post(EDITOR, data={**again, THEIRS: title}).get_data(as_text=True)
    assert sides(taken) == {} and 'value="对方的"' in taken and hidden_in(taken) == {"gender", "kind"}
    assert client.post(EDITOR, data=again).status_code == 302, "用我的 is a save"
    assert "改名为“我的”" in stored() and stored().count("隐藏") == 2


def test_a_reset_of_what_somebody_has_changed_is_asked_once_more_and_keeps_the_draft(
    world: World, login: Login
) -> None:
    client, plan = login("boss"), plan_of(world)
    client.post(EDITOR, data=sent(hiding(plan, "gender")))
    mine = open_editor(client)
    client.post(EDITOR, data=sent(hiding(plan, "gender", "kind"), version="1"))
    asked = client.post(EDITOR, data=sent(hiding(plan, "gender", "remark"), do="reset") | mine)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 409 and sides(page)["整个布局"] == ("恢复默认（请核对后再点一次）", "已修改")
    assert hidden_in(page) == {"gender", "kind", "remark"}
    assert client.post(EDITOR, data=sent(plan, do="reset") | opened(page)).status_code == 302
    assert db.session.scalars(select(PageLayout)).all() == []


def test_an_unreadable_memory_loses_nothing(world: World, login: Login) -> None:
    client, plan = login("boss"), plan_of(world)
    client.post(EDITOR, data=sent(hiding(plan, "gender")))
    for began in ("", "{", "[1]", '[{"key": 1}]'):
        late = client.post(EDITOR, data=sent(hiding(plan, "kind"), began=began))
        assert late.status_code == 409
        assert len(sides(late.get_data(as_text=True))) == 2
