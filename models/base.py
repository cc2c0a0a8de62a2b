"""What tables of every domain share: versions, stamps, the audit mark and the mark of the rights epoch."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Index, Integer, text
from sqlalchemy.orm import Mapped, declared_attr

from app.engine.audit import Audited
from app.engine.database import utcnow
from app.engine.fields import CreatedAt, column

__all__ = ["Audited", "Dated", "Steering", "Versioned", "once_for_all"]


def once_for_all(table: str, *columns: str) -> Index:
    """Unique among the rows without dealer, which a UNIQUE with ``dealer_id`` does not bind: two presets
    of everybody cannot have the same key."""
    rule = text("dealer_id IS NULL")
    return Index(f"uq_{table}_for_all", *columns, unique=True, sqlite_where=rule, postgresql_where=rule)


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
