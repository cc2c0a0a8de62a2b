"""Redis, the worker and a live server, all real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this process; its address."""
    from app.redis_embedded import EmbeddedRedis

    redis = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis.url
    redis.stop()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The address of an empty Redis."""
    from redis import Redis

    Redis.from_url(redis_server).flushall()
    yield redis_server
    Redis.from_url(redis_server).flushall()


@pytest.fixture
def drain_queue(app: Flask, redis_url: str) -> Iterator[Callable[[], None]]:
    """The application hands jobs to a real Redis; calling this runs a real worker until none waits."""
    from app.engine import queue
    from app.engine.database import db
    from jobs import worker

    before = queue.current()
    app.config["REDIS_URL"] = redis_url
    worker.connect(app)

    def drain() -> None:
        db.session.commit()
        worker.work(app, burst=True)
        db.session.rollback()
        db.session.expire_all()

    yield drain
    queue.connect(app, before)


@pytest.fixture
def run_outbox(app: Flask) -> Callable[..., None]:
    """Carry out everything that waits in the outbox, without Redis; ``now`` (UTC) for delayed rows."""
    from sqlalchemy import select

    from app.engine import outbox
    from app.engine.database import db

    def run(now: datetime | None = None) -> None:
        db.session.commit()
        table = outbox.OutboxRow.__table__.c
        while True:
            waiting = select(table.id).where(table.done_at.is_(None), table.parked_at.is_(None))
            ids = list(db.session.scalars(waiting.order_by(table.id)))
            outcomes = [outbox.deliver(db.session(), row_id, now=now) for row_id in ids]
            if outbox.Outcome.DONE not in outcomes:
                break
        db.session.rollback()
        db.session.expire_all()

    return run


@pytest.fixture(scope="session")
def listening() -> Iterator[Any]:
    """A server on a port of its own, for one application after another."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, _nothing_here, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def _nothing_here(environ: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


@pytest.fixture
def live_server(app: Flask, listening: Any) -> Iterator[str]:
    """The application listening on a port; its address."""
    listening.app = app
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.app = _nothing_here


@pytest.fixture
def pictures() -> Path:
    """Where browser tests leave pictures for people to look at."""
    folder = Path(__file__).resolve().parents[2] / "var" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
