"""Linked pick lists: a child belongs to its parent, also when no script kept them together (D-13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.fields import FieldSpec
from app.engine.resource import resource_of


def adopt(
    specs: Sequence[FieldSpec], values: dict[str, Any], wrong: set[str], session: Session
) -> dict[str, str]:
    """The sentences for references that do not belong to the record chosen above them; where none was
    chosen it is filled in: whoever names the job has named its customer."""
    by_name = {s.name: s for s in specs}
    errors = {}
    for spec in specs:
        child = values.get(spec.name)
        if spec.kind != "ref" or not child or spec.parent not in values or wrong & {spec.name, spec.parent}:
            continue
        above: Any = getattr(spec.target, spec.parent)
        owner = session.scalar(select(above).where(resource_of(spec.target).pk() == child))
        if not values[spec.parent]:
            values[spec.parent] = owner
        elif owner != values[spec.parent]:
            errors[spec.name] = f"所选{spec.label}不属于该{by_name[spec.parent].label}"
    return errors


def reconcile(
    specs: Sequence[FieldSpec], values: dict[str, Any], wrong: set[str], record: Any, dealer_id: int | None
) -> dict[str, str]:
    """The sentences for children that are not their parent's; ``wrong`` are fields refused already.

    A parent left empty is filled in where the child has just one, so that a file may name the city alone.
    Where only the parent is sent, a stored child that is not its own is emptied.
    """
    by_name = {s.name: s for s in specs}
    linked = [s for s in specs if s.parent in by_name and s.kind != "ref" and not wrong & {s.name, s.parent}]
    for spec in reversed(linked):
        child = values.get(spec.name)
        if child and spec.parent in values and not values[spec.parent]:
            parents = _parents(spec, child, dealer_id)
            if len(parents) == 1 and "" not in parents:
                values[spec.parent] = parents.pop()
    errors = {}
    for spec in linked:
        if spec.name not in values and spec.parent not in values:
            continue
        stored = tuple(getattr(record, name, None) for name in (spec.parent, spec.name))
        parent, child = values.get(spec.parent, stored[0]), values.get(spec.name, stored[1])
        if not child or (parent, child) == stored or {parent, ""} & _parents(spec, child, dealer_id):
            continue
        namesake = _namesake(spec, child, parent, dealer_id)
        if namesake and spec.name in values:
            values[spec.name] = namesake
            continue
        if spec.name in values:
            errors[spec.name] = f"请选择所选{by_name[spec.parent].label}下的{spec.label}"
        else:
            values[spec.name] = None
    return errors


def _parents(spec: FieldSpec, child: Any, dealer_id: int | None) -> set[str]:
    """The parents of a stored child; an entry without one fits everywhere."""
    return {e.parent for e in spec.entries(dealer_id) if e.value == child}


def _namesake(spec: FieldSpec, child: Any, parent: Any, dealer_id: int | None) -> str:
    """The parent's own entry that reads the same: two cities may have a district of one name."""
    entries = spec.entries(dealer_id)
    labels = {e.label for e in entries if e.value == child}
    return next((e.value for e in entries if e.parent == parent and e.label in labels), "")
