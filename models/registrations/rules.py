"""What may happen to leads: filing, changing, deleting (E-17…E-38)."""

from __future__ import annotations

from typing import Any

from app.engine.actions import Act, Invalid, Refusal
from app.engine.events import publish
from app.engine.numbers import next_number
from models.identity.tables import Employee, Store
from models.registrations.tables import AuditStatus, Progress, Registration


def register(lead: Registration, act: Act, values: dict[str, Any]) -> Registration:
    """File a lead (E-25): whose it is, when, and under which number."""
    outlet = act.session.get(Store, act.actor.store_id) if act.actor.store_id else None
    if outlet is None:
        raise Invalid({"outlet_id": "您还没有任职门店，不能报备"})
    lead.dealer_id, lead.outlet_id = outlet.dealer_id, outlet.id
    lead.registrant_id = act.actor.id
    lead.registered_at = lead.created_at = act.now
    lead.code = next_number(act.session, "registration", lead.dealer_id, act.now)
    return lead


def edit(lead: Registration, act: Act, values: dict[str, Any]) -> None:
    """Change a lead nobody works with yet (E-36…E-38)."""
    if lead.progress != Progress.REGISTERED or lead.audit_status != AuditStatus.PENDING:
        raise Refusal("非报备状态，不能修改")


def delete(lead: Registration, act: Act) -> None:
    """Take a lead back before anybody works with it (E-31…E-33)."""
    if lead.audit_status != AuditStatus.PENDING:
        raise Refusal("该客户线索已审核，不能删除")
    if lead.progress != Progress.REGISTERED:
        raise Refusal("该客户线索已指派，不能删除")
    publish(act, "registration.deleting", lead)


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
