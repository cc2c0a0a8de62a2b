"""Field guards, and the gate: the only way a value of a record leaves the system.

A guard is declared on the column. A *restricting* guard (客户电话显示加密) hides when one role of the
person has it ticked; a *granting* one (查看结算价) hides until a role grants it (A-88, A-90).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal
from sqlalchemy.orm import Session

from app.engine.fields import FieldSpec, describe
from app.engine.scopes import Actor

GUARD_VIEW = "Guards"
CALLABLE = re.compile(r"\d{7,}")
_MASK = re.compile(r"(\d{3})?\*{4}(\d{4})?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Guard:
    """Who reads a column. ``mask`` and ``sql_mask`` give the readable rest, if there is one; ``exact``
    allows finding a record by the full value the person already knows; ``logged`` reading is audited."""

    name: str
    label: str
    restricting: bool = False
    mask: Callable[[str], str] | None = None
    sql_mask: Callable[[Any], ColumnElement[Any]] | None = None
    exact: bool = False
    logged: bool = False

    @property
    def permission(self) -> tuple[str, str]:
        """The ``(permission, view)`` pair of the role editor."""
        return (f"guard_{self.name}", GUARD_VIEW)

    def hides(self, actor: Actor | None) -> bool:
        """Whether this person must not read the whole value."""
        if actor is None:
            return True
        if actor.system:
            return False
        return actor.can(*self.permission) is self.restricting


def mask_phone(phone: str) -> str:
    """First three and last four digits (A-92); shorter numbers show nothing but stars."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 9 else "****"


def without_numbers(text: str) -> str:
    """The text with every number in it by which somebody could be called masked."""
    return CALLABLE.sub(lambda found: mask_phone(found.group()), text)


def phone_masked(phone: Any) -> ColumnElement[Any]:
    """The same in SQL."""
    length = func.length(phone)
    masked = func.substr(phone, 1, 3) + literal("****") + func.substr(phone, length - 3, 4)
    return case((phone.is_(None), None), (length >= 9, masked), else_=literal("****"))


CUSTOMER_PHONE = Guard(
    "customer_phone", "客户电话显示加密", restricting=True, exact=True,
    mask=mask_phone, sql_mask=phone_masked,
)  # fmt: skip
SETTLEMENT_PRICE = Guard("settlement_price", "查看结算价", logged=True)

_guards: dict[str, Guard] = {g.name: g for g in (CUSTOMER_PHONE, SETTLEMENT_PRICE)}


def all_guards() -> Iterable[Guard]:
    """Every guard that the program declares, for the generated tests."""
    return _guards.values()


_source: list[Callable[[Session | None], Iterable[Added]]] = []


@dataclass(frozen=True, slots=True)
class Added:
    """A guard that administrators made; without ``dealer`` for everybody. ``of`` is the resource whose field
    it keeps, and ``field`` what that is called."""

    guard: Guard
    dealer: int | None
    of: str
    field: str


def provide_guards(source: Callable[[Session | None], Iterable[Added]]) -> None:
    """Say who knows the guards that are added while the program runs; their domain calls this."""
    _source[:] = [source]


def added_guards(session: Session | None = None) -> Iterable[Added]:
    """The guards that administrators added, as they are in force; who works in a session of his own names it."""
    return _source[0](session) if _source else ()


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is left of a value the person may not read: its mask and the guard that hides it."""

    mask: str
    guard: Guard

    def __str__(self) -> str:
        return self.mask


def hidden(source: Any, actor: Actor | None) -> Guard | None:
    """The guard that hides this field from the person, or None. A logged one hides from everybody: the
    value is shown by its own action alone, which logs every look."""
    guard = describe(source).guard
    return guard if guard is not None and (guard.logged or guard.hides(actor)) else None


def beyond(spec: FieldSpec, actor: Actor | None) -> int | None:
    """The dealer to whose records a field is to be kept for this person, who also sees those of others."""
    return spec.dealer if spec.dealer is not None and (actor is None or actor.beyond_dealer) else None


def own(spec: FieldSpec, source: Any, actor: Actor | None) -> Any:
    """The column, in records of other dealers empty."""
    dealer = beyond(spec, actor)
    return source if dealer is None else case((spec.attribute.class_.dealer_id == dealer, source))


def projection(spec: FieldSpec, actor: Actor | None, source: Any = None) -> ColumnElement[Any] | None:
    """What may be selected for this field: the column, its SQL mask, or None (do not select it)."""
    if source is None:
        source = own(spec, spec.attribute, actor)
        if spec.signed is not None:
            source = case((spec.signed(), source), else_=-source)
    guard = hidden(spec, actor)
    if guard is None:
        return source  # type: ignore[no-any-return]
    return guard.sql_mask(source) if guard.sql_mask is not None else None


def withheld(spec: FieldSpec, actor: Actor | None) -> bool:
    """Whether the person reads nothing of the field, not even a mask, and so is not asked for it either."""
    guard = hidden(spec, actor)
    return guard is not None and guard.mask is None


def left_of(spec: FieldSpec, actor: Actor | None) -> Any:
    """What of the field is selected for this person, as far as it changes the words of a statement."""
    guard = hidden(spec, actor)
    return guard is None or guard.sql_mask


derived: dict[str, Callable[[Any, Actor | None], Any]] = {}
"""How the gate turns values of a kind that holds other records' values (an audit entry's changes) into
words for one reader."""


def gate(spec: FieldSpec, value: Any, actor: Actor | None, *, projected: bool = False) -> Any:
    """The value as this person may have it: itself, or `Hidden`.

    ``projected`` says that it came from `projection()` and carries its mask already.
    """
    if spec.kind in derived:
        return derived[spec.kind](value, actor)
    guard = hidden(spec, actor)
    if guard is None:
        return value
    if value is None and (projected and guard.sql_mask is not None):
        return None
    if projected and guard.sql_mask is not None:
        return Hidden(str(value), guard)
    if guard.mask is not None:
        return None if value is None else Hidden(guard.mask(str(value)), guard)
    return Hidden("", guard)


def is_mask(spec: FieldSpec, text: str) -> bool:
    """Whether a submitted text is only the mask coming back, which must never overwrite the value."""
    return spec.guard is not None and _MASK.fullmatch(text) is not None


def may_filter(spec: FieldSpec, actor: Actor | None) -> bool:
    """Whether the person may filter or sort by the field; guarded values can be found by bisection."""
    return hidden(spec, actor) is None


def may_find_exactly(spec: FieldSpec, actor: Actor | None) -> bool:
    """Whether a full value the person already knows may be looked up."""
    guard = hidden(spec, actor)
    return guard is None or guard.exact
