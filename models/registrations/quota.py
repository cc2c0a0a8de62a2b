"""How many leads a person may still file today (E-55…E-59).

Left = the limit − what was filed today + own leads that got their first verdict today. Nothing is carried over,
and nothing is kept: it is counted anew each time, so that a deleted lead gives its slot back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid, Refusal
from app.engine.database import alone
from app.engine.localtime import local, local_day
from app.engine.resource import resource_of
from app.engine.scopes import Actor
from models.identity.tables import Employee
from models.registrations.settings import DAILY_LIMIT
from models.registrations.tables import Registration, RegistrationQuota
from models.settings.queries import parameter

FULL = "今日报备容量已用完，请联系主管审核"
LEFT = "今日剩余报备容量{}条"
_SPACE = -21


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's day: the limit, what was filed, what was judged for the first time."""

    limit: int | None
    """None where the person may file as many as there are (0 or an empty limit)."""
    filed: int
    judged: int

    @property
    def left(self) -> int | None:
        """What may still be filed; None without a limit."""
        return None if self.limit is None else max(0, self.limit - self.filed + self.judged)


def standing(session: Session, registrant_id: int, dealer_id: int, now: datetime) -> Standing:
    """The person's day."""
    begins = local_day(local(now).date())
    ends = begins + timedelta(days=1)
    filed, judged = Registration.registered_at, Registration.first_judged_at
    mine = select(func.count()).select_from(Registration).where(Registration.registrant_id == registrant_id)
    own = select(func.coalesce(RegistrationQuota.daily_limit, 0)).where(
        RegistrationQuota.employee_id == registrant_id
    )
    row = session.execute(
        select(
            own.scalar_subquery(),
            mine.where(filed >= begins, filed < ends).scalar_subquery(),
            mine.where(judged >= begins, judged < ends).scalar_subquery(),
        )
    ).one()
    limit = row[0] if row[0] is not None else parameter(session, DAILY_LIMIT, dealer_id)
    return Standing(limit or None, row[1], row[2])


def left(session: Session, registrant_id: int, dealer_id: int, now: datetime) -> int | None:
    """How many more the person may file today; None without a limit."""
    return standing(session, registrant_id, dealer_id, now).left


def take(act: Act, registrant_id: int, dealer_id: int, count: int = 1, *, whole: bool = False) -> None:
    """Make sure that so many more leads of that person still fit into today, until the transaction ends:
    whoever files for the same person meanwhile waits for it. Raises `Refusal`, of a ``whole`` file with what
    would fit."""
    alone(act.session, _SPACE, str(registrant_id))
    rest = left(act.session, registrant_id, dealer_id, act.now)
    if rest is None or rest >= count:
        return
    raise Refusal(LEFT.format(rest) if whole else FULL)


def notice(actor: Actor, session: Session, now: datetime) -> str:
    """What is left today, for the pages on which leads are filed (E-59)."""
    files = actor.can("can_add", resource_of(Registration).view_name())
    if actor.dealer_id is None or not files:
        return ""
    rest = left(session, actor.id, actor.dealer_id, now)
    if rest is None:
        return ""
    return f"今日剩余容量：{rest}条" if rest else f"今日剩余容量：0条。{FULL}"


def keep(row: RegistrationQuota, act: Act, values: Mapping[str, Any]) -> None:
    """A limit of one person, once for each; it belongs to the dealer the person works for."""
    employee_id = values.get("employee_id") or row.employee_id
    person = act.session.get(Employee, employee_id)
    if person is None or person.dealer_id is None:
        raise Invalid({"employee_id": "请选择任职于商场的员工"})
    others = select(RegistrationQuota.id).where(RegistrationQuota.employee_id == employee_id)
    with act.session.no_autoflush:
        if act.session.scalar(others.where(RegistrationQuota.id != (row.id or 0))) is not None:
            raise Invalid({"employee_id": "该员工已另设报备容量，请修改已有的一条"})
    row.dealer_id = person.dealer_id
