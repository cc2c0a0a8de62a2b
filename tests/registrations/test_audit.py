"""Judging claims: which are shown, what differs, the verdict and what follows from it."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.actions import NotFound, Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.scopes import Scope
from models.identity import presets, role_rules
from models.notifications.tables import Notification
from models.registrations import auditing
from models.registrations.tables import AuditStatus, Progress, Registration
from models.settings.tables import Parameter
from tests.customers.world import World, grant, words
from tests.generic.test_queries import LIST_LIMIT, counted
from tests.registrations.claims import (
    AGAIN,
    EVERYTHING,
    JUDGE,
    PAGE,
    assigned,
    claim,
    entries,
    filed,
    leads_of,
    lines,
    send,
    stored,
    verdicts,
)

PENDING, PASSED, FAILED = AuditStatus


def shown(client: Any, path: str = PAGE) -> dict[int, str]:
    """The entries at an address."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return entries(answer.get_data(as_text=True))


# ----- which claims are shown


@pytest.mark.spec("E-74")
def test_an_unassigned_lead_is_found_under_no_condition(world: World, login: Any) -> None:
    lead, there = filed(world, name="未指派"), claim(world, name="已指派")
    client = login("boss")
    everything = f"{EVERYTHING}&verdict=pending&verdict=passed&verdict=failed"
    for path in (
        PAGE,
        EVERYTHING,
        everything,
        f"{everything}&name=未指派",
        f"{EVERYTHING}&phone={lead.phone}",
    ):
        assert "未指派<" not in client.get(path).get_data(as_text=True)
    assert list(shown(client, everything)) == [there.id]


@pytest.mark.spec("E-74", "E-70")
def test_a_withdrawn_assignment_is_not_shown_and_not_judged(world: World, login: Any) -> None:
    gone = claim(world)
    with acting(db.session()):
        gone.withdrawn_at = utcnow()
        db.session.commit()
    client = login("boss")
    assert shown(client, EVERYTHING) == {}
    answer = send(client, gone, "passed")
    assert auditing.WITHDRAWN in answer.get_data(as_text=True)
    assert stored(gone).verdict == PENDING


@pytest.mark.spec("E-75")
def test_opens_with_paid_ones_and_shows_the_others_when_asked(world: World, login: Any) -> None:
    lead = filed(world)
    paid, unpaid = assigned(world, lead), assigned(world, lead, category=1, paid=False)
    client = login("boss")
    page = client.get(PAGE).get_data(as_text=True)
    assert list(entries(page)) == [paid.id]
    assert re.search(r'name="paid" value="1" checked>只显示“已付定金”的报备客户', page)
    assert "报备进度状态" in page
    assert set(shown(client, f"{EVERYTHING}&verdict=pending")) == {paid.id, unpaid.id}
    assert list(shown(client, f"{EVERYTHING}&paid=1&verdict=pending")) == [paid.id]


@pytest.mark.spec("E-76")
def test_any_combination_of_statuses(world: World, login: Any) -> None:
    waiting, good, bad = (claim(world) for _ in range(3))
    world.act("judge", good, "boss", verdict="passed")
    world.act("judge", bad, "boss", verdict="failed", remark="无效")
    client = login("boss")
    page = client.get(PAGE).get_data(as_text=True)
    assert list(entries(page)) == [waiting.id]
    ticked = re.findall(r'name="verdict" value="(\w+)"( checked)?>(未审核|审核成功|审核失败)', page)
    assert ticked == [
        ("pending", " checked", "未审核"),
        ("passed", "", "审核成功"),
        ("failed", "", "审核失败"),
    ]
    for asked, found in (
        ("verdict=passed", {good.id}),
        ("verdict=failed", {bad.id}),
        ("verdict=pending&verdict=passed", {waiting.id, good.id}),
        ("verdict=passed&verdict=failed", {good.id, bad.id}),
        ("", {waiting.id, good.id, bad.id}),
    ):
        assert set(shown(client, f"{EVERYTHING}&{asked}")) == found, asked


@pytest.mark.spec("E-77")
def test_parts_of_texts_narrow_together(world: World, login: Any) -> None:
    lead = filed(
        world, name="沈女士", community="云栖里", company="甲装饰100%", designer="沈青", source="家装公司推荐"
    )
    wanted, other = (
        assigned(world, lead),
        claim(world, name="沈先生", company="乙装饰", source="家装公司推荐"),
    )
    client = login("boss")
    both, mine = {wanted.id, other.id}, {wanted.id}
    outlet = world.stores[0].name
    for asked, found in (
        ("name=沈", both), ("name=沈女", mine), ("name=女士", mine), ("address=云栖", mine), ("address=州", both),
        (f"phone={lead.phone[-3:]}", mine), (f"phone={lead.phone}", mine), ("phone=19911", set()),
        ("company=甲装", mine), ("company=100%", mine), ("company=%25", mine), ("company=装饰", both),
        ("designer=青", mine), (f"outlet={outlet[1:3]}", both), ("outlet=不存在", set()),
        ("name=沈&company=乙", {other.id}), ("name=沈女&company=乙", set()),
    ):  # fmt: skip
        assert set(shown(client, f"{PAGE}?{asked.replace('100%', '100%25')}")) == found, asked


@pytest.mark.spec("E-78")
def test_thirteen_columns_and_a_dash_before_the_verdict(world: World, login: Any) -> None:
    lead = filed(world)
    one, two = assigned(world, lead), assigned(world, lead, category=1)
    page = login("boss").get(PAGE).get_data(as_text=True)
    head = page[page.index("<thead>") : page.index("</thead>")]
    assert re.findall(r"<th>(.*?)</th>", head) == [
        "报备进度", "审核结果", "成功", "失败", "审核备注", "操作", "客户姓名", "订货类型", "手机", "客户电话", "地址",
        "家装设计师", "家装公司",
    ]  # fmt: skip
    found = entries(page)
    assert set(found) == {one.id, two.id}
    for entry in found.values():
        assert re.search(r'data-label="审核结果">-<', entry)
        assert entry.count('type="radio"') == 2
        assert entry.count("请输入备注信息") == 1
        assert entry.count(">审核</button>") == 1


@pytest.mark.spec("E-79", "E-80", "E-69")
def test_the_line_of_the_registration_above_that_of_the_showroom(world: World, login: Any) -> None:
    lead = filed(world, room="3栋502", designer="沈青", source="家装设计师推荐")
    changed = assigned(world, lead, room="3栋520", name="王女士　", telephone="05718888000", designer=" ")
    same = assigned(world, lead, category=1)
    client = login("boss")
    found = shown(client)
    above, below, marked = lines(found[changed.id])
    assert (above["address"], below["address"]) == ("杭州星湖小区3栋502", "杭州星湖小区3栋520")
    assert marked == {"address", "telephone", "designer"}
    assert found[changed.id].count("与报备不一致：") == 3
    assert "diff" not in re.search(r'<tr class="filed">.*?</tr>', found[changed.id], re.S).group()
    assert lines(found[same.id])[2] == {"brand_category_id"}
    only = f"{PAGE}?asked=1&differing=1"
    assert set(shown(client, only)) == {changed.id, same.id}
    plain = claim(world)
    assert plain.id not in shown(client, only)
    assert lines(shown(client)[plain.id])[2] == set()


@pytest.mark.spec("E-80")
def test_a_masked_auditor_learns_that_numbers_differ_and_nothing_else(world: World, login: Any) -> None:
    grant(world, "clerk", JUDGE)
    lead = filed(world, phone="13811112222", telephone="05717777111")
    differs = assigned(world, lead, phone="13833332222", telephone="05717777111")
    same = claim(world, phone="13811115555")
    client = login("typist")
    answer = client.get(PAGE).get_data(as_text=True)
    found = entries(answer)
    above, below, marked = lines(found[differs.id])
    assert marked == {"phone"}
    assert (above["phone"], below["phone"]) == ("138****2222", "138****2222")
    assert lines(found[same.id])[2] == set()
    assert not re.search(r"1381111|1383333|7777111|777711", answer)
    assert set(shown(client, f"{PAGE}?phone=13811112222")) == {differs.id}
    part = client.get(f"{PAGE}?phone=1381111").get_data(as_text=True)
    assert entries(part) == {}
    assert "请输入完整的手机号码" in part
    assert client.get(f"{PAGE}?asked=1&differing=1").status_code == 200
    assert set(shown(client, f"{PAGE}?asked=1&differing=1")) == {differs.id}


# ----- the verdict


@pytest.mark.spec("E-81", "E-82")
def test_success_with_its_remark_auditor_and_time(world: World, login: Any) -> None:
    one = claim(world, name="许女士")
    answer = send(login("boss"), one, "passed", "有效", "?asked=1&verdict=pending&name=许")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{PAGE}?asked=1&verdict=pending&name=%E8%AE%B8"
    kept = stored(one)
    assert (kept.verdict, kept.audit_remark) == (PASSED, "有效")
    assert kept.auditor_id == world.people["boss"].id
    assert abs(kept.judged_at - utcnow()) < timedelta(minutes=1)
    assert stored(db.session.get_one(Registration, one.registration_id)).audit_status == PASSED
    page = login("boss").get(f"{EVERYTHING}&verdict=passed").get_data(as_text=True)
    entry = words(entries(page)[one.id])
    assert "有效" in entry
    assert "总管" in entry
    assert "重新审核" in entry


@pytest.mark.spec("E-81")
@pytest.mark.parametrize(
    ("verdict", "remark", "sentence"),
    [("", "看过了", "请选择审核结果"), ("failed", "  ", "请输入备注信息"), ("pending", "看", "请从列表中选择"),
     ("failed", "长" * 201, "不能超过200个字，现有201个字")],
)  # fmt: skip
def test_what_is_missing_is_said_in_the_row_and_keeps_what_was_typed(
    world: World, login: Any, verdict: str, remark: str, sentence: str
) -> None:
    other, one = claim(world), claim(world)
    answer = send(login("boss"), one, verdict, remark, "?asked=1&paid=1&verdict=pending")
    assert answer.status_code == 400
    found = entries(answer.get_data(as_text=True))
    assert f"</i>{sentence}</p>" in found[one.id]
    assert f"{sentence}</p>" not in found[other.id]
    assert f'name="remark" value="{remark}"' in found[one.id]
    if verdict == "failed":
        assert re.search(r'value="failed" checked', found[one.id])
    assert stored(one).verdict == PENDING
    if sentence in (auditing.NO_VERDICT, auditing.NO_REMARK):
        with pytest.raises(Refusal, match=sentence):
            world.act("judge", one, "boss", verdict=verdict, remark=remark)


@pytest.mark.spec("E-81")
def test_own_leads_are_judged_by_others(world: World, login: Any) -> None:
    grant(world, "consultant", JUDGE)
    one = claim(world, "seller")
    client = login("seller")
    entry = shown(client)[one.id]
    assert auditing.OWN in entry
    assert "<form" not in entry
    answer = send(client, one, "passed", "有效")
    assert answer.status_code == 400
    assert auditing.OWN in entries(answer.get_data(as_text=True))[one.id]
    assert stored(one).verdict == PENDING


@pytest.mark.spec("E-81")
def test_without_the_permission_there_is_no_page_and_no_verdict(world: World, login: Any) -> None:
    one = claim(world)
    client = login("seller2")
    assert client.get(PAGE).status_code == 403
    assert send(client, one, "passed").status_code == 403
    assert PAGE not in client.get("/").get_data(as_text=True)
    assert f'href="{PAGE}"' in login("boss").get("/").get_data(as_text=True)
    assert stored(one).verdict == PENDING


@pytest.mark.spec("E-82")
def test_a_verdict_is_changed_only_with_the_right_and_logged(world: World, login: Any) -> None:
    grant(world, "manager", JUDGE)
    one = claim(world)
    keeper = login("keeper")
    assert send(keeper, one, "passed", "有效").status_code == 302
    page = keeper.get(f"{EVERYTHING}&again={one.id}").get_data(as_text=True)
    assert "重新审核" not in page
    assert "<form" not in entries(page)[one.id]
    assert send(keeper, one, "failed", "无效", again="1").status_code == 403
    refused = send(keeper, one, "failed", "无效", "?asked=1")
    assert refused.status_code == 400
    assert "该报备已由店长甲审核，结果为“成功”" in entries(refused.get_data(as_text=True))[one.id]
    grant(world, "manager", AGAIN)
    keeper = login("keeper")
    entry = shown(keeper, f"{EVERYTHING}&again={one.id}")[one.id]
    assert re.search(r'value="passed" checked', entry)
    assert 'value="有效"' in entry
    assert send(keeper, one, "failed", "", "?asked=1", again="1").status_code == 400
    assert send(keeper, one, "failed", "无此小区", "?asked=1", again="1").status_code == 302
    kept = stored(one)
    assert (kept.verdict, kept.audit_remark) == (FAILED, "无此小区")
    assert stored(db.session.get_one(Registration, one.registration_id)).audit_status == FAILED
    logged = select(AuditEntry.action, AuditEntry.actor_id).where(
        AuditEntry.resource == "registration_assignments", AuditEntry.record_id == one.id
    )
    deeds = [tuple(row) for row in db.session.execute(logged.order_by(AuditEntry.id))][-2:]
    assert deeds == [(name, world.people["keeper"].id) for name in ("judge", "judge_again")]


@pytest.mark.spec("E-82")
def test_the_same_verdict_again_changes_nothing(world: World) -> None:
    one = claim(world)
    with pytest.raises(Refusal, match=auditing.NOT_JUDGED):
        world.act("judge_again", one, "boss", verdict="passed")
    world.act("judge", one, "boss", verdict="passed", remark="有效")
    assert world.act("judge_again", one, "boss", verdict="passed", remark="有效").unchanged == 1
    assert world.act("judge_again", one, "boss", verdict="passed", remark="核实").done == 1


@pytest.mark.spec("E-82")
def test_the_lead_follows_from_its_assignments(world: World) -> None:
    lead = filed(world)
    first, second = assigned(world, lead), assigned(world, lead, category=1)
    world.act("judge", first, "boss", verdict="failed", remark="无效")
    assert stored(lead).audit_status == PENDING
    world.act("judge", second, "boss", verdict="passed")
    assert stored(lead).audit_status == PASSED
    world.act("judge_again", second, "boss", verdict="failed", remark="无效")
    assert stored(lead).audit_status == FAILED


@pytest.mark.spec("E-82")
def test_the_registrant_is_told_the_result(world: World) -> None:
    good, bad = claim(world, "seller2", name="许女士"), claim(world, "seller2", name="何先生")
    world.act("judge", good, "boss", verdict="passed")
    world.act("judge", bad, "boss", verdict="failed", remark="电话13912345678打不通")
    mine = select(Notification).where(
        Notification.user_id == world.people["seller2"].id, Notification.topic == auditing.AUDIT.key
    )
    first, second = db.session.scalars(mine.order_by(Notification.id))
    assert first.title == "您报备的客户许女士（甲牌橱柜）审核成功"
    assert second.title == "您报备的客户何先生（甲牌橱柜）审核失败：电话139****5678打不通"
    assert (second.resource, second.record_id) == ("registrations", bad.registration_id)


@pytest.mark.spec("E-57")
def test_only_the_first_verdict_of_a_lead_frees_a_slot(world: World) -> None:
    lead = filed(world)
    first, second = assigned(world, lead), assigned(world, lead, category=1)
    at = utcnow() - timedelta(days=2)
    world.act("judge", first, "boss", now=at, verdict="failed", remark="无效")
    assert stored(lead).first_judged_at == at
    world.act("judge", second, "boss", verdict="passed")
    world.act("judge_again", first, "boss", verdict="passed")
    assert stored(lead).first_judged_at == at


def test_success_shields_the_customer_for_some_days(world: World) -> None:
    lead = filed(world)
    first, second = assigned(world, lead), assigned(world, lead, category=1)
    at = utcnow()
    world.act("judge", first, "boss", now=at, verdict="passed")
    assert stored(lead).protected_until == at + timedelta(days=30)
    world.act("judge", second, "boss", now=at + timedelta(days=3), verdict="passed")
    assert stored(lead).protected_until == at + timedelta(days=30)
    for one in (first, second):
        world.act("judge_again", one, "boss", verdict="failed", remark="无效")
    assert stored(lead).protected_until is None
    session = db.session()
    with acting(session):
        session.add(Parameter(key="registration.protection_days", dealer_id=world.a.id, value=0))
        presets.bump_epoch(session)
        session.commit()
    world.act("judge_again", first, "boss", verdict="passed")
    assert stored(lead).audit_status == PASSED
    assert stored(lead).protected_until is None


@pytest.mark.spec("E-81")
def test_many_at_once_say_record_by_record_what_came_of_them(world: World) -> None:
    done, mine, fresh = claim(world), claim(world, "boss"), claim(world)
    world.act("judge", done, "boss", verdict="passed")
    report = world.act("judge", [done, mine, fresh], "boss", verdict="passed")
    assert [r.ok for r in report.results] == [False, False, True]
    assert [r.reason for r in report.refused] == ["该报备已由总管审核，结果为“成功”", auditing.OWN]
    assert verdicts() == [PASSED, PENDING, PASSED]


@pytest.mark.spec("E-82")
def test_of_two_auditors_at_once_the_second_learns_what_was_said(
    app: Flask, world: World, login: Any
) -> None:
    grant(world, "manager", JUDGE)
    one = claim(world)
    version = str(stored(one).version)
    clients = {name: login(name) for name in ("boss", "keeper")}
    answers: dict[str, Any] = {}
    start = threading.Barrier(2)

    def press(name: str, verdict: str) -> None:
        start.wait()
        answers[name] = send(clients[name], one, verdict, "看过", "?asked=1", version=version)

    pressing = [
        threading.Thread(target=press, args=pair) for pair in (("boss", "passed"), ("keeper", "failed"))
    ]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join()
    first, second = sorted(answers, key=lambda name: answers[name].status_code)
    assert answers[first].status_code == 302
    assert answers[second].status_code in (400, 409)
    who, result = ("总管", "成功") if first == "boss" else ("店长甲", "失败")
    said = answers[second].get_data(as_text=True)
    assert f"该报备已由{who}审核，结果为“{result}”" in entries(said)[one.id]
    assert stored(one).auditor_id == world.people[first].id


@pytest.mark.spec("E-79", "E-81")
def test_what_the_showroom_changes_meanwhile_is_looked_at_first(world: World, login: Any) -> None:
    one = claim(world, room="3栋502")
    version = str(one.version)
    with acting(db.session()):
        stored(one).room = "3栋520"
        db.session.commit()
    answer = send(login("boss"), one, "passed", "有效", version=version)
    assert answer.status_code == 409
    entry = entries(answer.get_data(as_text=True))[one.id]
    assert "展厅资料刚被修改，请核对后再审核" in entry
    assert lines(entry)[2] == {"address"}
    assert 'value="有效"' in entry
    assert stored(one).verdict == PENDING


def test_the_script_gets_the_one_entry(world: World, login: Any) -> None:
    other, one = claim(world), claim(world, name="许女士")
    client, row = login("boss"), {"X-Zk-Row": "1"}
    refused = client.post(f"{PAGE}{one.id}/judge", data={"remark": "看"}, headers=row)
    assert refused.status_code == 400
    assert list(entries(refused.get_data(as_text=True))) == [one.id]
    done = client.post(f"{PAGE}{one.id}/judge", data={"verdict": "passed"}, headers=row)
    assert done.status_code == 200
    entry = entries(done.get_data(as_text=True))
    assert list(entry) == [one.id]
    assert "已审核许女士：成功" in entry[one.id]
    assert list(shown(client)) == [other.id]


# ----- whose claims


def of_a_manager(world: World) -> None:
    """The designers' role becomes that of a manager of his own and granted leads."""
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "designer")
        held = role_rules.rights_of(session, role.id)
        names = ("registrations", "registration_assignments")
        scopes = {(name, scope) for name in names for scope in (Scope.MINE, Scope.GRANTED)}
        kept = frozenset(pair for pair in held.scopes if pair[0] not in names)
        role_rules.give(session, role, role_rules.Rights(held.grants | {JUDGE}, kept | scopes))
        session.commit()


@pytest.mark.spec("E-03")
def test_a_manager_judges_the_granted_leads_only(world: World, login: Any) -> None:
    of_a_manager(world)
    granted, strange = claim(world, "seller"), claim(world, "seller2")
    leads_of(world, "drawer", "seller")
    client = login("drawer")
    assert list(shown(client)) == [granted.id]
    assert send(client, strange, "passed").status_code == 404
    assert send(client, granted, "passed").status_code == 302
    with pytest.raises(NotFound):
        world.act("judge", strange, "drawer", verdict="passed")
    assert verdicts() == [PASSED, PENDING]


@pytest.mark.spec("E-03")
def test_a_showroom_judges_nothing_whose_lead_it_does_not_see(world: World, login: Any) -> None:
    """Its assignments are the showroom's to see; the registrations of other outlets are not."""
    of_a_manager(world)
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "designer")
        held = role_rules.rights_of(session, role.id)
        wide = held.scopes | {("registration_assignments", Scope.STORE)}
        role_rules.give(session, role, role_rules.Rights(held.grants, wide))
        session.commit()
    one = assigned(world, filed(world, "seller"), store=0)
    client = login("drawer")
    assert shown(client) == {}
    with pytest.raises(NotFound):
        world.act("judge", one, "drawer", verdict="passed")


def test_another_dealer_sees_nothing(world: World, login: Any) -> None:
    grant(world, "consultant", JUDGE, world.b)
    one = claim(world)
    client = login("outsider")
    assert shown(client, EVERYTHING) == {}
    assert send(client, one, "passed").status_code == 404


# ----- who else claims the customer


@pytest.mark.spec("E-53", "E-28")
def test_claims_of_one_customer_stand_together_the_tracked_first(world: World, login: Any) -> None:
    now = utcnow()
    early = filed(world, "seller", now - timedelta(days=9), phone="13811112222", name="甲")
    late = filed(world, "seller2", now - timedelta(days=1), phone="13811112222", name="乙", room="9栋101")
    home = filed(world, "boss", now - timedelta(days=5), name="丙", room="9栋１０１ ")
    alone = claim(world)
    with acting(db.session()):
        late.track_count, late.last_tracking_text = 2, "已约到店"
        db.session.commit()
    one, two = assigned(world, early), assigned(world, late)
    found = shown(login("boss"))
    said = re.findall(r"<li(?: class=\"(this)\")?>(.*?)</li>", found[two.id], re.S)
    names = [re.search(r"<b>(.*?)</b>", text).group(1) for _, text in said]
    assert [words(name) for name in names] == ["导购乙", "导购甲", "总管"]
    assert [mark for mark, _ in said] == ["this", "", ""]
    assert ["有跟踪" in text for _, text in said] == [True, False, False]
    assert "跟踪 2 次" in said[0][1]
    assert "已约到店" in said[0][1]
    assert "重报" in found[one.id]
    assert "共 2 条报备" in found[one.id]  # the same number, not the same home
    assert "重报" not in found[alone.id]
    assert f"/registrations/{home.id}" in said[2][1]


@pytest.mark.spec("E-29", "E-53")
def test_of_claims_out_of_scope_only_the_fact_is_told(world: World, login: Any) -> None:
    of_a_manager(world)
    mine = claim(world, "seller", phone="13811112222")
    filed(world, "seller2", phone="13811112222", room="8栋808")
    leads_of(world, "drawer", "seller")
    entry = shown(login("drawer"))[mine.id]
    assert "重报" in entry
    assert "另有不在您数据范围内的报备" in entry
    assert "导购乙" not in entry
    assert "8栋808" not in entry


# ----- the page at work


def test_pages_follow_one_another(world: World, login: Any) -> None:
    now = utcnow()
    made = [assigned(world, filed(world), now=now - timedelta(minutes=n)) for n in range(45)]
    client = login("boss")
    path, seen = PAGE, []
    for _ in range(3):
        page = client.get(path).get_data(as_text=True)
        seen.append(list(entries(page)))
        following = re.search(r'<a href="([^"]*)" rel="next"', page)
        path = following.group(1).replace("&amp;", "&") if following else ""
    assert [len(part) for part in seen] == [20, 20, 5]
    assert path == ""
    assert [pk for part in seen for pk in part] == [one.id for one in made]
    back = re.search(r'<a href="([^"]*)" rel="prev"', page)
    assert back
    assert list(shown(client, back.group(1).replace("&amp;", "&"))) == seen[1]


@pytest.mark.sqlite_only
def test_the_page_needs_few_statements(app: Flask, world: World, login: Any) -> None:
    of_a_manager(world)
    leads_of(world, "drawer", "seller")
    for n in range(22):
        assigned(world, filed(world, name=f"客户{n % 3}", phone="13811112222"), room="1")
    app.config["COUNT_TTL"] = 0
    for person in ("boss", "drawer"):
        client = login(person)
        client.get(PAGE)
        for path in (
            PAGE, EVERYTHING, f"{EVERYTHING}&differing=1&name=客户1&address=星湖&company=x&outlet=甲&designer=青",
            f"{PAGE}?phone=13811112222", f"{PAGE}?name=没有",
        ):  # fmt: skip
            with counted() as seen:
                assert client.get(path).status_code == 200
            assert len(seen) <= LIST_LIMIT, (person, path, *seen)


def test_nonsense_in_the_address_is_no_error(world: World, login: Any) -> None:
    one = claim(world)
    client = login("boss")
    for path in (
        "?after=x",
        "?verdict=x&asked=1",
        "?again=x",
        f"?again={one.id}",
        "?name=%00",
        "?phone=%",
        "?outlet=__",
    ):
        assert client.get(f"{PAGE}{path}").status_code == 200, path
    assert client.post(f"{PAGE}99999999/judge", data={"verdict": "passed"}).status_code == 404
    assert stored(one).progress == Progress.DEPOSIT


def test_the_list_of_assignments_knows_the_verdict(world: World, login: Any) -> None:
    one = claim(world)
    world.act("judge", one, "boss", verdict="failed", remark="无此小区")
    client = login("boss")
    names = ["name", "verdict", "audit_remark", "auditor_id", "judged_at"]
    client.post("/registration_assignments/columns", data={"column": names})
    page = words(client.get("/registration_assignments/").get_data(as_text=True))
    assert "失败无此小区总管" in page
    sheet = client.post("/registration_assignments/export?verdict=failed", data={"format": "csv"})
    assert "无此小区" in sheet.get_data(as_text=True)
