"""Periods that move with the day: 本周, 近 7 天. A condition that names one keeps its meaning."""

from __future__ import annotations

import re
from datetime import date, timedelta

_NEAR = re.compile(r"(last|next)-([1-9]\d{0,3})", re.ASCII)
_MOST = 3650
_LABELS = {
    "today": "今天",
    "yesterday": "昨天",
    "tomorrow": "明天",
    "week": "本周",
    "last_week": "上周",
    "next_week": "下周",
    "month": "本月",
    "last_month": "上月",
    "next_month": "下月",
    "quarter": "本季度",
    "year": "今年",
    "past": "今天以前",
    "due": "今天及以前",
    "future": "今天以后",
}
OFFERED = (
    "today", "week", "month", "quarter", "year", "last-7", "last-30", "last-90",
    "yesterday", "last_week", "last_month", "tomorrow", "next_week", "next_month", "next-7", "next-30",
    "past", "due", "future",
)  # fmt: skip
"""What is offered to choose from; any other number of days may be asked for as well."""

Days = tuple[date | None, date | None]


def label(word: str) -> str:
    """The period in words; empty for none."""
    near = _NEAR.fullmatch(word)
    if near is not None and int(near[2]) <= _MOST:
        return f"近 {near[2]} 天" if near[1] == "last" else f"未来 {near[2]} 天"
    return _LABELS.get(word, "")


def days(word: str, today: date) -> Days | None:
    """Its first and last day as seen from that day, an open end as None; None for an unknown word."""
    near = _NEAR.fullmatch(word)
    if near is not None:
        amount = timedelta(days=int(near[2]))
        if amount.days > _MOST:
            return None
        return (today - amount, today) if near[1] == "last" else (today, today + amount)
    day = timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    match word:
        case "today":
            return today, today
        case "yesterday":
            return today - day, today - day
        case "tomorrow":
            return today + day, today + day
        case "week" | "last_week" | "next_week":
            start = monday + timedelta(days={"week": 0, "last_week": -7, "next_week": 7}[word])
            return start, start + timedelta(days=6)
        case "month" | "last_month" | "next_month":
            return _months(today, {"month": 0, "last_month": -1, "next_month": 1}[word], 1)
        case "quarter":
            return _months(today, -((today.month - 1) % 3), 3)
        case "year":
            return date(today.year, 1, 1), date(today.year, 12, 31)
        case "past":
            return None, today - day
        case "due":
            return None, today
        case "future":
            return today + day, None
    return None


def _months(today: date, ahead: int, many: int) -> Days:
    """Whole months, counted from the one of that day."""
    start = today.year * 12 + today.month - 1 + ahead
    first = date(start // 12, start % 12 + 1, 1)
    end = start + many
    return first, date(end // 12, end % 12 + 1, 1) - timedelta(days=1)
