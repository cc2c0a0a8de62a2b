"""Sending a designer to measure a lead's home (E-72, E-73). The duty itself is a task of the designer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.cells import full
from app.engine.deeds import hold
from app.engine.events import subscribe
from app.engine.fields import entry
from app.engine.lifecycle import Lifecycle
from app.engine.localtime import local
from models.customers.persons import track
from models.customers.tables import Customer
from models.customers.track import TrackAct
from models.follow_ups.tables import WAITING, Task, TaskKind, TaskState
from models.identity.rules import colleague
from models.identity.tables import DESIGNERS, Employee
from models.notifications.telling import NUMBER, tell
from models.notifications.topics import Topic, declare
from models.registrations.tables import Measuring, MeasuringState, Registration
from models.registrations.tracking import SENDER, customers_of

PAGE = "/registration-measuring"
TOPIC = declare(Topic("measuring", "量房派遣", "ruler-2", hourly=False))
_LONGEST_RESULT = 200  # of a task

life = Lifecycle(
    Measuring.state,
    {
        MeasuringState.WAITING: {MeasuringState.DONE, MeasuringState.CANCELLED},
        MeasuringState.DONE: set(),
        MeasuringState.CANCELLED: set(),
    },
)


def _waits(measuring: Measuring) -> bool:
    return measuring.state == MeasuringState.WAITING


def waiting(now: datetime) -> ColumnElement[bool]:
    """Homes that wait to be measured."""
    return Measuring.state == MeasuringState.WAITING


def overdue(now: datetime) -> ColumnElement[bool]:
    """Homes not measured although the time has passed."""
    return and_(waiting(now), Measuring.planned_at < now)


def _tell(act: Act, measuring: Measuring, users: Iterable[int | None], what: str) -> None:
    """``what`` has `NUMBER` where the sentence names the customer, or says how many they are."""
    name = measuring.name
    tell(
        act, users, TOPIC, f"{act.actor.called}{what.replace(NUMBER, f'客户{name}')}",
        f"{act.actor.called}{what.replace(NUMBER, f'{NUMBER}位客户')}",
        record=measuring, label=name, dealer_id=measuring.dealer_id,
    )  # fmt: skip


# ----- the dispatch


@action(
    "派遣设计师量房", on=Registration, icon="ruler-2", menu=True, greyed=True, batch=False,
    fields=(
        entry("designer", "量房设计师", target=Employee, required=True, prefers=DESIGNERS),
        entry("planned_at", "计划量房时间", "datetime", required=True, future=True),
        entry("remark", "备注", maxlength=200, wide=True),
    ),
)  # fmt: skip
def dispatch(
    lead: Registration, act: Act, designer: int, planned_at: datetime, remark: str | None = None
) -> str:
    """Send a designer, whatever the lead's progress, which stays as it is (E-72)."""
    session = act.session
    if planned_at <= act.now:
        raise Invalid({"planned_at": "请选择将来的时间"})
    found = colleague(act, designer, lead.dealer_id, "designer")
    open_one = (Measuring.registration_id == lead.id, Measuring.state == MeasuringState.WAITING)
    if session.scalar(select(Measuring.id).where(*open_one).limit(1)) is not None:
        raise Refusal("该客户线索已有待量房的派遣")
    task = Task(
        subject=f"量房：{lead.name}", kind=TaskKind.MEASURE, state=TaskState.OPEN, due_at=planned_at,
        owner_id=found.id, dealer_id=lead.dealer_id, store_id=lead.outlet_id, created_at=act.now,
    )  # fmt: skip
    session.add(task)
    session.flush()
    measuring = Measuring(
        registration_id=lead.id, designer_id=found.id, name=lead.name, phone=lead.phone, address=lead.address,
        planned_at=planned_at, remark=remark, state=MeasuringState.WAITING, task_id=task.id,
        dispatcher_id=act.actor.id or None, dealer_id=lead.dealer_id, store_id=lead.outlet_id,
        created_at=act.now,
    )  # fmt: skip
    session.add(measuring)
    session.flush()
    _tell(act, measuring, [found.id], f"派您为{NUMBER}量房：{full(local(planned_at))}")
    return f"已派遣{found.name}量房"


def change(measuring: Measuring, act: Act, values: dict[str, Any]) -> None:
    """Another time or another designer for a home that is not measured yet; the task follows."""
    if not _waits(measuring):
        raise Refusal(f"该派遣{measuring.state.label}，不能修改")
    planned_at = values.get("planned_at") or measuring.planned_at
    if planned_at != measuring.planned_at and planned_at <= act.now:
        raise Invalid({"planned_at": "请选择将来的时间"})
    designer_id = values.get("designer_id") or measuring.designer_id
    if designer_id != measuring.designer_id:
        colleague(act, designer_id, measuring.dealer_id, "designer_id")
    task = _task(act, measuring)
    if task is not None:
        task.owner_id = designer_id
        if planned_at != task.due_at:
            task.due_at, task.state = planned_at, TaskState.OPEN
    when = full(local(planned_at))
    if designer_id != measuring.designer_id:
        _tell(act, measuring, [designer_id], f"派您为{NUMBER}量房：{when}")
        _tell(act, measuring, [measuring.designer_id], f"将{NUMBER}的量房改派他人")
    elif planned_at != measuring.planned_at:
        _tell(act, measuring, [designer_id], f"将{NUMBER}的量房改约至{when}")


@action(
    "完成量房", on=Measuring, icon="check", primary=True, row=True, batch=False, page=f"{PAGE}/complete",
    fields=(
        entry("measured_on", "量房日期", "date", required=True),
        entry("result", "量房结果", "textarea", required=True, maxlength=2000),
    ),
    when=_waits,
)  # fmt: skip
def complete_measuring(
    measuring: Measuring,
    act: Act,
    measured_on: date,
    result: str,
    attachment: str | None = None,
    attachment_name: str | None = None,
) -> str:
    """The home is measured: when, with what result, and the drawing or photo (E-73)."""
    if measured_on > local(act.now).date():
        raise Invalid({"measured_on": "量房日期不能晚于今天"})
    measuring.attachment, measuring.attachment_name = attachment, attachment_name
    _finish(act, measuring, measured_on, result)
    task = _task(act, measuring)
    if task is not None:
        task.state, task.done_at, task.result = TaskState.DONE, act.now, result[:_LONGEST_RESULT]
    return "已完成量房"


@action(
    "取消派遣", on=Measuring, icon="x", menu=True, tone="r",
    fields=(entry("reason", "取消原因", required=True, maxlength=200),), when=_waits,
)  # fmt: skip
def cancel_measuring(measuring: Measuring, act: Act, reason: str) -> str:
    """Nobody goes there."""
    _call_off(act, measuring, reason)
    task = _task(act, measuring)
    if task is not None:
        task.state, task.closed_with = TaskState.CANCELLED, None
    return "已取消派遣"


def _finish(act: Act, measuring: Measuring, measured_on: date, result: str) -> None:
    move = life.to(MeasuringState.DONE)
    move.check(measuring)
    move.apply(measuring)
    measuring.measured_on, measuring.result = measured_on, result
    for customer in customers_of(act.session, measuring.registration_id):
        _tell_customer(act, measuring, customer, act.now)
    _tell(act, measuring, _concerned(act, measuring), f"完成了{NUMBER}的量房")


def _call_off(act: Act, measuring: Measuring, reason: str) -> None:
    move = life.to(MeasuringState.CANCELLED)
    move.check(measuring)
    move.apply(measuring)
    measuring.cancel_reason = reason
    _tell(act, measuring, _concerned(act, measuring), f"取消了{NUMBER}的量房")


def _concerned(act: Act, measuring: Measuring) -> list[int | None]:
    lead = act.session.get_one(Registration, measuring.registration_id)
    return [measuring.designer_id, measuring.dispatcher_id, lead.registrant_id]


# ----- the task of it


def _task(act: Act, measuring: Measuring) -> Task | None:
    """The designer's duty while it waits."""
    task: Task | None = hold(act.session, Task, measuring.task_id)
    return task if task is not None and task.state in WAITING else None


def _of_task(act: Act, task: Task) -> Measuring | None:
    """What waits to be measured by that duty."""
    found = act.session.scalar(select(Measuring.id).where(Measuring.task_id == task.id))
    measuring: Measuring | None = hold(act.session, Measuring, found)
    return measuring if measuring is not None and _waits(measuring) else None


@subscribe("task.completed")
def _measured(act: Act, task: Task) -> None:
    measuring = _of_task(act, task)
    if measuring is not None:
        _finish(act, measuring, local(act.now).date(), task.result or "")


@subscribe("task.cancelled")
def _given_up(act: Act, task: Task) -> None:
    measuring = _of_task(act, task)
    if measuring is not None:
        _call_off(act, measuring, "任务已取消")


@subscribe("task.rescheduled")
def _put_off(act: Act, task: Task, due_at: datetime) -> None:
    measuring = _of_task(act, task)
    if measuring is not None:
        measuring.planned_at = due_at


@subscribe("task.reassigned")
def _given_on(act: Act, task: Task, old: int | None, new: int | None) -> None:
    measuring = _of_task(act, task)
    if measuring is not None and new is not None:
        measuring.designer_id = new


@subscribe("tasks.restored")
def _given_back(act: Act, task: Task, changes: dict[str, Any]) -> None:
    if "owner_id" in changes:
        _given_on(act, task, *changes["owner_id"])


# ----- with the lead


@subscribe("registration.deleting")
def _leave_with_lead(act: Act, lead: Registration) -> None:
    """A designer on the way, or a home that was measured, keeps the lead; what was called off goes with it."""
    found = act.session.scalars(select(Measuring).where(Measuring.registration_id == lead.id)).all()
    if any(map(_waits, found)):
        raise Refusal("该客户线索已派遣设计师量房，请先取消派遣")
    if any(m.state == MeasuringState.DONE for m in found):
        raise Refusal("该客户线索已量房，不能删除")
    for measuring in found:
        act.session.delete(measuring)


@subscribe("registration.taken_over")
def _take_over(act: Act, lead: Registration, customer: Customer) -> None:
    done = (Measuring.registration_id == lead.id, Measuring.state == MeasuringState.DONE)
    found = select(Measuring, Task.done_at).outerjoin(Task, Task.id == Measuring.task_id).where(*done)
    for measuring, at in act.session.execute(found.order_by(Measuring.id)):
        _tell_customer(act, measuring, customer, at)


def _tell_customer(act: Act, measuring: Measuring, customer: Customer, at: datetime | None) -> None:
    """The customer's service track has it once, however often the lead comes in."""
    track(
        act, customer, TrackAct.MEASURE, measuring.result or "", at=at, sender=SENDER,
        event_id=f"measuring:{measuring.id}:{customer.id}", by_id=measuring.designer_id,
    )  # fmt: skip
