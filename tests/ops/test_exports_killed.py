"""A large export whose worker, or whose Redis, is killed in the middle: it ends with one whole file, one entry of
the log and one message."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.engine import files, outbox, queue, sweeping
from app.engine.database import db, utcnow
from app.engine.jobs import JobState
from app.redis_embedded import EmbeddedRedis
from jobs import worker
from tests.customers.world import World
from tests.exports.files import entries, jobs, many, notices, rows, setting

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
ROWS, PIECE = 400, 10
SLOW = f"""
import sys, time
from pathlib import Path
from app.engine import exporting
exporting.CHUNK = {PIECE}
rows, marks = exporting._Table.rows, Path(sys.argv[1])
def slowly(self, ids):
    with marks.open("a") as out:
        out.write(".")
    time.sleep(0.08)
    return rows(self, ids)
exporting._Table.rows = slowly
from app.cli import main
main(["worker"])
"""


@pytest.fixture
def world(trade: World) -> World:
    """The small trade with customers, whose exports become jobs."""
    made = trade
    many(made, ROWS)
    setting(made, "export.at_once", 0)
    return made


class Slow:
    """Real workers that take their time over each piece of an export."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(app.config["DATA_DIR"]),
            "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        }

    def start(self, redis_url: str) -> subprocess.Popen[bytes]:
        """One more of them."""
        command = [sys.executable, "-c", SLOW, str(self._marks(len(self.started)))]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environ | {"REDIS_URL": redis_url})
        self.started.append(process)
        return process

    def await_pieces(self, process: subprocess.Popen[bytes], pieces: int) -> None:
        """Wait until it has begun with so many pieces."""
        marks = self._marks(self.started.index(process))
        deadline = time.monotonic() + 90
        while not marks.exists() or marks.stat().st_size < pieces:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _marks(self, number: int) -> Path:
        return self.folder / f"marks-{number}"


@pytest.fixture
def slow(app: Flask, restorer: Any, tmp_path: Path) -> Iterator[Slow]:
    """Slow workers; those that are left are ended."""
    found = Slow(app, tmp_path)
    yield found
    for process in found.started:
        process.kill()
        process.wait()
    restorer.touch_all()


def ask(login: Any, amount: int = 1) -> None:
    """Exports of the store's customers."""
    client = login("keeper")
    for _ in range(amount):
        assert client.post("/customers/export?scope=store", data={"format": "xlsx"}).status_code == 302


def a_minute_later() -> int:
    """The leases of dead workers have run out, and the sweeper has looked."""
    db.session.rollback()
    gone = utcnow() - timedelta(minutes=10)
    held = outbox.ROWS.c.leased_until.is_not(None)
    db.session.execute(update(outbox.ROWS).where(held).values(leased_until=gone, handed_at=gone))
    db.session.commit()
    return sweeping.sweep(db.session(), now=utcnow())


def whole(world: World, login: Any, amount: int = 1) -> None:
    """Everything has ended as if nothing had happened."""
    found = jobs()
    assert [(j.state, j.result) for j in found] == [(JobState.DONE, f"共 {ROWS} 行")] * amount
    for job in found:
        content = login("keeper").get(f"/jobs/{job.id}/file").data
        assert [r[1] for r in rows(content)[1:]] == [f"客户{n:05d}" for n in range(ROWS)]
        place = files.path(job.payload["file"])
        assert [p.name for p in place.parent.glob(f"{place.name}*")] == [place.name]
    assert [e.record_label for e in entries()] == [f"导出 {ROWS} 行"] * amount
    assert len(notices("keeper", world)) == amount


@pytest.mark.parametrize("seed", range(2))
def test_a_worker_killed_again_and_again(
    world: World, login: Any, drain_queue: Callable[[], None], redis_url: str, slow: Slow, seed: int
) -> None:
    points = random.Random(seed).sample(range(1, 20), 3)
    ask(login)
    for pieces in points:
        process = slow.start(redis_url)
        slow.await_pieces(process, pieces)
        process.kill()
        process.wait()
        (job,) = jobs()
        assert job.state == JobState.RUNNING
        assert not files.path(job.payload["file"]).exists()
        assert entries() == []
        assert a_minute_later() == 1
    drain_queue()
    whole(world, login)


def test_two_at_once_and_a_worker_killed(
    world: World, login: Any, drain_queue: Callable[[], None], redis_url: str, slow: Slow
) -> None:
    ask(login, 2)
    both = [slow.start(redis_url), slow.start(redis_url)]
    for process in both:
        slow.await_pieces(process, 3)
    assert [j.state for j in jobs()] == [JobState.RUNNING] * 2
    both[0].kill()
    deadline = time.monotonic() + 90
    while JobState.DONE not in [j.state for j in jobs()]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    both[1].kill()
    both[1].wait()
    a_minute_later()
    drain_queue()
    whole(world, login, 2)


def test_redis_killed_in_the_middle(app: Flask, world: World, login: Any, slow: Slow, tmp_path: Path) -> None:
    before = queue.current()
    first, second = EmbeddedRedis(tmp_path / "one"), EmbeddedRedis(tmp_path / "two")
    process = first.start()
    try:
        app.config["REDIS_URL"] = first.url
        worker.connect(app)
        ask(login)
        working = slow.start(first.url)
        slow.await_pieces(working, 9)
        process.kill()
        process.wait()
        ask(login)  # nobody's click fails meanwhile
        working.wait(timeout=90)
        second.start()
        app.config["REDIS_URL"] = second.url
        worker.connect(app)
        a_minute_later()
        worker.work(app, burst=True)
        whole(world, login, 2)
    finally:
        second.stop()
        queue.connect(app, before)
