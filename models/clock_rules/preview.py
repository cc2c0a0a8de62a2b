"""Whom a rule touches, before it is saved: counted and listed as far as the person asking may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from app.engine.cells import full
from app.engine.localtime import local
from app.engine.scopes import Actor, visible
from models.clock_rules import occurrences, queries
from models.clock_rules.book import Rule

LISTED = 10
SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Touched:
    """One record with the moment it is due next, in words."""

    id: int
    title: str
    due: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule means now: how many records it counts for, how many come due within a day, and the first."""

    rule: Rule
    amount: int
    soon: int
    listed: list[Touched]

    @property
    def sentence(self) -> str:
        """影响 184 位客户，24小时内产生 37 条。"""
        about = self.rule.subject.resource
        return f"影响{self.amount}{about.unit}，24小时内产生{self.soon}条"


def preview(session: Session, rule: Rule, actor: Actor, now: datetime) -> Preview:
    """Whom the rule touches among the records that person may see; none without the right to their list."""
    shown = rule.subject.resource
    seen = visible(shown, actor) if actor.can("can_list", shown.view_name()) else false()
    mine = [seen, *queries.in_reach(rule, now)]
    amount = session.scalar(select(func.count()).select_from(shown.model).where(*mine), actor.params) or 0
    due = _soon(session, rule, now)
    soon = session.scalar(select(func.count()).select_from(shown.model).where(*mine, due), actor.params) or 0
    first = (
        select(shown.pk(), shown.title, rule.start.column)
        .where(*mine)
        .order_by(due.desc(), rule.start.column.desc(), shown.pk().desc())
        .limit(LISTED)
    )
    listed = [
        Touched(pk, str(title), _next(rule, start, now))
        for pk, title, start in session.execute(first, actor.params)
    ]
    return Preview(rule, amount, soon, listed)


def _soon(session: Session, rule: Rule, now: datetime) -> Any:
    """What comes due within a day; of a rule with a time of day at its next run."""
    if rule.timing.at is None:
        return queries.due_between(rule, now, now + SOON)
    day = rule.timing.slots(now, now + SOON)[0]
    return queries.due_on(rule, day, session.get_bind().dialect.name)


def _next(rule: Rule, start: Any, now: datetime) -> str:
    found = next(occurrences.upcoming(rule.timing, start, now, now + timedelta(days=366)), None)
    return full(local(found)) if found is not None else "已过"
