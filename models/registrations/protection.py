"""How long a successful claim shields its customer: whole days of the company, the last one included."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.engine.localtime import local, local_day
from models.registrations.settings import PROTECTION_DAYS
from models.settings.queries import parameter

_DAY = timedelta(days=1)


def ends(session: Session, dealer_id: int, judged_at: datetime) -> datetime | None:
    """The last second of the protection that this verdict gives; None where customers are not protected."""
    days = parameter(session, PROTECTION_DAYS, dealer_id)
    if not days:
        return None
    return local_day(local(judged_at).date() + timedelta(days=days + 1)) - timedelta(seconds=1)


def days_left(until: datetime, now: datetime) -> int:
    """Days of protection that are left, the one that has begun included."""
    return max(0, -((now - until) // _DAY))


def countdown(until: datetime | None, *, now: datetime) -> str | None:
    """The last day, and how many there are up to it."""
    if until is None:
        return None
    last, days = f"{local(until):%Y-%m-%d}", days_left(until, now)
    if not days:
        return f"{last}（已结束）"
    return f"{last}（剩 {days} 天）" if days > 1 else f"{last}（今天结束）"
