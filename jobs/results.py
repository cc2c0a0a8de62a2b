"""The end of results that nobody may fetch any more."""

from __future__ import annotations

from app.engine import clock, jobs, outbox


@clock.scheduled("jobs.expire", clock.Every(60), label="删除过期文件")
def expire(delivery: outbox.Delivery) -> None:
    """Delete files whose time is over, on the hour."""
    jobs.expire(delivery.session, delivery.now)
