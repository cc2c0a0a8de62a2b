"""The outbox: nothing is lost, nothing happens twice, nobody waits for Redis."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select

from app.engine import outbox, queue, sweeping
from app.engine.database import db, utcnow, writing
from jobs import worker
from tests.ops import handlers

ROOT = Path(__file__).resolve().parents[2]
TABLE = outbox.ROWS.c


def effects() -> int:
    """How many traces the handlers left."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(TABLE.kind == handlers.EFFECT)) or 0


def row(row_id: int | None) -> Any:
    """The stored row as it is now."""
    db.session.rollback()
    return db.session.execute(select(outbox.ROWS).where(TABLE.id == row_id)).one()


def put(kind: str, **payload: Any) -> int:
    """One committed row."""
    row_id = outbox.put(db.session(), kind, payload)
    db.session.commit()
    assert row_id is not None
    return row_id


def test_a_committed_row_reaches_a_real_worker(app: Flask, drain_queue: Callable[[], None]) -> None:
    row_id = put("test.note", text="你好")
    assert queue.current().depth() == 1
    drain_queue()
    assert effects() == 1
    assert row(row_id).done_at is not None
    assert row(row_id).payload == {"text": "你好"}


def test_what_is_rolled_back_never_happens(app: Flask, drain_queue: Callable[[], None]) -> None:
    outbox.put(db.session(), "test.note", {})
    db.session.rollback()
    db.session.commit()
    assert queue.current().depth() == 0


def test_a_savepoint_does_not_hand_over_early(app: Flask, drain_queue: Callable[[], None]) -> None:
    with db.session.begin_nested():
        kept = outbox.put(db.session(), "test.note", {})
    assert queue.current().depth() == 0
    undone = db.session.begin_nested()
    outbox.put(db.session(), "test.note", {})
    undone.rollback()
    db.session.commit()
    drain_queue()
    assert effects() == 1
    assert row(kept).done_at is not None


def test_delivered_twice_has_its_effect_once(app: Flask) -> None:
    row_id = put("test.note")
    assert outbox.deliver(db.session(), row_id) is outbox.Outcome.DONE
    assert outbox.deliver(db.session(), row_id) is outbox.Outcome.SKIPPED
    assert effects() == 1


def test_eight_workers_at_once_have_one_effect(app: Flask) -> None:
    row_id = put("test.note")
    outcomes: list[outbox.Outcome] = []

    def work() -> None:
        with app.app_context():
            outcomes.append(outbox.deliver(db.session(), row_id))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(outbox.Outcome.DONE) == 1
    assert outcomes.count(outbox.Outcome.SKIPPED) == 7
    assert effects() == 1


def test_a_worker_past_its_lease_undoes_its_effect(app: Flask) -> None:
    handlers.entered.clear()
    handlers.leave.clear()
    row_id = put("test.outside", wait=True)
    slow: list[outbox.Outcome] = []

    def work() -> None:
        with app.app_context():
            slow.append(outbox.deliver(db.session(), row_id))

    thread = threading.Thread(target=work)
    thread.start()
    assert handlers.entered.wait(10)
    later = utcnow() + timedelta(minutes=2)
    assert outbox.deliver(db.session(), row_id) is outbox.Outcome.SKIPPED
    assert outbox.deliver(db.session(), row_id, now=later) is outbox.Outcome.DONE
    handlers.leave.set()
    thread.join()
    assert slow == [outbox.Outcome.SKIPPED]
    assert effects() == 1


def test_a_failure_is_tried_again_with_growing_pauses(app: Flask) -> None:
    row_id, now = put("test.fail", succeeds_at=3), utcnow()
    assert outbox.deliver(db.session(), row_id, now=now) is outbox.Outcome.RETRY
    assert effects() == 0
    assert row(row_id).error == "ConnectionError: 对方没有应答"
    assert outbox.deliver(db.session(), row_id, now=now) is outbox.Outcome.SKIPPED
    first = row(row_id).available_at
    assert outbox.deliver(db.session(), row_id, now=first) is outbox.Outcome.RETRY
    second = row(row_id).available_at
    assert second - first > first - now
    assert outbox.deliver(db.session(), row_id, now=second) is outbox.Outcome.DONE
    assert effects() == 1


def test_after_the_last_attempt_it_is_parked_with_its_reason(app: Flask) -> None:
    row_id, now = put("test.fail", succeeds_at=99), utcnow()
    outcomes = []
    for _ in range(outbox.MAX_ATTEMPTS):
        outcomes.append(outbox.deliver(db.session(), row_id, now=now))
        now = max(now, row(row_id).available_at)
    assert outcomes[-1] is outbox.Outcome.PARKED
    assert outcomes.count(outbox.Outcome.PARKED) == 1
    assert "对方没有应答" in row(row_id).error
    assert sweeping.sweep(db.session(), now=now + timedelta(days=2)) == 0


@pytest.mark.parametrize(
    ("kind", "reason"), [("test.refuse", "号码不存在"), ("test.unknown", "没有程序处理“test.unknown”")]
)
def test_what_cannot_succeed_is_parked_at_once(app: Flask, kind: str, reason: str) -> None:
    row_id = put(kind)
    assert outbox.deliver(db.session(), row_id) is outbox.Outcome.PARKED
    assert row(row_id).error == reason


def test_a_key_is_stored_once_for_good(app: Flask) -> None:
    assert outbox.put(db.session(), "test.note", {}, key="greeting-1") is not None
    assert outbox.put(db.session(), "test.note", {}, key="greeting-1") is None
    db.session.commit()
    assert outbox.put(db.session(), "test.note", {}, key="greeting-1") is None
    entries = [({"n": n}, f"greeting-{n}") for n in range(4)]
    assert len(outbox.put_many(db.session(), "test.note", entries)) == 3


def test_a_delayed_row_waits_for_its_time(app: Flask, drain_queue: Callable[[], None]) -> None:
    now = utcnow()
    row_id = outbox.put(db.session(), "test.note", {}, at=now + timedelta(hours=1))
    db.session.commit()
    assert queue.current().depth() == 0
    assert sweeping.sweep(db.session(), now=now + timedelta(minutes=59)) == 0
    assert row_id is not None
    assert outbox.deliver(db.session(), row_id, now=now) is outbox.Outcome.SKIPPED
    assert sweeping.release(db.session(), now=now + timedelta(minutes=61)) == 1
    assert queue.current().depth() == 1
    assert sweeping.release(db.session(), now=now + timedelta(minutes=61)) == 0


def test_a_backlog_is_handed_over_once(app: Flask, drain_queue: Callable[[], None]) -> None:
    now = utcnow()
    outbox.put_many(db.session(), "test.note", [({"n": n}, None) for n in range(100)], now=now)
    db.session.commit()
    depth = queue.current().depth()
    for seconds in (31, 60, 120):
        assert sweeping.sweep(db.session(), now=now + timedelta(seconds=seconds)) == 0
    assert queue.current().depth() == depth


def test_many_delayed_rows_leave_at_once(app: Flask, drain_queue: Callable[[], None]) -> None:
    now = utcnow()
    later = now + timedelta(hours=1)
    outbox.put_many(db.session(), "test.note", [({"n": n}, None) for n in range(250)], now=now, at=later)
    db.session.commit()
    assert sweeping.release(db.session(), now=later + timedelta(seconds=1), limit=100) == 250


def test_more_rows_than_a_statement_can_name(app: Flask) -> None:
    entries = [({"n": n}, None) for n in range(12_000)]
    assert len(outbox.put_many(db.session(), "test.note", entries)) == len(entries)
    db.session.rollback()


def test_what_a_savepoint_took_back_is_not_handed_over(app: Flask) -> None:
    memory = queue.current()
    assert isinstance(memory, queue.MemoryQueue)
    memory.take()
    with writing(db.session()):
        outer = db.session.begin_nested()
        inner = db.session.begin_nested()
        outbox.put(db.session(), "test.note", {})
        inner.commit()
        outer.rollback()
        kept = db.session.begin_nested()
        row_id = outbox.put(db.session(), "test.note", {})
        kept.commit()
        db.session.commit()
    assert memory.take() == [row_id]


def test_an_outside_handler_that_looked_something_up_is_done_once(app: Flask) -> None:
    handlers.entered.clear()
    handlers.leave.clear()
    row_id = put("test.reads")
    outcomes: list[outbox.Outcome] = []

    def work() -> None:
        with app.app_context():
            outcomes.append(outbox.deliver(db.session(), row_id))

    thread = threading.Thread(target=work)
    thread.start()
    assert handlers.entered.wait(10)
    put("test.note")
    handlers.leave.set()
    thread.join()
    assert outcomes == [outbox.Outcome.DONE]
    assert row(row_id).attempts == 1


@pytest.mark.parametrize("broken", [False, True])
def test_whoever_waits_for_a_parked_row_learns_of_it(app: Flask, broken: bool) -> None:
    handlers.parked.clear()
    row_id = put("test.hopeless", broken=broken)
    assert outbox.deliver(db.session(), row_id) is outbox.Outcome.PARKED
    assert handlers.parked == [(row_id, "号码不存在")]
    assert row(row_id).parked_at is not None
    assert effects() == (0 if broken else 1)


def test_with_redis_down_the_click_succeeds_and_the_sweeper_delivers_later(
    app: Flask, drain_queue: Callable[[], None], redis_url: str
) -> None:
    up = queue.current()
    queue.connect(app, worker.RedisQueue("redis://127.0.0.1:1/0"))
    began = time.monotonic()
    row_id = put("test.note")
    for _ in range(20):
        put("test.note")
    assert time.monotonic() - began < 2
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=1)) == 0
    assert row(row_id).done_at is None
    queue.connect(app, up)
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=1)) == 21
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=1)) == 0
    drain_queue()
    assert effects() == 21


def test_a_silent_redis_is_asked_once_and_then_left_alone(app: Flask) -> None:
    down = worker.RedisQueue("redis://127.0.0.1:1/0")
    with pytest.raises(queue.QueueDown):
        down.hand_over([1], seconds=60)
    began = time.monotonic()
    for _ in range(1000):
        with pytest.raises(queue.QueueDown):
            down.hand_over([1], seconds=60)
    assert time.monotonic() - began < 0.5


def test_redis_that_forgot_everything_loses_nothing(
    app: Flask, drain_queue: Callable[[], None], redis_url: str
) -> None:
    put("test.note")
    Redis.from_url(redis_url).flushall()
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=1)) == 0
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=6)) == 1
    drain_queue()
    assert effects() == 1


@pytest.mark.slow
def test_a_job_whose_worker_was_killed_runs_again_once(
    app: Flask, drain_queue: Callable[[], None], redis_url: str, restorer: Any, tmp_path: Path
) -> None:
    marker = tmp_path / "entered"
    row_id = put("test.die", marker=str(marker))
    code = "import tests.ops.handlers; from app.cli import main; main(['worker'])"
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": redis_url,
    }
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ)
    deadline = time.monotonic() + 30
    while not marker.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    restorer.touch_all()
    assert row(row_id).attempts == 1
    time.sleep(1.1)  # the lease of that kind
    assert sweeping.sweep(db.session(), now=utcnow() + timedelta(minutes=1)) == 1
    drain_queue()
    assert row(row_id).done_at is not None
    assert effects() == 1


def test_delivered_rows_are_forgotten_after_a_week_keys_are_not(app: Flask) -> None:
    now = utcnow()
    plain, keyed = put("test.note"), outbox.put(db.session(), "test.note", {}, key="once")
    db.session.commit()
    for row_id in (plain, keyed):
        assert row_id is not None
        outbox.deliver(db.session(), row_id, now=utcnow())
    sweeping.prune(db.session(), now=now + timedelta(days=8))
    db.session.commit()
    left = set(db.session.scalars(select(TABLE.id)))
    assert plain not in left
    assert keyed in left
