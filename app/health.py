"""/healthz (the process is up), /readyz (it can work), /metrics (figures for Prometheus)."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.engine import backlog, queue
from app.engine.database import db

_registry = CollectorRegistry()
_requests = Counter(
    "zhike_requests", "Answered requests", ("endpoint", "method", "status"), registry=_registry
)
_seconds = Histogram(
    "zhike_request_seconds",
    "Time to answer",
    ("endpoint",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=_registry,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What is counted by name; whatever else a client invents is counted together."""
_QUIET = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether the process can work: 503 without its database or with another schema.

    Redis is reported but does not count: with Redis down the outbox keeps what is to be done, so taking
    the web processes away would turn a delay into an outage.
    """
    parts = {"database": "ok", "migrations": "ok", "redis": _redis_state()}
    try:
        stored = db.session.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        if schema.stored_state(set(stored)) is not schema.State.CURRENT:
            parts["migrations"] = "behind"
    except SQLAlchemyError:
        db.session.rollback()
        parts["migrations"] = "unknown"
        parts["database"] = _database_state()
    able = parts["database"] == "ok" and parts["migrations"] == "ok"
    whole = "down" if not able else "degraded" if parts["redis"] == "down" else "ok"
    return jsonify(status=whole, **parts), 200 if able else 503


def _database_state() -> str:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "down"
    return "ok"


def _redis_state() -> str:
    port: Any = queue.current()
    if isinstance(port, queue.MemoryQueue):
        return "none"
    try:
        port.ping()
    except queue.QueueDown:
        return "down"
    return "ok"


@bp.get("/metrics")
def metrics() -> Response:
    """Requests and durations of all workers, and what waits; for local callers or bearers of the token."""
    if not _may_read_figures():
        abort(404)
    waiting = CollectorRegistry()
    waiting.register(_Waiting())
    source = _registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        source = CollectorRegistry()
        MultiProcessCollector(source)
    return Response(generate_latest(source) + generate_latest(waiting), content_type=CONTENT_TYPE_LATEST)


class _Waiting(Collector):
    """What waits at the moment of asking; no process has to keep these figures."""

    def collect(self) -> Iterator[Metric]:
        """The outbox and the queue."""
        try:
            rows = backlog.waiting(db.session())
        except SQLAlchemyError:
            rows = -1
        yield GaugeMetricFamily("zhike_outbox_waiting", "Outbox rows not yet done, -1: no database", rows)
        try:
            depth = queue.current().depth()
        except queue.QueueDown:
            depth = -1
        yield GaugeMetricFamily("zhike_queue_depth", "Jobs waiting for a worker, -1: Redis is down", depth)


def _may_read_figures() -> bool:
    token = current_app.config.get("METRICS_TOKEN")
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    return request.remote_addr in {"127.0.0.1", "::1"} and "X-Forwarded-For" not in request.headers


def _start() -> None:
    g.started_at = time.perf_counter()


def _finish(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    started = g.get("started_at")
    if endpoint not in _QUIET and started is not None:
        method = request.method if request.method in _METHODS else "OTHER"
        _counter(endpoint, method, response.status_code).inc()
        _histogram(endpoint).observe(time.perf_counter() - started)
    return response


@lru_cache(maxsize=4096)
def _counter(endpoint: str, method: str, status: int) -> Any:
    return _requests.labels(endpoint, method, str(status))


@lru_cache(maxsize=1024)
def _histogram(endpoint: str) -> Any:
    return _seconds.labels(endpoint)


def install(app: Flask) -> None:
    """Add the three addresses and measure every other one."""
    app.register_blueprint(bp)
    app.before_request_funcs.setdefault(None, []).insert(0, _start)
    app.after_request(_finish)
