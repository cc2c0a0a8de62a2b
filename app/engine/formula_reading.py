"""From the text of a formula to its tree: words, the strength of operators, and what fits together.

Whatever is wrong is said with its place while the formula is written (`formulas.Wrong`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.engine.formulas import CALLED, SIGNS, Call, Formula, Known, Literal, Node, Source, Type, Wrong, walk

LONGEST = 300
MOST_PARTS = 80
DEEPEST = 16
_N, _D, _F, _C, _T = Type.NUMBER, Type.DAY, Type.FLAG, Type.CHOICE, Type.TEXT
_NAMES = {
    "如果": "if", "if": "if", "最小": "min", "min": "min", "最大": "max", "max": "max",
    "四舍五入": "round", "取整": "round", "round": "round", "绝对值": "abs", "abs": "abs",
    "天数": "days", "days": "days", "拼接": "concat", "concat": "concat", "为空": "empty", "empty": "empty",
}  # fmt: skip
FUNCTIONS = "如果、最小、最大、四舍五入、绝对值、天数、拼接、为空"

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
                    raise Wrong(f"没有选项“{other.value!s}”，可用的有：{some}")
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
    said = f"“{CALLED.get(name) or SIGNS.get(name, name)}”"
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
