"""What a page selects: projected and gated columns, names of what they refer to, link sets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, any_, bindparam, literal, select
from sqlalchemy.orm import Session, aliased

from app.engine import plans
from app.engine.fields import FieldSpec
from app.engine.guards import gate, hidden, own, projection
from app.engine.listing import Query
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor
from app.engine.walking import Order, Segment


def page_statement(query: Query, ids: Any, specs: Sequence[FieldSpec], order: Segment | Order) -> Select[Any]:
    """The page's rows: ids joined with the projected columns and the names of what they refer to."""
    found = ids.subquery("page")
    chosen, joins = projected(query.resource, query.actor, specs)
    statement = select(query.resource.pk(), _version(query.resource), found.c.place, *chosen)
    statement = statement.select_from(found).join(query.resource.model, query.resource.pk() == found.c.id)
    if "amount" in found.c:
        statement = statement.add_columns(found.c.amount)
    for other, on in joins:
        statement = statement.outerjoin(other, on)
    return order.ordered(statement, found.c.place, found.c.id)


def _version(resource: type[Resource]) -> Any:
    version = getattr(resource.model, "version", None)
    return version if version is not None else literal(0)


def projected(
    resource: type[Resource], actor: Actor, specs: Sequence[FieldSpec]
) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The columns to select for these fields, in their order, and the outer joins they need. A column
    the actor may not read is replaced by its mask or by null, never selected."""
    chosen: list[Any] = []
    joins: list[tuple[Any, Any]] = []
    for spec in specs:
        if spec.attribute is None:
            continue
        if spec.kind == "ref" and hidden(spec, actor) is None:
            other = aliased(spec.target)
            joins.append((other, other.id == own(spec, spec.attribute, actor)))
            chosen.append(getattr(other, resource_of(spec.target).title.key).label(f"v_{spec.name}"))
        else:
            selected = projection(spec, actor)
            chosen.append((literal(None) if selected is None else selected).label(f"v_{spec.name}"))
    return chosen, joins


def linked(session: Session, spec: FieldSpec, ids: list[int], actor: Actor) -> dict[int, tuple[Any, ...]]:
    """What is attached to these records: ``(name, tone)`` of linked records, or gated plain values."""
    collected: dict[int, list[Any]] = {}
    if spec.links is not None:
        many_ids = one_of(session.get_bind().dialect.name, spec.links.left, "owners")
        rows: Any = plans.run(session, ("links", spec), partial(_links_of, spec, many_ids), {"owners": ids})
        for owner, name, colour in rows:
            collected.setdefault(owner, []).append((name, getattr(colour, "value", colour) or ""))
    elif spec.values is not None:
        shown = projection(spec, actor, spec.values.value)
        if shown is not None:
            order = spec.values.order if spec.values.order is not None else spec.values.value
            mine = one_of(session.get_bind().dialect.name, spec.values.left, "owners")
            many = select(spec.values.left, shown).where(mine).order_by(order)
            main = spec.values.main
            if main is not None:
                many = many.join(main.class_, main.class_.id == spec.values.left)
                many = many.where(spec.values.value != main)
            for owner, value in session.execute(many, {"owners": ids}):
                collected.setdefault(owner, []).append(gate(spec, value, actor, projected=True))
    return {owner: tuple(values) for owner, values in collected.items()}


def one_of(dialect: str, column: Any, name: str) -> ColumnElement[bool]:
    """Whether the column is one of the ids in the parameter of that name. PostgreSQL gets them as one array:
    its driver looks through a statement with a mark for each of a thousand ids longer than it takes to run."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(Integer)))  # type: ignore[no-any-return]
    return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]


def _links_of(spec: FieldSpec, mine: ColumnElement[bool]) -> Select[Any]:
    links = spec.links
    assert links is not None
    target = resource_of(spec.target)
    tone = getattr(spec.target, "tone", None)
    return (
        select(links.left, target.title, tone if tone is not None else literal(""))
        .join(spec.target, spec.target.id == links.right)
        .where(mine)
        .order_by(links.left, target.pk())
    )
