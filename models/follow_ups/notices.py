"""What task owners hear: changes at once, the waiting and the overdue twice a day; and SMS as a way out for
messages (A-36, A-38, A-40)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.cells import full
from app.engine.clock import At, scheduled
from app.engine.events import subscribe
from app.engine.localtime import local
from app.engine.outbox import Delivery, handler
from models.customers.notices import concerned
from models.customers.tables import Customer
from models.follow_ups import gateways, tasks
from models.follow_ups.tables import Channel, SmsMessage, SmsState, Task
from models.identity.tables import Employee
from models.notifications import channels
from models.notifications.hourly import put_parts
from models.notifications.rules import notify_many
from models.notifications.sentences import NOTHING, Sentence, Value, say, sentence, title
from models.notifications.tables import NoticeChannel, NoticeKind
from models.notifications.topics import NEW_TASK, TASK_CHANGE, WAITING

PENDING, LATE = "待跟进", "超时跟进"
LINES = 30
"""So many tasks of each group are listed; the rest is counted and stands in the list the group opens."""
_LISTS = {PENDING: "scope=mine&view=later", LATE: "scope=mine&view=overdue"}


# ----- at once


_WHO, _TASK = {"操作人": "店长"}, {"任务": "任务“回访”（客户张女士）"}
CREATED = sentence(
    "task.created", NEW_TASK, "安排了任务，告知负责人",
    "{{操作人}}给您安排了{{任务}}", "{{操作人}}给您安排了{{数量}}项任务", _WHO, _TASK, "tasks",
)  # fmt: skip
RESCHEDULED = sentence(
    "task.rescheduled", TASK_CHANGE, "任务改约，告知相关人员",
    "{{操作人}}将{{任务}}改约至{{时间}}", "{{操作人}}将{{数量}}项任务改约至{{时间}}",
    {**_WHO, "时间": "2026-01-05 10:00"}, _TASK, "tasks",
)  # fmt: skip
EDITED = sentence(
    "task.edited", TASK_CHANGE, "任务修改，告知相关人员",
    "{{操作人}}修改了{{任务}}", "{{操作人}}修改了{{数量}}项任务", _WHO, _TASK, "tasks",
)  # fmt: skip
CANCELLED = sentence(
    "task.cancelled", TASK_CHANGE, "任务取消，告知相关人员",
    "{{操作人}}取消了{{任务}}", "{{操作人}}取消了{{数量}}项任务", _WHO, _TASK, "tasks",
)  # fmt: skip
GIVEN = sentence(
    "task.given", TASK_CHANGE, "任务转入，告知新的负责人",
    "{{操作人}}将{{任务}}交给您", "{{操作人}}将{{数量}}项任务交给您", _WHO, _TASK, "tasks",
)  # fmt: skip
TAKEN = sentence(
    "task.taken", TASK_CHANGE, "任务转出，告知原负责人",
    "{{操作人}}将您的{{任务}}转给了{{接手人}}", "{{操作人}}将您的{{数量}}项任务转给了{{接手人}}",
    {**_WHO, "接手人": "另一位导购"}, _TASK, "tasks",
)  # fmt: skip
DAILY = sentence(
    "todo.daily", WAITING, "早晚汇总的标题", "{{时间}} 定时提醒：{{统计}}",
    places={"时间": "08:00", "统计": "待跟进 3 项，超时跟进 1 项"},
)  # fmt: skip


def _say(
    act: Act, task: Task, users: Sequence[int | None], said: Sentence, more: Mapping[str, Value] = NOTHING
) -> None:
    with act.session.no_autoflush:  # a new task may have no customer and no number yet
        found = act.session.get(Customer, task.customer_id) if task.customer_id else None
    whose = f"（客户{found.name}）" if found is not None and found.name not in task.subject else ""
    values = {"操作人": act.actor.name, "任务": f"任务“{task.subject}”{whose}", **more}
    say(act, users, said, values, record=task, label=task.subject, dealer_id=task.dealer_id)


def _people(act: Act, task: Task) -> list[int | None]:
    found = act.session.get(Customer, task.customer_id) if task.customer_id else None
    return [task.owner_id, *(concerned(act.session, found) if found is not None else ())]


@subscribe("task.created")
def _created(act: Act, task: Task) -> None:
    _say(act, task, [task.owner_id], CREATED)


@subscribe("task.rescheduled")
def _rescheduled(act: Act, task: Task, due_at: datetime) -> None:
    _say(act, task, _people(act, task), RESCHEDULED, {"时间": full(local(due_at))})


@subscribe("task.edited")
def _edited(act: Act, task: Task) -> None:
    _say(act, task, _people(act, task), EDITED)


@subscribe("task.cancelled")
def _cancelled(act: Act, task: Task) -> None:
    _say(act, task, _people(act, task), CANCELLED)


@subscribe("task.reassigned")
def _given(act: Act, task: Task, old: int | None, new: int | None) -> None:
    """Both the former and the new person are told (A-73)."""
    found = act.session.get(Employee, new) if new else None
    to = found.name if found is not None else "他人"
    _say(act, task, [new], GIVEN)
    _say(act, task, [old], TAKEN, {"接手人": to})


# ----- at 08:00 and 20:00


@scheduled("notices.daily", At("08:00", "20:00"), label="早晚汇总")
def plan(delivery: Delivery) -> None:
    """定时提醒: whoever has tasks due by the end of the slot's day, in parts of some hundred people (A-36)."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    put_parts(delivery, "notices.daily.part", people(delivery.session, slot))


def people(session: Session, slot: datetime) -> list[int]:
    """Active owners of tasks that wait or are overdue at that time, from the index of waiting tasks."""
    owners = (
        select(Task.owner_id)
        .where(tasks.waiting(), Task.due_at < tasks.end_of_day(slot))
        .distinct()
        .subquery()
    )
    statement = (
        select(Employee.id)
        .join(owners, owners.c.owner_id == Employee.id)
        .where(Employee.active.is_(True), Employee.departed_at.is_(None))
        .order_by(Employee.id)
    )
    return list(session.scalars(statement))


@handler("notices.daily.part", seconds=120, label="早晚汇总（分批）")
def write(delivery: Delivery) -> None:
    """One message for each of these people, once per slot whoever writes it (A-39)."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    notify_many(
        delivery.session, digests(delivery.session, delivery.payload["users"], slot, now=delivery.now)
    )


def digests(session: Session, users: Sequence[int], slot: datetime, *, now: datetime) -> list[dict[str, Any]]:
    """The messages as `notify_many` takes them, in two statements: what is due later on the slot's day, and
    what was due before the slot; nobody without tasks gets any."""
    groups = {
        PENDING: and_(Task.due_at >= slot, Task.due_at < tasks.end_of_day(slot)),
        LATE: Task.due_at < slot,
    }
    by_person: defaultdict[int, dict[str, list[Any]]] = defaultdict(dict)
    for name, due in groups.items():
        for row in session.execute(_first_of_each(users, due)):
            by_person[row.owner_id].setdefault(name, []).append(row)
    return [_digest(session, user, found, slot, now) for user, found in sorted(by_person.items())]


def _first_of_each(users: Sequence[int], due: ColumnElement[bool]) -> Select[Any]:
    """The first `LINES` waiting tasks of each person and how many there are: counted and chosen within the
    index of waiting tasks, only the chosen ones are fetched."""
    mine = Task.owner_id
    chosen = (
        select(
            Task.id,
            func.count().over(partition_by=mine).label("amount"),
            func.row_number().over(partition_by=mine, order_by=(Task.due_at, Task.id)).label("place"),
        )
        .where(tasks.waiting(), mine.in_(users), due)
        .subquery()
    )
    return (
        select(mine, Task.dealer_id, Task.id, Task.subject, Task.due_at, chosen.c.amount)
        .join(chosen, chosen.c.id == Task.id)
        .where(chosen.c.place <= LINES)
        .order_by(mine, Task.due_at, Task.id)
    )


def _digest(
    session: Session, user: int, found: dict[str, list[Any]], slot: datetime, now: datetime
) -> dict[str, Any]:
    dealer_id = next(iter(found.values()))[0].dealer_id
    amounts = {name: rows[0].amount for name, rows in found.items()}
    said = "，".join(f"{name} {n} 项" for name, n in amounts.items())
    return {
        "user_id": user,
        "dealer_id": dealer_id,
        "kind": NoticeKind.DAILY,
        "topic": WAITING.key,
        "title": title(session, DAILY, {"时间": f"{local(slot):%H:%M}", "统计": said}, dealer_id),
        "items": [
            {
                "group": name,
                "title": row.subject,
                "note": f"{local(row.due_at):%m-%d %H:%M}",
                "resource": "tasks",
                "id": row.id,
            }
            for name, rows in found.items()
            for row in rows
        ],
        "groups": [
            {"name": name, "amount": n, "resource": "tasks", "query": _LISTS[name]}
            for name, n in amounts.items()
        ],
        "amount": sum(amounts.values()),
        "key": f"daily:{slot.isoformat()}",
        "created_at": now,
    }


# ----- by SMS


class SmsSender:
    """Messages for staff go by the gateway of customers' messages, and are listed beside them."""

    def send(self, letter: channels.Letter, number: int, now: datetime) -> channels.Sent:
        """The gateway gets the delivery's own number."""
        if letter.dealer_id is None or letter.store_id is None:
            raise channels.NotAccepted("接收人没有所属门店，不能发送短信")
        words = "\n".join(p for p in (letter.title, letter.url) if p)
        message = SmsMessage(
            channel=Channel.SMS, phone=letter.address, text=words, state=SmsState.SENT, sent_at=now,
            dealer_id=letter.dealer_id, store_id=letter.store_id, created_at=now,
        )  # fmt: skip
        gateway = gateways.gateway(Channel.SMS)
        try:
            gateway.accept(message)
            reference = gateway.deliver(message, number, now)
        except gateways.NotAccepted as refused:
            raise channels.NotAccepted(str(refused)) from refused
        message.reference = reference
        return channels.Sent(reference, lambda session: session.add(message))


channels.provide(NoticeChannel.SMS, SmsSender())
