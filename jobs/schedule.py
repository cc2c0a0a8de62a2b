"""The clock process: starts what is due and hands over the outbox. Any number of clocks may run."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.engine import clock, once, outbox, queue, sweeping
from app.engine.database import db, is_away, utcnow
from app.processes import Wake

log = logging.getLogger(__name__)
SWEEP_EVERY = timedelta(minutes=1)
PATIENCE = 5.0  # seconds before the next try after a database error


@clock.scheduled("outbox.prune", clock.At("03:10"), label="每日清理")
def prune(delivery: outbox.Delivery) -> None:
    """Forget what was delivered long ago, slots long past and forms carried out long ago."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    sweeping.prune(delivery.session, now=slot)
    clock.prune(delivery.session, now=slot)
    once.prune(delivery.session, now=slot)


class Clock:
    """One clock's memory between ticks."""

    def __init__(self) -> None:
        self.seen: dict[str, datetime] = {}
        self.swept_at = datetime.min

    def tick(self, now: datetime) -> list[str]:
        """Do what is due at ``now`` (UTC); returns the names of the schedules started."""
        started = clock.tick(db.session(), now, self.seen)
        if now - self.swept_at >= SWEEP_EVERY:
            self.swept_at = now
            hand_over(sweeping.sweep, now)
        else:
            hand_over(sweeping.release, now)
        return started


def hand_over(which: Callable[..., int], now: datetime) -> int:
    """Hand over what is due; where no Redis is configured, carry it out here."""
    handed = which(db.session(), now=now)
    port = queue.current()
    if isinstance(port, queue.MemoryQueue):
        for row_id in port.take():
            outbox.deliver(db.session(), row_id, now=now)
    return handed


def run(app: Flask) -> None:
    """Tick every second until SIGTERM or SIGINT."""
    stop = Wake()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ticking = Clock()
    pause = 0.0
    away = False
    while not stop.wait(pause):
        pause = 1.0
        with app.app_context():
            try:
                ticking.tick(utcnow())
            except SQLAlchemyError as error:
                pause = PATIENCE
                if not is_away(error):
                    log.exception("the clock could not do what was due")
                elif not away:
                    log.warning("数据库暂时无法连接，时钟每 %.0f 秒重试", PATIENCE)
                away = is_away(error)
            else:
                if away:
                    log.warning("数据库已恢复，时钟继续")
                away = False
