"""What a new version brings to the preset roles of a database that an earlier one has filled."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import delete, select

from app.engine.audit import AuditEntry, acting
from app.engine.database import db
from app.engine.perform import create, remove, update
from app.engine.permissions import all_permissions
from app.engine.resource import resource
from app.engine.scopes import Scope
from models.identity import presets, role_rules
from models.identity.roles import RoleAssignment, RoleGrant, RoleScope, StaffRole
from tests.customers.world import World
from tests.identity.editor import edit, role

JOBS, EXPORT, SMS = ("can_list", "Jobs"), ("can_export", "Customers"), ("can_send_sms", "Customers")


@pytest.fixture
def earlier(world: World) -> None:
    """The rights as a version had left them that knew neither 任务中心 nor exports."""
    session = db.session()
    unknown = [p.pair for p in all_permissions() if p.view == "Jobs" or p.permission == "can_export"]
    found = session.execute(
        select(PermissionView.id, Permission.name, ViewMenu.name)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
    )
    gone = [pk for pk, permission, view in found if (permission, view) in unknown]
    session.execute(delete(RoleGrant).where(RoleGrant.permission_view_id.in_(gone)))
    session.execute(delete(PermissionView).where(PermissionView.id.in_(gone)))
    session.execute(delete(RoleScope).where(RoleScope.resource == "jobs"))
    session.commit()


def upgrade() -> None:
    """What ``init`` does about roles."""
    presets.install(db.session())
    db.session.commit()
    db.session.expire_all()


def rights(of: StaffRole) -> role_rules.Rights:
    return role_rules.rights_of(db.session(), of.id)


def entries(of: StaffRole) -> list[dict[str, Any]]:
    """What the history of the role says about its rights."""
    found = select(AuditEntry).where(AuditEntry.resource == "roles", AuditEntry.record_id == of.id)
    noted = [e.changes["fields"] for e in db.session.scalars(found.order_by(AuditEntry.id))]
    return [fields for fields in noted if "grants" in fields or "scopes" in fields]


@pytest.mark.usefixtures("earlier")
def test_a_role_nobody_touched_follows_its_preset(world: World, login: Any) -> None:
    manager, version = role(world.a.id, "manager"), role(world.a.id, "manager").version
    assert login("keeper").get("/jobs/").status_code == 403
    upgrade()
    assert {JOBS, EXPORT} <= rights(manager).grants
    assert ("jobs", Scope.MINE) in rights(manager).scopes and ("jobs", Scope.DEALER) not in rights(
        manager
    ).scopes
    assert login("keeper").get("/jobs/").status_code == 200
    assert manager.version == version + 1
    (noted,) = entries(manager)
    assert "任务中心 · 查看列表与详情" in noted["grants"][1] and noted["grants"][0] == []
    assert noted["scopes"][:2] == [["任务中心：无"], ["任务中心：我的"]]
    assert EXPORT not in rights(role(world.a.id, "consultant")).grants
    upgrade()
    assert (manager.version, len(entries(manager))) == (version + 1, 1)


@pytest.mark.usefixtures("earlier")
def test_a_role_somebody_changed_keeps_that_choice(
    world: World, login: Any, caplog: pytest.LogCaptureFixture
) -> None:
    manager, other = role(world.a.id, "manager"), role(world.b.id, "manager")
    assert edit(login("boss"), manager, take=[role_rules.key_of(SMS)]).status_code == 302
    before = rights(manager)
    with caplog.at_level(logging.WARNING):
        upgrade()
    assert rights(manager) == before and SMS not in before.grants
    assert {JOBS, EXPORT, SMS} <= rights(other).grants
    (said,) = [r.getMessage() for r in caplog.records if r.name == presets.__name__]
    assert said.startswith("甲商场的角色“店长”已被修改过") and "任务中心 · 查看列表与详情" in said
    assert "发短信" not in said
    caplog.clear()
    upgrade()
    assert not caplog.records and rights(manager) == before


@pytest.mark.usefixtures("earlier")
def test_a_right_given_by_hand_is_a_choice_as_well(world: World, login: Any) -> None:
    consultant = role(world.a.id, "consultant")
    assert edit(login("boss"), consultant, add=["can_set_tags@System"]).status_code == 302
    assert edit(login("boss"), consultant, take=["can_set_tags@System"]).status_code == 302
    upgrade()
    assert JOBS not in rights(consultant).grants


def test_what_a_preset_no_longer_gives_goes_and_foreign_rights_stay(world: World) -> None:
    session, clerk = db.session(), role(world.a.id, "clerk")
    wanted, foreign = rights(clerk), ("can_foreign", "Foreign")
    with acting(session):
        session.add(
            PermissionView(permission=Permission(name="can_foreign"), view_menu=ViewMenu(name="Foreign"))
        )
        session.flush()
        role_rules.give(session, clerk, role_rules.Rights(wanted.grants | {SMS, foreign}, wanted.scopes))
        session.commit()
    upgrade()
    assert rights(clerk) == role_rules.Rights(wanted.grants | {foreign}, wanted.scopes)
    assert entries(clerk)[-1]["grants"][0] == ["客户 · 发短信"]


def test_roles_that_came_with_a_dealer_the_group_opened_follow_too(world: World) -> None:
    dealer, _ = create(resource("dealers"), {"code": "D009", "name": "丙商场"}, world.actor("admin"))
    manager = role(dealer.id, "manager")
    wanted = rights(manager)
    with acting(db.session()):
        less = role_rules.Rights(wanted.grants - {EXPORT}, wanted.scopes)
        role_rules.give(db.session(), manager, less)
        db.session.commit()
    upgrade()
    assert rights(manager) == wanted


def test_a_renamed_role_is_a_changed_one(world: World) -> None:
    designer = role(world.a.id, "designer")
    wanted = rights(designer)
    update(resource("roles"), designer.id, {"label": "外部设计师"}, world.actor("boss"))
    with acting(db.session()):
        role_rules.give(db.session(), designer, role_rules.Rights(wanted.grants - {JOBS}, wanted.scopes))
        db.session.commit()
    upgrade()
    assert JOBS not in rights(designer).grants


@pytest.mark.parametrize("another", [True, False])
def test_a_role_somebody_deleted_stays_away(world: World, another: bool) -> None:
    boss, designer = world.actor("boss"), role(world.a.id, "designer")
    db.session.execute(delete(RoleAssignment).where(RoleAssignment.role_id == designer.id))
    db.session.commit()
    remove(resource("roles"), designer.id, boss)
    if another:
        create(resource("roles"), {"label": "设计师"}, boss)
    before = set(db.session.scalars(select(StaffRole.name)))
    upgrade()
    assert set(db.session.scalars(select(StaffRole.name))) == before
