"""Conditions in words, and back: one line per requirement, alternatives joined by 或者, a 非 before what must
not hold. ``阶段 属于 跟进中、订单客户`` reads the same on a page, in a form and in the API."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from app.engine import picking
from app.engine.choices import Choice
from app.engine.conditions import (
    MAX_DEPTH,
    MAX_TERMS,
    OPERATORS,
    All,
    Any_,
    Condition,
    Node,
    Not,
    Op,
    Term,
    Wrong,
    allowed,
    face_of,
    fields,
    from_json,
    term,
)
from app.engine.fields import FieldSpec
from app.engine.guards import derived, hidden
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor

ALWAYS = "全部记录"
OR = " 或者 "
NOT = "非 "
_BETWEEN_VALUES = "、"
_KEPT = "（受保护的内容）"
_CHOSEN = ("choice", "choices")
_TRUTH = {"是": True, "否": False}


def words(condition: Condition, actor: Actor | None) -> str:
    """The condition as this person may read it, a line per requirement; values of a column the person may not
    read are left out."""
    return "\n".join(lines(condition, actor)) or ALWAYS


def lines(condition: Condition, actor: Actor | None) -> list[str]:
    """The same as lines; none for a condition that always holds."""
    root = condition.root
    parts = root.parts if isinstance(root, All) else (root,)
    return [_said(part, actor) for part in parts]


def _said(node: Node, actor: Actor | None) -> str:
    if isinstance(node, Not):
        inner = _said(node.part, actor)
        return f"{NOT}（{inner}）" if isinstance(node.part, Any_) else NOT + inner
    if isinstance(node, Any_):
        return OR.join(_said(part, actor) for part in node.parts)
    if isinstance(node, All):
        return "（" + "，且 ".join(_said(part, actor) for part in node.parts) + "）"
    shown = _KEPT if hidden(node.spec, actor) is not None else None
    values = [shown or _word(node, n, actor) for n in range(len(node.values))]
    if node.op.many:
        values = [_KEPT if shown else _BETWEEN_VALUES.join(values)]
    return f"{node.spec.label} {node.op.label.format(*values)}"


def _word(asked: Term, n: int, actor: Actor | None) -> str:
    value = asked.values[n]
    if isinstance(value, Choice):
        return value.label
    if isinstance(value, bool):
        return "是" if value else "否"
    if asked.named:
        return asked.named[n]
    if asked.spec.kind in _CHOSEN:
        known = {e.value: e.label for e in asked.spec.entries(actor.dealer_id if actor else None)}
        return str(known.get(value, value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _of_json(value: Any, actor: Actor | None) -> str:
    try:
        return words(from_json(value, dealer_id=actor.dealer_id if actor is not None else None), actor)
    except Wrong:
        return "" if not value else "无法识别的条件"


derived["condition"] = _of_json


# ----- back


def parse(resource: type[Resource], text: str, actor: Actor, session: Session) -> Condition:
    """The condition that these lines say. Raises `Wrong` naming the line that cannot be understood and
    what the person may not ask."""
    resource = face_of(resource, actor.dealer_id)
    parts: list[Node] = []
    for line in text.splitlines():
        said = " ".join(line.split())
        if said and said != ALWAYS:
            ways = [_one(resource, way.strip(), actor, session) for way in re.split(r"\s+或者\s+", said)]
            parts.append(ways[0] if len(ways) == 1 else Any_(tuple(ways)))
    condition = Condition(resource, All(tuple(parts)))
    if sum(1 for _ in condition.terms()) > MAX_TERMS:
        raise Wrong(f"条件不能超过{MAX_TERMS}项")
    return Condition(resource, allowed(condition.root, actor, session))


def _one(resource: type[Resource], said: str, actor: Actor, session: Session, depth: int = 2) -> Node:
    if said.startswith(NOT):
        if depth >= MAX_DEPTH:
            raise Wrong(f"“{said[:30]}”的“{NOT.strip()}”过多")
        return Not(_one(resource, said.removeprefix(NOT), actor, session, depth + 1))
    known = sorted(fields(resource).values(), key=lambda s: -len(s.label))
    spec = next((s for s in known if said.startswith(s.label)), None)
    if spec is None:
        offered = "、".join([s.label for s in fields(resource).values()][:12])
        raise Wrong(f"“{said[:30]}”没有以{resource.label}的某一项开头；可用的有：{offered}等")
    rest = said.removeprefix(spec.label).strip()
    for op in OPERATORS[spec.kind]:
        found = _pattern(op).fullmatch(rest)
        if found is not None:
            given = found.groups()
            texts = re.split(r"\s*[、，,]\s*", given[0]) if op.many else list(given)
            return term(spec, op, [t if op.of_days else _value(spec, t, actor, session) for t in texts])
    ways = "、".join(o.label.replace("{}", "…") for o in OPERATORS[spec.kind])
    raise Wrong(f"“{said[:30]}”无法识别；“{spec.label}”可用：{ways}")


@cache
def _pattern(op: Op) -> re.Pattern[str]:
    parts = [re.escape(part.strip()) for part in op.label.split("{}")]
    return re.compile(r"\s*(\S.*?)\s*".join(parts))


def _value(spec: FieldSpec, text: str, actor: Actor, session: Session) -> Any:
    if spec.kind in _CHOSEN:
        known = [e for e in spec.entries(actor.dealer_id) if text in (e.label, e.value)]
        if not known:
            raise Wrong(f"“{spec.label}”没有“{text[:20]}”这一项")
        return known[0].value
    if spec.kind == "bool":
        return _TRUTH.get(text)
    if spec.kind == "ref":
        title = resource_of(spec.target).title
        rows = session.execute(
            picking.pickable(spec, actor).where(title == text).limit(2), actor.params
        ).all()
        if len(rows) != 1:
            raise Wrong(f"“{spec.label}”{'没有' if not rows else '有多个'}“{text[:20]}”")
        return rows[0][0]
    if spec.kind in ("date", "datetime"):
        try:
            return date.fromisoformat(text.replace("/", "-"))
        except ValueError:
            return text
    return text
