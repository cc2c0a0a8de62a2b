"""E-01…E-16: who sees which leads, the list, its search, its toolbar and its menu."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.engine import listing, names, reading, walking
from app.engine.actions import NotFound
from app.engine.database import db, utcnow
from app.engine.perform import find
from app.engine.resource import resource
from app.engine.scopes import Scope
from models.registrations.resources import Registrations
from models.registrations.tables import AuditStatus, Progress, Registration
from tests.customers.world import grant
from tests.generic.test_queries import LIST_LIMIT, counted
from tests.plugins.people import Login
from tests.registrations.world import Channel, leads
from tests.spec.reading import footer, headings, page, rows, text

COLUMNS = [
    "序号", "审核状态", "报备进度", "客户姓名", "手机", "电话", "报备类型", "地址", "最后跟进时间", "跟踪状态",
    "最后跟踪内容", "渠道来源", "家装公司", "操作",
]  # fmt: skip


def seen(client: Any, query: str = "") -> list[str]:
    """The names of the leads in the list, in its order."""
    shown = page(client, f"/registrations/{query}")
    return [text(n) for n in re.findall(r'<td class="nm">(.*?)</td>', shown)]


@pytest.mark.spec("E-01")
def test_a_channel_worker_opens_the_page_in_its_own_tab(channel: Channel, login: Login) -> None:
    shown = page(login("worker1"), "/registrations/")
    assert "<h1>渠道报备</h1>" in shown
    assert re.search(r'<nav[^>]*id="tabs".*?渠道报备.*?</nav>', shown, re.S)


# ----- whose leads


@pytest.mark.spec("E-02")
def test_a_worker_sees_only_own_leads_by_every_way(channel: Channel, login: Login) -> None:
    channel.lead(name="甲客户")
    other = channel.lead("worker2", name="乙客户", phone="19900000077")
    client = login("worker1")
    assert seen(client) == ["甲客户"]
    for query in (
        "?q=乙客户",
        "?q=19900000077",
        "?phone=19900000077",
        "?scope=dealer",
        "?name=乙",
        f"?q={other.code}",
    ):
        assert "乙客户" not in seen(client, query), query
    for path in ("", "/panel", "/history", "/edit"):
        assert client.get(f"/registrations/{other.id}{path}").status_code == 404, path
    assert client.get(f"/api/v1/registrations/{other.id}").status_code == 404
    exported = client.post("/registrations/export?per_page=20", data={"format": "csv", "columns": "all"})
    assert exported.status_code == 200
    assert "甲客户" in exported.text and "乙客户" not in exported.text
    assert client.get(f"/api/v1/registrations/{other.id}").status_code == 404
    with pytest.raises(NotFound):
        find(db.session(), resource("registrations"), other.id, channel.actor("worker1"))


@pytest.mark.spec("E-03")
def test_a_manager_sees_own_leads_and_those_granted(channel: Channel, login: Login) -> None:
    mine = channel.lead("worker1", name="甲客户")
    other = channel.lead("worker2", name="乙客户")
    channel.lead("chief", name="丙客户")
    client = login("chief")
    assert (seen(client, "?scope=granted"), seen(client, "?scope=mine")) == ([], ["丙客户"])
    assert client.get(f"/registrations/{mine.id}").status_code == 404
    channel.grant_leads("chief", "worker1")
    assert seen(client, "?scope=granted") == ["甲客户"]
    assert seen(client, f"?q={mine.phone}") == ["甲客户"] and seen(client, f"?q={other.phone}") == []
    assert client.get(f"/registrations/{mine.id}").status_code == 200
    assert client.get(f"/registrations/{other.id}").status_code == 404
    exported = client.post("/registrations/export?scope=granted", data={"format": "csv", "columns": "shown"})
    assert "甲客户" in exported.text and "乙客户" not in exported.text
    assert seen(login("worker2")) == ["乙客户"], "a grant opens nothing to others"


@pytest.mark.spec("E-03")
def test_a_grant_does_not_reach_beyond_the_dealer(channel: Channel, login: Login) -> None:
    grant(channel, "consultant", ("can_add", "Registrations"), channel.b)
    foreign = channel.lead("outsider", name="外客户")
    channel.grant_leads("chief", "outsider")
    assert seen(login("chief"), "?scope=granted") == []
    assert login("chief").get(f"/registrations/{foreign.id}").status_code == 404


@pytest.mark.spec("E-03")
def test_leads_of_granted_people_come_in_order_whatever_way_finds_them(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime(2030, 1, 2, 3)
    for n in range(30):
        by = ("worker1", "worker2", "chief")[n % 3]
        channel.lead(by, name=f"客户{n:02}", now=start + timedelta(hours=n))
    channel.grant_leads("chief", "worker1")
    wanted = [f"客户{n:02}" for n in range(27, -1, -3)]
    for many, look in ((10**6, 5_000), (1, 5_000), (1, 4)):
        monkeypatch.setattr(walking, "MANY_PARENTS", many)
        monkeypatch.setattr(walking, "LOOK", look)
        assert _names(channel, {"scope": ["granted"]}) == wanted, (many, look)
        filtered = _names(channel, {"scope": ["granted"], "address": ["星湖"]})
        assert filtered == wanted, (many, look)


def _names(channel: Channel, args: dict[str, list[str]]) -> list[str]:
    session = db.session()
    dialect = session.get_bind().dialect.name
    query = listing.parse(Registrations, channel.actor("chief"), args, utcnow(), dialect)
    specs = listing.columns(Registrations, query.actor)
    rows = reading.read(session, query, specs)
    at = [s.name for s in specs].index("name")
    return [r.values[at] for r in rows.records]


@pytest.mark.spec("E-01", "E-03")
def test_a_shops_people_see_no_leads_and_the_clerk_all_of_the_dealer(channel: Channel, login: Login) -> None:
    channel.lead(name="甲客户")
    channel.lead("worker2", name="乙客户")
    for who in ("seller", "drawer", "keeper"):
        assert login(who).get("/registrations/").status_code == 403, who
        assert login(who).get("/partner_designers/").status_code == 403, who
    assert seen(login("typist")) == ["乙客户", "甲客户"]
    for who, scopes in (
        ("seller", {Scope.STORE}),
        ("keeper", {Scope.STORE}),
        ("chief", {Scope.MINE, Scope.GRANTED}),
    ):
        assert channel.actor(who).scopes["registration_assignments"] == scopes, who


# ----- columns and order


@pytest.mark.spec("E-05", "E-06")
def test_the_list_has_its_twelve_columns_in_order(channel: Channel, login: Login) -> None:
    lead = channel.lead(name="沈女士")
    channel.set(lead, progress=Progress.DEPOSIT)
    shown = page(login("worker1"), "/registrations/")
    assert headings(shown) == COLUMNS
    (row,) = re.findall(r'<tr><td class="k">.*?</tr>', shown, re.S)
    cells = [text(c) for c in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]
    assert cells[1:] == [
        "未审核", "付定", "沈女士", lead.phone, "—", "—", "杭州市星湖小区3栋502", "—", "待跟踪", "—", "自然客户", "—",
    ]  # fmt: skip
    channel.set(lead, last_tracked_at=datetime(2030, 1, 2, 3, 4, 5), last_tracking_text="已约到店",
                tracking_state="跟进", telephone="0571-88880000")  # fmt: skip
    row = rows(page(login("worker1"), "/registrations/"))[0]
    assert "2030-01-02 11:04:05" in row and "已约到店" in row and "跟进" in row and "0571-88880000" in row


@pytest.mark.spec("E-07")
def test_the_source_and_its_company_are_shown(channel: Channel, login: Login) -> None:
    from models.settings.catalogue import dictionary_def

    channel.lead(source="家装公司推荐", company="匠心装饰")
    row = rows(page(login("worker1"), "/registrations/"))[0]
    assert row.endswith("家装公司推荐 匠心装饰")
    known = dictionary_def("registration.source")
    assert known is not None and [e.label for e in known.presets][:5] == [
        "网销客户", "自然客户", "业务员", "家装公司推荐", "家装设计师推荐",
    ]  # fmt: skip
    assert login("boss").get("/dictionary_entries/?dictionary=registration.source").status_code == 200


@pytest.mark.spec("E-16", "E-25")
def test_the_newest_registration_is_the_first_of_twenty(channel: Channel, login: Login) -> None:
    start = datetime(2030, 1, 2, 3)
    for n in range(22):
        channel.lead(name=f"客户{n:02}", now=start + timedelta(minutes=n))
    client = login("worker1")
    shown = page(client, "/registrations/")
    assert seen(client) == [f"客户{n:02}" for n in range(21, 1, -1)]
    assert footer(shown).startswith("22条记录 1/2 页")
    made = client.post("/registrations/new", data=channel.form(name="最新客户"))
    assert made.status_code == 302
    channel.set(leads()[-1], registered_at=datetime(2031, 1, 1))
    assert seen(client)[0] == "最新客户"


# ----- conditions


@pytest.fixture
def judged(channel: Channel) -> Channel:
    """Three leads: without verdict, successful, failed."""
    for n, status in enumerate(AuditStatus):
        lead = channel.lead(name=status.label, room=f"{n}栋", now=datetime(2030, 1, 2 + n, 3))
        channel.set(lead, audit_status=status)
    return channel


@pytest.mark.spec("E-08", "E-10", "E-11", "E-12")
def test_statuses_are_combined_and_none_means_all(judged: Channel, login: Login) -> None:
    client = login("worker1")
    assert seen(client) == ["失败", "成功", "未审核"]
    for status in AuditStatus:
        assert seen(client, f"?audit_status={status.value}") == [status.label]
    assert seen(client, "?audit_status=failed&audit_status=passed") == ["失败", "成功"]


@pytest.mark.spec("E-08", "E-09")
def test_the_statuses_stand_as_ticks_in_the_form_that_searches(channel: Channel, login: Login) -> None:
    shown = page(login("worker1"), "/registrations/?audit_status=failed")
    form = re.search(r'<form class="filters" id="filters".*?</form>', shown, re.S)
    assert form is not None
    area = re.search(r'<span class="ticks"[^>]*aria-label="审核状态">.*?</span></label></span>', form[0])
    assert area is not None
    assert [text(w) for w in re.findall(r"<label.*?</label>", area[0])] == ["未审核", "成功", "失败"]
    assert re.findall(r'value="(\w+)" checked', area[0]) == ["failed"]
    assert re.search(r'<button class="btn1" form="filters">.*?检索</button>', shown)
    assert 'aria-label="视图"' not in shown, "nothing but the button searches"


@pytest.mark.spec("E-13")
def test_every_condition_finds_by_its_part_and_all_hold_together(channel: Channel, login: Login) -> None:
    channel.lead(name="沈女士", community="星湖小区", phone="19911112222", source="家装公司推荐", company="匠心装饰",
                 designer="沈青", now=datetime(2030, 1, 2, 3))  # fmt: skip
    channel.lead(name="顾先生", community="月桂花园", phone="19933334444", now=datetime(2030, 2, 2, 3))
    channel.set(leads()[1], audit_status=AuditStatus.FAILED, progress=Progress.ASSIGNED)
    client = login("worker1")
    me, home = channel.people["worker1"].id, channel.stores[0].id
    for query, wanted in (
        ("name=沈", "沈女士"), ("name=女士", "沈女士"), ("address=湖小", "沈女士"), ("address=桂", "顾先生"),
        ("phone=1111", "沈女士"), ("phone=19933334444", "顾先生"), ("phone=199 3333", "顾先生"),
        ("company=匠心", "沈女士"), ("designer=沈青", "沈女士"), ("source=自然客户", "顾先生"),
        ("progress=assigned", "顾先生"), ("registered_at.from=2030-02-01", "顾先生"),
        ("registered_at.to=2030-01-31", "沈女士"), ("address=星湖&audit_status=pending", "沈女士"),
        (f"registrant_id={me}&outlet_id={home}&name=顾", "顾先生"), ("q=客户&name=顾", None),
        ("address=星湖&audit_status=failed", None), ("name=沈&address=月桂", None), ("company=别家", None),
        ("q=沈女士&name=顾", None), ("q=沈女士&name=沈&address=星湖", "沈女士"),
    ):  # fmt: skip
        assert seen(client, f"?{query}") == ([wanted] if wanted else []), query
    shown = page(client, "/registrations/?address=星湖&audit_status=pending")
    chips = text(re.search(r'<div class="chips">.*?</div>', shown, re.S)[0])  # type: ignore[index]
    assert "地址：星湖" in chips and "审核状态：未审核" in chips


@pytest.mark.spec("E-13")
def test_parts_are_searched_for_the_same_whether_they_are_rare_or_not(
    channel: Channel, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(25):
        channel.lead(
            name=f"客户{n:02}", community="星湖小区" if n % 5 else "月桂花园", now=datetime(2030, 1, 1 + n)
        )
    client, wanted = login("worker1"), [f"客户{n:02}" for n in range(20, -1, -5)]
    for frequent, look in ((2000, 5000), (0, 5000), (0, 3)):
        monkeypatch.setattr(names, "FREQUENT", frequent)
        monkeypatch.setattr(walking, "LOOK", look)
        assert seen(client, "?address=月桂花园") == wanted, (frequent, look)
        assert seen(client, "?address=月桂花园&name=客户") == wanted, (frequent, look)
        assert footer(page(client, "/registrations/?address=月桂")).startswith("5条记录")


@pytest.mark.spec("E-13")
def test_who_sees_no_number_asks_for_no_part_of_one(channel: Channel, login: Login) -> None:
    channel.lead(phone="19911112222")
    client = login("typist")
    for part in ("1111", "1991111", "2222"):
        assert seen(client, f"?phone={part}") == [], part
    assert seen(client, "?phone=19911112222") == ["张女士"]
    refused = client.get("/api/v1/registrations?phone=1111")
    assert refused.json["result"] == []


@pytest.mark.spec("E-13")
def test_a_search_by_parts_needs_no_more_statements(app: Any, channel: Channel, login: Login) -> None:
    app.config["COUNT_TTL"] = 0
    channel.lead()
    client = login("worker1")
    client.get("/registrations/")
    with counted() as asked:
        client.get("/registrations/?name=张女&address=星湖小区&phone=139&company=匠心&designer=沈青&q=张女士")
    assert len(asked) <= LIST_LIMIT, asked


# ----- toolbar and menu


def tools(shown: str) -> list[str]:
    """The words of the toolbar in order."""
    bar = shown.partition('<div class="tools"')[2].partition('<div class="bar">')[0]
    bar_text = re.sub(r'<form class="pop".*?</form>', "", bar, flags=re.S)
    return [text(b) for b in re.findall(r"<(?:button|a|summary) .*?</(?:button|a|summary)>", bar_text, re.S)]


@pytest.mark.spec("E-14")
def test_the_toolbar_stands_in_its_order(channel: Channel, login: Login) -> None:
    wanted = ["检索", "新增", "修改", "删除", "导入excel", "导出EXCEL", "客户跟踪记录"]
    assert tools(page(login("worker1"), "/registrations/")) == wanted


@pytest.mark.spec("E-14")
def test_without_a_selection_the_hint_appears_and_nothing_happens(channel: Channel, login: Login) -> None:
    first, second = channel.lead(), channel.lead()
    client = login("worker1")
    for name in ("edit", "delete"):
        for chosen in ("", f"?id={first.id}&id={second.id}"):
            answer = client.get(f"/registrations/selected/{name}{chosen}", follow_redirects=True)
            assert "请先选择一条客户线索" in answer.text, (name, chosen)
    assert len(leads()) == 2
    assert client.get("/registrations/selected/nothing?id=1").status_code == 404
    assert client.get("/registrations/selected/export?id=1").status_code == 404


@pytest.mark.spec("E-14", "E-35")
def test_the_selected_lead_is_opened_for_modification(channel: Channel, login: Login) -> None:
    lead = channel.lead()
    answer = login("worker1").get(f"/registrations/selected/edit?id={lead.id}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/registrations/{lead.id}/edit")


MENU = ["快速建档", "修改客户档案", "删除客户档案", "客户跟踪记录", "派遣设计师量房", "客户线索分配到展厅"]


def menu(shown: str) -> list[tuple[str, bool]]:
    """The entries of the row menu and whether they may be used."""
    box = shown.partition('id="rowmenu"')[2].partition("</div>")[0]
    found = re.findall(r"<button ([^>]*)>(.*?)</button>", box, re.S)
    return [(text(words), "aria-disabled" not in attributes) for attributes, words in found]


@pytest.mark.spec("E-15")
def test_the_menu_of_a_row_has_its_entries_in_order(channel: Channel, login: Login) -> None:
    for who, without in (("chief", set()), ("worker1", {"客户线索分配到展厅"})):
        shown = menu(page(login(who), "/registrations/"))
        assert [name for name, _ in shown] == MENU, who
        assert {name for name, usable in shown if not usable} == without, who


@pytest.mark.spec("E-15")
def test_an_entry_without_the_right_is_grey(channel: Channel, login: Login) -> None:
    lead = channel.lead()
    client = login("typist")
    shown = dict(menu(page(client, "/registrations/")))
    assert shown["修改客户档案"] and not shown["删除客户档案"]
    assert client.post(f"/registrations/{lead.id}/delete").status_code == 403
    assert client.get(f"/registrations/selected/delete?id={lead.id}").status_code == 403
    assert db.session.get(Registration, lead.id) is not None
