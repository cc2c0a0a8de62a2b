"""The port of the timeline."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.engine import timeline
from app.engine.pages import Event, Link, Timeline
from app.engine.resource import resource
from app.engine.scopes import SYSTEM


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the source of stores was asked."""
    seen: list[Any] = []
    monkeypatch.setattr(timeline, "_sources", {})

    def source(record_id: int, actor: Any, kind: str, limit: int, before: str) -> Timeline:
        seen.append((record_id, kind, limit, before))
        kinds = [Link("全部", ""), Link("跟进", "", name="follow_up"), Link("外部", "/else")]
        return Timeline(kinds, [Event("phone", "来电", "今天")], more_url="2026-11-22T10:00:00_7")

    timeline.provide_timeline("stores", source)
    return seen


def test_addresses_are_completed_from_the_record(asked: list[Any]) -> None:
    stores: Any = resource("stores")
    found = timeline.of(stores, 5, SYSTEM, "follow_up", "/stores/5")
    assert found is not None
    assert asked == [(5, "follow_up", timeline.SHOWN, "")]
    assert [k.url for k in found.kinds] == ["/stores/5", "/stores/5?kind=follow_up", "/else"]
    assert found.more_url == "/stores/5?kind=follow_up&before=2026-11-22T10%3A00%3A00_7"


def test_nobody_provides_nothing_is_shown(asked: list[Any]) -> None:
    customers: Any = resource("customers")
    assert timeline.of(customers, 5, SYSTEM, "", "/customers/5") is None
