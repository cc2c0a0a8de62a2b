"""Who has a role: several people given it or relieved of it at once, by the rules of each account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine import perform
from app.engine.actions import Act, Invalid, Refusal
from models.identity import delegation
from models.identity.resources import Employees
from models.identity.roles import StaffRole

MOST = 200
"""So many people at a time."""


def change(act: Act, role: StaffRole, add: Iterable[int], remove: Iterable[int]) -> int:
    """Give the role to some and take it from others, all or none; returns how many accounts changed. Part of
    the running deed; raises `Refusal` with the name of the person on whom it failed."""
    adding, removing = set(add), set(remove)
    if len(adding | removing) > MOST:
        raise Refusal(f"一次最多调整{MOST}人")
    changed = 0
    for person_id in sorted(adding | removing):
        person: Any = perform.find(act.session, Employees, person_id, act.actor)
        held = delegation.roles_of(act, person)
        wanted = held | {role.id} if person_id in adding else held - {role.id}
        if wanted == held:
            continue
        try:
            perform.update(
                Employees, person_id, {"roles": sorted(wanted)}, act.actor, source=act.source, now=act.now
            )
        except Invalid as wrong:
            raise Refusal(f"{person.name}：{'；'.join(wrong.errors.values())}") from wrong
        except Refusal as refusal:
            if refusal.status != Refusal.status:
                raise
            raise Refusal(f"{person.name}：{refusal.message}") from refusal
        changed += 1
    return changed
