"""A world with something to count, the charts page as it is answered, and the rows behind an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import current_app
from sqlalchemy import update

from app.engine import charts, counting, listing
from app.engine.database import db, utcnow, writing
from app.engine.resource import resource
from models.customers.tables import Customer, Stage
from tests.customers import world as trade
from tests.customers.world import World

FORTY = 40
STAGES = (Stage.FOLLOWING, Stage.FOLLOWING, Stage.ORDERED, Stage.LOST, Stage.INVALID)


def change(table: Any) -> Any:
    """A set-based change, made so as to have many rows quickly."""
    return update(table).execution_options(audited=True)


def fill() -> None:
    """Two dealers and forty customers of different age, stage and owner."""
    trade.fill()
    made = trade.found()
    now = utcnow()
    table: Any = Customer.__table__
    ids = [
        made.customer(by=("seller", "seller2", "outsider")[n % 3], name=f"客户{n % 4}").id
        for n in range(FORTY)
    ]
    with writing(db.session()):
        for n, record_id in enumerate(ids):
            values = {
                "created_at": now - timedelta(days=n * 7, hours=n % 24),
                "stage": STAGES[n % 5],
                "level": (None, "H", "A")[n % 3],
                "owner_id": None if n % 7 == 0 else made.people["seller"].id,
                "net_received": n * 100,
            }
            statement = change(table).where(table.c.id == record_id).values(**values)
            db.session.execute(statement)
        db.session.commit()


def found() -> World:
    """The trade with its customers as it stands in the database."""
    made = trade.found()
    made.phones = FORTY
    return made


def page_of(actor: Any, query: str = "", shown: tuple[Any, ...] = (), name: str = "customers") -> Any:
    """The charts page of a list for that address."""
    found: Any = resource(name)
    before = found.charts
    found.charts = shown or before
    try:
        with current_app.test_request_context():
            return charts.page(found, actor, parse_qs(query), utcnow())
    finally:
        found.charts = before


def rows_behind(actor: Any, url: str) -> int:
    """How many records the list shows at that address."""
    parts = urlsplit(url)
    found: Any = resource(parts.path.strip("/"))
    session = db.session()
    query = listing.parse(found, actor, parse_qs(parts.query), utcnow(), session.get_bind().dialect.name)
    assert not query.errors
    amount, more = counting.count(session, query)
    assert not more
    return amount
