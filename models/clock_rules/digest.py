"""One message per person and run for all that rules say is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.clock_rules.book import Rule
from models.notifications.rules import ITEMS, notify_many
from models.notifications.tables import NoticeKind

TOPIC = "跟进提醒"


@dataclass(frozen=True, slots=True)
class Due:
    """What one rule has for one person: how many records, and the newest of them as id and title."""

    rule: Rule
    user_id: int
    dealer_id: int | None
    amount: int
    listed: list[tuple[int, str]]


def tell(session: Session, moment: datetime, found: Sequence[Due], now: datetime) -> int:
    """Tell each person once for that moment (UTC), whatever rules it came from; nobody gets an empty message
    (A-39). Returns how many messages are new."""
    by_user: dict[int, list[Due]] = {}
    for due in found:
        by_user.setdefault(due.user_id, []).append(due)
    rows = [_row(user, parts, moment, now) for user, parts in sorted(by_user.items())]
    return len(notify_many(session, rows))


def _row(user_id: int, parts: Sequence[Due], moment: datetime, now: datetime) -> dict[str, Any]:
    amounts: Counter[str] = Counter()
    for part in parts:
        amounts[part.rule.subject.resource.unit] += part.amount
    items = [
        {"group": part.rule.name, "title": title, "note": "", "resource": part.rule.subject.name, "id": pk}
        for part in parts
        for pk, title in part.listed
    ]
    return {
        "user_id": user_id,
        "dealer_id": parts[0].dealer_id,
        "kind": NoticeKind.DEFAULT,
        "topic": TOPIC,
        "title": f"有{'、'.join(f'{n}{unit}' for unit, n in amounts.items())}需要跟进",
        "text": "；".join(f"{p.rule.name} {p.amount}{p.rule.subject.resource.unit}" for p in parts),
        "resource": None,
        "record_id": None,
        "items": items[:ITEMS] or None,
        "amount": amounts.total(),
        "key": f"clock:{moment.isoformat(timespec='minutes')}",
        "created_at": now,
        "read_at": None,
    }
