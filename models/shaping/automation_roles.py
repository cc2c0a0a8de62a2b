"""The roles that an automation may name: one by its row, or one that all dealers know by its key.

A dealer's own automation picks a role as it is. In one of the group a preset role like 导购 is named by the key that
it has in every dealer, and is each dealer's own when the automation runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.choices import Entry, declare_entries, dictionary
from app.engine.configuring import Named, Naming, Spoken
from app.engine.database import db
from app.engine.resource import resource_of
from app.engine.typed import Wrong
from models.identity.per_epoch import PerEpoch
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Employee
from models.identity.templates import DEALER_ROLES
from models.shaping.menus import EVERYWHERE

PRESETS = "automation.presets"
_PRESETS = tuple(Entry(EVERYWHERE + t.key, t.label) for t in DEALER_ROLES)


def _load(session: Session) -> tuple[Entry, ...]:
    """The roles of the group itself, by their stable names."""
    named = select(StaffRole.name, StaffRole.label).where(
        StaffRole.dealer_id.is_(None), StaffRole.label != ""
    )
    return tuple(Entry(name, label) for name, label in session.execute(named.order_by(StaffRole.id)))


_of_group = PerEpoch(_load)
declare_entries(PRESETS, lambda: (*_PRESETS, *_of_group(db.session())))


def label_of(preset: str | None) -> str:
    """What a role is called that all dealers know; the key of one that is no more."""
    return next((e.label for e in dictionary(PRESETS, None) if e.value == preset), preset or "")


def key_of(preset: str) -> str:
    """What follows the owner in the role's stable name."""
    return preset.partition(":")[2]


def name_of(preset: str, dealer_id: int | None) -> str:
    """The stable name of the role that is meant in that dealer."""
    return f"{dealer_id}:{key_of(preset)}" if preset.startswith(EVERYWHERE) else preset


def holders(
    session: Session, given: Mapping[str, Any], dealer_id: int | None
) -> list[tuple[int, int | None]]:
    """The people of a dealer who are there and have the role that a step names, with their stores, in order."""
    preset = given["preset"]
    meant = StaffRole.name == name_of(preset, dealer_id) if preset else StaffRole.id == given["role"]
    statement = (
        select(Employee.id, Employee.store_id)
        .join(RoleAssignment, RoleAssignment.user_id == Employee.id)
        .join(StaffRole, StaffRole.id == RoleAssignment.role_id)
        .where(
            meant,
            Employee.dealer_id == dealer_id,
            Employee.active.is_(True),
            Employee.departed_at.is_(None),
        )
        .order_by(Employee.id)
    )
    return [(row.id, row.store_id) for row in session.execute(statement)]


def _named(_record: Any, preset: str) -> Iterator[Named]:
    yield Named(resource_of(StaffRole).name, key_of(preset))


NAMING = Naming(_named)
"""How a step speaks of a role, for whoever would delete it."""


def _out(value: str, _of: str, _names: Any) -> str:
    return value if value.startswith(EVERYWHERE) else label_of(value)


def _into(value: Any, _of: str, names: Any) -> Any:
    if not isinstance(value, str) or value.startswith(EVERYWHERE):
        return value  # whoever reads it says what is wrong
    found = next((e.value for e in _of_group(names.session) if e.label == value), None)
    if found is None:
        raise Wrong(f"集团没有角色“{value[:40]}”")
    return found


SPOKEN = Spoken(_out, _into)
"""A role of the group stands in files under its name."""
