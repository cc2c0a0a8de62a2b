"""How many leads a person may still file today (E-55…E-59)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.engine.actions import Act


def take(act: Act, registrant_id: int, dealer_id: int, count: int = 1) -> None:
    """Use up so many of the day's slots."""


def left(session: Session, registrant_id: int, dealer_id: int, now: datetime) -> int | None:
    """What is left of the day's slots; None without a limit."""
    return None
