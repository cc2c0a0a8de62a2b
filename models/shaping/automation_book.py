"""The automations in force, ready to be asked: read once per state of the settings and kept by the process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.automating import CHANGED, Fact
from app.engine.conditions import Condition, Wrong, from_json
from models.identity.per_epoch import PerEpoch
from models.shaping.automation_parts import Doing, Event, Subject, doing, event, subject
from models.shaping.automation_tables import INPUTS, STEPS, Automation


@dataclass(frozen=True, eq=False, slots=True)
class Then:
    """One thing that follows."""

    number: int
    doing: Doing
    given: Mapping[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """An automation as it works."""

    id: int
    name: str
    subject: Subject
    event: Event
    watched: str
    condition: Condition
    steps: tuple[Then, ...]
    dealer_id: int | None
    author_id: int | None
    replaces_id: int | None = None
    without: frozenset[int] = frozenset()
    """The dealers that have their own in place of it, or do without."""

    @property
    def fields(self) -> frozenset[str]:
        """The fields whose change starts it; empty where something else does."""
        return self.event.fields or (frozenset({self.watched}) if self.event.name == CHANGED else frozenset())

    def of(self, dealer_id: int | None) -> bool:
        """Whether it holds for records of that dealer."""
        return self.dealer_id in (None, dealer_id) and dealer_id not in self.without

    def starts(self, name: str, fields: frozenset[str]) -> bool:
        """Whether an event of that name, with changes of these fields, starts it."""
        if self.fields:
            return name == CHANGED and not self.fields.isdisjoint(fields)
        return name == self.event.name

    def meets(self, fact: Fact, now: datetime) -> bool:
        """Whether it follows from what happened."""
        own = self.of(getattr(fact.record, self.subject.resource.scopes.dealer.key))
        return own and self.starts(fact.name, fact.fields) and self.condition.holds(fact.record, now)


@dataclass(frozen=True, slots=True)
class Book:
    """All automations in force, by the resource they are about."""

    by_subject: Mapping[str, Sequence[Rule]] = field(default_factory=dict)

    @property
    def wanted(self) -> frozenset[str]:
        """The resources that anything is about."""
        return frozenset(self.by_subject)

    def rule(self, rule_id: int) -> Rule | None:
        """The automation of that number, if it is in force."""
        return next((r for rules in self.by_subject.values() for r in rules if r.id == rule_id), None)


def _load(session: Session) -> Book:
    return made(session.scalars(select(Automation).order_by(Automation.id)).all())


in_force = PerEpoch(_load)
"""The automations at a state of the settings, or at the session's."""


def wanted(act: Act) -> frozenset[str]:
    """The resources of interest to a deed of that person."""
    return in_force(act.session, act.actor.epoch).wanted


def made(rows: Sequence[Automation]) -> Book:
    """The working automations behind stored ones. An own one in place of one of the group's holds as long as the
    group lets it; one that is off says that the dealer does without."""
    kept = {row.id for row in rows if not row.optional}
    without: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.replaces_id is not None and row.replaces_id not in kept and row.dealer_id is not None:
            without[row.replaces_id].add(row.dealer_id)
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for row in rows:
        works = row.active and row.replaces_id not in kept
        rule = rule_of(row, frozenset(without[row.id])) if works else None
        if rule is not None:
            found[rule.subject.name].append(rule)
    return Book(dict(found))


def rule_of(row: Any, without: frozenset[int] = frozenset()) -> Rule | None:
    """One stored automation as it works, ``without`` these dealers; None when what it is made of is not declared or
    not readable."""
    about = subject(row.subject)
    when = event(row.subject, row.event) if about is not None else None
    if about is None or when is None:
        return None
    try:
        condition = from_json(row.condition) if row.condition else Condition(about.resource)
    except Wrong:
        return None
    steps = thens(row)
    if not steps:
        return None
    return Rule(
        row.id,
        row.name,
        about,
        when,
        row.watched or "",
        condition,
        tuple(steps),
        row.dealer_id,
        row.author_id,
        row.replaces_id,
        without,
    )


def thens(row: Any) -> list[Then]:
    """The steps that are filled in, with their inputs."""
    found = []
    for n in STEPS:
        known = doing(getattr(row, f"do_{n}", None))
        if known is not None:
            found.append(Then(n, known, {i: getattr(row, f"{i}_{n}", None) for i in INPUTS[1:]}))
    return found
