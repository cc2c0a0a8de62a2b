"""What writing out a large list costs: seconds, and memory beyond what the product itself takes.

Runs in a process of its own per database and kind of file (``python -m benchmarks.exports KIND ROUNDS``), as a
worker would, and prints JSON.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

import config
from app.engine import exporting, listing
from app.engine.database import db, utcnow
from app.engine.fields import describe
from app.engine.security import sign_in
from models.customers.resources import Customers
from models.customers.tables import CUSTOMER_TAGS, Customer, Stage
from models.identity.tables import Employee

ROWS = 100_000
COLUMNS = (
    Customer.code, Customer.name, CUSTOMER_TAGS, Customer.phone, Customer.level, Customer.stage,
    Customer.owner_id, Customer.last_follow_up_text, Customer.next_follow_up_at, Customer.store_id,
    Customer.created_at, Customer.source, Customer.activity_score, Customer.designer_id, Customer.net_received,
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Measure one kind of file; ``argv`` is the kind and how many rounds."""
    from app.factory import create_app

    kind, rounds = argv[0], int(argv[1])
    app = create_app(config.settings(os.environ))
    took = []
    with app.app_context(), tempfile.TemporaryDirectory() as folder:
        query, out = _list(), Path(folder) / f"list.{kind}"
        specs, about = [describe(c) for c in COLUMNS], exporting.about(query, query.now)
        base, rows = _most(), 0
        for _ in range(rounds):
            started, busy = time.monotonic(), time.process_time()
            with out.open("wb") as file:
                rows = exporting.write(db.session(), query, specs, kind, file, about, lambda n: f"共 {n} 行")
            took.append((time.monotonic() - started, time.process_time() - busy))
        size = out.stat().st_size
        db.session.remove()
    seconds, cpu = (statistics.median(part) for part in zip(*took, strict=True))
    figures = {"rows": rows, "columns": len(specs), "seconds": seconds, "cpu": cpu, "size": size}
    print(json.dumps({**figures, "base": base, "most": _most()}))
    return 0


def _most() -> float:
    """The most memory this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _list() -> listing.Query:
    """The administrator's list of customers from the day on that leaves about `ROWS` of them."""
    session = db.session()
    signed = sign_in(session.scalars(select(Employee.id).where(Employee.username == "admin")).one())
    assert signed is not None
    actor = signed.actor
    newest = select(Customer.created_at).where(
        Customer.dealer_id == actor.dealer_id, Customer.stage != Stage.INVALID
    )
    place = min(ROWS, session.scalar(select(func.count()).select_from(newest.subquery())) or 1)
    day = session.scalars(newest.order_by(Customer.created_at.desc()).offset(place - 1).limit(1)).one().date()
    args = {"scope": ["dealer"], "created_at.from": [day.isoformat()]}
    return listing.parse(Customers, actor, args, utcnow(), session.get_bind().dialect.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
