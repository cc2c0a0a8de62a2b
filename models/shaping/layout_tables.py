"""How administrators laid out forms and record pages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice
from app.engine.database import Model
from app.engine.fields import Pk, column
from app.engine.layouts import DETAIL, EDIT, NEW
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned
from models.shaping.view_tables import LISTS


class LayoutPage(Choice):
    """What is laid out of a list's records."""

    NEW = NEW, "新建表单"
    EDIT = EDIT, "编辑表单"
    DETAIL = DETAIL, "详情页"


class PageLayout(Steering, Dated, Versioned, Audited, Model):
    """The sections of one form or page as a dealer, or without dealer the group, wants them for everybody or
    for one role.

    ``parts`` is the whole plan (`layouts.to_json`), ``summary`` what it has otherwise than the default in
    words, ``place`` whose it is and for whom in one word, so that there is one of each.
    """

    __tablename__ = "page_layouts"
    __table_args__ = (UniqueConstraint("resource", "page", "place"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("布局", String(100))
    resource: Mapped[str] = column("列表", String(64), dictionary=LISTS)
    page: Mapped[LayoutPage] = column("页面", choices=LayoutPage)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    role_id: Mapped[int | None] = column(
        "适用角色", ForeignKey("ab_role.id", ondelete="CASCADE"), index=True, blank="全部人员"
    )
    place: Mapped[str] = mapped_column(String(24))
    parts: Mapped[list[dict[str, Any]]] = column("分组和字段", JSON, kind="layout_parts")
    summary: Mapped[str] = column("与默认不同", String(400), default="", wide=True)


def place_of(dealer_id: int | None, role_id: int | None) -> str:
    """Whose a layout is and for whom, in one word."""
    return f"{dealer_id or ''}/{role_id or ''}"
