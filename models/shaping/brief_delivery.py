"""Briefs at their time: each moment once, a missed one made up for once, to each reader with the own numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.engine import outbox
from app.engine.clock import Every, scheduled
from app.engine.database import pieces
from app.engine.outbox import Delivery, handler
from models.identity.rights import load_actor
from models.notifications.rules import notify_many
from models.shaping import brief_rules, brief_writing
from models.shaping.brief_tables import Brief
from models.shaping.brief_timing import looks_back

AT_ONCE = 20
"""So many people are written to in one transaction: each gets a dashboard of his or her own."""
PART = "briefs.part"


@scheduled("briefs", Every(5), label="看板简报")
def plan(delivery: Delivery) -> None:
    """Whatever has come due since it was last sent, the newest moment only, in parts."""
    session, slot = delivery.session, datetime.fromisoformat(delivery.payload["slot"])
    parts = []
    for brief in session.scalars(select(Brief).order_by(Brief.id)):
        moment = brief_rules.timing(brief).latest(slot)
        mine = update(Brief).where(Brief.id == brief.id, Brief.sent_for < moment)
        taken = session.execute(
            mine.values(sent_for=moment, updated_at=Brief.updated_at).returning(Brief.id),
            execution_options={"audited": True, "synchronize_session": False},
        ).first()
        if taken is not None:
            users = pieces(brief_rules.readers(session, brief), AT_ONCE)
            parts += [{"brief": brief.id, "moment": moment.isoformat(), "users": some} for some in users]
    outbox.put_many(session, PART, [(part, None) for part in parts], now=delivery.now)


@handler(PART, seconds=300, label="看板简报（分批）")
def write(delivery: Delivery) -> None:
    """The messages of some people; somebody who has left, or sees nothing of the dashboard, gets none."""
    session, payload = delivery.session, delivery.payload
    brief = session.get(Brief, payload["brief"])
    if brief is None:
        return
    moment = datetime.fromisoformat(payload["moment"])
    span = looks_back(brief.cadence, moment)
    unique = f"brief:{brief.id}:{moment.isoformat(timespec='minutes')}"
    rows = []
    for user_id in payload["users"]:
        actor = load_actor(session, user_id)
        if actor is None or brief_rules.has_left(session, brief.id, user_id):
            continue
        row = brief_writing.message(session, actor, brief.board, span, unique, delivery.now)
        if row is not None:
            rows.append(row)
    notify_many(session, rows)
