"""Outbox kinds that only tests use; also loaded into real worker processes by `test_worker_death`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from app.engine import outbox

EFFECT = "test.effect"
entered = threading.Event()
leave = threading.Event()


def _effect(delivery: outbox.Delivery) -> None:
    outbox.put(delivery.session, EFFECT, {"of": delivery.id}, now=delivery.now)


@outbox.handler("test.note")
def note(delivery: outbox.Delivery) -> None:
    """Leave one trace."""
    _effect(delivery)


@outbox.handler("test.fail")
def fail(delivery: outbox.Delivery) -> None:
    """Leave a trace and fail until the attempt the payload names."""
    _effect(delivery)
    if delivery.attempt < delivery.payload["succeeds_at"]:
        raise ConnectionError("对方没有应答")


@outbox.handler("test.refuse")
def refuse(delivery: outbox.Delivery) -> None:
    """Never possible."""
    raise outbox.GiveUp("号码不存在")


parked: list[tuple[int, str]] = []


def _told(delivery: outbox.Delivery, reason: str) -> None:
    parked.append((delivery.id, reason))
    _effect(delivery)
    if delivery.payload.get("broken"):
        raise RuntimeError("坏了")


@outbox.handler("test.hopeless", on_parked=_told)
def hopeless(delivery: outbox.Delivery) -> None:
    """Never possible, and somebody learns of it."""
    raise outbox.GiveUp("号码不存在")


@outbox.handler("test.reads", outside=True)
def reads(delivery: outbox.Delivery) -> None:
    """Look something up, then talk to somebody while others write."""
    delivery.session.execute(text("SELECT count(*) FROM customers")).scalar()
    entered.set()
    leave.wait(10)


@outbox.handler("test.outside", outside=True)
def outside(delivery: outbox.Delivery) -> Callable[[], None]:
    """Talk to somebody for a while, then leave a trace."""
    if delivery.attempt == 1 and delivery.payload.get("wait"):
        entered.set()
        leave.wait(10)
    return lambda: _effect(delivery)


@outbox.handler("test.die", seconds=1, outside=True)
def die(delivery: outbox.Delivery) -> Callable[[], None]:
    """At the first attempt stay until killed."""
    if delivery.attempt == 1:
        Path(delivery.payload["marker"]).touch()
        time.sleep(30)
    return lambda: _effect(delivery)
