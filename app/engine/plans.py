"""Statements that are the same for everybody are built and compiled once per shape.

Building a list's statement costs more than running it. Scopes, filters, windows and cursors carry named
bind parameters, so that one compiled statement serves every person and every value of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, CursorResult, Select, bindparam
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from app.engine.recent import Recent

KEPT = 2000

_plans: Recent[tuple[Hashable, ...], Any] = Recent(KEPT)


def run(
    session: Session,
    key: tuple[Hashable, ...] | None,
    build: Callable[[], Select[Any]],
    params: Mapping[str, Any],
) -> CursorResult[Any]:
    """Execute the statement of this shape with these values. Without a key it is built anew."""
    connection = session.connection()
    if key is None:
        return connection.execute(build(), dict(params))
    whole = (connection.dialect.name, *key)
    statement: Any = _plans.recall(whole)
    if statement is None:
        statement = _plans.keep(whole, build())
    return connection.execute(statement, dict(params))


@dataclass(frozen=True, slots=True)
class Named:
    """A condition whose values bear names: ``make`` builds it, ``params`` are its values, ``key`` its shape."""

    key: tuple[Hashable, ...]
    params: dict[str, Any]
    make: Callable[[], ColumnElement[bool]]


def named(condition: ColumnElement[bool], name: str) -> Named:
    """The condition of a declaration, e.g. of a saved view, as one that can be kept: its values get the names
    ``{name}_0`` and so on, in the order in which they stand. Conditions under one name differ in values only.
    What every statement is executed with (who looks, `scopes`) keeps its name.
    """
    bound = (v for v in visitors.iterate(condition) if isinstance(v, BindParameter))
    values = [v for v in bound if not v.literal_execute and not v.required]
    names = {id(v): f"{name}_{n}" for n, v in enumerate(values)}

    def renamed(element: Any, **_: Any) -> Any:
        known = names.get(id(element))
        return known and bindparam(known, type_=element.type, expanding=element.expanding)

    def make() -> ColumnElement[bool]:
        return visitors.replacement_traverse(condition, {}, renamed)

    return Named((name, len(values)), {names[id(v)]: v.effective_value for v in values}, make)
