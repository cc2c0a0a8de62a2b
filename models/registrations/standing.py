"""我的报备: what became of a registrant's own leads, and which of them would profit from some work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_

from app.engine.localtime import local
from models.registrations.tables import AuditStatus, Progress, Registration


def _open() -> ColumnElement[bool]:
    return Registration.audit_status == AuditStatus.PENDING


def untracked(now: datetime) -> ColumnElement[bool]:
    """Leads nobody has judged yet and nobody has written about: in a duplicate case the tracked one goes
    first (E-53)."""
    return and_(_open(), Registration.track_count == 0)


def overdue(now: datetime) -> ColumnElement[bool]:
    """Leads that were to be tracked again before today."""
    return and_(_open(), Registration.next_tracking_on < local(now).date())


def unjudged(now: datetime) -> ColumnElement[bool]:
    """Leads at a showroom that a manager could judge; each verdict frees a slot of the day (E-57)."""
    return and_(_open(), Registration.progress != Progress.REGISTERED)


def protected(now: datetime) -> ColumnElement[bool]:
    """Leads whose customer is shielded from other claims."""
    return Registration.protected_until > now
