"""The search box: from what is typed there to a condition."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, false, or_, select, union

from app.engine import names, throttle
from app.engine.fields import FieldSpec, describe, is_mobile, normalise_phone
from app.engine.filters import MAX_TEXT, exactly
from app.engine.guards import may_filter, may_find_exactly
from app.engine.resource import Resource
from app.engine.scopes import Actor

TAIL = 4
"""So many last digits of a phone find it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What the search box asks for, in the same form."""

    key: tuple[Hashable, ...] | None
    params: dict[str, Any]
    make: Callable[[], ColumnElement[bool]]
    exact: bool
    """A number rather than a name: looked for past the list's window and in every scope."""
    walk: Callable[[], ColumnElement[bool]]
    """The same looked at row by row, for walking along the list."""
    frequent: bool = False
    """Walking along the list finds a page soonest."""


def keyword(resource: type[Resource], text: str, actor: Actor, dialect: str) -> Search | None:
    """What the search box finds: full numbers, the last four digits of a phone, parts of a name (D-08).

    Parts of a number are no way round a mask: they are searched only by those who may read it.
    """
    text = text.strip()[:MAX_TEXT]
    if not text:
        return None
    digits = normalise_phone(text)
    mobile = is_mobile(digits)
    exact = [s for s in map(describe, resource.exact) if may_find_exactly(s, actor)]
    phones = [s for s in exact if s.kind in ("phone", "phones")] if mobile else []
    for spec in phones:
        throttle.look_up(spec, actor, [digits])
    codes = [s for s in exact if s.kind not in ("phone", "phones")]
    tails: list[FieldSpec] = []
    if digits.isascii() and digits.isdigit() and len(digits) == TAIL:
        tails = [s for s in map(describe, resource.tail) if may_filter(s, actor)]
    searched = () if mobile else resource.search
    params: dict[str, Any] = {"q_digits": digits, "q_code": text, "q_upper": text.upper()}

    def indexed(column: Any) -> ColumnElement[bool]:
        return names.condition(resource, column, text, dialect)

    def seen(column: Any) -> ColumnElement[bool]:
        return names.contains(column, text, dialect)

    def make(named: Callable[[Any], ColumnElement[bool]] = indexed) -> ColumnElement[bool]:
        parts = [exactly(resource, s, bindparam("q_digits")) for s in (*phones, *tails) if s.values is None]
        parts += [exactly(resource, s, bindparam(n)) for s in codes for n in ("q_code", "q_upper")]
        parts += [named(c) for c in searched]
        aside = [s.values for s in (*phones, *tails) if s.values is not None]
        # A table of its own is asked for itself: joined by OR it would make PostgreSQL read every row.
        ways: list[Any] = [select(v.left).where(v.value == bindparam("q_digits")) for v in aside]
        if not ways:
            return or_(*parts) if parts else false()
        if parts:
            ways.append(select(resource.pk()).where(or_(*parts)))
        found: Any = union(*ways) if len(ways) > 1 else ways[0]
        return resource.pk().in_(found)  # type: ignore[no-any-return]

    names_of = [names.shape(c, text) for c in searched]
    shape = ("q", *(s.name for s in (*phones, *tails, *codes)), len(phones), len(tails), *names_of)
    for c in searched:
        params |= names.values(c, text)
    numeric = text.isascii() and sum(c.isdigit() for c in text) >= TAIL
    frequent = not numeric and any(names.frequent(c, text, dialect) for c in searched)
    return Search(shape, params, make, numeric, lambda: make(seen), frequent)
