"""The small trade, and a clock that can be put to any time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.database import db
from app.engine.localtime import to_utc
from app.engine.perform import create
from jobs.schedule import Clock
from models.clock_rules.resources import ClockRules
from models.notifications.tables import NoticeKind, Notification
from tests.customers.conftest import world as world
from tests.customers.world import World


def at(text: str) -> datetime:
    """A time in China as stored: ``at("2026-03-08 08:00")``."""
    return to_utc(datetime.fromisoformat(text))


class Times:
    """Time as the product sees it: whoever ticks carries out what is due, as the clock and a worker do."""

    def __init__(self) -> None:
        self.clock = Clock()

    def tick(self, text: str, *, clock: Clock | None = None) -> None:
        """Let a clock tick at that time in China."""
        db.session.commit()
        (clock or self.clock).tick(at(text))
        db.session.rollback()
        db.session.expire_all()

    def days(self, first: str, last: str, hour: str = "08:00") -> None:
        """Tick once a day at that hour."""
        day, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
        while day <= end:
            self.tick(f"{day:%Y-%m-%d} {hour}")
            day += timedelta(days=1)


@pytest.fixture
def times(app: Flask) -> Times:
    """A clock that nobody has looked at yet."""
    return Times()


@pytest.fixture
def told(app: Flask) -> Callable[..., list[Notification]]:
    """``told(NoticeKind.DEFAULT, user)``: the messages of that kind, oldest first."""

    def find(kind: NoticeKind, user: Any = None) -> list[Notification]:
        statement = select(Notification).where(Notification.kind == kind).order_by(Notification.id)
        if user is not None:
            statement = statement.where(Notification.user_id == user.id)
        return list(db.session.scalars(statement))

    return find


@pytest.fixture
def reminded(world: World, told: Callable[..., list[Notification]]) -> Callable[..., list[str]]:
    """``reminded(customer)``: the days in China on which a default reminder listed the customer."""

    def days(customer: Any, by: str = "seller") -> list[str]:
        found = told(NoticeKind.DEFAULT, world.people[by])
        mine = [n for n in found if any(i["id"] == customer.id for i in n.items or ())]
        return [f"{n.created_at + timedelta(hours=8):%m-%d %H:%M}" for n in mine]

    return days


@pytest.fixture
def rule(world: World) -> Callable[..., Any]:
    """``rule(name=…, …)``: a rule as the dealer's administrator saves it, with the look at whom it touches."""

    def make(by: str = "boss", **values: Any) -> Any:
        values = {"subject": "customers", "start": "filed", "effect": "remind", **values}
        values.setdefault("name", "试验规则")
        made, _ = create(ClockRules, values, world.actor(by), answers=("touch",))
        return made

    return make
