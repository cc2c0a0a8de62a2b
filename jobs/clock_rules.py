"""What happens to records by itself, every minute."""

from __future__ import annotations

from datetime import datetime

from app.engine import clock, outbox
from models.clock_rules import sweep


@clock.scheduled("clock_rules.sweep", clock.Every(1), seconds=600, label="执行时间规则")
def carry_out(delivery: outbox.Delivery) -> None:
    """All rules up to the slot; what was missed meanwhile with it, once."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    sweep.sweep(delivery.session, slot, delivery.now)


@clock.scheduled("clock_rules.prune", clock.At("03:20"), label="清理过期的规则记录")
def forget(delivery: outbox.Delivery) -> None:
    """Forget what was carried out long ago."""
    sweep.prune(delivery.session, datetime.fromisoformat(delivery.payload["slot"]))
