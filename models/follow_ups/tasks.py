"""Dated duties: made by follow-ups, closed with the people and jobs they belong to (A-57, A-63)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update

from app.engine import audit, outbox
from app.engine.actions import UNCHANGED, Act, Done, Invalid, Refusal, action
from app.engine.clock import Every, deed, scheduled
from app.engine.events import Happening, publish, subscribe
from app.engine.fields import entry
from app.engine.filters import without
from app.engine.lifecycle import Lifecycle
from app.engine.localtime import local, local_day
from app.engine.outbox import Delivery
from models.customers.handover import Burden, provide_burden
from models.customers.persons import Person, touch, track
from models.customers.tables import Contact, Customer
from models.customers.track import TrackAct
from models.follow_ups.tables import SETTLED, WAITING, Task, TaskKind, TaskState
from models.identity.rules import colleague
from models.identity.tables import Employee

life = Lifecycle(
    Task.state,
    {
        TaskState.OPEN: {TaskState.DONE, TaskState.OVERDUE, TaskState.CANCELLED},
        TaskState.OVERDUE: {TaskState.DONE, TaskState.CANCELLED},
        TaskState.DONE: set(),
        TaskState.CANCELLED: {TaskState.OPEN},
    },
)
_AT_ONCE = 1000
_TRACKED = {TaskKind.MEASURE: TrackAct.MEASURE, TaskKind.CONTRACT: TrackAct.CONTRACT}


def _about(person: Person) -> ColumnElement[bool]:
    return (Task.customer_id if isinstance(person, Customer) else Task.contact_id) == person.id


def _tasks(act: Act, *where: ColumnElement[bool]) -> Iterable[Task]:
    return act.session.scalars(
        select(Task).where(*where).order_by(Task.id).with_for_update(key_share=True)
    ).all()


def finish_follow_ups(act: Act, person: Person) -> None:
    """Complete the person's waiting follow-up tasks: somebody was in touch."""
    for task in _tasks(act, _about(person), Task.kind == TaskKind.FOLLOW_UP, Task.state.in_(WAITING)):
        task.state, task.done_at = TaskState.DONE, act.now


def plan_follow_up(act: Act, person: Person, due_at: datetime) -> Task:
    """The next follow-up as a duty of whoever looks after the person."""
    owner_id = person.owner_id if isinstance(person, Customer) else person.employee_id
    task = Task(
        subject=f"跟进{person.name}"[:120],
        kind=TaskKind.FOLLOW_UP,
        state=TaskState.OPEN,
        due_at=due_at,
        customer_id=person.id if isinstance(person, Customer) else person.customer_id,
        contact_id=person.id if isinstance(person, Contact) else None,
        owner_id=owner_id or act.actor.id or None,
        dealer_id=person.dealer_id,
        store_id=person.store_id,
        created_at=act.now,
    )
    act.session.add(task)
    act.session.flush()
    publish(act, "task.created", task)
    return task


def create_task(task: Task, act: Act, values: dict[str, Any]) -> Task:
    """Give somebody a duty, by default oneself; store and dealer follow the customer."""
    if task.due_at <= act.now:
        raise Invalid({"due_at": "请选择将来的时间"})
    customer = act.session.get(Customer, task.customer_id) if task.customer_id else None
    if customer is not None:
        task.dealer_id, task.store_id = customer.dealer_id, customer.store_id
    elif act.actor.dealer_id is None or act.actor.store_id is None:
        raise Invalid({"customer_id": "请选择客户"})
    else:
        task.dealer_id, task.store_id = act.actor.dealer_id, act.actor.store_id
    task.owner_id = task.owner_id or act.actor.id or None
    if task.owner_id not in (None, act.actor.id):
        colleague(act, task.owner_id, task.dealer_id, "owner_id")
    task.state, task.created_at = TaskState.OPEN, act.now
    publish(act, "task.created", task)
    return task


def edit_task(task: Task, act: Act, values: dict[str, Any]) -> None:
    """Put a waiting duty off or give it to somebody else; a finished one stays as it is."""
    if task.state not in WAITING:
        raise Refusal(f"任务{task.state.label}，不能修改")
    due_at = values.get("due_at") or task.due_at
    if due_at != task.due_at and due_at <= act.now:
        raise Invalid({"due_at": "请选择将来的时间"})
    if due_at > act.now:
        task.state = TaskState.OPEN
    owner_id = values.get("owner_id")
    if owner_id not in (None, act.actor.id, task.owner_id):
        colleague(act, owner_id, task.dealer_id, "owner_id")
    if due_at != task.due_at:
        publish(act, "task.rescheduled", task, due_at=due_at)
    if values.get("subject", task.subject) != task.subject:
        publish(act, "task.edited", task)
    if "owner_id" in values and owner_id != task.owner_id:
        publish(act, "task.reassigned", task, old=task.owner_id, new=owner_id)


@scheduled("tasks.overdue", Every(5), label="任务逾期检查")
def mark_overdue(delivery: Delivery) -> None:
    """Every five minutes, so that filters and charts tell what pages show: waiting tasks whose time had passed
    then are overdue (D-15 keeps it in the history). Time did it, nobody's deed: no version changes, so that
    no open form becomes stale by it.

    Those in somebody's hands at this moment follow the next time: waiting for them while others are locked
    could wait for ever. Many at once go in several rows.
    """
    session = delivery.session
    slot = datetime.fromisoformat(delivery.payload["slot"])
    late = Task.state == TaskState.OPEN, Task.due_at < slot
    waiting = select(Task).where(*late).order_by(Task.due_at, Task.id).limit(_AT_ONCE)
    found = session.scalars(waiting.with_for_update(skip_locked=True, key_share=True)).all()
    act = deed(delivery, "逾期")
    for task in found:
        audit.log(act, task, act.action, {"state": (task.state, TaskState.OVERDUE)})
    session.execute(
        update(Task).where(Task.id.in_([task.id for task in found])).values(state=TaskState.OVERDUE),
        execution_options={"audited": True, "synchronize_session": False},
    )
    if len(found) == _AT_ONCE:
        outbox.put(session, "tasks.overdue", delivery.payload, now=delivery.now)


@action(
    "完成", on=Task, name="complete", icon="check", primary=True, row=True,
    fields=(entry("result", "处理结果", maxlength=200),), when=lambda task: task.state in WAITING,
)  # fmt: skip
def complete(task: Task, act: Act, result: str | None = None) -> None:
    """Do a duty. Follow-ups are completed by following up; measuring and contracts stand in the
    customer's service track (A-44)."""
    if task.kind == TaskKind.FOLLOW_UP:
        raise Refusal("跟进任务请通过“手动填写跟进”完成")
    move = life.to(TaskState.DONE)
    move.check(task)
    move.apply(task)
    task.done_at, task.result = act.now, result
    customer = act.session.get(Customer, task.customer_id) if task.customer_id else None
    if customer is not None and task.kind in _TRACKED:
        track(act, customer, _TRACKED[task.kind], result or task.subject)
    publish(act, "task.completed", task)


@action(
    "取消任务", on=Task, name="cancel", icon="x", menu=True, moves=life.to(TaskState.CANCELLED),
    confirm="确认取消所选任务？", when=lambda task: task.state in WAITING,
)  # fmt: skip
def cancel(task: Task, act: Act) -> None:
    """Give up a duty."""
    task.closed_with = None
    publish(act, "task.cancelled", task)


@action(
    "批量修改", on=Task, name="change_owner", icon="user-share", single=False, sets=True,
    fields=(entry("owner", "责任人", target=Employee, required=True),),
)  # fmt: skip
def change_owner(task: Task, act: Act, owner: int) -> Done | None:
    """Give duties to another person of the dealer (A-113); finished ones are refused by name."""
    if task.state not in WAITING:
        raise Refusal(f"任务{task.state.label}，不能修改")
    new = colleague(act, owner, task.dealer_id).id
    if task.owner_id == new:
        return UNCHANGED
    old, task.owner_id = task.owner_id, new
    publish(act, "task.reassigned", task, old=old, new=new)
    return None


@subscribe("task.rescheduled")
def _plan_anew(act: Act, task: Task, due_at: datetime) -> None:
    _replan(act, task, due_at)


@subscribe("task.cancelled")
def _plan_no_more(act: Act, task: Task) -> None:
    _replan(act, task, None)


def _replan(act: Act, task: Task, due_at: datetime | None) -> None:
    """The next time of a person moves with the follow-up that was planned for it, and ends with it: else it
    would be reminded at the old time, and without a duty silence the default reminder for ever (A-34, A-40)."""
    if task.kind != TaskKind.FOLLOW_UP:
        return
    person: Person | None = None
    if task.contact_id is not None:
        person = act.session.get(Contact, task.contact_id)
    elif task.customer_id is not None:
        person = act.session.get(Customer, task.customer_id)
    if person is not None and person.next_follow_up_at == task.due_at:
        touch(act.session, person, next_follow_up_at=due_at)


def close(act: Act, where: ColumnElement[bool], because: str) -> None:
    """Cancel waiting tasks together with what they belong to, remembering why."""
    for task in _tasks(act, where, Task.state.in_(WAITING)):
        task.state, task.closed_with = TaskState.CANCELLED, because


def bring_back(act: Act, where: ColumnElement[bool], because: str) -> None:
    """Undo `close` for the tasks that were closed for that reason."""
    for task in _tasks(act, where, Task.state == TaskState.CANCELLED, Task.closed_with == because):
        task.state, task.closed_with = TaskState.OPEN, None


@subscribe("customer.closed")
def _close_with_customer(act: Act, customer: Customer, because: str) -> None:
    close(act, Task.customer_id == customer.id, because)


@subscribe("customer.reopened")
def _bring_back_with_customer(act: Act, customer: Customer, because: str) -> None:
    bring_back(act, Task.customer_id == customer.id, because)


@subscribe("customer.reassigned", gathered=True)
@subscribe("customer.designer_changed", gathered=True)
def _hand_over(act: Act, found: Sequence[Happening]) -> None:
    """Waiting duties of the former consultant or designer go to the new one; finished ones keep their name
    (A-57)."""
    moved = {h.record.id: h.facts for h in found if h.facts["old"] and h.facts["new"]}
    mine = Task.customer_id.in_(moved), Task.owner_id.in_({f["old"] for f in moved.values()})
    for task in _tasks(act, *mine, Task.state.in_(WAITING)) if moved else ():
        if task.owner_id == moved[task.customer_id or 0]["old"]:
            task.owner_id = moved[task.customer_id or 0]["new"]


@subscribe("customer.moved", gathered=True)
def _move(act: Act, found: Sequence[Happening]) -> None:
    """Waiting duties are done in the customer's new store."""
    stores = {h.record.id: h.record.store_id for h in found}
    for task in _tasks(act, Task.customer_id.in_(stores), Task.state.in_(WAITING)):
        task.store_id = stores[task.customer_id or 0]


@subscribe("contact.linked")
def _follow_contact(act: Act, contact: Contact, customer: Customer) -> None:
    for task in _tasks(act, Task.contact_id == contact.id):
        task.customer_id = customer.id


@subscribe("contact.parted")
def _leave_with_contact(act: Act, contact: Contact, customer: Customer) -> None:
    for task in _tasks(act, Task.contact_id == contact.id):
        task.customer_id = None


def later_today(now: datetime) -> ColumnElement[bool]:
    """Waiting tasks whose time comes yet today (待跟进)."""
    return and_(waiting(), Task.due_at >= now, Task.due_at < end_of_day(now))


def end_of_day(now: datetime) -> datetime:
    """When the day in China ends, as stored."""
    return local_day(local(now).date() + timedelta(days=1))


def _held(people: Sequence[int]) -> Select[Any, Any]:
    mine = Task.owner_id.in_(people), waiting()
    return select(Task.owner_id, func.count()).where(*mine).group_by(Task.owner_id)


def _along(customers: Sequence[int], person: int) -> Select[Any, Any]:
    mine = Task.customer_id.in_(customers), Task.owner_id == person, waiting()
    return select(Task.customer_id, func.count()).where(*mine).group_by(Task.customer_id)


provide_burden(Burden("待办任务", _held, _along))


def waiting() -> ColumnElement[bool]:
    """Tasks that are neither done nor cancelled, as their indexes know them."""
    return without(Task.state, SETTLED)


def overdue(now: datetime) -> ColumnElement[bool]:
    """Waiting tasks past their time, whether the clock has written it down or not."""
    return and_(waiting(), Task.due_at < now)
