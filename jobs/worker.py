"""The queue port filled with RQ, and the worker process.

The worker runs jobs in its own process, without a fork for each: three times the jobs per second, and the
supervisor restarts it when one kills it. Whatever was cut off is still in the outbox.
"""

from __future__ import annotations

import gc
import os
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue as RqQueueOfJobs
from rq.worker import SimpleWorker, Worker

from app.engine import queue
from app.engine.database import db, pieces, prepare_for_many_rows

QUEUE_NAME = "zhike"
LONG_QUEUE_NAME = "zhike-long"
LANES = {"quick": (QUEUE_NAME,), "long": (LONG_QUEUE_NAME, QUEUE_NAME), "all": (QUEUE_NAME, LONG_QUEUE_NAME)}
"""What a worker takes, first things first: nobody waits for a message behind an import."""
CLOSED_FOR = 5.0  # seconds without another try after Redis did not answer
ONE_BY_ONE = 20  # up to so many rows each is a job of its own, which any worker may take
ROWS_PER_JOB = 50  # of more, so that a change of 2,000 records hands over in milliseconds
_JOB = "jobs.outbox.deliver"


class RedisQueue:
    """Hands outbox ids to RQ. When Redis does not answer, nobody waits for it again for some seconds."""

    carries = True

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_connect_timeout=0.3, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        self._queue = RqQueueOfJobs(QUEUE_NAME, connection=self._redis)
        self._long = RqQueueOfJobs(LONG_QUEUE_NAME, connection=self._redis)
        self._open_until = 0.0

    def hand_over(self, ids: Sequence[int], *, seconds: int, long: bool = False) -> None:
        """Pass the ids to RQ in one round trip; raises `QueueDown`."""
        self._check()
        size = 1 if long or len(ids) <= ONE_BY_ONE else ROWS_PER_JOB
        jobs = [
            RqQueueOfJobs.prepare_data(
                _JOB,
                chunk,
                timeout=seconds * len(chunk),
                result_ttl=0,
                failure_ttl=60,
                description=f"outbox {chunk[0]}…" if len(chunk) > 1 else f"outbox {chunk[0]}",
            )
            for chunk in map(tuple, pieces(ids, size))
        ]
        try:
            (self._long if long else self._queue).enqueue_many(jobs)
        except RedisError as error:
            self._break(error)

    def depth(self) -> int:
        """Jobs waiting in RQ; raises `QueueDown`."""
        self._check()
        try:
            return int(self._queue.count) + int(self._long.count)
        except RedisError as error:
            self._break(error)

    def workers(self) -> list[queue.Seen]:
        """The workers that Redis knows to be alive; raises `QueueDown`."""
        self._check()
        try:
            found = Worker.all(connection=self._redis)
            return [
                queue.Seen(w.name, tuple(w.queue_names()), w.get_state() == "busy", _naive(w.last_heartbeat))
                for w in found
            ]
        except RedisError as error:
            self._break(error)

    def ping(self) -> None:
        """Ask Redis for a sign of life, past the circuit breaker; raises `QueueDown`."""
        try:
            self._redis.ping()
        except RedisError as error:
            raise queue.QueueDown(str(error)) from error

    def _check(self) -> None:
        if time.monotonic() < self._open_until:
            raise queue.QueueDown("Redis 暂时无法连接")

    def _break(self, error: RedisError) -> None:
        self._open_until = time.monotonic() + CLOSED_FOR
        raise queue.QueueDown(str(error)) from error


def _naive(moment: datetime | None) -> datetime | None:
    """A time as it is stored here: UTC without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment


def connect(app: Flask) -> None:
    """Give the application the queue its settings name; without ``REDIS_URL`` it keeps a memory queue."""
    url = app.config.get("REDIS_URL")
    queue.connect(app, RedisQueue(url) if url else queue.MemoryQueue())


def work(app: Flask, *, burst: bool = False, lane: str = "all") -> None:
    """Run jobs of a lane (`LANES`) until told to stop or, with ``burst``, until none waits; raises
    `QueueDown`."""
    gc.collect()
    gc.freeze()  # what the product itself consists of is not looked through again with every thousand rows
    redis = Redis.from_url(app.config["REDIS_URL"])
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    with app.app_context():
        prepare_for_many_rows(db.engine)
        try:
            SimpleWorker(list(LANES[lane]), connection=redis, name=name).work(
                burst=burst, logging_level="WARNING"
            )
        except RedisError as error:
            raise queue.QueueDown(str(error)) from error
