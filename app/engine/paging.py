"""Keyset paging: a page starts after a row, not after a number of rows, so every depth costs the same."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_

from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row in the order: the sort column's value and the id."""

    value: Any
    id: int


def encode(value: Any, record_id: int) -> str:
    """A cursor as it stands in the address."""
    if isinstance(value, (datetime, date)):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    elif value is not None and not isinstance(value, (int, float, str)):
        value = getattr(value, "value", str(value))
    raw = json.dumps([value, record_id], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str, spec: FieldSpec) -> Cursor | None:
    """The cursor behind the text; None when somebody wrote nonsense into the address."""
    if not text or len(text) > 400:
        return None
    try:
        raw = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        value, record_id = raw
        if value is not None:
            value = _typed(value, spec)
        if isinstance(record_id, bool) or not isinstance(record_id, int) or abs(record_id) > MAX_ID:
            return None
        return Cursor(value, record_id)
    except (ValueError, TypeError, binascii.Error, InvalidOperation, UnicodeError, RecursionError):
        return None


def _typed(value: Any, spec: FieldSpec) -> Any:
    if spec.kind == "datetime":
        return datetime.fromisoformat(value)
    if spec.kind == "date":
        return date.fromisoformat(value)
    if spec.kind in ("money", "number"):
        number = Decimal(value)
        if not number.is_finite() or number.adjusted() >= (12 if spec.kind == "money" else 14):
            raise ValueError(value)
        return number
    if spec.kind in ("integer", "ref"):
        if abs(int(value)) > MAX_ID:
            raise ValueError(value)
        return int(value)
    if spec.choices is not None:
        return spec.choices.of(value)
    words = str(value)
    words.encode()  # half a surrogate pair is no text
    if "\0" in words:
        raise ValueError(value)
    return words


def beyond(column: Any, pk: Any, *, descending: bool) -> ColumnElement[bool]:
    """Rows that come after the cursor (parameters ``cursor_value``, ``cursor_id``) within the filled
    segment of a sort column."""
    value: Any = bindparam("cursor_value", type_=column.type)
    last: Any = bindparam("cursor_id")
    if descending:
        return and_(column <= value, or_(column < value, pk < last))
    return and_(column >= value, or_(column > value, pk > last))
