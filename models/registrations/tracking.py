"""Tracking a lead: in words, or by a text message from here (E-47…E-54)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Refusal, action
from app.engine.database import db
from app.engine.deeds import hold
from app.engine.events import publish, subscribe
from app.engine.fields import FieldSpec, entry
from app.engine.scopes import Actor
from models.customers.persons import take_back, touch
from models.customers.persons import track as track_person
from models.customers.tables import Customer
from models.customers.track import TrackAct
from models.follow_ups.gateways import NotAccepted, gateway
from models.follow_ups.tables import Channel, SmsMessage, SmsState
from models.registrations.rules import next_tracking
from models.registrations.settings import TRACKING
from models.registrations.tables import Assignment, Registration, RegistrationTrack, TrackKind
from models.settings.queries import parameter

PAGE = "/registration-tracking"
OFF = "客户跟踪功能未启用"
NEW, GOING_ON = "待跟踪", "继续跟踪"
SENDER = "渠道报备"
"""Where a customer's track says that an item came from a lead."""
_ACTS = {TrackKind.NOTE: TrackAct.WRITTEN, TrackKind.SMS: TrackAct.SMS}
_KEPT = 200


def enabled(session: Session, dealer_id: int | None) -> bool:
    """Whether the dealer tracks leads at all (E-47)."""
    return bool(parameter(session, TRACKING, dealer_id))


def switched(actor: Actor) -> bool:
    """Whether the function is there for this person."""
    return enabled(db.session(), actor.dealer_id)


def presets(session: Session, lead: Registration, now: datetime) -> dict[str, Any]:
    """What a new record starts with (E-50)."""
    return {"state": GOING_ON, "next_on": next_tracking(session, lead.dealer_id, now)}


def add(
    act: Act,
    lead: Registration,
    kind: TrackKind,
    text: str,
    state: str,
    next_on: date | None,
    message: SmsMessage | None = None,
) -> RegistrationTrack:
    """Put one record down; the lead shows the latest (E-52), and so does the track of its customers."""
    row = RegistrationTrack(
        registration_id=lead.id, kind=kind, at=act.now, state=state, next_tracking_on=next_on, phone=lead.phone,
        text=text, message_id=None if message is None else message.id,
        outcome=None if message is None else message.state,
        writer_id=act.actor.id or None, dealer_id=lead.dealer_id, created_at=act.now,
    )  # fmt: skip
    act.session.add(row)
    recompute(act.session, lead)
    for customer in customers_of(act.session, lead.id):
        _tell_customer(act, [row], customer)
    return row


def counted() -> ColumnElement[bool]:
    """Records of contacts that took place: a message that never arrived is proof of nothing (E-53)."""
    return or_(RegistrationTrack.outcome.is_(None), RegistrationTrack.outcome != SmsState.FAILED)


def recompute(session: Session, lead: Registration) -> None:
    """What the list shows of the tracking, from the latest record by tracking time (E-52)."""
    session.flush()
    mine = (RegistrationTrack.registration_id == lead.id, counted())
    newest = (RegistrationTrack.at.desc(), RegistrationTrack.id.desc())
    last = session.scalars(select(RegistrationTrack).where(*mine).order_by(*newest).limit(1)).first()
    amount = session.scalar(select(func.count()).select_from(RegistrationTrack).where(*mine)) or 0
    touch(
        session,
        lead,
        last_tracked_at=last.at if last else None,
        last_tracking_text=" ".join(last.text.split())[:_KEPT] if last else None,
        tracking_state=last.state if last else NEW,
        next_tracking_on=last.next_tracking_on if last else lead.next_tracking_on,
        track_count=amount,
    )


# ----- the two acts


def _fields(label: str, most: int) -> tuple[FieldSpec, ...]:
    return (
        entry("state", "客户状态", dictionary="registration.tracking", default=GOING_ON, required=True),
        entry("next_on", "下次跟踪时间", "date", future=True),
        entry("text", label, "textarea", required=True, placeholder=f"请输入{label}", maxlength=most),
    )


def _open(lead: Registration, act: Act) -> None:
    if not enabled(act.session, lead.dealer_id):
        raise Refusal(OFF)


@action(
    "客户跟踪记录", on=Registration, icon="message-dots", menu=True, greyed=True, batch=False, page=f"{PAGE}/",
    permission_label="客户跟踪", fields=_fields("跟踪内容", 1000), switched=switched,
)  # fmt: skip
def track(lead: Registration, act: Act, text: str, state: str = GOING_ON, next_on: date | None = None) -> str:
    """Write down a contact with the lead, whatever its progress and audit status (E-47, E-51)."""
    _open(lead, act)
    add(act, lead, TrackKind.NOTE, text, state, next_on)
    return "已保存客户跟踪记录"


@action(
    "发送短信", on=Registration, icon="mail", batch=False, page=f"{PAGE}/sms",
    fields=_fields("短信内容", 500), switched=switched,
)  # fmt: skip
def send_lead_sms(
    lead: Registration, act: Act, text: str, state: str = GOING_ON, next_on: date | None = None
) -> str:
    """Send a message to the lead's number, also without seeing it, and keep it as a record (E-54)."""
    _open(lead, act)
    message = SmsMessage(
        channel=Channel.SMS, phone=lead.phone, text=text, state=SmsState.QUEUED, writer_id=act.actor.id or None,
        dealer_id=lead.dealer_id, store_id=lead.outlet_id, created_at=act.now,
    )  # fmt: skip
    try:
        gateway(Channel.SMS).accept(message)
    except NotAccepted as refused:
        raise Refusal(f"短信未成功：{refused}，未记录跟踪") from refused
    act.session.add(message)
    act.session.flush()
    add(act, lead, TrackKind.SMS, text, state, next_on, message)
    act.emit("sms.deliver", {"id": message.id})
    return "短信已提交发送"


@subscribe("sms.settled")
def _settle(act: Act, message: SmsMessage) -> None:
    """The record says what became of its message; one that never arrived counts no more, here and with the
    customer."""
    session = act.session
    mine = RegistrationTrack.message_id == message.id
    lead_id = session.scalar(select(RegistrationTrack.registration_id).where(mine))
    lead: Registration | None = hold(session, Registration, lead_id)
    if lead is None:
        return
    row = session.scalars(select(RegistrationTrack).where(mine)).one()
    row.outcome = message.state
    if message.state == SmsState.FAILED:
        recompute(session, lead)
        for customer in customers_of(session, lead.id):
            take_back(act, customer, TrackAct.SMS, row.at)


# ----- the lead as a customer


def customers_of(session: Session, registration_id: int) -> Sequence[Customer]:
    """The customers a lead has become or joined, in the order of their ids."""
    joined = select(Assignment.customer_id).where(
        Assignment.registration_id == registration_id, Assignment.withdrawn_at.is_(None)
    )
    return session.scalars(select(Customer).where(Customer.id.in_(joined)).order_by(Customer.id)).all()


def take_over(act: Act, lead: Registration, customer: Customer) -> None:
    """What was written and sent to the lead stands in the customer's track, each record once however often
    the lead comes in; later ones follow. The lead is locked by the caller."""
    mine = (RegistrationTrack.registration_id == lead.id, counted())
    oldest = (RegistrationTrack.at, RegistrationTrack.id)
    rows = act.session.scalars(select(RegistrationTrack).where(*mine).order_by(*oldest)).all()
    _tell_customer(act, rows, customer)
    publish(act, "registration.taken_over", lead, customer=customer)


def _tell_customer(act: Act, rows: Sequence[RegistrationTrack], customer: Customer) -> None:
    for row in rows:
        track_person(
            act, customer, _ACTS[row.kind], row.text, at=row.at, sender=SENDER,
            event_id=f"track:{row.id}:{customer.id}", by_id=row.writer_id,
        )  # fmt: skip
