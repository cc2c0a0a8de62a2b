"""How conditions and parameters of a rule are typed: lines in words, checked while the form is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine import forms
from app.engine.actions import Invalid, Refusal
from app.engine.conditionwords import parse
from app.engine.configured.values import Coder, coders
from app.engine.faces import faced
from app.engine.fields import FieldSpec
from app.engine.forms import Context
from app.engine.guards import derived
from app.engine.scopes import Actor
from models.clock_rules.subjects import effect, effects, subject


def _chosen(name: str, context: Context) -> str:
    """What the form says in that field, else the record."""
    given = [t for t in context.texts.get(name, ()) if t]
    return given[-1] if given else str(getattr(context.record, name, None) or "")


def _condition(_spec: FieldSpec, text: str, context: Context) -> dict[str, Any]:
    about = subject(_chosen("subject", context))
    if about is None:
        raise Refusal("请先选择适用对象")
    return parse(
        faced(about.resource, context.actor.dealer_id), text, context.actor, context.session
    ).to_json()


def _parameters(_spec: FieldSpec, text: str, context: Context) -> dict[str, Any]:
    doing = effect(_chosen("effect", context))
    if doing is None:
        raise Refusal("请先选择执行内容")
    known = {p.label: p for p in doing.parameters}
    texts: dict[str, list[str]] = {}
    for line in filter(None, (part.strip() for part in text.splitlines())):
        label, colon, value = line.replace(":", "：", 1).partition("：")
        if label.strip() not in known or not colon:
            said = f"可用：{'、'.join(known)}" if known else f"“{doing.label}”没有参数"
            raise Refusal(f"“{line[:30]}”无法识别；{said}")
        texts[known[label.strip()].name] = [value.strip()]
    try:
        values = forms.clean([p for p in doing.parameters if p.name in texts], texts, context)
    except Invalid as wrong:
        raise Refusal("；".join(wrong.errors.values())) from wrong
    return {n: getattr(v, "value", v) for n, v in values.items() if v not in (None, "")}


def _in_words(value: Any, actor: Actor | None) -> str:
    """Parameters in lines: the name of each as its effect declares it."""
    labels = {p.name: p for doing in effects() for p in doing.parameters}
    lines = []
    for name, given in (value or {}).items():
        spec = labels.get(name)
        choices = {e.value: e.label for e in spec.entries(None)} if spec is not None else {}
        lines.append(f"{spec.label if spec is not None else name}：{choices.get(str(given), given)}")
    return "\n".join(lines)


forms.typed_as_lines("condition", _condition)
forms.typed_as_lines("parameters", _parameters)
derived["parameters"] = _in_words


def _checked(spec: FieldSpec, value: Any, context: Context, _names: Any) -> dict[str, Any]:
    """Parameters of a file, read like those that are typed."""
    if not isinstance(value, Mapping):
        raise Refusal("格式不正确")
    return _parameters(spec, _in_words(value, None), context)


coders["parameters"] = Coder(lambda value, _names: dict(value), _checked)
