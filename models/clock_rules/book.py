"""The rules in force, ready to be asked: read once per state of the settings and kept by the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.conditions import Condition, Wrong, from_json
from models.clock_rules.occurrences import Timing
from models.clock_rules.subjects import Effect, Silencer, Start, Subject, effect, subject
from models.clock_rules.tables import CLOCK, ClockRule
from models.identity.per_epoch import PerEpoch


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """A rule as it works. Where one of ``nearer_dealers`` or ``nearer_stores`` has its own in place of it, it
    does not hold."""

    id: int
    name: str
    subject: Subject
    condition: Condition
    start: Start
    timing: Timing
    effect: Effect
    parameters: Mapping[str, Any]
    silencer: Silencer | None
    dealer_id: int | None
    store_id: int | None
    nearer_dealers: tuple[int, ...] = ()
    nearer_stores: tuple[int, ...] = ()

    def valid_for(self, record: Any) -> bool:
        """Whether it is the rule of the record's dealer and store."""
        dealer, store = (getattr(record, c.key) for c in (self.subject.dealer, self.subject.store))
        own = self.dealer_id in (None, dealer) and self.store_id in (None, store)
        return own and dealer not in self.nearer_dealers and store not in self.nearer_stores

    def applies(self, record: Any, now: datetime) -> bool:
        """Whether it counts for the record, silenced or not."""
        return self.valid_for(record) and self.condition.holds(record, now)

    def silent(self, record: Any) -> bool:
        """Whether something keeps it from speaking."""
        return self.silencer is not None and self.silencer.holds(record)

    def start_of(self, record: Any) -> datetime | date | None:
        """From when it counts for the record; None when it does not count at all."""
        found: datetime | date | None = getattr(record, self.start.column.key)
        return found


Book = Sequence[Rule]


def _load(session: Session) -> Book:
    return made(session.scalars(select(ClockRule).order_by(ClockRule.sort, ClockRule.id)).all())


rules_in_force = PerEpoch(_load)
"""All active rules in their order; those of a domain that is not there any more are left out."""


def made(rows: Sequence[ClockRule]) -> Book:
    """The working rules behind stored ones. An inactive own rule takes its place all the same: it says that
    the dealer does without."""
    by_id = {row.id: row for row in rows}
    families: dict[int, list[ClockRule]] = {}
    for row in rows:
        families.setdefault(root_of(row, by_id), []).append(row)
    found = []
    for row in rows:
        rule = rule_of(row, families[root_of(row, by_id)]) if row.active else None
        if rule is not None:
            found.append(rule)
    return tuple(found)


def root_of(row: ClockRule, by_id: Mapping[int, ClockRule]) -> int:
    """The rule at the top of those that stand in for each other."""
    seen = {row.id}
    above = by_id.get(row.replaces_id or 0)
    while above is not None and above.id not in seen:
        row = above
        seen.add(row.id)
        above = by_id.get(row.replaces_id or 0)
    return row.id


def rule_of(row: ClockRule, family: Sequence[ClockRule] = ()) -> Rule | None:
    """One stored rule as it works; None when what it is made of is not declared or not
    readable."""
    about, doing = subject(row.subject), effect(row.effect)
    start = about.start(row.start, row.dealer_id) if about is not None else None
    if about is None or doing is None or start is None or not CLOCK.fullmatch(row.at or "00:00"):
        return None
    try:
        condition = (
            from_json(row.condition, dealer_id=row.dealer_id) if row.condition else Condition(about.resource)
        )
    except Wrong:
        return None
    others = [r for r in family if r is not row]
    dealers = tuple(
        r.dealer_id for r in others if r.dealer_id and r.store_id is None and row.dealer_id is None
    )
    stores = tuple(r.store_id for r in others if r.store_id and row.store_id is None)
    timing = Timing(
        row.amount, row.unit, row.direction, row.ahead_days, time.fromisoformat(row.at) if row.at else None,
        row.repeat, row.every_days,
    )  # fmt: skip
    return Rule(
        row.id, row.name, about, condition, start, timing, doing, row.parameters or {},
        about.silencer(row.silenced_by), row.dealer_id, row.store_id, dealers, stores,
    )  # fmt: skip
