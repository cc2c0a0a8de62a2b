"""Conditions and columns of a list as files hold them: added fields by what they are called, records by name.

In an address a field that administrators added is called by its slot and a record by its number; in another
installation both mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.engine.configured.values import Names, said
from app.engine.database import id_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Group, Resource, fields_of, filtered, resource
from app.engine.slots import SLOTS
from app.engine.typed import Wrong

_NAME = re.compile(r"(\[.*\]|[A-Za-z0-9_]+?)(__text)?(\.\w+)?")
_RECORD = "record"
Args = Mapping[str, Sequence[str]]
Condition = dict[str, Any]


class Portable:
    """One list as the people of an owner have it, and how it is spoken of elsewhere."""

    def __init__(self, name: str, names: Names) -> None:
        found = resource(name)
        if found is None:
            raise Wrong(f"本系统中没有列表“{name[:40]}”")
        self.names = names
        self.resource: type[Resource] = faced(found, names.owner)
        self.fields = _fields(self.resource)
        self.added = {s.label: s.name for s in self.fields.values() if s.name in SLOTS}

    # ----- out

    def name_out(self, name: str) -> str | None:
        """A field's name in a file; None for an added one that is no more."""
        stem, rest = _parts(name)
        if stem not in SLOTS:
            return name
        spec = self.fields.get(stem)
        return f"[{spec.label}]{rest}" if spec is not None else None

    def names_out(self, listed: Sequence[str]) -> list[str]:
        """The same of several; what is no more is left out."""
        return [n for one in listed if (n := self.name_out(one)) is not None]

    def args_out(self, args: Args) -> list[Condition]:
        """The parameters of an address, in the order of their names."""
        found = []
        for name, given in args.items():
            said_name = self.name_out(name)
            if said_name is not None:
                found.append({"field": said_name, "values": [self._value_out(name, v) for v in given]})
        return sorted(found, key=lambda c: str(c["field"]))

    def _value_out(self, name: str, value: str) -> Any:
        spec = self._target(name)
        number = id_of(value) if spec is not None else None
        return {_RECORD: self.names.of(spec.target, number)} if spec is not None and number else value

    # ----- in

    def name_in(self, name: Any) -> str:
        """The name of a field here; raises `Wrong` for an added one that is not there."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Wrong("字段的名称格式不正确")
        stem, rest = _parts(name)
        if not stem.startswith("["):
            if stem in SLOTS:
                raise Wrong(f"自定义字段应写作 [字段名称]，不能写作 {stem}")
            return name
        if stem[1:-1] not in self.added:
            raise Wrong(f"{self.resource.label}没有自定义字段“{stem[1:-1]}”")
        return self.added[stem[1:-1]] + rest

    def names_in(self, listed: Any) -> list[str]:
        """The same of several."""
        if not isinstance(listed, list):
            raise Wrong("格式不正确")
        return [self.name_in(one) for one in listed]

    def args_in(self, listed: Any) -> dict[str, list[str]]:
        """The parameters of an address out of a file; raises `Wrong`."""
        found: dict[str, list[str]] = {}
        if not isinstance(listed, list):
            raise Wrong("条件的格式不正确")
        for one in listed:
            if not isinstance(one, Mapping) or set(one) != {"field", "values"}:
                raise Wrong("条件应为 field 与 values 两项")
            name, given = self.name_in(one["field"]), one["values"]
            if not isinstance(given, list) or name in found:
                raise Wrong("条件的格式不正确")
            found[name] = [self._value_in(name, v) for v in given]
        return found

    def _value_in(self, name: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        spec = self._target(name)
        if spec is None or not isinstance(value, Mapping) or set(value) != {_RECORD}:
            raise Wrong("条件的值格式不正确")
        found = self.names.find(spec.target, value[_RECORD])
        if found is None:
            raise Wrong(f"条件中“{spec.label}”的“{said(value[_RECORD])}”在本系统中不存在")
        return str(found)

    def _target(self, name: str) -> FieldSpec | None:
        stem, rest = _parts(name)
        spec = self.fields.get(stem)
        return spec if spec is not None and spec.target is not None and "__text" not in rest else None


def _parts(name: str) -> tuple[str, str]:
    found = _NAME.fullmatch(name)
    if found is None:
        return name, ""
    return found[1], (found[2] or "") + (found[3] or "")


def _fields(found: type[Resource]) -> dict[str, FieldSpec]:
    """Every field a list shows, is filtered by or sorted by, by name."""
    shown = fields_of(tuple(g for g in found.detail if isinstance(g, Group)))
    listed = (*map(filtered, found.filters), *found.columns, *found.more_columns, *found.sorts)
    return {s.name: s for s in (*shown, *map(describe, listed), *found.added)}
