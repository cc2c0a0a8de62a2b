"""From a form's values to what is stored: columns, running numbers, links and value sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, inspect, select
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act, Invalid
from app.engine.database import alone
from app.engine.fields import FieldSpec, Links, Values, describe
from app.engine.forms import Keeping
from app.engine.numbers import next_number
from app.engine.resource import Resource, fields_of

TAKEN = "已有相同的内容，不能重复"
_UNIQUE = -11


def set_columns(
    resource: type[Resource], record: Any, values: Mapping[str, Any], *, editing: bool
) -> list[FieldSpec]:
    """Set what the form declares and ``values`` holds; returns the link and value sets to write later."""
    later: list[FieldSpec] = []
    unknown = set(values) - {s.name for s in fields_of(resource.groups(editing))}
    if unknown:
        raise Invalid(dict.fromkeys(sorted(unknown), "不可填写此项"))
    for spec in fields_of(resource.groups(editing)):
        if spec.name not in values:
            continue
        if spec.links is not None or spec.values is not None:
            later.append(spec)
        elif spec.attribute is not None and hasattr(type(record), spec.name):
            setattr(record, spec.name, values[spec.name])
    return later


def differing(
    session: Session, resource: type[Resource], record: Any, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Of ``values`` those that are not so already; what the form does not ask stays, to be refused."""
    known = {s.name: s for s in fields_of(resource.groups(editing=True))}
    return {n: v for n, v in values.items() if n not in known or _differs(session, record, known[n], v)}


def _differs(session: Session, record: Any, spec: FieldSpec, value: Any) -> bool:
    if spec.links is None and spec.values is None:
        return not hasattr(record, spec.name) or bool(getattr(record, spec.name) != value)
    present, wanted = _members(session, record, spec), _whole(record, spec, value)
    return not present.issuperset(wanted) if isinstance(value, Keeping) else present != set(wanted)


def keep_own(resource: type[Resource], record: Any) -> None:
    """Leave out what the record's dealer does not have as a field."""
    if isinstance(record, resource.model):
        for spec in resource.added:
            if not spec.is_of(record) and getattr(record, spec.name) is not None:
                setattr(record, spec.name, None)


def keep_unique(act: Act, resource: type[Resource], record: Any, *, fresh: bool = False) -> None:
    """Raise `Invalid` for a value that must stand in one record of a dealer and stands in another one. Whoever
    wants to store the same value waits until it is decided here. Of a ``fresh`` record every value is new, also
    where its rule has written it already."""
    if not isinstance(record, resource.model):
        return
    state = inspect(record)
    changed = [
        (spec, value)
        for spec in resource.added
        if spec.unique and (fresh or state.attrs[spec.name].history.has_changes())
        for value in (getattr(record, spec.name),)
        if value not in (None, "") and spec.is_of(record)
    ]
    if not changed:
        return
    claim_unique(act.session, resource, record.dealer_id, [spec for spec, _ in changed])
    errors = {}
    for spec, value in changed:
        mine = (resource.scopes.dealer == record.dealer_id, resource.pk() != (record.id or 0))
        taken = select(resource.pk()).where(spec.attribute == value, *mine).limit(1)
        with act.session.no_autoflush:
            if act.session.scalar(taken) is not None:
                errors[spec.name] = TAKEN
    if errors:
        raise Invalid(errors)


def claim_unique(
    session: Session, resource: type[Resource], dealer_id: int | None, specs: Iterable[FieldSpec]
) -> None:
    """Let nobody else of the dealer store values of these fields until the transaction ends."""
    alone(session, _UNIQUE, *(f"{resource.name}.{dealer_id}.{spec.name}" for spec in specs))


def fill_numbers(act: Act, record: Any) -> None:
    """Give a new record the numbers its columns declare (`numbered`), unless it has them."""
    for attribute in type(record).__mapper__.column_attrs:
        spec = describe(getattr(type(record), attribute.key))
        if spec.numbered and not getattr(record, attribute.key):
            number = next_number(act.session, spec.numbered, record.dealer_id, act.now)
            setattr(record, attribute.key, number)


def belongs(spec: FieldSpec, record: Any) -> bool:
    """Whether the links or values hang on that record: a form may make another kind than its own."""
    source = spec.links or spec.values
    if source is None:
        return False
    foreign = next(iter(source.left.property.columns[0].foreign_keys))
    return foreign.column.table is record.__table__


def set_members(session: Session, record: Any, spec: FieldSpec, wanted: Sequence[Any]) -> None:
    """Make the links or values of a record those wanted, each once; `Keeping` takes none away."""
    source: Links | Values = spec.links or spec.values  # type: ignore[assignment]
    member = source.right if isinstance(source, Links) else source.value
    copies = {copy.key: getattr(record, original.key) for copy, original in source.copies}
    order = source.order.key if isinstance(source, Values) and source.order is not None else None
    keeping = isinstance(wanted, Keeping)
    wanted = _whole(record, spec, wanted)
    present = _members(session, record, spec)
    kept = {"audited": True}  # by `_note_members`
    gone = set() if keeping else present - set(wanted)
    if gone:
        leaving = delete(source.left.class_).where(source.left == record.id, member.in_(gone))
        session.execute(leaving, execution_options=kept)
    rows = [
        {source.left.key: record.id, member.key: value, **copies, **({order: n} if order else {})}
        for n, value in enumerate(dict.fromkeys(wanted))
        if value not in present
    ]
    if rows:
        session.execute(insert(source.left.class_), rows, execution_options=kept)
    if gone or rows:
        _note_members(session, record, spec, present, (present - gone) | set(wanted))


def _whole(record: Any, spec: FieldSpec, wanted: Sequence[Any]) -> Sequence[Any]:
    """What is wanted, with the record's own value where that stands among them."""
    main = spec.values.main if spec.values is not None else None
    return wanted if main is None else [getattr(record, main.key), *wanted]


def _members(session: Session, record: Any, spec: FieldSpec) -> set[Any]:
    source: Links | Values = spec.links or spec.values  # type: ignore[assignment]
    member = source.right if isinstance(source, Links) else source.value
    return set(session.scalars(select(member).where(source.left == record.id)))


def _note_members(session: Session, record: Any, spec: FieldSpec, before: set[Any], after: set[Any]) -> None:
    audit.note(session, record, spec.name, sorted(map(str, before)), sorted(map(str, after)))
