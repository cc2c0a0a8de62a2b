"""Whose leads a manager may work with (E-03)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.engine.actions import Act, Invalid
from models.identity.tables import Employee
from models.registrations.tables import RegistrationGrant


def keep(row: RegistrationGrant, act: Act, values: Mapping[str, Any]) -> None:
    """One manager and one salesperson of the same dealer, granted once."""
    manager_id = values.get("manager_id") or row.manager_id
    registrant_id = values.get("registrant_id") or row.registrant_id
    if manager_id == registrant_id:
        raise Invalid({"registrant_id": "经理本人的线索不需要授权"})
    manager, registrant = (act.session.get(Employee, i) for i in (manager_id, registrant_id))
    if manager is None or manager.dealer_id is None:
        raise Invalid({"manager_id": "请选择任职于商场的员工"})
    if registrant is None or registrant.dealer_id != manager.dealer_id:
        raise Invalid({"registrant_id": "请选择与经理同一商场的员工"})
    given = select(RegistrationGrant.id).where(
        RegistrationGrant.manager_id == manager_id, RegistrationGrant.registrant_id == registrant_id
    )
    with act.session.no_autoflush:
        if act.session.scalar(given.where(RegistrationGrant.id != (row.id or 0))) is not None:
            raise Invalid({"registrant_id": "已授权该经理管理此业务员的线索"})
    row.dealer_id = manager.dealer_id
