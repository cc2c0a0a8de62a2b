"""The whole product on either database, with an import, exports and summaries under way; web, Redis and workers are
killed at random points, again and again: nothing twice, nothing lost, everything ends."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from app.engine import files, outbox, queue
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow, writing
from app.engine.imports.tables import ImportRun
from app.engine.jobs import OPEN, Job, JobState
from jobs import worker
from models.customers.tables import Customer, CustomerPhone
from models.customers.track import TrackEvent
from models.follow_ups.tables import Task, TaskKind, TaskState
from models.identity.tables import Employee
from models.notifications.tables import NoticeKind, Notification
from tests.customers.world import PASSWORD, World
from tests.exports.files import csv_rows, entries, jobs, many, rows
from tests.ops.clicks import Clicker
from tests.ops.test_supervisor import Running, until

pytestmark = pytest.mark.slow
LINES, ROWS, STAFF = 12_000, 8_000, 2_000
WORDS = ["long", "long", "long", "quick", "quick", "quick", "redis-server", "redis-server", "web", "web"]
SLOTS = [datetime(2026, 3, day + 1, 0, 0) for day in range(len(WORDS))]
FORMATS = ("xlsx", "csv", "xlsx")
JOB, SUMMARY = "job.run", "notices.daily"


@pytest.fixture
def world(trade: World) -> World:
    """The small trade with customers to export and staff with an overdue task each."""
    made = trade
    many(made, ROWS, "keeper")
    place = {"dealer_id": made.a.id, "store_id": made.stores[0].id}
    people = [
        place | {
            "username": f"staff{n}", "name": f"店员{n}", "first_name": "", "last_name": "-",
            "email": f"staff{n}@localhost.invalid", "password": "-", "active": True,
        }
        for n in range(STAFF)
    ]  # fmt: skip
    silent = {"audited": True}
    db.session.execute(insert(Employee.__table__), people, execution_options=silent)
    ids = list(db.session.scalars(select(Employee.id).where(Employee.username.like("staff%"))))
    long_ago = SLOTS[0] - timedelta(days=9)
    duty = place | {
        "kind": TaskKind.OTHER,
        "state": TaskState.OPEN,
        "subject": "量尺",
        "created_at": long_ago,
    }
    duty |= {"due_at": long_ago, "customer_id": db.session.scalar(select(Customer.id).limit(1))}
    db.session.execute(insert(Task), [duty | {"owner_id": i} for i in ids], execution_options=silent)
    db.session.commit()
    return made


@pytest.fixture
def tree(app: Flask, restorer: Any) -> Iterator[Running]:
    """Everything, on the test's database."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    found = Running(Path(app.config["DATA_DIR"]), DATABASE_URL=url)
    until(found.started, 120)
    before = queue.current()
    app.config["REDIS_URL"] = (found.data / "run" / "redis.url").read_text()
    worker.connect(app)
    yield found
    queue.connect(app, before)
    found.process.terminate()
    found.wait()
    restorer.touch_all()


def _summary(slot: datetime) -> None:
    """What the clock starts at 08:00."""
    with writing(db.session()):
        outbox.put(db.session(), "notices.daily", {"slot": slot.isoformat()})
        db.session.commit()


def _await_work(kind: str) -> None:
    """Wait until somebody is at something of that kind, or nothing of it is left."""
    table = outbox.ROWS.c
    mine = select(table.leased_until).where(table.done_at.is_(None), table.kind.like(f"{kind}%"))
    deadline = time.monotonic() + 60
    while leases := list(db.session.scalars(mine)):
        db.session.rollback()
        if any(lease is not None and lease > utcnow() for lease in leases):
            break
        assert time.monotonic() < deadline
        time.sleep(0.01)
    db.session.rollback()


def kill(victim: psutil.Process) -> None:
    """That process, at once; what it had in hand may be taken by others as if its time were over."""
    with suppress(psutil.NoSuchProcess):
        victim.kill()
        victim.wait(10)
    table = outbox.ROWS.c
    with writing(db.session()):
        open_ones = update(outbox.ROWS).where(table.done_at.is_(None), table.parked_at.is_(None))
        gone = utcnow() - timedelta(seconds=1)
        db.session.execute(open_ones.where(table.leased_until.is_not(None)).values(leased_until=gone))
        db.session.execute(open_ones.values(handed_at=None))
        db.session.commit()


def left() -> int:
    """Jobs and rows that have not come to their end."""
    db.session.rollback()
    open_jobs = select(func.count()).where(Job.state.in_(OPEN))
    open_rows = select(func.count()).where(outbox.ROWS.c.done_at.is_(None), outbox.ROWS.c.parked_at.is_(None))
    return (db.session.scalar(open_jobs) or 0) + (db.session.scalar(open_rows) or 0)


def _cut_off() -> int:
    """How many rows somebody was killed at."""
    return db.session.scalar(select(func.count()).where(outbox.ROWS.c.attempts > 1)) or 0


def _export(keeper: Clicker, tree: Running, form: str) -> None:
    """Ask for a file; whose click met a server at its end looks whether it counted, and clicks again."""
    before = len(jobs())
    while len(jobs()) == before:
        until(lambda: tree.get("/healthz"), 60)
        with suppress(OSError, HTTPException):
            keeper.post("/customers/export?scope=owned", format=form)
    db.session.rollback()


def test_everything_is_killed_again_and_again(world: World, tree: Running, login: Any) -> None:
    points = random.Random(20261126)
    base = f"http://127.0.0.1:{tree.port}"
    clerk, keeper = (Clicker(base).sign_in(who, PASSWORD) for who in ("typist", "keeper"))
    lines = "\n".join(f"新客{n},138{n:08d}" for n in range(LINES))
    clerk.post("/customers/import", file=("新客.csv", f"客户姓名,手机号码\n{lines}\n".encode()))
    place = clerk.place
    until(lambda: '"ready"' in clerk.get(f"{place}/progress"), 60)
    clerk.post(f"{place}/start")
    formats = iter(FORMATS)
    for word, slot in zip(points.sample(WORDS, len(WORDS)), SLOTS, strict=True):
        if word == "long":
            _export(keeper, tree, next(formats))
        victim = until(lambda word=word: tree.child(word))
        _summary(slot)
        _await_work(JOB if word == "long" else SUMMARY)
        time.sleep(points.uniform(0, 0.15 if word == "long" else 0.05))
        kill(victim)
    until(lambda: not left(), 120)
    until(lambda: '"status":"ok"' in tree.get("/readyz"), 60)
    assert _cut_off() > 1
    assert "done" in clerk.get(f"{place}/progress")
    _exported(world, login)
    _imported()
    _told(world)


def _exported(world: World, login: Any) -> None:
    made = [job for job in jobs() if job.kind == "export"]
    assert [(job.state, job.result) for job in made] == [(JobState.DONE, f"共 {ROWS} 行")] * len(FORMATS)
    names = [f"客户{n:05d}" for n in range(ROWS)]
    for job in made:
        content = login("keeper").get(f"/jobs/{job.id}/file").data
        found = rows(content) if job.payload["format"] == "xlsx" else csv_rows(content)
        assert [row[1] for row in found[1:]] == names
        file = files.path(job.payload["file"])
        assert [p.name for p in file.parent.glob(f"{file.name}*")] == [file.name]
    assert [e.record_label for e in entries()] == [f"导出 {ROWS} 行"] * len(FORMATS)


def _imported() -> None:
    (run,) = db.session.scalars(select(ImportRun))
    assert run.counts == {"new": LINES}
    amounts = [db.session.scalar(select(func.count()).select_from(m)) for m in (CustomerPhone, TrackEvent)]
    assert amounts == [LINES] * 2
    new = Customer.name.like("新客%")
    assert db.session.scalar(select(func.count(func.distinct(Customer.phone))).where(new)) == LINES
    assert db.session.scalar(select(func.count()).where(new)) == LINES
    mine = AuditEntry.resource == "customers", AuditEntry.action == "import"
    assert db.session.scalar(select(func.count()).where(*mine)) == LINES


def _told(world: World) -> None:
    told = list(db.session.execute(select(Notification.user_id, Notification.kind, Notification.key)))
    daily = Counter((user, key) for user, kind, key in told if kind == NoticeKind.DAILY)
    staff = list(db.session.scalars(select(Employee.id).where(Employee.username.like("staff%"))))
    assert daily == Counter((user, f"daily:{slot.isoformat()}") for user in staff for slot in SLOTS)
    others = Counter(user for user, kind, _ in told if kind == NoticeKind.INSTANT)
    assert others == {world.people["typist"].id: 2, world.people["keeper"].id: len(FORMATS)}
