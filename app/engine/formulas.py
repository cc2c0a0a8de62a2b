"""What is worked out of a record's other fields: a small language of its own.

A formula is read into a tree of literals, sources and calls of the functions below; nothing of it ever becomes
Python. It sees the values it names and nothing else, its size is bounded, and every part of it has a type, so
that what cannot be worked out is refused while it is written. What is not filled in makes a number or a day
empty, is nothing in a text, and is equal to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from app.engine.localtime import local
from app.engine.slots import bare

LONGEST = 300
MOST_PARTS = 80
DEEPEST = 16
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

_N, _T, _D, _F, _C = Type.NUMBER, Type.TEXT, Type.DAY, Type.FLAG, Type.CHOICE


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
_NAMES = {
    "如果": "if", "if": "if", "最小": "min", "min": "min", "最大": "max", "max": "max",
    "四舍五入": "round", "取整": "round", "round": "round", "绝对值": "abs", "abs": "abs",
    "天数": "days", "days": "days", "拼接": "concat", "concat": "concat", "为空": "empty", "empty": "empty",
}  # fmt: skip
_CALLED = {
    "if": "如果", "min": "最小", "max": "最大", "round": "四舍五入", "days": "天数", "concat": "拼接",
    "empty": "为空", "abs": "绝对值",
}  # fmt: skip
_SIGNS = {"*": "×", "/": "÷", "<=": "≤", ">=": "≥", "<>": "≠", "and": "且", "or": "或"}
FUNCTIONS = "如果、最小、最大、四舍五入、绝对值、天数、拼接、为空"


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


# ----- reading

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d{1,15}(?:\.\d{1,6})?)|"(?P<text>[^"]{0,100})"|“(?P<quoted>[^”"]{0,100})”"""
    r"""|\[(?P<field>[^\[\]]{1,40})\]|【(?P<wide>[^【】]{1,40})】|(?P<word>[^\W\d]\w{0,39})"""
    r"""|(?P<sign><=|>=|<>|!=|==|[-+*/&=<>(),，（）＋－−×÷≤≥≠＝＜＞]))"""
)
_ALIKE = {
    "，": ",", "（": "(", "）": ")", "＋": "+", "－": "-", "−": "-", "×": "*", "÷": "/", "≤": "<=", "≥": ">=",
    "≠": "<>", "!=": "<>", "==": "=", "＝": "=", "＜": "<", "＞": ">", "且": "and", "或": "or", "非": "not",
}  # fmt: skip
_FLAGS = {"是": True, "否": False}


def read(text: str, known: Mapping[str, Known]) -> Formula:
    """The formula that a text says; ``known`` are the fields it may name. Raises `Wrong`."""
    if len(text) > LONGEST:
        raise Wrong(f"公式不能超过{LONGEST}个字，现有{len(text)}个字")
    found = _Reader(_tokens(text), known).whole()
    if sum(1 for _ in walk(found)) > MOST_PARTS:
        raise Wrong(f"公式过长，最多{MOST_PARTS}个部分")
    if found.type is Type.CHOICE:
        raise Wrong('单选字段只能与选项比较，例如 [装修阶段] = "水电"')
    return Formula(found)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Wrong(f"公式中“{text[place:].strip()[:10]}”处无法识别")
        place = match.end()
        kind = str(match.lastgroup)
        kind = {"quoted": "text", "wide": "field"}.get(kind, kind)
        said = match.group(str(match.lastgroup))
        if kind in ("word", "sign"):
            said = _ALIKE.get(said, said)
            kind = "sign" if said in ("and", "or", "not") else kind
        found.append((kind, said.strip() if kind == "field" else said))
    if not found:
        raise Wrong("请填写公式")
    return found


class _Reader:
    """Reads tokens from the weakest operator to the strongest."""

    def __init__(self, tokens: Sequence[tuple[str, str]], known: Mapping[str, Known]) -> None:
        self.tokens, self.known, self.at, self.depth = tokens, known, 0, 0

    def whole(self) -> Node:
        found = self.either()
        if self.at < len(self.tokens):
            raise Wrong(f"公式中“{self.tokens[self.at][1][:10]}”处多余")
        return found

    def sign(self, *wanted: str) -> str:
        """The next token if it is one of these signs, which is then passed."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign":
            said = self.tokens[self.at][1]
            if said in wanted:
                self.at += 1
                return said
        return ""

    def either(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Wrong(f"公式的括号最多{DEEPEST}层")
        found = self.both()
        while self.sign("or"):
            found = _call("or", [found, self.both()])
        self.depth -= 1
        return found

    def both(self) -> Node:
        found = self.negated()
        while self.sign("and"):
            found = _call("and", [found, self.negated()])
        return found

    def negated(self) -> Node:
        times = 0
        while self.sign("not"):
            times += 1
        found = self.compared()
        return _call("not", [found]) if times % 2 else found

    def compared(self) -> Node:
        found = self.joined()
        said = self.sign("=", "<>", "<=", ">=", "<", ">")
        return self.comparison(said, found, self.joined()) if said else found

    def comparison(self, said: str, left: Node, right: Node) -> Node:
        """Of a choice and a word, the option that has this word."""
        for one, other in ((left, right), (right, left)):
            if one.type is Type.CHOICE and isinstance(one, Source) and isinstance(other, Literal):
                options = next(k.options or {} for k in self.known.values() if k.name == one.name)
                if other.type is not Type.TEXT or other.value not in options:
                    some = "、".join(list(options)[:8])
                    raise Wrong(f"没有选项“{_text(other.value)}”，可用的有：{some}")
                return _call(said, [one, Literal(options[other.value], Type.CHOICE)])
        return _call(said, [left, right])

    def joined(self) -> Node:
        found = self.sum()
        while self.sign("&"):
            found = _call("&", [found, self.sum()])
        return found

    def sum(self) -> Node:
        found = self.product()
        while said := self.sign("+", "-"):
            found = _call(said, [found, self.product()])
        return found

    def product(self) -> Node:
        found = self.signed()
        while said := self.sign("*", "/"):
            found = _call(said, [found, self.signed()])
        return found

    def signed(self) -> Node:
        times = 0
        while self.sign("-"):
            times += 1
        found = self.atom()
        return _call("neg", [found]) if times % 2 else found

    def atom(self) -> Node:
        if self.at >= len(self.tokens):
            raise Wrong("公式不完整")
        kind, said = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Literal(Decimal(said), Type.NUMBER)
        if kind == "text":
            return Literal(said, Type.TEXT)
        if kind == "field":
            return self.field(said)
        if kind == "word":
            return self.named(said)
        if said == "(":
            found = self.either()
            self.closed()
            return found
        raise Wrong(f"公式中“{said}”的位置不正确")

    def named(self, said: str) -> Node:
        if not self.sign("("):
            if said in _FLAGS and said not in self.known:
                return Literal(_FLAGS[said], Type.FLAG)
            return self.field(said)
        name = _NAMES.get(said.lower())
        if name is None:
            raise Wrong(f"没有函数“{said}”，可用的有：{FUNCTIONS}")
        parts: list[Node] = []
        if not self.sign(")"):
            parts.append(self.either())
            while self.sign(","):
                parts.append(self.either())
            self.closed()
        return _call(name, parts)

    def closed(self) -> None:
        if not self.sign(")"):
            raise Wrong("公式缺少右括号")

    def field(self, said: str) -> Node:
        found = self.known.get(said)
        if found is None:
            some = "、".join(list(self.known)[:12])
            raise Wrong(f"没有可用于公式的字段“{said}”" + (f"，可用的有：{some}" if some else ""))
        return Source(found.name, found.type)


# ----- types


def _call(name: str, parts: list[Node]) -> Call:
    """The call with its type; raises `Wrong` where the parts do not fit."""
    types = [part.type for part in parts]
    return Call(name, tuple(parts), _typed(name, types))


def _typed(name: str, types: list[Type]) -> Type:
    said = f"“{_CALLED.get(name) or _SIGNS.get(name, name)}”"
    if name == "if":
        _amount(said, types, 3, 3)
        _must(said, types[:1], _F)
        _alike(said, types[1:])
        return types[1]
    if name in ("and", "or", "not"):
        _must(said, types, _F)
        return _F
    if name == "empty":
        _amount(said, types, 1, 1)
        return _F
    if name in ("concat", "&"):
        _amount(said, types, 1, 20)
        if _C in types:
            raise Wrong("单选字段只能与选项比较，不能拼接")
        return _T
    if name in ("min", "max"):
        _amount(said, types, 1, 20)
        _alike(said, types)
        if types[0] not in (_N, _D):
            raise Wrong(f"{said}只能用于数字或日期")
        return types[0]
    if name in ("=", "<>"):
        _alike(said, types)
        return _F
    if name in ("<", ">", "<=", ">="):
        _alike(said, types)
        if types[0] not in (_N, _D):
            raise Wrong(f"{said}只能比较数字或日期")
        return _F
    if name == "days":
        _amount(said, types, 2, 2)
        _must(said, types, _D)
        return _N
    if name in ("+", "-") and types[0] is _D:
        if name == "-" and types[1] is _D:
            return _N
        _must(said, types[1:], _N)
        return _D
    fewest, most = {"round": (2, 2), "abs": (1, 1)}.get(name, (1, 2))
    _amount(said, types, fewest, most)
    _must(said, types, _N)
    return _N


def _amount(said: str, types: Sequence[Type], fewest: int, most: int) -> None:
    if not fewest <= len(types) <= most:
        need = f"{fewest}个" if fewest == most else f"{fewest}至{most}个"
        raise Wrong(f"{said}需要{need}参数，现有{len(types)}个")


def _must(said: str, types: Sequence[Type], wanted: Type) -> None:
    for found in types:
        if found is not wanted:
            raise Wrong(f"{said}需要{wanted.value}，不能用于{found.value}")


def _alike(said: str, types: Sequence[Type]) -> None:
    if len(set(types)) > 1:
        raise Wrong(f"{said}两边的类型不同：{'、'.join(t.value for t in types)}")


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
        return f"{_CALLED[node.name]}({', '.join(parts)})"
    if node.name in ("not", "neg"):
        text = f"{'非 ' if node.name == 'not' else '-'}{parts[0]}"
    else:
        text = f" {_SIGNS.get(node.name, node.name)} ".join(parts)
    return f"({text})" if own < around else text
