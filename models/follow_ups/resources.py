"""The screens of follow-ups, tasks and the outbox page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_

from app.engine.audit import LOGS
from app.engine.resource import (
    Badge,
    Between,
    Breakdown,
    Group,
    Menu,
    Number,
    Pivot,
    Ranking,
    Related,
    Resource,
    Trend,
    View,
    Window,
)
from app.engine.scopes import Scope, Scopes
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers, today, tomorrow
from models.follow_ups import rules, tasks
from models.follow_ups.gateways import not_connected
from models.follow_ups.tables import SETTLED, WAITING, Channel, FollowUp, SmsMessage, Task, TaskState


class FollowUps(Resource, model=FollowUp):
    """跟进记录: everything staff did toward people; written by the acts, never edited (A-29)."""

    label = "跟进记录"
    unit = "条跟进"
    icon = "message-dots"
    menu = Menu("经营", label="跟进记录", icon="message-dots", order=225)
    scopes = Scopes(
        mine=FollowUp.writer_id,
        store=FollowUp.store_id,
        dealer=FollowUp.dealer_id,
        through=FollowUp.customer_id,
    )
    scope_tabs = (Scope.MINE, Scope.RELATED, Scope.STORE, Scope.DEALER, Scope.GROUP)
    title = FollowUp.kind
    known_by = FollowUp.customer_id
    columns = (
        FollowUp.at,
        FollowUp.customer_id,
        FollowUp.contact_id,
        FollowUp.kind,
        FollowUp.text,
        FollowUp.next_follow_up_at,
        FollowUp.writer_id,
        FollowUp.score,
    )
    filters = (FollowUp.kind, FollowUp.writer_id, FollowUp.store_id, Between(FollowUp.at))
    sorts = (FollowUp.at,)
    window = Window(FollowUp.at, days=180)
    detail = (Group("跟进", *columns, FollowUp.store_id),)
    facets = ((FollowUp.store_id, FollowUp.writer_id, FollowUp.kind),)
    charts = (
        Number("total", "跟进次数", unit="次"),
        Trend("at", "跟进走势", at=FollowUp.at),
        Breakdown("kind", "跟进方式", by=FollowUp.kind, style="pie"),
        Ranking("writer", "跟进人排行", by=FollowUp.writer_id),
        Pivot("writer_kind", "跟进人与方式", by=FollowUp.writer_id, across=FollowUp.kind),
    )


def _waiting(now: datetime) -> ColumnElement[bool]:
    """Due today or overdue, and not done."""
    return and_(tasks.waiting(), Task.due_at < tomorrow(now))


def _due_today(now: datetime) -> ColumnElement[bool]:
    """Due today and not done, also where the hour has passed."""
    return and_(_waiting(now), Task.due_at >= today(now))


class Tasks(Resource, model=Task):
    """跟进任务: dated duties (A-69: 我的 / 本店 / 全部)."""

    label = "任务"
    unit = "项任务"
    icon = "calendar-due"
    menu = Menu(
        "经营", label="跟进任务", icon="calendar-due", order=220,
        badge=Badge("waiting", hot=True),
    )  # fmt: skip
    quick = True
    create_label = "新增任务"
    root = Task.customer_id
    scopes = Scopes(mine=Task.owner_id, store=Task.store_id, dealer=Task.dealer_id)
    title = Task.subject
    columns = (
        Task.subject,
        Task.kind,
        Task.customer_id,
        Task.contact_id,
        Task.owner_id,
        Task.due_at,
        Task.state,
        Task.created_at,
    )
    more_columns = (Task.done_at, Task.result, Task.service_order_id, Task.store_id)
    filters = (Task.state, Task.kind, Task.owner_id, Task.store_id, Between(Task.due_at))
    leaves_out = ((Task.state, SETTLED),)
    search = ()
    sorts = (Task.due_at, Task.created_at)
    descending = False
    views = (
        View("waiting", "待办", _waiting, hot=True),
        View("today", "今日待跟进", _due_today, hot=True),
        View("overdue", "已逾期", tasks.overdue, hot=True),
        View("later", "待跟进", tasks.later_today, tab=False),
        View("done", "已完成", lambda now: Task.state == TaskState.DONE, sort="-due_at"),
    )  # fmt: skip
    badges = (Task.state, Task.kind)
    subtitle = (Task.due_at, Task.owner_id)
    detail = (
        Group(
            "任务",
            Task.subject,
            Task.kind,
            Task.state,
            Task.due_at,
            Task.done_at,
            Task.result,
            Task.customer_id,
            Task.contact_id,
            Task.service_order_id,
            Task.owner_id,
            Task.store_id,
            Task.created_at,
        ),
    )
    form = (
        Group(
            "任务",
            Task.kind,
            Task.subject,
            Task.customer_id,
            Task.service_order_id,
            Task.owner_id,
            Task.due_at,
        ),
    )
    edit_form = (Group("任务", Task.subject, Task.owner_id, Task.due_at),)
    create = staticmethod(tasks.create_task)
    dealer_from = Task.customer_id
    update = staticmethod(tasks.edit_task)
    actions = (tasks.complete, tasks.change_owner, tasks.cancel)
    charts = (
        Number("waiting", "待处理", only=((Task.state, WAITING),), unit="项"),
        Number("overdue", "已逾期", view="overdue", unit="项"),
        Breakdown("state", "任务状态", by=Task.state, style="pie"),
        Ranking("owner", "责任人", by=Task.owner_id),
    )


class SmsMessages(Resource, model=SmsMessage):
    """短信发件箱: what was handed to the gateways, and how far it is."""

    label = "短信发件箱"
    unit = "条消息"
    icon = "send"
    menu = Menu(LOGS, label="短信发件箱", icon="send", order=981)
    scopes = Scopes(mine=SmsMessage.writer_id, store=SmsMessage.store_id, dealer=SmsMessage.dealer_id)
    title = SmsMessage.channel
    columns = (
        SmsMessage.created_at,
        SmsMessage.channel,
        SmsMessage.customer_id,
        SmsMessage.phone,
        SmsMessage.text,
        SmsMessage.state,
        SmsMessage.sent_at,
        SmsMessage.writer_id,
    )
    filters = (SmsMessage.channel, SmsMessage.state, SmsMessage.phone, Between(SmsMessage.created_at))
    exact = (SmsMessage.phone,)
    search_hint = "完整手机号码"
    sorts = (SmsMessage.created_at,)
    badges = (SmsMessage.state,)
    notice = staticmethod(lambda actor, session, now: not_connected(Channel.SMS))
    detail = (Group("消息", *columns, SmsMessage.error, SmsMessage.reference),)


Customers.extend(
    first_actions=(rules.call, rules.write_follow_up, rules.send_sms, rules.send_message),
    detail=(Related(FollowUp.customer_id, "跟进记录"), Related(Task.customer_id, "任务")),
)
Contacts.extend(
    first_actions=(rules.write_contact_follow_up,),
    detail=(Related(FollowUp.contact_id, "跟进记录"), Related(Task.contact_id, "任务")),
)
