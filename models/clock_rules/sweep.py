"""Carrying out what has come due, once: the one sweep of all clock rules.

A sweep for a moment looks at the span since the last one, so a run missed while nothing ran is made up for
once, and a second run finds nothing. Everything it writes is one transaction with the mark "done" of its
outbox row: a worker killed half-way leaves nothing behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act
from app.engine.database import alone
from app.engine.scopes import SYSTEM
from models.clock_rules import digest, queries
from models.clock_rules.book import Rule, rules_in_force
from models.clock_rules.digest import Due
from models.clock_rules.subjects import Fired

_SPACE = -8
LOOKS_BACK = timedelta(days=7)
"""A reminder missed for longer than that is not sent any more."""
OVERLAP = timedelta(minutes=10)
"""So long a transaction may take that sets a moment which is past when it commits."""
KEPT = timedelta(days=400)
"""Firings older than that are forgotten, where no sweep looks back for them."""


def sweep(session: Session, slot: datetime, now: datetime) -> int:
    """Carry out all rules up to ``slot`` (UTC); returns how many messages and records that made. Two sweeps
    run one after the other. A rule seen for the first time has missed nothing."""
    alone(session, _SPACE, "sweep")
    until = queries.until_of(session)
    rules = [rule for rule in rules_in_force(session) if until.get(rule.id, datetime.min) < slot]
    told: defaultdict[datetime, list[Due]] = defaultdict(list)
    made = 0
    for rule in rules:
        after = max(until.get(rule.id, slot - timedelta(minutes=1)), slot - LOOKS_BACK)
        if rule.effect.by_person:
            _collect(session, rule, after, slot, now, told)
        else:
            made += _carry_out(session, rule, after, slot, now)
    for moment in sorted(told):
        made += digest.tell(session, moment, told[moment], now)
    queries.keep_until(session, [rule.id for rule in rules], slot)
    return made


def _collect(
    session: Session,
    rule: Rule,
    after: datetime,
    slot: datetime,
    now: datetime,
    told: defaultdict[datetime, list[Due]],
) -> None:
    """What each person is to be told. A repetition that was missed is told once, the newest; what came due
    on each of the missed days is told with it."""
    days = rule.timing.slots(after, slot)
    dialect = session.get_bind().dialect.name
    for day in days[-1:] if rule.timing.daily else days:
        found = queries.by_person(session, rule, queries.due_on(rule, day, dialect), now)
        told[rule.timing.moment(days[-1])] += [Due(rule, *row) for row in found]


def _carry_out(session: Session, rule: Rule, after: datetime, slot: datetime, now: datetime) -> int:
    """Note what has come due and let the effect work on it."""
    dialect = session.get_bind().dialect.name
    before = queries.last_firing(session)
    amount = 0
    if rule.timing.at is None:
        since = None if rule.effect.late else after - OVERLAP
        amount = queries.fire(session, rule, queries.due_between(rule, since, slot), None, now)
    else:
        days = rule.timing.slots(after, slot)
        for day in days[-1:] if rule.timing.daily else days:
            where = queries.due_on(rule, day, dialect)
            amount += queries.fire(session, rule, where, rule.timing.moment(day), now)
    if amount and rule.effect.run is not None:
        act = Act(SYSTEM, now, session, "timer", rule.name)
        with audit.acting(session, act):
            rule.effect.run(act, Fired(rule, queries.fired(rule, before, dialect), now))
            session.flush()
    return amount


def prune(session: Session, now: datetime) -> None:
    """Forget old firings; those of `late` effects stay, because they keep a record from being taken twice."""
    rules: Sequence[int] = [rule.id for rule in rules_in_force(session) if not rule.effect.late]
    queries.forget(session, now - KEPT, rules)
