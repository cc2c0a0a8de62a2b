"""我的报备: a registrant's own numbers, what is left today, what would help."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.engine.audit import acting
from app.engine.database import db
from app.engine.localtime import local
from models.registrations import protection
from models.registrations.tables import RegistrationQuota
from tests.customers.world import utcnow, words
from tests.registrations.units import ASSIGNED, DEPOSIT, FAILED, PASSED, PENDING, lead
from tests.registrations.world import Channel

URL = "/registration-standing/"


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The trade with its channel workers."""
    return channel


def page_of(client: Any) -> str:
    """The page's markup."""
    answer = client.get(URL)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def figures(page: str) -> dict[str, tuple[str, str]]:
    """Value and remark by label."""
    found = re.findall(r'kpi"[^>]*><span>(.*?)</span><b>(.*?)</b>(?:<small>(.*?)</small>)?', page)
    return {label: (value, remark) for label, value, remark in found}


def rows_behind(client: Any, page: str, label: str) -> str:
    """What the list says that a figure or piece of advice opens."""
    found = re.search(rf'<a class="card0 kpi" href="([^"]+)"><span>{label}', page)
    found = found or re.search(rf'<p>[^<]*{label}[^<]*</p><a class="link" href="([^"]+)"', page)
    assert found is not None, label
    return str(client.get(found.group(1).replace("&amp;", "&")).get_data(as_text=True))


def test_rates_are_those_of_the_statistics_and_open_their_rows(world: Channel, login: Any) -> None:
    lead(world, "worker1", (DEPOSIT, PASSED), (ASSIGNED, FAILED))
    lead(world, "worker1", (DEPOSIT, PENDING))
    lead(world, "worker1")
    lead(world, "worker1", (DEPOSIT, FAILED), at=utcnow() - timedelta(days=70))
    lead(world, "worker2", (DEPOSIT, PASSED))
    client = login("worker1")
    page = page_of(client)
    shown = figures(page)
    assert shown["报备成功比"] == ("25%", "1 / 4")
    assert shown["付定比"] == ("50%", "2 / 4")
    assert shown["报备失败比"] == ("25%", "1 / 4")
    assert "1条记录" in rows_behind(client, page, "报备成功比")
    assert "2条记录" in rows_behind(client, page, "付定比")
    assert "1条记录" in rows_behind(client, page, "报备失败比")


@pytest.mark.spec("E-59")
def test_what_is_left_today_is_shown(world: Channel, login: Any) -> None:
    client = login("worker1")
    assert figures(page_of(client))["今日剩余容量"] == ("不限", "今日已报备 0")
    session = db.session()
    with acting(session):
        session.add(
            RegistrationQuota(employee_id=world.people["worker1"].id, daily_limit=3, dealer_id=world.a.id)
        )
        session.commit()
    lead(world, "worker1", at=utcnow())
    lead(world, "worker1", at=utcnow() - timedelta(days=2))
    page = page_of(client)
    assert figures(page)["今日剩余容量"] == ("2", "今日已报备 1")
    assert "1条记录" in rows_behind(client, page, "今日剩余容量")


def test_protected_customers_with_the_days_that_are_left(world: Channel, login: Any) -> None:
    now = utcnow()
    lead(world, "worker1", (DEPOSIT, PASSED), name="严女士", protected_until=now + timedelta(days=3, hours=2))
    lead(world, "worker1", (DEPOSIT, PASSED), name="何先生", protected_until=now - timedelta(hours=1))
    page = page_of(login("worker1"))
    assert "严女士还剩4天" in words(page) and "何先生" not in page
    assert figures(page)["保护期内的客户"][0] == "1"


@pytest.mark.parametrize(
    ("until", "left"),
    [(timedelta(days=3), 3), (timedelta(days=3, seconds=1), 4), (timedelta(seconds=1), 1), (timedelta(0), 0)],
)
def test_a_day_that_has_begun_counts(until: timedelta, left: int) -> None:
    now = datetime(2026, 3, 1, 4)
    assert protection.days_left(now + until, now) == left


def test_advice_follows_from_facts_and_opens_its_leads(world: Channel, login: Any) -> None:
    client = login("worker1")
    assert "没有需要补做的" in page_of(client)
    today: date = local(utcnow()).date()
    lead(world, "worker1", track_count=0)
    lead(world, "worker1", (ASSIGNED, PENDING), track_count=0)
    lead(world, "worker1", track_count=2, next_tracking_on=today - timedelta(days=1))
    lead(world, "worker1", track_count=2, next_tracking_on=today)
    lead(world, "worker1", (ASSIGNED, PASSED), track_count=0, next_tracking_on=today - timedelta(days=9))
    lead(world, "worker2", track_count=0, next_tracking_on=today - timedelta(days=9))
    page = page_of(client)
    assert "2 条线索还没有跟踪记录" in page and "2条记录" in rows_behind(client, page, "还没有跟踪记录")
    assert "1 条线索的下次跟踪时间已过" in page and "1条记录" in rows_behind(client, page, "下次跟踪时间已过")
    assert "1 条已指派的线索还没有审核" in page and "1条记录" in rows_behind(client, page, "还没有审核")


def test_who_sees_everybody_s_leads_finds_the_own_here(world: Channel, login: Any) -> None:
    lead(world, "boss", (DEPOSIT, PASSED), protected_until=utcnow() + timedelta(days=3))
    lead(world, "boss", track_count=0)
    lead(world, "worker1", (DEPOSIT, FAILED), name="何先生", track_count=0)
    client = login("boss")
    page = page_of(client)
    assert figures(page)["报备成功比"] == ("50%", "1 / 2") and "何先生" not in page
    for label in ("报备成功比", "保护期内的客户", "还没有跟踪记录"):
        assert "1条记录" in rows_behind(client, page, label)


def test_failed_leads_with_the_auditor_s_words(world: Channel, login: Any) -> None:
    lead(world, "worker1", (ASSIGNED, FAILED), name="严女士")
    lead(world, "worker2", (ASSIGNED, FAILED), name="何先生")
    page = page_of(login("worker1"))
    assert "严女士" in page and "号码是空号" in page and "何先生" not in page
    assert "最近 1 条审核失败的原因列在下方" in page


def test_the_page_is_for_those_who_register(world: Channel, login: Any) -> None:
    assert login("drawer").get(URL).status_code == 403
    assert "我的报备" not in login("drawer").get("/").get_data(as_text=True)
    assert login("worker1").get(URL).status_code == 200


def test_the_home_page_of_who_files_leads_begins_with_them(world: Channel, login: Any) -> None:
    lead(world, "worker1")
    page = login("worker1").get("/").get_data(as_text=True)
    assert re.search(r'class="card0 todo warn" href="/registrations/\?[^"]*view=untracked"', page)
    assert "增加报备客户" in page and "未跟踪的线索" in page
    assert "最近的客户" not in page, "a list that may not be seen has no card"
    other = login("seller").get("/").get_data(as_text=True)
    assert "最近的客户" in other and "未跟踪的线索" not in other
