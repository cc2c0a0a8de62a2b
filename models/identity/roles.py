"""Roles and what they grant: the framework's tables, with labels, kinds and row scopes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_appbuilder.security.sqla.models import (
    Role,
    assoc_permissionview_role,
    assoc_user_role,
)
from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Links, Meta, Pk, column
from app.engine.scopes import Scope
from models.base import OF_GROUP, Audited, Steering, Versioned


class RoleKind(Choice):
    """Who decides about a role: the dealer, or the group (A-115)."""

    DEALER = "dealer", "商场管理角色", Tone.INFO
    GROUP = "group", "集团控制型角色", Tone.ACTIVE


class StaffRole(Steering, Versioned, Audited, Role):  # type: ignore[misc]
    """A set of rights given to people. ``name`` is a key; ``label`` is what people read (A-114)."""

    label: Mapped[str] = column("角色名称", String(64), index=True, server_default="", required=True)
    kind: Mapped[RoleKind] = column(
        "角色类型", choices=RoleKind, default=RoleKind.DEALER, server_default=RoleKind.DEALER.value
    )
    dealer_id: Mapped[int | None] = column(
        "所属商场", ForeignKey("dealers.id", use_alter=True), blank=OF_GROUP
    )
    assignable: Mapped[bool] = column(
        "商场可分配", Boolean, default=True, server_default="1", hint="商场管理员可把此角色分配给员工"
    )

    def __repr__(self) -> str:
        return f"<StaffRole {self.id}>"


_named = StaffRole.__table__.c
Index("uq_ab_role_dealer_id_label", _named.dealer_id, _named.label, unique=True)
Index(
    "uq_ab_role_label_of_group",
    _named.label,
    unique=True,
    sqlite_where=_named.dealer_id.is_(None) & (_named.label != ""),
    postgresql_where=_named.dealer_id.is_(None) & (_named.label != ""),
)


class RoleAssignment(Steering, Model):
    """One role of one person; the framework's link table as a class."""

    __table__ = assoc_user_role
    if TYPE_CHECKING:
        id: Mapped[int]
        user_id: Mapped[int]
        role_id: Mapped[int]


class RoleGrant(Steering, Model):
    """One permission of one role; the framework's link table as a class."""

    __table__ = assoc_permissionview_role
    if TYPE_CHECKING:
        id: Mapped[int]
        permission_view_id: Mapped[int]
        role_id: Mapped[int]


class RoleScope(Steering, Model):
    """One row scope a role opens on one resource (A-70)."""

    __tablename__ = "role_scopes"
    __table_args__ = (UniqueConstraint("role_id", "resource", "scope"),)

    id: Mapped[Pk]
    role_id: Mapped[int] = mapped_column(ForeignKey("ab_role.id", ondelete="CASCADE"))
    resource: Mapped[str] = mapped_column(String(64))
    scope: Mapped[Scope] = column("数据范围", choices=Scope)


class EndedSession(Model):
    """A session somebody signed out of. Its cookie stays valid by itself until ``until``, so it is refused
    by its key; later the row is forgotten."""

    __tablename__ = "ended_sessions"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(DateTime, index=True)


class RightsEpoch(Model):
    """One row: a number that differs after every change of anybody's rights or of the settings."""

    __tablename__ = "rights_epoch"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


ROLES_OF = Links("roles", "角色", left=RoleAssignment.user_id, right=RoleAssignment.role_id)

assoc_user_role.c.user_id.info["zk"] = Meta("员工")
assoc_user_role.c.role_id.info["zk"] = Meta("角色")
