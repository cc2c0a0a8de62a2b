"""``kill -9`` of a real worker in the middle of the summaries: nobody is left out, nobody is told twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.engine import outbox, sweeping
from app.engine.database import db, utcnow
from models.follow_ups.tables import TaskKind
from models.notifications import hourly
from models.notifications.tables import NoticeKind, Notification
from tests.customers.world import World

ROOT = Path(__file__).resolve().parents[2]
OWNERS = ("seller", "seller2", "drawer", "keeper")


@pytest.mark.slow
@pytest.mark.spec("A-39")
def test_a_worker_killed_in_the_middle_of_a_summary(
    app: Flask,
    world: World,
    drain_queue: Callable[[], None],
    redis_url: str,
    restorer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = utcnow()
    for name in OWNERS:
        world.make(
            "tasks", name, now=now - timedelta(days=2), kind=TaskKind.OTHER, subject="量尺",
            due_at=now - timedelta(days=1), customer_id=world.customer(name).id,
        )  # fmt: skip
    monkeypatch.setattr(hourly, "AT_ONCE", 1)
    slot = outbox.put(db.session(), "notices.daily", {"slot": now.isoformat()})
    db.session.commit()
    assert slot is not None
    outbox.deliver(db.session(), slot)
    _kill_one_in_the_middle(app, redis_url, tmp_path)
    restorer.touch_all()
    assert sum(_told().values()) == 1
    table = outbox.OutboxRow
    past = utcnow() - timedelta(seconds=1)
    db.session.execute(update(table).where(table.leased_until.is_not(None)).values(leased_until=past))
    db.session.commit()
    sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=6))
    drain_queue()
    assert _told() == {world.people[name].id: 1 for name in OWNERS}


def _told() -> Counter[int]:
    """How many summaries each person has."""
    daily = select(Notification.user_id).where(Notification.kind == NoticeKind.DAILY)
    return Counter(db.session.scalars(daily))


def _kill_one_in_the_middle(app: Flask, redis_url: str, folder: Path) -> None:
    marker = folder / "entered"
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(folder),
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": redis_url,
        "MARKER": str(marker),
    }
    command = [sys.executable, "-m", "tests.notifications.dying"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    deadline = time.monotonic() + 60
    while not marker.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
