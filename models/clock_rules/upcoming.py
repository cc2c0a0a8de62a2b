"""What lies ahead of one record: the ownership clock, and a calendar of every rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.engine.cells import Due, full
from app.engine.localtime import local
from app.engine.pages import OwnershipClock, RuleAhead
from app.engine.resource import Resource
from app.engine.scopes import Actor
from models.clock_rules import occurrences
from models.clock_rules.book import Rule, rules_in_force

AHEAD_DAYS = 60
LISTED = 6
"""So many dates of a rule are written out; a daily one goes on in the same way."""
RULES_VIEW = "ClockRules"


@dataclass(frozen=True, slots=True)
class Ahead:
    """One rule that counts for a record, with its moments (UTC) in the span; none while it is silent."""

    rule: Rule
    moments: list[datetime]
    silent: bool


def ahead(
    session: Session, resource: type[Resource], record: Any, now: datetime, days: int = AHEAD_DAYS
) -> list[Ahead]:
    """What every rule in force will do to a record if nothing changes, the soonest first. No statement is
    needed beyond the record: the rules are remembered."""
    found = [
        Ahead(
            rule, [] if rule.silent(record) else list(_moments(rule, record, now, days)), rule.silent(record)
        )
        for rule in rules_in_force(session)
        if rule.subject.resource is resource and rule.applies(record, now)
    ]
    return sorted(found, key=lambda a: a.moments[0] if a.moments else datetime.max)


def _moments(rule: Rule, record: Any, now: datetime, days: int) -> Iterator[datetime]:
    start = rule.start_of(record)
    if start is None or (rule.effect.by_person and getattr(record, rule.subject.person.key) is None):
        return iter(())
    return occurrences.upcoming(rule.timing, start, now, now + timedelta(days=days))


def source(
    session: Session, resource: type[Resource], record_id: int, actor: Actor, now: datetime
) -> OwnershipClock | None:
    """The ownership clock of a record the actor may see (`app.engine.ownership`)."""
    record = session.get(resource.model, record_id)
    found = ahead(session, resource, record, now) if record is not None else []
    found = [a for a in found if a.moments or a.silent]
    if not found:
        return None
    linked = actor.can("can_list", RULES_VIEW)
    rules = [_shown(a, linked) for a in found]
    first = found[0]
    if not first.moments:
        return OwnershipClock(
            Markup("暂无"), first.rule.silencer.words if first.rule.silencer else "", "", rules, ""
        )
    at = Due(first.moments[0]).html(now)
    what = f"{first.rule.effect.label} · {first.rule.name}"
    return OwnershipClock(at, what, first.rule.start.resets, rules, f"按目前的资料推算今后{AHEAD_DAYS}天")


def _shown(found: Ahead, linked: bool) -> RuleAhead:
    rule = found.rule
    listed = [full(local(moment)) for moment in islice(found.moments, LISTED)]
    rest = len(found.moments) - len(listed)
    more = ""
    if rest > 0:
        every = "每天" if rule.timing.every_days == 1 else f"每{rule.timing.every_days}天"
        more = f"之后{every}一次，直到重新起算" if rule.timing.daily else f"另有{rest}次"
    silent = rule.silencer.words if found.silent and rule.silencer is not None else ""
    url = f"/clock_rules/{rule.id}" if linked else ""
    return RuleAhead(rule.name, rule.effect.label, listed, rule.start.resets, silent, more, url)
