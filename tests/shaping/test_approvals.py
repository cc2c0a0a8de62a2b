"""Deeds that wait for somebody's word: asked for, agreed to step by step, done in the end as they were asked for."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import approving, forms, outbox
from app.engine.actions import Act, Invalid, NotFound, Refusal, Stale
from app.engine.approving import Submitted
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.history import history
from app.engine.perform import Report, create, perform
from app.engine.perform import remove as perform_remove
from app.engine.resource import resource
from models.customers.tables import Customer, Stage
from models.identity import presets, role_rules
from models.identity.tables import Brand, Employee
from models.notifications.tables import Notification
from models.orders.tables import Receipt, ReceiptKind
from models.shaping.approval_requests import ESCALATE
from models.shaping.approval_rules import Verdict
from models.shaping.approval_tables import ApprovalFlow, ApprovalRequest, ApprovalSeat, RequestState
from tests.customers.world import World, grant
from tests.plugins.databases import statements
from tests.plugins.people import Login
from tests.registrations.filed import at_once
from tests.shaping.test_configuration_files import bring_in, export

TWO_STEPS = "申请人的店长\n角色 商场系统管理员"
INVALIDATE = {
    "subject": "customers",
    "deed": "customers/invalidate",
    "condition": "",
    "steps": "申请人的店长",
}


def typed(world: World, by: str = "boss", **values: Any) -> dict[str, Any]:
    """A rule as an administrator types it: refunds of 5,000 and more need the manager, then an administrator."""
    texts = {
        "name": "退款审批", "subject": "receipts", "deed": "receipts/create", "active": "1", "sort": "100",
        "condition": "收支类型 是 退款\n金额 不小于 5000", "steps": TWO_STEPS, **values,
    }  # fmt: skip
    context = forms.Context(db.session(), world.actor(by), utcnow())
    specs = forms.editable(resource("approval_flows"), editing=False)
    return forms.clean(specs, {n: [v] for n, v in texts.items()}, context)


def flow(world: World, by: str = "boss", **values: Any) -> ApprovalFlow:
    """The same, saved."""
    made: ApprovalFlow = create(resource("approval_flows"), typed(world, by, **values), world.actor(by))[0]
    return made


def paid(world: World, amount: str = "9000") -> Any:
    """A customer who has paid."""
    customer = world.customer()
    world.receive(customer, amount)
    return customer


def asked(world: World, customer: Any, amount: str = "6000", by: str = "seller") -> ApprovalRequest:
    """The request that a refund becomes."""
    with pytest.raises(Submitted) as sent:
        world.receive(customer, amount, "refund", by)
    return db.session.get_one(ApprovalRequest, int(sent.value.url.rpartition("/")[2]))


def latest() -> ApprovalRequest:
    """The newest request."""
    return db.session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.id.desc())).first()  # type: ignore[return-value]


def decide(world: World, request: Any, by: str, verdict: Verdict = Verdict.AGREE, **more: Any) -> Report:
    """Say yes or no as that person."""
    action = next(a for a in resource("approval_requests").actions if a.name == "decide")
    version = more.pop("version", None)
    return perform(action, [request.id], world.actor(by), {"verdict": verdict, **more}, version=version)


def refunds() -> int:
    """How many there are."""
    return db.session.scalar(select(func.count(Receipt.id)).where(Receipt.kind == ReceiptKind.REFUND)) or 0


def told(world: World, who: str) -> list[str]:
    """What somebody was told of requests, oldest first."""
    mine = (Notification.user_id == world.people[who].id, Notification.topic == "application")
    return list(db.session.scalars(select(Notification.title).where(*mine).order_by(Notification.id)))


@pytest.mark.spec("A-119")
def test_a_large_refund_waits_for_two_words_and_is_then_done_as_asked(world: World) -> None:
    flow(world)
    customer = paid(world)
    world.receive(customer, "100", "refund")
    assert refunds() == 1, "a small one waits for nobody"
    request = asked(world, customer)
    assert (refunds(), request.state) == (1, RequestState.WAITING)
    assert db.session.get_one(Customer, customer.id).net_received == 8900
    assert told(world, "keeper") == ["待审批：新增收款/退款：张女士"] and not told(world, "boss")
    decide(world, request, "keeper", remark="同意退")
    assert (refunds(), request.state) == (1, RequestState.WAITING)
    assert told(world, "boss") == ["待审批：新增收款/退款：张女士"]
    report = decide(world, request, "boss")
    assert "已同意并执行" in report.messages[0]
    made = db.session.scalars(select(Receipt).order_by(Receipt.id.desc())).first()
    assert made is not None and (made.amount, made.writer_id) == (6000, world.people["seller"].id)
    assert request.state is RequestState.DONE
    assert db.session.get_one(Customer, customer.id).net_received == 2900
    assert told(world, "seller") == ["新增收款/退款：张女士，已通过"]
    done = history("receipts", made.id, world.actor("boss"))
    assert done[0].who == "导购甲", "it is the applicant's deed"
    with pytest.raises(Stale, match="已有新的进展（总管同意）"):
        decide(world, request, "boss")
    assert refunds() == 2


@pytest.mark.sqlite_only
def test_what_the_rule_refuses_is_refused_when_it_is_asked_for(world: World) -> None:
    flow(world)
    customer = paid(world, "5500")
    with pytest.raises(Invalid, match="退款金额不能超过已收净额"):
        world.receive(customer, "6000", "refund")
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 0


@pytest.mark.sqlite_only
def test_refused_with_the_reason_or_withdrawn_and_nothing_is_done(world: World) -> None:
    flow(world)
    customer = paid(world)
    request = asked(world, customer)
    with pytest.raises(Invalid, match="请填写不同意的理由"):
        decide(world, request, "keeper", Verdict.REFUSE)
    decide(world, request, "keeper", Verdict.REFUSE, remark="先核对发票")
    assert request.state is RequestState.REFUSED
    assert told(world, "seller") == ["新增收款/退款：张女士，未通过：店长甲：先核对发票"]
    second = asked(world, customer)
    with pytest.raises(Refusal, match="只能撤回自己提交的申请"):
        world.act("withdraw", second, "keeper")
    world.act("withdraw", second, "seller")
    assert (second.state, refunds()) == (RequestState.WITHDRAWN, 0)
    with pytest.raises(Stale):
        decide(world, second, "keeper")


@pytest.mark.sqlite_only
def test_nobody_approves_an_own_request_and_only_whose_turn_it_is(world: World) -> None:
    flow(world, steps="角色 店长\n角色 商场系统管理员")
    customer = paid(world)
    with pytest.raises(Refusal, match="现在没有可以审批的角色 店长"):
        world.receive(customer, "6000", "refund", "keeper")
    request = asked(world, customer)
    with pytest.raises(Refusal, match="您不是此步骤的审批人"):
        decide(world, request, "boss")
    with pytest.raises(Refusal, match="不能审批自己提交的申请"):
        decide(world, request, "seller")
    with pytest.raises(NotFound):
        decide(world, request, "seller2")
    with pytest.raises(NotFound):
        decide(world, request, "outsider")


@pytest.mark.sqlite_only
def test_the_superior_of_a_manager_is_an_administrator(world: World) -> None:
    flow(world, steps="申请人的上级")
    customer = paid(world)
    decide(world, asked(world, customer, "5000", "seller"), "keeper")
    request = asked(world, paid(world), "6000", "keeper")
    decide(world, request, "boss")
    assert request.state is RequestState.DONE


def test_when_the_record_has_changed_it_says_so_and_asks_anew(world: World) -> None:
    flow(world, **INVALIDATE)
    customer = world.customer()
    report = world.act("invalidate", customer)
    assert (report.done, report.waiting) == (
        0,
        1,
    ) and "已提交审批（退款审批，申请人的店长）" in report.messages[0]
    request = latest()
    world.change(customer, "seller", name="张太太")
    report = decide(world, request, "keeper")
    assert (
        "张女士" in report.messages[0]
        and "在申请后被修改，未执行；已按现在的内容重新发起审批" in report.messages[0]
    )
    assert (request.round, request.state) == (2, RequestState.WAITING)
    assert db.session.get_one(Customer, customer.id).stage is Stage.FOLLOWING
    decide(world, request, "keeper")
    assert request.state is RequestState.DONE
    assert db.session.get_one(Customer, customer.id).stage is Stage.INVALID


@pytest.mark.sqlite_only
def test_a_right_lost_meanwhile_keeps_it_from_being_done(world: World) -> None:
    flow(world, steps="申请人的店长")
    request = asked(world, paid(world))
    seller = db.session.get_one(Employee, world.people["seller"].id)
    world.act("deactivate", seller, "boss")
    report = decide(world, request, "keeper")
    assert "执行未成功" in report.messages[0]
    assert (request.state, refunds()) == (RequestState.FAILED, 0)


def test_all_of_a_step_have_to_agree(world: World, boss_b: None) -> None:
    second = world.people["seller2"]
    manager = next(r for r in world.people["keeper"].roles)
    world.change(db.session.get_one(Employee, second.id), "boss", roles=[manager.id])
    flow(world, steps="角色 店长，全部同意")
    request = asked(world, paid(world))
    assert request.stage == "角色 店长，全部同意"
    assert "还需1人同意" in decide(world, request, "keeper").messages[0]
    assert refunds() == 0
    decide(world, request, "seller2")
    assert refunds() == 1


def test_a_step_nobody_answers_passes_on_in_time(world: World) -> None:
    flow(world, steps="申请人的店长，24小时后转下一步\n角色 商场系统管理员")
    request = asked(world, paid(world))
    row = db.session.execute(
        select(outbox.ROWS.c.id, outbox.ROWS.c.available_at).where(outbox.ROWS.c.kind == ESCALATE)
    ).one()
    assert timedelta(hours=23) < row.available_at - utcnow() <= timedelta(hours=24)
    db.session.rollback()
    assert outbox.deliver(db.session(), row.id, now=row.available_at) is outbox.Outcome.DONE
    db.session.expire_all()
    assert request.stage == "角色 商场系统管理员，第2步，共2步"
    with pytest.raises(Refusal, match="已有新的进展"):
        decide(world, request, "keeper")
    decide(world, request, "boss")
    assert refunds() == 1


def test_of_a_batch_only_what_the_condition_is_about_waits(world: World) -> None:
    flow(world, **INVALIDATE | {"condition": "客户姓名 是 大客户"})
    small, large = world.customer(), world.customer(name="大客户")
    report = world.act("invalidate", [small, large])
    assert (report.done, report.waiting, report.refused) == (1, 1, [])
    stages = {c.id: c.stage for c in db.session.scalars(select(Customer))}
    assert (stages[small.id], stages[large.id]) == (Stage.INVALID, Stage.FOLLOWING)
    decide(world, latest(), "keeper")
    assert db.session.get_one(Customer, large.id).stage is Stage.INVALID


@pytest.mark.sqlite_only
def test_what_is_filled_in_and_how_many_are_meant_can_be_asked(world: World) -> None:
    other = world.people["seller2"]
    flow(
        world, subject="customers", deed="customers/reassign", steps="角色 商场系统管理员",
        condition="本次导购 是 导购乙\n本次记录数 不小于 2",
    )  # fmt: skip
    one, two = world.customer(), world.customer()
    assert world.act("reassign", one, "keeper", owner=other.id).done == 1
    report = world.act("reassign", [one, two], "keeper", owner=other.id)
    assert (report.waiting, report.unchanged) == (1, 1), "one is the other's already"
    assert db.session.get_one(Customer, two.id).owner_id == world.people["seller"].id
    decide(world, latest(), "boss")
    assert db.session.get_one(Customer, two.id).owner_id == other.id


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("", "请填写审批步骤"),
        ("经理", "第1步的“经理”无法识别，请写“申请人的上级”“申请人的店长”或“角色 角色名称”"),
        ("角色 财务", "第1步的角色“财务”不存在"),
        ("申请人的店长\n角色 商场系统管理员\n店长", "第3步又回到了第1步的“申请人的店长”"),
        ("申请人的店长，2小时后转下一步", "第1步是最后一步，没有下一步可转"),
        ("申请人的店长，9999小时\n上级", "第1步的时限请填写1至720小时"),
        ("角色 渠道经理", "第1步“角色 渠道经理”现在没有能查看审批的在职人员，无人可以审批"),
    ],
)
def test_a_chain_that_leads_nowhere_is_refused_in_words(world: World, steps: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=re.escape(sentence)):
        flow(world, steps=steps)


@pytest.mark.sqlite_only
def test_a_condition_of_another_deed_and_an_unknown_deed_are_refused(world: World) -> None:
    values = typed(world)
    with pytest.raises(Invalid, match="适用条件属于另一种操作"):
        create(resource("approval_flows"), values | {"deed": "receipts/void"}, world.actor("boss"))
    with pytest.raises(Invalid, match="请选择所选对象的操作"):
        create(resource("approval_flows"), values | {"deed": "receipts/nothing"}, world.actor("boss"))
    with pytest.raises(Invalid, match="没有以"):
        typed(world, condition="利润 不小于 5")


@pytest.mark.sqlite_only
def test_rules_of_another_dealer_hold_nothing_up(world: World, boss_b: None) -> None:
    flow(world, "boss_b", steps="角色 商场系统管理员")
    world.receive(paid(world), "6000", "refund")
    assert refunds() == 1


# ----- as people see it


@pytest.mark.sqlite_only
def test_the_day_of_a_request_on_the_screen(world: World, login: Login) -> None:
    flow(world)
    customer = paid(world)
    seller, keeper, boss = login("seller"), login("keeper"), login("boss")
    form = {"customer_id": str(customer.id), "kind": "refund", "amount": "6000", "paid_on": "2026-11-20"}
    sent = seller.post("/receipts/new", data=form | {"_once": "one"})
    assert sent.status_code == 302
    page = seller.get(sent.location).get_data(as_text=True)
    assert "已提交审批（退款审批，申请人的店长，第1步，共2步），通过后自动执行" in page
    assert "金额 ¥6,000.00" in page and "撤回" in page and "action/decide" not in page
    assert seller.post("/receipts/new", data=form | {"_once": "one"}).location == sent.location
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 1
    listed = keeper.get("/approval_requests/?scope=related&view=todo").get_data(as_text=True)
    assert "新增收款/退款：张女士" in listed
    assert '<b class="hot">1</b>' in listed, "the number in the menu"
    number = sent.location.rpartition("/")[2]
    shown = keeper.get(f"/approval_requests/action/decide?id={number}").get_data(as_text=True)
    version = re.search(r'name="version" value="(\d+)"', shown)
    assert version is not None and "导购甲" in shown
    say = {
        "id": number,
        "version": version[1],
        "verdict": "agree",
        "remark": "",
        "back": "/approval_requests/",
    }
    done = keeper.post("/approval_requests/action/decide", data=say, follow_redirects=True)
    assert "已同意，等待角色 商场系统管理员，第2步，共2步" in done.get_data(as_text=True)
    late = keeper.post("/approval_requests/action/decide", data=say | {"remark": "我也看过"})
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and "店长甲同意" in page and "我也看过" in page
    assert boss.get(f"/approval_requests/{number}").status_code == 200
    assert login("seller2").get(f"/approval_requests/{number}").status_code == 404


@pytest.mark.sqlite_only
def test_two_who_decide_at_once_the_second_sees_both(world: World, login: Login) -> None:
    """The second one's word is not lost, stands beside the first one's, and changes nothing."""
    manager = next(r for r in world.people["keeper"].roles)
    second = db.session.get_one(Employee, world.people["seller2"].id)
    world.change(second, "boss", roles=[manager.id])
    flow(world, steps="角色 店长")
    request = asked(world, paid(world))
    say = {"id": str(request.id), "version": str(request.version), "back": "/approval_requests/"}
    url = "/approval_requests/action/decide"
    first, late = login("keeper"), login("seller2")
    assert first.post(url, data=say | {"verdict": "agree", "remark": "可以退"}).status_code == 302
    answer = late.post(url, data=say | {"verdict": "refuse", "remark": "金额不对"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "店长甲同意：可以退" in page and "金额不对" in page
    assert refunds() == 1


@pytest.mark.sqlite_only
def test_a_guarded_value_is_not_seen_in_a_request(world: World, login: Login) -> None:
    grant(world, "manager", ("guard_customer_phone", "Guards"))
    flow(
        world,
        subject="customers",
        deed="customers/create",
        condition="",
        steps="申请人的店长\n角色 商场系统管理员",
    )
    with pytest.raises(Submitted):
        world.customer(phone="13912345678")
    number = latest().id
    assert latest().title == "客户·新增服务号：张女士", "by its own name, not by where it belongs"
    masked = login("keeper").get(f"/approval_requests/{number}").get_data(as_text=True)
    assert "139****5678" in masked and "13912345678" not in masked
    whole = login("boss").get(f"/approval_requests/{number}").get_data(as_text=True)
    assert "13912345678" in whole
    api = login("keeper").get(f"/api/v1/approval_requests/{number}").get_data(as_text=True)
    assert "13912345678" not in api
    decide(world, latest(), "keeper")
    decide(world, latest(), "boss")
    made = db.session.scalars(select(Customer)).one()
    assert (made.phone, made.filer_id) == ("13912345678", world.people["seller"].id)


@pytest.mark.sqlite_only
def test_the_api_says_that_it_waits_and_a_file_cannot_wait(world: World, login: Login) -> None:
    flow(world)
    customer = paid(world)
    seller = login("seller")
    body = {"customer_id": customer.id, "kind": "refund", "amount": "6000", "paid_on": "2026-11-20"}
    sent = seller.post("/api/v1/receipts", json=body)
    assert sent.status_code == 202, sent.json
    assert "已提交审批" in sent.json["message"]
    flow(world, **INVALIDATE | {"name": "失效审批"})
    sent = seller.post("/api/v1/customers/actions/invalidate", json={"ids": [world.customer().id]})
    assert sent.json["done"] == 0 and sent.json["results"][0]["waiting"] is True
    values = {"customer_id": customer.id, "kind": ReceiptKind.REFUND, "amount": 6000}
    with pytest.raises(Refusal, match="不能用文件导入"):
        create(resource("receipts"), values, world.actor("seller"), source="import")


@pytest.mark.sqlite_only
def test_a_turn_is_each_persons_once(world: World) -> None:
    flow(world, steps="申请人的店长\n角色 店长")
    request = asked(world, paid(world))
    decide(world, request, "keeper")
    decide(world, request, "keeper")
    assert request.state is RequestState.DONE
    assert db.session.scalar(select(func.count(ApprovalSeat.id))) == 1


@pytest.mark.sqlite_only
def test_a_deletion_waits_too(world: World, login: Login) -> None:
    flow(world, subject="brands", deed="brands/delete", condition="", steps="角色 店长")
    brand = world.make("brands", "boss", name="旧牌")
    sent = login("boss").post(f"/brands/{brand.id}/delete", follow_redirects=True)
    assert "已提交审批（退款审批，角色 店长）" in sent.get_data(as_text=True)
    assert db.session.scalar(select(func.count(Brand.id)).where(Brand.name == "旧牌")) == 1
    decide(world, latest(), "keeper")
    assert db.session.scalar(select(func.count(Brand.id)).where(Brand.name == "旧牌")) == 0


def test_a_rule_travels_in_a_file_and_is_taken_back_from_the_history(world: World, login: Login) -> None:
    made = flow(world, steps="申请人的店长，全部同意，48小时后转下一步\n角色 商场系统管理员")
    text = export(world)
    entry = next(e for e in json.loads(text)["kinds"]["approval_flows"] if e["name"] == "退款审批")
    assert entry["steps"] == ["申请人的店长，全部同意，48小时后转下一步", "角色 商场系统管理员"]
    stored = (made.condition, made.steps)
    perform_remove(resource("approval_flows"), made.id, world.actor("boss"))
    bring_in(world, text)
    again = db.session.scalars(select(ApprovalFlow)).one()
    assert (again.condition, again.steps) == stored and export(world) == text
    page = login("boss").get("/configuration/").get_data(as_text=True)
    assert "审批流程" in page and "申请人的店长，全部同意，48小时后转下一步" in page


@pytest.mark.sqlite_only
def test_what_no_rule_is_about_costs_no_statement(world: World) -> None:
    flow(world)
    act = Act(world.actor("seller"), utcnow(), db.session())
    approving.asking(act, resource("customers"), "invalidate")
    seen = statements(db.engine)
    assert not approving.asking(act, resource("customers"), "invalidate")
    assert approving.asking(act, resource("receipts"), "create")
    assert [s for s in seen if "approval" in s] == []


@pytest.mark.parametrize("steps", ["角色 店长", "角色 店长\n角色 商场系统管理员"])
def test_two_words_at_the_same_moment_count_once(app: Flask, world: World, steps: str) -> None:
    manager = next(r for r in world.people["keeper"].roles)
    second = db.session.get_one(Employee, world.people["seller2"].id)
    world.change(second, "boss", roles=[manager.id])
    flow(world, steps=steps)
    request = asked(world, paid(world))
    number, version, actors = request.id, request.version, [world.actor("keeper"), world.actor("seller2")]
    db.session.remove()
    action = next(a for a in resource("approval_requests").actions if a.name == "decide")

    def say(actor: Any) -> Any:
        return lambda: perform(action, [number], actor, {"verdict": Verdict.AGREE}, version=version)

    said = sorted(at_once(app, *map(say, actors)))
    assert [Stale().message in s for s in said].count(True) == 1, said
    assert refunds() == (1 if "\n" not in steps else 0)


@pytest.mark.sqlite_only
def test_whoever_lacks_the_page_of_requests_is_told_on_the_list(world: World, login: Login) -> None:
    flow(world)
    customer = paid(world)
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "consultant")
        held = role_rules.rights_of(session, role.id)
        less = held.grants - {("can_list", "ApprovalRequests")}
        role_rules.give(session, role, role_rules.Rights(less, held.scopes))
        session.commit()
    form = {"customer_id": str(customer.id), "kind": "refund", "amount": "6000", "paid_on": "2026-11-20"}
    sent = login("seller").post("/receipts/new", data=form, follow_redirects=True)
    assert sent.status_code == 200 and "已提交审批" in sent.get_data(as_text=True)
    assert latest().applicant_id == world.people["seller"].id


@pytest.mark.sqlite_only
def test_a_request_leads_to_what_it_is_about(world: World, login: Login) -> None:
    flow(world, **INVALIDATE, name="失效审批")
    customer = world.customer(name="许敏")
    world.act("invalidate", customer, "seller")
    page = login("keeper").get(f"/approval_requests/{latest().id}").get_data(as_text=True)
    assert f'href="/customers/{customer.id}"' in page and "查看客户" in page


@pytest.mark.sqlite_only
def test_each_of_several_records_is_led_to(world: World, login: Login) -> None:
    """Those that the reader may open; somebody without their page learns how many there are."""
    flow(world, **INVALIDATE | {"name": "失效审批", "steps": "申请人的店长\n角色 商场系统管理员"})
    one, two = world.customer(name="许敏"), world.customer("seller2", name="何青")
    world.act("invalidate", [one, two], "boss")
    request = latest()
    request.applicant_id = world.people["seller"].id
    url = f"/approval_requests/{request.id}"
    with acting(db.session()):
        db.session.commit()
    seen = [f'href="/customers/{c.id}">{c.name} {c.code}</a>' for c in (one, two)]
    page = login("boss").get(url).get_data(as_text=True)
    assert seen[0] in page and seen[1] in page
    page = login("seller").get(url).get_data(as_text=True)
    assert seen[0] in page and seen[1] not in page and "、何青" in page
    assert login("boss").get(f"/api/v1{url}").json["result"]["records"] == "2条"
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "consultant")
        held = role_rules.rights_of(session, role.id)
        less = held.grants - {("can_list", "Customers")}
        role_rules.give(session, role, role_rules.Rights(less, held.scopes))
        session.commit()
    page = login("seller").get(url).get_data(as_text=True)
    assert "2条客户（没有查看权限）" in page and f"/customers/{one.id}" not in page


@pytest.mark.sqlite_only
def test_what_may_wait_is_listed_as_in_the_menu(world: World, login: Login) -> None:
    page = login("boss").get("/approval_flows/new").get_data(as_text=True)
    offered = re.findall(r'<option value="(\w+)"', page[page.index('name="subject"') :])
    assert offered.index("customers") < offered.index("receipts") < offered.index("brands")


@pytest.mark.sqlite_only
def test_steps_are_picked_in_rows_also_without_a_script(world: World, login: Login) -> None:
    made = flow(world, steps="申请人的店长，24小时后转下一步\n角色 商场系统管理员，全部同意")
    boss, url = login("boss"), f"/approval_flows/{made.id}/edit"

    def chosen(page: str) -> list[str]:
        part = page[page.index('data-field="steps"') :].partition('data-field="active"')[0]
        return re.findall(r'<option value="([^"]*)" selected|name="steps.hours"[^>]* value="(\d*)"', part)

    page = boss.get(url).get_data(as_text=True)
    rows = ["申请人的店长", "任一人同意", "24", "角色 商场系统管理员", "全部同意", ""]
    assert ["".join(found) for found in chosen(page)] == rows
    form = {
        "version": str(made.version), "name": "退款审批", "subject": "receipts", "deed": "receipts/create",
        "condition": "", "active": "1", "sort": "100",
        "steps.who": ["申请人的店长", "角色 商场系统管理员"], "steps.how": ["任一人同意", "全部同意"],
        "steps.hours": ["24", ""],
    }  # fmt: skip
    page = boss.post(url, data=form | {"_row": "steps/1/up"}).get_data(as_text=True)
    assert ["".join(found) for found in chosen(page)] == rows[3:] + rows[:3]
    page = boss.post(url, data=form | {"_row": "steps/add"}).get_data(as_text=True)
    assert ["".join(found) for found in chosen(page)] == [*rows, "任一人同意", ""]
    beyond = boss.post(url, data=form | {"_row": f"steps/{'9' * 5000}/up"})
    assert beyond.status_code == 200, "there is no such row"
    assert made.steps[0]["hours"] == 24, "nothing is saved by it"
    wrong = form | {"steps.who": ["", "角色 商场系统管理员"]}
    answer = boss.post(url, data=wrong)
    assert answer.status_code == 400 and "第1步请选择审批人" in answer.get_data(as_text=True)
    changed = form | {
        "steps.hours": ["", ""],
        "steps.who": ["角色 商场系统管理员", ""],
        "steps.how": ["全部同意"] * 2,
    }
    assert boss.post(url, data=changed).status_code == 302
    db.session.expire_all()
    assert made.steps == [{"who": "role:admin", "named": "商场系统管理员", "all": True}]


@pytest.mark.sqlite_only
def test_what_needs_approval_is_not_taken_back_past_it(world: World, login: Login) -> None:
    """Taking back a batch change is the same change the other way round."""
    customer, other = world.customer(), world.people["seller2"].id
    report = world.act("reassign", customer, by="boss", owner=other)
    flow(world, name="换人审批", subject="customers", deed="customers/reassign", condition="",
         steps="角色 商场系统管理员")  # fmt: skip
    way = f"/customers/undo/{report.deed_id}"
    told = login("keeper").post(way, follow_redirects=True).get_data(as_text=True)
    db.session.expire_all()
    assert customer.owner_id == other
    assert "“修改导购”需要审批，不能直接撤销" in told
