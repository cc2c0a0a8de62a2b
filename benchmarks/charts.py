"""What charts cost the server over the whole database: each one alone, and the dashboard of eight.

Measured like any other page (`pages.Request`), for an administrator over the whole dealer and all time, and
for a store's manager; ``python -m benchmarks.charts URL ROUNDS`` prints JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from flask import Flask
from sqlalchemy import event, select

from app.engine.database import db
from app.engine.resource import resource
from benchmarks.pages import Backend, Request, interleaved
from benchmarks.product import Case, make_product
from models.identity.tables import Employee

WHOLE, OWN = "scope=group&window=all", "scope=store&window=all"
DASHBOARD = "/dashboards/manager"


def cases(app: Flask) -> list[Case]:
    """Every chart of the customers, then the dashboard."""
    with app.app_context():
        store = db.session().scalar(select(Employee.store_id).where(Employee.username == "manager1"))
        db.session.remove()
    customers = resource("customers")
    assert customers is not None
    found = []
    for who, name, scope in (("管理员", "admin", WHOLE), ("店长本店", "manager1", OWN)):
        for chart in customers.charts:
            address = f"/customers/charts?{scope}&chart={chart.name}"
            found.append(Case(f"chart:{who}:{chart.name}", chart.title, name, address))
    found.append(
        Case("dashboard:admin", "经理看板（8 张图），管理员，全部时间", "admin", f"{DASHBOARD}?day=all")
    )
    found.append(Case("dashboard:month", "经理看板（8 张图），管理员，本月", "admin", DASHBOARD))
    own = f"{DASHBOARD}?day=all&store={store}"
    found.append(Case("dashboard:manager1", "经理看板（8 张图），店长本店，全部时间", "manager1", own))
    return found


def measure(rounds: int) -> dict[str, Any]:
    """Medians by case."""
    product = make_product()
    with product.app_context():
        event.listen(db.engine, "connect", _alone)
        db.engine.dispose()
        backend = Backend(db.engine)
    return interleaved([Request(product, case, backend) for case in cases(product)], rounds)


def _alone(connection: Any, _record: Any) -> None:
    """One process works for a statement: the CPU of helpers would not be counted."""
    if db.engine.dialect.name == "postgresql":
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.commit()


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[2])), ensure_ascii=False))
