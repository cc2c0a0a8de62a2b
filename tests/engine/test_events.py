"""What a lower domain tells an upper one, in the same transaction."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from flask import Flask

from app.engine import events
from app.engine.actions import Act, Refusal
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.events import publish, subscribe, subscribers
from app.engine.scopes import SYSTEM


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", {})
    monkeypatch.setattr(events, "_gatherers", {})


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


def test_a_gathered_subscriber_hears_once_before_the_commit_and_not_of_what_was_refused(app: Flask) -> None:
    heard: list[list[Any]] = []

    @subscribe("thing.done", gathered=True)
    def gather(act: Act, found: Any) -> None:
        heard.append([(h.record, h.facts["amount"]) for h in found])
        if len(heard) == 1:
            publish(act, "thing.done", "follows", amount=0)

    session = db.session()

    def refused(what: str) -> None:
        with suppress(Refusal), deed(Act(SYSTEM, utcnow(), session)) as lost:
            publish(lost, "thing.done", what, amount=9)
            raise Refusal("不行")

    act = Act(SYSTEM, utcnow(), session)
    with deed(act):
        publish(act, "thing.done", "A", amount=1)
        refused("inside")
        publish(act, "thing.done", "B", amount=2)
        assert heard == []
    assert heard == [[("A", 1), ("B", 2)], [("follows", 0)]]
    refused("alone")
    with deed(Act(SYSTEM, utcnow(), session)):
        pass
    assert len(heard) == 2
