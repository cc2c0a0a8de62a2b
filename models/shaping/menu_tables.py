"""What administrators changed of the menu."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON

from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all


class MenuShape(Steering, Dated, Versioned, Audited, Model):
    """What a dealer changed of one piece of the menu, or, without dealer, the group for everybody.

    ``key`` is that of an entry, or of a group or link with its prefix (`menus`). What is empty is as it was
    below: the group's, and before it the product's. Rows stay when a piece is as it was again, so that a
    deed can be taken back by putting old values back; a group or link somebody added is then ``gone``.
    """

    __tablename__ = "menu_shapes"
    __table_args__ = (UniqueConstraint("dealer_id", "key"), once_for_all("menu_shapes", "key"))

    id: Mapped[Pk]
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    key: Mapped[str] = column("菜单项代码", String(80))
    name: Mapped[str] = column("菜单项", String(32))
    label: Mapped[str | None] = column("名称", String(20))
    icon: Mapped[str | None] = column("图标", String(48))
    place: Mapped[str | None] = column("所在分组", String(80), kind="menu_group")
    sort: Mapped[int | None] = column("次序", Integer, kind="menu_rank")
    hidden: Mapped[bool | None] = column("隐藏", Boolean)
    roles: Mapped[list[str] | None] = column("对角色隐藏", JSON(none_as_null=True), kind="menu_role")
    url: Mapped[str | None] = column("地址", String(300))
    gone: Mapped[bool] = column("已删除", Boolean, default=False, server_default="0")
