"""Many customers at once, as another system would have left them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select

from app.engine.audit import acting
from app.engine.database import db, utcnow
from models.customers.tables import Customer
from models.follow_ups.tables import Task, TaskKind, TaskState
from tests.customers.world import World


def many(world: World, amount: int, owner: str = "seller", *, tasks: bool = False) -> list[int]:
    """So many customers of that person in the first store, perhaps each with an open duty; their ids."""
    session, now = db.session(), utcnow()
    person, store = world.people[owner].id, world.stores[0].id
    place = {"dealer_id": world.a.id, "store_id": store, "owner_id": person}
    rows = [
        place | {"code": f"M{owner}{n:05d}", "name": f"客户{n}", "phone": f"137{n:08d}", "filer_id": person,
                 "created_at": now - timedelta(days=1)}
        for n in range(amount)
    ]  # fmt: skip
    with acting(session):
        session.execute(insert(Customer), rows, execution_options={"audited": True})
        found = list(
            session.scalars(
                select(Customer.id).where(Customer.code.like(f"M{owner}%")).order_by(Customer.code)
            )
        )
        if tasks:
            duty = {"subject": "回电", "kind": TaskKind.OTHER, "state": TaskState.OPEN, "created_at": now}
            due = {"due_at": now + timedelta(days=2)}
            duties = [place | duty | due | {"customer_id": i} for i in found]
            session.execute(insert(Task), duties, execution_options={"audited": True})
        session.commit()
    return found
