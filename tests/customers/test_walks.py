"""A list of few people's rows is never read along everybody's (SQLite decides without knowing how many there are)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.engine.database import db
from app.engine.resource import resources
from app.engine.scopes import Scope, offered
from tests.customers.test_lists import open_scopes
from tests.customers.world import World
from tests.plugins.people import Login

pytestmark = pytest.mark.sqlite_only
NARROW = (Scope.MINE, Scope.OWNED, Scope.RELATED, Scope.DEPARTMENT, Scope.STORE)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, values: Any, *_rest: Any) -> None:
        seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "name", ["customers", "contacts", "tasks", "follow_ups", "service_orders", "factory_orders"]
)
def test_each_scope_walks_along_its_own_index(name: str, world: World, login: Login) -> None:
    shown = next(r for r in resources() if r.name == name)
    dealers = {str(i.name) for i in shown.model.__table__.indexes if i.columns[0].name == "dealer_id"}
    assert dealers
    scopes = [s for s in NARROW if s in offered(shown)]
    open_scopes(world, "manager", name, *(s.value for s in scopes))
    client = login("keeper")
    for scope in scopes:
        with statements() as seen:
            assert client.get(f"/{name}/?scope={scope.value}").status_code == 200
        walks = [found for found in seen if "AS place" in found[0]]
        assert walks
        for statement, values in walks:
            with db.engine.connect() as connection:
                plan = [
                    str(r[-1]) for r in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                ]
            used = {found.group(1) for line in plan if (found := re.search(r"INDEX (\w+)", line))}
            assert not used & dealers, (scope, plan)
