"""What happens by itself, over all customers: the sweep of the clock rules in seconds that pass."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from app.engine.database import db, utcnow, writing
from app.engine.localtime import local, to_utc
from benchmarks.report import Row
from models.clock_rules import sweep
from models.clock_rules.tables import ClockFiring, ClockRule, ClockSweep
from models.customers.tables import Customer
from models.notifications.tables import Notification

SWEEP_SECONDS = 0.5
_TABLES = (Notification, ClockFiring, ClockSweep)


def measure(rounds: int = 5) -> dict[str, Any]:
    """The morning's reminders for everybody, the same slot again, and the minute of the strong ones; leaves
    the database as it was."""
    morning = to_utc(datetime.combine(local(utcnow()).date() + timedelta(days=1), datetime.min.time()))
    morning += timedelta(hours=8)
    found: dict[str, Any] = {"due": 0, "people": 0}
    timed: dict[str, list[float]] = {"first": [], "second": [], "minute": []}
    for _ in range(rounds):
        timed["first"].append(_sweep(morning, found))
        timed["second"].append(_sweep(morning, found, again=True))
        timed["minute"].append(_sweep(morning + timedelta(minutes=1), found, again=True, since=morning))
        with writing(db.session()):
            found["due"] = db.session.scalar(select(func.sum(Notification.amount))) or 0
            found["people"] = db.session.scalar(select(func.count()).select_from(Notification)) or 0
            db.session.rollback()
        _clear()
    return found | {name: sorted(values)[len(values) // 2] for name, values in timed.items()}


def _sweep(
    slot: datetime, found: dict[str, Any], *, again: bool = False, since: datetime | None = None
) -> float:
    """One sweep as the worker does it, its transaction included; a second one forgets that there was a
    first, so that only what was written keeps it from writing."""
    session = db.session()
    with writing(session):
        session.execute(delete(ClockSweep))
        if since is not None:
            session.add_all(ClockSweep(rule_id=i, until=since) for i in session.scalars(select(ClockRule.id)))
        session.commit()
    started = time.perf_counter()
    with writing(session):
        made = sweep.sweep(session, slot, slot)
        session.commit()
    passed = time.perf_counter() - started
    if again and since is None:
        found["again"] = found.get("again", 0) + made
    return passed


def _settle() -> None:
    """PostgreSQL reads an index alone once the rows have been vacuumed, as it does by itself some minutes after
    a load."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM customers")


def _clear() -> None:
    with writing(db.session()):
        for table in _TABLES:
            db.session.execute(delete(table))
        db.session.commit()


def rows(figures: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    what = f"{figures['customers']} 位客户中 {figures['due']} 位到期，{figures['people']} 条消息"
    first, second = figures["first"], figures["second"]
    return [
        Row(
            f"08:00 默认提醒（{what}）", f"{first:.2f} s", "", f"≤ {SWEEP_SECONDS} s", first <= SWEEP_SECONDS
        ),
        Row(
            "同一时刻再执行一次",
            f"{second:.2f} s，写入 {figures['again']} 条",
            "",
            f"≤ {SWEEP_SECONDS} s，不写入",
            second <= SWEEP_SECONDS and not figures["again"],
        ),
        Row("每分钟的强提醒", f"{figures['minute'] * 1000:.0f} ms", "", "", None),
    ]


def main() -> None:
    """Measure in a process of its own on the database its environment names."""
    from app.factory import create_app

    with create_app().app_context():
        _settle()
        found = measure()
        found["customers"] = db.session.scalar(select(func.count()).select_from(Customer))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
