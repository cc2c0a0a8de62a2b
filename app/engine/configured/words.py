"""Entries and their values in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine import forms
from app.engine.actions import Refusal
from app.engine.configured.values import OF, Names, coders, said
from app.engine.configuring import Kind
from app.engine.database import utcnow
from app.engine.fields import FieldSpec
from app.engine.guards import derived
from app.engine.typed import Wrong

EMPTY = "空"


def lines(
    kind: Kind, flat: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], names: Names
) -> list[str]:
    """A change of an entry, a line for each field; of a new one what it is to be."""
    found = []
    for name, new in after.items():
        spec = kind.specs.get(name)
        if spec is None or name in kind.parts or (not before and name in {s.name for s in kind.key}):
            continue
        now = word(kind, spec, flat, new, names)
        if before:
            found.append(f"{spec.label}：{word(kind, spec, flat, before.get(name), names)} → {now}")
        elif new not in (None, ""):
            found.append(f"{spec.label}：{now}")
    if kind.part is not None and kind.parts & set(after):
        found += kind.part.words(before, {**before, **after})
    return found


def word(kind: Kind, spec: FieldSpec, flat: Mapping[str, Any], value: Any, names: Names) -> str:
    """A value as a file holds it, in words."""
    if value is None or value == "":
        return EMPTY
    if kind.typed is not None:
        spec = kind.typed(flat, spec.name) or spec
    if spec.kind in derived:
        return _derived(spec, value, names)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(word(kind, spec, flat, v, names) for v in value) or EMPTY
    if isinstance(value, Mapping):
        own = "集团的" if value.get(OF) else ""
        return own + (said(value) or EMPTY)
    known = {e.value: e.label for e in spec.entries(names.owner)} if isinstance(value, str) else {}
    return known.get(str(value), str(value))


def _derived(spec: FieldSpec, value: Any, names: Names) -> str:
    """What is stored as a tree, as its own kind reads."""
    try:
        if spec.kind in coders and coders[spec.kind].names:
            context = forms.Context(names.session, names.actor, utcnow())
            value = coders[spec.kind].read(spec, value, context, names)
        return str(derived[spec.kind](value, names.actor)).replace("\n", "；") or EMPTY
    except (Refusal, Wrong):
        return "（无法显示）"
