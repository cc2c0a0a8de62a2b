"""The quota against a reference that a child could write: any order of filing, changing, judging, deleting and time
passing, by several people (E-55…E-59). The marks of duplicates are looked at on the way."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.database import db
from app.engine.localtime import local
from app.engine.resource import resource
from models.registrations import quota
from models.registrations.tables import Registration
from tests.customers.world import World
from tests.registrations.filed import DAY, delete, file, judge, leads, set_parameters

PEOPLE = ("worker1", "worker2", "chief")
_NUMBERS = itertools.count(1)

STEPS = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(PEOPLE), st.integers(0, 3)),
    st.tuples(st.just("judge"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("move"), st.integers(0, 7), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 600, 1439]), st.just(0)),
    st.tuples(st.just("limit"), st.sampled_from(PEOPLE), st.sampled_from([None, 0, 1, 3])),
)


@dataclass
class Filed:
    """A lead as the reference remembers it."""

    id: int
    by: str
    home: int
    day: date
    judged: date | None = None


@dataclass
class Reference:
    """Left = the limit − filed today + first judged today; two leads with one home are marked."""

    limit: int = 2
    own: dict[str, int | None] = field(default_factory=dict)
    filed: list[Filed] = field(default_factory=list)

    def left(self, who: str, today: date) -> int | None:
        """What that person may still file."""
        limit = self.own.get(who, self.limit)
        if not limit:
            return None
        mine = [lead for lead in self.filed if lead.by == who]
        today_filed = sum(lead.day == today for lead in mine)
        today_judged = sum(lead.judged == today for lead in mine)
        return max(0, limit - today_filed + today_judged)

    def marks(self) -> dict[int, bool]:
        """Which leads are claimed more than once."""
        homes = Counter(lead.home for lead in self.filed)
        return {lead.id: homes[lead.home] > 1 for lead in self.filed}


class Trial:
    """The product and the reference side by side."""

    def __init__(self, world: World) -> None:
        self.world, self.run = world, next(_NUMBERS)
        self.reference, self.now = Reference(), DAY + timedelta(days=400 * self.run)
        set_parameters(world, daily_limit=self.reference.limit)

    @property
    def today(self) -> date:
        """The company's day."""
        return local(self.now).date()

    def nth(self, number: int) -> Filed | None:
        """One of the leads there are."""
        filed = self.reference.filed
        return filed[number % len(filed)] if filed else None

    def room(self, home: int) -> str:
        """Homes of one trial are none of another's."""
        return f"{self.run}-{home}"

    def file(self, who: str, home: int) -> None:
        """Both file it, or both refuse."""
        if self.reference.left(who, self.today) == 0:
            with pytest.raises(Refusal, match=quota.FULL):
                file(self.world, who, now=self.now, room=self.room(home))
            return
        lead = file(self.world, who, now=self.now, room=self.room(home))
        self.reference.filed.append(Filed(lead.id, who, home, self.today))

    def judge(self, number: int, _: int) -> None:
        """Only the first verdict frees a slot."""
        lead = self.nth(number)
        if lead is not None:
            judge(lead.id, self.now)
            lead.judged = lead.judged or self.today

    def delete(self, number: int, _: int) -> None:
        """Only leads that nobody has judged are deleted."""
        lead = self.nth(number)
        if lead is not None and lead.judged is None:
            delete(self.world, db.session.get_one(Registration, lead.id))
            self.reference.filed.remove(lead)

    def move(self, number: int, home: int) -> None:
        """A lead turns out to be another home's."""
        lead = self.nth(number)
        if lead is not None and lead.judged is None:
            self.world.change(db.session.get_one(Registration, lead.id), "boss", room=self.room(home))
            lead.home = home

    def wait(self, minutes: int, _: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    def limit(self, who: str, limit: int | None) -> None:
        """The administrator sets a limit of one person."""
        model: Any = resource("registration_quotas").model
        person = self.world.people[who].id
        known = db.session.scalars(select(model).where(model.employee_id == person)).first()
        if known is None:
            self.world.make("registration_quotas", "boss", employee_id=person, daily_limit=limit)
        else:
            self.world.change(known, "boss", daily_limit=limit)
        self.reference.own[who] = limit

    def agree(self) -> None:
        """Both say the same of everybody's day and of every lead."""
        for who in PEOPLE:
            person = self.world.people[who].id
            said = quota.left(db.session(), person, self.world.a.id, self.now)
            assert said == self.reference.left(who, self.today), (who, self.now)
        ids = [lead.id for lead in self.reference.filed]
        marks = {lead.id: lead.duplicate for lead in leads(Registration.id.in_(ids))}
        assert marks == self.reference.marks()


@pytest.mark.spec("E-55", "E-57", "E-58", "E-59")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_any_order_of_deeds(world: World, steps: list[tuple[str, Any, Any]]) -> None:
    trial = Trial(world)
    for who in PEOPLE:
        trial.limit(who, trial.reference.limit)
    for name, first, second in steps:
        getattr(trial, name)(first, second)
        trial.agree()


def test_the_reference_itself() -> None:
    reference = Reference(limit=2)
    day = datetime(2030, 1, 16).date()
    reference.filed = [Filed(1, "worker1", 1, day), Filed(2, "worker1", 1, day, judged=day)]
    assert reference.left("worker1", day) == 1 and reference.left("worker2", day) == 2
    assert reference.marks() == {1: True, 2: True}
