"""Texts of templates as files hold them: an added field that a text calls by its slot stands there by its name.

Most placeholders are words and mean the same everywhere. A field whose own words would be read as something else is
called by its slot, which is another field elsewhere: ``{{text_1}}`` is ``{{[名称]}}`` in a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from app.engine import templating
from app.engine.configured.values import Names
from app.engine.configuring import Named, Naming, Spoken
from app.engine.fields import FieldSpec
from app.engine.resource import Resource, resource, resource_of
from app.engine.slots import SLOTS
from app.engine.typed import Wrong
from models.shaping.template_tables import Template

_MARK = re.compile(r"\{\{((?:\[[^\[\]]*\]|[^{}\[\]])*)\}\}")
_FIELD = re.compile(r"(?P<before>\s*(?:[^.·．:：\[\]]*[.·．])?)(?P<name>\[[^\[\]]*\]|\w+)(?P<after>\s*)")
_TABLE = re.compile(r"(?P<tab>[^:：\[\]]+)(?P<means>[:：])(?P<columns>.*)")
_COLUMN = re.compile(r"(?P<before>\s*)(?P<name>\[[^\[\]]*\]|[^、，,\s\[\]]+)")

Change = Callable[[str, Callable[[], list[FieldSpec]]], str]
"""A name, and the added fields that may be meant by it, to the name that is wanted."""


class _Places:
    """The added fields that texts of an owner about these records may name; worked out when one does."""

    def __init__(self, about: type[Resource], owner: int | None) -> None:
        self._about, self._owner = about, owner
        self._book: templating.Book | None = None

    @property
    def book(self) -> templating.Book:
        """All that may be named."""
        if self._book is None:
            self._book = templating.book(self._about, self._owner)
        return self._book

    def fields(self, before: str) -> list[FieldSpec]:
        """Those of the record, or of what the reference before the dot leads to."""
        way = before.strip(" \t.·．")
        places = self.book.by_name.values()
        return _added(p.spec for p in places if way == (p.via.name if p.via is not None else ""))

    def columns(self, tab: str) -> list[FieldSpec]:
        """Those of a table."""
        rows = self.book.tables.get(tab.strip())
        return _added(rows.columns.values() if rows is not None else ())


def _added(specs: Any) -> list[FieldSpec]:
    return [s for s in specs if s.name in SLOTS]


def _out(name: str, known: Callable[[], list[FieldSpec]]) -> str:
    if name not in SLOTS:
        return name
    return next((f"[{s.label}]" for s in known() if s.name == name), name)


def _into(name: str, known: Callable[[], list[FieldSpec]]) -> str:
    if name in SLOTS:
        raise Wrong(f"自定义字段应写作 [字段名称]，不能写作 {name}")
    if not name.startswith("["):
        return name
    found = next((s.name for s in known() if s.label == name[1:-1]), None)
    if found is None:
        raise Wrong(f"没有自定义字段“{name[1:-1][:40]}”")
    return found


def _renamed(change: Change, text: Any, of: str, names: Names) -> Any:
    if not isinstance(text, str):
        return text  # whoever reads it says so
    about = resource(of)
    assert about is not None
    places = _Places(about, names.owner)

    def one(mark: re.Match[str]) -> str:
        inside = mark[1]
        field = _FIELD.fullmatch(inside)
        if field is not None:
            name = change(field["name"], lambda: places.fields(field["before"]))
            return f"{{{{{field['before']}{name}{field['after']}}}}}"
        table = _TABLE.fullmatch(inside)
        if table is None:
            return mark[0]

        def column(found: re.Match[str]) -> str:
            return found["before"] + change(found["name"], lambda: places.columns(table["tab"]))

        return f"{{{{{table['tab']}{table['means']}{_COLUMN.sub(column, table['columns'])}}}}}"

    return _MARK.sub(one, text)


SPOKEN = dict.fromkeys(
    (c.key for c in (Template.head, Template.body, Template.foot)),
    Spoken(partial(_renamed, _out), partial(_renamed, _into), Template.resource.key),
)


def _named(row: Template, text: Any) -> Iterator[Named]:
    """The added fields in a text, of the record, of what it refers to and of its tables."""
    about = resource(row.resource)
    if about is None:
        return
    book = templating.book(about, row.dealer_id)
    for line in templating.lines(text):
        found = [p.spec for slot in line.slots if (p := book.find(slot.name)) is not None]
        rows = book.tables.get(line.table)
        if rows is not None:
            found += [rows.columns[name] for name in line.columns if name in rows.columns]
        for spec in _added(found):
            yield Named(resource_of(spec.attribute.class_).name, spec.name)


NAMES = dict.fromkeys(SPOKEN, Naming(_named, words=True))
