"""Accepted messages on their way out, and what becomes of one that never arrives (A-29)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select

from app.engine import audit
from app.engine.actions import Act
from app.engine.deeds import hold
from app.engine.events import publish
from app.engine.outbox import Delivery, handler
from app.engine.scopes import SYSTEM
from models.customers.persons import take_back, touch
from models.customers.tables import Customer
from models.follow_ups import tasks
from models.follow_ups.gateways import NotAccepted, gateway
from models.follow_ups.rules import ACTS, in_short
from models.follow_ups.tables import WAITING, FollowUp, SmsMessage, SmsState, Task, TaskKind


def fail(delivery: Delivery, reason: str) -> None:
    """The message will not arrive: it counts as no follow-up, and the customer is to be followed up again
    (A-29)."""
    session = delivery.session
    message = session.get(SmsMessage, int(delivery.payload["id"]))
    if message is None or message.state != SmsState.QUEUED:
        return
    act = Act(SYSTEM, delivery.now, session, "job", f"{message.channel.label}发送失败")
    with audit.acting(session, act):
        message.state, message.error = SmsState.FAILED, reason[:200]
        publish(act, "sms.settled", message)
        customer: Customer | None = hold(session, Customer, message.customer_id)
        row = session.get(FollowUp, message.follow_up_id) if message.follow_up_id else None
        if customer is not None and row is not None:
            message.follow_up_id = None
            _take_back(act, customer, row)
            audit.log(act, customer, act.action)
        session.flush()


def _take_back(act: Act, customer: Customer, row: FollowUp) -> None:
    """Undo what counted on the contact: record, track, score and the marks; its duty opens again."""
    session = act.session
    take_back(act, customer, ACTS[row.kind], row.at)
    session.delete(row)
    session.flush()
    last = session.scalars(
        select(FollowUp)
        .where(FollowUp.customer_id == customer.id)
        .order_by(FollowUp.at.desc(), FollowUp.id.desc())
        .limit(1)
    ).first()
    waiting = session.scalar(
        select(func.min(Task.due_at)).where(
            Task.customer_id == customer.id, Task.kind == TaskKind.FOLLOW_UP, Task.state.in_(WAITING)
        )
    )
    touch(
        session,
        customer,
        followed=last is not None,
        last_follow_up_at=last.at if last else None,
        last_follow_up_kind=last.kind if last else None,
        last_follow_up_text=in_short(last.kind, last.text) if last else None,
        next_follow_up_at=waiting or act.now,
    )
    if waiting is None:
        tasks.plan_follow_up(act, customer, act.now)


@handler("sms.deliver", label="发送短信", outside=True, on_parked=fail)
def deliver(delivery: Delivery) -> Callable[[], None] | None:
    """Hand one accepted message over; repeated until the gateway answers."""
    session = delivery.session
    message = session.get(SmsMessage, int(delivery.payload["id"]))
    if message is None or message.state != SmsState.QUEUED:
        return None
    session.expunge(message)
    session.rollback()
    try:
        reference = gateway(message.channel).deliver(message, delivery.id, delivery.now)
    except NotAccepted as refused:
        reason = str(refused)
        return lambda: fail(delivery, reason)

    def note() -> None:
        sent = session.get_one(SmsMessage, message.id)
        sent.state, sent.reference, sent.sent_at = SmsState.SENT, reference, delivery.now
        act = Act(SYSTEM, delivery.now, session, "job", f"{sent.channel.label}已发送")
        publish(act, "sms.settled", sent)

    return note
