"""When an added field is there or must be filled in: ``客户来源=老客户推荐|转介绍`` as administrators write it.

Stored it names the resource, the field and the values (``customers:source=recommended|…``), so that labels may
change; what stands behind the colon is the engine's own condition (`app.engine.conditional`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.engine.actions import Refusal
from app.engine.conditional import source_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.forms import Context
from app.engine.guards import derived
from app.engine.resource import Resource, fields_of, filtered, resource
from app.engine.scopes import Actor
from app.engine.typed import typed_as_lines
from models.identity.for_all import is_for_all

KIND = "following"
MOST = 200
_WRITTEN = re.compile(r"([^=＝]+)[=＝](.+)")
_BETWEEN = re.compile(r"[|｜、,，]")
_FEW = frozenset({"choice", "choices", "bool"})
_FLAGS = {"是": "1", "否": ""}


def rule_of(stored: str | None) -> str:
    """The engine's condition of a stored one; empty for none."""
    return (stored or "").partition(":")[2]


def follows(stored: str | None) -> str:
    """The name of the field that a stored condition is about."""
    return source_of(rule_of(stored))


def sources(declared: type[Resource], *, everybodys: bool = False) -> dict[str, FieldSpec]:
    """The fields that conditions may name, by their labels: those with few values, of which a
    record may hold several."""
    listed = map(describe, (*declared.columns, *declared.more_columns, *map(filtered, declared.filters)))
    groups = (*declared.form, *(declared.edit_form or ()))
    specs = (s for s in (*fields_of(groups), *listed) if s.kind in _FEW and s.guard is None)
    return {spec.label: spec for spec in specs if not (everybodys and spec.dealer)}


def _read(_spec: FieldSpec, text: str, context: Context) -> str:
    name = getattr(context.record, "resource", None) or (context.texts.get("resource") or ("",))[-1]
    declared = resource(name)
    if declared is None:
        raise Refusal("请先选择所属对象")
    written = _WRITTEN.fullmatch(" ".join(text.split()))
    if written is None:
        raise Refusal("请按“字段=选项”的形式填写，例如 客户来源=老客户推荐，多个选项用 | 隔开")
    label, wanted = (part.strip() for part in written.groups())
    whole, own = is_for_all(context), context.actor.dealer_id
    known = sources(faced(declared, own), everybodys=whole)
    if label not in known:
        raise Refusal(f"没有可作条件的字段“{label}”，可用的有：{_some(known)}")
    source = known[label]
    if source.name == getattr(context.record, "slot", None):
        raise Refusal("条件不能以字段自身为准")
    dealer_id = None if whole else own
    values = [_value(source, word.strip(), dealer_id) for word in _BETWEEN.split(wanted) if word.strip()]
    found = f"{name}:{source.name}={'|'.join(dict.fromkeys(values))}"
    if len(found) > MOST:
        raise Refusal("选项过多，请减少")
    return found


def _value(source: FieldSpec, word: str, dealer_id: int | None) -> str:
    known = _FLAGS if source.kind == "bool" else {e.label: e.value for e in source.entries(dealer_id)}
    if word not in known:
        raise Refusal(f"“{source.label}”没有选项“{word}”，可用的有：{_some(known)}")
    return known[word]


def _some(words: Iterable[str]) -> str:
    found = list(words)
    return "、".join(found[:12]) + ("等" if len(found) > 12 else "")


def _words(stored: Any, actor: Actor | None) -> str:
    """A stored condition as somebody would write it."""
    name, _, rule = str(stored or "").partition(":")
    declared, dealer_id = resource(name), actor.dealer_id if actor is not None else None
    if declared is None:
        return ""
    field, _, wanted = rule.partition("=")
    source = next((s for s in sources(faced(declared, dealer_id)).values() if s.name == field), None)
    if source is None:
        return rule
    if source.kind == "bool":
        labels = {value: word for word, value in _FLAGS.items()}
    else:
        labels = {entry.value: entry.label for entry in source.entries(dealer_id)}
    return f"{source.label}={'|'.join(labels.get(value, value) for value in wanted.split('|'))}"


typed_as_lines(KIND, _read, single=True)
derived[KIND] = _words
