"""Automations as tests make them and let them run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.engine import outbox
from app.engine.database import db, utcnow
from app.engine.perform import create
from app.engine.resource import resource
from models.shaping.automation_noticing import KIND
from models.shaping.automation_tables import Automation, AutomationRun
from tests.customers.world import World

SURE = ("touch",)


def automation(world: World, by: str = "boss", **values: Any) -> Automation:
    """An automation as its administrator saves it after the look at whom it meets."""
    values = {"name": "试验", "subject": "customers", "event": "created", **values}
    made, _ = create(resource("automations"), values, world.actor(by), answers=SURE)
    return made


def where(*parts: dict[str, Any], of: str = "customers") -> dict[str, Any]:
    """A condition as it is stored."""
    return {"of": of, "where": {"all": list(parts)}}


def setting(field: str, value: str) -> dict[str, Any]:
    """The first step sets a field."""
    return {"do_1": "set", "field_1": field, "value_1": value}


def waiting(kind: str = KIND) -> list[int]:
    """The rows of the outbox that ask for work."""
    row = outbox.OutboxRow
    found = select(row.id).where(row.kind == kind, row.done_at.is_(None), row.parked_at.is_(None))
    return list(db.session.scalars(found.order_by(row.id)))


def work(kind: str = KIND, limit: int = 20) -> int:
    """Carry out what waits, and what follows from it; returns how many rows that were."""
    session, done = db.session(), 0
    session.commit()
    while ids := waiting(kind):
        session.rollback()
        outbox.deliver(session, ids[0], now=utcnow())
        session.expire_all()
        done += 1
        assert done < limit, "it goes on for ever"
    return done


def runs() -> list[tuple[str, str]]:
    """How the runs ended and why, oldest first."""
    found = db.session.scalars(select(AutomationRun).order_by(AutomationRun.id))
    return [(run.outcome.value, run.reason) for run in found]
