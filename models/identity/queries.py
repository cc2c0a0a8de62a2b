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

from models.identity.roles import StaffRole
from models.identity.tables import Channel, Employee, OperatingRight, Store


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
