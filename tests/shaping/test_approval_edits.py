"""Edits that wait for somebody's word: of any field or of some, by what they come to, shown as they would be."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine import attached, files, outbox
from app.engine.actions import Invalid, Question, Stale
from app.engine.approving import Submitted
from app.engine.database import db, utcnow
from app.engine.faces import faced
from app.engine.fields import describe
from app.engine.guards import gate
from app.engine.history import history
from app.engine.outbox import Delivery
from app.engine.perform import remove, update
from app.engine.resource import resource
from models.customers.tables import Customer
from models.identity.tables import Employee
from models.shaping.approval_rules import Verdict
from models.shaping.approval_tables import ApprovalFlow, ApprovalRequest, RequestState
from tests.customers.world import World, grant
from tests.plugins.databases import statements
from tests.plugins.people import Login
from tests.shaping.fields import add, file_with
from tests.shaping.test_approvals import decide, flow, latest, told
from tests.shaping.test_configuration_files import bring_in, export

EDIT = {
    "name": "改资料审批",
    "subject": "customers",
    "deed": "customers/update",
    "condition": "",
    "steps": "申请人的店长",
}


def waits(world: World, customer: Any, by: str = "seller", **values: Any) -> ApprovalRequest:
    """The request that a change of this customer becomes."""
    with pytest.raises(Submitted, match="已提交审批（改资料审批"):
        world.change(customer, by, **values)
    return latest()


def stored(customer: Any) -> Any:
    """The customer as the database has it."""
    db.session.expire_all()
    return db.session.get_one(Customer, customer.id)


def test_an_edit_waits_and_is_then_done_as_it_was_asked_for(world: World) -> None:
    flow(world, **EDIT)
    customer = world.customer(level="C", remark="旧")
    request = waits(world, customer, level="A", remark="新", name="张女士")
    assert stored(customer).level == "C" and stored(customer).remark == "旧"
    assert told(world, "keeper") == ["待审批：客户·编辑：张女士 " + customer.code]
    assert set(request.asked) == {"level", "remark"}, "what stays as it was is not asked for"
    said = request.changes[0]["changes"]["fields"]
    assert said["remark"][:2] == ["旧", "新"] and "name" not in said
    decide(world, request, "keeper")
    assert request.state is RequestState.DONE
    assert (stored(customer).level, stored(customer).remark) == ("A", "新")
    done = history("customers", customer.id, world.actor("boss"))
    assert done[0].who == "导购甲", "it is the applicant's deed"


def test_only_the_fields_that_are_named_wait(world: World) -> None:
    flow(world, **EDIT, watched="其他号码、意向级别")
    customer = world.customer(level="C")
    world.change(customer, remark="随手一记", level="C")
    assert stored(customer).remark == "随手一记"
    request = waits(world, customer, phones=["13700001111"], remark="两样一起改")
    assert stored(customer).remark == "随手一记", "what is saved together waits together"
    world.change(customer, remark="")
    decide(world, request, "keeper")
    assert (request.round, request.state) == (2, RequestState.WAITING)
    decide(world, request, "keeper")
    assert stored(customer).remark == "两样一起改"


@pytest.mark.sqlite_only
def test_what_it_was_and_what_it_becomes_can_be_asked(world: World) -> None:
    flow(world, **EDIT | {"condition": "意向级别 是 C\n本次意向级别 是 A"})
    low, middle = world.customer(level="C"), world.customer(level="B")
    world.change(low, level="B")
    world.change(middle, level="A")
    third = world.customer(level="C")
    world.change(third, remark="级别没有改")
    waits(world, third, level="A")
    assert (stored(low).level, stored(middle).level, stored(third).level) == ("B", "A", "C")


@pytest.mark.sqlite_only
def test_a_form_that_changes_nothing_waits_for_nobody(world: World) -> None:
    flow(world, **EDIT)
    customer = world.customer(phones=["13700001111"])
    world.change(customer, name="张女士", phones=["13700001111"], helpers=[])
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 0


@pytest.mark.sqlite_only
def test_what_others_change_meanwhile_is_not_set_back(world: World) -> None:
    flow(world, **EDIT, watched="意向级别")
    customer = world.customer(level="C", remark="旧")
    request = waits(world, customer, level="A", remark="旧", name="张女士")
    world.change(customer, "keeper", remark="店长改过", name="张太太")
    report = decide(world, request, "keeper")
    assert "在申请后被修改，未执行；已按现在的内容重新发起审批" in report.messages[0]
    decide(world, request, "keeper")
    now = stored(customer)
    assert (now.level, now.remark, now.name) == ("A", "店长改过", "张太太")


@pytest.mark.sqlite_only
def test_the_same_saved_twice_waits_once(world: World, login: Login) -> None:
    flow(world, **EDIT)
    customer, seller = world.customer(remark="旧"), login("seller")
    form = {"name": "张女士", "phone": customer.phone, "version": str(customer.version), "remark": "新"}
    first = seller.post(f"/customers/{customer.id}/edit", data=form)
    again = seller.post(f"/customers/{customer.id}/edit", data=form)
    assert first.location == again.location
    assert "相同的申请已在审批中（改资料审批，申请人的店长）" in seller.get(again.location).get_data(
        as_text=True
    )
    assert told(world, "keeper") == [f"待审批：客户·编辑：张女士 {customer.code}"]
    waits(world, customer, remark="又一版")
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 2


@pytest.mark.sqlite_only
def test_the_record_says_that_it_waits_to_those_who_see_requests(world: World, login: Login) -> None:
    flow(world, **EDIT)
    customer, other = world.customer(), world.customer()
    first = waits(world, customer, remark="一")

    def offered(who: str, about: Any) -> list[str]:
        page = login(who).get(f"/customers/{about.id}").get_data(as_text=True)
        return re.findall(r'href="(/approval_requests/[^"]+)"[^>]*>(?:<i[^>]*></i> ?)?(审批中[^<]*)<', page)

    assert offered("seller", customer) == [(f"/approval_requests/{first.id}", "审批中")]
    assert offered("seller", other) == []
    waits(world, customer, remark="二")
    listed = [("/approval_requests/?subject=customers&amp;view=open", "审批中（2）")]
    assert offered("keeper", customer) == listed
    assert offered("seller2", customer) == [], "it is neither theirs nor for them to decide"
    decide(world, first, "keeper")
    assert offered("keeper", customer)[0][1] == "审批中"


@pytest.mark.sqlite_only
def test_a_stale_form_is_refused_and_a_question_asked_at_once(world: World) -> None:
    flow(world, **EDIT)
    customer, other = world.customer(), world.customer(phone="13700002222")
    with pytest.raises(Stale):
        world.change(customer, version=customer.version + 1, remark="晚了")
    with pytest.raises(Question, match="此电话号码已建档"):
        world.change(customer, phones=[other.phone])
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 0


@pytest.mark.sqlite_only
def test_refused_or_withdrawn_nothing_has_changed(world: World) -> None:
    flow(world, **EDIT)
    customer = world.customer(remark="旧")
    first = waits(world, customer, remark="新")
    decide(world, first, "keeper", Verdict.REFUSE, remark="不必改")
    second = waits(world, customer, remark="新")
    world.act("withdraw", second)
    assert (first.state, second.state) == (RequestState.REFUSED, RequestState.WITHDRAWN)
    assert stored(customer).remark == "旧"


@pytest.mark.sqlite_only
def test_rights_lost_meanwhile_keep_it_from_being_done(world: World) -> None:
    flow(world, **EDIT)
    customer = world.customer()
    request = waits(world, customer, remark="新")
    world.act("deactivate", db.session.get_one(Employee, world.people["seller"].id), "boss")
    decide(world, request, "keeper")
    assert request.state is RequestState.FAILED and stored(customer).remark != "新"


@pytest.mark.sqlite_only
def test_a_record_that_is_gone_is_said_so(world: World) -> None:
    flow(world, **EDIT | {"subject": "brands", "deed": "brands/update", "steps": "角色 店长"})
    brand = world.make("brands", "boss", name="旧牌")
    with pytest.raises(Submitted):
        world.change(brand, "boss", name="新牌")
    request = latest()
    remove(resource("brands"), brand.id, world.actor("boss"))
    decide(world, request, "keeper")
    assert request.state is RequestState.FAILED and "记录已不存在" in (request.result or "")


@pytest.mark.sqlite_only
def test_a_deletion_of_what_has_changed_is_asked_anew(world: World) -> None:
    flow(world, subject="brands", deed="brands/delete", condition="", steps="角色 店长")
    brand = world.make("brands", "boss", name="旧牌")
    with pytest.raises(Submitted):
        remove(resource("brands"), brand.id, world.actor("boss"))
    request = latest()
    world.change(brand, "boss", name="新牌")
    decide(world, request, "keeper")
    assert (request.round, request.state) == (2, RequestState.WAITING)
    decide(world, request, "keeper")
    assert request.state is RequestState.DONE


@pytest.mark.sqlite_only
def test_masked_numbers_stay_and_are_shown_to_nobody_who_may_not(world: World, login: Login) -> None:
    """The form of whoever sees masks keeps what is behind them, also when it is carried out later."""
    for role in ("consultant", "manager"):
        grant(world, role, ("guard_customer_phone", "Guards"))
    flow(world, **EDIT | {"steps": "申请人的店长\n角色 商场系统管理员"})
    customer = world.customer(phone="13911112222", phones=["13933334444"])
    seller = login("seller")
    form = {
        "version": str(customer.version), "name": "张女士", "phone": "139****2222",
        "phones": ["139****4444", "13955556666"], "gender": "", "remark": "加一个号码",
    }  # fmt: skip
    sent = seller.post(f"/customers/{customer.id}/edit", data=form)
    assert sent.status_code == 302 and "/approval_requests/" in sent.location
    shown = seller.get(sent.location).get_data(as_text=True)
    assert "已提交审批（改资料审批，申请人的店长，第1步，共2步）" in shown and "加一个号码" in shown
    assert "13955556666" not in login("keeper").get(sent.location).get_data(as_text=True)
    assert "13955556666" in login("boss").get(sent.location).get_data(as_text=True)
    request = latest()
    decide(world, request, "keeper")
    decide(world, request, "boss")
    assert request.state is RequestState.DONE, request.result
    api = login("boss").get(f"/api/v1/customers/{customer.id}").json["result"]
    assert sorted(api["phones"]) == ["13933334444", "13955556666"] and api["phone"] == "13911112222"


@pytest.mark.sqlite_only
def test_the_api_answers_that_it_waits(world: World, login: Login) -> None:
    flow(world, **EDIT, watched="意向级别")
    customer = world.customer(level="C")
    url, client = f"/api/v1/customers/{customer.id}", login("seller")
    sent = client.patch(url, json={"version": customer.version, "level": "A"})
    assert sent.status_code == 202 and "已提交审批" in sent.json["message"]
    sent = client.patch(url, json={"version": customer.version, "remark": "不等"})
    assert sent.status_code == 200 and sent.json["result"]["remark"] == "不等"


@pytest.mark.sqlite_only
def test_what_the_system_does_waits_for_nobody(world: World) -> None:
    flow(world, **EDIT)
    customer = world.customer()
    update(resource("customers"), customer.id, {"remark": "自动"}, world.actor("seller"), source="job")
    assert stored(customer).remark == "自动"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"watched": "利润"}, "客户的表单没有“利润”；可用的有：客户姓名、"),
        ({"watched": "意向级别", "deed": "customers/invalidate"}, "只有“编辑”可以选择改动的字段"),
    ],
)
def test_fields_that_are_not_there_are_refused_in_words(
    world: World, values: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        flow(world, **EDIT | values)


@pytest.mark.sqlite_only
def test_named_fields_travel_in_a_file_and_are_read_in_words(world: World, login: Login) -> None:
    made = flow(world, **EDIT | {"condition": "本次意向级别 是 A"}, watched="意向级别、协作人")
    kept = (made.watched, made.condition, made.steps)
    assert kept[0] == {"of": "customers/update", "fields": ["level", "helpers"]}
    page = login("boss").get(f"/approval_flows/{made.id}").get_data(as_text=True)
    assert "意向级别、协作人" in page
    text = export(world)
    remove(resource("approval_flows"), made.id, world.actor("boss"))
    bring_in(world, text)
    again = db.session.scalars(select(ApprovalFlow)).one()
    assert (again.watched, again.condition, again.steps) == kept and export(world) == text


@pytest.mark.sqlite_only
def test_added_fields_are_named_and_asked_like_any_other(world: World) -> None:
    slot = add(world, "装修预算", "number").slot
    made = flow(
        world, **EDIT | {"condition": "装修预算 不小于 20\n本次装修预算 不大于 10"}, watched="装修预算"
    )
    assert made.watched == {"of": "customers/update", "fields": [slot], "dealer": world.a.id}
    assert gate(describe(ApprovalFlow.watched), made.watched, None) == "装修预算"
    customer = file_with(world, **{slot: 30})
    face, seller = faced(resource("customers"), world.a.id), world.actor("seller")
    update(face, customer.id, {slot: 25}, seller)
    assert getattr(stored(customer), slot) == 25
    with pytest.raises(Submitted):
        update(face, customer.id, {slot: 5}, seller)
    request = latest()
    decide(world, request, "keeper")
    assert (request.state, getattr(stored(customer), slot)) == (RequestState.DONE, 5)
    kept, text = (made.watched, made.condition), export(world)
    entry = next(e for e in json.loads(text)["kinds"]["approval_flows"] if e["name"] == "改资料审批")
    assert entry["watched"]["fields"] == ["[装修预算]"]
    assert [term["field"] for term in entry["condition"]["where"]["all"]] == ["[装修预算]", "[本次装修预算]"]
    remove(resource("approval_flows"), made.id, world.actor("boss"))
    bring_in(world, text)
    again = db.session.scalars(select(ApprovalFlow)).one()
    assert (again.watched, again.condition) == kept and export(world) == text


@pytest.mark.sqlite_only
def test_several_choices_that_nobody_made_are_no_change(world: World, login: Login) -> None:
    add(world, "装修风格", "choices", options="北欧\n中式")
    flow(world, **EDIT, watched="装修风格")
    customer, seller = world.customer(), login("seller")
    form = {"name": "张女士", "phone": customer.phone, "version": str(customer.version)}
    page = seller.get(f"/customers/{customer.id}/edit").get_data(as_text=True)
    assert "装修风格" in page
    seller.post(f"/customers/{customer.id}/edit", data=form)
    assert db.session.scalar(select(func.count()).select_from(ApprovalRequest)) == 0
    assert stored(customer).name == "张女士"
    told_of = seller.get(f"/customers/{customer.id}/history").get_data(as_text=True)
    assert "张女士" in told_of and "装修风格" not in told_of


def test_a_file_that_came_with_an_edit_is_kept_while_it_waits(world: World, login: Login) -> None:
    paper = add(world, "合同", "file").slot
    flow(world, **EDIT)
    customer, seller = world.customer(), login("seller")
    form = {"name": "张女士", "phone": customer.phone, "version": str(customer.version)}
    upload = {f"{paper}__upload": (io.BytesIO(b"%PDF-1.7 x"), "约.pdf")}
    sent = seller.post(f"/customers/{customer.id}/edit", data=form | upload)
    assert "约.pdf" in seller.get(sent.location).get_data(as_text=True)
    request = latest()
    later, file = utcnow() + timedelta(days=1), request.asked[paper]
    payload = {"file": file, "resource": "customers", "field": paper}
    attached.remove_abandoned(Delivery(1, attached.ABANDONED, payload, 1, later, db.session()))
    assert files.path(attached.name_of(file)).exists()
    again = select(outbox.ROWS.c.available_at).where(outbox.ROWS.c.kind == attached.ABANDONED)
    assert later + timedelta(days=1) in db.session.scalars(again).all(), "it is looked at once more"
    decide(world, request, "keeper")
    assert getattr(stored(customer), paper) == file


@pytest.mark.sqlite_only
def test_the_fields_of_an_edit_are_offered(world: World, login: Login) -> None:
    boss = login("boss")
    offered = boss.get("/automation/fields?subject=customers/update").get_json()
    assert offered[:3] == ["客户姓名", "手机号码", "其他号码"] and "协作人" in offered
    assert boss.get("/automation/fields?subject=customers/invalidate").get_json() == []
    assert boss.get("/automation/fields?subject=customers").status_code == 404


@pytest.mark.sqlite_only
def test_an_edit_that_no_rule_is_about_costs_no_statement(world: World) -> None:
    customer = world.customer()
    world.change(customer, remark="一")
    seen = statements(db.engine)
    world.change(customer, remark="二")
    plain = len(seen)
    flow(world, **EDIT | {"subject": "brands", "deed": "brands/update", "steps": "角色 店长"})
    world.change(customer, remark="三")
    seen.clear()
    world.change(customer, remark="四")
    assert len(seen) == plain
