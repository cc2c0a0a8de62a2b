"""/healthz, /readyz and /metrics."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import health
from app.engine import queue
from app.engine.database import db
from app.factory import create_app
from jobs import worker
from tests.plugins.databases import settings_for_tests


def test_healthz_needs_nobody(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_readyz_names_every_part(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "none"}


def test_readyz_with_redis_down_is_degraded_but_ready(app: Flask, client: FlaskClient) -> None:
    before = queue.current()
    queue.connect(app, worker.RedisQueue("redis://127.0.0.1:1/0"))
    answer = client.get("/readyz")
    queue.connect(app, before)
    assert answer.status_code == 200
    assert answer.json["status"] == "degraded"
    assert answer.json["redis"] == "down"


def test_readyz_with_an_old_schema_is_not_ready(app: Flask, client: FlaskClient) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["migrations"] == "behind"


@pytest.mark.sqlite_only
def test_without_its_database_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    away = create_app(settings_for_tests("postgresql+psycopg://u:p@127.0.0.1:1/x", tmp_path))
    visitor = away.test_client()
    assert visitor.get("/healthz").status_code == 200
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "down", "database": "down", "migrations": "unknown", "redis": "none"}
    assert "zhike_outbox_waiting -1.0" in visitor.get("/metrics").text


def test_metrics_count_requests_and_what_waits(client: FlaskClient) -> None:
    client.get("/no-such-page")
    figures = client.get("/metrics").text
    assert 'zhike_requests_total{endpoint="none",method="GET",status="404"}' in figures
    assert 'zhike_request_seconds_bucket{endpoint="none",le="0.1"}' in figures
    assert "zhike_outbox_waiting 0.0" in figures
    assert "zhike_queue_depth" in figures
    assert 'endpoint="health.' not in figures


def test_methods_somebody_invents_are_counted_together(client: FlaskClient) -> None:
    for n in range(3):
        client.open("/customers/", method=f"INVENTED{n}")
    figures = client.get("/metrics").text
    assert "INVENTED" not in figures and 'method="OTHER"' in figures


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {"X-Forwarded-For": "203.0.113.9"}, 404),
        ("s3cret", {}, 404),
        ("s3cret", {"Authorization": "Bearer wrong"}, 404),
        ("s3cret", {"Authorization": "Bearer s3cret"}, 200),
    ],
)
def test_metrics_are_not_for_everybody(
    app: Flask, client: FlaskClient, token: str, headers: dict[str, str], status: int
) -> None:
    app.config["METRICS_TOKEN"] = token
    assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.sqlite_only
def test_measuring_a_request_costs_less_than_a_tenth_of_a_millisecond(app: Flask) -> None:
    with app.test_request_context("/"):
        response = app.make_response("")
        rounds = 2000
        began = time.perf_counter()
        for _ in range(rounds):
            health._start()
            health._finish(response)
        assert (time.perf_counter() - began) / rounds < 0.0001
