"""How many leads a person may file on one day (E-55…E-59)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.engine.localtime import local, local_day
from models.registrations.settings import DAILY_LIMIT
from models.registrations.tables import Registration, RegistrationQuota
from models.settings.queries import parameter


def limit(session: Session, registrant_id: int, dealer_id: int) -> int | None:
    """The person's own daily limit, else the dealer's; None for no limit."""
    own = session.scalars(
        select(RegistrationQuota).where(RegistrationQuota.employee_id == registrant_id)
    ).first()
    found = own.daily_limit if own is not None else parameter(session, DAILY_LIMIT, dealer_id)
    return found or None


def used(session: Session, registrant_id: int, now: datetime) -> int:
    """The leads the person has filed today."""
    first = local_day(local(now).date())
    today = (Registration.registered_at >= first, Registration.registered_at < first + timedelta(days=1))
    filed = select(func.count()).where(Registration.registrant_id == registrant_id, *today)
    return session.scalar(filed) or 0


def left(session: Session, registrant_id: int, dealer_id: int, now: datetime) -> int | None:
    """What the person may still file today; None for no limit."""
    most = limit(session, registrant_id, dealer_id)
    if most is None:
        return None
    first = local_day(local(now).date())
    judged = select(func.count()).where(
        Registration.registrant_id == registrant_id,
        Registration.first_judged_at >= first,
        Registration.first_judged_at < first + timedelta(days=1),
    )
    return max(0, most - used(session, registrant_id, now) + (session.scalar(judged) or 0))
