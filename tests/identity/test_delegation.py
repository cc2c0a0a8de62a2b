"""Whoever looks after accounts without deciding about roles stays within the own rights (A-22, A-90, A-114)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.audit import acting
from app.engine.database import db
from app.engine.perform import create, perform, update
from app.engine.scopes import Scope
from models.identity import accounts, presets, role_rules
from models.identity.resources import Employees, Memberships
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Department, Employee, Membership
from tests.customers.world import World
from tests.identity.editor import role
from tests.plugins.people import Login

CARE = {
    ("can_list", "Employees"), ("can_add", "Employees"), ("can_edit", "Employees"),
    ("can_reset_password", "Employees"), ("can_deactivate", "Employees"), ("can_activate", "Employees"),
    ("can_list", "Memberships"), ("can_edit", "Memberships"),
}  # fmt: skip
MASK = ("guard_customer_phone", "Guards")


def make_role(
    world: World, label: str, grants: set[tuple[str, str]], *scopes: tuple[str, Scope]
) -> StaffRole:
    """A role of the first dealer."""
    session = db.session()
    with acting(session):
        made = StaffRole(name=f"test:{label}", label=label, dealer_id=world.a.id)
        session.add(made)
        session.flush()
        role_rules.give(session, made, role_rules.Rights(frozenset(grants), frozenset(scopes)))
        session.commit()
    return made


def hand(world: World, username: str, *roles: StaffRole) -> None:
    """Give roles past all rules."""
    session = db.session()
    session.add_all(RoleAssignment(user_id=world.people[username].id, role_id=r.id) for r in roles)
    session.commit()


def roles_of(world: World, username: str) -> list[int]:
    mine = RoleAssignment.user_id == world.people[username].id
    return list(db.session.scalars(select(RoleAssignment.role_id).where(mine)))


@pytest.fixture
def care(world: World) -> StaffRole:
    """seller2 looks after accounts and decides about no role."""
    scopes = (("employees", Scope.DEALER), ("memberships", Scope.DEALER))
    made = make_role(world, "人事专员", CARE, *scopes)
    hand(world, "seller2", made)
    return made


@pytest.mark.parametrize("deed", [accounts.reset_password, accounts.deactivate])
@pytest.mark.parametrize("target", ["boss", "keeper"])
def test_an_account_that_may_do_more_is_not_taken_over(
    world: World, care: Any, login: Login, deed: Any, target: str
) -> None:
    victim = world.people[target].id
    with pytest.raises(Refusal, match="超出您的权限"):
        perform(deed, [victim], world.actor("seller2"))
    with pytest.raises(Refusal, match="超出您的权限"):
        update(Employees, victim, {"name": "改名"}, world.actor("seller2"))
    place = db.session.scalars(select(Membership.id).where(Membership.user_id == victim)).one()
    with pytest.raises(Refusal, match="超出您的权限"):
        update(Memberships, place, {"position_id": None}, world.actor("seller2"))
    form = {"id": str(victim), "password": "Rain&Tea2024"}
    login("seller2").post(f"/employees/action/{deed.name}", data=form)
    assert login(target).get("/customers/").status_code == 200


def test_a_closed_account_that_may_do_more_is_not_opened(world: World, care: Any) -> None:
    perform(accounts.deactivate, [world.people["keeper"].id], world.actor("boss"))
    with pytest.raises(Refusal, match="超出您的权限"):
        perform(accounts.activate, [world.people["keeper"].id], world.actor("seller2"))


def test_an_equal_account_is_looked_after(world: World, care: Any) -> None:
    seller = world.people["seller"].id
    update(Employees, seller, {"name": "改名"}, world.actor("seller2"))
    perform(accounts.reset_password, [seller], world.actor("seller2"), {"password": "Rain&Tea2024"})
    perform(accounts.deactivate, [seller], world.actor("seller2"))
    perform(accounts.activate, [seller], world.actor("seller2"))
    db.session.expire_all()
    kept = db.session.get_one(Employee, seller)
    assert (kept.name, kept.active) == ("改名", True)


def test_an_account_with_a_wider_scope_is_not_taken_over(world: World, care: Any) -> None:
    wide = make_role(world, "范围大", {("can_list", "Customers")}, ("customers", Scope.DEALER))
    hand(world, "seller", wide)
    with pytest.raises(Refusal, match="超出您的权限"):
        perform(accounts.reset_password, [world.people["seller"].id], world.actor("seller2"))


def test_a_masked_person_takes_over_nobody_who_reads_phones(world: World, care: Any) -> None:
    hand(world, "seller2", make_role(world, "加密", {MASK}))
    seller = world.people["seller"].id
    with pytest.raises(Refusal, match="超出您的权限"):
        perform(accounts.reset_password, [seller], world.actor("seller2"))
    values = {
        "username": "made.up",
        "name": "新人",
        "stores": [],
        "roles": [role(world.a.id, "consultant").id],
    }
    with pytest.raises(Refusal, match="超出自己权限"):
        create(Employees, values, world.actor("seller2"))


@pytest.mark.spec("A-114")
@pytest.mark.parametrize("scope", [Scope.STORE, Scope.DEALER, Scope.GROUP])
def test_nobody_hands_out_a_wider_scope(world: World, care: Any, scope: Scope) -> None:
    wide = make_role(world, "范围大", {("can_list", "Customers")}, ("customers", scope))
    with pytest.raises(Refusal, match="超出自己权限"):
        update(
            Employees, world.people["seller"].id,
            {"roles": [*roles_of(world, "seller"), wide.id]}, world.actor("seller2"),
        )  # fmt: skip
    group = presets.preset_role(db.session(), None, "service_contact")
    with pytest.raises(Refusal, match="超出自己权限"):
        update(Employees, world.people["seller"].id, {"roles": [group.id]}, world.actor("seller2"))


def test_the_whole_dealer_covers_every_narrower_scope(world: World) -> None:
    hand(world, "keeper", make_role(world, "人事", CARE, ("employees", Scope.DEALER)))
    narrow = make_role(world, "本店", {("can_list", "Customers")}, ("customers", Scope.STORE))
    update(Employees, world.people["seller"].id, {"roles": [narrow.id]}, world.actor("keeper"))
    assert roles_of(world, "seller") == [narrow.id]


def test_nobody_changes_the_own_roles_or_place(world: World, care: Any) -> None:
    me, own = world.people["seller2"].id, roles_of(world, "seller2")
    desk = Department(name="别处", dealer_id=world.a.id)
    with acting(db.session()):
        db.session.add(desk)
        db.session.commit()
    for values in (
        {"roles": own[:1]},
        {"roles": [*own, role(world.a.id, "designer").id]},
        {"stores": [world.stores[1].id]},
        {"department_id": desk.id},
    ):
        with pytest.raises(Refusal, match="不能修改自己的"):
            update(Employees, me, values, world.actor("seller2"))
    update(
        Employees, me, {"name": "本人", "roles": own, "stores": [world.stores[0].id]}, world.actor("seller2")
    )
    assert roles_of(world, "seller2") == own


@pytest.mark.spec("A-90")
def test_a_restricting_tick_is_given_but_not_taken_off(world: World, care: Any) -> None:
    mask = make_role(world, "加密", {MASK})
    seller, before = world.people["seller"].id, roles_of(world, "seller")
    update(Employees, seller, {"roles": [*before, mask.id]}, world.actor("seller2"))
    assert world.actor("seller").can(*MASK)
    with pytest.raises(Refusal, match="限制性权限"):
        update(Employees, seller, {"roles": before}, world.actor("seller2"))
    update(Employees, seller, {"roles": before}, world.actor("boss"))
    assert not world.actor("seller").can(*MASK)
