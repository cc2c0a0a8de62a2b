"""Deeds that wait for somebody's word: asked for, agreed to step by step, done in the end as they were asked for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid, Refusal, Stale
from app.engine.approving import Submitted
from app.engine.database import db
from app.engine.perform import Report, create, perform
from app.engine.resource import resource
from models.customers.tables import Customer
from models.orders.tables import Receipt
from models.shaping.approval_rules import Verdict
from models.shaping.approval_tables import ApprovalFlow, ApprovalRequest, RequestState
from tests.customers.world import World, words
from tests.plugins.people import Login


def flow(world: World, by: str = "boss", **values: Any) -> ApprovalFlow:
    """A rule as an administrator types it: refunds of 5,000 and more need the manager, then an administrator."""
    from app.engine import forms
    from app.engine.database import utcnow

    texts = {
        "name": "退款审批", "subject": "receipts", "deed": "create", "active": "1", "sort": "100",
        "condition": "收支类型 是 退款\n金额 不小于 5000", "steps": "申请人的店长\n角色 商场系统管理员", **values,
    }  # fmt: skip
    found = resource("approval_flows")
    context = forms.Context(db.session(), world.actor(by), utcnow())
    cleaned = forms.clean(forms.editable(found, editing=False), {n: [v] for n, v in texts.items()}, context)
    return create(found, cleaned, world.actor(by))[0]


def paid(world: World, amount: str = "9000") -> Customer:
    customer = world.customer()
    world.receive(customer, amount)
    return customer


def asked(world: World, customer: Any, amount: str = "6000", by: str = "seller") -> ApprovalRequest:
    """The request that a refund becomes."""
    with pytest.raises(Submitted) as sent:
        world.receive(customer, amount, "refund", by)
    return db.session.get_one(ApprovalRequest, int(sent.value.url.rpartition("/")[2]))


def decide(world: World, request: Any, by: str, verdict: Verdict = Verdict.AGREE, **more: Any) -> Report:
    action = next(a for a in resource("approval_requests").actions if a.name == "decide")
    version = more.pop("version", None)
    return perform(action, [request.id], world.actor(by), {"verdict": verdict, **more}, version=version)


def refunds() -> list[Receipt]:
    return [r for r in db.session.scalars(select(Receipt)) if r.kind.value == "refund"]


@pytest.mark.spec("A-119")
def test_a_large_refund_waits_for_two_words_and_is_then_done_as_asked(world: World) -> None:
    flow(world)
    customer = paid(world)
    world.receive(customer, "100", "refund")
    assert len(refunds()) == 1, "a small one waits for nobody"
    request = asked(world, customer)
    assert len(refunds()) == 1 and request.state is RequestState.WAITING
    assert db.session.get_one(Customer, customer.id).net_received == 8900
    decide(world, request, "keeper", remark="同意退")
    assert len(refunds()) == 1 and request.state is RequestState.WAITING
    report = decide(world, request, "boss")
    assert "已同意并执行" in report.messages[0]
    made = refunds()[-1]
    assert (made.amount, made.writer_id) == (6000, world.people["seller"].id)
    assert request.state is RequestState.DONE
    assert db.session.get_one(Customer, customer.id).net_received == 2900
