"""Conditions over a record that can be stored: kept as JSON, asked of the database and of a record at hand
with the same answer, and read in words.

A condition is a tree of `All`, `Any_`, `Not` and `Term`; a term compares one declared column with values. Every
term is either true or false, never unknown: what is not filled in is simply not equal to anything.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, not_, or_, true
from sqlalchemy.orm import Session

from app.engine import picking
from app.engine.changes import plain
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.guards import hidden
from app.engine.localtime import local, local_day
from app.engine.operators import (
    CONTAINING,
    FILLED_OR_NOT,
    MAX_TEXT,
    OPERATORS,
    Op,
    Wrong,
    number_of_days,
    typed_value,
)
from app.engine.resource import Resource, resource_of
from app.engine.resource import resource as named
from app.engine.scopes import Actor
from app.engine.slots import SLOTS, contains

DEALER = "dealer"
"""Names, in the stored form, the dealer whose added fields a condition asks."""
MAX_DEPTH = 6
MAX_TERMS = 40
MAX_VALUES = 50


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. ``values`` are typed: choices, texts, numbers, days in China, ids of references."""

    spec: FieldSpec
    op: Op
    values: tuple[Any, ...] = ()
    named: tuple[str, ...] = ()
    """The names that references had when they were chosen."""


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; an empty one holds always."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - the other two are words of the language
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


Node = Term | All | Any_ | Not


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the records of one resource."""

    resource: type[Resource]
    root: Node = All()

    def compile(self, now: datetime) -> ColumnElement[bool]:
        """The condition for the database; days are counted from ``now`` (UTC)."""
        return _compile(self.root, local(now).date())

    def holds(self, record: Any, now: datetime) -> bool:
        """Whether it holds for a loaded record; the same answer as the database's."""
        return _holds(self.root, record, local(now).date())

    def terms(self) -> Iterator[Term]:
        """Every comparison in it."""
        return _terms(self.root)

    def replaced(self, change: Callable[[Term], Term]) -> Condition:
        """The same condition with every comparison changed."""
        return Condition(self.resource, _replaced(self.root, change))

    def to_json(self) -> dict[str, Any]:
        """The form in which it is stored."""
        found = {"of": self.resource.name, "where": _plain(self.root)}
        added = {term.spec.dealer for term in self.terms()} - {None}
        return found | ({DEALER: added.pop()} if added else {})


_beside: list[Callable[[str], Any]] = []


def provide_subjects(find: Callable[[str], Any]) -> None:
    """Let conditions be about more than resources: ``find(name)`` gives what has ``name``, ``label`` and
    ``condition_fields()``, or None."""
    _beside.append(find)


def subject(name: str) -> Any:
    """What a condition of that name is about; None for nothing that is known."""
    return named(name) or next(filter(None, (find(name) for find in _beside)), None)


def face_of(about: Any, dealer_id: int | None) -> Any:
    """The same with what that dealer has added."""
    return faced(about, dealer_id) if isinstance(about, type) else about.faced(dealer_id)


def fields(resource: Any) -> dict[str, FieldSpec]:
    """The columns of a resource that conditions may ask, by name; of a face of it those that its dealer has
    added too."""
    if hasattr(resource, "condition_fields"):
        own: dict[str, FieldSpec] = resource.condition_fields()
        return own
    keys = [
        a.key
        for a in inspect(resource.model).column_attrs
        if "zk" in a.columns[0].info and a.key not in SLOTS
    ]
    specs = [*(describe(getattr(resource.model, key)) for key in keys), *resource.added]
    return {s.name: s for s in specs if s.kind in OPERATORS and s.name != "version"}


def from_json(
    data: Any, *, dealer_id: int | None = None, actor: Actor | None = None, session: Session | None = None
) -> Condition:
    """The condition behind its stored form, of a rule of that dealer. Raises `Wrong` in words for an unknown
    field, an operator or value that does not fit, and, when ``actor`` writes it, for a column that person may not
    read and for a reference out of that person's reach."""
    found = subject(str(data.get("of"))) if isinstance(data, Mapping) else None
    if found is None:
        raise Wrong("条件没有指明对象")
    own = dealer_id if actor is None else actor.dealer_id
    condition = Condition(found, _read(found, data.get("where") or {"all": []}, _dealer(data, own, actor)))
    if sum(1 for _ in condition.terms()) > MAX_TERMS:
        raise Wrong(f"条件不能超过{MAX_TERMS}项")
    if actor is not None and session is not None:
        condition = Condition(found, allowed(condition.root, actor, session))
    return condition


def _dealer(data: Mapping[str, Any], own: int | None, actor: Actor | None) -> int | None:
    """Whose added fields the condition may ask: those of the dealer it names, as far as the person acts there."""
    named_by = data.get(DEALER)
    if not isinstance(named_by, int) or (actor is not None and not actor.beyond_dealer):
        return own
    return named_by


def allowed(node: Node, actor: Actor, session: Session) -> Node:
    """The same tree with the names of what it refers to; raises `Wrong` for what the person may not ask."""
    if isinstance(node, All | Any_):
        return type(node)(tuple(allowed(part, actor, session) for part in node.parts))
    if isinstance(node, Not):
        return Not(allowed(node.part, actor, session))
    guard = hidden(node.spec, actor)
    if guard is not None:
        raise Wrong(f"没有“{guard.label}”所保护的内容的查看权限，条件不能使用“{node.spec.label}”")
    if node.spec.kind != "ref" or not node.values:
        return node
    target = resource_of(node.spec.target)
    offered = picking.pickable(node.spec, actor).where(target.pk().in_(node.values))
    known = {row[0]: str(row[1]) for row in session.execute(offered, actor.params)}
    if not set(node.values) <= set(known):
        raise Wrong(f"“{node.spec.label}”中有不存在或不属于本商场的项")
    return Term(node.spec, node.op, node.values, tuple(known[v] for v in node.values))


def term(spec: FieldSpec, op: Op, given: Sequence[Any]) -> Term:
    """A comparison with checked values; raises `Wrong`."""
    if op not in OPERATORS[spec.kind]:
        known = "、".join(o.label.replace("{}", "…") for o in OPERATORS[spec.kind])
        raise Wrong(f"“{spec.label}”不能这样比较，可用：{known}")
    if op.many and not 0 < len(given) <= MAX_VALUES:
        raise Wrong(f"“{spec.label}”请给出1至{MAX_VALUES}个值")
    if not op.many and len(given) != op.places:
        raise Wrong(f"“{spec.label}”{op.label.replace('{}', '…')}的值不完整")
    values = tuple(number_of_days(spec, v) if op.of_days else typed_value(spec, v) for v in given)
    if op is Op.BETWEEN and values[0] > values[1]:
        raise Wrong(f"“{spec.label}”的起止颠倒")
    return Term(spec, op, values)


# ----- reading


def _read(resource: type[Resource], data: Any, dealer: int | None, depth: int = 0) -> Node:
    if not isinstance(data, Mapping) or depth > MAX_DEPTH:
        raise Wrong("条件的结构不正确")
    if "all" in data or "any" in data:
        given = data.get("all", data.get("any"))
        if not isinstance(given, list) or ("any" in data and not given):
            raise Wrong("条件的结构不正确")
        parts = tuple(_read(resource, part, dealer, depth + 1) for part in given)
        return All(parts) if "all" in data else Any_(parts)
    if "not" in data:
        return Not(_read(resource, data["not"], dealer, depth + 1))
    name = str(data.get("field"))
    added = name.rpartition(".")[2] in SLOTS  # also of what is filled in this time
    spec = fields(face_of(resource, dealer) if added else resource).get(name)
    if spec is None:
        raise Wrong(f"{resource.label}没有“{str(data.get('field'))[:40]}”这一项，不能作为条件")
    try:
        op = Op.of(str(data.get("is")))
    except ValueError:
        raise Wrong(f"“{spec.label}”的比较方式“{str(data.get('is'))[:20]}”不存在") from None
    values = data.get("value", [])
    made = term(spec, op, values if isinstance(values, list) else [values])
    names = data.get("named")
    if isinstance(names, list) and len(names) == len(made.values):
        return Term(made.spec, made.op, made.values, tuple(str(n)[:MAX_TEXT] for n in names))
    return made


# ----- asking the database


def _compile(node: Node, today: date) -> ColumnElement[bool]:
    if isinstance(node, All):
        return and_(true(), *(_compile(part, today) for part in node.parts))
    if isinstance(node, Any_):
        return or_(*(_compile(part, today) for part in node.parts))
    if isinstance(node, Not):
        return not_(_compile(node.part, today))
    return _compare(node, today)


def _compare(asked: Term, today: date) -> ColumnElement[bool]:
    column, op, values = asked.spec.attribute, asked.op, asked.values
    textual = asked.spec.kind in ("text", "textarea", "phone")
    empty = or_(column.is_(None), column == "") if textual else column.is_(None)
    if op is Op.EMPTY:
        return empty
    if op is Op.FILLED:
        return not_(empty)
    if op in (Op.IS, Op.ONE_OF):
        return _known(column, column.in_(values) if op.many else column == values[0])
    if op in (Op.IS_NOT, Op.NONE_OF):
        return not_(_known(column, column.in_(values) if op.many else column == values[0]))
    if op in CONTAINING:
        held = [contains(column, value) for value in values]
        found = _known(column, and_(*held) if op is Op.ALL_OF else or_(*held))
        return not_(found) if op is Op.WITHOUT else found
    low, high = _range(asked, today)
    parts = [column >= low] if low is not None else []
    if high is not None:
        parts.append(column < high if asked.spec.kind in ("date", "datetime") else column <= high)
    return _known(column, and_(*parts))


def _known(column: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """False, not unknown, where nothing is filled in: then NOT means the same as in Python."""
    return and_(column.is_not(None), condition) if column.property.columns[0].nullable else condition


def _range(asked: Term, today: date) -> tuple[Any, Any]:
    """The bounds of a comparison of size; of days the upper one is the first day that is too late."""
    op, values = asked.op, asked.values
    if asked.spec.kind not in ("date", "datetime"):
        low = None if op is Op.AT_MOST else values[0]
        return low, None if op is Op.AT_LEAST else values[-1]
    one = timedelta(days=1)
    days: tuple[date | None, date | None]
    if op is Op.WITHIN:
        days = today - timedelta(days=values[0]), today + one
    elif op is Op.OLDER:
        days = None, today - timedelta(days=values[0])
    elif op is Op.COMING:
        days = today, today + timedelta(days=values[0]) + one
    else:
        days = None if op is Op.UNTIL else values[0], None if op is Op.SINCE else values[-1] + one
    if asked.spec.kind == "date":
        return days
    low_day, high_day = days
    return (low_day and local_day(low_day)), (high_day and local_day(high_day))


# ----- asking a record


def _holds(node: Node, record: Any, today: date) -> bool:
    if isinstance(node, All):
        return all(_holds(part, record, today) for part in node.parts)
    if isinstance(node, Any_):
        return any(_holds(part, record, today) for part in node.parts)
    if isinstance(node, Not):
        return not _holds(node.part, record, today)
    value = getattr(record, node.spec.name)
    if node.op in FILLED_OR_NOT:
        return (value in (None, "", [])) is (node.op is Op.EMPTY)
    if node.op in (Op.IS, Op.ONE_OF):
        return value in node.values
    if node.op in (Op.IS_NOT, Op.NONE_OF):
        return value not in node.values
    if node.op in CONTAINING:
        held = [wanted in (value or ()) for wanted in node.values]
        return all(held) if node.op is Op.ALL_OF else any(held) is (node.op is Op.ANY_OF)
    if value is None:
        return False
    low, high = _range(node, today)
    below = operator.lt if node.spec.kind in ("date", "datetime") else operator.le
    return (low is None or value >= low) and (high is None or below(value, high))


# ----- writing


def _terms(node: Node) -> Iterator[Term]:
    if isinstance(node, Term):
        yield node
    else:
        for part in (node.part,) if isinstance(node, Not) else node.parts:
            yield from _terms(part)


def _replaced(node: Node, change: Callable[[Term], Term]) -> Node:
    if isinstance(node, Term):
        return change(node)
    if isinstance(node, Not):
        return Not(_replaced(node.part, change))
    return type(node)(tuple(_replaced(part, change) for part in node.parts))


def _plain(node: Node) -> dict[str, Any]:
    if isinstance(node, All | Any_):
        return {"all" if isinstance(node, All) else "any": [_plain(part) for part in node.parts]}
    if isinstance(node, Not):
        return {"not": _plain(node.part)}
    found: dict[str, Any] = {"field": node.spec.name, "is": node.op.value}
    if node.values:
        found["value"] = plain(node.values)
    if node.named:
        found["named"] = list(node.named)
    return found


__all__ = [
    "OPERATORS", "All", "Any_", "Condition", "Node", "Not", "Op", "Term", "Wrong", "allowed", "fields",
    "from_json", "term",
]  # fmt: skip
