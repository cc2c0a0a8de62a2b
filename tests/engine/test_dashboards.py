"""The manager's dashboard: one period, store and person for every number, and each opens its rows."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import current_app

from app.engine import dashboards, home
from app.engine.actions import Forbidden
from app.engine.database import utcnow
from app.engine.localtime import local
from models.analytics.dashboards import MANAGER
from models.orders.tables import ReceiptKind
from tests.customers.world import World
from tests.engine.charting import rows_behind


@pytest.fixture
def world(forty: World) -> World:
    """Forty customers, some money and some contacts."""
    made = forty
    customer = made.customer()
    for kind, amount in ((ReceiptKind.RECEIPT, "300"), (ReceiptKind.REFUND, "50")):
        made.make("receipts", customer_id=customer.id, kind=kind, amount=Decimal(amount), method="现金")
    made.act("write_follow_up", customer, text="已联系")
    return made


def shown(actor: Any, query: str = "", **more: Any) -> Any:
    """The dashboard of an address."""
    with current_app.test_request_context():
        return dashboards.page(MANAGER, actor, parse_qs(query), utcnow(), **more)


QUERIES = ("", "day=all", "day=all&store={store}", "day=all&store={store}&person={person}", "day.from={from}")


@pytest.mark.parametrize("person", ["boss", "keeper"])
@pytest.mark.parametrize("query", QUERIES)
def test_every_number_opens_its_rows(world: World, query: str, person: str) -> None:
    ids = {
        "store": world.stores[0].id, "person": world.people["seller"].id,
        "from": local(utcnow()).date() - timedelta(days=100),
    }  # fmt: skip
    actor = world.actor(person)
    page = shown(actor, query.format_map(ids))
    opened = 0
    for figure in page.figures:
        if figure.unit != "元":
            assert rows_behind(actor, figure.url) == figure.amount, figure.label
            opened += 1
    for card in page.cards:
        cells = [(b.url, b.value) for b in card.bars]
        if card.grid is not None:
            cells = [(c.url, c.value) for line in card.grid.lines for c in (*line.cells, line.total)]
        for url, value in cells:
            if url and card.unit != "元":
                assert rows_behind(actor, url) == value, card.title
                opened += 1
    assert opened > 10
    assert len(page.cards) == 8


def test_the_switches_hold_for_every_list(world: World) -> None:
    boss, seller = world.actor("boss"), world.people["seller"]
    page = shown(boss, f"day=all&person={seller.id}")
    assert {b.name: "人员：导购甲" in b.reading for b in page.blocks} == dict.fromkeys(
        ("customers", "receipts", "follow_ups", "tasks"), True
    )
    money = next(f for f in page.figures if f.name == "net")
    assert (money.value, money.change) == ("¥250.00", "")
    other = shown(boss, f"day=all&person={world.people['seller2'].id}")
    assert next(f for f in other.figures if f.name == "net").value == "¥0.00"
    named = shown(boss, "day=all&person__text=导购甲")
    assert [f.value for f in named.figures] == [f.value for f in page.figures]
    month = shown(boss)
    assert [link.label for link in month.period.links if link.active] == ["本月"]
    for link in month.period.links:
        again = shown(boss, link.url.partition("?")[2])
        assert link.label in [other.label for other in again.period.links if other.active]
    before = next(f for f in month.figures if f.name == "total").before
    assert re.match(r"上期（\d{4}-\d\d-\d\d 至 \d{4}-\d\d-\d\d）", before)


def test_pickers_offer_only_what_the_person_sees(world: World) -> None:
    names = {o.label for f in shown(world.actor("boss")).pickers for o in f.options}
    assert {"导购甲", "导购乙", "店长甲"} <= names and "导购丙" not in names
    foreign = shown(world.actor("boss"), f"day=all&person={world.people['outsider'].id}")
    assert "（无权查看）" in foreign.period.words and "导购丙" not in foreign.period.words
    assert {f.amount for f in foreign.figures} == {0}


def test_a_wrong_day_is_said_and_an_empty_period_is_empty(world: World) -> None:
    page = shown(world.actor("boss"), "day.from=gestern&day.to=2001-01-01")
    assert page.error == "时间：“gestern”不是有效的日期"
    page = shown(world.actor("boss"), "day.from=2001-01-01&day.to=2001-01-31")
    assert len(page.cards) == 8 and all(card.empty for card in page.cards)
    absurd = shown(world.actor("boss"), "day.from=0001-01-01&day.to=9999-12-31")
    assert len(absurd.cards) == 8


def test_whoever_sees_no_charts_sees_no_dashboard(world: World, login: Any) -> None:
    with pytest.raises(Forbidden):
        shown(world.actor("seller"))
    assert "经理看板" not in login("seller").get("/").get_data(as_text=True)
    text = login("keeper").get("/").get_data(as_text=True)
    assert 'href="/dashboards/manager"' in text
    assert login("keeper").get("/dashboards/").headers["Location"].endswith("/dashboards/manager")
    answer = login("keeper").get("/dashboards/manager")
    assert answer.status_code == 200
    assert 'id="chart-customers-stage"' in answer.get_data(as_text=True)


def test_the_own_month_counts_what_names_the_person(world: World) -> None:
    with current_app.test_request_context():
        mine = {f.name: f for f in home.own_figures(world.actor("seller"), utcnow())}
        others = {f.label: f.value for f in home.own_figures(world.actor("seller2"), utcnow())}
    seller = world.actor("seller")
    figures = {f.label: f for f in mine.values()}
    assert set(figures) == {"新增客户"} or figures["跟进次数"].value == "1次"
    assert others["跟进次数"] == "0次"
    with current_app.test_request_context():
        found = home.own_figures(seller, utcnow())
    assert [f.label for f in found] == ["新增客户", "跟进次数", "收款净额"]
    assert found[2].value == "¥250.00"
    assert [rows_behind(seller, f.url) for f in found[:2]] == [f.amount for f in found[:2]]
    assert rows_behind(seller, found[2].url) == 2
