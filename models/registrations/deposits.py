"""Deposits: what a showroom takes for a lead, and the customer it becomes with it (E-67, unified model)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select

from app.engine import reach
from app.engine.actions import Act, Answer, Done, Invalid, Refusal, action
from app.engine.choices import dictionary
from app.engine.deeds import hold
from app.engine.events import publish, subscribe
from app.engine.fields import describe, entry, is_mobile, normalise_phone
from app.engine.forms import Keeping
from app.engine.localtime import local
from app.engine.storing import fill_numbers, set_members
from models.customers import duplicates, queries
from models.customers.policy import Effect, SameWithin
from models.customers.rules import file_customer, follow_again
from models.customers.tables import INTERESTS, PHONES, Customer, Stage
from models.orders import money
from models.orders.tables import Receipt, ReceiptKind, ReceiptState
from models.registrations import tracking
from models.registrations.assigning import WITHDRAWN, is_live, lead_of, of_showroom, settle
from models.registrations.tables import SOURCES, Assignment, AuditStatus, Progress, Registration

SUBJECT = "定金"
_CHANNEL, _REFERRED = "渠道", "转介绍"
ORIGINS: dict[str, tuple[str, str | None]] = dict(
    zip(
        SOURCES,
        (
            ("线上", "其他网络"),
            ("到店", "自然到店"),
            (_CHANNEL, None),
            (_CHANNEL, "装企合作"),
            (_CHANNEL, "装企合作"),
            (_REFERRED, "老客户推荐"),
            (_REFERRED, "员工推荐"),
        ),
        strict=True,
    )
)
"""What a lead's source is called among customers; of one that an administrator added only the channel is known."""


# ----- the customer


def _customer(act: Act, assignment: Assignment, lead: Registration) -> Customer:
    """The customer that pays: the one of an earlier deposit, the showroom's own with that number, else what the
    duplicate policy says of the dealer's others, else a new one."""
    if assignment.customer_id is not None:
        return _joined(act, assignment, assignment.customer_id)
    queries.lock_phones(act.session, assignment.dealer_id, _numbers(assignment))
    own = _own(act, assignment)
    if own is not None:
        return _joined(act, assignment, own)
    met = duplicates.meet(act, assignment.phone, assignment.dealer_id, assignment.store_id)
    if met is None:
        return _filed(act, assignment, lead)
    join, apart = f"join:{assignment.id}", f"apart:{assignment.id}"
    if met.policy.effect == Effect.REFUSE or join in act.answers:
        return _joined(act, assignment, met.ids[0])
    if met.policy.effect == Effect.INSIST and apart not in act.answers:
        raise met.question(
            duplicates.HEADING,
            "同一位客户请选择“记入已有客户”，定金记在其名下；确需另建服务号请选择“另建客户”。",
            (
                Answer("记入已有客户", value=join, primary=True),
                Answer("另建客户", value=apart),
                Answer("取消"),
            ),
        )
    return _filed(act, assignment, lead)


def _numbers(assignment: Assignment) -> list[str]:
    """The showroom's numbers of the person that somebody could call on a mobile, the main one first."""
    known = [assignment.phone, normalise_phone(assignment.telephone or "")]
    return list(dict.fromkeys(number for number in known if is_mobile(number)))


def _own(act: Act, assignment: Assignment) -> int | None:
    """The showroom's newest customer with that number that is worked with."""
    session, dealer_id, store_id = act.session, assignment.dealer_id, assignment.store_id
    same = queries.same_phone(session, [assignment.phone], dealer_id, store_id, SameWithin.STORE, None)
    known = select(Customer.id).where(same, Customer.stage != Stage.INVALID)
    return session.scalar(known.order_by(Customer.created_at.desc(), Customer.id.desc()).limit(1))


def _joined(act: Act, assignment: Assignment, customer_id: int) -> Customer:
    customer: Customer = hold(act.session, Customer, customer_id)
    follow_again(customer)
    set_members(act.session, customer, describe(INTERESTS), Keeping([assignment.brand_category_id]))
    return customer


def _filed(act: Act, assignment: Assignment, lead: Registration) -> Customer:
    """A new file out of the showroom's copy, by the rules of filing; whose lead it was is its salesperson."""
    session, phone = act.session, assignment.phone
    category, source = ORIGINS.get(lead.source, (_CHANNEL, None))
    cities = dictionary("region.city", assignment.dealer_id)
    customer = Customer(
        name=assignment.name, phone=phone, source_category=category, source=source,
        province=next((c.parent or None for c in cities if c.value == assignment.city), None),
        city=assignment.city, district=assignment.district, community=assignment.community,
        address=assignment.room, salesperson_id=assignment.registrant_id,
        store_id=assignment.store_id, dealer_id=assignment.dealer_id,
    )  # fmt: skip
    asked = {f"{answer}:{phone}" for answer in (duplicates.GO_ON, duplicates.INSIST)}
    made: Any = file_customer(customer, replace(act, answers=act.answers | asked), {})
    if not isinstance(made, Customer):  # the policy keeps an entry of the customer that is there
        return _joined(act, assignment, made.customer_id)
    set_members(session, made, describe(INTERESTS), [assignment.brand_category_id])
    for further in _numbers(assignment)[1:]:
        same = queries.same_phone(session, [further], made.dealer_id, None, SameWithin.DEALER, None)
        if session.scalar(select(Customer.id).where(same).limit(1)) is None:
            set_members(session, made, describe(PHONES), [further])
    return made


# ----- the money


def _enter(act: Act, lead: Registration, customer: Customer, kind: ReceiptKind, **values: Any) -> Receipt:
    receipt = Receipt(customer_id=customer.id, kind=kind, subject=SUBJECT, **values)
    receipt.remark = "；".join(p for p in (f"客户线索{lead.code}", receipt.remark) if p)
    money.create_receipt(receipt, act, {})
    fill_numbers(act, receipt)
    act.session.add(receipt)
    act.session.flush()
    return receipt


def _day(act: Act, day: date, field: str) -> date:
    if day > local(act.now).date():
        raise Invalid({field: "日期不能晚于今天"})
    return day


def _judged(assignment: Assignment) -> bool:
    return assignment.verdict != AuditStatus.PENDING


def _paid(assignment: Assignment, act: Act) -> None:
    if not is_live(assignment):
        raise Refusal(WITHDRAWN)
    if assignment.progress != Progress.DEPOSIT or assignment.receipt_id is None:
        raise Refusal("该指派没有定金")
    of_showroom(assignment, act)


def _unpay(act: Act, assignment: Assignment, lead: Registration) -> None:
    assignment.progress = Progress.ASSIGNED
    assignment.deposit_amount = assignment.deposit_on = None
    settle(act.session, lead)


_METHOD = entry("method", "支付方式", dictionary="receipt.method")
_VOUCHER = entry("voucher_no", "收据编号", maxlength=40)


@action(
    "登记定金", on=Assignment, name="deposit", icon="cash", primary=True, batch=False, menu=True,
    fields=(
        entry("amount", "定金金额", "money", required=True),
        entry("deposit_on", "付定日期", "date", required=True, today=True),
        _METHOD, _VOUCHER,
    ),
    when=lambda a: is_live(a) and a.progress == Progress.ASSIGNED,
)  # fmt: skip
def deposit(
    assignment: Assignment,
    act: Act,
    amount: Decimal,
    deposit_on: date,
    method: str | None = None,
    voucher_no: str | None = None,
) -> Done:
    """The showroom takes the deposit (E-67): its copy becomes or joins one of its customers, and the money
    stands among that one's receipts."""
    if not is_live(assignment):
        raise Refusal(WITHDRAWN)
    of_showroom(assignment, act)
    if assignment.progress == Progress.DEPOSIT:
        raise Refusal("该指派已付定")
    if amount is None or amount < money.CENT:
        raise Invalid({"amount": "定金金额须大于0"})
    day = _day(act, deposit_on, "deposit_on")
    lead = lead_of(act, assignment)
    customer = _customer(act, assignment, lead)
    receipt = _enter(
        act, lead, customer, ReceiptKind.RECEIPT, amount=amount, paid_on=day, method=method,
        voucher_no=voucher_no or None,
    )  # fmt: skip
    assignment.customer_id, assignment.receipt_id = customer.id, receipt.id
    assignment.deposit_amount, assignment.deposit_on = amount, day
    assignment.refund_id = None
    assignment.progress = Progress.DEPOSIT
    settle(act.session, lead)
    tracking.take_over(act, lead, customer)
    publish(act, "assignment.deposit", assignment, lead=lead)
    place = (Customer.__tablename__, customer.id)
    links = [("查看客户", url) for url in reach.openable(act.session, act.actor, [place]).values()]
    return Done(f"已登记定金¥{amount:,.2f}，收款单{receipt.code}，客户{customer.name}", tuple(links))


@action(
    "退定金", on=Assignment, name="refund_deposit", icon="cash-off", tone="r", batch=False,
    fields=(
        entry("refunded_on", "退定日期", "date", required=True, today=True),
        _METHOD, _VOUCHER,
        entry("reason", "退定原因", "textarea", maxlength=200),
    ),
    when=lambda a: is_live(a) and a.progress == Progress.DEPOSIT and a.refund_id is None,
)  # fmt: skip
def refund_deposit(
    assignment: Assignment,
    act: Act,
    refunded_on: date,
    method: str | None = None,
    voucher_no: str | None = None,
    reason: str | None = None,
) -> str:
    """The deposit goes back: before the audit the assignment stands where it was without it; afterwards the
    deposit counts on, as what was judged (E-67)."""
    _paid(assignment, act)
    if assignment.refund_id is not None:
        raise Refusal("该定金已退")
    lead = lead_of(act, assignment)
    customer: Customer = hold(act.session, Customer, assignment.customer_id)
    receipt = _enter(
        act, lead, customer, ReceiptKind.REFUND, amount=assignment.deposit_amount,
        paid_on=_day(act, refunded_on, "refunded_on"), method=method, voucher_no=voucher_no or None,
        remark=reason or None,
    )  # fmt: skip
    assignment.refund_id = receipt.id
    if not _judged(assignment):
        _unpay(act, assignment, lead)
    publish(act, "assignment.refunded", assignment, lead=lead)
    return f"已退定金，退款单{receipt.code}" + ("；该指派已审核，报备进度不变" if _judged(assignment) else "")


@action(
    "作废定金", on=Assignment, name="void_deposit", icon="ban", tone="r", batch=False,
    fields=(entry("reason", "作废原因", "textarea", required=True, maxlength=200),),
    when=lambda a: is_live(a) and a.progress == Progress.DEPOSIT and not _judged(a) and a.refund_id is None,
)  # fmt: skip
def void_deposit(assignment: Assignment, act: Act, reason: str) -> None:
    """A deposit that was never paid, or entered wrongly: its receipt leaves the account."""
    _paid(assignment, act)
    if _judged(assignment):
        raise Refusal("该指派已审核，不能作废定金")
    lead = lead_of(act, assignment)
    receipt: Receipt = hold(act.session, Receipt, assignment.receipt_id)
    assignment.receipt_id = None
    _unpay(act, assignment, lead)
    leaving = money.life.to(ReceiptState.VOID)
    leaving.check(receipt)
    money.void.rule(receipt, act, reason)
    leaving.apply(receipt)
    publish(act, "assignment.deposit_voided", assignment, lead=lead)


@subscribe("receipt.voided")
def _keep_deposit(act: Act, receipt: Receipt, customer: Customer) -> None:
    """A receipt that an assignment stands on is not voided behind its back: there it is done from the
    assignment, which is locked before its customer."""
    stands = or_(
        (Assignment.receipt_id == receipt.id) & (Assignment.progress == Progress.DEPOSIT),
        Assignment.refund_id == receipt.id,
    )
    held = select(Assignment.id).where(
        Assignment.customer_id == customer.id, Assignment.withdrawn_at.is_(None), stands
    )
    if act.session.scalar(held.limit(1)) is not None:
        raise Refusal("该收款是客户线索的定金，请在“展厅线索”中作废定金或退定金")
