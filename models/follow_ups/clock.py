"""The effect of clock rules that makes duties: a task for whoever looks after the record."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Table, exists, func, literal, null, select
from sqlalchemy import insert as insert_into

from app.engine import audit
from app.engine.actions import Act
from app.engine.changes import labelled
from app.engine.database import pieces
from app.engine.events import publish
from app.engine.fields import entry
from models.clock_rules.subjects import Effect, Fired, declare_effect
from models.customers.tables import Contact, Customer
from models.follow_ups.tables import WAITING, Task, TaskKind, TaskState

MAKE_TASK = "make_task"
TASKS = cast(Table, Task.__table__)


def _make_tasks(act: Act, fired: Fired) -> None:
    """A task per record that has come due, due at the moment the rule is about; none for a record on which
    a task of that kind waits already. Each stands in the history as made by the clock (D-15)."""
    session = act.session
    chosen = _chosen(fired)
    names = [c.key for c in chosen.selected_columns]
    adding = insert_into(TASKS).from_select(names, chosen).returning(TASKS.c.id)
    ids = list(session.scalars(adding, execution_options={"audited": True}))
    for some in pieces(ids):
        made = select(Task).where(Task.id.in_(some)).order_by(Task.id)
        for task in session.scalars(made):
            values = {name: (None, getattr(task, name)) for name in labelled(task)}
            audit.log(act, task, "create", {n: pair for n, pair in values.items() if pair[1] is not None})
            publish(act, "task.created", task)


def _chosen(fired: Fired) -> Any:
    rule = fired.rule
    about = rule.subject
    model = about.resource.model
    kind = TaskKind.of(str(rule.parameters.get("kind") or TaskKind.FOLLOW_UP.value))
    subject = str(rule.parameters.get("subject") or kind.label)
    due = fired.rows.subquery()
    place = Task.customer_id if model is Customer else Task.contact_id
    waits = exists().where(place == model.id, Task.kind == kind, Task.state.in_(WAITING))
    return (
        select(
            func.substr(literal(subject) + model.name, 1, 120).label("subject"),
            literal(kind, TASKS.c.kind.type).label("kind"),
            literal(TaskState.OPEN, TASKS.c.state.type).label("state"),
            due.c.at.label("due_at"),
            (model.id if model is Customer else null()).label("customer_id"),
            (model.id if model is Contact else null()).label("contact_id"),
            about.person.label("owner_id"),
            model.dealer_id.label("dealer_id"),
            model.store_id.label("store_id"),
            literal(1).label("version"),
            literal(fired.now, TASKS.c.created_at.type).label("created_at"),
            literal(fired.now, TASKS.c.updated_at.type).label("updated_at"),
        )
        .join(due, due.c.record_id == model.id)
        .where(~waits, about.person.is_not(None))
    )


declare_effect(
    Effect(
        MAKE_TASK, "生成任务", _make_tasks, subjects=("customers", "contacts"), makes="条任务",
        parameters=(
            entry("kind", "任务类型", choices=TaskKind),
            entry("subject", "任务标题", maxlength=60, hint="后面自动加上姓名"),
        ),
    )
)  # fmt: skip
