"""Outbox kinds that only tests use; also loaded into real worker processes by `test_worker_death`."""

from __future__ import annotations

import threading
import time
from pathlib import Path

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


@outbox.handler("test.outside", outside=True)
def outside(delivery: outbox.Delivery) -> None:
    """Talk to somebody for a while, then leave a trace."""
    if delivery.attempt == 1 and delivery.payload.get("wait"):
        entered.set()
        leave.wait(10)
    _effect(delivery)


@outbox.handler("test.die", seconds=1, outside=True)
def die(delivery: outbox.Delivery) -> None:
    """At the first attempt stay until killed."""
    if delivery.attempt == 1:
        Path(delivery.payload["marker"]).touch()
        time.sleep(30)
    _effect(delivery)
