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


def work(limit: int = 20) -> int:
    """Carry out what waits, and what follows from it; returns how many rows that were."""
    session, done = db.session(), 0
    session.commit()
    while done < limit:
        row = session.scalar(
            select(outbox.OutboxRow.id)
            .where(outbox.OutboxRow.kind == KIND, outbox.OutboxRow.done_at.is_(None))
            .order_by(outbox.OutboxRow.id)
            .limit(1)
        )
        session.rollback()
        if row is None:
            return done
        outbox.deliver(session, row, now=utcnow())
        session.expire_all()
        done += 1
    raise AssertionError("it goes on for ever")


def runs() -> list[tuple[str, str]]:
    """How the runs ended and why, oldest first."""
    found = db.session.scalars(select(AutomationRun).order_by(AutomationRun.id))
    return [(run.outcome.value, run.reason) for run in found]
