"""Formulas of added fields as administrators write them: ``[房屋面积] × [单价]``.

Stored, a formula names the resource and the fields by their names (``customers:[number_1] × [number_2]``), so that
labels may change; the language is the engine's (`app.engine.formulas`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from app.engine.actions import Refusal
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.forms import Context
from app.engine.formula_reading import read
from app.engine.formulas import Formula, Known, Literal, Type, Wrong, circle
from app.engine.guards import derived
from app.engine.resource import Resource, fields_of, resource
from app.engine.scopes import Actor
from app.engine.typed import typed_as_lines
from models.identity.for_all import is_for_all

KIND = "formula"
LONGEST = 500
_TYPES = {
    "number": Type.NUMBER, "money": Type.NUMBER, "integer": Type.NUMBER, "text": Type.TEXT, "textarea": Type.TEXT,
    "date": Type.DAY, "datetime": Type.DAY, "bool": Type.FLAG, "choice": Type.CHOICE,
}  # fmt: skip
_OUTCOMES = {
    Type.NUMBER: ("number", "money"), Type.TEXT: ("text",), Type.DAY: ("date",), Type.FLAG: ("bool",),
}  # fmt: skip


def sources(declared: type[Resource]) -> list[FieldSpec]:
    """The fields that formulas may name: what people type into the record, and what administrators added."""
    typed = fields_of((*declared.base.form, *(declared.base.edit_form or ())))
    own = [s for s in typed if s.attribute is not None and s.attribute.class_ is declared.model]
    found = {s.name: s for s in (*own, *declared.added) if s.kind in _TYPES and s.guard is None}
    return list(found.values())


def words_of(spec: FieldSpec, dealer_id: int | None) -> dict[str, str]:
    """The options of a choice: values by their words."""
    return {e.label: e.value for e in spec.entries(dealer_id)} if spec.kind == "choice" else {}


def known(specs: Iterable[FieldSpec], dealer_id: int | None) -> Mapping[str, Known]:
    """The fields by their labels."""
    return {s.label: Known(s.name, _TYPES[s.kind], words_of(s, dealer_id)) for s in specs}


def stored_of(text: str | None) -> str:
    """The formula of a stored one, without the resource; empty for none."""
    return (text or "").partition(":")[2]


@lru_cache(maxsize=512)
def understood(model: Any, text: str) -> Formula | None:
    """A stored formula, read by the columns alone; None for one that means nothing any more."""
    names = [a.key for a in model.__mapper__.column_attrs]
    specs = {name: describe(getattr(model, name)) for name in names}
    types = {name: _TYPES.get(spec.kind) for name, spec in specs.items()}
    plain = {
        name: Known(name, Type.TEXT if kind is Type.CHOICE else kind)
        for name, kind in types.items()
        if kind is not None
    }
    try:
        return read(stored_of(text), plain)
    except Wrong:
        return None


def formula_of(row: Any) -> Formula:
    """What the field is worked out by; one that means nothing any more comes to nothing."""
    declared = resource(row.resource)
    found = understood(declared.model, row.formula or "") if declared is not None else None
    return found or Formula(Literal(None, Type.TEXT))


def sources_of(row: Any) -> frozenset[str]:
    """The names of the fields that the formula of a field is worked out of."""
    return formula_of(row).sources() if row.formula else frozenset()


def turning(row: Any, others: Iterable[Any]) -> str:
    """The way in which a formula leads back to itself, by labels; empty where it does not."""
    rows = [row, *others]
    labels = {one.slot: one.label for one in rows}
    way = circle(row.slot, {one.slot: sources_of(one) & labels.keys() for one in rows})
    return " → ".join(labels[name] for name in way)


def fits(row: Any) -> bool:
    """Whether the formula comes to what the field is said to hold."""
    return (row.result.value if row.result else "") in _OUTCOMES[formula_of(row).type]


def _read(_spec: FieldSpec, text: str, context: Context) -> str:
    name = getattr(context.record, "resource", None) or (context.texts.get("resource") or ("",))[-1]
    declared = resource(name)
    if declared is None:
        raise Refusal("请先选择所属对象")
    return stored(text, declared, context.record, context.actor.dealer_id, shared=is_for_all(context))


def stored(text: str, declared: type[Resource], record: Any, dealer_id: int | None, *, shared: bool) -> str:
    """A formula by labels as it is kept, of a field of that dealer (or of everybody's, ``shared``); raises
    `Refusal` in words. ``record`` is the field itself, None for a new one."""
    own = getattr(record, "slot", None)
    offered = [s for s in sources(faced(declared, dealer_id)) if s.name != own and not (s.dealer and shared)]
    label = getattr(record, "label", None)
    try:
        found = read(" ".join(text.split()), known(offered, None if shared else dealer_id))
    except Wrong as wrong:
        if label and f"“{label}”" in wrong.message:
            raise Refusal("公式不能引用字段自身") from wrong
        raise Refusal(wrong.message) from wrong
    kept = f"{declared.name}:{found.written(lambda source: source)}"
    if len(kept) > LONGEST:
        raise Refusal("公式过长，请简化")
    return kept


def _words(kept: Any, actor: Actor | None) -> str:
    return words(kept, actor.dealer_id if actor is not None else None)


def words(kept: Any, dealer_id: int | None) -> str:
    """A stored formula as somebody of that dealer would write it."""
    name, _, text = str(kept or "").partition(":")
    declared = resource(name)
    if declared is None:
        return ""
    specs = {s.name: s for s in sources(faced(declared, dealer_id))}
    plain = {
        s.name: Known(s.name, _TYPES[s.kind], {v: v for v in words_of(s, dealer_id).values()})
        for s in specs.values()
    }

    def word(field: str, value: str) -> str:
        options = words_of(specs[field], dealer_id) if field in specs else {}
        return next((label for label, known_value in options.items() if known_value == value), value)

    try:
        return read(text, plain).written(lambda source: specs[source].label, word)
    except Wrong:
        return text


typed_as_lines(KIND, _read)
derived[KIND] = _words
