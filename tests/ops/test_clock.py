"""Schedules: each slot once, however many clocks; a missed one is made up for once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine import clock, once, outbox, sweeping
from app.engine.database import db
from jobs.schedule import Clock, prune

BRIEF = "test.brief"
NOON = datetime(2026, 3, 2, 4, 0)  # 12:00 in Shanghai


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slots for which a schedule at 08:00 and 20:00 has run; no other schedule exists."""
    ran: list[str] = []
    monkeypatch.setattr(clock, "_schedules", {})
    monkeypatch.setattr(outbox, "_handlers", {})
    clock.scheduled(BRIEF, clock.At("20:00", "08:00"))(lambda delivery: ran.append(delivery.payload["slot"]))
    return ran


@pytest.mark.parametrize(
    ("times", "now", "expected"),
    [
        (clock.At("08:00", "20:00"), "2026-03-02T04:00:00", "2026-03-02T00:00:00"),
        (clock.At("08:00", "20:00"), "2026-03-02T00:00:00", "2026-03-02T00:00:00"),
        (clock.At("08:00", "20:00"), "2026-03-01T23:59:59", "2026-03-01T12:00:00"),
        (clock.Every(60), "2026-03-02T04:59:59", "2026-03-02T04:00:00"),
        (clock.Every(1), "2026-03-02T04:59:59", "2026-03-02T04:59:00"),
        (clock.Every(15), "2026-03-02T16:07:00", "2026-03-02T16:00:00"),
    ],
)
def test_the_newest_slot_in_shanghai_time(times: clock.Times, now: str, expected: str) -> None:
    assert times.latest(datetime.fromisoformat(now)) == datetime.fromisoformat(expected)


def test_two_clocks_run_a_slot_once(app: Flask, runs: list[str], run_outbox: Callable[..., None]) -> None:
    clocks = [Clock(), Clock(), Clock()]
    for ticking in clocks:
        ticking.tick(NOON)
    evening = NOON + timedelta(hours=8)
    started = [ticking.tick(evening + timedelta(seconds=n)) for n in range(5) for ticking in clocks]
    assert [names for names in started if names] == [[BRIEF]]
    run_outbox(now=evening + timedelta(minutes=1))
    assert runs == ["2026-03-02T12:00:00"]


def test_a_new_schedule_has_missed_nothing(
    app: Flask, runs: list[str], run_outbox: Callable[..., None]
) -> None:
    Clock().tick(NOON)
    run_outbox(now=NOON)
    assert runs == []


def test_slots_missed_while_no_clock_ran_are_made_up_for_once(
    app: Flask, runs: list[str], run_outbox: Callable[..., None]
) -> None:
    Clock().tick(NOON)
    back = NOON + timedelta(days=3)
    for _ in range(3):
        Clock().tick(back)
    run_outbox(now=back)
    assert runs == ["2026-03-05T00:00:00"]


def test_a_clock_set_back_runs_nothing_again(
    app: Flask, runs: list[str], run_outbox: Callable[..., None]
) -> None:
    Clock().tick(NOON)
    Clock().tick(NOON + timedelta(hours=8))
    Clock().tick(NOON)
    run_outbox(now=NOON + timedelta(hours=9))
    assert runs == ["2026-03-02T12:00:00"]


def test_what_is_due_leaves_at_every_tick_and_lost_rows_every_minute(
    app: Flask, monkeypatch: pytest.MonkeyPatch, runs: list[str]
) -> None:
    ticking, sent = Clock(), []
    monkeypatch.setattr("jobs.schedule.hand_over", lambda which, now: sent.append(which))
    for second in range(0, 181, 10):
        ticking.tick(NOON + timedelta(seconds=second))
    assert (sent.count(sweeping.sweep), sent.count(sweeping.release)) == (4, 15)


def test_old_slots_are_forgotten(app: Flask, runs: list[str]) -> None:
    Clock().tick(NOON)
    Clock().tick(NOON + timedelta(days=70))
    later = (NOON + timedelta(days=71)).isoformat()
    prune(outbox.Delivery(1, "outbox.prune", {"slot": later}, 1, NOON, db.session()))
    db.session.commit()
    assert list(db.session.scalars(select(clock.SLOTS.c.slot))) == [datetime(2026, 5, 11)]


def test_forms_carried_out_long_ago_are_forgotten(app: Flask) -> None:
    for token, days in (("old", 40), ("new", 20)):
        once.remember(db.session(), token, 1, "/x", NOON - timedelta(days=days))
    db.session.commit()
    prune(outbox.Delivery(1, "outbox.prune", {"slot": NOON.isoformat()}, 1, NOON, db.session()))
    db.session.commit()
    assert list(db.session.scalars(select(once.Submission.token))) == ["new"]
