"""Values of entries as files hold them: plain JSON, references by name rather than by number."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import JSON, select
from sqlalchemy.orm import Session

from app.engine import drawing, forms, serial
from app.engine.actions import Invalid, Refusal
from app.engine.configuring import FOR_ALL, SECRET, Kind, kind_of, name_of
from app.engine.fields import FieldSpec
from app.engine.resource import fields_of, resource_of
from app.engine.scopes import Actor, visible
from app.engine.typed import Wrong

GROUP = "group"
OF = "of"
"""In the name of an entry: that it is one of the group's, seen from a dealer's."""


@dataclass(frozen=True)
class Coder:
    """How values of one kind of field look in a file and are checked, where a form has them typed in words.
    With ``names`` there are references in them."""

    write: Callable[[Any, Names], Any]
    read: Callable[[FieldSpec, Any, forms.Context, Names], Any]
    names: bool = False


coders: dict[str, Coder] = {}
"""By kind of field."""


@dataclass
class Names:
    """References of one owner's entries, to names and back."""

    session: Session
    actor: Actor
    owner: int | None
    _known: dict[tuple[Any, int], Any] = field(default_factory=dict)

    def of(self, model: Any, record_id: int) -> Any:
        """The name of a record in a file; ``#number`` for one that is gone."""
        place = (model, record_id)
        if place not in self._known:
            self._known[place] = self._name(model, record_id)
        return self._known[place]

    def _name(self, model: Any, record_id: int) -> Any:
        spec = name_of(model)
        if spec is not None:
            found = self.session.scalar(select(spec.attribute).where(model.id == record_id))
            return f"#{record_id}" if found is None else plain(found)
        kind, record = kind_of(model), self.session.get(model, record_id)
        if kind is None or record is None:
            return f"#{record_id}"
        named = {n: v for n, v in _identity(kind, record, self).items() if v is not None}
        owner = getattr(record, kind.owner.key)
        return named | ({OF: GROUP} if owner is None and self.owner is not None else {})

    def find(self, model: Any, name: Any) -> int | None:
        """The record of that name within the owner's reach: its own before the group's; None for none."""
        spec, shown = name_of(model), resource_of(model)
        dealer = shown.scopes.dealer
        near = [dealer.is_(None)] if dealer is not None else []
        if dealer is not None and self.owner is not None and not _of_group(name):
            near = [dealer == self.owner, dealer.is_(None)]
        for place in near or [True]:
            statement = select(model).where(visible(shown, self.actor), place).order_by(model.id)
            if spec is not None:
                statement = statement.where(spec.attribute == name)
            for record in self.session.scalars(statement, self.actor.params):
                if spec is not None or self._is_called(model, record, name):
                    return int(record.id)
        return None

    def _is_called(self, model: Any, record: Any, name: Any) -> bool:
        kind = kind_of(model)
        if kind is None or not isinstance(name, Mapping):
            return False
        own = _identity(kind, record, self)
        return {n: v for n, v in own.items() if v is not None} == {n: v for n, v in name.items() if n != OF}


def _of_group(name: Any) -> bool:
    return isinstance(name, Mapping) and name.get(OF) == GROUP


def flat_of(kind: Kind, record: Any, names: Names) -> dict[str, Any]:
    """The columns and links of a record as a file holds them."""
    return _flat((*_naming(kind), *kind.content), record, names)


def _identity(kind: Kind, record: Any, names: Names) -> dict[str, Any]:
    return kind.identity(_flat(_naming(kind), record, names))


def _naming(kind: Kind) -> Sequence[FieldSpec]:
    return (*kind.key, *([kind.code] if kind.code is not None else []))


def _flat(specs: Sequence[FieldSpec], record: Any, names: Names) -> dict[str, Any]:
    return {s.name: written(s, _stored(s, record, names.session), names) for s in specs}


def _stored(spec: FieldSpec, record: Any, session: Session) -> Any:
    return getattr(record, spec.name) if spec.links is None else linked(session, spec, record.id)


def linked(session: Session, spec: FieldSpec, record_id: int) -> list[int]:
    """The records that one is linked to by that field."""
    links = spec.links
    assert links is not None
    return list(session.scalars(select(links.right).where(links.left == record_id).order_by(links.right)))


def written(spec: FieldSpec, value: Any, names: Names) -> Any:
    """A stored value as a file holds it."""
    if value is None:
        return None
    if spec.links is not None:
        return sorted((names.of(spec.target, int(v)) for v in value), key=token)
    if spec.target is not None:
        return names.of(spec.target, value)
    if spec.kind in coders:
        return coders[spec.kind].write(value, names)
    return plain(value)


def plain(value: Any) -> Any:
    """A value in JSON; what is called like a secret inside of it is left out."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(n): plain(v) for n, v in value.items() if not SECRET.search(str(n))}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value


def holds_secret(value: Any) -> bool:
    """Whether something called like a secret is inside of it."""
    if isinstance(value, Mapping):
        return any(SECRET.search(str(n)) or holds_secret(v) for n, v in value.items())
    return isinstance(value, list) and any(map(holds_secret, value))


def token(identity: Any) -> str:
    """The name of an entry, or any of its values, as one text."""
    return json.dumps(identity, sort_keys=True, ensure_ascii=False)


def cleaned(
    kind: Kind, given: Mapping[str, Any], record: Any, names: Names, context: forms.Context
) -> dict[str, Any]:
    """Values for the rules of the resource out of what a file says of an entry, or of its changes when there
    is a ``record``. Raises `Invalid`."""
    editing = record is not None
    asked = {s.name: s for s in fields_of(kind.resource.groups(editing)) if s.name in kind.specs}
    errors = {n: "保存后不能修改此项" for n in given if n not in asked}
    texts: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    coded: dict[str, Any] = {}
    for name, value in given.items():
        spec = asked.get(name)
        try:
            if spec is None:
                continue
            if editing and _is_column(spec, kind) and holds_secret(getattr(record, name)):
                errors[name] = "此项含密钥，请在页面上修改"
            elif name in kind.parts:
                values[name] = _texts(value)
            elif spec.kind in coders:
                coded[name] = value
            elif spec.links is not None:
                texts[name] = [_ref(spec, one, names) for one in _listed(value)]
            elif spec.target is not None:
                texts[name] = [_ref(spec, value, names)]
            elif _is_json(spec) and not isinstance(value, str):
                values[name] = value
            else:
                texts[name] = serial.texts_of(spec, value)
        except (ValueError, TypeError):
            errors[name] = "格式不正确"
        except Wrong as wrong:
            errors[name] = wrong.message
    plain_ones = [s for s in asked.values() if s.name not in values and s.kind not in coders]
    plain_ones = [s for s in plain_ones if s.name not in kind.parts and s.name not in errors]
    if not editing:
        for spec in plain_ones:
            if spec.default is not None:
                texts.setdefault(spec.name, [drawing.as_text(spec, spec.default)])
    elif given:
        for spec in plain_ones:
            if spec.links is not None:
                texts.setdefault(spec.name, [str(i) for i in linked(context.session, spec, record.id)])
    texts |= {FOR_ALL: ["1"]} if names.owner is None else {}
    context = replace(context, record=record, texts=texts)
    try:
        values |= forms.clean(plain_ones, texts, context, partial=editing)
    except Invalid as wrong:
        errors |= wrong.errors
    for name, value in coded.items():
        try:
            spec = asked[name]
            values[name] = None if value is None else coders[spec.kind].read(spec, value, context, names)
        except (Refusal, Wrong) as wrong:
            errors[name] = wrong.message
    if errors:
        raise Invalid(errors)
    return values


def _is_column(spec: FieldSpec, kind: Kind) -> bool:
    return spec.links is None and spec.name not in kind.parts


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError
    return list(value)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _ref(spec: FieldSpec, value: Any, names: Names) -> str:
    if value is None:
        return ""
    found = names.find(spec.target, value)
    if found is None:
        raise Wrong(f"本系统中没有“{said(value)}”")
    return str(found)


def _is_json(spec: FieldSpec) -> bool:
    return spec.attribute is not None and isinstance(spec.attribute.property.columns[0].type, JSON)


def said(name: Any) -> str:
    """A name in words."""
    if isinstance(name, Mapping):
        return " ".join(str(v) for n, v in name.items() if v and n != OF)
    return str(name)[:80]
