"""Leads at showrooms: what a lead's assignments say of the lead (E-68, E-82)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.registrations.tables import Assignment, AuditStatus, Progress, Registration


def settle(session: Session, lead: Registration) -> None:
    """The lead is as far as the furthest of its assignments that were not withdrawn, and valid when one of
    them was judged so; it is invalid only when all are judged."""
    session.flush()
    live = Assignment.registration_id == lead.id, Assignment.withdrawn_at.is_(None)
    rows = session.execute(select(Assignment.progress, Assignment.verdict).where(*live)).all()
    order = list(Progress)
    lead.progress = max((r.progress for r in rows), key=order.index, default=Progress.REGISTERED)
    verdicts = {r.verdict for r in rows}
    if AuditStatus.PASSED in verdicts:
        lead.audit_status = AuditStatus.PASSED
    elif verdicts == {AuditStatus.FAILED}:
        lead.audit_status = AuditStatus.FAILED
    else:
        lead.audit_status = AuditStatus.PENDING
