"""Leads as statistics find them: rows put down directly, whatever the rules of the day are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.engine.audit import acting
from app.engine.database import db, utcnow
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from tests.customers.world import World

DEPOSIT, ASSIGNED, REGISTERED = Progress.DEPOSIT, Progress.ASSIGNED, Progress.REGISTERED
PASSED, FAILED, PENDING = AuditStatus.PASSED, AuditStatus.FAILED, AuditStatus.PENDING

Unit = tuple[Progress, AuditStatus]
_FURTHEST = (REGISTERED, ASSIGNED, DEPOSIT)


def lead(
    world: World,
    by: str,
    *units: Unit,
    at: datetime | None = None,
    withdrawn: int = 0,
    outlet: int | None = None,
    **more: Any,
) -> Registration:
    """A lead of that person with these live assignments, and some that were withdrawn."""
    person = world.people[by]
    place = (
        world.stores[outlet]
        if outlet is not None
        else next(s for s in world.stores if s.id == person.store_id)
    )
    filed = at or utcnow() - timedelta(hours=1)
    number = world.next_phone()
    verdicts = [verdict for _, verdict in units]
    home: dict[str, Any] = {
        "name": more.pop("name", "钱多"),
        "city": "杭州市",
        "community": "云栖里",
        "room": f"{number[-4:]}室",
    }
    values = {
        "code": f"KH{number}", "phone": number, "source": "自然客户", "registered_at": filed, "created_at": filed,
        "registrant_id": person.id, "outlet_id": place.id, "dealer_id": place.dealer_id,
        "progress": max((p for p, _ in units), key=_FURTHEST.index, default=REGISTERED),
        "audit_status": PASSED if PASSED in verdicts else FAILED if verdicts and set(verdicts) == {FAILED} else PENDING,
    }  # fmt: skip
    session = db.session()
    with acting(session):
        one = Registration(**{**home, **values, **more})
        session.add(one)
        session.flush()
        for n, (progress, verdict) in enumerate([*units, *[(ASSIGNED, PENDING)] * withdrawn]):
            gone = n >= len(units)
            session.add(
                Assignment(
                    **home, registration_id=one.id, brand_category_id=world.categories[0].id, used_type=f"t{n}",
                    phone=number, progress=progress, verdict=verdict, registrant_id=person.id, outlet_id=place.id,
                    registered_at=filed, store_id=world.stores[1].id, dealer_id=place.dealer_id,
                    withdrawn_at=filed if gone else None,
                    audit_remark="号码是空号" if verdict is FAILED else None,
                    judged_at=filed if verdict is not PENDING else None,
                )
            )  # fmt: skip
        session.commit()
    return one
