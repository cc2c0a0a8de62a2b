"""Two clocks that tick at once and three real workers for simulated days: each slot once, whoever gets it; a stop
of a day and a half is made up for once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import clock, outbox, queue
from app.engine.database import db
from app.engine.localtime import to_utc
from jobs import worker
from jobs.schedule import Clock
from models.follow_ups.tables import TaskKind
from models.notifications.tables import NoticeKind, Notification
from tests.customers.world import World
from tests.ops.test_supervisor import until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
OWNERS = ("seller", "seller2", "drawer")
HOURS = ("07:59", "08:00", "08:01", "12:00", "19:59", "20:00", "20:02")
DOWN = ("2026-03-04 07:59", "2026-03-05 12:00")
"""No clock ticks in between."""


def at(text: str) -> datetime:
    """A time in China as stored."""
    return to_utc(datetime.fromisoformat(text))


def moments() -> list[datetime]:
    """When the clocks tick: a week without those hours of the stop."""
    found = [f"2026-03-{day:02d} {hour}" for day in range(1, 8) for hour in HOURS]
    return [at(text) for text in found if not DOWN[0] <= text < DOWN[1]]


def slots() -> list[datetime]:
    """The slots of a schedule at 08:00 and 20:00 that are to be run; the first one ever is only noted."""
    latest = [clock.At("08:00", "20:00").latest(moment) for moment in moments()]
    return sorted(set(latest))[1:]


@pytest.fixture
def world(trade: World) -> World:
    """Consultants with a duty that is overdue and a customer who waits."""
    made, long_ago = trade, at("2026-02-01 09:00")
    for name in OWNERS:
        customer = made.customer(name, now=long_ago).id
        made.make(
            "tasks", name, now=long_ago, kind=TaskKind.OTHER, subject="量尺", customer_id=customer,
            due_at=at("2026-02-02 09:00"),
        )  # fmt: skip
    return made


@pytest.fixture
def workers(app: Flask, redis_url: str, restorer: Any) -> Iterator[None]:
    """Three of them, of one Redis."""
    before = queue.current()
    app.config["REDIS_URL"] = redis_url
    worker.connect(app)
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(app.config["DATA_DIR"]),
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": redis_url,
    }
    command = [sys.executable, "run.py", "worker"]
    started = [subprocess.Popen(command, cwd=ROOT, env=environ) for _ in range(3)]
    until(lambda: len(queue.current().workers()) == 3, 60)
    yield
    for process in started:
        process.terminate()
    assert [process.wait(timeout=30) for process in started] == [0, 0, 0]
    queue.connect(app, before)
    restorer.touch_all()


def undone() -> int:
    """What waits in the outbox."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(outbox.ROWS.c.done_at.is_(None))) or 0


def _tick(app: Flask, clocks: list[Clock], moment: datetime) -> list[str]:
    """All clocks at the same moment; the schedules that they started."""
    together, started = threading.Barrier(len(clocks)), []

    def tick(ticking: Clock) -> None:
        with app.app_context():
            together.wait(60)
            started.extend(ticking.tick(moment))

    threads = [threading.Thread(target=tick, args=(ticking,)) for ticking in clocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return started


@pytest.mark.spec("A-36", "A-39")
@pytest.mark.usefixtures("workers")
def test_a_week_of_two_clocks_and_three_workers(app: Flask, world: World) -> None:
    db.session.commit()
    clocks = [Clock(), Clock()]
    for moment in moments():
        started = _tick(app, clocks, moment)
        assert len(started) == len(set(started))
        until(lambda: not undone(), 60)
    table = outbox.ROWS.c
    assert db.session.scalar(select(func.count()).where(table.parked_at.is_not(None))) == 0
    runs = Counter(
        (row.kind, row.payload["slot"])
        for row in db.session.execute(
            select(table.kind, table.payload).where(table.kind.in_(clock.schedules()))
        )
    )
    assert set(runs.values()) == {1}
    ran = {slot for kind, slot in runs if kind == "notices.daily"}
    assert ran == {slot.isoformat() for slot in slots()}
    people = {world.people[name].id for name in OWNERS}
    told = list(db.session.scalars(select(Notification)))
    daily = Counter((n.user_id, n.key) for n in told if n.kind == NoticeKind.DAILY)
    assert daily == Counter((user, f"daily:{slot.isoformat()}") for user in people for slot in slots())
    default = Counter((n.user_id, n.key) for n in told if n.kind == NoticeKind.DEFAULT)
    mornings = [f"2026-03-{day:02d}T00:00" for day in (1, 2, 3, 5, 6, 7)]
    assert default == Counter((user, f"clock:{morning}") for user in people for morning in mornings)
