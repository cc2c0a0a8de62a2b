"""Demo leads obey the rules of the product: what a lead repeats agrees with its assignments and tracks."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.database import db
from app.engine.numbers import next_number
from models import demo
from models.customers.tables import Customer
from models.demo import fill as filling
from models.identity.tables import Employee, Store
from models.orders.tables import Receipt
from models.registrations.tables import (
    Assignment,
    AuditStatus,
    Progress,
    Registration,
    RegistrationTrack,
)
from tests.demo.test_demo import structure
from tests.plugins.databases import Restorer

AMOUNT = 300


@pytest.fixture(params=["small", "large"])
def filled(
    request: pytest.FixtureRequest, app: Flask, restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Few customers and many leads, written both ways."""
    if request.param == "large":
        monkeypatch.setattr(filling, "LARGE", 1)
    before, said = structure(), []
    restorer.touch_all()
    assert demo.build(app, 20, AMOUNT, echo=said.append)
    assert structure() == before
    return said


def leads() -> list[Registration]:
    """All of them."""
    return list(db.session.scalars(select(Registration).order_by(Registration.id)))


def by_lead(model: Any) -> dict[int, list[Any]]:
    """The rows of that table by their lead."""
    found: dict[int, list[Any]] = {}
    for row in db.session.scalars(select(model).order_by(model.id)):
        found.setdefault(row.registration_id, []).append(row)
    return found


def test_leads_stand_where_their_assignments_do(filled: list[str]) -> None:
    assigned, order = by_lead(Assignment), [Progress.REGISTERED, Progress.ASSIGNED, Progress.DEPOSIT]
    assert len(leads()) == AMOUNT
    for lead in leads():
        every = assigned.get(lead.id, [])
        live = [a for a in every if a.withdrawn_at is None]
        assert lead.progress == max((a.progress for a in live), key=order.index, default=Progress.REGISTERED)
        verdicts = {a.verdict for a in live}
        wanted = AuditStatus.PENDING
        if AuditStatus.PASSED in verdicts:
            wanted = AuditStatus.PASSED
        elif verdicts == {AuditStatus.FAILED}:
            wanted = AuditStatus.FAILED
        assert lead.audit_status == wanted
        judged = [a.judged_at for a in live if a.judged_at is not None]
        assert lead.first_judged_at == min(judged, default=None)
        good = [a.judged_at for a in live if a.verdict == AuditStatus.PASSED]
        assert lead.protected_until == (max(good) + timedelta(days=30) if good else None)
        used = [a.used_type for a in live]
        assert len(used) == len(set(used))
        for one in every:
            assert (one.registrant_id, one.outlet_id, one.registered_at, one.dealer_id) == (
                lead.registrant_id, lead.outlet_id, lead.registered_at, lead.dealer_id,
            )  # fmt: skip
            assert (one.progress == Progress.DEPOSIT) == (one.deposit_amount is not None)
            assert one.auditor_id != lead.registrant_id
    assert {lead.progress for lead in leads()} == set(order)
    assert {lead.audit_status for lead in leads()} == set(AuditStatus)
    assert any(a.withdrawn_at for found in assigned.values() for a in found)


def test_leads_repeat_their_last_track(filled: list[str]) -> None:
    tracks = by_lead(RegistrationTrack)
    for lead in leads():
        mine = tracks.get(lead.id, [])
        assert lead.track_count == len(mine)
        if mine:
            last = max(mine, key=lambda t: t.at)
            assert (lead.last_tracked_at, lead.tracking_state) == (last.at, last.state)
            assert lead.last_tracking_text == last.text
        else:
            assert lead.tracking_state == "待跟踪" and lead.last_tracked_at is None


def test_marked_leads_have_their_colleague(filled: list[str]) -> None:
    claims = Counter((lead.dealer_id, lead.phone) for lead in leads())
    whose = {(lead.dealer_id, lead.phone, lead.registrant_id) for lead in leads()}
    assert len(whose) == AMOUNT, "nobody registers the same customer twice"
    for lead in leads():
        assert lead.duplicate == (claims[lead.dealer_id, lead.phone] > 1)
    assert any(lead.duplicate for lead in leads())


def test_nothing_of_a_lead_crosses_the_border_of_a_dealer(filled: list[str]) -> None:
    for model, column, other in (
        (Registration, Registration.registrant_id, Employee),
        (Registration, Registration.outlet_id, Store),
        (Assignment, Assignment.store_id, Store),
        (Assignment, Assignment.assigner_id, Employee),
    ):
        away = select(model.id).join(other, other.id == column).where(other.dealer_id != model.dealer_id)
        assert db.session.scalars(away).all() == []


def test_leads_that_paid_are_customers_of_the_demo(app: Flask, restorer: Restorer) -> None:
    restorer.touch_all()
    assert demo.build(app, 200, 120, echo=lambda text: None)
    paid = select(Assignment, Customer, Receipt)
    paid = paid.join(Customer, Customer.id == Assignment.customer_id)
    found = db.session.execute(paid.join(Receipt, Receipt.id == Assignment.receipt_id)).all()
    assert len(found) > 5
    for one, customer, receipt in found:
        assert one.progress == Progress.DEPOSIT
        assert (one.name, one.phone, one.store_id, one.dealer_id) == (
            customer.name, customer.phone, customer.store_id, customer.dealer_id,
        )  # fmt: skip
        assert (receipt.customer_id, receipt.amount, receipt.paid_on) == (
            customer.id, one.deposit_amount, one.deposit_on,
        )  # fmt: skip
        assert one.registered_at <= one.created_at <= customer.created_at <= receipt.created_at
    assert len({customer.id for _, customer, _ in found}) == len(found)


def test_numbers_of_leads_go_on(filled: list[str]) -> None:
    newest = leads()[-1]
    assert len({(lead.dealer_id, lead.code) for lead in leads()}) == AMOUNT
    number = next_number(db.session(), "registration", newest.dealer_id, newest.registered_at)
    assert number.startswith("KH") and number not in {lead.code for lead in leads()}
    db.session.rollback()


def test_leads_are_added_to_customers_once(app: Flask, restorer: Restorer) -> None:
    said: list[str] = []
    restorer.touch_all()
    assert demo.build(app, 20, 0, echo=said.append)
    assert leads() == []
    db.session.remove()
    assert not demo.build(app, 20, echo=said.append)
    assert demo.build(app, 20, 40, echo=said.append)
    assert len(leads()) == 40 and len(db.session.scalars(select(Customer.id)).all()) == 20
    db.session.remove()
    assert not demo.build(app, 20, 40, echo=said.append)
    assert [line.partition("，用时")[0] for line in said] == [
        "已生成 20 位客户的演示数据", "数据库中已有客户，未生成演示数据", "已生成 40 条报备的演示数据",
        "数据库中已有客户，未生成演示数据",
    ]  # fmt: skip
