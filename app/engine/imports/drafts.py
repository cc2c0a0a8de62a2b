"""A line of a file as the form would submit it: every cell read by its field, every fault in a sentence.

Fields with few different contents remember what they have read, so that a name is looked up once per file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from app.engine import conditional, forms, linked_lists
from app.engine.fields import FieldSpec, normalise_phone
from app.engine.imports import naming
from app.engine.imports.naming import Place, Unclear, quoted
from app.engine.imports.tables import Verdict
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor

SEPARATORS = "、，,；;|/\n"
"""Between several values in one cell."""
_NUMBER = re.compile(r"1\d{10}", re.ASCII)
_AS_NUMBER = re.compile(r"(\d{11})\.0*")  # how a table keeps a phone as a number
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_NOT_TEXT = "电话号码已被电子表格改成科学计数，请将该列设为文本后重新填写"
_TRUE, _FALSE = (
    frozenset({"是", "1", "true", "TRUE", "True", "√", "有"}),
    frozenset({"否", "0", "false", "FALSE", "False", "无"}),
)
_REMEMBERED = 20_000
_GUESSED = 200
"""For so many unknown names of a column it is looked for what could be meant; a file with more has others there."""


@dataclass(slots=True)
class Draft:
    """One line: its row number, what its cells hold, what is wrong with it, and what becomes of it.

    ``target`` is the record that is there already; ``place`` whose record the line makes.
    """

    number: int
    values: dict[str, Any]
    place: Place
    errors: dict[str, str] = field(default_factory=dict)
    verdict: Verdict = Verdict.NEW
    reason: str = ""
    target: int | None = None

    @property
    def good(self) -> bool:
        """Whether it is to be filed."""
        return self.verdict in (Verdict.NEW, Verdict.UPDATED, Verdict.ABSORBED)

    def refuse(self, verdict: Verdict, reason: str) -> None:
        """It is not brought in."""
        self.verdict, self.reason = verdict, reason


class _Bad:
    """A cell that cannot be read, and why."""

    __slots__ = ("words",)

    def __init__(self, words: str) -> None:
        self.words = words


_Read = Callable[[str, Place, str], Any]
"""Reads a cell of a line of that place; the text of the pick list above it says what may stand in it."""


class Column:
    """One column of the file and how its cells become values."""

    __slots__ = ("above", "known", "place", "read", "spec")

    def __init__(self, place: int, spec: FieldSpec, read: _Read, *, remembers: bool) -> None:
        self.place, self.spec, self.read = place, spec, read
        self.above = -1
        self.known: dict[Any, Any] | None = {} if remembers else None

    def value(self, text: str, where: Place, cells: Sequence[str]) -> Any:
        """What the cell holds, or a `_Bad`."""
        known = self.known
        if known is None:
            return self._fresh(text, where, "")
        above = cells[self.above].strip() if 0 <= self.above < len(cells) else ""
        key = (text, where, above)
        if key in known:
            return known[key]
        if len(known) > _REMEMBERED:
            known.clear()
        found = known[key] = self._fresh(text, where, above)
        return found

    def _fresh(self, text: str, where: Place, above: str) -> Any:
        try:
            return self.read(text, where, above)
        except Unclear as unclear:
            return _Bad(str(unclear))
        except forms.Wrong as wrong:
            return _Bad(about(self.spec, text, wrong.message))


class Parser:
    """Reads the lines of one file for one person. ``partial`` leaves out what the file says nothing of."""

    def __init__(
        self,
        session: Session,
        resource: type[Resource],
        columns: Sequence[FieldSpec | None],
        actor: Actor,
        presets: Mapping[str, Any],
        now: Any,
        *,
        partial: bool = False,
    ) -> None:
        self.session, self.resource, self.actor, self.now = session, resource, actor, now
        self.presets, self.partial = dict(presets), partial
        self.home = Place(actor.dealer_id, actor.store_id)
        self.width = len(columns)
        given = [(n, spec) for n, spec in enumerate(columns) if spec is not None]
        self.columns = [self._column(n, spec) for n, spec in given]
        self.specs = {c.spec.name: c.spec for c in self.columns}
        places = {c.spec.name: c.place for c in self.columns}
        for column in self.columns:
            column.above = places.get(column.spec.parent, -1)
        store = resource.scopes.store
        self.storing = next(
            (c for c in self.columns if store is not None and c.spec.attribute is store), None
        )
        specs = forms.asked(forms.editable(resource, editing=False), actor)
        self.needed = [s for s in specs if s.required or s.needed_when]
        self.closing = [s for s in specs if s.shown_when or s.opens_when]
        self.linked = self._linked()
        self.reconciled: dict[Any, tuple[dict[str, Any], dict[str, str]]] = {}
        self.contexts: dict[int | None, forms.Context] = {}

    def draft(self, number: int, cells: Sequence[str]) -> Draft:
        """The line, read."""
        where = self._where(cells)
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        length = len(cells)
        for column in self.columns:
            text = cells[column.place].strip() if column.place < length else ""
            name = column.spec.name
            if not text:
                if not self.partial:
                    values.setdefault(name, self.presets.get(name, self._empty(column.spec)))
                continue
            value = column.value(text, where, cells)
            if value.__class__ is _Bad:
                errors[name] = value.words
                values[name] = None
            else:
                values[name] = value
        for name, value in self.presets.items():
            values.setdefault(name, value)
        if length > self.width and any(c.strip() for c in cells[self.width :]):
            errors["cells"] = f"内容多于表头：共 {length} 列，表头只有 {self.width} 列"
        if not self.partial:
            self._like_the_form(values, errors)
        if self.linked:
            self._reconcile(values, errors, where)
        found = Draft(number, values, where, errors)
        if errors:
            found.refuse(Verdict.WRONG, "；".join(errors.values()))
        return found

    def _like_the_form(self, values: dict[str, Any], errors: dict[str, str]) -> None:
        """Empty what the other values close, and ask for what they need."""
        held = forms.holding(values, {}, None)
        for spec in self.closing:
            if not conditional.applies(spec, held):
                errors.pop(spec.name, None)
                values[spec.name] = self._empty(spec)
        for spec in self.needed:
            empty = values.get(spec.name) in (None, "", []) and spec.name not in errors
            if empty and conditional.needed(spec, held) and conditional.applies(spec, held):
                errors[spec.name] = about(spec, "", spec.ask)

    # ----- where a line belongs

    def _where(self, cells: Sequence[str]) -> Place:
        """Whose line it is: the store's that it names."""
        column = self.storing
        if column is None or column.place >= len(cells):
            return self.home
        text = cells[column.place].strip()
        if not text:
            return self.home
        found = column.value(text, self.home, cells)
        return self._place_of(found) if isinstance(found, int) else self.home

    def _place_of(self, store_id: int) -> Place:
        known = self._places.get(store_id)
        if known is None:
            target = resource_of(self.storing.spec.target)  # type: ignore[union-attr]
            store = self.session.get(target.model, store_id)
            known = self._places[store_id] = Place(getattr(store, "dealer_id", None), store_id)
        return known

    @property
    def _places(self) -> dict[int, Place]:
        found: dict[int, Place] = self.__dict__.setdefault("_place_of_store", {})
        return found

    # ----- linked lists

    def _linked(self) -> list[FieldSpec]:
        """The pick lists of the file that stand in some other one's: their values are looked at together."""
        specs = {**{s.name: s for s in forms.editable(self.resource, editing=False)}, **self.specs}
        children = [s for s in specs.values() if s.parent in specs and s.kind == "choice"]
        names = {n for s in children for n in (s.name, s.parent)}
        return [s for s in specs.values() if s.name in names] if names & set(self.specs) else []

    def _reconcile(self, values: dict[str, Any], errors: dict[str, str], where: Place) -> None:
        names = [s.name for s in self.linked]
        key = (where.dealer_id, *(values.get(n) for n in names), *(n in errors for n in names))
        known = self.reconciled.get(key)
        if known is None:
            own = {n: values.get(n) for n in names if n in values or not self.partial}
            wrong = {n for n in names if n in errors}
            found = linked_lists.reconcile(self.linked, own, wrong, None, where.dealer_id)
            if len(self.reconciled) > _REMEMBERED:
                self.reconciled.clear()
            known = self.reconciled[key] = (own, found)
        values |= known[0]
        for name, words in known[1].items():
            spec = next(s for s in self.linked if s.name == name)
            if spec.parent not in errors:
                errors[name] = self._sibling(spec, values, words, where)

    def _sibling(self, spec: FieldSpec, values: Mapping[str, Any], words: str, where: Place) -> str:
        """The sentence with what stands there and what could stand there instead."""
        entries = [
            e for e in spec.entries(where.dealer_id) if e.active and e.parent == values.get(spec.parent)
        ]
        label = next((e.label for e in spec.entries(where.dealer_id) if e.value == values[spec.name]), "")
        more = f"，{naming.permitted(entries, '')}" if entries else ""
        return f"{quoted(spec, label)}：{words}{more}"

    # ----- cells

    def _empty(self, spec: FieldSpec) -> Any:
        if spec.multiple:
            return []
        if spec.kind == "bool":
            return bool(spec.default)
        nullable = spec.attribute is None or spec.attribute.property.columns[0].nullable
        return None if nullable or spec.kind not in ("text", "textarea") else ""

    def _context(self, where: Place) -> forms.Context:
        """The form's own context for a line of that dealer."""
        known = self.contexts.get(where.dealer_id)
        if known is None:
            actor = replace(self.actor, dealer_id=where.dealer_id)
            known = self.contexts[where.dealer_id] = forms.Context(self.session, actor, self.now)
        return known

    def _column(self, place: int, spec: FieldSpec) -> Column:
        if spec.target is not None:
            return Column(place, spec, self._reference(spec), remembers=True)
        if spec.kind in ("choice", "choices"):
            return Column(place, spec, self._choice(spec), remembers=True)
        if spec.kind in ("phone", "phones"):
            return Column(place, spec, self._phone(spec), remembers=False)
        if spec.kind == "bool":
            return Column(place, spec, _bool, remembers=True)
        if spec.kind in ("text", "textarea"):
            return Column(place, spec, self._text(spec), remembers=False)
        return Column(
            place,
            spec,
            lambda text, where, _above: forms.single(spec, [text], self._context(where)),
            remembers=True,
        )

    def _reference(self, spec: FieldSpec) -> _Read:
        unknown = 0

        def one(text: str, where: Place) -> int:
            nonlocal unknown
            try:
                return naming.find(self.session, spec, text, self.actor, where, guessing=unknown < _GUESSED)
            except Unclear:
                unknown += 1
                raise

        def read(text: str, where: Place, _above: str) -> Any:
            parts = list(_several(text)) if spec.multiple else [text]
            found = [one(part, where) for part in parts if part]
            return list(dict.fromkeys(found)) if spec.multiple else found[0]

        return read

    def _choice(self, spec: FieldSpec) -> _Read:
        def read(text: str, where: Place, above: str) -> Any:
            parts = list(_several(text)) if spec.multiple else [text]
            for part in parts:
                naming.choice(spec, part, where.dealer_id, above)
            return forms.single(spec, parts, self._context(where))

        return read

    def _phone(self, spec: FieldSpec) -> _Read:
        single = spec.kind == "phone"

        def read(text: str, where: Place, _above: str) -> Any:
            if single and _NUMBER.fullmatch(text):
                return text
            parts = [_plain_phone(t) for t in ([text] if single else _several(text))]
            parts = [p for p in parts if p]
            if any(_SCIENTIFIC.fullmatch(p) for p in parts):
                raise Unclear(f"{quoted(spec, '、'.join(parts))}：{_NOT_TEXT}")
            return forms.single(spec, parts, self._context(where))

        return read

    def _text(self, spec: FieldSpec) -> _Read:
        limit = spec.maxlength or 0

        def read(text: str, where: Place, _above: str) -> Any:
            if 0 < len(text) <= limit and text.isprintable() and "  " not in text and "\u3000" not in text:
                return text
            return forms.single(spec, [text], self._context(where))

        return read


def about(spec: FieldSpec, text: str, words: str) -> str:
    """What is wrong with a cell, with what stands in it where that can be read."""
    visible = "".join(c for c in text if c.isprintable()).strip()
    if not visible or len(text) > naming.CELL:
        return words if spec.label in words else f"{spec.label}：{words}"
    return f"{quoted(spec, text)}：{words}"


def _bool(text: str, _where: Place, _above: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise forms.Wrong("可填 是、否")


def _several(cell: str) -> Iterator[str]:
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    return (part.strip() for part in cell.split(SEPARATORS[0]) if part.strip())


def _plain_phone(text: str) -> str:
    """The number without what marked it as text or as a number of a table, and without what nobody sees."""
    text = "".join(c for c in text if c.isprintable()).strip().lstrip("'’‘`")
    number = _AS_NUMBER.fullmatch(normalise_phone(text))
    return number.group(1) if number else text
