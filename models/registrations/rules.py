"""What may happen to leads: filing, changing, deleting (E-17…E-38)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Forbidden, Invalid, Refusal
from app.engine.choices import dictionary
from app.engine.database import utcnow
from app.engine.events import publish
from app.engine.localtime import local
from app.engine.numbers import next_number
from app.engine.resource import resource_of
from app.engine.scopes import Actor, Scope, scopes_of
from models.identity.tables import Dealer, Employee, Store
from models.registrations import duplicates, quota
from models.registrations.settings import FOLLOW_UP_DAYS
from models.registrations.tables import (
    Assignment,
    AuditStatus,
    Progress,
    Registration,
    RegistrationGrant,
)
from models.settings.queries import parameter

NO_OUTLET = "您还没有任职门店，不能报备"
FROZEN = "非报备状态，不能修改"
HINT = "系统根据填写的地址和手机号判断报备是否有效。客户电话和小区必须填写正确，否则报备可能无效。"
_OTHERS = frozenset({Scope.GRANTED, Scope.STORE, Scope.DEALER, Scope.GROUP})


# ----- the form


def sees_others(actor: Actor) -> bool:
    """Whether the person works with leads of others too, and so may file for them (F22)."""
    return not _OTHERS.isdisjoint(scopes_of(resource_of(Registration), actor))


def prefill(args: Mapping[str, str], actor: Actor, session: Session) -> dict[str, Any]:
    """What a new form starts with (E-17, E-19, E-24)."""
    now = utcnow()
    return {
        "city": _own_city(session, actor),
        "next_tracking_on": next_tracking(session, actor.dealer_id, now),
        "created_at": now,
        "registered_at": now,
        "registrant_id": actor.id,
        "outlet_id": actor.store_id,
    }


def form_notes(act: Act, editing: bool) -> Sequence[str]:
    """What is said above the fields (E-18)."""
    return [HINT]


def next_tracking(session: Session, dealer_id: int | None, now: datetime) -> date:
    """The day on which a lead filed or tracked now is due again (E-24, E-50)."""
    return local(now).date() + timedelta(days=parameter(session, FOLLOW_UP_DAYS, dealer_id))


def _own_city(session: Session, actor: Actor) -> str:
    """The company's own city, as the list of cities writes it."""
    own = [session.get(Store, actor.store_id or 0), session.get(Dealer, actor.dealer_id or 0)]
    named = [(place.city or "").removesuffix("市") for place in own if place is not None]
    known = {e.label.removesuffix("市"): e.value for e in dictionary("region.city", actor.dealer_id)}
    return next((known[name] for name in named if name in known), "")


# ----- filing


def register(lead: Registration, act: Act, values: dict[str, Any]) -> Registration:
    """File a lead (E-25): whose it is, when, and under which number."""
    registrant = _registrant(act, lead.registrant_id or act.actor.id)
    place = act.actor.store_id if registrant.id == act.actor.id else registrant.store_id
    outlet = act.session.get(Store, place) if place else None
    if outlet is None:
        own = registrant.id == act.actor.id
        raise Invalid({"outlet_id": NO_OUTLET if own else f"{registrant.name}还没有任职门店，不能报备"})
    lead.registrant_id, lead.dealer_id, lead.outlet_id = registrant.id, outlet.dealer_id, outlet.id
    lead.registered_at = lead.created_at = act.now
    lead.progress, lead.audit_status = Progress.REGISTERED, AuditStatus.PENDING
    lead.next_tracking_on = lead.next_tracking_on or next_tracking(act.session, lead.dealer_id, act.now)
    lead.join()
    quota.take(act, lead.registrant_id, lead.dealer_id)
    duplicates.check(act, lead)
    lead.code = next_number(act.session, "registration", lead.dealer_id, act.now)
    return lead


def _registrant(act: Act, person_id: int) -> Employee:
    """The person who files: oneself, or somebody whose leads one works with."""
    person = act.session.get_one(Employee, person_id)
    if person_id == act.actor.id:
        return person
    scopes = scopes_of(resource_of(Registration), act.actor)
    near = (Scope.STORE in scopes and person.store_id == act.actor.store_id) or (
        Scope.DEALER in scopes and person.dealer_id == act.actor.dealer_id
    )
    if not (near or Scope.GROUP in scopes or (Scope.GRANTED in scopes and _granted(act, person_id))):
        raise Invalid({"registrant_id": "只能为您管理的业务员报备"})
    return person


def _granted(act: Act, person_id: int) -> bool:
    mine = RegistrationGrant.manager_id == act.actor.id
    statement = select(RegistrationGrant.id).where(mine, RegistrationGrant.registrant_id == person_id)
    return act.session.scalar(statement) is not None


# ----- changing and deleting


def frozen(lead: Registration, _actor: Actor) -> str:
    """Why a lead cannot be changed any more: somebody works with it, or has judged it (E-37)."""
    fresh = lead.progress == Progress.REGISTERED and lead.audit_status == AuditStatus.PENDING
    return "" if fresh else FROZEN


def tracked(lead: Registration) -> bool:
    """Whether the state and the next time are those of the latest record (E-52)."""
    return lead.track_count > 0


def edit(lead: Registration, act: Act, values: dict[str, Any]) -> None:
    """Change a lead nobody works with yet (E-36); whose it is stays as it was."""
    if values.pop("registrant_id", lead.registrant_id) != lead.registrant_id:
        raise Forbidden("修改报备人")
    duplicates.check(act, lead, values)


def delete(lead: Registration, act: Act) -> None:
    """Take a lead back before anybody works with it (E-31…E-33). What is left of withdrawn assignments and of
    measurings goes with it; the history keeps their values."""
    if lead.audit_status != AuditStatus.PENDING:
        raise Refusal("该客户线索已审核，不能删除")
    if lead.progress != Progress.REGISTERED:
        raise Refusal("该客户线索已指派，不能删除")
    withdrawn = select(Assignment).where(Assignment.registration_id == lead.id)
    for trace in act.session.scalars(withdrawn):
        act.session.delete(trace)
    publish(act, "registration.deleting", lead)
    act.session.flush()
    duplicates.leave(act, lead)


# ----- what administrators steer registrations by


def keep_in_dealer(row: Any, act: Act, values: dict[str, Any]) -> None:
    """Rows by which administrators steer registrations belong to the dealer whose people they name."""
    named = [getattr(row, key, None) for key in ("employee_id", "manager_id", "registrant_id")]
    people = [act.session.get(Employee, i) for i in named if i]
    dealers = {p.dealer_id for p in people if p is not None} or {act.actor.dealer_id}
    row.dealer_id = dealers.pop()
    if dealers or row.dealer_id is None:
        raise Refusal("请选择同一商场的员工")


def allow(row: Any, act: Act) -> None:
    """Such rows may be deleted any time."""
