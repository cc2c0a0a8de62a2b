"""Contacting people: the four acts that count as follow-up (A-26…A-29)."""

from __future__ import annotations

from datetime import datetime

from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.events import publish
from app.engine.fields import FieldSpec, entry
from models.customers.persons import Person, touch, track
from models.customers.tables import Contact, ContactState, Customer, FollowUpKind, Stage
from models.customers.track import TrackAct
from models.follow_ups import tasks
from models.follow_ups.gateways import NotAccepted, gateway, not_connected
from models.follow_ups.tables import Channel, FollowUp, SmsMessage
from models.shaping import template_queries, template_rules
from models.shaping.template_tables import TemplateKind

ACTS = {
    FollowUpKind.MESSAGE: TrackAct.MESSAGE,
    FollowUpKind.SMS: TrackAct.SMS,
    FollowUpKind.CALL: TrackAct.CALL,
    FollowUpKind.MANUAL: TrackAct.WRITTEN,
}
_CHANNELS = {
    FollowUpKind.MESSAGE: Channel.CHAT,
    FollowUpKind.SMS: Channel.SMS,
    FollowUpKind.CALL: Channel.CALL,
}
_SHORT = 60


def follow_up(
    act: Act, person: Person, kind: FollowUpKind, text: str = "", next_follow_up_at: datetime | None = None
) -> FollowUp:
    """Record one contact: marks the person followed up, scores, writes the track, closes the open
    follow-up tasks and opens the next one (A-28). Raises `Refusal` for a past next time."""
    if next_follow_up_at is not None and next_follow_up_at <= act.now:
        raise Invalid({"next_follow_up_at": "下次跟进时间请选择将来的时间"})
    if isinstance(person, Customer) and person.stage == Stage.INVALID:
        raise Refusal("该客户已失效，恢复后才能跟进")
    if isinstance(person, Contact) and person.state == ContactState.LINKED:
        raise Refusal("该潜客已关联客户，请在客户上跟进")
    score = track(act, person, ACTS[kind], text)
    row = FollowUp(
        dealer_id=person.dealer_id,
        store_id=person.store_id,
        customer_id=person.id if isinstance(person, Customer) else None,
        contact_id=person.id if isinstance(person, Contact) else None,
        kind=kind,
        text=text,
        at=act.now,
        next_follow_up_at=next_follow_up_at,
        writer_id=act.actor.id or None,
        score=score,
        created_at=act.now,
    )
    act.session.add(row)
    touch(
        act.session,
        person,
        followed=True,
        last_follow_up_at=act.now,
        last_follow_up_kind=kind,
        last_follow_up_text=in_short(kind, text),
        next_follow_up_at=next_follow_up_at,
    )
    tasks.finish_follow_ups(act, person)
    if next_follow_up_at is not None:
        tasks.plan_follow_up(act, person, next_follow_up_at)
    publish(act, "followed_up", row, person=person)
    return row


def in_short(kind: FollowUpKind, text: str) -> str:
    """A follow-up as the list shows it."""
    line = " ".join(text.split())
    if not line:
        return kind.label
    return f"{kind.label} · {line[:_SHORT]}{'…' if len(line) > _SHORT else ''}"


def _hand_over(
    act: Act, customer: Customer, kind: FollowUpKind, text: str, next_follow_up_at: datetime | None
) -> None:
    """Give a message or call to its gateway and record it; what it does not take is no follow-up (A-29)."""
    channel = _CHANNELS[kind]
    message = SmsMessage(
        channel=channel,
        phone=customer.phone,
        text=text,
        customer_id=customer.id,
        writer_id=act.actor.id or None,
        dealer_id=customer.dealer_id,
        store_id=customer.store_id,
        created_at=act.now,
    )
    try:
        gateway(channel).accept(message)
    except NotAccepted as refused:
        raise Refusal(f"{kind.label}未成功：{refused}，未记录跟进") from refused
    row = follow_up(act, customer, kind, text, next_follow_up_at)
    act.session.flush()
    message.follow_up_id = row.id
    act.session.add(message)
    act.session.flush()
    act.emit("sms.deliver", {"id": message.id})


def _say_where(act: Act, channel: Channel) -> None:
    """Where no service is connected the person learns that nobody will read it."""
    said = not_connected(channel)
    if said:
        act.warn(said)


def _greeting(act: Act) -> str:
    who = " ".join(p for p in (act.actor.store_name, act.actor.name) if p)
    return f"您好，我是{who}，有任何需要请随时与我联系。"


def _template(kind: TemplateKind, dictionary: str) -> FieldSpec:
    hint = "选择后按模板填入每位客户的内容，不用再填写下方内容"
    return entry("template", kind.label, dictionary=dictionary, placeholder="不使用模板", hint=hint)


def _message(act: Act, customer: Customer, kind: TemplateKind, text: str, template: str | None) -> str:
    """What is sent: the template with this customer's values, else what was typed, else a greeting."""
    if template and text:
        raise Invalid({"text": f"已选择{kind.label}，请清空此处，或改为不使用模板"})
    if template:
        return template_rules.written(act, kind, customer, template)
    return text or _greeting(act)


NEXT = entry("next_follow_up_at", "下次跟进时间", "datetime", future=True, hint="填写后生成一条待跟进任务")


def _words(label: str, *, required: bool = False, hint: str = "") -> FieldSpec:
    return entry("text", label, "textarea", required=required, maxlength=500, hint=hint)


def _can_be_followed(customer: Customer) -> bool:
    return customer.stage != Stage.INVALID


@action(
    "拨打电话", on=Customer, icon="phone", row=True, batch=False,
    fields=(_words("通话记录", hint="号码由系统呼出，不填写也会记录一次跟进"), NEXT), when=_can_be_followed,
)  # fmt: skip
def call(customer: Customer, act: Act, text: str = "", next_follow_up_at: datetime | None = None) -> str:
    """Phone a customer through the system; works without seeing the number (A-27, A-92)."""
    _hand_over(act, customer, FollowUpKind.CALL, text or "", next_follow_up_at)
    return "已发起呼叫并记录跟进"


@action(
    "手动填写跟进", on=Customer, name="write_follow_up", icon="pencil-plus", row=True, primary=True,
    fields=(_words("跟进内容", required=True), NEXT), when=_can_be_followed,
)  # fmt: skip
def write_follow_up(
    customer: Customer, act: Act, text: str, next_follow_up_at: datetime | None = None
) -> str:
    """A follow-up filled in by hand (A-27)."""
    follow_up(act, customer, FollowUpKind.MANUAL, text, next_follow_up_at)
    return "已记录跟进"


@action(
    "发短信", on=Customer, icon="mail",
    fields=(
        _template(TemplateKind.SMS, template_queries.SMS), _words("短信内容", hint="不填写则发送问候语"), NEXT,
    ),
    when=_can_be_followed,
)  # fmt: skip
def send_sms(
    customer: Customer,
    act: Act,
    text: str = "",
    next_follow_up_at: datetime | None = None,
    template: str | None = None,
) -> str:
    """Send an SMS; works without seeing the number (A-27, A-92)."""
    words = _message(act, customer, TemplateKind.SMS, text, template)
    _say_where(act, Channel.SMS)
    _hand_over(act, customer, FollowUpKind.SMS, words, next_follow_up_at)
    return "短信已提交发送"


@action(
    "发消息", on=Customer, icon="brand-wechat",
    fields=(
        _template(TemplateKind.MESSAGE, template_queries.MESSAGES), _words("消息内容", hint="不填写则发送问候语"),
        NEXT,
    ),
    when=_can_be_followed,
)  # fmt: skip
def send_message(
    customer: Customer,
    act: Act,
    text: str = "",
    next_follow_up_at: datetime | None = None,
    template: str | None = None,
) -> str:
    """Send a chat message (A-27)."""
    words = _message(act, customer, TemplateKind.MESSAGE, text, template)
    _say_where(act, Channel.CHAT)
    _hand_over(act, customer, FollowUpKind.MESSAGE, words, next_follow_up_at)
    return "消息已提交发送"


@action(
    "手动填写跟进", on=Contact, name="write_follow_up", icon="pencil-plus", row=True,
    fields=(_words("跟进内容", required=True), NEXT),
    when=lambda contact: contact.state == ContactState.OPEN,
)  # fmt: skip
def write_contact_follow_up(
    contact: Contact, act: Act, text: str, next_follow_up_at: datetime | None = None
) -> str:
    """A follow-up of a contact, filled in by hand (A-26)."""
    follow_up(act, contact, FollowUpKind.MANUAL, text, next_follow_up_at)
    return "已记录跟进"
