"""The configuration as a readable file: JSON with sorted keys, one entry per block, Chinese as it reads.

What is wrong with a file is said with its line: of the whole first, then of each entry.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from app.engine.actions import Refusal
from app.engine.configured.state import NTH, Entry
from app.engine.configured.values import token
from app.engine.configuring import Kind, kind
from app.engine.scopes import Actor

PRODUCT, FORMAT = "知客", 1
GROUP, DEALER, ANY = "group", "dealer", "any"
LARGEST = 4 * 1024 * 1024
MOST = 20
"""So many mistakes are listed at once."""
_BLANK = re.compile(r"[ \t\r\n]*")
_HEAD = frozenset({"product", "format", "of", "complete", "title", "about", "kinds"})


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong: where, and what."""

    text: str
    line: int = 0
    place: str = ""

    def __str__(self) -> str:
        where = "，".join(p for p in (f"第{self.line}行" if self.line else "", self.place) if p)
        return f"{where}：{self.text}" if where else self.text


class BadFile(Refusal):
    """The file is refused as a whole."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = list(mistakes)
        shown = [str(m) for m in self.mistakes[:MOST]]
        if len(self.mistakes) > MOST:
            shown.append(f"另有{len(self.mistakes) - MOST}处错误")
        self.sentences = shown
        super().__init__("；".join(shown))


@dataclass
class Written(Entry):
    """An entry as a file has it, with the lines of what it says."""

    line: int = 0
    lines: dict[str, int] = field(default_factory=dict)


@dataclass
class File:
    """What a file says. ``complete`` is one that holds everything of its kinds: what it lacks is taken away."""

    of: str
    complete: bool
    kinds: dict[str, list[Written]]
    title: str = ""
    about: str = ""


def write(of: str, listed: Mapping[str, Iterable[Entry]]) -> str:
    """The file of these entries, by kind."""
    body = {
        "product": PRODUCT,
        "format": FORMAT,
        "of": of,
        "complete": True,
        "kinds": {
            name: [e.flat for e in sorted(found, key=lambda e: e.token)] for name, found in listed.items()
        },
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def read(text: str, actor: Actor | None = None) -> File:
    """What a file says; raises `BadFile` with the lines of what is wrong. What an ``actor`` may not see the list
    of is refused too."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise BadFile([Mistake(f"文件不能超过{LARGEST // 1024 // 1024}MB")])
    text = text.removeprefix("\ufeff")
    body, lines = _parsed(text)
    if lines.twice:
        raise BadFile(Mistake(f"“{name[:40]}”写了两次", line) for name, line in lines.twice)
    _check_head(body, lines)
    mistakes: list[Mistake] = []
    found: dict[str, list[Written]] = {}
    for name, listed in body["kinds"].items():
        at = ("kinds", name)
        known = kind(name)
        if known is None:
            mistakes.append(Mistake(f"没有“{name[:40]}”这种配置", lines.of(at)))
        elif actor is not None and not actor.can("can_list", known.resource.view_name()):
            mistakes.append(Mistake(f"无权限：{known.label}", lines.of(at)))
        elif not isinstance(listed, list):
            mistakes.append(Mistake("应为条目的列表", lines.of(at), known.label))
        else:
            found[name] = [
                e for n, one in enumerate(listed) if (e := _entry(known, one, (*at, n), lines, mistakes))
            ]
            _check_twice(found[name], mistakes)
    if mistakes:
        raise BadFile(mistakes)
    return File(
        body["of"], body.get("complete", False), found, str(body.get("title", "")), str(body.get("about", ""))
    )


def _parsed(text: str) -> tuple[Any, _Lines]:
    try:
        body = json.loads(text, parse_constant=_refuse)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
        if "\\u0000" in text:
            raise ValueError
        return body, _Lines(text)
    except json.JSONDecodeError as wrong:
        raise BadFile([Mistake(f"不是有效的 JSON（第{wrong.colno}个字符附近）", wrong.lineno)]) from wrong
    except (ValueError, RecursionError) as wrong:
        raise BadFile([Mistake("不是有效的 JSON")]) from wrong


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _check_head(body: Any, lines: _Lines) -> None:
    if not isinstance(body, dict) or body.get("product") != PRODUCT:
        raise BadFile([Mistake("不是知客的配置文件", lines.of(("product",)))])
    version = body.get("format")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadFile([Mistake("“format”应为版本号", lines.of(("format",)))])
    if version > FORMAT:
        said = f"文件由更新版本的知客导出（格式{version}，本系统支持到{FORMAT}），请先升级本系统"
        raise BadFile([Mistake(said, lines.of(("format",)))])
    mistakes = [Mistake(f"没有“{n[:40]}”这一项", lines.of((n,))) for n in body if n not in _HEAD]
    if body.get("of") not in (GROUP, DEALER, ANY):
        mistakes.append(Mistake(f"“of”应为 {GROUP}、{DEALER} 或 {ANY}", lines.of(("of",))))
    if not isinstance(body.get("complete", False), bool):
        mistakes.append(Mistake("“complete”应为 true 或 false", lines.of(("complete",))))
    if not isinstance(body.get("kinds"), dict):
        mistakes.append(Mistake("“kinds”应为各种配置的条目", lines.of(("kinds",))))
    if mistakes:
        raise BadFile(mistakes)


def _entry(
    known: Kind, one: Any, at: tuple[Any, ...], lines: _Lines, mistakes: list[Mistake]
) -> Written | None:
    line = lines.of(at)
    if not isinstance(one, dict):
        mistakes.append(Mistake("条目应为 { } 中的各项", line, known.label))
        return None
    identity = known.identity(one)
    named = any(identity.values()) and _is_plain(identity)
    place = f"{known.label}“{known.called(one)}”" if named else known.label
    allowed = {*known.specs, NTH, *([known.code.name] if known.code is not None else [])}
    before = len(mistakes)
    for name in one:
        if name not in allowed:
            mistakes.append(Mistake(f"没有“{name[:40]}”这一项", lines.of((*at, name)), place))
    first = next(iter(identity))
    if not isinstance(identity[first], str | dict) or not identity[first]:
        label = known.specs[first].label if first in known.specs else first
        mistakes.append(Mistake(f"缺少{label}（{first}）", line, place))
    elif known.hidden(one):
        mistakes.append(Mistake("此项含密钥，不能写在配置文件中，请在页面上设置", line, place))
    nth = one.get(NTH)
    if nth is not None:
        if isinstance(nth, bool) or not isinstance(nth, int) or nth < 2:
            mistakes.append(Mistake("“nth”应为 2 或更大的整数", lines.of((*at, NTH)), place))
        identity = identity | {NTH: nth}
    if len(mistakes) > before:
        return None
    return Written(known, identity, one, line=line, lines={n: lines.of((*at, n)) for n in one})


def _is_plain(identity: Mapping[str, Any]) -> bool:
    return all(v is None or isinstance(v, str | int | dict) for v in identity.values())


def _check_twice(found: list[Written], mistakes: list[Mistake]) -> None:
    seen: dict[str, int] = {}
    for entry in found:
        name = token(entry.identity)
        if name in seen:
            said = f"与第{seen[name]}行的条目重复"
            mistakes.append(Mistake(said, entry.line, f"{entry.kind.label}“{entry.words}”"))
        seen.setdefault(name, entry.line)


class _Lines:
    """On which line of a file each of its values begins; the text is valid JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at: dict[tuple[Any, ...], int] = {}
        self.twice: list[tuple[str, int]] = []
        self._decoder = json.JSONDecoder()
        self._breaks = [n for n, c in enumerate(text) if c == "\n"]
        self._value(self._skip(0), ())

    def of(self, path: tuple[Any, ...]) -> int:
        """The line of a value, or of what it would stand in; 0 for none."""
        while path and path not in self._at:
            path = path[:-1]
        return self._line(self._at[path]) if path in self._at else 0

    def _line(self, at: int) -> int:
        return bisect_left(self._breaks, at) + 1

    def _skip(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found is not None else at

    def _value(self, at: int, path: tuple[Any, ...]) -> int:
        self._at.setdefault(path, at)
        opening = self._text[at]
        if opening not in "{[":
            return int(self._decoder.raw_decode(self._text, at)[1])
        closing, at, amount = "}" if opening == "{" else "]", self._skip(at + 1), 0
        while self._text[at] != closing:
            name: Any = amount
            begins = at
            if opening == "{":
                name, at = scanstring(self._text, at + 1)
                at = self._skip(self._skip(at) + 1)
                if (*path, name) in self._at:
                    self.twice.append((name, self._line(begins)))
                self._at[*path, name] = begins
            at = self._skip(self._value(at, (*path, name)))
            amount += 1
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return at + 1
