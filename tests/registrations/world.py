"""The trade of `tests.customers.world` with the people who bring in leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.perform import create
from app.engine.resource import resource
from models.identity import presets
from models.identity.tables import Employee
from models.registrations.tables import Registration, RegistrationGrant
from tests.customers import world as trade
from tests.customers.world import PASSWORD, World

PEOPLE = (
    ("worker1", "林一", "channel_worker"),
    ("worker2", "林二", "channel_worker"),
    ("chief", "周经理", "channel_manager"),
)


@dataclass
class Channel(World):
    """The trade with ``worker1``, ``worker2`` and ``chief`` in the first store of dealer ``a``."""

    def form(self, **values: Any) -> dict[str, Any]:
        """What the form of a good lead holds, as it is typed; its phone is one nobody has yet."""
        return {
            "name": "张女士", "city": "杭州市", "community": "星湖小区", "room": "3栋502",
            "phone": self.next_phone(), "source": "自然客户", "tracking_state": "待跟踪",
        } | values  # fmt: skip

    def lead(self, by: str = "worker1", now: datetime | None = None, **values: Any) -> Registration:
        """File a lead as that person would."""
        record, _ = create(resource("registrations"), self.form(**values), self.actor(by), now=now)
        return record

    def grant_leads(self, manager: str, *registrants: str) -> None:
        """Open the leads of these people to a manager."""
        session = db.session()
        with acting(session):
            session.add_all(
                RegistrationGrant(
                    manager_id=self.people[manager].id,
                    registrant_id=self.people[name].id,
                    dealer_id=self.a.id,
                )
                for name in registrants
            )
            session.commit()

    def set(self, lead: Registration, **values: Any) -> Registration:
        """Put a lead into a state that other people's deeds bring about."""
        session = db.session()
        with acting(session):
            for name, value in values.items():
                setattr(lead, name, value)
            session.commit()
        return lead


def leads() -> list[Registration]:
    """All leads in the order of their filing."""
    return list(db.session.scalars(select(Registration).order_by(Registration.id)))


def fill() -> None:
    """Make it in the running application's database."""
    trade.fill()
    base = trade.found()
    session = db.session()
    with acting(session):
        for username, name, role in PEOPLE:
            presets.add_person(
                session,
                dealer_id=base.a.id,
                username=username,
                name=name,
                password=PASSWORD,
                roles=[presets.preset_role(session, base.a.id, role)],
                stores=[base.stores[0]],
            )
        presets.bump_epoch(session)
        session.commit()


def found() -> Channel:
    """The trade as it stands in the database."""
    base = trade.found()
    names = [username for username, *_ in PEOPLE]
    more = db.session().scalars(select(Employee).where(Employee.username.in_(names)))
    return Channel(base.a, base.b, base.stores, base.people | {p.username: p for p in more}, base.categories)


__all__ = ["PASSWORD", "Channel", "fill", "found", "leads"]
