"""Dictionaries and parameters: what administrators change without code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.choices import Colour, Tone
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all


class EntryTone(Colour):
    """The colour of an entry in lists."""

    PLAIN = "plain", "灰色", Tone.MUTED
    ACTIVE = "active", "蓝色", Tone.ACTIVE
    INFO = "info", "蓝色（提示）", Tone.INFO
    GOOD = "good", "绿色", Tone.GOOD
    WARN = "warn", "橙色", Tone.WARN
    BAD = "bad", "红色", Tone.BAD


OF_FIELDS = "custom."
"""What the names of dictionaries with the options of added fields begin with."""


class DictionaryEntry(Steering, Dated, Versioned, Audited, Model):
    """One choice of a dictionary; without dealer it is the group's preset for everybody.

    A value may stand under several parents, an entry for each; without parent it fits everywhere (D-13).
    """

    __tablename__ = "dictionary_entries"
    __table_args__ = (
        UniqueConstraint("dictionary", "dealer_id", "value", "parent"),
        # An empty column is equal to none in a UNIQUE, be it the dealer or the parent.
        once_for_all("dictionary_entries", "dictionary", "value", "parent"),
        once_for_all(
            "dictionary_entries", "dictionary", "dealer_id", "value", rule="parent IS NULL", name="alone"
        ),
        once_for_all(
            "dictionary_entries",
            "dictionary",
            "value",
            rule="dealer_id IS NULL AND parent IS NULL",
            name="for_all_alone",
        ),
    )

    id: Mapped[Pk]
    dictionary: Mapped[str] = column("字典", String(48), dictionary="dictionaries")
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    value: Mapped[str] = column(
        "内部代码", String(32), required=False, hint="记录中保存的值；不填写则与名称相同，保存后不能修改"
    )
    label: Mapped[str] = column("名称", String(32))
    tone: Mapped[EntryTone] = column("颜色", choices=EntryTone, default=EntryTone.PLAIN)
    parent: Mapped[str | None] = column(
        "所属上级",
        String(32),
        hint="仅城市、行政区、客户来源等逐级选择的字典填写：上级条目的内部代码；不填写则任何上级下都可选",
    )
    sort: Mapped[int] = column("排序", Integer, default=100)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class Parameter(Steering, Dated, Versioned, Audited, Model):
    """One setting of one dealer; without dealer it is the group's. Absent means the declared default."""

    __tablename__ = "parameters"
    __table_args__ = (UniqueConstraint("key", "dealer_id"), once_for_all("parameters", "key"))

    id: Mapped[Pk]
    key: Mapped[str] = column("参数", String(64))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), index=True, blank=OF_GROUP)
    value: Mapped[Any] = column("值", JSON, nullable=False)
