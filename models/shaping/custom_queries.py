"""All added fields of one epoch, read once per process and change, and what the engine asks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import attached
from app.engine.choices import Entry
from app.engine.conditional import meets
from app.engine.database import db
from app.engine.faces import NONE, Added, Additions, provide_fields
from app.engine.fields import FieldSpec
from app.engine.guards import CUSTOMER_PHONE, Guard, mask_phone, phone_masked, provide_guards
from app.engine.guards import Added as AddedGuard
from app.engine.resource import resource
from app.engine.scopes import Actor
from app.engine.slots import SLOTS
from models.identity.per_epoch import PerEpoch
from models.settings.queries import name_dictionaries
from models.settings.uses import Use, provide_columns
from models.shaping.custom_conditions import rule_of
from models.shaping.custom_fields import CHOSEN, FILED, CustomField, FieldKind, dictionary_of, kind_of
from models.shaping.custom_formulas import formula_of


@dataclass
class Snapshot:
    """Every field that there is or was, oldest first, with the engine's word for it."""

    rows: Sequence[Any] = ()
    specs: dict[int, FieldSpec] = field(default_factory=dict)
    known: dict[tuple[str, int | None], Additions] = field(default_factory=dict)

    def additions(self, resource_name: str, dealer_id: int | None) -> Additions:
        """What people of that dealer have: the group's fields and those of their own."""
        found = self.known.get((resource_name, dealer_id))
        if found is None:
            found = self.known[resource_name, dealer_id] = self._additions(resource_name, dealer_id)
        return found

    def _additions(self, resource_name: str, dealer_id: int | None) -> Additions:
        mine = [
            row
            for row in self.rows
            if row.resource == resource_name and row.dealer_id in (None, dealer_id) and row.removed_at is None
        ]
        if not mine:
            return NONE
        mine.sort(key=lambda row: (row.position, row.id))
        key = tuple(map(tuple, mine))
        return Additions(key, tuple(_added(row, self.specs[row.id]) for row in mine))


def _added(row: Any, spec: FieldSpec) -> Added:
    return Added(
        spec, row.section,
        form=row.in_form, column=row.in_list, filter=row.in_filter,
        sort=row.in_sort and row.indexed_at is not None, template=row.in_template, chart=row.in_chart,
    )  # fmt: skip


def spec_of(row: Any) -> FieldSpec | None:
    """The field as the engine knows it; None for one of a resource that is declared no longer."""
    declared = resource(row.resource)
    if declared is None or row.slot not in SLOTS:
        return None
    kind: FieldKind = row.kind
    attribute = getattr(declared.model, row.slot)
    target = resource(row.target) if kind == FieldKind.REF else None
    if kind == FieldKind.REF and target is None:
        return None
    worked_out = kind == FieldKind.FORMULA
    locked = rule_of(row.locked_when)
    filed = kind in FILED
    return FieldSpec(
        row.slot, row.label, kind_of(row),
        attribute=attribute,
        dealer=row.dealer_id,
        required=row.required and not worked_out,
        shown=attached.drawing(kind.value, declared.name, row.slot) if filed else None,
        beside=("id",) if filed else (),
        formula=formula_of(row) if worked_out else None,
        target=target.model if target is not None else None,
        multiple=kind == FieldKind.CHOICES,
        unique=row.once,
        fixed=_locked_by(locked) if locked else None,
        maxlength=getattr(attribute.type, "length", None),
        guard=guard_of(row),
        dictionary=dictionary_of(row.id) if kind in CHOSEN else "",
        hint=row.hint or "",
        unit=(row.unit or "") if kind == FieldKind.NUMBER else "",
        wide=kind in (FieldKind.LONG, FieldKind.CHOICES),
        minimum=row.minimum, maximum=row.maximum,
        pattern=row.pattern or "" if kind == FieldKind.TEXT else "",
        shown_when=rule_of(row.shown_when), needed_when=rule_of(row.needed_when),
        default=_default(row),
    )  # fmt: skip


def _default(row: Any) -> Any:
    if row.kind == FieldKind.CHOICES:
        return tuple(row.initial.split("|")) if row.initial else None
    return row.initial or None


def _locked_by(rule: str) -> Callable[[Actor, Any], bool]:
    """Whether a record, as it is stored, keeps the field from being changed."""
    return lambda _actor, record: (
        record is not None and meets(rule, lambda name: (getattr(record, name, None),))
    )


_guards: dict[tuple[int, str, bool], Guard] = {}


def guard_of(row: Any) -> Guard | None:
    """Who reads the field: those who were given its own permission, of a phone otherwise as of any."""
    phone = row.kind == FieldKind.PHONE
    if not row.guarded:
        return CUSTOMER_PHONE if phone else None
    key = (row.id, row.label, phone)
    if key not in _guards:
        mask, sql_mask = (mask_phone, phone_masked) if phone else (None, None)
        _guards[key] = Guard(f"custom_{row.id}", f"查看{row.label}", mask=mask, sql_mask=sql_mask)
    return _guards[key]


_TABLE = CustomField.__table__


def _load(session: Session) -> Snapshot:
    rows = session.execute(select(*_TABLE.c).order_by(_TABLE.c.created_at, _TABLE.c.id)).all()
    specs = {row.id: spec for row in rows if (spec := spec_of(row)) is not None}
    return Snapshot([row for row in rows if row.id in specs], specs)


snapshot = PerEpoch(_load)
"""The fields as they are at this session's epoch."""


class _Fields:
    """What the engine asks (`faces.Source`)."""

    def added(self, resource_name: str, dealer_id: int | None, session: Session | None = None) -> Additions:
        return snapshot(session or db.session()).additions(resource_name, dealer_id)

    def recorded(
        self, resource_name: str, slot: str, dealer_id: int | None, at: datetime
    ) -> FieldSpec | None:
        held = snapshot(db.session())
        found = [
            row
            for row in held.rows
            if (row.resource, row.slot) == (resource_name, slot)
            and row.dealer_id in (None, dealer_id)
            and row.created_at <= at
        ]
        return held.specs[found[-1].id] if found else None


def _dictionaries(dealer_id: int | None) -> tuple[Entry, ...]:
    return tuple(
        Entry(dictionary_of(row.id), f"自定义字段：{row.label}", active=row.removed_at is None)
        for row in snapshot(db.session()).rows
        if row.kind in CHOSEN and row.dealer_id in (None, dealer_id) and row.purged_at is None
    )


def _dictionary_label(name: str) -> str:
    """What the options of a field are called: as the field is."""
    return next((row.label for row in snapshot(db.session()).rows if dictionary_of(row.id) == name), "")


def _columns(name: str) -> list[Use]:
    """Where the options of a field are held, be it shown or removed."""
    held = snapshot(db.session())
    rows = [row for row in held.rows if row.kind in CHOSEN and dictionary_of(row.id) == name]
    declared = ((resource(row.resource), held.specs[row.id]) for row in rows if row.purged_at is None)
    return [Use(found, spec) for found, spec in declared if found is not None]


def _added_guards(session: Session | None) -> Iterator[AddedGuard]:
    for row in snapshot(session or db.session()).rows:
        if row.guarded and row.removed_at is None:
            yield AddedGuard(cast(Guard, guard_of(row)), row.dealer_id, row.resource, row.label)


provide_guards(_added_guards)
provide_fields(_Fields(), CustomField.__tablename__)
name_dictionaries(_dictionaries, _dictionary_label)
provide_columns(_columns)
