"""Automations that would set each other off for ever, or that nothing can ever start, found before they are saved.
Nothing is asked of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from app.engine.automating import CHANGED
from app.engine.conditions import All, Condition, Node, Op, Term
from models.shaping.automation_book import Rule
from models.shaping.automation_parts import ANY, Touched


def circle(rule: Rule, others: Sequence[Rule], now: datetime) -> list[Rule]:
    """The automations through which this one would set itself off, beginning with it; empty for none."""
    near = [rule, *(r for r in others if r.id != rule.id and _meet(rule, r))]
    paths = [[rule]]
    seen: set[int] = set()
    while paths:
        path = paths.pop(0)
        for after in near:
            if not any(sets_off(touched, after, now) for touched in _touches(path[-1])):
                continue
            if after is rule:
                return path
            if id(after) not in seen:
                seen.add(id(after))
                paths.append([*path, after])
    return []


def _meet(one: Rule, other: Rule) -> bool:
    """Whether both hold for some dealer."""
    if any(
        low.replaces_id is not None and low.replaces_id == high.id
        for low, high in ((one, other), (other, one))
    ):
        return False
    return one.dealer_id is None or other.dealer_id in (None, one.dealer_id)


def _touches(rule: Rule) -> Iterator[Touched]:
    for then in rule.steps:
        yield from then.doing.touches(rule.subject, then.given)


def sets_off(touched: Touched, rule: Rule, now: datetime) -> bool:
    """Whether what a step causes may start that automation: it is about the same, and what the field then
    holds does not rule it out."""
    resource, event, name, value = touched
    if resource != rule.subject.name or not rule.starts(event, frozenset({name})):
        return False
    return event != CHANGED or value == ANY or _may_hold(rule.condition, name, value, now)


def _may_hold(condition: Condition, name: str, value: Any, now: datetime) -> bool:
    """Whether the condition may hold once the field has that value; what it asks of other fields may be so."""
    terms = tuple(t for t in _certain(condition.root) if t.spec.name == name)
    holding = SimpleNamespace(**{name: value})
    try:
        return Condition(condition.resource, All(terms)).holds(holding, now)
    except TypeError:  # a text in place of a number or a day: it cannot be told
        return True


def contradiction(condition: Condition, now: datetime) -> str:
    """The field of which the condition asks what no value can meet; empty for none that is certain."""
    by_field: dict[str, list[Term]] = {}
    for term in _certain(condition.root):
        by_field.setdefault(term.spec.name, []).append(term)
    for name, terms in by_field.items():
        candidates = next((t.values for t in terms if t.op in (Op.IS, Op.ONE_OF)), None)
        if Op.EMPTY in {t.op for t in terms}:
            candidates = (None,)
        if candidates is not None and len(terms) > 1:
            whole = Condition(condition.resource, All(tuple(terms)))
            if not any(whole.holds(SimpleNamespace(**{name: value}), now) for value in candidates):
                return terms[0].spec.label
    return ""


def _certain(node: Node) -> Iterator[Term]:
    """The comparisons that must all hold."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, All):
        for part in node.parts:
            yield from _certain(part)
