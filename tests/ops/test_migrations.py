"""Migrations on rows that the product could write before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import Connection, MetaData, select

from app.engine.database import db
from app.factory import create_app
from app.setup import with_migrations
from tests.plugins.databases import settings_for_tests
from tests.tools.migration_check import MIGRATIONS

NOW = datetime(2026, 11, 22)


def writer(connection: Connection) -> Callable[..., int]:
    """Inserts a row into a table as it is there now; what is not given is filled with anything."""
    known = MetaData()
    known.reflect(connection)

    def write(table: str, **values: Any) -> int:
        for column in known.tables[table].columns:
            if column.name not in values and not column.nullable and not column.primary_key:
                values[column.name] = {int: 1, bool: True, Decimal: 1, datetime: NOW}.get(
                    column.type.python_type, "-"
                )
        statement = known.tables[table].insert().values(**values)
        return int(connection.execute(statement).inserted_primary_key[0])

    return write


def test_what_was_there_twice_is_there_once(empty_database: str, tmp_path: Path) -> None:
    app = create_app(settings_for_tests(empty_database, tmp_path))
    with_migrations(app)
    with app.app_context():
        upgrade(directory=MIGRATIONS, revision="0002")
        with db.engine.begin() as connection:
            write = writer(connection)
            dealer = write("dealers", name="甲商场", code="A")
            first, second = (write("positions", name="店长", dealer_id=None) for _ in range(2))
            own = write("positions", name="店长", dealer_id=dealer)
            people = [
                write("ab_user", username=f"p{at}", email=f"p{at}@x", name="-", position_id=at)
                for at in (first, second, own)
            ]
            for _ in range(2):
                write(
                    "dictionary_entries", dictionary="d", value="v", label="v", tone="plain", dealer_id=None
                )
                write("parameters", key="k", value=1, dealer_id=None)
            store = write("stores", dealer_id=dealer, code="S", name="店")
            brand, kind = write("brands", name="牌"), write("categories", name="类")
            category = write("brand_categories", name="牌类", brand_id=brand, category_id=kind)
            customer = write(
                "customers", code="C", name="客", stage="following", dealer_id=dealer, store_id=store
            )
            orders = [
                write(
                    "service_orders", code=f"F{n}", customer_id=customer, brand_category_id=category, state=state,
                    dealer_id=dealer, store_id=store,
                )
                for n, state in enumerate(("done", "open", "open"))
            ]  # fmt: skip
        upgrade(directory=MIGRATIONS)
        with db.engine.begin() as connection:
            known = MetaData()
            known.reflect(connection)
            positions, users, jobs = (known.tables[n] for n in ("positions", "ab_user", "service_orders"))
            assert connection.scalars(select(positions.c.id).order_by(positions.c.id)).all() == [first, own]
            places = select(users.c.position_id).where(users.c.id.in_(people)).order_by(users.c.id)
            assert connection.scalars(places).all() == [first, first, own]
            for name in ("dictionary_entries", "parameters"):
                assert len(connection.execute(select(known.tables[name])).all()) == 1
            states = connection.execute(select(jobs.c.id, jobs.c.state).order_by(jobs.c.id)).all()
            assert [tuple(s) for s in states] == list(zip(orders, ("done", "open", "lost"), strict=True))
        db.session.remove()
        db.engine.dispose()
