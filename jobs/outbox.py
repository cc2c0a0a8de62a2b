"""The one job there is: carry out outbox rows."""

from __future__ import annotations

from collections import Counter

from app.engine import outbox
from app.engine.database import db


def deliver(*row_ids: int) -> dict[str, int]:
    """Carry out rows one after the other; runs inside the application context of the worker.

    Returns how many ended in which way. A worker killed in between leaves the rest to the sweeper.
    """
    outcomes: Counter[str] = Counter()
    for row_id in row_ids:
        try:
            outcomes[outbox.deliver(db.session(), row_id).value] += 1
        finally:
            db.session.remove()
    return dict(outcomes)
