"""以此角色预览: seen as somebody with that role alone, never more than the administrator sees, and nothing changes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.engine.actions import Previewing
from app.engine.database import db
from app.engine.perform import update
from app.engine.scopes import Scope
from app.engine.security import sign_in
from models.identity import packing, previews, role_rules
from models.identity.resources import Roles
from models.identity.rights import Rights
from models.identity.roles import StaffRole
from tests.customers.world import World, grant
from tests.identity.editor import MASK, TAGS, edit, form_of, role
from tests.plugins.people import Login

BANNER = "正在以“{}”预览"


def begin(client: Any, target: StaffRole, **change: Any) -> Any:
    """Preview a role with the ticks of the editor."""
    form = form_of(target) | change
    return client.post(f"/roles/{target.id}/preview", data=form)


def get(client: Any, address: str) -> str:
    """The page there."""
    return str(client.get(address).get_data(as_text=True))


def preview(actor: Any, target: StaffRole, rights: Rights | None = None) -> Any:
    """The actor in a preview of that role, or of other rights in its name."""
    session = db.session()
    rights = rights or role_rules.rights_of(session, target.id)
    return previews.seen(actor, previews.begin(session, actor, target.label, rights, target))


@pytest.mark.spec("A-22")
def test_the_product_as_a_consultant_sees_it(world: World, login: Login) -> None:
    mine = world.customer("seller", name="自己的客户")
    other = world.customer("seller2", name="别人的客户")
    boss = login("boss")
    assert begin(boss, role(world.a.id, "consultant")).status_code == 302
    home = get(boss, "/")
    assert BANNER.format("导购") in home and "“我的”为导购甲的数据" in home and "结束预览" in home
    assert "/roles/" not in home and "/parameters/" not in home
    page = get(boss, "/customers/")
    assert "自己的客户" in page and "别人的客户" not in page
    assert "谁能看到" not in page and "导出" not in page
    assert boss.get(f"/customers/{mine.id}").status_code == 200
    assert boss.get(f"/customers/{other.id}").status_code == 404
    assert boss.get("/roles/").status_code == 403
    shown = boss.get("/api/v1/customers?window=all").get_json()["result"]
    assert [c["name"] for c in shown] == ["自己的客户"]
    assert boss.get(f"/api/v1/customers/{other.id}").status_code == 404
    answer = boss.post("/preview/end")
    assert answer.headers["Location"] == f"/roles/{role(world.a.id, 'consultant').id}"
    page = get(boss, "/customers/?window=all")
    assert "别人的客户" in page and "正在以" not in page


def test_ticks_that_are_not_saved_are_previewed_and_come_back(world: World, login: Login) -> None:
    world.customer("seller", phone="13800000471")
    boss, target = login("boss"), role(world.a.id, "consultant")
    before = role_rules.rights_of(db.session(), target.id)
    ticked = [*form_of(target)["permission"], MASK]
    begin(boss, target, permission=ticked, label="导购（新）")
    page = get(boss, "/customers/")
    assert "138****0471" in page and "13800000471" not in page
    assert BANNER.format("导购（新）") in page
    back = boss.post("/preview/end", follow_redirects=True).get_data(as_text=True)
    assert f'value="{MASK}" checked' in back and 'value="导购（新）"' in back
    assert "客户电话显示加密（限制性）" in back
    assert role_rules.rights_of(db.session(), target.id) == before


def test_a_role_that_is_not_yet_made_is_previewed(world: World, login: Login) -> None:
    world.customer("boss", name="总管的客户")
    boss = login("boss")
    form = {
        "label": "展厅主管",
        "version": "0",
        "permission": ["can_list@Customers"],
        "scope.customers": ["mine"],
    }
    assert boss.post("/roles/new/preview", data=form).status_code == 302
    page = get(boss, "/customers/")
    assert BANNER.format("展厅主管") in page and "总管的客户" in page
    back = boss.post("/preview/end", follow_redirects=True).get_data(as_text=True)
    assert 'value="展厅主管"' in back and 'value="can_list@Customers" checked' in back


def test_a_preview_opens_nothing(world: World) -> None:
    """Rights, scopes and fields are those of both: the role's and the administrator's."""
    grant(world, "manager", ("can_list", "Roles"))
    keeper = world.actor("keeper")
    everything = Rights(
        frozenset(p.pair for p in role_rules.catalogue(world.actor("admin"))),
        frozenset((r, s) for r in ("customers", "roles", "service_orders") for s in Scope),
    )
    seen = preview(keeper, role(world.a.id, "consultant"), everything)
    restricting = {("guard_customer_phone", "Guards")}
    assert seen.permissions == keeper.permissions | restricting
    assert ("guard_settlement_price", "Guards") not in seen.permissions
    assert "roles" not in seen.scopes and Scope.GROUP not in seen.scopes["customers"]
    assert seen.dealer_id == keeper.dealer_id
    narrow = Rights(everything.grants, frozenset({("customers", Scope.GROUP), ("customers", Scope.MINE)}))
    assert preview(keeper, role(world.a.id, "consultant"), narrow).scopes == {
        "customers": frozenset({Scope.MINE})
    }


def test_somebody_who_sees_only_the_own_lends_nobodys_name(world: World) -> None:
    """A colleague's rows stand for the own ones only where the administrator sees the whole dealer."""
    edit_roles = {"can_list@Roles", "can_edit@Roles", "can_list@Customers"}
    target = role(world.a.id, "designer")
    update(
        Roles, target.id,
        {"grants": sorted(edit_roles), "scopes": ["customers:mine", "customers:store", "roles:dealer"]},
        world.actor("boss"),
    )  # fmt: skip
    drawer = world.actor("drawer")
    seen = preview(drawer, role(world.a.id, "consultant"))
    assert seen.rows_of is not None
    assert seen.scopes.get("customers", frozenset()) == frozenset()
    boss = preview(world.actor("boss"), role(world.a.id, "consultant"))
    assert boss.params["actor_id"] == world.people["seller"].id
    assert boss.params["actor_self"] == boss.id == world.actor("boss").id


def test_the_phone_stays_hidden_from_whom_it_is_hidden(world: World, login: Login) -> None:
    grant(world, "admin", ("guard_customer_phone", "Guards"))
    world.customer("seller", phone="13800000471")
    boss = login("boss")
    begin(boss, role(world.a.id, "consultant"))
    page = get(boss, "/customers/")
    assert "13800000471" not in page and "138****0471" in page


def test_what_is_taken_from_the_administrator_is_gone_from_the_preview(world: World, login: Login) -> None:
    """At the next click, like everything else."""
    boss = login("boss")
    begin(boss, role(world.a.id, "consultant"))
    assert boss.get("/customers/").status_code == 200
    target = role(world.a.id, "admin")
    rights = role_rules.rights_of(db.session(), target.id)
    kept = [role_rules.key_of(p) for p in rights.grants if p != ("can_list", "Customers")]
    update(Roles, target.id, {"grants": kept}, world.actor("admin"))
    assert boss.get("/customers/").status_code == 403


def test_the_group_previews_a_role_inside_its_dealer(world: World, login: Login) -> None:
    world.customer("seller", name="甲商场客户")
    world.customer("outsider", name="乙商场客户")
    admin = login("admin")
    begin(admin, role(world.b.id, "manager"))
    page = get(admin, "/customers/?scope=dealer&window=all")
    assert "乙商场客户" in page and "甲商场客户" not in page


def test_another_dealers_rows_need_the_groups_scope(world: World) -> None:
    """全部 is the own dealer; a role of another one is looked at through 集团 alone."""
    admin = world.actor("admin")
    part = {**admin.scopes, "customers": frozenset({Scope.DEALER, Scope.MINE})}
    theirs = role(world.b.id, "manager")
    seen = preview(replace(admin, scopes=part), theirs)
    assert seen.dealer_id == world.b.id
    assert "customers" not in seen.scopes and Scope.DEALER in seen.scopes["service_orders"]
    assert preview(admin, theirs).scopes["customers"] >= {Scope.DEALER, Scope.STORE}


@pytest.mark.parametrize("who", ["seller", "outsider"])
def test_only_who_may_see_the_role_previews_it(world: World, login: Login, who: str) -> None:
    client = login(who)
    assert begin(client, role(world.a.id, "consultant")).status_code == 403
    assert "正在以" not in get(client, "/")


def test_roles_of_another_dealer_are_not_previewed(world: World, login: Login) -> None:
    assert begin(login("boss"), role(world.b.id, "consultant")).status_code == 404


def test_what_cannot_be_given_is_not_previewed(world: World, login: Login) -> None:
    answer = begin(login("boss"), role(world.a.id, "consultant"), permission=["can_list@Dealers"])
    assert answer.status_code == 400


def test_every_change_is_refused_in_words(world: World, login: Login) -> None:
    boss = login("boss")
    begin(boss, role(world.a.id, "manager"))
    said = boss.post("/customers/new", data={"name": "预览里的客户", "phone": "13800000472"})
    page = said.get_data(as_text=True)
    assert said.status_code == 403 and "正在以“店长”预览，只能查看" in page and "结束预览" in page
    said = boss.post("/api/v1/customers", json={"name": "预览里的客户", "phone": "13800000472"})
    assert said.status_code == 403 and "预览" in said.get_json()["message"]
    assert boss.post("/customers/export", data={"format": "csv"}).status_code == 403
    assert boss.get("/customers/import/template").status_code == 403
    assert begin(boss, role(world.a.id, "consultant")).status_code == 403
    assert db.session.scalar(text("SELECT count(*) FROM customers WHERE name = '预览里的客户'")) == 0


def test_no_rule_writes_for_somebody_who_previews(world: World) -> None:
    """Also where no request stands in front of it."""
    from app.engine.perform import create
    from app.engine.resource import resource

    seen = preview(world.actor("boss"), role(world.a.id, "manager"))
    with pytest.raises(Previewing):
        create(resource("customers"), {"name": "甲", "phone": "13800000473"}, seen)


def test_signing_out_ends_it(world: World, login: Login) -> None:
    boss = login("boss")
    begin(boss, role(world.a.id, "consultant"))
    assert boss.post("/logout").status_code == 302
    signed = sign_in(world.people["boss"].id)
    assert signed is not None
    with boss.session_transaction() as session:
        assert "preview" not in session
        session["_user_id"] = signed.get_id()
    assert "正在以" not in get(boss, "/")


def test_a_preview_of_somebody_else_or_of_another_version_is_none(world: World, login: Login) -> None:
    boss = login("boss")
    begin(boss, role(world.a.id, "consultant"))
    with boss.session_transaction() as session:
        kept = dict(session["preview"])
    for change in ({"user": 0}, {"rights": "AAAA"}, {"rights": ""}):
        with boss.session_transaction() as session:
            session["preview"] = kept | change
        assert "正在以" not in get(boss, "/"), change
        assert boss.post("/preview/end").status_code == 302


def test_rights_survive_being_packed(world: World) -> None:
    for key in ("admin", "manager", "consultant", "clerk"):
        rights = role_rules.rights_of(db.session(), role(world.a.id, key).id)
        packed = packing.pack(rights)
        assert packing.unpack(packed) == rights
        assert len(packed) < 600
    assert packing.unpack("") is None
    for broken in ("!", "é", packed[:-4], "A" * 5000, packed[1:]):
        assert packing.unpack(broken) is None
    assert TAGS and re.fullmatch(r"[\w-]+", packed)


def test_a_saved_change_during_the_preview_does_not_alter_it(world: World, login: Login) -> None:
    """What is looked at is what stood on the screen."""
    boss, target = login("boss"), role(world.a.id, "consultant")
    begin(boss, target)
    edit(login("admin"), target, take=["can_list@Customers"])
    assert boss.get("/customers/").status_code == 200
    assert login("seller").get("/customers/").status_code == 403
