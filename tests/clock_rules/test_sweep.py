"""Each slot once: clocks and workers in any number, killed ones, repeated ones, late ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select, text

from app.engine import outbox
from app.engine.database import db, utcnow, writing
from app.engine.perform import update
from jobs.schedule import Clock
from models.clock_rules import queries, subjects, sweep
from models.clock_rules.resources import ClockRules
from models.clock_rules.subjects import Effect, declare_effect
from models.clock_rules.tables import ClockFiring, ClockSweep
from models.notifications.tables import NoticeKind, Notification
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World

Rule = Callable[..., Any]
NAME = "clock_rules.sweep"


def amounts() -> tuple[int, int]:
    """How many messages and firings there are."""
    counts = [
        db.session.scalar(select(func.count()).select_from(m)) or 0 for m in (Notification, ClockFiring)
    ]
    return counts[0], counts[1]


def _deliver_anew(now: datetime) -> None:
    """Three workers carry out the newest rows, whatever became of them before, the newest first."""
    table = outbox.OutboxRow.__table__
    newest = select(table.c.id).where(table.c.kind == NAME).order_by(table.c.id.desc()).limit(4)
    ids = list(db.session.scalars(newest))
    db.session.execute(text("UPDATE outbox SET leased_until = NULL, done_at = NULL, attempts = 0"))
    db.session.commit()
    for _worker in range(3):
        for row in ids:
            outbox.deliver(db.session(), row, now=now)


@pytest.mark.spec("A-39")
def test_two_clocks_and_three_workers_for_twelve_days(
    world: World, app: Flask, rule: Rule, monkeypatch: pytest.MonkeyPatch, told: Any
) -> None:
    """Every slot is delivered by three workers, several times, also out of order; each counts once."""
    rule(name="试", amount=1, unit="hours", at=None, effect="alert", start="filed")
    clocks = [Clock(), Clock()]
    monkeypatch.setattr("jobs.schedule.hand_over", lambda which, now: 0)  # workers come by themselves
    for ticking in clocks:
        ticking.tick(at("2026-03-01 07:00"))
    customers = [world.customer(name=f"客户{n}", now=at(f"2026-03-01 {9 + n:02d}:00")) for n in range(3)]
    for day in range(1, 13):
        for hour in ("07:59", "08:00", "09:59", "10:00", "11:00", "12:00", "20:00"):
            now = at(f"2026-03-{day:02d} {hour}")
            for ticking in clocks:
                ticking.tick(now)
            _deliver_anew(now)
    db.session.rollback()
    hourly = db.session.scalars(select(ClockFiring).order_by(ClockFiring.due)).all()
    assert [(f.record_id, f.due) for f in hourly] == [
        (c.id, c.created_at + timedelta(hours=1)) for c in customers
    ]
    assert len(told(NoticeKind.STRONG)) == 3
    default = told(NoticeKind.DEFAULT)
    assert sorted(n.key for n in default) == sorted({n.key for n in default})
    assert [n.key[-16:-6] for n in default] == [f"2026-03-{d:02d}" for d in range(8, 13)]
    assert {n.amount for n in default} == {3}


def test_a_second_run_writes_nothing(world: World, times: Times, rule: Rule) -> None:
    rule(amount=7, at="08:00", effect="alert")
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-07 08:00")
    slot = at("2026-03-08 08:00")
    made = []
    for _ in range(2):
        with writing(db.session()):
            db.session.execute(delete(ClockSweep))  # as if nobody knew that it ran
            db.session.flush()
            made.append(sweep.sweep(db.session(), slot, slot))
            db.session.commit()
    assert made == [2, 0] and amounts() == (2, 1)


def test_a_worker_killed_half_way_leaves_nothing_and_the_next_one_goes_on(
    world: World, times: Times, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(amount=1, at="08:00", effect="alert")
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-02 07:59")
    real = queries.keep_until

    def die(*args: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(queries, "keep_until", die)
    with pytest.raises(SystemExit):
        times.tick("2026-03-02 08:00")
    db.session.rollback()
    db.session.remove()
    assert amounts() == (0, 0)
    monkeypatch.setattr(queries, "keep_until", real)
    times.tick("2026-03-02 08:01")
    assert amounts() == (1, 1)


def test_what_came_due_on_missed_days_is_made_up_for(world: World, times: Times, rule: Rule) -> None:
    """A rule that is due once finds those of all missed days; one that repeats is told once."""
    rule(amount=1, at="08:00", effect="alert")
    times.tick("2026-03-01 07:00")
    for day in (1, 2, 3):
        world.customer(now=at(f"2026-03-{day:02d} 09:00"))
    times.tick("2026-03-01 20:00")
    times.tick("2026-03-05 12:00")
    due = list(db.session.scalars(select(ClockFiring.due).order_by(ClockFiring.due)))
    assert due == [at(f"2026-03-{day:02d} 08:00") for day in (2, 3, 4)]


def test_what_was_missed_for_longer_than_a_week_is_not_told(world: World, times: Times, told: Any) -> None:
    customer = world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-01 10:00")
    world.act("call", customer, now=at("2026-03-01 10:05"), next_follow_up_at=at("2026-03-02 10:00"))
    times.tick("2026-03-20 10:00")
    assert told(NoticeKind.STRONG) == []


def test_a_new_rule_has_missed_nothing(world: World, times: Times, rule: Rule) -> None:
    world.customer(now=at("2026-03-01 09:00"))
    times.tick("2026-03-08 08:00")
    rule(amount=7, at="07:00", effect="alert")
    times.tick("2026-03-08 12:00")
    assert amounts()[1] == 0


def test_a_rule_taken_away_does_nothing_more(world: World, times: Times, rule: Rule) -> None:
    made = rule(amount=1, at="08:00", effect="alert")
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    update(ClockRules, made.id, {"active": False}, world.actor("boss"))
    times.days("2026-03-02", "2026-03-03")
    assert amounts()[1] == 0


def test_a_rule_of_a_domain_that_is_gone_is_left_out(world: World, times: Times, rule: Rule) -> None:
    declare_effect(Effect("gone", "已停用的执行内容"))
    rule(amount=1, at="08:00", effect="gone")
    subjects._effects.pop("gone")
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    times.days("2026-03-02", "2026-03-08")
    assert customer.id and amounts() == (1, 0)


def test_people_who_have_left_are_told_nothing(world: World, times: Times, told: Any) -> None:
    times.tick("2026-03-01 07:00")
    world.customer(now=at("2026-03-01 09:00"))
    db.session.execute(
        text("UPDATE ab_user SET active = :no WHERE id = :id"), {"no": False, "id": world.people["seller"].id}
    )
    times.tick("2026-03-08 08:00")
    assert told(NoticeKind.DEFAULT) == []


def test_old_firings_are_forgotten_except_of_those_that_look_back(
    world: World, times: Times, rule: Rule
) -> None:
    declare_effect(Effect("late", "一直有效", late=True))
    kept, gone = rule(amount=0, at=None, effect="late"), rule(amount=0, at=None, effect="alert")
    long_ago = datetime(2024, 1, 1)
    db.session.add_all(
        ClockFiring(rule_id=r.id, record_id=1, due=long_ago, fired_at=long_ago) for r in (kept, gone)
    )
    db.session.commit()
    with writing(db.session()):
        sweep.prune(db.session(), at("2026-03-01 03:20"))
        db.session.commit()
    subjects._effects.pop("late")
    assert [f.rule_id for f in db.session.scalars(select(ClockFiring))] == [kept.id]


def test_the_morning_counts_within_the_index_alone(world: World, app: Flask) -> None:
    """Nobody's row is read for counting: the plans of both presets name the narrow indexes."""
    session, seen = db.session(), []
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    world.customer(now=at("2026-03-01 09:00"))
    with writing(session):
        sweep.sweep(session, at("2026-03-08 08:00"), at("2026-03-08 08:00"))
        session.commit()
    counts = [(s, p) for s, p in seen if s.startswith("SELECT") and "count(*)" in s and "ab_user" in s]
    assert len(counts) == 2
    sqlite = session.get_bind().dialect.name == "sqlite"
    if not sqlite:
        _leave_only_the_narrow_indexes()
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    connection = session.connection()
    plans = [str(connection.exec_driver_sql(f"{explain} {s}", p).all()) for s, p in counts]
    way = "COVERING INDEX " if sqlite else ""
    assert f"{way}ix_customers_silent" in plans[0]
    assert f"{way}ix_customers_unfollowed" in plans[1]
    session.rollback()


def _leave_only_the_narrow_indexes() -> None:
    """Until the transaction is rolled back: of a table this small a planner by costs takes any index."""
    session = db.session()
    names = text("SELECT indexname FROM pg_indexes WHERE tablename = 'customers' AND indexname LIKE 'ix%'")
    for name in session.scalars(names).all():
        if name not in ("ix_customers_silent", "ix_customers_unfollowed"):
            session.execute(text(f"DROP INDEX {name}"))
    session.execute(text("SET LOCAL enable_seqscan = off"))


@pytest.mark.sqlite_only
def test_through_a_real_queue_and_worker(
    world: World, app: Flask, drain_queue: Callable[[], None], told: Any
) -> None:
    minute = utcnow().replace(second=0, microsecond=0)
    Clock().tick(minute - timedelta(minutes=1))
    customer = world.customer(now=minute - timedelta(days=1))
    world.act("call", customer, now=minute - timedelta(hours=1), next_follow_up_at=minute)
    for _ in range(2):
        Clock().tick(minute)
        drain_queue()
    assert [n.record_id for n in told(NoticeKind.STRONG)] == [customer.id]
