"""Two administrators at one role, people of a role, what may be handed out, and the search of the tree."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.database import db
from app.engine.perform import update
from app.engine.scopes import Scope
from models.identity import role_rules
from models.identity.resources import Employees, Roles
from models.identity.roles import RoleAssignment
from tests.customers.world import World, grant, words
from tests.identity.editor import MASK, TAGS, edit, form_of, role
from tests.plugins.people import Login

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def opened(client: Any, target: Any) -> dict[str, Any]:
    """The form as it was opened, with what it remembers of its beginning."""
    page = client.get(f"/roles/{target.id}").get_data(as_text=True)
    return form_of(target) | {k: html.unescape(v) for k, v in _HIDDEN.findall(page) if k.startswith("base")}


def ticked(page: str) -> set[str]:
    """The permissions ticked on the page."""
    return set(re.findall(r'name="permission" value="([^"]+)" checked', page))


@pytest.mark.spec("D-15", "A-116")
def test_both_versions_stand_side_by_side_and_both_are_saved(world: World, login: Login) -> None:
    target = role(world.a.id, "consultant")
    boss, admin = login("boss"), login("admin")
    mine = opened(boss, target)
    taken = "can_lose@Customers"
    assert edit(admin, target, add=[TAGS], take=[taken], label="导购员").status_code == 302
    mine["permission"] = [*mine["permission"], MASK]
    late = boss.post(f"/roles/{target.id}/edit", data=mine | {"step": "save", "scope.customers": ["store"]})
    page = late.get_data(as_text=True)
    said = words(page)
    assert late.status_code == 409 and "数据已被他人修改，请刷新后重试" in said
    theirs, _, yours = said.partition("已保存的改动")[2].partition("您想保存的改动")
    assert "设置标签" in theirs and "角色名称导购→导购员" in theirs and "客户电话" not in theirs
    yours = yours.partition("下面的勾选")[0]
    assert "客户电话显示加密" in yours and "数据范围" in yours and "设置标签" not in yours
    assert {TAGS, MASK} <= ticked(page) and taken not in ticked(page)
    assert 'value="导购员"' in page
    assert not world.actor("seller").can("guard_customer_phone", "Guards")
    again = {k: html.unescape(v) for k, v in _HIDDEN.findall(page)} | {
        "permission": sorted(ticked(page)), "label": "导购员", "step": "save",
    }  # fmt: skip
    for name, value in re.findall(r'name="(scope\.\w+)" value="(\w+)" checked', page):
        again.setdefault(name, []).append(value)
    assert boss.post(f"/roles/{target.id}/edit", data=again).status_code == 302
    seller = world.actor("seller")
    assert seller.can("can_set_tags", "System") and seller.can("guard_customer_phone", "Guards")
    assert not seller.can("can_lose", "Customers")
    assert seller.scopes["customers"] == {Scope.STORE}


def test_a_forged_beginning_only_changes_what_is_compared(world: World, login: Login) -> None:
    target = role(world.a.id, "consultant")
    boss = login("boss")
    mine = opened(boss, target) | {"base": "!!!!"}
    edit(login("admin"), target, add=[TAGS])
    late = boss.post(f"/roles/{target.id}/edit", data=mine | {"step": "save"})
    assert late.status_code == 409
    assert not {"guard_settlement_price@Guards"} & ticked(late.get_data(as_text=True))


# ----- people of a role


def people(world: World, key: str) -> set[str]:
    """Who has a preset role."""
    held = select(RoleAssignment.user_id).where(RoleAssignment.role_id == role(world.a.id, key).id)
    ids = set(db.session.scalars(held))
    return {name for name, person in world.people.items() if person.id in ids}


@pytest.mark.spec("A-114")
def test_several_people_get_a_role_and_lose_it(world: World, login: Login) -> None:
    boss, address = login("boss"), f"/roles/{role(world.a.id, 'designer').id}/people"
    page = boss.get(f"{address}?q=导购").get_data(as_text=True)
    assert "设计师甲" in page and "导购甲" in page and "导购乙" in page and "导购丙" not in page
    assert "文员甲" not in page
    ids = [str(world.people[w].id) for w in ("seller", "seller2")]
    answer = boss.post(address, data={"add": ids}, follow_redirects=True).get_data(as_text=True)
    assert "已为 2 人分配角色“设计师”" in answer
    assert people(world, "designer") == {"drawer", "seller", "seller2"}
    assert people(world, "consultant") == {"seller", "seller2"}
    boss.post(address, data={"remove": [ids[0]]})
    assert people(world, "designer") == {"drawer", "seller2"}
    page = boss.get(f"/employees/{world.people['seller'].id}/history").get_data(as_text=True)
    assert "设计师" in page


def test_people_of_another_dealer_are_not_reached_and_nothing_is_half_done(
    world: World, login: Login
) -> None:
    boss, address = login("boss"), f"/roles/{role(world.a.id, 'designer').id}/people"
    ids = [str(world.people[w].id) for w in ("seller", "outsider")]
    assert boss.post(address, data={"add": ids}).status_code == 404
    assert people(world, "designer") == {"drawer"}
    assert boss.get(f"/roles/{role(world.b.id, 'designer').id}/people").status_code == 404
    assert boss.post(address, data={}).status_code == 400
    with_own = {"remove": [str(world.people["boss"].id)]}
    admins = f"/roles/{role(world.a.id, 'admin').id}/people"
    refused = boss.post(admins, data=with_own)
    assert refused.status_code == 400 and "总管：" in refused.get_data(as_text=True)
    assert people(world, "admin") == {"boss"}


def test_only_the_group_gives_what_only_the_group_gives(world: World, login: Login) -> None:
    group = role(None, "group_admin")
    page = login("boss").get(f"/roles/{group.id}/people").get_data(as_text=True)
    assert "此角色只能由集团分配" in page and 'name="add"' not in page
    sent = {"add": [str(world.people["seller"].id)]}
    assert login("boss").post(f"/roles/{group.id}/people", data=sent).status_code == 403
    assert login("seller").get(f"/roles/{group.id}/people").status_code == 403


# ----- what may be handed out


@pytest.fixture
def keeper(world: World) -> World:
    """店长甲 may change roles and accounts, but holds less than the administrator."""
    for pair in (("can_list", "Roles"), ("can_edit", "Roles"), ("can_edit", "Employees")):
        grant(world, "manager", pair)
    target = role(world.a.id, "manager")
    scopes = [f"{n}:{s.value}" for n, s in role_rules.rights_of(db.session(), target.id).scopes]
    update(Roles, target.id, {"scopes": [*scopes, "roles:dealer"]}, world.actor("boss"))
    return world


def test_nobody_puts_into_a_role_what_he_does_not_hold(keeper: World) -> None:
    target, me = role(keeper.a.id, "consultant"), keeper.actor("keeper")
    now = form_of(target)["permission"]
    with pytest.raises(Refusal, match="不能授予自己没有的权限：查看结算价"):
        update(Roles, target.id, {"grants": [*now, "guard_settlement_price@Guards"]}, me)
    with pytest.raises(Refusal, match=r"不能授予自己没有的权限：.*全部"):
        update(Roles, target.id, {"scopes": ["parameters:dealer"]}, me)
    update(Roles, target.id, {"grants": [*now, "can_export@Customers", MASK]}, me)
    assert keeper.actor("seller").can("can_export", "Customers")


def test_nobody_gives_a_role_that_holds_more(keeper: World, login: Login) -> None:
    admins = role(keeper.a.id, "admin")
    with pytest.raises(Refusal, match="超出自己权限"):
        update(Employees, keeper.people["seller"].id, {"roles": [admins.id]}, keeper.actor("keeper"))
    refused = login("keeper").post(
        f"/roles/{admins.id}/people", data={"add": [str(keeper.people["keeper"].id)]}
    )
    assert refused.status_code == 400 and "超出自己权限" in refused.get_data(as_text=True)
    assert people(keeper, "admin") == {"boss"}


def test_what_a_role_has_already_stays_when_somebody_with_less_saves(keeper: World) -> None:
    grant(keeper, "consultant", ("guard_settlement_price", "Guards"))
    target = role(keeper.a.id, "consultant")
    update(Roles, target.id, {"grants": [*form_of(target)["permission"], TAGS]}, keeper.actor("keeper"))
    seller = keeper.actor("seller")
    assert seller.can("can_set_tags", "System") and seller.can("guard_settlement_price", "Guards")


# ----- search without a script


def test_a_search_hides_the_rest_and_loses_no_tick(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "consultant")
    page = boss.get(f"/roles/{target.id}?find=客户电话").get_data(as_text=True)
    line = r'<div class="row1 l2"( hidden)?><label><input type="checkbox" name="permission" value="{}"'
    assert re.search(line.format(MASK), page).group(1) is None  # type: ignore[union-attr]
    assert re.search(line.format("can_list@Customers"), page).group(1)  # type: ignore[union-attr]
    assert "没有匹配的权限" in page and re.search(r"data-nothing hidden", page)
    form = form_of(target)
    sent = form | {"permission": [*form["permission"], TAGS], "find": "没有这个", "step": "preview"}
    found = boss.post(f"/roles/{target.id}", data=sent).get_data(as_text=True)
    assert ticked(found) == {*form["permission"], TAGS}
    assert not re.search(r"data-nothing hidden", found)
    assert not world.actor("seller").can("can_set_tags", "System")


def test_who_may_only_look_searches_too(world: World, login: Login) -> None:
    grant(world, "manager", ("can_list", "Roles"))
    target = role(world.a.id, "manager")
    scopes = [f"{n}:{s.value}" for n, s in role_rules.rights_of(db.session(), target.id).scopes]
    update(Roles, target.id, {"scopes": [*scopes, "roles:dealer"]}, world.actor("boss"))
    page = login("keeper").get(f"/roles/{target.id}?find=标签").get_data(as_text=True)
    assert 'value="标签"' in page and '<form id="seek" method="get"' in page
