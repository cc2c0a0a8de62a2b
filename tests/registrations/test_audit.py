"""The audit page: which claims are shown to whom, what differs in them, and who else claims the customer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.engine.actions import NotFound
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.scopes import Scope
from models.identity import presets, role_rules
from models.registrations import auditing
from models.registrations.tables import AuditStatus, Progress
from tests.customers.world import grant, words
from tests.generic.test_queries import LIST_LIMIT, counted
from tests.registrations.claims import (
    EVERYTHING,
    JUDGE,
    PAGE,
    assigned,
    claim,
    entries,
    filed,
    lines,
    send,
    shown,
    stored,
    verdicts,
)
from tests.registrations.world import Channel

PENDING, PASSED, FAILED = AuditStatus


# ----- which claims are shown


@pytest.mark.spec("E-74")
def test_an_unassigned_lead_is_found_under_no_condition(channel: Channel, login: Any) -> None:
    lead, there = filed(channel, name="未指派"), claim(channel, name="已指派")
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


def test_a_withdrawn_assignment_is_not_shown_and_not_judged(channel: Channel, login: Any) -> None:
    gone = claim(channel)
    with acting(db.session()):
        gone.withdrawn_at = utcnow()
        db.session.commit()
    client = login("boss")
    assert shown(client, EVERYTHING) == {}
    answer = send(client, gone, "passed")
    assert auditing.WITHDRAWN in answer.get_data(as_text=True)
    assert stored(gone).verdict == PENDING


@pytest.mark.spec("E-75")
def test_opens_with_paid_ones_and_shows_the_others_when_asked(channel: Channel, login: Any) -> None:
    lead = filed(channel)
    paid, unpaid = assigned(channel, lead), assigned(channel, lead, category=1, paid=False)
    client = login("boss")
    page = client.get(PAGE).get_data(as_text=True)
    assert list(entries(page)) == [paid.id]
    assert re.search(r'name="paid" value="1" checked>只显示“已付定金”的报备客户', page)
    assert "报备进度状态" in page
    assert set(shown(client, f"{EVERYTHING}&verdict=pending")) == {paid.id, unpaid.id}
    assert list(shown(client, f"{EVERYTHING}&paid=1&verdict=pending")) == [paid.id]


@pytest.mark.spec("E-76")
def test_any_combination_of_statuses(channel: Channel, login: Any) -> None:
    waiting, good, bad = (claim(channel) for _ in range(3))
    channel.act("judge", good, "boss", verdict="passed")
    channel.act("judge", bad, "boss", verdict="failed", remark="无效")
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
def test_parts_of_texts_narrow_together(channel: Channel, login: Any) -> None:
    lead = filed(
        channel,
        name="沈女士",
        community="云栖里",
        company="甲装饰100%",
        designer="沈青",
        source="家装公司推荐",
    )
    wanted, other = (
        assigned(channel, lead),
        claim(channel, name="沈先生", company="乙装饰", source="家装公司推荐"),
    )
    client = login("boss")
    both, mine = {wanted.id, other.id}, {wanted.id}
    outlet = channel.stores[0].name
    for asked, found in (
        ("name=沈", both), ("name=沈女", mine), ("name=女士", mine), ("address=云栖", mine), ("address=州", both),
        (f"phone={lead.phone[-3:]}", mine), (f"phone={lead.phone}", mine), ("phone=19911", set()),
        ("company=甲装", mine), ("company=100%", mine), ("company=%25", mine), ("company=装饰", both),
        ("designer=青", mine), (f"outlet={outlet[1:3]}", both), ("outlet=不存在", set()),
        ("name=沈&company=乙", {other.id}), ("name=沈女&company=乙", set()),
    ):  # fmt: skip
        assert set(shown(client, f"{PAGE}?{asked.replace('100%', '100%25')}")) == found, asked


@pytest.mark.spec("E-78")
def test_thirteen_columns_and_a_dash_before_the_verdict(channel: Channel, login: Any) -> None:
    lead = filed(channel)
    one, two = assigned(channel, lead), assigned(channel, lead, category=1)
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


@pytest.mark.spec("E-79", "E-80")
def test_the_line_of_the_registration_above_that_of_the_showroom(channel: Channel, login: Any) -> None:
    lead = filed(channel, room="3栋502", company="甲装饰", designer="沈青", source="家装公司推荐")
    changed = assigned(channel, lead, name="王女士　", designer=" ")
    channel.change(changed, "boss", room="3栋520", telephone="05718888000")
    same = assigned(channel, lead, category=1)
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
    plain = claim(channel)
    assert plain.id not in shown(client, only)
    assert lines(shown(client)[plain.id])[2] == set()


@pytest.mark.spec("E-80")
def test_a_masked_auditor_learns_that_numbers_differ_and_nothing_else(channel: Channel, login: Any) -> None:
    grant(channel, "clerk", JUDGE)
    lead = filed(channel, phone="13811112222", telephone="05717777111")
    differs = assigned(channel, lead, phone="13833332222", telephone="05717777111")
    same = claim(channel, phone="13811115555")
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


# ----- whose claims


@pytest.mark.spec("E-03")
def test_a_manager_judges_the_granted_leads_only(channel: Channel, login: Any) -> None:
    granted, strange = claim(channel, "worker1"), claim(channel, "worker2")
    channel.grant_leads("chief", "worker1")
    client = login("chief")
    assert list(shown(client)) == [granted.id]
    assert send(client, strange, "passed").status_code == 404
    assert send(client, granted, "passed").status_code == 302
    with pytest.raises(NotFound):
        channel.act("judge", strange, "chief", verdict="passed")
    assert verdicts() == [PASSED, PENDING]


@pytest.mark.spec("E-03")
def test_a_showroom_judges_nothing_whose_lead_it_does_not_see(channel: Channel, login: Any) -> None:
    """Its assignments are the showroom's to see; the registrations of other outlets are not."""
    session = db.session()
    with acting(session):
        role = presets.preset_role(session, channel.a.id, "channel_manager")
        held = role_rules.rights_of(session, role.id)
        wide = held.scopes | {("registration_assignments", Scope.STORE)}
        role_rules.give(session, role, role_rules.Rights(held.grants, wide))
        session.commit()
    one = assigned(channel, filed(channel, "worker1"), store=0)
    client = login("chief")
    assert shown(client) == {}
    with pytest.raises(NotFound):
        channel.act("judge", one, "chief", verdict="passed")


def test_another_dealer_sees_nothing(channel: Channel, login: Any) -> None:
    grant(channel, "consultant", JUDGE, channel.b)
    one = claim(channel)
    client = login("outsider")
    assert shown(client, EVERYTHING) == {}
    assert send(client, one, "passed").status_code == 404


# ----- who else claims the customer


@pytest.mark.spec("E-53", "E-28")
def test_claims_of_one_customer_stand_together_the_tracked_first(channel: Channel, login: Any) -> None:
    now = utcnow()
    early = filed(channel, "worker1", now - timedelta(days=9), phone="13811112222", name="甲")
    late = filed(channel, "worker2", now - timedelta(days=1), phone="13811112222", name="乙", room="9栋101")
    home = filed(channel, "boss", now - timedelta(days=5), name="丙", room="9栋１０１ ")
    alone = claim(channel)
    with acting(db.session()):
        late.track_count, late.last_tracking_text = 2, "已约到店"
        db.session.commit()
    one, two = assigned(channel, early), assigned(channel, late)
    found = shown(login("boss"))
    said = re.findall(r"<li(?: class=\"(this)\")?>(.*?)</li>", found[two.id], re.S)
    names = [re.search(r"<b>(.*?)</b>", text).group(1) for _, text in said]
    assert [words(name) for name in names] == ["林二", "林一", "总管"]
    assert [mark for mark, _ in said] == ["this", "", ""]
    assert ["有跟踪" in text for _, text in said] == [True, False, False]
    assert "跟踪 2 次" in said[0][1]
    assert "已约到店" in said[0][1]
    assert "重报" in found[one.id]
    assert "共 2 条报备" in found[one.id]  # the same number, not the same home
    assert "重报" not in found[alone.id]
    assert f"/registrations/{home.id}" in said[2][1]


@pytest.mark.spec("E-29", "E-53")
def test_of_claims_out_of_scope_only_the_fact_is_told(channel: Channel, login: Any) -> None:
    mine = claim(channel, "worker1", phone="13811112222")
    filed(channel, "worker2", phone="13811112222", room="8栋808")
    channel.grant_leads("chief", "worker1")
    entry = shown(login("chief"))[mine.id]
    assert "重报" in entry
    assert "另有不在您数据范围内的报备" in entry
    assert "林二" not in entry
    assert "8栋808" not in entry


# ----- the page at work


def test_pages_follow_one_another(channel: Channel, login: Any) -> None:
    now = utcnow()
    made = [assigned(channel, filed(channel), now=now - timedelta(minutes=n)) for n in range(45)]
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
def test_the_page_needs_few_statements(app: Flask, channel: Channel, login: Any) -> None:
    channel.grant_leads("chief", "worker1")
    for n in range(22):
        assigned(channel, filed(channel, name=f"客户{n % 3}", phone="13811112222"), room="1")
    app.config["COUNT_TTL"] = 0
    for person in ("boss", "chief"):
        client = login(person)
        client.get(PAGE)
        for path in (
            PAGE, EVERYTHING, f"{EVERYTHING}&differing=1&name=客户1&address=星湖&company=x&outlet=甲&designer=青",
            f"{PAGE}?phone=13811112222", f"{PAGE}?name=没有",
        ):  # fmt: skip
            with counted() as seen:
                assert client.get(path).status_code == 200
            assert len(seen) <= LIST_LIMIT, (person, path, *seen)


def test_nonsense_in_the_address_is_no_error(channel: Channel, login: Any) -> None:
    one = claim(channel)
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


def test_the_list_of_assignments_knows_the_verdict(channel: Channel, login: Any) -> None:
    one = claim(channel)
    channel.act("judge", one, "boss", verdict="failed", remark="无此小区")
    client = login("boss")
    names = ["name", "verdict", "audit_remark", "auditor_id", "judged_at"]
    client.post("/registration_assignments/columns", data={"column": names})
    page = words(client.get("/registration_assignments/").get_data(as_text=True))
    assert "失败无此小区总管" in page
    sheet = client.post("/registration_assignments/export?verdict=failed", data={"format": "csv"})
    assert "无此小区" in sheet.get_data(as_text=True)
