"""What is worked out of a record's other fields: a small language of its own.

A formula is read into a tree of literals, sources and calls of the functions below; nothing of it ever becomes
Python. It sees the values it names and nothing else, its size is bounded, and every part of it has a type, so
that what cannot be worked out is refused while it is written. What is not filled in makes a number or a day
empty, is nothing in a text, and is equal to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from app.engine.localtime import local
from app.engine.slots import bare

LONGEST_TEXT = 255
_MOST = Decimal(10) ** 14
_CALM = Decimal(10) ** 60


class Type(StrEnum):
    """What a part of a formula holds."""

    NUMBER = "数字"
    TEXT = "文本"
    DAY = "日期"
    FLAG = "是/否"
    CHOICE = "单选"


class Wrong(Exception):
    """The formula means nothing; ``message`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the formula itself."""

    value: Any
    type: Type


@dataclass(frozen=True, slots=True)
class Source:
    """A field of the record."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, by its name in `_FUNCTIONS`."""

    name: str
    parts: tuple[Node, ...]
    type: Type


Node = Literal | Source | Call
Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A field that a formula may name: its name, what it holds, and of a choice its options by their words."""

    name: str
    type: Type
    options: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read."""

    root: Node

    @property
    def type(self) -> Type:
        """What it results in."""
        return self.root.type

    def sources(self) -> frozenset[str]:
        """The names of the fields it is worked out of."""
        return frozenset(part.name for part in walk(self.root) if isinstance(part, Source))

    def value(self, read: Read) -> Any:
        """What it comes to for a record, whose values ``read`` gives by name; None where something is missing."""
        try:
            found = _value(self.root, read)
        except (ArithmeticError, OverflowError, ValueError):
            return None
        if isinstance(found, Decimal):
            if not found.is_finite() or abs(found) >= _MOST:
                return None
            return bare(found.quantize(Decimal("0.0001"), ROUND_HALF_UP))
        if isinstance(found, str):
            return found[:LONGEST_TEXT] or None
        return found

    def written(self, label: Callable[[str], str], word: Callable[[str, str], str] | None = None) -> str:
        """The formula as text, its fields under these labels; ``word(field, value)`` is an option's word."""
        return _written(self.root, label, word or (lambda _name, value: value), 0)


def walk(node: Node) -> Iterator[Node]:
    """The node and all parts of it."""
    yield node
    if isinstance(node, Call):
        for part in node.parts:
            yield from walk(part)


def circle(name: str, above: Mapping[str, frozenset[str]]) -> list[str]:
    """The way from a field back to itself, by the sources of each; empty where there is none."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for source in sorted(above.get(way[-1], ())):
            if source == name:
                return [*way, name]
            if source not in seen:
                seen.add(source)
                ways.append([*way, source])
    return []


# ----- the functions


def _some(values: Sequence[Any]) -> list[Any]:
    return [v for v in values if v is not None]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{bare(value):f}" if isinstance(value, Decimal) else str(value)


def _round(number: Decimal, places: Decimal) -> Decimal:
    kept = min(max(int(places), 0), 4)
    return number.quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP)


def _plus(a: Any, b: Decimal) -> Any:
    return a + timedelta(days=int(b)) if isinstance(a, date) else a + b


def _minus(a: Any, b: Any) -> Any:
    if isinstance(a, date):
        return Decimal((a - b).days) if isinstance(b, date) else a - timedelta(days=int(b))
    return a - b


def _less(a: Any, b: Any) -> bool:
    return bool(a < b)


def _times(a: Decimal, b: Decimal) -> Decimal:
    found = a * b
    if abs(found) > _CALM:
        raise OverflowError
    return found


_SIMPLE: Mapping[str, Callable[..., Any]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": lambda a, b: a / b,
    "neg": lambda a: -a,
    "<": _less,
    ">": lambda a, b: _less(b, a),
    "<=": lambda a, b: not _less(b, a),
    ">=": lambda a, b: not _less(a, b),
    "round": _round,
    "days": lambda a, b: Decimal((b - a).days),
    "abs": abs,
}
"""Functions that come to nothing where anything they are given is empty."""
CALLED = {
    "if": "如果", "min": "最小", "max": "最大", "round": "四舍五入", "days": "天数", "concat": "拼接",
    "empty": "为空", "abs": "绝对值",
}  # fmt: skip
"""How functions are written."""
SIGNS = {"*": "×", "/": "÷", "<=": "≤", ">=": "≥", "<>": "≠", "and": "且", "or": "或"}
"""How operators are written."""


def _value(node: Node, read: Read) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Source):
        return _plain(read(node.name))
    name, parts = node.name, node.parts
    if name == "if":
        return _value(parts[1 if _value(parts[0], read) else 2], read)
    if name in ("and", "or"):
        first = bool(_value(parts[0], read))
        return first if first is (name == "or") else bool(_value(parts[1], read))
    values = [_value(part, read) for part in parts]
    if name == "not":
        return not values[0]
    if name == "empty":
        return values[0] is None
    if name in ("concat", "&"):
        return "".join(map(_text, values))[: 4 * LONGEST_TEXT]
    if name in ("min", "max"):
        filled = _some(values)
        return (min if name == "min" else max)(filled) if filled else None
    if name in ("=", "<>"):
        same = None not in values and values[0] == values[1]
        return same is (name == "=")
    if None in values:
        return False if node.type is Type.FLAG else None
    return _SIMPLE[name](*values)


def _plain(value: Any) -> Any:
    """A stored value as formulas have it: moments as their day in China, choices as what is stored."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return local(value).date()
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, Decimal | date):
        return value
    return str(getattr(value, "value", value))


# ----- writing

_COMPARED = 4
_STRENGTH = {
    "or": 1, "and": 2, "not": 3, "=": 4, "<>": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "&": 5, "+": 6, "-": 6,
    "*": 7, "/": 7, "neg": 8,
}  # fmt: skip


def _least(own: int, place: int) -> int:
    """How strong a part in that place is at least, to stand there without brackets."""
    return own + (own == _COMPARED or (place > 0 and own not in (0, 1, 2)))


def _written(node: Node, label: Callable[[str], str], word: Callable[[str, str], str], around: int) -> str:
    if isinstance(node, Source):
        return f"[{label(node.name)}]"
    if isinstance(node, Literal):
        return f'"{node.value}"' if isinstance(node.value, str) else _text(node.value)
    own = _STRENGTH.get(node.name, 0)
    parts = [_written(part, label, word, _least(own, n)) for n, part in enumerate(node.parts)]
    for n, part in enumerate(node.parts):
        if isinstance(part, Literal) and part.type is Type.CHOICE:
            parts[n] = f'"{word(node.parts[1 - n].name, part.value)}"'  # type: ignore[union-attr]
    if not own:
        return f"{CALLED[node.name]}({', '.join(parts)})"
    if node.name in ("not", "neg"):
        text = f"{'非 ' if node.name == 'not' else '-'}{parts[0]}"
    else:
        text = f" {SIGNS.get(node.name, node.name)} ".join(parts)
    return f"({text})" if own < around else text
