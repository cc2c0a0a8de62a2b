"""Somebody who is on file comes in again: the next follow-up is due today, once (D-23, D-24)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from app.engine.actions import Act
from app.engine.events import subscribe
from app.engine.localtime import local, local_day
from models.customers.persons import touch
from models.customers.tables import Customer
from models.follow_ups import tasks
from models.follow_ups.tables import WAITING, Task, TaskKind, TaskState


@subscribe("customers.returned")
def _due_today(act: Act, customers: Sequence[Customer]) -> None:
    """The waiting follow-up of each moves to today; one is made where none waits. One that is due today
    stays as it is."""
    today = local_day(local(act.now).date())
    end = today + timedelta(days=1, minutes=-1)
    waiting = act.session.scalars(
        select(Task)
        .where(
            Task.customer_id.in_([c.id for c in customers]),
            Task.kind == TaskKind.FOLLOW_UP,
            Task.state.in_(WAITING),
        )
        .order_by(Task.due_at, Task.id)
        .with_for_update(key_share=True)
    ).all()
    nearest: dict[int | None, Task] = {}
    for task in waiting:
        known = nearest.get(task.customer_id)
        if known is None or (known.due_at < today and task.due_at <= end):
            nearest[task.customer_id] = task
    for customer in customers:
        mine = nearest.get(customer.id)
        if mine is None:
            tasks.plan_follow_up(act, customer, end)
        elif not today <= mine.due_at <= end:
            mine.due_at, mine.state = end, TaskState.OPEN
        due = mine.due_at if mine is not None else end
        if customer.next_follow_up_at != due:
            touch(act.session, customer, next_follow_up_at=due)


@subscribe("tasks.taken_back")
def _due_as_before(act: Act, entries: Sequence[Any]) -> None:
    """When follow-ups of an import are gone, or due as before, the customers' next one is that which waits."""
    session = act.session
    still = select(Task.customer_id).where(Task.id.in_([e.record_id for e in entries]))
    ids = {
        *session.scalars(still),
        *(e.changes["fields"].get("customer_id", (None, None))[1] for e in entries),
    }
    waiting = Task.kind == TaskKind.FOLLOW_UP, Task.state.in_(WAITING), Task.customer_id == Customer.id
    nearest = select(func.min(Task.due_at)).where(*waiting).correlate(Customer).scalar_subquery()
    session.execute(
        update(Customer).where(Customer.id.in_(ids - {None})).values(next_follow_up_at=nearest),
        execution_options={"audited": True, "synchronize_session": False},
    )
