"""The one job there is: carry out an outbox row."""

from __future__ import annotations

from app.engine import outbox
from app.engine.database import db


def deliver(row_id: int) -> str:
    """Carry out one row; runs inside the application context of the worker."""
    try:
        return outbox.deliver(db.session(), row_id).value
    finally:
        db.session.remove()
