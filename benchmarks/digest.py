"""How long the summaries of 08:00 take for 2,000 people (A-36), from the slot to the last message.

Runs in a process of its own per database (``python -m benchmarks.digest URL``) and prints JSON. The people
and who has which task are made up inside a transaction that is rolled back, so the data stay as they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import func, insert, select, update

import config
from app.engine.clock import At
from app.engine.database import db, pieces, utcnow, writing
from app.engine.outbox import Delivery
from benchmarks.databases import environment
from benchmarks.product import make_product
from benchmarks.report import Row
from models.follow_ups import notices, tasks
from models.follow_ups.tables import Task
from models.identity.tables import Employee
from models.notifications.hourly import AT_ONCE
from models.notifications.tables import Notification

PEOPLE = 2000
SECONDS = 5.0


def rows(url: str) -> list[Row]:
    """The line of the table."""
    command = [sys.executable, "-m", "benchmarks.digest", url]
    done = subprocess.run(command, env=environment(url), cwd=config.ROOT, check=True, capture_output=True)
    figure: dict[str, Any] = json.loads(done.stdout)
    label = f"定时提醒 {figure['people']} 人（{figure['waiting']} 项待办任务，共 {figure['tasks']} 项）"
    met = figure["seconds"] <= SECONDS if figure["people"] == PEOPLE else None
    return [Row(label, f"{figure['seconds']:.2f} s", "", f"≤ {SECONDS:g} s", met)]


def measure() -> dict[str, Any]:
    """Seconds that passed, for how many people with how many tasks."""
    session, now = db.session(), utcnow()
    slot = At("08:00").latest(now)
    with writing(session):
        _give_to_many()
        mine = tasks.waiting()
        waiting = session.scalar(select(func.count()).select_from(Task).where(mine))
        total = session.scalar(select(func.count()).select_from(Task))
        before = session.scalar(select(func.count()).select_from(Notification)) or 0
        started = time.monotonic()
        people = notices.people(session, slot)
        for some in pieces(people, AT_ONCE):
            payload = {"slot": slot.isoformat(), "users": some}
            notices.write(Delivery(0, "notices.daily.part", payload, 1, now, session))
        seconds = time.monotonic() - started
        made = (session.scalar(select(func.count()).select_from(Notification)) or 0) - before
        session.rollback()
    return {"seconds": seconds, "people": made, "waiting": waiting, "tasks": total}


def _give_to_many() -> None:
    """Spread the waiting tasks over 2,000 people of the dealers they belong to."""
    session = db.session()
    dealers = list(session.scalars(select(Task.dealer_id).distinct()))
    first = (session.scalar(select(func.max(Employee.id))) or 0) + 1
    people = [
        {
            "id": first + n, "username": f"bench{n}", "name": f"员工{n}", "first_name": "", "last_name": "",
            "email": f"bench{n}@localhost.invalid", "active": True, "dealer_id": dealers[n % len(dealers)],
            "version": 1, "session_version": 1, "created_at": utcnow(), "updated_at": utcnow(),
        }
        for n in range(PEOPLE)
    ]  # fmt: skip
    unlogged = {"audited": True}  # nothing of this stays
    session.execute(insert(Employee.__table__), people, execution_options=unlogged)  # type: ignore[arg-type]
    session.execute(
        update(Task.__table__).where(tasks.waiting()).values(owner_id=first + Task.id % PEOPLE),  # type: ignore[arg-type]
        execution_options=unlogged,
    )


if __name__ == "__main__":
    with make_product().app_context():
        print(json.dumps(measure()))
