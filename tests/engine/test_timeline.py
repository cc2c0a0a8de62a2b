"""The port of the timeline."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from app.engine import timeline
from app.engine.database import db
from app.engine.pages import Event, Link, Timeline
from app.engine.resource import resource
from app.engine.scopes import SYSTEM
from tests.customers.world import World

NOON = datetime(2026, 11, 22, 4)


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people."""
    return trade


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the source of stores was asked."""
    seen: list[Any] = []
    monkeypatch.setattr(timeline, "_sources", {})

    def source(
        session: Any, record_id: int, actor: Any, now: Any, kind: str, limit: int, before: str
    ) -> Timeline:
        seen.append((record_id, now, kind, limit, before))
        kinds = [Link("全部", ""), Link("跟进", "", name="follow_up"), Link("外部", "/else")]
        return Timeline(kinds, [Event("phone", "来电", "今天")], more_url="2026-11-22T10:00:00_7")

    timeline.provide_timeline("stores", source)
    return seen


def test_addresses_are_completed_from_the_record(asked: list[Any]) -> None:
    stores: Any = resource("stores")
    found = timeline.of(db.session(), stores, 5, SYSTEM, NOON, "follow_up", "/stores/5")
    assert found is not None
    assert asked == [(5, NOON, "follow_up", timeline.SHOWN, "")]
    assert [k.url for k in found.kinds] == ["/stores/5", "/stores/5?kind=follow_up", "/else"]
    assert found.more_url == "/stores/5?kind=follow_up&before=2026-11-22T10%3A00%3A00_7"


def test_nobody_provides_nothing_is_shown(asked: list[Any]) -> None:
    customers: Any = resource("customers")
    assert timeline.of(db.session(), customers, 5, SYSTEM, NOON, "", "/customers/5") is None


def test_older_events_are_reached_from_the_page(
    world: World, login: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SHOWN", 1)
    customer = world.customer()
    world.receive(customer, "1000")
    client = login("seller")
    page = client.get(f"/customers/{customer.id}").get_data(as_text=True)
    more = re.search(r'href="([^"]+)">查看更早的轨迹', page)
    assert more is not None
    older = client.get(html.unescape(more.group(1)))
    assert older.status_code == 200
    assert older.get_data(as_text=True) != page
    for nonsense in ("x", "2026-01-01_99999999999999", "2026-01-01T00:00:00+08:00_1", "%00"):
        assert client.get(f"/customers/{customer.id}?before={nonsense}").status_code == 200
