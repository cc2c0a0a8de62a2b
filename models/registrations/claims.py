"""What is seen of all claims on one customer (E-53)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from app.engine.resource import Alike
from models.registrations.tables import Registration


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
