"""What tables of every domain share: versions, stamps, the audit mark and the mark of the rights epoch."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Index, Integer, text
from sqlalchemy.orm import Mapped, declared_attr

from app.engine.audit import Audited
from app.engine.database import utcnow
from app.engine.fields import CreatedAt, column

__all__ = ["OF_GROUP", "Audited", "Dated", "Shared", "Steering", "Versioned", "once_for_all"]

OF_GROUP = "集团通用"
"""What it means that a preset belongs to no dealer."""


def once_for_all(table: str, *columns: str, rule: str = "dealer_id IS NULL", name: str = "for_all") -> Index:
    """Unique among the rows without dealer (or by another ``rule``), which a UNIQUE with an empty column
    does not bind: two presets of everybody cannot have the same key."""
    where = text(rule)
    return Index(f"uq_{table}_{name}", *columns, unique=True, sqlite_where=where, postgresql_where=where)


class Shared:
    """A row without dealer is the group's and holds for all; forms ask by this name."""

    dealer_id: Mapped[int | None]

    @property
    def for_all(self) -> bool:
        """Whether it is the group's."""
        return self.dealer_id is None


class Versioned:
    """Saving over somebody else's newer version is refused (D-15)."""

    version: Mapped[int] = column("版本", Integer, default=1, server_default="1")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        return {"version_id_col": cls.version}


class Dated:
    """When a record was made and last changed."""

    created_at: Mapped[CreatedAt] = column("创建时间", DateTime, index=True)
    updated_at: Mapped[datetime] = column("更新时间", DateTime, default=utcnow, onupdate=utcnow)


class Steering:
    """A table that decides what people see or may do: any change of it ends every remembered actor.

    Changes of ``__quiet__`` columns alone (sign-in statistics) do not.
    """

    __quiet__: ClassVar[frozenset[str]] = frozenset()
