"""Who hears of what becomes of a lead: the showroom that gets it, the person who filed it (E-71)."""

from __future__ import annotations

from app.engine.actions import Act
from app.engine.events import subscribe
from app.engine.resource import resource_of
from models.identity.queries import staff_of_store
from models.identity.tables import Store
from models.notifications.telling import NUMBER, tell
from models.notifications.topics import Topic, declare
from models.registrations.tables import Assignment, Registration

REGISTRATION = declare(Topic("registration", "渠道报备", "clipboard-list", hourly=False))


def _store(act: Act, assignment: Assignment) -> str:
    store = act.session.get(Store, assignment.store_id)
    return store.name if store is not None else ""


def _showroom(act: Act, assignment: Assignment, what: str) -> None:
    """Tell those of the showroom who have the page of what it gets; ``what`` has `NUMBER` where the lead is
    named or the leads are counted. Who filed the lead hears of it as such."""
    people = staff_of_store(act.session, resource_of(Assignment), assignment.store_id)
    one, many = (
        what.replace(NUMBER, words) for words in (f"客户线索{assignment.name}", f"{NUMBER}条客户线索")
    )
    tell(
        act, [p for p in people if p != assignment.registrant_id], REGISTRATION, one, many,
        record=assignment, label=assignment.name, dealer_id=assignment.dealer_id,
    )  # fmt: skip


def _registrant(act: Act, lead: Registration, what: str) -> None:
    one, many = (what.replace(NUMBER, words) for words in (f"客户线索{lead.name}", f"{NUMBER}条客户线索"))
    tell(
        act, [lead.registrant_id], REGISTRATION, one, many,
        record=lead, label=f"{lead.name} {lead.code}", dealer_id=lead.dealer_id,
    )  # fmt: skip


@subscribe("lead.assigned")
def _assigned(act: Act, assignment: Assignment, lead: Registration) -> None:
    who, store = act.actor.name, _store(act, assignment)
    _showroom(act, assignment, f"{who}将{NUMBER}指派给{store}，请跟进")
    _registrant(act, lead, f"{who}将您的{NUMBER}指派到{store}")


@subscribe("assignment.withdrawn")
def _withdrawn(act: Act, assignment: Assignment, lead: Registration) -> None:
    who, store = act.actor.name, _store(act, assignment)
    _showroom(act, assignment, f"{who}撤回了指派给{store}的{NUMBER}")
    _registrant(act, lead, f"{who}撤回了{store}对您的{NUMBER}的指派")


@subscribe("assignment.deposit")
def _deposit(act: Act, assignment: Assignment, lead: Registration) -> None:
    _registrant(act, lead, f"{_store(act, assignment)}收到了您的{NUMBER}的定金")


@subscribe("assignment.refunded")
def _refunded(act: Act, assignment: Assignment, lead: Registration) -> None:
    _registrant(act, lead, f"{_store(act, assignment)}退回了您的{NUMBER}的定金")


@subscribe("assignment.deposit_voided")
def _deposit_voided(act: Act, assignment: Assignment, lead: Registration) -> None:
    _registrant(act, lead, f"{_store(act, assignment)}作废了您的{NUMBER}的定金登记")
