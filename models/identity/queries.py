"""Looking things up across the organisation."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine.resource import Resource
from app.engine.scopes import Scope
from models.identity.rights import role_ids_with
from models.identity.roles import RoleScope, StaffRole
from models.identity.tables import Channel, Employee, Membership, OperatingRight, Store


def channel_of(session: Session, store_id: int, brand_category_id: int) -> Channel | None:
    """The 招商渠道 under which a store sells a brand-category, read from the operating rights of its
    physical store (A-110, A-111); None where it has no right to sell it."""
    return session.scalar(
        select(OperatingRight.channel)
        .join(Store, Store.physical_store_id == OperatingRight.physical_store_id)
        .where(Store.id == store_id, OperatingRight.brand_category_id == brand_category_id)
    )


def is_whole_house(session: Session, store_id: int, brand_category_id: int) -> bool | None:
    """Whether the store sells it as whole-house (整装, A模式) rather than retail (常规); None unknown."""
    channel = channel_of(session, store_id, brand_category_id)
    return None if channel is None else not channel.is_retail


def holders(session: Session, permission: str, view: str, dealer_id: int | None) -> list[int]:
    """The active people of a dealer (of the group, without one) whose roles grant the permission."""
    user, role = Employee.__table__.c, StaffRole.__table__.c
    granting = (
        select(assoc_user_role.c.user_id)
        .join(StaffRole.__table__, role.id == assoc_user_role.c.role_id)
        .join(assoc_permissionview_role, assoc_permissionview_role.c.role_id == role.id)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(Permission.name == permission, ViewMenu.name == view)
        .where(or_(role.dealer_id.is_(None), role.dealer_id == user.dealer_id))
        .correlate(Employee.__table__)
    )
    place = user.dealer_id.is_(None) if dealer_id is None else user.dealer_id == dealer_id
    active = select(user.id).where(place, user.active.is_(True), user.id.in_(granting))
    return list(session.scalars(active.order_by(user.id)))


def staff_of_store(session: Session, resource: type[Resource], store_id: int) -> list[int]:
    """The active people of a store who have the page of a resource and see there what belongs to it."""
    member, role, scope = Membership.__table__.c, StaffRole.__table__.c, RoleScope.__table__.c
    wide = (Scope.STORE, Scope.DEALER)
    sees = (
        select(scope.role_id)
        .join(StaffRole.__table__, role.id == scope.role_id)
        .where(scope.resource == resource.name, scope.scope.in_([s.value for s in wide]))
        .where(or_(role.dealer_id.is_(None), role.dealer_id == member.dealer_id))
        .where(scope.role_id.in_(role_ids_with("can_list", resource.view_name())))
        .correlate(Membership.__table__)
    )
    holds = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id.in_(sees))
    people = (
        select(member.user_id)
        .join(Employee.__table__, Employee.__table__.c.id == member.user_id)
        .where(member.store_id == store_id, Employee.active.is_(True))
        .where(member.user_id.in_(holds.correlate(Membership.__table__)))
    )
    return list(session.scalars(people.order_by(member.user_id)))
