"""Texts with placeholders as administrators write them: what a text may name, and what is wrong with one.

A placeholder names a field of the record, of what one of its references leads to, or a tab of its page as a
table; there are no expressions. A text is understood line by line before any value is put into it, so that a value
is never read as a part of the template. `filling` puts the values in, through the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from itertools import islice

from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.recent import Recent
from app.engine.resource import Group, Related, Resource, has_resource, resource_of

MARK = re.compile(r"\{\{([^{}]*)\}\}")
STRAY = re.compile(r"\{\{|\}\}")
_TABLE = re.compile(r"\{\{([^{}:：]+)[:：]([^{}]*)\}\}")
_BAR = re.compile(r"\|(?![^{}]*\}\})")
_MEANS = re.compile(r"[{}|:：]")
_NEXT = re.compile(r"[、，,]")
_STEP = re.compile(r"[.·．]")
_LEFT_OUT = frozenset({"changes", "password", "image", "file", "images", "files", "hidden", "following"})
_KEPT = 200
MOST_SAID = 5
"""So many mistakes of a text are told at once: looking for near names takes its time."""
_NEAREST = 3
COMMON = ("今天", "现在", "操作人", "操作人门店", "操作人商场")
"""What every text may name besides the record: the day, the time, and who prints or sends."""


class Kind(Enum):
    """What a line of a sheet is."""

    TITLE = "title"
    HEADING = "heading"
    LINE = "line"
    CELLS = "cells"
    RULE = "rule"
    GAP = "gap"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder in a line."""

    name: str


Piece = str | Slot


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a template: its pieces, cell by cell; of a table the name of the tab and of the columns."""

    kind: Kind
    number: int
    cells: tuple[tuple[Piece, ...], ...] = ()
    table: str = ""
    columns: tuple[str, ...] = ()

    @property
    def slots(self) -> list[Slot]:
        """Its placeholders."""
        return [piece for cell in self.cells for piece in cell if isinstance(piece, Slot)]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What a placeholder names: a field, with ``via`` of the record that this reference leads to."""

    token: str
    group: str
    spec: FieldSpec
    via: FieldSpec | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A tab of the record's page as a table, with the columns it can have by their words."""

    token: str
    related: Related
    columns: dict[str, FieldSpec]
    usual: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything a text about records of this kind may name."""

    places: dict[str, Place] = field(default_factory=dict)
    by_name: dict[str, Place] = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)

    def find(self, name: str) -> Place | None:
        """What that placeholder names: by the words of the field, or by its name in the API."""
        for key in (name, ".".join(_STEP.split(name, maxsplit=1))):
            found = self.places.get(key) or self.by_name.get(key)
            if found is not None:
                return found
        return None

    def near(self, name: str) -> list[str]:
        """The names that come closest."""
        known = [*self.places, *COMMON]
        inside = [token for token in known if name in token or token in name] if name else []
        close = get_close_matches(name, known, _NEAREST, 0.4)
        return list(dict.fromkeys([*close, *inside]))[:_NEAREST]


_books: Recent[tuple[str, int | None, int], Book] = Recent(_KEPT)


def book(resource: type[Resource], dealer_id: int | None, epoch: int = 0) -> Book:
    """What texts of that dealer about these records may name; kept for a state of the settings (``epoch``)."""
    key = (resource.base.name, dealer_id, epoch)
    known = _books.recall(key) if epoch else None
    if known is not None:
        return known
    found = _book(faced(resource, dealer_id), dealer_id)
    return _books.keep(key, found) if epoch else found


def _book(resource: type[Resource], dealer_id: int | None) -> Book:
    made = Book()
    own = list(_fields(resource))
    for group, spec in own:
        _put(made, Place(spec.label, group, spec), spec.name)
    for _, spec in own:
        if spec.kind != "ref" or not has_resource(spec.target) or not resource_of(spec.target).detail:
            continue
        for _, further in _fields(faced(resource_of(spec.target), dealer_id)):
            token = f"{spec.label}.{further.label}"
            _put(made, Place(token, spec.label, further, spec), f"{spec.name}.{further.name}")
    for part in resource.detail:
        if isinstance(part, Related):
            child = faced(resource_of(part.by.class_), dealer_id)
            made.tables.setdefault(part.label or child.label, _rows(part, child))
    return made


def _put(made: Book, place: Place, name: str) -> None:
    """A field whose words are those of another, or would be read as something else, goes by its name."""
    free = place.token not in made.places and not _MEANS.search(place.token)
    token = place.token if free else name
    made.places.setdefault(token, Place(token, place.group, place.spec, place.via))
    made.by_name.setdefault(name, made.places[token])


def _rows(part: Related, child: type[Resource]) -> Rows:
    columns: dict[str, FieldSpec] = {}
    for _, spec in _fields(child):
        if spec.attribute is not None and spec.name != part.by.key:
            free = (
                spec.label not in columns and not _MEANS.search(spec.label) and not _NEXT.search(spec.label)
            )
            columns[spec.label if free else spec.name] = spec
    shown = {describe(source).name for source in part.columns or child.columns}
    usual = tuple(name for name, spec in columns.items() if spec.name in shown)
    return Rows(part.label or child.label, part, columns, usual)


def _fields(resource: type[Resource]) -> Iterator[tuple[str, FieldSpec]]:
    """The fields that its page and its list show, each once, with the part of the page it stands in. What is
    only shown by its own, logged action is not among them."""
    groups = [(g.title, f) for g in resource.detail if isinstance(g, Group) for f in g.fields]
    beside = (resource.title, resource.code, resource.tags, *resource.facts, *resource.columns)
    rest = [("其他", f) for f in (*beside, *resource.more_columns) if f is not None]
    seen = set()
    for title, source in (*groups, *rest):
        spec = describe(source)
        read = spec.attribute is not None or spec.links is not None or spec.values is not None
        logged = spec.guard is not None and spec.guard.logged
        if read and not logged and spec.kind not in _LEFT_OUT and spec.name not in seen:
            seen.add(spec.name)
            yield title, spec


# ----- reading a text


def pieces(text: str) -> tuple[Piece, ...]:
    """The text and the placeholders in it, in order."""
    found: list[Piece] = []
    at = 0
    for mark in MARK.finditer(text):
        if mark.start() > at:
            found.append(text[at : mark.start()])
        found.append(Slot(mark.group(1).strip()))
        at = mark.end()
    if at < len(text):
        found.append(text[at:])
    return tuple(found)


def lines(text: str) -> list[Line]:
    """The lines of a sheet. ``#`` begins a title and ``##`` a heading, ``|`` parts cells, ``---`` is a rule, and
    ``{{tab：column、column}}`` alone in a line is a table."""
    return [_line(raw.strip(), number) for number, raw in enumerate(text.splitlines(), 1)]


def _line(raw: str, number: int) -> Line:
    table = _TABLE.fullmatch(raw)
    if table is not None:
        names = tuple(part.strip() for part in _NEXT.split(table.group(2)) if part.strip())
        return Line(Kind.TABLE, number, table=table.group(1).strip(), columns=names)
    if not raw:
        return Line(Kind.GAP, number)
    if len(raw) > 2 and not raw.strip("-"):
        return Line(Kind.RULE, number)
    for prefix, kind in (("##", Kind.HEADING), ("#", Kind.TITLE)):
        if raw.startswith(prefix):
            return Line(kind, number, (pieces(raw.removeprefix(prefix).strip()),))
    cells = _cells(raw)
    return Line(Kind.CELLS if len(cells) > 1 else Kind.LINE, number, cells)


def _cells(raw: str) -> tuple[tuple[Piece, ...], ...]:
    return tuple(pieces(part.strip()) for part in _BAR.split(raw))


def named(text: str) -> list[str]:
    """The names of all placeholders, tables left out."""
    return [slot.name for line in lines(text) for slot in line.slots]


# ----- what is wrong with one


def wrong(text: str, known: Book, *, sheet: bool) -> list[str]:
    """What is wrong with a text, in sentences that name the line, the first `MOST_SAID` of them. Only a ``sheet``
    has tables."""
    return list(islice(_wrong(text, known, sheet), MOST_SAID))


def _wrong(text: str, known: Book, sheet: bool) -> Iterator[str]:
    for number, raw in enumerate(text.splitlines(), 1):
        for said in _wrong_line(_line(raw.strip(), number), raw, known, sheet):
            yield f"第{number}行：{said}"


def _wrong_line(line: Line, raw: str, known: Book, sheet: bool) -> Iterator[str]:
    stray = STRAY.search(MARK.sub("", raw))
    if stray is not None:
        yield f"“{stray.group()}”没有成对，占位符写作 {{{{客户姓名}}}}"
    elif line.kind is Kind.TABLE:
        yield from _wrong_table(line, known, sheet)
    else:
        for name in (slot.name for slot in line.slots):
            if re.search("[:：]", name):
                yield f"表格“{{{{{_short(name)}}}}}”要单独占一行" if sheet else "这里不能放表格"
            elif name not in COMMON and known.find(name) is None:
                yield unknown(name, known.near(name))


def _wrong_table(line: Line, known: Book, sheet: bool) -> Iterator[str]:
    if not sheet:
        yield "这里不能放表格"
        return
    rows = known.tables.get(line.table)
    if rows is None:
        yield unknown(line.table, list(known.tables), "表格")
        return
    for name in line.columns:
        if name not in rows.columns:
            near = get_close_matches(name, rows.columns, _NEAREST, 0.3) or list(rows.usual[:_NEAREST])
            yield unknown(name, near, f"“{line.table}”的列")


def unknown(name: str, near: Sequence[str], what: str = "") -> str:
    """The sentence for a name that names nothing, with those that come closest."""
    said = f"没有{what}“{_short(name)}”" if name else "占位符是空的"
    return f"{said}，可以用：{'、'.join(near)}" if near else f"{said}，请从占位符列表中选择"


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:20]}…"


# ----- short messages

ALONE, IN_PARTS = 70, 67
"""So many characters one short message holds, and each part of a longer one."""


def segments(text: str) -> tuple[int, int]:
    """How many characters a short message has, as networks count them, and as how many it is billed."""
    amount = len(text.encode("utf-16-be")) // 2
    return amount, 1 if amount <= ALONE else -(-amount // IN_PARTS)
