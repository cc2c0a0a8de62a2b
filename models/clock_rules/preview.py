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
    """What a rule means now: how many records it counts for, how many come due by ``within``, and the first."""

    rule: Rule
    amount: int
    soon: int
    listed: list[Touched]
    within: str = "24小时内"

    @property
    def sentence(self) -> str:
        """影响184位客户，今晚20:00产生37条任务。"""
        rule = self.rule
        about = f"影响{self.amount}{rule.subject.resource.unit}"
        return f"{about}，{self.within}产生{self.soon}{rule.effect.makes}"


def preview(session: Session, rule: Rule, actor: Actor, now: datetime) -> Preview:
    """Whom the rule touches among the records that person may see; none without the right to their list."""
    shown = rule.subject.resource
    seen = visible(shown, actor) if actor.can("can_list", shown.view_name()) else false()
    mine = [seen, *queries.in_reach(rule, now)]
    amount = session.scalar(select(func.count()).select_from(shown.model).where(*mine), actor.params) or 0
    due, within = _soon(session, rule, now)
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
    return Preview(rule, amount, soon, listed, within)


def _soon(session: Session, rule: Rule, now: datetime) -> tuple[Any, str]:
    """What comes due within a day, of a rule with a time of day at its next run; and when that is."""
    if rule.timing.at is None:
        return queries.due_between(rule, now, now + SOON), "24小时内"
    day = rule.timing.slots(now, now + SOON)[0]
    due = queries.due_on(rule, day, session.get_bind().dialect.name)
    return due, said(local(rule.timing.moment(day)), local(now))


def said(moment: datetime, now: datetime) -> str:
    """A moment within a day, as one says it: 今晚20:00."""
    day = "今" if moment.date() == now.date() else "明"
    part = {"早": 11, "天": 18, "晚": 24}
    named = next(word for word, until in part.items() if moment.hour < until)
    return f"{day}{named}{moment:%H:%M}" if moment.hour >= 5 else f"{day}日凌晨{moment:%H:%M}"


def _next(rule: Rule, start: Any, now: datetime) -> str:
    found = next(occurrences.upcoming(rule.timing, start, now, now + timedelta(days=366)), None)
    return full(local(found)) if found is not None else "已过"
