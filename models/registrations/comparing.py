"""What was registered beside what the showroom holds now, field by field (E-79, E-80).

The comparison is made by the database, so that it holds for values the reader may not see: that two numbers
differ is told, what they are is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select

from app.engine.fields import FieldSpec, describe
from models.registrations.tables import Assignment, Registration

FIELDS = ("name", "brand_category_id", "phone", "telephone", "address", "designer", "company")
"""What is compared, in the order of the audit page; both tables call it the same."""
_BLANK = " \t\r\n\u3000"


@cache
def registered() -> tuple[FieldSpec, ...]:
    """The fields as the registrant filed them."""
    return tuple(describe(getattr(Registration, name)) for name in FIELDS)


@cache
def corrected() -> tuple[FieldSpec, ...]:
    """The same fields as the showroom holds them; their labels head the columns."""
    return tuple(describe(getattr(Assignment, name)) for name in FIELDS)


def differences() -> Mapping[str, ColumnElement[bool]]:
    """By field: whether an assignment differs from its registration. Surrounding spaces do not count, an empty
    value differs from a filled one."""
    return {name: _differ(getattr(Registration, name), getattr(Assignment, name)) for name in FIELDS}


def differing() -> ColumnElement[bool]:
    """Assignments with any difference; a scalar subquery, so that the registration is looked up by its key."""
    pair = Registration.id == Assignment.registration_id
    found = select(literal(1)).where(pair, or_(*differences().values())).correlate(Assignment)
    return found.scalar_subquery().is_not(None)


def _differ(filed: Any, held: Any) -> ColumnElement[bool]:
    if describe(filed).kind == "ref":
        return filed.is_distinct_from(held)  # type: ignore[no-any-return]
    return _words(filed) != _words(held)


def _words(column: Any) -> ColumnElement[str]:
    return func.coalesce(func.trim(column, _BLANK), "")
