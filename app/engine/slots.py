"""Spare columns: where the values of fields stand that administrators add while the program runs.

They are ordinary columns of the table, so that a filter, an order or an index treats them like any other; what
is in one of them a dealer's own declaration says (`faces`). Which is why no screen shows a slot by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    String,
    Text,
    TypeDecorator,
    func,
    type_coerce,
)

from app.engine.fields import column


class Figure(TypeDecorator[Decimal]):
    """A number without the zeros its column fills it up with."""

    impl = Numeric(18, 4)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else bare(value)


def bare(number: Decimal) -> Decimal:
    """The number without trailing zeros, and never as a power of ten."""
    whole = number.to_integral_value()
    return whole if number == whole else number.normalize()


BETWEEN = "|"
"""Stands before, between and behind the values of a slot that holds several, and in none of them."""


class Several(TypeDecorator[list[str]]):
    """Several chosen values as one text, ``|a|b|``: each is found by itself and its marks."""

    impl = String(500)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        if isinstance(value, str) or value is None:
            return value or None
        return f"{BETWEEN}{BETWEEN.join(map(str, value))}{BETWEEN}" if value else None

    def process_result_value(self, value: Any, dialect: Any) -> list[str] | None:
        return None if value is None else [part for part in value.split(BETWEEN) if part]


def contains(column: Any, value: Any) -> ColumnElement[bool]:
    """Rows whose several chosen values hold this one: a text, or a parameter that is `marked`."""
    text = type_coerce(column, String)
    wanted = marked(value) if isinstance(value, str) else value
    return func.replace(text, wanted, "") != text


def marked(value: str) -> str:
    """A value between the marks by which it is found."""
    return f"{BETWEEN}{value}{BETWEEN}"


_FAMILIES: Mapping[str, tuple[int, str, Any]] = {
    "text": (12, "文本", String(255)),
    "long": (3, "长文本", Text),
    "number": (8, "数字", Figure),
    "date": (6, "日期", Date),
    "moment": (4, "时间", DateTime),
    "flag": (6, "是否", Boolean),
    "many": (4, "多选", Several),
    "ref": (4, "关联", Integer),
    "file": (6, "附件", String(255)),
}
"""How many there are of each sort of value, what they are called, and the type of their columns."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    family: tuple(f"{family}_{n}" for n in range(1, amount + 1))
    for family, (amount, _, _) in _FAMILIES.items()
}
"""The names of the slots by the sort of value they hold."""

_KINDS = {"number": "number", "many": "choices"}
SLOTS = frozenset(name for names in FAMILIES.values() for name in names)


class Extended:
    """A table with spare columns: its resource takes fields of administrators.

    They are read only when asked for: whoever works with a record and knows nothing of such fields pays nothing
    for them. What is written over is read first, for the history.
    """


for _family, (_amount, _label, _type) in _FAMILIES.items():
    for _number in range(1, _amount + 1):
        setattr(
            Extended,
            f"{_family}_{_number}",
            column(
                f"{_label}{_number}", _type, kind=_KINDS.get(_family, ""), nullable=True,
                deferred=True, deferred_group="slots", active_history=True,
            ),
        )  # fmt: skip
