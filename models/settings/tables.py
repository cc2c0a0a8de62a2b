"""Dictionaries and parameters: what administrators change without code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import Audited, Dated, Steering, Versioned, once_for_all


class EntryTone(Choice):
    """The colour of an entry's dot, in words an administrator can choose from."""

    PLAIN = "plain", "默认", Tone.MUTED
    ACTIVE = "active", "进行", Tone.ACTIVE
    INFO = "info", "提示", Tone.INFO
    GOOD = "good", "良好", Tone.GOOD
    WARN = "warn", "警示", Tone.WARN
    BAD = "bad", "不良", Tone.BAD


class DictionaryEntry(Steering, Dated, Versioned, Audited, Model):
    """One choice of a dictionary; without dealer it is the group's preset for everybody.

    A value may stand under several parents, an entry for each; without parent it fits everywhere (D-13).
    """

    __tablename__ = "dictionary_entries"
    __table_args__ = (
        UniqueConstraint("dictionary", "dealer_id", "value", "parent"),
        once_for_all("dictionary_entries", "dictionary", "value", "parent"),
    )

    id: Mapped[Pk]
    dictionary: Mapped[str] = column("字典", String(48), dictionary="dictionaries")
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"))
    value: Mapped[str] = column(
        "存储值", String(32), required=False, hint="不填写时与名称相同，保存后不可修改"
    )
    label: Mapped[str] = column("名称", String(32))
    tone: Mapped[EntryTone] = column("色调", choices=EntryTone, default=EntryTone.PLAIN)
    parent: Mapped[str | None] = column(
        "上级值", String(32), hint="仅级联字典填写：上级字典中的存储值；不填写则任何上级下都可选"
    )
    sort: Mapped[int] = column("排序", Integer, default=100)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class Parameter(Steering, Dated, Versioned, Audited, Model):
    """One setting of one dealer; without dealer it is the group's. Absent means the declared default."""

    __tablename__ = "parameters"
    __table_args__ = (UniqueConstraint("key", "dealer_id"), once_for_all("parameters", "key"))

    id: Mapped[Pk]
    key: Mapped[str] = column("参数", String(64))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), index=True)
    value: Mapped[Any] = column("值", JSON, nullable=False)
