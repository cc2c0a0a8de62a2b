"""Dashboards that people put together: who sees them, and what stands on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Links, Pk, column
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all


class Sharing(Choice):
    """Who has a dashboard in the menu."""

    PERSONAL = "personal", "仅自己", Tone.MUTED
    ROLES = "roles", "指定角色", Tone.INFO
    ALL = "all", "全部人员", Tone.GOOD


class BoardIcon(Choice):
    """What stands before its name in the menu."""

    DASHBOARD = "layout-dashboard", "看板"
    BARS = "chart-bar", "柱形图"
    LINE = "chart-line", "折线图"
    PIE = "chart-pie", "饼图"
    FUNNEL = "chart-funnel", "漏斗"
    TARGET = "target-arrow", "目标"
    MONEY = "report-money", "金额"
    PEOPLE = "users", "人员"
    STORE = "building-store", "门店"
    TROPHY = "trophy", "排行"


_SHARED, _PERSONAL = text("shared <> 'personal'"), text("shared = 'personal'")


class Board(Steering, Dated, Versioned, Audited, Model):
    """A dashboard somebody has built; without dealer it is the group's and everybody's.

    ``layout`` are its tiles in order, ``removed`` is the one that was taken off last, with its place, until
    something else is changed: `dashboard_tiles` says what they mean.
    """

    __tablename__ = "boards"
    __table_args__ = (
        Index("uq_boards_name_of_dealer", "dealer_id", "name", unique=True,
              sqlite_where=_SHARED, postgresql_where=_SHARED),
        Index("uq_boards_name_of_owner", "owner_id", "name", unique=True,
              sqlite_where=_PERSONAL, postgresql_where=_PERSONAL),
        once_for_all("boards", "name", rule="dealer_id IS NULL AND shared <> 'personal'"),
    )  # fmt: skip

    id: Mapped[Pk]
    name: Mapped[str] = column("看板名称", String(24))
    icon: Mapped[BoardIcon] = column("图标", choices=BoardIcon, default=BoardIcon.DASHBOARD)
    sort: Mapped[int] = column(
        "菜单顺序", Integer, default=100, minimum=0, maximum=9999, hint="较小的排在前面"
    )
    shared: Mapped[Sharing] = column("共享", choices=Sharing, default=Sharing.PERSONAL)
    owner_id: Mapped[int] = column("创建人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    layout: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    removed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class BoardRole(Steering, Model):
    """A role that has a dashboard in the menu."""

    __tablename__ = "board_roles"
    __table_args__ = (UniqueConstraint("board_id", "role_id"),)

    id: Mapped[Pk]
    board_id: Mapped[int] = column("看板", ForeignKey("boards.id", ondelete="CASCADE"))
    role_id: Mapped[int] = column("角色", ForeignKey("ab_role.id", ondelete="CASCADE"), index=True)


ROLES_OF_BOARD = Links("roles", "共享给角色", left=BoardRole.board_id, right=BoardRole.role_id)
