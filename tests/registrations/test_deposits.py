"""Deposits, their way back, and the customer they make (E-06, E-67, E-68)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.localtime import local_day
from models.customers.policy import DuplicateRule, Effect, Entrance, SameWithin
from models.customers.tables import Customer, CustomerInterest, CustomerPhone, Stage
from models.orders.tables import Receipt, ReceiptKind, ReceiptState
from models.registrations.tables import Assignment, AuditStatus, Progress, RegistrationTrack
from tests.customers.world import words
from tests.plugins.people import Login
from tests.registrations.showrooms import (
    CABINET,
    TODAY,
    WARDROBE,
    Showrooms,
    at_once,
    refused,
    standing,
)
from tests.registrations.test_showroom import LIST, mask

BACK = "该收款是客户线索的定金，请在“展厅线索”中作废定金或退定金"


def customers() -> list[Customer]:
    """All customers, in the order they were filed."""
    return list(db.session.scalars(select(Customer).order_by(Customer.id)))


def receipts() -> list[tuple[str, Decimal, str]]:
    """Kind, amount and state of all money."""
    rows = db.session.scalars(select(Receipt).order_by(Receipt.id))
    return [(r.kind.value, r.amount, r.state.value) for r in rows]


def policy(showrooms: Showrooms, effect: Effect, within: SameWithin = SameWithin.DEALER) -> None:
    """What the dealer does with numbers that are on file."""
    with acting(db.session()):
        rule = DuplicateRule(
            entrance=Entrance.FORM, effect=effect, within=within, dealer_id=showrooms.world.a.id
        )
        db.session.add(rule)
        db.session.commit()


def form(assignment: Assignment, **more: Any) -> dict[str, Any]:
    """The deposit as the form sends it."""
    return {"id": assignment.id, "amount": "5000", "deposit_on": TODAY.isoformat(), **more}


@pytest.mark.spec("E-67", "E-06")
def test_a_deposit_makes_a_customer_of_the_showroom(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead(
        source="家装公司推荐", company="巧筑装饰", district="杭州市西湖区", telephone="13955557777"
    )
    assignment = showrooms.assign(lead)
    showrooms.world.change(assignment, "seller", name="章若女士", room="3栋520")
    data = form(assignment, method="转账", voucher_no="D-001")
    answer = login("seller").post(f"{LIST}action/deposit", data=data)
    assert answer.status_code == 302
    (customer,) = customers()
    assert (customer.name, customer.phone, customer.stage) == ("章若女士", lead.phone, Stage.FOLLOWING)
    assert (customer.store_id, customer.owner_id) == (showrooms.east.id, showrooms.world.people["seller"].id)
    assert customer.salesperson_id == lead.registrant_id and customer.code
    assert (customer.source_category, customer.source) == ("渠道", "装企合作")
    assert (customer.province, customer.city, customer.district) == ("浙江省", "杭州市", "杭州市西湖区")
    assert (customer.community, customer.address) == ("星湖小区", "3栋520")
    numbers = select(CustomerPhone.phone).order_by(CustomerPhone.position)
    assert db.session.scalars(numbers).all() == [lead.phone, "13955557777"]
    assert db.session.scalars(select(CustomerInterest.brand_category_id)).all() == [
        showrooms.types[CABINET].id
    ]
    (receipt,) = db.session.scalars(select(Receipt))
    assert (receipt.customer_id, receipt.subject, receipt.method) == (customer.id, "定金", "转账")
    assert (receipt.amount, receipt.paid_on, receipt.voucher_no) == (Decimal(5000), TODAY, "D-001")
    assert customer.net_received == 5000
    db.session.refresh(assignment)
    assert (assignment.customer_id, assignment.receipt_id) == (customer.id, receipt.id)
    assert (assignment.deposit_amount, assignment.deposit_on) == (Decimal(5000), TODAY)
    assert standing(lead) == (Progress.DEPOSIT, AuditStatus.PENDING)
    shown = words(login("worker").get("/registrations/").get_data(as_text=True))
    assert "未审核付定章若" in shown
    assert showrooms.told("worker")[-1] == "甲商场1店收到了您的客户线索章若的定金"


@pytest.mark.spec("E-67")
def test_it_needs_an_amount_and_a_date(showrooms: Showrooms, login: Login) -> None:
    assignment = showrooms.assign(showrooms.lead())
    client = login("seller")
    for wrong, said in (
        ({"amount": ""}, "请填写定金金额"),
        ({"amount": "0"}, "定金金额须大于0"),
        ({"amount": "-5"}, "定金金额须大于0"),
        ({"deposit_on": ""}, "请选择付定日期"),
        ({"deposit_on": "2099-01-01"}, "日期不能晚于今天"),
    ):
        answer = client.post(f"{LIST}action/deposit", data=form(assignment) | wrong)
        assert answer.status_code == 400 and said in answer.get_data(as_text=True), wrong
    assert receipts() == [] and customers() == []
    showrooms.pay(assignment)
    assert refused(showrooms.pay, assignment) == "该指派已付定"


@pytest.mark.spec("E-68")
def test_the_lead_is_as_far_as_its_furthest_assignment(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    paid = showrooms.assign(lead, showrooms.east, CABINET)
    showrooms.assign(lead, showrooms.west, WARDROBE)
    assert standing(lead)[0] == Progress.ASSIGNED
    showrooms.pay(paid)
    assert standing(lead)[0] == Progress.DEPOSIT
    assert "未审核付定章若" in words(login("boss").get("/registrations/").get_data(as_text=True))
    assert refused(showrooms.world.act, "withdraw", paid, "boss", reason="撤") == "该指派已付定，不能撤回"


@pytest.mark.spec("E-67")
def test_a_refund_takes_it_back_until_it_is_judged(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    assignment = showrooms.assign(lead)
    showrooms.pay(assignment)
    showrooms.world.act("refund_deposit", assignment, "seller", refunded_on=TODAY, reason="改期")
    assert standing(lead)[0] == Progress.ASSIGNED
    assert receipts() == [("receipt", 5000, "valid"), ("refund", 5000, "valid")]
    (customer,) = customers()
    assert customer.net_received == 0
    assert showrooms.told("worker")[-1] == "甲商场1店退回了您的客户线索章若的定金"
    again = refused(showrooms.world.act, "refund_deposit", assignment, "seller", refunded_on=TODAY)
    assert again == "该指派没有定金"
    showrooms.pay(assignment, amount="3000")
    assert len(customers()) == 1 and standing(lead)[0] == Progress.DEPOSIT
    showrooms.judge(assignment, AuditStatus.PASSED)
    report = showrooms.world.act("refund_deposit", assignment, "seller", refunded_on=TODAY)
    assert "报备进度不变" in report.messages[0]
    assert standing(lead) == (Progress.DEPOSIT, AuditStatus.PASSED)
    db.session.refresh(customer)
    assert customer.net_received == 0 and receipts()[-1] == ("refund", 3000, "valid")
    assert (
        refused(showrooms.world.act, "refund_deposit", assignment, "seller", refunded_on=TODAY)
        == "该定金已退"
    )
    assert refused(showrooms.world.act, "void_deposit", assignment, "boss", reason="误") == (
        "该指派已审核，不能作废定金"
    )


@pytest.mark.spec("E-67")
def test_the_receipt_is_not_voided_behind_the_assignments_back(showrooms: Showrooms, login: Login) -> None:
    world, lead = showrooms.world, showrooms.lead()
    assignment = showrooms.assign(lead)
    showrooms.pay(assignment, amount="50000")
    (receipt,) = db.session.scalars(select(Receipt))
    assert refused(world.act, "void", receipt, "boss", reason="多打了零") == BACK
    assert standing(lead)[0] == Progress.DEPOSIT
    world.act("void_deposit", assignment, "boss", reason="多打了零")
    db.session.refresh(receipt)
    assert (receipt.state, receipt.void_reason) == (ReceiptState.VOID, "多打了零")
    assert standing(lead)[0] == Progress.ASSIGNED
    assert showrooms.told("worker")[-1] == "甲商场1店作废了您的客户线索章若的定金登记"
    (customer,) = customers()
    assert customer.net_received == 0
    showrooms.pay(assignment)
    assert receipts() == [("receipt", 50000, "void"), ("receipt", 5000, "valid")]


@pytest.mark.spec("E-67")
def test_neither_is_the_refund(showrooms: Showrooms) -> None:
    world = showrooms.world
    assignment = showrooms.assign(showrooms.lead())
    showrooms.pay(assignment)
    world.act("refund_deposit", assignment, "seller", refunded_on=TODAY)
    refund = db.session.scalars(select(Receipt).where(Receipt.kind == ReceiptKind.REFUND)).one()
    assert refused(world.act, "void", refund, "boss", reason="误") == BACK
    world.act("withdraw", assignment, "boss", reason="客户放弃")
    world.act("void", refund, "boss", reason="误")


# ----- the customer


def test_the_showrooms_own_customer_is_joined(showrooms: Showrooms) -> None:
    world = showrooms.world
    known = world.customer("seller2", phone="13966660001", name="章女士")
    world.act(
        "lose_orders" if False else "lose", world.order(known, WARDROBE, "seller2"), "seller2", reason="预算"
    )
    db.session.refresh(known)
    assert known.stage == Stage.LOST
    showrooms.pay(showrooms.assign(showrooms.lead(phone="13966660001")))
    assert [c.id for c in customers()] == [known.id]
    db.session.refresh(known)
    assert (known.stage, known.net_received, known.name) == (Stage.FOLLOWING, Decimal(5000), "章女士")
    assert known.owner_id == world.people["seller2"].id


def test_two_order_types_of_one_lead_are_one_customer(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    for of in (CABINET, WARDROBE):
        showrooms.pay(showrooms.assign(lead, of=of))
    (customer,) = customers()
    wanted = {showrooms.types[of].id for of in (CABINET, WARDROBE)}
    assert set(db.session.scalars(select(CustomerInterest.brand_category_id))) == wanted
    assert customer.net_received == 10000


def test_of_another_stores_customer_is_asked(showrooms: Showrooms, login: Login) -> None:
    known = showrooms.world.customer("seller", phone="13966660002", name="章先生")
    lead = showrooms.lead(phone="13966660002")
    joining = showrooms.assign(lead, showrooms.west, CABINET)
    apart = showrooms.assign(lead, showrooms.west, WARDROBE)
    mask(showrooms, "westie")
    client = login("westie")
    asked = client.post(f"{LIST}action/deposit", data=form(joining))
    text = asked.get_data(as_text=True)
    assert asked.status_code == 200 and "此电话号码已建档" in text and "章先生" in text
    assert "13966660002" not in text and receipts() == []
    answer = client.post(f"{LIST}action/deposit", data=form(joining, _answer=f"join:{joining.id}"))
    assert answer.status_code == 302
    (receipt,) = db.session.scalars(select(Receipt))
    assert receipt.customer_id == known.id and len(customers()) == 1
    answer = client.post(f"{LIST}action/deposit", data=form(apart, _answer=f"apart:{apart.id}"))
    assert answer.status_code == 302 and [c.store_id for c in customers()] == [
        showrooms.east.id, showrooms.west.id
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("effect", "within", "files"),
    [
        (Effect.REFUSE, SameWithin.DEALER, 1),
        (Effect.ABSORB, SameWithin.DEALER, 1),
        (Effect.WARN, SameWithin.DEALER, 2),
        (Effect.INSIST, SameWithin.STORE, 2),
    ],
)
def test_the_policy_decides(showrooms: Showrooms, effect: Effect, within: SameWithin, files: int) -> None:
    policy(showrooms, effect, within)
    known = showrooms.world.customer("seller", phone="13966660003")
    lead = showrooms.lead(phone="13966660003")
    assignment = showrooms.assign(lead, showrooms.west)
    report = showrooms.pay(assignment, "westie")
    assert len(customers()) == files and standing(lead)[0] == Progress.DEPOSIT
    db.session.refresh(assignment)
    assert (assignment.customer_id == known.id) is (files == 1)
    assert bool(report.warnings) is (effect in (Effect.WARN, Effect.ABSORB))


def test_an_invalid_file_takes_no_money(showrooms: Showrooms) -> None:
    policy(showrooms, Effect.REFUSE)
    known = showrooms.world.customer("seller", phone="13966660004")
    showrooms.world.act("invalidate", known, "boss")
    assignment = showrooms.assign(showrooms.lead(phone="13966660004"))
    assert refused(showrooms.pay, assignment) == "该客户已失效，恢复后才能收款"
    db.session.refresh(assignment)
    assert assignment.progress == Progress.ASSIGNED


def test_a_number_of_somebody_else_is_not_taken_along(showrooms: Showrooms) -> None:
    showrooms.world.customer("seller", phone="13966660005")
    showrooms.pay(showrooms.assign(showrooms.lead(telephone="13966660005")))
    made = customers()[-1]
    numbers = select(CustomerPhone.phone).where(CustomerPhone.customer_id == made.id)
    assert db.session.scalars(numbers).all() == [made.phone]


def test_what_was_said_to_the_lead_is_on_the_customers_track(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    with acting(db.session()):
        db.session.add(
            RegistrationTrack(
                registration_id=lead.id, at=local_day(TODAY), text="约周末看样", writer_id=lead.registrant_id,
                dealer_id=lead.dealer_id,
            )
        )  # fmt: skip
        db.session.commit()
    showrooms.pay(showrooms.assign(lead))
    (customer,) = customers()
    page = login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)
    assert "约周末看样" in page


# ----- at the same moment


@pytest.mark.spec("E-70", "E-67")
def test_a_deposit_while_it_is_withdrawn(app: Flask, showrooms: Showrooms, login: Login) -> None:
    """Either the money is in and the assignment stands, or it is withdrawn and no money is in."""
    for _ in range(4):
        lead = showrooms.lead()
        assignment = showrooms.assign(lead)
        pk, lead_id = assignment.id, lead.id
        before = len(receipts())
        at_once(app, login, [
            ("seller", f"{LIST}action/deposit", form(assignment)),
            ("boss", f"{LIST}action/withdraw", {"id": pk, "reason": "派错展厅"}),
        ])  # fmt: skip
        made = db.session.get_one(Assignment, pk)
        paid = len(receipts()) - before
        assert (made.progress == Progress.DEPOSIT, made.withdrawn_at is None, paid) in (
            (True, True, 1), (False, False, 0)
        )  # fmt: skip
        expected = Progress.DEPOSIT if paid else Progress.REGISTERED
        assert standing(db.session.get_one(type(lead), lead_id))[0] == expected


@pytest.mark.spec("E-67")
def test_of_many_deposits_at_once_one_is_taken(app: Flask, showrooms: Showrooms, login: Login) -> None:
    assignment = showrooms.assign(showrooms.lead())
    call = ("seller", f"{LIST}action/deposit", form(assignment))
    codes = at_once(app, login, [call] * 6)
    assert sorted(codes) == [302, *[400] * 5]
    assert receipts() == [("receipt", 5000, "valid")]
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 1


def test_two_leads_of_one_person_paid_at_once_are_one_customer(
    app: Flask, showrooms: Showrooms, login: Login
) -> None:
    pair = [showrooms.assign(showrooms.lead(by, phone="13966660006")) for by in ("worker", "worker2")]
    codes = at_once(app, login, [("seller", f"{LIST}action/deposit", form(a)) for a in pair])
    assert codes == [302, 302]
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 1
