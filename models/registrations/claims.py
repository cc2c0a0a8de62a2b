"""What is seen of all claims on one customer (E-53), and how long a successful one shields him."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.engine.localtime import local, local_day
from app.engine.resource import Alike
from models.registrations.settings import PROTECTION_DAYS
from models.registrations.tables import Registration
from models.settings.queries import parameter


def protected_until(session: Session, dealer_id: int, judged_at: datetime) -> datetime | None:
    """The last second of the protection that a claim judged successful gives its customer: the dealer's days,
    the last one included. None where customers are not protected."""
    days = parameter(session, PROTECTION_DAYS, dealer_id)
    if not days:
        return None
    return local_day(local(judged_at).date() + timedelta(days=days + 1)) - timedelta(seconds=1)


def _same(pk: int) -> ColumnElement[bool]:
    """The claims on the customer of that lead; each of the two ways by its own index."""
    lead = aliased(Registration)

    def of(column: Any) -> Any:
        return select(column).where(lead.id == pk).scalar_subquery()

    alike = or_(Registration.phone == of(lead.phone), Registration.address_key == of(lead.address_key))
    return and_(alike, Registration.dealer_id == of(lead.dealer_id))


HISTORY = Alike(
    "同一客户的报备",
    _same,
    columns=(
        Registration.registered_at,
        Registration.registrant_id,
        Registration.outlet_id,
        Registration.progress,
        Registration.audit_status,
        Registration.track_count,
        Registration.last_tracked_at,
        Registration.last_tracking_text,
        Registration.protected_until,
    ),
    order=(Registration.track_count.desc(), Registration.registered_at),
)
