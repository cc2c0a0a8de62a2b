"""From what stands in the address to conditions: filters and their chips; the search box is in `searching`.

Only declared filters are read; a field the person may not read cannot be filtered by (it could be found
by bisection), except by its full value where the guard allows that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import InvalidOperation
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, false, or_, select

from app.engine import names, relative, throttle
from app.engine.database import id_of
from app.engine.fields import FieldSpec, Values, describe, is_mobile, normalise_phone
from app.engine.guards import Guard, beyond
from app.engine.localtime import local, local_day
from app.engine.ranges import boundary, kind_word
from app.engine.resource import (
    Between,
    Part,
    Resource,
    Ticked,
    filtered,
    has_resource,
    repeated,
    resource_of,
)
from app.engine.scopes import Actor
from app.engine.slots import contains, marked

EMPTY = "-"
"""The value that stands for "nothing filled in" in a filter's address."""
_CHOSEN = frozenset({"choice", "choices"})
MAX_VALUES = 50
MAX_TEXT = 64
MAX_WINDOW = 3650
PERIOD = "in"
"""The end of a parameter that asks for a date by a period that moves."""
WINDOW = ("window",)
"""The key of the list's default range."""
PART = "part"
"""What the values of parts of texts are called by in statements."""


@dataclass(frozen=True, slots=True)
class Active:
    """One filter in force: its field, its words in the chip, the parameters it came from.

    ``key`` names the condition's shape and ``params`` its values (see `plans`); ``make`` builds it.
    """

    spec: FieldSpec
    label: str
    names: tuple[str, ...]
    key: tuple[Hashable, ...]
    params: dict[str, Any]
    make: Callable[[], ColumnElement[bool]]
    selective: bool = False
    default: bool = False
    seen: Callable[[], ColumnElement[bool]] | None = None
    """The same looked at row by row, where it is not the same condition."""
    part: str = ""
    """The text that is a part of what the column holds."""
    of: int | None = None
    """The dealer whose records alone are meant, where the person sees those of others too."""

    @property
    def walk(self) -> Callable[[], ColumnElement[bool]]:
        """The condition for walking along the list."""
        return self.seen or self.make


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A declared filter as the bar shows it."""

    spec: FieldSpec
    ranged: bool
    part: bool = False
    ticked: bool = False

    @property
    def ends(self) -> tuple[str, ...]:
        """The ends of the parameters by which a range is asked for."""
        dated = self.spec.kind in ("date", "datetime")
        return ("from", "to", *((PERIOD,) if dated else ())) if self.ranged else ()


def declared(resource: type[Resource], actor: Actor) -> Sequence[FilterSpec]:
    """The filters this person may use, in the order of declaration."""
    key: Any = resource
    return _declared(key, frozenset(g for g in _guards_of(key) if g.hides(actor)))


@lru_cache(maxsize=256)
def _guards_of(resource: type[Resource]) -> frozenset[Guard]:
    guards = (describe(filtered(source)).guard for source in resource.filters)
    return frozenset(guard for guard in guards if guard is not None)


@lru_cache(maxsize=1024)
def _declared(resource: type[Resource], hiding: frozenset[Guard]) -> Sequence[FilterSpec]:
    found = []
    for source in resource.filters:
        ranged = isinstance(source, Between)
        spec = describe(filtered(source))
        if spec.guard not in hiding or (not ranged and spec.guard is not None and spec.guard.exact):
            ranged = ranged or spec.kind in ("datetime", "date", "money", "number")
            part = isinstance(source, Part) and spec.guard not in hiding
            found.append(FilterSpec(spec, ranged, part, isinstance(source, Ticked)))
    return tuple(found)


def active(
    resource: type[Resource], actor: Actor, args: Mapping[str, Sequence[str]], dialect: str, now: datetime
) -> tuple[list[Active], list[str]]:
    """The filters in force and the sentences about values that could not be read."""
    found: list[Active] = []
    errors: list[str] = []
    today = local(now).date()
    for declared_filter in declared(resource, actor):
        spec = declared_filter.spec
        if declared_filter.ranged:
            made = _range(spec, args, errors, today)
        else:
            values = [v for v in args.get(spec.name, ()) if v][:MAX_VALUES]
            made = _part(resource, spec, values, dialect) if declared_filter.part else None
            made = made or _equal(resource, spec, values, actor, errors) or _named(resource, spec, args)
        if made is not None:
            found.append(_of_own(made, actor))
    return found, errors


def _of_own(made: Active, actor: Actor) -> Active:
    """The same among the records of the dealer whose field it is."""
    dealer = beyond(made.spec, actor)
    if dealer is None:
        return made
    model, make, walk = made.spec.attribute.class_, made.make, made.walk
    return replace(
        made, key=(*made.key, "of", dealer), of=dealer,
        make=lambda: and_(model.dealer_id == dealer, make()), seen=lambda: and_(model.dealer_id == dealer, walk()),
    )  # fmt: skip


def window(
    resource: type[Resource], args: Mapping[str, Sequence[str]], given: Sequence[Active], now: datetime
) -> Active | None:
    """The default range of a list, unless the person set another among the ``given`` filters or took it
    away (A-64, A-65). A bound that could not be read is none."""
    days = window_days(resource, args)
    if resource.window is None or not days:
        return None
    spec = describe(resource.window.column)
    if any(active.spec.name == spec.name for active in given):
        return None
    first = local(now).date() - timedelta(days=days)
    column = resource.window.column
    return Active(
        spec,
        f"{spec.label}：近 {days} 天",
        ("window",),
        WINDOW,
        {"window_from": local_day(first)},
        lambda: column >= bindparam("window_from", type_=column.type),
        default=True,
    )


def window_days(resource: type[Resource], args: Mapping[str, Sequence[str]]) -> int:
    """The days of the window in force: those the address names, else the declared ones; 0 for all."""
    asked = (args.get("window") or ("",))[0]
    if asked == "all":
        return 0
    days = id_of(asked)
    return days if 0 < days <= MAX_WINDOW else resource.window_days()


def without(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows whose column holds none of these values, which stand in the statement itself: an index over just
    those rows is found by the same words only."""
    return and_(*(column != bindparam(None, v, type_=column.type, literal_execute=True) for v in values))


def _equal(
    resource: type[Resource], spec: FieldSpec, values: list[str], actor: Actor, errors: list[str]
) -> Active | None:
    if not values:
        return None
    wanted = [v for v in values if v != EMPTY]
    empty = len(wanted) < len(values)
    words = ["未填写"] if empty else []
    name = f"f_{spec.name}"
    if spec.kind in ("phone", "phones") or (spec.kind == "text" and not spec.multiple):
        if not wanted:
            return Active(
                spec,
                f"{spec.label}：未填写",
                (spec.name,),
                ("empty", spec.name),
                {},
                lambda: _is_empty(resource, spec),
            )
        value = normalise_phone(wanted[0]) if spec.kind != "text" else wanted[0].strip()
        throttle.look_up(spec, actor, [value])
        return Active(
            spec, f"{spec.label}：{wanted[0]}", (spec.name,), ("exact", spec.name), {name: value},
            lambda: exactly(resource, spec, bindparam(name)), selective=True,
        )  # fmt: skip
    typed, said, unknown = _typed(spec, wanted, actor)
    words += said
    errors += [f"{spec.label}：没有“{v[:20]}”这一项" for v in unknown]
    if not typed and not empty:
        label = f"{spec.label}：{'、'.join(wanted)[:20]}"
        return Active(spec, label, (spec.name,), ("nothing", spec.name), {}, false, selective=True)
    if spec.kind == "choices":
        return _any_of(resource, spec, typed, "、".join(words), empty=empty)
    many = partial(bindparam, name, expanding=True)

    def own() -> ColumnElement[bool]:
        found: ColumnElement[bool] = spec.attribute.in_(many())
        return found

    def linked(*, at_hand: bool) -> ColumnElement[bool]:
        # Gathered from the other record's side, or looked up for a row at hand: a frequent tag has more
        # records than a page, and planners turn EXISTS and IN into a search for all of them.
        links: Any = spec.links
        found = select(links.left).where(links.right.in_(many()))
        if not at_hand:
            gathered: ColumnElement[bool] = resource.pk().in_(found)
            return gathered
        mine = found.where(links.left == resource.pk()).correlate(resource.model).limit(1)
        return mine.scalar_subquery().is_not(None)

    def made(condition: Callable[[], ColumnElement[bool]]) -> Callable[[], ColumnElement[bool]]:
        return (lambda: or_(_is_empty(resource, spec), condition())) if empty else condition

    make, seen = (own, own) if spec.links is None else (partial(linked, at_hand=h) for h in (False, True))
    key = ("any", spec.name, empty)
    label = f"{spec.label}：{'、'.join(words)}"
    return Active(spec, label, (spec.name,), key, {name: typed}, made(make), seen=made(seen))


def _any_of(
    resource: type[Resource], spec: FieldSpec, typed: Sequence[str], words: str, *, empty: bool
) -> Active:
    """Rows whose several choices contain any of these."""
    names = [f"f_{spec.name}_{n}" for n in range(len(typed))]

    def make() -> ColumnElement[bool]:
        parts = [contains(spec.attribute, bindparam(name, type_=String)) for name in names]
        return or_(*([_is_empty(resource, spec)] if empty else ()), *parts)

    params = {name: marked(value) for name, value in zip(names, typed, strict=True)}
    label = f"{spec.label}：{words}"
    return Active(spec, label, (spec.name,), ("contains", spec.name, len(typed), empty), params, make)


def _part(resource: type[Resource], spec: FieldSpec, values: list[str], dialect: str) -> Active | None:
    """Rows whose column contains the text. What is empty, and a full number, are looked up as they are."""
    typed = " ".join(values[0].split())[:MAX_TEXT] if values else ""
    if not typed or typed == EMPTY:
        return None
    words = normalise_phone(typed) if spec.kind == "phone" else typed
    if spec.kind == "phone" and is_mobile(words):
        return None
    column = spec.attribute
    return Active(
        spec, f"{spec.label}：{typed}", (spec.name,), ("part", *names.shape(column, words)),
        names.values(column, words, PART), lambda: names.condition(resource, column, words, dialect, PART),
        seen=lambda: names.contains(column, words, dialect, PART), part=words,
    )  # fmt: skip


def rare(found: Sequence[Active], dialect: str) -> bool:
    """Whether the longest part of a text that is asked for leaves few rows, so that these are gathered first."""
    parts = sorted((a for a in found if a.part), key=lambda a: len(a.part))
    return bool(parts) and not names.frequent(parts[-1].spec.attribute, parts[-1].part, dialect)


def _named(resource: type[Resource], spec: FieldSpec, args: Mapping[str, Sequence[str]]) -> Active | None:
    """Without scripts a picker sends the typed name: rows whose reference bears exactly that name."""
    text = (args.get(f"{spec.name}__text") or ("",))[0].strip()
    if not text or spec.target is None or not has_resource(spec.target):
        return None
    target, name = resource_of(spec.target), f"f_{spec.name}"

    def make() -> ColumnElement[bool]:
        meant = select(target.pk()).where(target.title == bindparam(name))
        if spec.links is not None:
            return resource.pk().in_(select(spec.links.left).where(spec.links.right.in_(meant)))  # type: ignore[no-any-return]
        return spec.attribute.in_(meant)  # type: ignore[no-any-return]

    used = (f"{spec.name}__text",)
    return Active(spec, f"{spec.label}：{text}", used, ("named", spec.name, spec.target), {name: text}, make)


def _typed(spec: FieldSpec, wanted: list[str], actor: Actor) -> tuple[list[Any], list[str], list[str]]:
    """The values as the column holds them, their words, and those that name nothing."""
    if spec.kind == "bool":
        known = {"1": "是", "0": "否"}
    elif spec.kind in _CHOSEN:
        known = {e.value: e.label for e in spec.entries(actor.dealer_id)}
    else:
        known = {v: v for v in wanted if id_of(v)}
    valid = [v for v in wanted if v in known]
    typed: list[Any] = list(valid)
    if spec.kind == "bool":
        typed = [v == "1" for v in valid]
    elif spec.kind not in _CHOSEN:
        typed = [int(v) for v in valid]
    elif spec.choices is not None:
        typed = [spec.choices.of(v) for v in valid]
    return typed, [known[v] for v in valid], [v for v in wanted if v not in known]


def _is_empty(resource: type[Resource], spec: FieldSpec) -> ColumnElement[bool]:
    source = spec.links or spec.values
    if source is not None:
        return resource.pk().not_in(select(source.left))  # type: ignore[no-any-return]
    return spec.attribute.is_(None)  # type: ignore[no-any-return]


def _range(
    spec: FieldSpec, args: Mapping[str, Sequence[str]], errors: list[str], today: date
) -> Active | None:
    column = spec.attribute
    if (args.get(spec.name) or ("",))[0] == EMPTY:
        key: tuple[Hashable, ...] = ("empty", spec.name)
        return Active(spec, f"{spec.label}：未填写", (spec.name,), key, {}, lambda: column.is_(None))
    ends = (f"{spec.name}.from", f"{spec.name}.to")
    bounds: list[Any] = []
    words = []
    typed = [(args.get(name) or ("",))[0].strip() for name in ends]
    period = "" if any(typed) else _period(spec, args, errors, today, typed)
    for end, text in enumerate(typed):
        bound = None
        if text:
            try:
                bound = boundary(spec, text, end == 1)
            except (ValueError, InvalidOperation, OverflowError):
                errors.append(f"{spec.label}：“{text[:20]}”不是有效的{kind_word(spec)}")
                text = ""
        bounds.append(bound)
        words.append(text)
    low, high = bounds
    if low is None and high is None:
        return None
    first, last = f"f_{spec.name}_from", f"f_{spec.name}_to"

    def make() -> ColumnElement[bool]:
        parts = []
        if low is not None:
            parts.append(column >= bindparam(first, type_=column.type))
        if high is not None:
            end = bindparam(last, type_=column.type)
            parts.append(column < end if spec.kind == "datetime" else column <= end)
        return and_(*parts)

    params = {n: v for n, v in ((first, low), (last, high)) if v is not None}
    key = ("range", spec.name, low is not None, high is not None)
    used = (*ends, f"{spec.name}.{PERIOD}")
    said = f"{words[0]} 至 {words[1]}" if all(words) else f"{words[0]} 起" if words[0] else f"至 {words[1]}"
    said = period or said
    return Active(spec, f"{spec.label}：{said}", used, key, params, make)


def _period(
    spec: FieldSpec, args: Mapping[str, Sequence[str]], errors: list[str], today: date, typed: list[str]
) -> str:
    """Put the days of a period that moves in the place of typed ones; returns its words."""
    word = (args.get(f"{spec.name}.{PERIOD}") or ("",))[0].strip()
    if not word or spec.kind not in ("date", "datetime"):
        return ""
    found = relative.days(word, today)
    if found is None:
        errors.append(f"{spec.label}：“{word[:20]}”不是有效的时间段")
        return ""
    typed[:] = [day.isoformat() if day is not None else "" for day in found]
    return relative.label(word)


def exactly(resource: type[Resource], spec: FieldSpec, value: Any) -> ColumnElement[bool]:
    """Rows whose field has exactly this value; a phone comes normalised."""
    source: Values | None = spec.values or repeated(resource, spec)
    if source is None:
        return spec.attribute == value  # type: ignore[no-any-return]
    owners: ColumnElement[bool] = resource.pk().in_(select(source.left).where(source.value == value))
    return owners if spec.attribute is None else owners & (spec.attribute == value)
