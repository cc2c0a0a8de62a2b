"""Conditions and fields of a list as files hold them: added fields by what they are called, records by name.

Where they are kept a field that administrators added is called by its slot and a record by its number; in another
installation both mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.engine import conditions, forms
from app.engine.actions import Invalid
from app.engine.configured.values import Coder, Names, coders, said
from app.engine.configuring import Kind, Spoken
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


class Fields:
    """The fields of something as the people of an owner have it, and what added ones are called elsewhere."""

    def __init__(self, label: str, fields: Mapping[str, FieldSpec]) -> None:
        self.label = label
        self.fields = fields
        self.added = {s.label: s.name for s in fields.values() if _is_added(s.name)}

    def name_out(self, name: str) -> str | None:
        """A field's name in a file; None for an added one that is no more."""
        if name not in SLOTS and name in self.fields and _is_added(name):
            return f"[{self.fields[name].label}]"
        stem, rest = _parts(name)
        if stem not in SLOTS:
            return name
        spec = self.fields.get(stem)
        return f"[{spec.label}]{rest}" if spec is not None else None

    def names_out(self, listed: Sequence[str]) -> list[str]:
        """The same of several; what is no more is left out."""
        return [n for one in listed if (n := self.name_out(one)) is not None]

    def name_in(self, name: Any) -> str:
        """The name of a field here; raises `Wrong` for an added one that is not there."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Wrong("字段的名称格式不正确")
        stem, rest = _parts(name)
        if not stem.startswith("["):
            if stem in SLOTS or _is_added(name):
                raise Wrong(f"自定义字段应写作 [字段名称]，不能写作 {name}")
            return name
        if stem[1:-1] not in self.added:
            raise Wrong(f"{self.label}没有自定义字段“{stem[1:-1]}”")
        return self.added[stem[1:-1]] + rest

    def names_in(self, listed: Any) -> list[str]:
        """The same of several."""
        if not isinstance(listed, list):
            raise Wrong("格式不正确")
        return [self.name_in(one) for one in listed]


class Portable(Fields):
    """One list as the people of an owner have it, and how it is spoken of elsewhere."""

    def __init__(self, name: str, names: Names) -> None:
        found = resource(name)
        if found is None:
            raise Wrong(f"本系统中没有列表“{name[:40]}”")
        self.names = names
        self.resource: type[Resource] = faced(found, names.owner)
        super().__init__(found.label, _fields(self.resource))

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


def _is_added(name: str) -> bool:
    """Whether it is an added field, or what is filled in this time for one (``asked.num_1``)."""
    return name.rpartition(".")[2] in SLOTS


def stem(name: str) -> str:
    """The field that a parameter of an address is about."""
    return _parts(name)[0]


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


# ----- columns that name fields


def field_of(column: str) -> Spoken:
    """That a column names one field of the list that another ``column`` says."""
    return Spoken(_field_out, _field_in, column)


def _field_out(value: Any, of: str, names: Names) -> Any:
    return Portable(of, names).name_out(str(value)) or value


def _field_in(value: Any, of: str, names: Names) -> Any:
    return Portable(of, names).name_in(value)


def told(kind: Kind, flat: Mapping[str, Any], names: Names, record: Any = None) -> dict[str, Any]:
    """The same of an entry as a file says it; what cannot be said elsewhere stays as it is."""
    found = dict(flat)
    for name, spoken, of in _spoken(kind, flat, record):
        found[name] = spoken.out(found[name], of, names)
    return found


def heard(kind: Kind, given: Mapping[str, Any], names: Names, record: Any = None) -> dict[str, Any]:
    """What a file says of an entry as it is said here; raises `Invalid`."""
    found, errors = dict(given), {}
    for name, spoken, of in _spoken(kind, given, record):
        try:
            found[name] = spoken.into(found[name], of, names)
        except Wrong as wrong:
            errors[name] = wrong.message
    if errors:
        raise Invalid(errors)
    return found


def _spoken(kind: Kind, flat: Mapping[str, Any], record: Any) -> Iterator[tuple[str, Spoken, str]]:
    """What there is to be said otherwise, and of which list; what is said of a list that is not there, the rules
    of the entry refuse."""
    for name, spoken in kind.spoken.items():
        of = str(flat.get(spoken.of) or getattr(record, spoken.of, "")) if spoken.of else ""
        if flat.get(name) is not None and (not spoken.of or resource(of) is not None):
            yield name, spoken, of


# ----- conditions that are kept


def _asked(found: Any, names: Names) -> Fields:
    label = getattr(found, "resource", found).label  # a deed is about the records of a resource
    return Fields(label, conditions.fields(conditions.face_of(found, names.owner)))


def _condition_out(value: Any, names: Names) -> Any:
    found = conditions.subject(str(value.get("of"))) if isinstance(value, Mapping) else None
    if found is None:
        return value
    place = _asked(found, names)

    def name(one: str) -> str:
        return place.name_out(one) or one

    where = _tree(place, value.get("where"), name, lambda spec, number: names.of(spec.target, number))
    return {"of": found.name, "where": where}


def _condition_in(_spec: FieldSpec, value: Any, context: forms.Context, names: Names) -> Any:
    found = conditions.subject(str(value.get("of"))) if isinstance(value, Mapping) else None
    if found is None:
        raise Wrong("条件没有指明对象")
    place = _asked(found, names)

    def number(spec: FieldSpec, name: Any) -> int:
        known = names.find(spec.target, name)
        if known is None:
            raise Wrong(f"条件中“{spec.label}”的“{said(name)}”在本系统中不存在")
        return known

    stored = {"of": found.name, "where": _tree(place, value.get("where"), place.name_in, number)}
    return conditions.from_json(stored, actor=context.actor, session=context.session).to_json()


def _tree(
    place: Fields, node: Any, name: Callable[[str], str], change: Callable[[FieldSpec, Any], Any]
) -> Any:
    """The same tree with its fields and references changed; what does not look like a condition stays as it is,
    because reading it says what is wrong."""
    if not isinstance(node, Mapping):
        return node
    for word in ("all", "any"):
        if isinstance(node.get(word), list):
            return {word: [_tree(place, part, name, change) for part in node[word]]}
    if "not" in node:
        return {"not": _tree(place, node["not"], name, change)}
    kept = {n: v for n, v in node.items() if n != "named"}
    if not isinstance(node.get("field"), str):
        return kept
    kept["field"] = name(node["field"])
    spec = place.fields.get(kept["field"]) or place.fields.get(node["field"])
    if spec is not None and spec.target is not None and "value" in node:
        values = node["value"] if isinstance(node["value"], list) else [node["value"]]
        kept["value"] = [change(spec, v) for v in values]
    return kept


CONDITION = Coder(_condition_out, _condition_in, names=True)
coders["condition"] = CONDITION
