"""What would go past an approval: handovers, taking an import back, steps that nobody is left to answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid, Refusal
from app.engine.audit import acting
from app.engine.clock import Every, schedules
from app.engine.database import db, utcnow
from app.engine.imports.tables import ImportState
from app.engine.outbox import Delivery
from app.engine.perform import perform
from app.engine.resource import resource
from models.customers.handover_tables import Handover, HandoverState, ItemState
from models.customers.tables import Customer
from models.identity import presets, role_rules
from models.identity.tables import Employee
from models.shaping.approval_rules import Verdict
from models.shaping.approval_tables import ApprovalFlow, ApprovalRequest, RequestState
from models.shaping.approval_tending import tend_all
from tests.customers.test_handover import URL, owned, states, submit
from tests.customers.world import PASSWORD, World, words
from tests.imports.conftest import Importer
from tests.plugins.people import Login
from tests.shaping.test_approvals import asked, decide, flow, latest, paid, refunds, told

pytestmark = pytest.mark.sqlite_only
REASSIGN = {
    "name": "换人审批",
    "subject": "customers",
    "deed": "customers/reassign",
    "condition": "",
    "steps": "角色 店长",
}
OWN_WAY = "需要审批（换人审批），请用“修改导购”提交"


# ----- handovers


def test_a_handover_leaves_out_by_name_whoever_needs_approval(world: World, login: Login) -> None:
    flow(world, **REASSIGN | {"condition": "意向级别 是 A\n本次导购 是 导购乙"})
    large, small = world.customer(name="大客户", level="A"), world.customer(level="C")
    boss, other = login("boss"), world.people["seller2"]
    data = {"kind": "staying", "person": world.people["seller"].id, "all": "1", "to": [other.id]}
    page = boss.post(URL, data=data | {"step": "preview"}).text
    assert "其中1位需要审批，不在本次交接中" in page and "的1位客户交接给导购乙" in page
    assert f'<a class="link" href="/customers/{large.id}">大客户 {large.code}</a>' in page and OWN_WAY in page
    assert "0+1=1" in words(page)
    page = boss.get(submit(boss, world).location).text
    assert states() == {ItemState.DONE: 1, ItemState.REFUSED: 1} and OWN_WAY in page
    assert (small.owner_id, large.owner_id) == (other.id, world.people["seller"].id)
    drawer = world.people["drawer"].id
    submit(boss, world, to=[drawer])
    assert large.owner_id == drawer, "the condition knows whom they go to"


def test_what_needs_nobodys_word_is_handed_over_as_before(world: World, login: Login) -> None:
    flow(world, **REASSIGN | {"condition": "本次记录数 不小于 3"})
    world.customer(), world.customer()
    submit(login("boss"), world)
    assert owned(world.people["seller2"]) == 2


def test_a_handover_of_which_all_waits_begins_nothing(world: World, login: Login) -> None:
    flow(world, **REASSIGN)
    world.customer()
    data = {
        "kind": "departed",
        "person": world.people["seller"].id,
        "all": "1",
        "to": [world.people["seller2"].id],
    }
    for step in ("preview", "submit"):
        answer = login("boss").post(URL, data=data | {"step": step})
        assert answer.status_code == 400 and f"这些客户都{OWN_WAY}" in answer.text
    assert db.session.get_one(Employee, world.people["seller"].id).active
    assert db.session.scalar(select(Handover.id)) is None


def test_taking_a_handover_back_goes_past_no_approval_either(world: World, login: Login) -> None:
    large, small = world.customer(level="A"), world.customer(level="C")
    boss, seller, other = login("boss"), world.people["seller"].id, world.people["seller2"].id
    url = submit(boss, world).location
    made = flow(world, **REASSIGN)
    page = boss.post(f"{url}/back", follow_redirects=True).text
    assert f"这些客户都{OWN_WAY}" in page
    assert db.session.scalar(select(Handover.state)) is HandoverState.DONE, "it may be tried again"
    condition = flow(world, **REASSIGN | {"name": "重点", "condition": "意向级别 是 A"}).condition
    with acting(db.session()):
        db.session.get_one(ApprovalFlow, made.id).condition = condition
        db.session.commit()
    page = boss.post(f"{url}/back", follow_redirects=True).text
    assert (large.owner_id, small.owner_id) == (other, seller) and OWN_WAY in page


def test_the_same_by_the_api_waits_as_the_single_deed(world: World, login: Login) -> None:
    flow(world, **REASSIGN)
    customer, boss = world.customer(), login("boss")
    seller, other = world.people["seller"].id, world.people["seller2"].id
    sent = {"ids": [customer.id], "owner": other}
    assert boss.post("/api/v1/customers/actions/hand_over", json=sent).json["results"][0]["waiting"] is True
    assert (latest().deed, customer.owner_id) == ("customers/reassign", seller)
    decide(world, latest(), "keeper")
    assert customer.owner_id == other
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "admin")
        held = role_rules.rights_of(session, role.id)
        less = held.grants - {("can_reassign", "Customers")}
        role_rules.give(session, role, role_rules.Rights(less, held.scopes))
        session.commit()
    answer = boss.post("/api/v1/customers/actions/hand_over", json=sent | {"owner": seller})
    assert answer.status_code == 400, "what waits could not be done in the end"
    assert "需要审批（换人审批），只能由有“修改导购”权限的人提交" in answer.json["message"]


# ----- imports


def test_an_import_taken_back_leaves_out_what_needs_approval(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    first, second = world.customer(level="B"), world.customer(level="C")
    mine = Importer(login("boss"), run_outbox)
    table = [["客户姓名", "手机号码", "意向级别"], *([c.name, c.phone, "A"] for c in (first, second))]
    run = mine.bring_in(table, mode="update", key="phone")
    about = {"subject": "customers", "deed": "customers/update", "steps": "申请人的上级"}
    low = flow(world, **about, name="降级审批", condition="本次意向级别 是 C", watched="意向级别")
    every = flow(world, **about, name="级别审批", condition="", watched="意向级别", sort="1")
    flow(world, **about, name="备注审批", condition="", watched="备注", sort="0")
    run = mine.press(run, "undo")
    assert run.state is ImportState.DONE, "nothing was taken back, it may be tried again"
    cannot = "没有撤销任何记录：需要审批（级别审批），请用“编辑”提交"
    assert cannot in mine.page(run)
    with acting(db.session()):
        db.session.delete(db.session.get_one(ApprovalFlow, every.id))
        db.session.commit()
    run = mine.press(run, "undo")
    assert run.state is ImportState.UNDONE and run.reason is not None
    assert run.reason.endswith("已还原 1 条更新；1 条未撤销，原因见明细")
    assert f"需要审批（{low.name}），请用“编辑”提交" in mine.page(run)
    levels = dict(db.session.execute(select(Customer.id, Customer.level)).tuples().all())
    assert (levels[first.id], levels[second.id]) == ("B", "A")


# ----- steps without anybody


def tend(hours: int = 0) -> None:
    """The clock looks after what waits, so much later."""
    tend_all(Delivery(0, "approvals.tend", {}, 1, utcnow() + timedelta(hours=hours), db.session()))
    db.session.commit()


def stuck(world: World) -> ApprovalRequest:
    """A refund whose last step nobody can answer any more."""
    flow(world, steps="角色 店长")
    request = asked(world, paid(world))
    world.act("deactivate", db.session.get_one(Employee, world.people["keeper"].id), "boss")
    tend()
    return request


def pass_on(world: World, request: Any, to: str, by: str = "boss") -> Any:
    """Hand the request on."""
    action = next(a for a in resource("approval_requests").actions if a.name == "pass_on")
    return perform(action, [request.id], world.actor(by), {"person": world.people[to].id})


def test_a_request_without_anybody_gets_to_those_who_look_after_approvals(world: World, login: Login) -> None:
    assert schedules()["approvals.tend"] == Every(10)
    request = stuck(world)
    assert (request.state, request.stage) == (RequestState.VACANT, "角色 店长，无人可审批")
    assert told(world, "boss") == ["无人审批：新增收款/退款：张女士"]
    tend()
    assert len(told(world, "boss")) == 1, "it is said once"
    listed = login("boss").get("/approval_requests/?scope=related&view=todo").text
    assert "无人审批" in listed and "新增收款/退款：张女士" in listed
    page = login("boss").get(f"/approval_requests/{request.id}").text
    assert "action/decide" in page and "action/pass_on" in page and "交由审批流程的管理员处理" in page
    page = login("seller").get(f"/approval_requests/{request.id}").text
    assert "action/withdraw" in page and "action/pass_on" not in page
    decide(world, request, "boss")
    assert (request.state, refunds()) == (RequestState.DONE, 1)


def test_it_is_passed_on_to_somebody(world: World, login: Login) -> None:
    request = stuck(world)
    with pytest.raises(Invalid, match="不能转交给申请人本人"):
        pass_on(world, request, "seller")
    form = login("boss").get(f"/approval_requests/action/pass_on?id={request.id}").text
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version is not None and "转交给" in form
    said = {"id": request.id, "version": version[1], "person": world.people["drawer"].id, "back": "/"}
    assert login("boss").post("/approval_requests/action/pass_on", data=said).status_code == 302
    assert (request.state, request.stage) == (RequestState.WAITING, "设计师甲")
    assert told(world, "drawer") == ["待审批：新增收款/退款：张女士"]
    with pytest.raises(Refusal, match="已有新的进展"):
        decide(world, request, "boss")
    decide(world, request, "drawer")
    assert (request.state, refunds()) == (RequestState.DONE, 1)


def test_new_people_of_the_step_are_asked(world: World) -> None:
    request = stuck(world)
    manager = presets.preset_role(db.session(), world.a.id, "manager").id
    world.change(db.session.get_one(Employee, world.people["seller2"].id), "boss", roles=[manager])
    tend()
    assert (request.state, request.stage) == (RequestState.WAITING, "角色 店长")
    assert told(world, "seller2") == ["待审批：新增收款/退款：张女士"]
    with pytest.raises(Refusal, match="已有新的进展"):
        decide(world, request, "boss")
    decide(world, request, "seller2")
    assert refunds() == 1


def test_the_time_of_a_step_runs_on_with_new_people(world: World) -> None:
    flow(world, steps="角色 店长，24小时后转下一步\n角色 商场系统管理员")
    request = asked(world, paid(world))
    due_at = request.due_at
    tend(hours=1)
    assert (request.due_at, len(request.trail)) == (due_at, 1), "whoever can answer is left alone"
    manager = presets.preset_role(db.session(), world.a.id, "manager").id
    world.change(db.session.get_one(Employee, world.people["seller2"].id), "boss", roles=[manager])
    world.act("deactivate", db.session.get_one(Employee, world.people["keeper"].id), "boss")
    tend(hours=1)
    assert (request.due_at, request.stage) == (due_at, "角色 店长，第1步，共2步")
    assert told(world, "seller2") == ["待审批：新增收款/退款：张女士"]


def test_a_step_between_is_passed_over_and_the_last_one_never(world: World) -> None:
    flow(world, steps="角色 店长\n角色 商场系统管理员\n角色 设计师")
    request = asked(world, paid(world))
    for who in ("keeper", "drawer"):
        world.act("deactivate", db.session.get_one(Employee, world.people[who].id), "boss")
    tend()
    assert request.stage == "角色 商场系统管理员，第2步，共3步", "nobody is left at the first step"
    assert "已同意，等待角色 设计师，无人可审批" in decide(world, request, "boss").messages[0]
    assert (request.state, refunds()) == (RequestState.VACANT, 0)
    decide(world, request, "boss", Verdict.REFUSE, remark="没有人核对")
    assert request.state is RequestState.REFUSED


def test_the_only_administrators_request_gets_to_the_group(world: World, login: Login) -> None:
    """Nobody sees to what he or she has asked for."""
    presets.add_person(
        db.session(), dealer_id=None, username="chief", name="集团", password=PASSWORD,
        roles=[presets.preset_role(db.session(), None, "group_admin")],
    )  # fmt: skip
    db.session.commit()
    flow(world, steps="角色 店长")
    request = asked(world, paid(world), by="boss")
    with acting(db.session()):
        db.session.get_one(Employee, world.people["keeper"].id).active = False
        db.session.commit()
    tend()
    assert request.state is RequestState.VACANT and not told(world, "boss")
    with pytest.raises(Refusal, match="不能转交自己提交的申请"):
        pass_on(world, request, "seller2", "boss")
    page = login("chief").get(f"/approval_requests/{request.id}").text
    assert "action/decide" in page
    decide(world, request, "chief")
    assert refunds() == 1


# ----- afterwards


def test_what_waits_offers_no_way_back(world: World, login: Login) -> None:
    """Nothing was done; and what would have to wait the other way round is not offered at once."""
    customer, contact = world.customer(), world.contact()
    link = {"id": contact.id, "customer": customer.id, "back": "/contacts/"}
    about = {"subject": "contacts", "deed": "contacts/link_contact", "steps": "申请人的店长", "condition": ""}
    made = flow(world, **about, name="关联审批")
    seller = login("seller")
    page = seller.post("/contacts/action/link_contact", data=link, follow_redirects=True).text
    assert "已提交审批（关联审批" in page and "查看申请</a>" in page and ">撤销</a>" not in page
    with acting(db.session()):
        db.session.get_one(ApprovalFlow, made.id).active = False
        db.session.commit()
    page = seller.post("/contacts/action/link_contact", data=link, follow_redirects=True).text
    assert ">撤销</a>" in page
    flow(world, **REASSIGN | {"condition": "意向级别 是 A"})
    move = {"id": customer.id, "owner": world.people["seller2"].id, "back": "/customers/"}
    page = login("boss").post("/customers/action/reassign", data=move, follow_redirects=True).text
    assert "修改导购：已完成" in page and ">撤销</a>" not in page
