"""What follow-ups and duties have to do with automations: they start them, and are made by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.engine import perform
from app.engine.automating import CREATED
from app.engine.events import Happening
from app.engine.localtime import local, local_day
from app.engine.scopes import Actor
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers
from models.customers.tables import Contact, Customer
from models.follow_ups.resources import Tasks
from models.follow_ups.tables import Task, TaskKind
from models.follow_ups.tasks import change_owner
from models.shaping.automation_parts import (
    Doing,
    Step,
    Subject,
    Touched,
    declare_doing,
    declare_happening,
    declare_subject,
)

_UNTIL = timedelta(hours=18)
"""At this time of day duties are due that an automation makes."""


def _of_task(happening: Happening) -> Any:
    return happening.record


def _person(happening: Happening) -> Any:
    return happening.facts["person"]


declare_subject(
    Subject(Tasks, Task.owner_id, change_owner),
    state=("state", "状态变化"),
    rescheduled=("due_at", "到期时间变化"),
)
declare_happening("task.completed", "completed", "完成任务", Tasks, _of_task)
for _resource in (Customers, Contacts):
    declare_happening("followed_up", "followed_up", "写下跟进", _resource, _person)


def _make(step: Step) -> str:
    """A duty of whoever looks after the record, else of nobody."""
    record, days = step.record, int(step.given["days"] or 0)
    due_at = local_day(local(step.act.now).date() + timedelta(days=days)) + _UNTIL
    if due_at <= step.act.now:
        due_at = step.act.now + timedelta(hours=1)
    values = {
        "kind": TaskKind.FOLLOW_UP,
        "subject": f"{step.given['title']}{record.name}"[:120],
        "customer_id": record.id if isinstance(record, Customer) else record.customer_id,
        "owner_id": step.person_id,
        "due_at": due_at,
    }
    perform.create(Tasks, values, step.actor, source="job", now=step.act.now)
    return f"新建任务“{values['subject']}”，{local(due_at):%m-%d %H:%M}到期"


def _people(subject: Subject) -> bool:
    return subject.resource.model in (Customer, Contact)


def _cannot_make(_subject: Subject, _given: Mapping[str, Any], actor: Actor) -> str:
    return "" if actor.can("can_add", Tasks.view_name()) else "新增任务"


def _makes(_subject: Subject, _given: Mapping[str, Any]) -> Sequence[Touched]:
    return [(Tasks.name, CREATED, "", None)]


declare_doing(
    Doing(
        "task", "新建跟进任务", _make, ("title", "days"), ("title",), _people, _cannot_make, touches=_makes,
        words=lambda said: f"新建任务“{said['title']}”，{said['days'] or 0}天后到期",
    )
)  # fmt: skip
