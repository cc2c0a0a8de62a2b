"""商场角色管理: what a role grants, who may change it, and when it acts (A-22, A-70, A-87…A-91, A-113…A-115)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid, NotFound, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.perform import create, remove, update
from app.engine.permissions import all_permissions
from app.engine.resource import resource
from app.engine.scopes import Scope
from models.identity import role_rules
from models.identity.resources import Employees, Roles
from models.identity.roles import RoleKind, StaffRole
from tests.customers.world import World, grant
from tests.identity.editor import MASK, PRICE, TAGS, edit, form_of, role
from tests.plugins.people import Login


def open_roles(world: World, *permissions: tuple[str, str]) -> None:
    """Let the managers onto the page of roles."""
    target = role(world.a.id, "manager")
    old = role_rules.rights_of(db.session(), target.id)
    update(
        Roles,
        target.id,
        {
            "grants": [role_rules.key_of(p) for p in (*old.grants, *permissions)],
            "scopes": [f"{name}:{scope.value}" for name, scope in {*old.scopes, ("roles", Scope.DEALER)}],
        },
        world.actor("boss"),
    )


@pytest.mark.spec("A-22")
def test_ticking_set_tags_for_the_consultants_acts_at_their_next_click(world: World, login: Login) -> None:
    assert not world.actor("seller").can("can_set_tags", "System")
    answer = edit(login("boss"), role(world.a.id, "consultant"), add=[TAGS])
    assert answer.status_code == 302
    assert world.actor("seller").can("can_set_tags", "System")
    assert world.actor("seller2").can("can_set_tags", "System")
    assert not world.actor("outsider").can("can_set_tags", "System")


def test_the_preview_shows_what_changes_and_whom_it_reaches_and_saves_nothing(
    world: World, login: Login
) -> None:
    target = role(world.a.id, "consultant")
    answer = edit(login("boss"), target, add=[TAGS, MASK], step="preview", **{"scope.customers": ["store"]})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "设置标签" in page and "客户电话显示加密（限制性）" in page
    assert "客户列表" in page or "数据范围" in page
    assert "2 名员工" in page and "2 人将启用“客户电话显示加密”" in page
    assert 'value="save"' in page
    assert not world.actor("seller").can("can_set_tags", "System")


def test_the_menu_shows_the_editor_and_every_permission_stands_in_it(world: World, login: Login) -> None:
    page = login("boss").get(f"/roles/{role(world.a.id, 'clerk').id}/edit").get_data(as_text=True)
    for known in all_permissions():
        shown = f'value="{role_rules.key_of(known.pair)}"' in page
        assert shown is (known.resource_name not in role_rules.GROUP_ONLY), known.pair
    assert 'value="group"' not in page


@pytest.mark.spec("A-87", "A-88")
def test_the_settlement_price_is_the_administrators_until_granted(world: World, login: Login) -> None:
    right = ("guard_settlement_price", "Guards")
    assert world.actor("boss").can(*right)
    for other in ("keeper", "seller", "drawer", "typist"):
        assert not world.actor(other).can(*right)
    edit(login("boss"), role(world.a.id, "manager"), add=[PRICE])
    assert world.actor("keeper").can(*right)
    assert not world.actor("seller").can(*right)


@pytest.mark.spec("A-90", "A-114")
def test_rights_of_several_roles_add_up_and_one_restricting_tick_is_enough(world: World) -> None:
    seller = world.people["seller"]
    roles = [role(world.a.id, "consultant").id, role(world.a.id, "clerk").id]
    update(Employees, seller.id, {"roles": roles}, world.actor("boss"))
    now = world.actor("seller")
    assert now.can("can_call", "Customers")
    assert now.can("guard_customer_phone", "Guards")
    assert now.scopes["customers"] >= {Scope.MINE, Scope.DEALER}


@pytest.mark.spec("A-113")
def test_a_fresh_administrator_has_every_right_of_the_dealer(world: World) -> None:
    boss = world.actor("boss")
    for known in all_permissions():
        expected = not known.restricting and known.resource_name not in role_rules.GROUP_ONLY
        assert boss.can(*known.pair) is expected, known.pair
    for other in ("seller", "drawer", "typist"):
        actor = world.actor(other)
        assert not actor.can("can_list", "Roles")
        assert not actor.can("can_change_store", "Customers")
        assert not actor.can("can_add", "Tags")


def test_roles_of_the_group_are_seen_by_the_dealer_and_changed_by_the_group(
    world: World, login: Login
) -> None:
    contact = role(None, "service_contact")
    assert contact.kind is RoleKind.GROUP
    page = login("boss").get(f"/roles/{contact.id}/edit").get_data(as_text=True)
    assert "集团控制型角色由集团维护" in page
    assert edit(login("boss"), contact, add=[TAGS]).status_code == 403
    with pytest.raises(Refusal, match="由集团维护"):
        update(Roles, contact.id, {"grants": []}, world.actor("boss"))
    assert edit(login("admin"), contact, add=[TAGS]).status_code == 302


def test_a_dealer_role_called_like_a_role_of_the_group_has_no_effect_of_it(world: World) -> None:
    made, _ = create(Roles, {"label": "售服对接人"}, world.actor("boss"))
    assert made.kind is RoleKind.DEALER and made.dealer_id == world.a.id
    update(Employees, world.people["drawer"].id, {"roles": [made.id]}, world.actor("boss"))
    assert world.actor("drawer").permissions == frozenset()


@pytest.mark.spec("A-114")
def test_roles_of_another_dealer_are_neither_seen_nor_given_nor_in_force(world: World, login: Login) -> None:
    theirs = role(world.b.id, "consultant")
    boss = world.actor("boss")
    assert login("boss").get(f"/roles/{theirs.id}/edit").status_code == 404
    with pytest.raises(NotFound):
        update(Roles, theirs.id, {"label": "改名"}, boss)
    with pytest.raises(Invalid, match="其他商场"):
        update(Employees, world.people["drawer"].id, {"roles": [theirs.id]}, boss)
    from models.identity.roles import RoleAssignment

    db.session.add(RoleAssignment(user_id=world.people["typist"].id, role_id=role(world.b.id, "admin").id))
    db.session.commit()
    assert not world.actor("typist").can("can_edit", "Roles")


@pytest.mark.spec("A-70")
def test_the_scopes_ticked_for_a_role_decide_which_customers_its_people_see(
    world: World, login: Login
) -> None:
    other = world.customer("seller2", name="别人的客户")
    client = login("seller")
    assert client.get(f"/customers/{other.id}").status_code == 404
    form = {"scope.customers": ["mine", "store"]}
    assert edit(login("boss"), role(world.a.id, "consultant"), **form).status_code == 302
    assert client.get(f"/customers/{other.id}").status_code == 200
    assert world.actor("seller").scopes["customers"] == {Scope.MINE, Scope.STORE}


@pytest.mark.spec("D-15", "A-116")
def test_saving_over_a_newer_version_is_refused_and_the_ticks_are_kept(world: World, login: Login) -> None:
    target = role(world.a.id, "consultant")
    old = form_of(target)
    assert edit(login("boss"), target, add=[TAGS]).status_code == 302
    late = login("boss").post(
        f"/roles/{target.id}/edit",
        data={**old, "permission": [*old["permission"], MASK], "step": "save"},
    )
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "数据已被他人修改，请刷新后重试" in page
    assert f'value="{MASK}" checked' in page
    assert not world.actor("seller").can("guard_customer_phone", "Guards")


@pytest.mark.spec("A-116", "D-15")
def test_what_was_added_and_taken_stands_in_the_history_in_words(world: World, login: Login) -> None:
    target = role(world.a.id, "consultant")
    edit(login("boss"), target, add=[TAGS], take=["can_add@Customers"], **{"scope.customers": ["store"]})
    page = login("boss").get(f"/roles/{target.id}/history").get_data(as_text=True)
    assert "设置标签" in page and "新增服务号" in page and "总管" in page
    assert "数据范围" in page and "本店" in page
    entry = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.resource == "roles", AuditEntry.record_id == target.id)
        .order_by(AuditEntry.id.desc())
    ).first()
    assert entry is not None
    assert entry.changes["fields"]["grants"][1] == ["系统主框架 · 设置标签"]


def test_saving_without_a_change_writes_no_history(world: World, login: Login) -> None:
    target = role(world.a.id, "consultant")
    before = len(db.session.scalars(select(AuditEntry.id)).all())
    assert edit(login("boss"), target).status_code == 302
    assert len(db.session.scalars(select(AuditEntry.id)).all()) == before


def test_nobody_takes_the_last_right_to_manage_roles(world: World, login: Login) -> None:
    target = role(world.a.id, "admin")
    answer = edit(login("boss"), target, take=["can_edit@Roles"])
    assert answer.status_code == 400
    assert "没有任何人能管理角色" in answer.get_data(as_text=True)
    assert world.actor("boss").can("can_edit", "Roles")


def test_nobody_takes_that_right_from_himself(world: World) -> None:
    open_roles(world, ("can_list", "Roles"), ("can_edit", "Roles"))
    target = role(world.a.id, "manager")
    rights = role_rules.rights_of(db.session(), target.id)
    kept = [role_rules.key_of(p) for p in rights.grants if p != ("can_edit", "Roles")]
    with pytest.raises(Refusal, match="不能移除自己管理角色的权限"):
        update(Roles, target.id, {"grants": kept}, world.actor("keeper"))


def test_a_dealer_cannot_hand_out_what_is_the_groups(world: World) -> None:
    boss = world.actor("boss")
    target = role(world.a.id, "clerk")
    for values in (
        {"grants": ["can_list@Dealers"]},
        {"grants": ["can_do_anything@Customers"]},
        {"scopes": ["customers:group"]},
        {"scopes": ["nothing:dealer"]},
        {"scopes": ["customers:everything"]},
    ):
        with pytest.raises(Invalid):
            update(Roles, target.id, values, boss)
    with pytest.raises(Refusal, match="只能由集团新增"):
        create(Roles, {"label": "集团", "kind": RoleKind.GROUP}, boss)


def test_what_the_group_gave_stays_when_the_dealer_saves(world: World) -> None:
    target = role(world.a.id, "clerk")
    grant(world, "clerk", ("can_list", "Dealers"))
    update(Roles, target.id, {"grants": ["can_list@Customers"]}, world.actor("boss"))
    assert role_rules.rights_of(db.session(), target.id).grants == {
        ("can_list", "Customers"),
        ("can_list", "Dealers"),
    }


def test_a_new_role_as_a_copy_starts_with_the_same_ticks(world: World, login: Login) -> None:
    client = login("boss")
    source = role(world.a.id, "designer")
    page = client.get(f"/roles/new?copy={source.id}").get_data(as_text=True)
    assert "设计师 副本" in page and 'value="can_list@Customers" checked' in page
    form = {**form_of(source), "label": "设计师助理", "step": "save", "_once": "copy-1"}
    assert client.post("/roles/new", data=form).status_code == 302
    made = db.session.scalars(select(StaffRole).where(StaffRole.label == "设计师助理")).one()
    assert role_rules.rights_of(db.session(), made.id) == role_rules.rights_of(db.session(), source.id)
    assert client.post("/roles/new", data=form).status_code == 302
    assert len(db.session.scalars(select(StaffRole).where(StaffRole.label == "设计师助理")).all()) == 1


def test_labels_are_unique_in_a_dealer_only(world: World, login: Login) -> None:
    answer = login("boss").post("/roles/new", data={"label": "导购", "step": "save", "_once": "x"})
    assert answer.status_code == 400
    assert "角色名称“导购”已存在" in answer.get_data(as_text=True)
    assert login("boss").post("/roles/new", data={"label": " ", "step": "preview"}).status_code == 400


def test_a_role_in_use_is_not_deleted(world: World) -> None:
    boss = world.actor("boss")
    with pytest.raises(Refusal, match="已分配给2名员工"):
        remove(Roles, role(world.a.id, "consultant").id, boss)
    made, _ = create(Roles, {"label": "临时", "grants": ["can_list@Customers"]}, boss)
    remove(Roles, made.id, boss)
    assert db.session.get(StaffRole, made.id) is None


@pytest.mark.spec("D-14")
def test_without_the_right_the_editor_is_neither_seen_nor_opened(world: World, login: Login) -> None:
    client = login("seller")
    target = role(world.a.id, "consultant")
    assert "/roles/" not in client.get("/").get_data(as_text=True)
    assert client.get(f"/roles/{target.id}/edit").status_code == 403
    assert client.post(f"/roles/{target.id}/edit", data={"step": "save"}).status_code == 403
    assert client.get("/roles/new").status_code == 403
    open_roles(world, ("can_list", "Roles"))
    keeper = login("keeper")
    page = keeper.get(f"/roles/{target.id}/edit").get_data(as_text=True)
    assert "您可以查看此角色，但不能修改" in page and 'value="preview"' not in page
    assert edit(keeper, target, add=[TAGS]).status_code == 403


def test_every_action_named_by_a_template_exists() -> None:
    from models.identity import templates

    known = {p.permission for p in all_permissions()}
    assert known >= templates._SELL | templates._MANAGE | templates._WORK


def test_roles_are_a_resource_like_any_other(world: World) -> None:
    assert resource("roles") is Roles
