"""From what stands in the address to conditions: filters, the search box, chips.

Only declared filters are read; a field the person may not read cannot be filtered by (it could be found
by bisection), except by its full value where the guard allows that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from app.engine import names
from app.engine.cells import local, local_day
from app.engine.choices import Choice
from app.engine.fields import FieldSpec, Values, describe, is_mobile, normalise_phone
from app.engine.guards import may_filter, may_find_exactly
from app.engine.resource import Between, Resource
from app.engine.scopes import Actor

EMPTY = "-"
"""The value that stands for "nothing filled in" in a filter's address."""
MAX_VALUES = 50
MAX_TEXT = 64


@dataclass(frozen=True, slots=True)
class Active:
    """One filter in force: its field, its words in the chip, the parameters it came from."""

    spec: FieldSpec
    label: str
    names: tuple[str, ...]
    condition: ColumnElement[bool]
    selective: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A declared filter as the bar shows it."""

    spec: FieldSpec
    ranged: bool


def declared(resource: type[Resource], actor: Actor) -> list[FilterSpec]:
    """The filters this person may use, in the order of declaration."""
    found = []
    for source in resource.filters:
        ranged = isinstance(source, Between)
        spec = describe(source.column if isinstance(source, Between) else source)
        if may_filter(spec, actor) or (not ranged and may_find_exactly(spec, actor)):
            found.append(FilterSpec(spec, ranged or spec.kind in ("datetime", "date", "money")))
    return found


def active(
    resource: type[Resource], actor: Actor, args: Mapping[str, Sequence[str]], now: datetime
) -> tuple[list[Active], list[str]]:
    """The filters in force and the sentences about values that could not be read."""
    found: list[Active] = []
    errors: list[str] = []
    for declared_filter in declared(resource, actor):
        spec = declared_filter.spec
        made = (
            _range(spec, args, errors)
            if declared_filter.ranged
            else _equal(resource, spec, [v for v in args.get(spec.name, ()) if v][:MAX_VALUES], actor)
        )
        if made is not None:
            found.append(made)
    return found, errors


def window(resource: type[Resource], args: Mapping[str, Sequence[str]], now: datetime) -> Active | None:
    """The default range of a list, unless the person set another or took it away (A-64, A-65)."""
    if resource.window is None or args.get("window", ("",))[0] == "all":
        return None
    spec = describe(resource.window.column)
    if any(args.get(f"{spec.name}.{end}", ("",))[0] for end in ("from", "to")):
        return None
    first = local(now).date() - timedelta(days=resource.window.days)
    condition = resource.window.column >= local_day(first)
    label = f"{spec.label}：近 {resource.window.days} 天"
    return Active(spec, label, ("window",), condition, default=True)


def _equal(resource: type[Resource], spec: FieldSpec, values: list[str], actor: Actor) -> Active | None:
    if not values:
        return None
    words: list[str] = []
    parts: list[ColumnElement[bool]] = []
    selective = False
    wanted = [v for v in values if v != EMPTY]
    if len(wanted) < len(values):
        words.append("未填写")
        parts.append(_is_empty(resource, spec))
    if wanted:
        column = spec.attribute
        if spec.links is not None:
            ids = [int(v) for v in wanted if v.isdigit()]
            words += wanted
            parts.append(resource.pk().in_(select(spec.links.left).where(spec.links.right.in_(ids))))
        elif spec.kind in ("ref", "integer"):
            ids = [int(v) for v in wanted if v.lstrip("-").isdigit() and len(v) < 16]
            words += wanted
            parts.append(column.in_(ids))
        elif spec.kind == "bool":
            words += ["是" if v == "1" else "否" for v in wanted]
            parts.append(column.in_([v == "1" for v in wanted]))
        elif spec.kind == "choice":
            known = {e.value: e.label for e in spec.entries(actor.dealer_id)}
            valid = [v for v in wanted if v in known]
            words += [known[v] for v in valid]
            typed: list[Choice | str] = [spec.choices.of(v) for v in valid] if spec.choices else list(valid)
            parts.append(column.in_(typed) if typed else false())
        elif spec.kind == "phone" or spec.values is not None:
            selective = True
            words.append(wanted[0])
            parts.append(exact_condition(resource, spec, wanted[0]))
        else:
            selective = True
            words.append(wanted[0])
            parts.append(column == wanted[0].strip())
    return Active(spec, f"{spec.label}：{'、'.join(words)}", (spec.name,), or_(*parts), selective)


def _is_empty(resource: type[Resource], spec: FieldSpec) -> ColumnElement[bool]:
    source = spec.links or spec.values
    if source is not None:
        return resource.pk().not_in(select(source.left))  # type: ignore[no-any-return]
    return spec.attribute.is_(None)  # type: ignore[no-any-return]


def _range(spec: FieldSpec, args: Mapping[str, Sequence[str]], errors: list[str]) -> Active | None:
    parts: list[ColumnElement[bool]] = []
    words = []
    names_used = (f"{spec.name}.from", f"{spec.name}.to")
    for end, name in zip(("from", "to"), names_used, strict=True):
        text = (args.get(name) or ("",))[0].strip()
        if not text:
            words.append("")
            continue
        try:
            bound = _bound(spec, text, end == "to")
        except (ValueError, InvalidOperation, OverflowError):
            errors.append(f"{spec.label}：“{text[:20]}”不是有效的{_kind_word(spec)}")
            words.append("")
            continue
        words.append(text)
        column = spec.attribute
        if end == "from":
            parts.append(column >= bound)
        else:
            parts.append(column < bound if spec.kind == "datetime" else column <= bound)
    if (args.get(spec.name) or ("",))[0] == EMPTY:
        return Active(spec, f"{spec.label}：未填写", (spec.name,), spec.attribute.is_(None))
    if not parts:
        return None
    return Active(spec, f"{spec.label}：{words[0]} 至 {words[1]}", names_used, and_(*parts))


def _bound(spec: FieldSpec, text: str, end: bool) -> Any:
    if spec.kind == "datetime":
        day = date.fromisoformat(text[:10])
        return local_day(day + timedelta(days=1) if end else day)
    if spec.kind == "date":
        return date.fromisoformat(text[:10])
    if spec.kind == "integer":
        return int(text[:15])
    number = Decimal(text[:20])
    if not number.is_finite():
        raise ValueError(text)
    return number


def _kind_word(spec: FieldSpec) -> str:
    return "日期" if spec.kind in ("date", "datetime") else "数字"


def exact_condition(resource: type[Resource], spec: FieldSpec, text: str) -> ColumnElement[bool]:
    """Rows whose field has exactly this value; a phone is normalised first."""
    source: Values | None = spec.values
    phone = spec.kind in ("phone", "phones")
    value = normalise_phone(text) if phone else text.strip()
    if source is not None:
        return resource.pk().in_(select(source.left).where(source.value == value))  # type: ignore[no-any-return]
    return spec.attribute == value  # type: ignore[no-any-return]


def keyword(resource: type[Resource], text: str, actor: Actor, dialect: str) -> ColumnElement[bool] | None:
    """What the search box finds: full numbers, the last four digits of a phone, parts of a name (D-08).

    Parts of a number are no way round a mask: they are searched only by those who may read it.
    """
    text = text.strip()[:MAX_TEXT]
    if not text:
        return None
    parts: list[ColumnElement[bool]] = []
    digits = normalise_phone(text)
    for source in resource.exact:
        spec = describe(source)
        if not may_find_exactly(spec, actor):
            continue
        if spec.kind in ("phone", "phones"):
            if is_mobile(digits):
                parts.append(exact_condition(resource, spec, digits))
        else:
            parts.append(exact_condition(resource, spec, text.upper() if text.isascii() else text))
    if digits.isdigit() and len(digits) == 4:
        for source in resource.tail:
            if may_filter(describe(source), actor):
                spec = describe(source)
                parts.append(exact_condition(resource, spec, digits))
    if not is_mobile(digits):
        for column in resource.search:
            parts.append(names.condition(resource, column, text, dialect, actor.dealer_id))
    return or_(*parts) if parts else false()
