"""The effects every dealer has: telling the person who looks after a record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.engine.actions import Act
from app.engine.fields import entry
from app.engine.localtime import local
from models.clock_rules.subjects import Effect, Fired, declare_effect
from models.notifications.rules import notify_many
from models.notifications.tables import NoticeKind

REMIND, ALERT = "remind", "alert"
_AT_ONCE = 1000


def _alert(act: Act, fired: Fired) -> None:
    """One strong reminder per record, which opens it (A-34)."""
    rule = fired.rule
    shown = rule.subject.resource
    due = fired.rows.subquery()
    statement = (
        select(shown.pk(), shown.title, rule.subject.person, rule.subject.dealer, due.c.due, due.c.at)
        .join(due, due.c.record_id == shown.pk())
        .where(rule.subject.person.is_not(None))
        .order_by(due.c.due, shown.pk())
        .execution_options(yield_per=_AT_ONCE)
    )
    for some in act.session.execute(statement).partitions():
        notify_many(act.session, list(_messages(act, fired, some)))


def _messages(act: Act, fired: Fired, rows: Iterable[Any]) -> Iterable[dict[str, Any]]:
    rule = fired.rule
    for pk, title, user, dealer, due, at in rows:
        words = str(rule.parameters.get("title") or rule.name)
        yield {
            "user_id": user,
            "dealer_id": dealer,
            "kind": NoticeKind.STRONG,
            "topic": words[:32],
            "title": f"{words}：{title}"[:160],
            "text": f"约定时间 {_said(at)}",
            "resource": rule.subject.name,
            "record_id": pk,
            "items": None,
            "amount": 0,
            "key": f"clock:{rule.id}:{pk}:{due.isoformat(timespec='seconds')}",
            "created_at": act.now,
            "read_at": None,
        }


def _said(at: datetime) -> str:
    return local(at).strftime("%Y-%m-%d %H:%M")


declare_effect(Effect(REMIND, "默认提醒", by_person=True))
declare_effect(
    Effect(
        ALERT, "强提醒", _alert,
        parameters=(entry("title", "提醒标题", maxlength=32),),
    )
)  # fmt: skip
