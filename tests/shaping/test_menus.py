"""The menu as administrators shape it: layers, order, groups, links, hiding, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine import chrome
from app.engine.actions import Act, Invalid, NotFound, Refusal, Stale
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.scopes import SYSTEM, Actor
from models.shaping import menu_rules as rules
from models.shaping import menus
from models.shaping.menu_tables import MenuShape
from models.shaping.menus import GROUP, LINK, OWN_GROUP, SELF
from tests.customers.world import World
from tests.identity.test_rights import Counter

CUSTOMERS = "customers"
HOME_OF_SELF = GROUP + "管理"


def does(world: World, rule: Callable[..., Any], *args: Any, by: str = "boss", **more: Any) -> str:
    """Carry out a rule on the own dealer's menu; returns the deed's id."""
    actor = world.actor(by)
    act = Act(actor, utcnow(), db.session(), "web", "菜单")
    with deed(act):
        rule(act, actor.dealer_id, *args, **more)
    return act.deed_id


def for_all(rule: Callable[..., Any], *args: Any) -> None:
    """Carry out a rule on the group's preset."""
    act = Act(SYSTEM, utcnow(), db.session(), "web", "菜单")
    with deed(act):
        rule(act, None, *args)


def take_back(world: World, deed_id: str, by: str = "boss") -> None:
    """撤销, by that person."""
    act = Act(world.actor(by), utcnow(), db.session(), "web", "撤销")
    with deed(act):
        rules.take_back(act, deed_id)


def menu(actor: Actor) -> dict[str, list[str]]:
    """What somebody sees: the labels by group, in order."""
    return {s.label: [e.label for e in s.entries] for s in chrome.menu_of(actor).sections}


def labels(actor: Actor) -> list[str]:
    """Everything somebody sees in the menu."""
    return [label for held in menu(actor).values() for label in held]


def label_of(key: str, actor: Actor) -> str:
    """How an entry is called for that person."""
    return next(e.label for e in chrome.menu_of(actor).entries if e.key == key)


def group_with(key: str, actor: Actor) -> str:
    """The label of the group in which somebody finds an entry."""
    return next(s.label for s in chrome.menu_of(actor).sections if key in [e.key for e in s.entries])


@pytest.mark.sqlite_only  # what is declared
def test_an_administrators_menu_is_read_at_a_glance(world: World) -> None:
    found = menus.ordered(menus.declared(menus.entries()))
    assert [o.group.label for o in found if len(o.pieces) > 12] == []
    assert [o.group.label for o in found if o.group.icon == "folder"] == []
    assert "简报订阅" in menu(world.actor("boss"))["经营"], "what everybody has sent stands with the work"


def rows(key: str, actor: Actor) -> list[str]:
    """The keys of the group in which somebody finds an entry, in order."""
    found = [[e.key for e in s.entries] for s in chrome.menu_of(actor).sections]
    return next(keys for keys in found if key in keys)


def test_an_unchanged_menu_is_as_declared(world: World) -> None:
    boss = world.actor("boss")
    found = chrome.menu_of(boss)
    assert [e.key for e in found.entries] == [e.key for e in chrome.entries() if boss.can(*e.permission)]
    assert {e.key for s in found.sections for e in s.entries} == {e.key for e in found.entries}
    assert all(not e.declared for e in found.entries)


def test_a_new_name_is_this_dealers_alone(world: World) -> None:
    old = label_of(CUSTOMERS, world.actor("boss"))
    does(world, rules.change, CUSTOMERS, {"label": "  家庭   档案 "})
    assert label_of(CUSTOMERS, world.actor("boss")) == "家庭 档案"
    assert label_of(CUSTOMERS, world.actor("seller")) == "家庭 档案"
    assert label_of(CUSTOMERS, world.actor("outsider")) == old


def test_the_groups_name_is_a_preset_that_dealers_override(world: World) -> None:
    for_all(rules.change, CUSTOMERS, {"label": "集团客户"})
    assert label_of(CUSTOMERS, world.actor("outsider")) == "集团客户"
    does(world, rules.change, CUSTOMERS, {"label": "本店客户"})
    assert label_of(CUSTOMERS, world.actor("seller")) == "本店客户"
    assert label_of(CUSTOMERS, world.actor("outsider")) == "集团客户"
    does(world, rules.reset, CUSTOMERS)
    assert label_of(CUSTOMERS, world.actor("seller")) == "集团客户"


def test_hiding_is_about_the_menu_alone(world: World) -> None:
    does(world, rules.change, CUSTOMERS, {"hidden": True})
    seller = world.actor("seller")
    assert CUSTOMERS not in {e.key for s in chrome.menu_of(seller).sections for e in s.entries}
    assert CUSTOMERS in {e.key for e in chrome.menu_of(seller).entries}
    assert seller.can("can_list", "Customers")
    assert CUSTOMERS in rows(CUSTOMERS, world.actor("outsider"))


def test_a_dealer_shows_what_the_group_hides(world: World) -> None:
    for_all(rules.change, CUSTOMERS, {"hidden": True})
    assert label_of(CUSTOMERS, world.actor("outsider")) not in labels(world.actor("outsider"))
    does(world, rules.change, CUSTOMERS, {"hidden": False})
    assert CUSTOMERS in rows(CUSTOMERS, world.actor("seller"))


def test_hidden_for_a_role_only(world: World) -> None:
    does(world, rules.change, CUSTOMERS, {"roles": [f"{world.a.id}:consultant"]})
    name = label_of(CUSTOMERS, world.actor("boss"))
    assert name not in labels(world.actor("seller"))
    assert name in labels(world.actor("keeper")) and name in labels(world.actor("boss"))
    with pytest.raises(Invalid, match="请从列表中选择角色"):
        does(world, rules.change, CUSTOMERS, {"roles": [f"{world.b.id}:consultant"]})


def test_the_group_hides_from_a_preset_role_of_every_dealer(world: World) -> None:
    for_all(rules.change, CUSTOMERS, {"roles": ["*:consultant"]})
    name = label_of(CUSTOMERS, world.actor("boss"))
    for who, seen in (("seller", False), ("outsider", False), ("keeper", True)):
        assert (name in labels(world.actor(who))) is seen, who
    does(world, rules.change, CUSTOMERS, {"roles": []})
    assert name in labels(world.actor("seller")) and name not in labels(world.actor("outsider"))


def test_who_has_another_role_as_well_still_sees_it(world: World) -> None:
    from models.identity import presets
    from models.identity.roles import RoleAssignment

    does(world, rules.change, CUSTOMERS, {"roles": [f"{world.a.id}:consultant"]})
    session = db.session()
    clerk = presets.preset_role(session, world.a.id, "clerk")
    session.add(RoleAssignment(user_id=world.people["seller"].id, role_id=clerk.id))
    session.commit()
    assert CUSTOMERS in rows(CUSTOMERS, world.actor("seller"))
    assert CUSTOMERS not in [
        e.key for s in chrome.menu_of(world.actor("seller2")).sections for e in s.entries
    ]


def test_up_and_down_again_leaves_nothing_behind(world: World) -> None:
    before = rows(CUSTOMERS, world.actor("boss"))
    last = before[-1]
    does(world, rules.step, last, -1)
    assert rows(CUSTOMERS, world.actor("boss")) == [*before[:-2], last, before[-2]]
    does(world, rules.step, last, 1)
    assert rows(CUSTOMERS, world.actor("boss")) == before
    row = db.session.scalars(select(MenuShape).where(MenuShape.key == last)).one()
    assert row.sort is None and row.place is None


def test_a_step_at_the_end_changes_nothing(world: World) -> None:
    first = rows(CUSTOMERS, world.actor("boss"))[0]
    does(world, rules.step, first, -1)
    assert db.session.scalar(select(func.count()).select_from(MenuShape)) == 0


def test_a_piece_is_put_before_another_one_of_another_group(world: World) -> None:
    boss = world.actor("boss")
    target = rows("roles", boss)[1]
    place = GROUP + group_with("roles", boss)
    does(world, rules.move, CUSTOMERS, place, target)
    found = rows("roles", world.actor("boss"))
    assert found.index(CUSTOMERS) == found.index(target) - 1
    assert CUSTOMERS in rows(CUSTOMERS, world.actor("outsider"))
    assert group_with(CUSTOMERS, world.actor("outsider")) == group_with(CUSTOMERS, boss)


def test_many_moves_into_the_same_gap_find_room(world: World) -> None:
    keys = rows("roles", world.actor("boss"))
    first, second, third = keys[:3]
    place = GROUP + group_with("roles", world.actor("boss"))
    for n in range(14):
        moved, other = (second, first) if n % 2 else (first, second)
        does(world, rules.move, moved, place, third)
        assert rows("roles", world.actor("boss")) == [other, moved, *keys[2:]], n


def test_a_group_moves_among_the_groups_and_not_into_one(world: World) -> None:
    first, second, *_ = (s.key for s in chrome.menu_of(world.actor("boss")).sections)
    does(world, rules.move, second, "", first)
    assert [s.key for s in chrome.menu_of(world.actor("boss")).sections][:2] == [second, first]
    with pytest.raises(Invalid, match="分组不能移到自己里面"):
        does(world, rules.move, first, first, None)
    with pytest.raises(Invalid, match="分组不能移入另一分组"):
        does(world, rules.move, first, second, None)


def test_an_own_group_holds_entries_and_goes_when_empty(world: World) -> None:
    does(world, rules.add, OWN_GROUP, {"label": "常用", "icon": "star"})
    own = next(k for k in menus.snapshot(db.session()).layout(world.a.id) if k.startswith(OWN_GROUP))
    assert "常用" not in menu(world.actor("boss")), "a group without entries is not shown"
    does(world, rules.change, CUSTOMERS, {"place": own})
    assert menu(world.actor("boss"))["常用"] == [label_of(CUSTOMERS, world.actor("boss"))]
    with pytest.raises(Refusal, match="还有1项"):
        does(world, rules.reset, own)
    does(world, rules.reset, CUSTOMERS)
    deed_id = does(world, rules.reset, own)
    assert own not in menus.snapshot(db.session()).layout(world.a.id)
    take_back(world, deed_id)
    assert menus.snapshot(db.session()).layout(world.a.id)[own].label == "常用"


def test_a_link_stands_in_its_group(world: World) -> None:
    values = {"label": "产品手册", "url": "https://docs.example.com/手册", "place": HOME_OF_SELF}
    does(world, rules.add, LINK, values)
    link = next(
        e for s in chrome.menu_of(world.actor("boss")).sections for e in s.entries if e.label == "产品手册"
    )
    assert link.external and link.url == values["url"]
    does(world, rules.change, link.key, {"url": "/customers/?view=today"})
    found = next(
        e for s in chrome.menu_of(world.actor("seller")).sections for e in s.entries if e.key == link.key
    )
    assert not found.external
    assert link.key not in [
        e.key for s in chrome.menu_of(world.actor("outsider")).sections for e in s.entries
    ]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "//evil.example", "/\\evil.example", "http://a.example", "https://",
     "https://a b.example", "https://u:p@a.example", "https://[", "https://a.example:99999/", "data:text/html,x",
     "/a b", "", "/" + "x" * 300, 'https://a.example/"x', "/a\x00"],
)  # fmt: skip
def test_what_is_no_address_is_refused(world: World, url: str) -> None:
    with pytest.raises(Invalid, match="地址"):
        does(world, rules.add, LINK, {"label": "链接", "url": url, "place": HOME_OF_SELF})
    assert db.session.scalar(select(func.count()).select_from(MenuShape)) == 0


@pytest.mark.parametrize(
    ("label", "said"), [("  ", "请填写名称"), ("长" * 21, "最多20个字"), ("a\x07b", "无法显示")]
)
def test_names_that_are_none_are_refused(world: World, label: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        does(world, rules.change, CUSTOMERS, {"label": label})


def test_a_name_twice_in_a_group_is_refused(world: World) -> None:
    boss = world.actor("boss")
    other = next(k for k in rows(CUSTOMERS, boss) if k != CUSTOMERS)
    with pytest.raises(Invalid, match="已有同名的菜单项"):
        does(world, rules.change, CUSTOMERS, {"label": label_of(other, boss)})
    first, second, *_ = chrome.menu_of(boss).sections
    with pytest.raises(Invalid, match="已有同名的分组"):
        does(world, rules.change, first.key, {"label": second.label})


def test_unknown_keys_icons_and_groups_are_refused(world: World) -> None:
    with pytest.raises(NotFound):
        does(world, rules.change, "nothing", {"label": "无"})
    with pytest.raises(Invalid, match="图标"):
        does(world, rules.change, CUSTOMERS, {"icon": "no-such-icon"})
    with pytest.raises(Invalid, match="请选择分组"):
        does(world, rules.change, CUSTOMERS, {"place": "group:没有"})
    with pytest.raises(Refusal, match="已不存在"):
        does(world, rules.move, CUSTOMERS, HOME_OF_SELF, "customers-of-nobody")


def test_the_page_that_shapes_the_menu_stays(world: World) -> None:
    with pytest.raises(Refusal, match="“菜单设置”不能隐藏"):
        does(world, rules.change, SELF, {"hidden": True})
    with pytest.raises(Refusal, match="“菜单设置”不能隐藏"):
        does(world, rules.change, SELF, {"roles": [f"{world.a.id}:admin"]})
    with pytest.raises(Refusal, match="中有“菜单设置”"):
        does(world, rules.change, HOME_OF_SELF, {"hidden": True})
    does(world, rules.change, GROUP + group_with(CUSTOMERS, world.actor("boss")), {"hidden": True})
    with pytest.raises(Refusal, match="中有“菜单设置”"):
        does(world, rules.move, SELF, rules_place(world), None)


def rules_place(world: World) -> str:
    """The group in which the customers stand."""
    return menus.group_of(menus.snapshot(db.session()).layout(world.a.id), CUSTOMERS)


def test_the_page_stays_even_where_the_layers_together_would_hide_it(world: World) -> None:
    place = rules_place(world)
    does(world, rules.move, SELF, place, None)
    for_all(rules.change, place, {"hidden": True})
    assert [
        e.key for s in chrome.menu_of(world.actor("boss")).sections for e in s.entries if s.key == place
    ] == [SELF]
    assert place not in [s.key for s in chrome.menu_of(world.actor("seller")).sections]


def test_only_the_own_menu_is_shaped(world: World) -> None:
    act = Act(world.actor("boss"), utcnow(), db.session(), "web", "菜单")
    for owner in (None, world.b.id):
        with pytest.raises(Refusal, match="只能调整本商场的菜单"), deed(act):
            rules.change(act, owner, CUSTOMERS, {"label": "别处"})


def test_a_deed_is_taken_back_once_and_not_over_later_ones(world: World) -> None:
    old = label_of(CUSTOMERS, world.actor("boss"))
    first = does(world, rules.change, CUSTOMERS, {"label": "甲", "hidden": True})
    take_back(world, first)
    assert label_of(CUSTOMERS, world.actor("boss")) == old and old in labels(world.actor("boss"))
    with pytest.raises(Refusal, match="再次修改，不能撤销"):
        take_back(world, first)
    second = does(world, rules.change, CUSTOMERS, {"label": "乙"})
    does(world, rules.change, CUSTOMERS, {"label": "丙"})
    with pytest.raises(Refusal, match="再次修改，不能撤销"):
        take_back(world, second)
    assert label_of(CUSTOMERS, world.actor("boss")) == "丙"


def test_another_dealers_deed_is_not_to_be_taken_back(world: World) -> None:
    first = does(world, rules.change, CUSTOMERS, {"label": "甲"})
    with pytest.raises(NotFound):
        take_back(world, first, by="outsider")
    with pytest.raises(NotFound):
        take_back(world, "0" * 32)


def test_everything_goes_back_at_once_and_can_be_taken_back(world: World) -> None:
    before = menu(world.actor("boss"))
    does(world, rules.change, CUSTOMERS, {"label": "甲", "hidden": True})
    does(world, rules.add, OWN_GROUP, {"label": "常用"})
    does(world, rules.add, LINK, {"label": "手册", "url": "/customers/", "place": HOME_OF_SELF})
    shaped = menu(world.actor("boss"))
    deed_id = does(world, rules.reset_all)
    assert menu(world.actor("boss")) == before
    take_back(world, deed_id)
    assert menu(world.actor("boss")) == shaped != before


def test_a_version_that_is_old_is_refused(world: World) -> None:
    does(world, rules.change, CUSTOMERS, {"label": "甲"}, 0)
    with pytest.raises(Stale):
        does(world, rules.change, CUSTOMERS, {"label": "乙"}, 0)
    assert label_of(CUSTOMERS, world.actor("boss")) == "甲"


def test_the_history_tells_old_and_new_in_words(world: World) -> None:
    from app.engine.history import render_changes

    does(world, rules.change, CUSTOMERS, {"label": "甲", "roles": [f"{world.a.id}:consultant"]})
    does(world, rules.move, CUSTOMERS, HOME_OF_SELF, None)
    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == SELF).order_by(AuditEntry.id)
    ).all()
    said = [render_changes(e, world.actor("boss")) for e in entries]
    assert "名称：甲" in said[0] and "导购" in said[0]
    assert said[1] == "所在分组：管理；次序：已调整"
    assert entries[0].record_label == label_of(CUSTOMERS, world.actor("outsider"))


def test_a_menu_costs_no_query_once_it_is_known(world: World) -> None:
    does(world, rules.change, CUSTOMERS, {"roles": [f"{world.a.id}:consultant"]})
    seller, dealer_id = world.actor("seller"), world.a.id
    chrome.menu_of(seller)
    with Counter() as counted:
        chrome.menu_of(seller)
        menus.snapshot(db.session()).layout(dealer_id)
    assert counted.seen == []


def test_a_change_of_a_page_that_is_no_more_is_left_out(world: World) -> None:
    act = Act(world.actor("boss"), utcnow(), db.session(), "web", "菜单")
    with deed(act):
        db.session.add(MenuShape(dealer_id=world.a.id, key="once-there", name="旧页面", label="旧页面"))
        db.session.add(MenuShape(dealer_id=world.a.id, key=CUSTOMERS, name="客户", place="own:gone"))
    assert "旧页面" not in labels(world.actor("boss"))
    assert group_with(CUSTOMERS, world.actor("boss")) == group_with(CUSTOMERS, world.actor("outsider"))
