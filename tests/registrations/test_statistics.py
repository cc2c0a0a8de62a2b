"""客户报备统计: periods, units, rates, the sum row, who sees what, and the spreadsheet."""

from __future__ import annotations

import io
import re
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.engine.audit import AuditEntry, acting
from app.engine.database import db
from app.engine.localtime import local, local_day
from models.identity import presets, role_rules
from models.registrations import statistics
from models.registrations.statistics import Counts, of_one, percent
from models.registrations.tables import Assignment, Registration
from tests.customers.world import utcnow
from tests.registrations.units import (
    ASSIGNED,
    DEPOSIT,
    FAILED,
    PASSED,
    PENDING,
    REGISTERED,
    lead,
)
from tests.registrations.world import Channel

URL = "/registration-statistics/"
HEADINGS = [
    "报备网点",
    "报备人",
    "总报备数",
    "报备",
    "指派",
    "付定",
    "成功",
    "失败",
    "未审",
    "付定比",
    "报备成功比",
    "报备失败比",
]
UNITS = [(p, v) for p in (ASSIGNED, DEPOSIT) for v in (PENDING, PASSED, FAILED)]
DAY = date(2026, 3, 25)


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The trade with its channel workers."""
    return channel


def table(client: Any, **asked: Any) -> list[list[str]]:
    """The rows of the page, the sum row last."""
    answer = client.get(f"{URL}?{urlencode(asked, doseq=True)}")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    rows = re.findall(r"<tr><td class=\"place\">.*?</tr>", page, re.S)
    cells = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", re.sub(r"<small.*?</small>", "", row), re.S) for row in rows
    ]
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells]


def of(rows: list[list[str]], name: str) -> list[str]:
    """The row of that registrant."""
    return next(row for row in rows if row[1] == name)


def days(first: date, last: date) -> dict[str, str]:
    """The period as the form sends it."""
    return {statistics.START: first.isoformat(), statistics.END: last.isoformat()}


def noon(day: date) -> datetime:
    """The middle of that day in China."""
    return local_day(day) + timedelta(hours=12)


@pytest.mark.spec("E-83")
def test_only_leads_of_the_days_count_both_included(world: Channel, login: Any) -> None:
    first, last = date(2026, 2, 25), DAY
    before, after = local_day(first), local_day(last + timedelta(days=1))
    second = timedelta(seconds=1)
    for at in (before - second, before, after - second, after):
        lead(world, "worker1", at=at)
        lead(world, "worker1", (ASSIGNED, PENDING), at=at)
    found = table(login("boss"), **days(first, last))
    assert found[-1][2:9] == ["4", "2", "2", "0", "0", "0", "4"]
    assert table(login("boss"), **days(last + timedelta(days=1), last + timedelta(days=1)))[-1][2] == "2"


@pytest.mark.spec("E-83")
def test_the_default_is_the_last_month_and_an_end_before_the_start_is_refused(
    world: Channel, login: Any
) -> None:
    assert statistics.last_month(DAY).first == date(2026, 2, 25)
    assert statistics.last_month(date(2026, 3, 31)).first == date(2026, 2, 28)
    assert statistics.last_month(date(2026, 1, 5)).first == date(2025, 12, 5)
    today = local(utcnow()).date()
    lead(world, "worker1", at=noon(statistics.last_month(today).first))
    lead(world, "worker1", at=noon(statistics.last_month(today).first - timedelta(days=1)))
    assert table(login("boss"))[-1][2] == "1"
    page = login("boss").get(f"{URL}?{urlencode(days(DAY, DAY - timedelta(days=1)))}").get_data(as_text=True)
    assert re.search(r'registered_at.to-e"[^>]*>.*截止时间不能早于开始时间', page)
    assert 'aria-invalid="true"' in page and "<tbody>" not in page
    assert "不是有效的日期" in login("boss").get(f"{URL}?{statistics.START}=31.12.2026").get_data(
        as_text=True
    )


@pytest.mark.spec("E-83")
def test_outlet_and_registrant_narrow_it(world: Channel, login: Any) -> None:
    lead(world, "worker1")
    lead(world, "worker2", outlet=1)
    boss = login("boss")
    assert len(table(boss)) == 3
    assert [r[1] for r in table(boss, outlet_id=world.stores[1].id)] == ["林二", "合计"]
    assert [r[1] for r in table(boss, registrant_id=world.people["worker1"].id)] == ["林一", "合计"]


@pytest.mark.spec("E-84")
def test_the_sample_gives_exactly_its_row(world: Channel, login: Any) -> None:
    for unit in ((ASSIGNED, PENDING), (ASSIGNED, PENDING), (ASSIGNED, PENDING), (DEPOSIT, PENDING)):
        lead(world, "worker1", unit)
    page = login("boss").get(URL).get_data(as_text=True)
    flat = [re.sub(r"<[^>]*>", "", h) for h in re.findall(r"<th scope=\"col[^>]*>.*?</th>", page)]
    assert flat == [*HEADINGS[:3], "报备分布", *HEADINGS[9:], *HEADINGS[3:9]]
    assert table(login("boss"))[0] == [
        world.stores[0].name, "林一", "4", "0", "3", "1", "0", "0", "4", "25%", "0%", "0%",
    ]  # fmt: skip


@pytest.mark.spec("E-85")
def test_registered_counts_leads_that_are_unassigned_now(world: Channel, login: Any) -> None:
    for n in range(5):
        lead(world, "worker1", *([(ASSIGNED, PENDING)] if n < 2 else []))
    assert table(login("boss"))[0][3] == "3"
    lead(world, "worker1", withdrawn=1)
    assert table(login("boss"))[0][3:5] == ["4", "2"], "a withdrawn assignment counts nowhere"


@pytest.mark.spec("E-86", "E-87", "E-89")
def test_the_unit_is_the_assignment(world: Channel, login: Any) -> None:
    lead(world, "worker1", (ASSIGNED, PENDING), (ASSIGNED, PENDING))
    assert table(login("boss"))[0][2:6] == ["2", "0", "2", "0"]
    lead(world, "worker2", (ASSIGNED, PENDING), (DEPOSIT, FAILED))
    lead(world, "worker2")
    found = of(table(login("boss")), "林二")
    assert found[2:6] == ["3", "1", "1", "1"], "a deposit counts whatever the audit says"


@pytest.mark.spec("E-88", "E-90", "E-91", "E-92")
def test_results_add_up_to_the_total_and_rates_are_of_it(world: Channel, login: Any) -> None:
    lead(world, "worker1", (DEPOSIT, PASSED), (ASSIGNED, PASSED), (ASSIGNED, FAILED))
    lead(world, "worker1")
    assert table(login("boss"))[0][2:] == ["4", "1", "2", "1", "2", "1", "1", "25%", "50%", "25%"]
    lead(world, "worker2", (DEPOSIT, PENDING), (ASSIGNED, PENDING), (ASSIGNED, PENDING))
    found = table(login("boss"))
    assert of(found, "林二")[2:] == ["3", "0", "2", "1", "0", "0", "3", "33.33%", "0%", "0%"]
    assert found[-1][2:] == ["7", "1", "4", "2", "2", "1", "4", "28.57%", "28.57%", "14.29%"]


@pytest.mark.spec("E-90")
@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (1, 3, "33.33%"), (2, 3, "66.67%"), (1, 4, "25%"), (1, 8, "12.5%"), (1, 800, "0.13%"), (7, 7, "100%"),
        (0, 9, "0%"), (0, 0, "0%"), (1, 100_000, "0%"), (100, 1000, "10%"),
    ],
)  # fmt: skip
def test_rates_have_two_decimals_at_most(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


@pytest.mark.spec("E-02", "E-03", "E-83")
def test_staff_see_themselves_and_managers_what_was_granted(world: Channel, login: Any) -> None:
    for who in ("worker1", "worker2", "chief", "outsider"):
        lead(world, who, (ASSIGNED, PENDING))
        lead(world, who)
    assert [r[1] for r in table(login("worker1"))] == ["林一", "合计"]
    assert [r[1] for r in table(login("chief"))] == ["周经理", "合计"]
    assert {r[1] for r in table(login("boss"))} == {"林一", "林二", "周经理", "合计"}
    world.grant_leads("chief", "worker2")
    found = table(login("chief"))
    assert [r[1] for r in found] == ["周经理", "林二", "合计"] and found[-1][2] == "4"
    assert login("typist").get(URL).status_code == 403


def test_every_number_opens_its_rows(world: Channel, login: Any) -> None:
    lead(world, "worker1", (ASSIGNED, PENDING), (DEPOSIT, PASSED), withdrawn=2)
    lead(world, "worker1", (ASSIGNED, FAILED))
    lead(world, "worker2")
    lead(world, "worker2", at=utcnow() - timedelta(days=90))
    world.grant_leads("chief", "worker1", "worker2")
    for who in ("boss", "worker1", "chief"):
        client = login(who)
        page = client.get(URL).get_data(as_text=True)
        body = re.search(r"<tbody>.*</tfoot>", page, re.S)
        assert body is not None
        links = re.findall(r'<a href="([^"]+)">(\d+)</a>', body.group())
        assert len(links) >= (14 if who != "worker1" else 10)
        for url, number in links:
            listed = client.get(url.replace("&amp;", "&")).get_data(as_text=True)
            assert f"{number}条记录" in listed, (who, url, number)


@pytest.mark.spec("E-93")
def test_the_spreadsheet_says_what_the_page_says(world: Channel, login: Any) -> None:
    lead(world, "worker1", (DEPOSIT, PASSED), (ASSIGNED, FAILED))
    lead(world, "worker2")
    boss = login("boss")
    shown = table(boss)
    answer = boss.post(f"{URL}export")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = [["" if v is None else str(v) for v in row] for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == HEADINGS
    assert rows[1:4] == [*shown[:-1], ["合计", "", *shown[-1][2:]]]
    assert rows[-1][0].startswith("导出人：总管") and "报备时间" in rows[-1][0]
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export")).one()
    assert entry.record_label == "导出客户报备统计 2 行" and entry.actor_id == world.people["boss"].id


@pytest.mark.spec("E-93")
def test_taking_out_needs_its_permission_and_a_sound_period(world: Channel, login: Any) -> None:
    lead(world, "worker1")
    assert f"{URL}export" in login("worker1").get(URL).get_data(as_text=True)
    _keep_in_house(world, "channel_worker")
    assert f"{URL}export" not in login("worker1").get(URL).get_data(as_text=True)
    assert login("worker1").post(f"{URL}export").status_code == 403
    answer = login("boss").post(f"{URL}export?{urlencode(days(DAY, DAY - timedelta(days=1)))}")
    assert answer.status_code == 400 and statistics.LATE in answer.get_data(as_text=True)
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export")).first() is None


def _keep_in_house(world: Channel, role: str) -> None:
    """Take the permission to write statistics out from a preset role."""
    session = db.session()
    with acting(session):
        found = presets.preset_role(session, world.a.id, role)
        held = role_rules.rights_of(session, found.id)
        without = held.grants - {("can_export_statistics", "Registrations")}
        role_rules.give(session, found, role_rules.Rights(without, held.scopes))
        session.commit()


def test_a_condition_that_assignments_cannot_repeat_is_an_error(app: Flask) -> None:
    with pytest.raises(KeyError):
        statistics.of_assignments(Registration.company == "某公司")


# ----- against plain counting


def reference(claims: list[tuple[str, int, list[tuple[Any, Any]]]], first: int, last: int) -> Counter[Any]:
    """The same counts by going through everything one by one."""
    found: Counter[Any] = Counter()
    for who, day, units in claims:
        if first <= day <= last:
            for progress, verdict in units or [(REGISTERED, PENDING)]:
                found[who, progress] += 1
                found[who, verdict] += 1
    return found


claims = st.lists(
    st.tuples(st.sampled_from(["worker1", "worker2", "chief"]), st.integers(0, 6), st.lists(st.sampled_from(UNITS), max_size=3)),
    max_size=12,
)  # fmt: skip


@pytest.mark.spec("E-85", "E-86", "E-87", "E-88", "E-89")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=claims, first=st.integers(0, 6), length=st.integers(0, 6))
def test_counts_are_those_of_plain_counting(
    world: Channel, login: Any, drawn: Any, first: int, length: int
) -> None:
    session = db.session()
    session.execute(delete(Assignment), execution_options={"audited": True})
    session.execute(delete(Registration), execution_options={"audited": True})
    session.commit()
    start = date(2026, 3, 1)
    for who, day, units in drawn:
        lead(world, who, *units, at=noon(start + timedelta(days=day)), withdrawn=day % 2)
    expected = reference(drawn, first, first + length)
    asked = days(start + timedelta(days=first), start + timedelta(days=first + length))
    found = {row[1]: row for row in table(login("boss"), **asked)}
    for who in {w for w, _ in expected}:
        row = found[world.people[who].name]
        wanted = [expected[who, key] for key in (REGISTERED, ASSIGNED, DEPOSIT, PASSED, FAILED, PENDING)]
        assert [int(n) for n in row[3:9]] == wanted
        assert int(row[2]) == sum(wanted[:3]) == sum(wanted[3:])
        share = Decimal(100 * wanted[2]) / int(row[2])
        assert Decimal(row[9][:-1]) == share.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert len(found) == (len({w for w, _ in expected}) + 1 if expected else 0)


def test_counts_add_up() -> None:
    one, other = of_one(DEPOSIT, PASSED, 2), of_one(REGISTERED, PENDING)
    assert one + other == Counts(registered=1, deposit=2, passed=2, pending=1)
    assert (one + other).total == 3
