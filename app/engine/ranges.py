"""The ends of a range as they are typed: days, moments, numbers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec
from app.engine.localtime import local_day


def boundary(spec: FieldSpec, text: str, end: bool) -> Any:
    """What is typed as the beginning or the ``end`` of a range; raises `ValueError`, `InvalidOperation` or
    `OverflowError` for what is none."""
    if spec.kind == "datetime":
        day = date.fromisoformat(text[:10])
        return local_day(day + timedelta(days=1) if end else day)
    if spec.kind == "date":
        return date.fromisoformat(text[:10])
    if spec.kind == "integer":
        whole = int(text[:15])
        if abs(whole) > MAX_ID:
            raise ValueError(text)
        return whole
    number = Decimal(text[:20])
    if not number.is_finite() or number.adjusted() >= 12:
        raise ValueError(text)
    return number


def kind_word(spec: FieldSpec) -> str:
    """What is to be typed there."""
    return "日期" if spec.kind in ("date", "datetime") else "数字"
