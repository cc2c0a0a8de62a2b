"""How many leads a person may still file today (E-55…E-59).

Left = the limit − what was filed today + own leads that got their first verdict today. Nothing is carried over,
and nothing is kept: it is counted anew each time, so that a deleted lead gives its slot back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid, Refusal
from app.engine.database import alone
from app.engine.localtime import local, local_day
from app.engine.resource import resource_of
from app.engine.scopes import Actor
from models.identity.tables import Employee
from models.registrations.settings import DAILY_LIMIT
from models.registrations.tables import Registration, RegistrationQuota
from models.settings.catalogue import provide_effect
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


def above(session: Session, dealer_id: int, limit: int | None, now: datetime) -> int:
    """How many of the dealer's people without a limit of their own could file no more today under this one."""
    if not limit:
        return 0
    begins = local_day(local(now).date())
    ends = begins + timedelta(days=1)

    def of_today(at: Any) -> Any:
        return case((and_(at >= begins, at < ends), 1), else_=0)

    own = select(RegistrationQuota.employee_id).where(RegistrationQuota.dealer_id == dealer_id)
    busy = (
        select(Registration.registrant_id)
        .where(Registration.dealer_id == dealer_id, Registration.registrant_id.not_in(own))
        .where(or_(Registration.registered_at >= begins, Registration.first_judged_at >= begins))
        .group_by(Registration.registrant_id)
        .having(
            func.sum(of_today(Registration.registered_at)) - func.sum(of_today(Registration.first_judged_at))
            >= limit
        )
    )
    return session.scalar(select(func.count()).select_from(busy.subquery())) or 0


def _effect(session: Session, dealer_id: int, values: Mapping[str, Any], now: datetime) -> str:
    limit = values[DAILY_LIMIT]
    if not limit:
        return "不限制"
    people = above(session, dealer_id, limit, now)
    return f"按每日{limit}条，今日有 {people} 人已报满" if people else f"按每日{limit}条，今日无人报满"


provide_effect(DAILY_LIMIT, _effect)


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
    _warn(act, row, person, values.get("daily_limit", row.daily_limit))


def _warn(act: Act, row: RegistrationQuota, person: Employee, limit: int | None) -> None:
    """Say so where the person has filed as many today as the new limit allows, or more."""
    assert row.dealer_id is not None
    today = standing(act.session, person.id, row.dealer_id, act.now)
    if limit and today.filed - today.judged >= limit:
        act.warn(f"{person.name}今日已报备{today.filed}条，按新容量今日不能再报备")
