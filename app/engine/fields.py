"""Columns that know their label, and the kinds of value the product can show, ask for and check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, String, Text
from sqlalchemy.orm import InstrumentedAttribute, MappedColumn, mapped_column

from app.engine.choices import Choice, ChoiceType, Entry, dictionary, entries_of
from app.engine.database import utcnow
from app.engine.phones import PhoneType as PhoneType
from app.engine.phones import is_landline as is_landline
from app.engine.phones import is_mobile as is_mobile
from app.engine.phones import normalise_phone as normalise_phone

if TYPE_CHECKING:
    from app.engine.aids import Aid
    from app.engine.formulas import Formula
    from app.engine.guards import Guard
    from app.engine.scopes import Actor

Pk = Annotated[int, mapped_column(Integer, primary_key=True)]
Phone = Annotated[str, mapped_column(PhoneType)]
Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]
CreatedAt = Annotated[datetime, mapped_column(DateTime, default=utcnow)]


Look = Literal["", "due", "level", "said"]
"""What a cell looks like where the kind alone does not say it: a moment somebody waits for, a rank in one
letter, the gist of what was said."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Traits:
    """What a declaration says of a column or an input beyond its label and kind.

    ``guard`` limits who reads it; ``dictionary`` names an administrators' dictionary and ``choices`` a
    `Choice` class; ``parent`` names the column whose value narrows this pick list (D-13), of a reference a
    column of the same name on what it refers to; with ``sole`` the parent's only entry is chosen by itself.
    ``numbered`` names a number scheme that fills the column; ``prefers`` says which records come first, best
    first (`Resource.pick_by`); ``today`` presets a new record's date and ``future`` refuses past ones;
    ``signed`` gives the condition under which an amount is shown as it is stored, and otherwise as taken
    away; ``blank`` is what an empty value means, in words. ``minimum`` and ``maximum`` bound a number that is
    typed, ``pattern`` is what a text must look like; ``wrong`` is said of what cannot be read, where the kind's
    own sentence does not serve.

    Three conditions of the form ``"field=value|value"`` follow another field: the input is there only with
    ``shown_when``, can only be filled in with ``opens_when`` (else it stays in its place, empty), and must be
    with ``needed_when``.

    ``placeholder`` stands in the empty input; a request (请输入小区) also asks for what is missing.
    ``heading`` is its word in lists, where that differs from the form's. ``aid`` is a button that fills it in.

    ``shown(value, *others, now=now)`` gives what pages show in place of the stored value: another value or
    something drawn (`cells.Due`, `cells.Said`); ``beside`` names the columns of the record whose values it
    is given, each as far as the reader may have it.
    """

    guard: Guard | None = None
    dictionary: str = ""
    choices: type[Choice] | None = None
    hint: str = ""
    numbered: str = ""
    parent: str = ""
    unit: str = ""
    wide: bool = False
    shown_when: str = ""
    opens_when: str = ""
    needed_when: str = ""
    placeholder: str = ""
    heading: str = ""
    wrong: str = ""
    aid: Aid | None = None
    pattern: str = ""
    minimum: Decimal | int | None = None
    maximum: Decimal | int | None = None
    prefers: tuple[str, ...] = ()
    sole: bool = False
    today: bool = False
    future: bool = False
    signed: Callable[[], Any] | None = None
    blank: str = ""
    look: Look = ""
    beside: tuple[str, ...] = ()
    shown: Callable[..., Any] | None = None


_TRAITS = tuple(f.name for f in fields(Traits))


@dataclass(frozen=True, slots=True, eq=False)
class Meta(Traits):
    """What `column()` adds to a database column; read through `describe()`."""

    label: str
    kind: str = ""
    required: bool | None = None


def column(
    label: str,
    *args: Any,
    kind: str = "",
    required: bool | None = None,
    choices: type[Choice] | None = None,
    dictionary: str = "",
    **options: Any,
) -> MappedColumn[Any]:
    """A mapped column with its Chinese label and what holds for it on every screen (`Traits`).

    ``kind`` overrides the kind derived from the type; ``required`` overrides "not nullable and without
    default". What is none of the traits goes to the column itself.
    """
    traits = {name: options.pop(name) for name in _TRAITS if name in options}
    meta = Meta(label, kind, required, choices=choices, dictionary=dictionary, **traits)
    if choices is not None:
        args = (ChoiceType(choices), *args)
    elif dictionary and not args:
        args = (String(32),)
    return mapped_column(*args, info={"zk": meta}, **options)


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpec(Traits):
    """One field as screens, checks and the gate see it: of a column, a link table or an action's form.

    ``fixed`` says of whom, and of which record, the field is only read on a form: its value is the record's,
    or the one a new form starts with, and never what was submitted; an input that is no column says ``wrong`` to
    whoever submits it all the same. With a ``dealer`` the column is that field
    in this dealer's records only: in those of others it is something else (`faces`). With a ``formula`` it is
    worked out and never typed; a ``unique`` value stands in one record of a dealer only.
    """

    name: str
    label: str
    kind: str
    attribute: Any = None
    required: bool = False
    maxlength: int | None = None
    target: Any = None
    multiple: bool = False
    default: Any = None
    links: Links | None = None
    values: Values | None = None
    options: tuple[Entry, ...] = field(default=())
    within: Any = None
    spent: Callable[..., Any] | None = None
    most: int = 0
    fixed: Callable[[Actor, Any], bool] | None = None
    dealer: int | None = None
    formula: Formula | None = None
    unique: bool = False

    @property
    def ask(self) -> str:
        """The sentence that asks for it."""
        return self.placeholder if self.placeholder.startswith("请") else ask_for(self.kind, self.label)

    def is_of(self, record: Any) -> bool:
        """Whether the record has that field."""
        return self.dealer is None or record is None or record.dealer_id in (None, self.dealer)

    @property
    def stored(self) -> bool:
        """Whether it stands in a column of its record."""
        return isinstance(self.attribute, InstrumentedAttribute)

    @property
    def head(self) -> str:
        """Its word above a column."""
        return self.heading or self.label

    def entries(self, dealer_id: int | None) -> tuple[Entry, ...]:
        """The choices offered to people of that dealer; empty for fields without choices."""
        if self.options:
            return self.options
        if self.choices is not None:
            return entries_of(self.choices)
        return dictionary(self.dictionary, dealer_id) if self.dictionary else ()


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """A set of other records attached through a link table: tags, collaborators.

    ``left`` and ``right`` are the link table's columns to this record and to the other one; ``copies``
    maps further columns of the link table to columns of the record that they repeat (scope indexes).
    """

    name: str
    label: str
    left: Any
    right: Any
    copies: tuple[tuple[Any, Any], ...] = ()
    guard: Guard | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Several plain values of one record kept in a table of their own: a customer's further phones.

    ``main`` is the record's own column whose value stands in that table too (so that one index finds
    all of them) but is not shown or asked for among the further ones.
    """

    name: str
    label: str
    left: Any
    value: Any
    order: Any = None
    copies: tuple[tuple[Any, Any], ...] = ()
    hint: str = ""
    main: Any = None
    most: int = 0
    """So many of them at most; 0 for as many as a form takes."""


def entry(
    name: str,
    label: str,
    kind: str = "text",
    *,
    required: bool = False,
    target: Any = None,
    multiple: bool = False,
    maxlength: int | None = None,
    default: Any = None,
    options: tuple[Entry, ...] = (),
    within: Any = None,
    spent: Callable[..., Any] | None = None,
    **traits: Any,
) -> FieldSpec:
    """An input of an action's form that is no column: ``kind`` as in `FieldSpec`, ``target`` a model.

    ``options`` offers fixed entries. ``within`` is the target's foreign key to the records the action is
    about: only what belongs to them is offered. ``spent(session, ids)`` is the
    condition of what those records have used up, which is not offered; that it is not taken all the same the
    rule has to look for itself. For the rest see `Traits`.
    """
    if options or traits.get("choices") is not None or traits.get("dictionary"):
        kind = "choices" if multiple else "choice"
    if target is not None:
        kind = "refs" if multiple else "ref"
    traits["wide"] = traits.get("wide", False) or kind == "textarea"
    return FieldSpec(
        name, label, kind, required=required, target=target, multiple=multiple, maxlength=maxlength,
        default=default, options=options, within=within, spent=spent, **traits,
    )  # fmt: skip


def reckoned(name: str, label: str, kind: str, expression: Any, **traits: Any) -> FieldSpec:
    """A field that stands in no column: the database works it out of what it has, wherever it is listed, filtered
    or shown. It is never written, and so it never lags behind what it is worked out of."""
    return FieldSpec(name, label, kind, attribute=expression, **traits)


def fixed(
    source: Any,
    unless: Callable[[Actor], bool] | None = None,
    once: Callable[[Any], bool] | None = None,
) -> FieldSpec:
    """A column that a form shows and does not ask for, ``unless`` this is true of the person; with ``once`` only
    when that is true of the record that is edited."""

    def holds(actor: Actor, record: Any) -> bool:
        if unless is not None and unless(actor):
            return False
        return once is None or (record is not None and once(record))

    return replace(describe(source), required=False, fixed=holds)


FILES = frozenset({"image", "file"})
"""Kinds whose values are files."""
_CHOSEN = frozenset({"choice", "choices", "ref", "refs", "date", "datetime"})
_IMPERATIVES = ("选择", "填写", "输入", "再次", "重新", "确认", "上传")


def ask_for(kind: str, label: str) -> str:
    """The sentence that asks for an empty field; a label that says what to do is not told to do it."""
    if label.startswith(_IMPERATIVES):
        return f"请{label}"
    return f"请{'选择' if kind in _CHOSEN else '上传' if kind in FILES else '填写'}{label}"


_described: dict[Any, FieldSpec] = {}


def describe(source: Any) -> FieldSpec:
    """The field behind a column attribute, a `Links`, a `Values` or a ready `FieldSpec`."""
    if isinstance(source, FieldSpec):
        return source
    key = source if not isinstance(source, InstrumentedAttribute) else (source.class_, source.key)
    found = _described.get(key)
    if found is None:
        found = _described[key] = _describe(source)
    return found


def _describe(source: Any) -> FieldSpec:
    if isinstance(source, Links):
        return FieldSpec(
            source.name, source.label, "refs", guard=source.guard, multiple=True, links=source, wide=True,
            target=_target(source.right), required=source.required,
        )  # fmt: skip
    if isinstance(source, Values):
        inner = describe(source.value)
        return FieldSpec(
            source.name, source.label, "phones" if inner.kind == "phone" else "texts", guard=inner.guard,
            multiple=True, values=source, hint=source.hint, maxlength=inner.maxlength, most=source.most,
        )  # fmt: skip
    table_column = source.property.columns[0]
    meta: Meta = table_column.info.get("zk") or Meta(label=source.key)
    needed = (
        not table_column.nullable and table_column.default is None and table_column.server_default is None
    )
    default = getattr(table_column.default, "arg", None)
    traits = {name: getattr(meta, name) for name in _TRAITS}
    traits["wide"] = meta.wide or isinstance(table_column.type, Text)
    return FieldSpec(
        source.key,
        meta.label,
        meta.kind or _kind(table_column, meta),
        attribute=source,
        required=needed if meta.required is None else meta.required,
        maxlength=getattr(table_column.type, "length", None),
        target=_target(source),
        default=None if callable(default) else default,
        **traits,
    )


def with_companions(specs: Sequence[FieldSpec]) -> tuple[list[FieldSpec], list[tuple[int, ...]]]:
    """The fields to read for showing these, and for each of these where its companions stand among them."""
    wanted = list(specs)
    places = {spec.name: n for n, spec in enumerate(wanted)}
    beside = []
    for spec in specs:
        for name in spec.beside:
            if name not in places:
                places[name] = len(wanted)
                wanted.append(describe(getattr(spec.attribute.class_, name)))
        beside.append(tuple(places[name] for name in spec.beside))
    return wanted, beside


def _kind(table_column: Any, meta: Meta) -> str:
    if table_column.foreign_keys:
        return "ref"
    if meta.choices is not None or meta.dictionary:
        return "choice"
    kinds: tuple[tuple[type, str], ...] = (
        (PhoneType, "phone"),
        (Boolean, "bool"),
        (DateTime, "datetime"),
        (Date, "date"),
        (Numeric, "money"),
        (Integer, "integer"),
        (Text, "textarea"),
    )
    return next((kind for type_, kind in kinds if isinstance(table_column.type, type_)), "text")


def _target(source: Any) -> Any:
    """The mapped class a foreign key points to, the most derived one of the product's own."""
    foreign = next(iter(source.property.columns[0].foreign_keys), None)
    if foreign is None:
        return None
    table = foreign.column.table
    classes = [m.class_ for m in source.class_.registry.mappers if m.local_table is table]
    return max(classes, key=lambda c: len(c.__mro__))
