"""Statements that are the same for everybody are built and compiled once per shape.

Building a list's statement costs more than running it. Scopes, filters, windows and cursors carry named
bind parameters, so that one compiled statement serves every person and every value of the same shape.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from sqlalchemy import CursorResult, Select
from sqlalchemy.orm import Session

KEPT = 2000

_plans: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()


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
    statement: Any = _plans.get(whole)
    if statement is None:
        statement = _plans[whole] = build()
        while len(_plans) > KEPT:
            _plans.popitem(last=False)
    return connection.execute(statement, dict(params))
