"""What waits for an auditor is read along an index of its own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from app.engine.database import db
from models.registrations.tables import Assignment
from tests.registrations.units import DEPOSIT, PENDING, lead
from tests.registrations.world import Channel


@pytest.mark.parametrize("who", ["boss"])
def test_the_first_page_walks_what_waits(channel: Channel, login: Any, who: str) -> None:
    lead(channel, "worker1", (DEPOSIT, PENDING))
    client: Any = login(who)
    seen: list[Any] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    page = client.get("/registration-audit/")
    assert page.status_code == 200 and "data-entry" in page.get_data(as_text=True)
    statement, values = next((s, p) for s, p in seen if "page.place" in s and Assignment.__tablename__ in s)
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())
    assert "ix_registration_assignments_waiting_here" in plan
