"""What a lower domain tells an upper one, in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine import events
from app.engine.actions import Act, Refusal
from app.engine.database import utcnow
from app.engine.events import publish, subscribe, subscribers
from app.engine.scopes import SYSTEM


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", {})


@pytest.fixture
def act() -> Act:
    """A deed of the system."""
    return Act(SYSTEM, utcnow(), None)  # type: ignore[arg-type]


def test_subscribers_hear_in_order_and_once(act: Act) -> None:
    heard: list[Any] = []

    def first(act: Act, record: Any, **facts: Any) -> None:
        heard.append(("first", record, facts))

    for _ in range(2):
        subscribe("thing.done")(first)

    @subscribe("thing.done")
    def second(act: Act, record: Any, **facts: Any) -> None:
        heard.append(("second", record, facts))

    publish(act, "thing.done", "R", amount=5)
    publish(act, "nobody.listens", "R")
    assert heard == [("first", "R", {"amount": 5}), ("second", "R", {"amount": 5})]
    assert subscribers("thing.done") == (first, second)


def test_a_refusal_of_a_subscriber_refuses_the_deed(act: Act) -> None:
    @subscribe("thing.done")
    def no(act: Act, record: Any) -> None:
        raise Refusal("不行")

    with pytest.raises(Refusal, match="不行"):
        publish(act, "thing.done", "R")
