"""Charts: one grouped statement each, under the list's filters; every bar opens exactly its rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, current_app
from sqlalchemy import DateTime, event, literal, select, update

from app.engine import charts, listing, measures, reading
from app.engine.database import db, utcnow, writing
from app.engine.guards import CUSTOMER_PHONE
from app.engine.resource import Breakdown, Funnel, Number, Trend, resource
from models.customers.tables import Customer, Stage
from tests.customers.world import World, build, grant

STAGES = (Stage.FOLLOWING, Stage.FOLLOWING, Stage.ORDERED, Stage.LOST, Stage.INVALID)


@pytest.fixture
def world(app: Flask) -> World:
    """Two dealers and forty customers of different age, stage and owner."""
    made = build()
    now = utcnow()
    table: Any = Customer.__table__
    ids = [
        made.customer(by=("seller", "seller2", "outsider")[n % 3], name=f"客户{n % 4}").id for n in range(40)
    ]
    with writing(db.session()):
        for n, record_id in enumerate(ids):
            values = {
                "created_at": now - timedelta(days=n * 7, hours=n % 24),
                "stage": STAGES[n % 5],
                "level": (None, "H", "A")[n % 3],
                "owner_id": None if n % 7 == 0 else made.people["seller"].id,
                "net_received": n * 100,
            }
            db.session.execute(update(table).where(table.c.id == record_id).values(**values))
        db.session.commit()
    return made


CHARTS = (
    Number("all", "全部"),
    Number("ordered", "订单客户", where=lambda now: Customer.stage == Stage.ORDERED),
    Number("money", "已收", sum=Customer.net_received),
    Breakdown("by_stage", "阶段", by=Customer.stage),
    Breakdown("by_level", "级别", by=Customer.level),
    Breakdown("by_owner", "导购", by=Customer.owner_id, style="pie"),
    Breakdown("by_store", "门店收款", by=Customer.store_id, sum=Customer.net_received),
    Funnel("funnel", "漏斗", by=Customer.stage, steps=(Stage.FOLLOWING, Stage.ORDERED, Stage.SERVED)),
    Trend("filed", "新增", at=Customer.created_at),
)


def page_of(actor: Any, query: str = "", shown: tuple[Any, ...] = CHARTS) -> Any:
    """The charts page of customers for that address."""
    customers: Any = resource("customers")
    session = db.session()
    args = parse_qs(query)
    asked = listing.parse(customers, actor, args, utcnow(), session.get_bind().dialect.name)
    before = customers.charts
    customers.charts = shown
    try:
        with current_app.test_request_context():
            return charts.page(customers, actor, asked.condition, asked.params, args, asked.now)
    finally:
        customers.charts = before


def rows_behind(actor: Any, url: str) -> int:
    """How many records the list shows at that address."""
    customers: Any = resource("customers")
    parts = urlsplit(url)
    assert parts.path == "/customers/"
    session = db.session()
    query = listing.parse(customers, actor, parse_qs(parts.query), utcnow(), session.get_bind().dialect.name)
    assert not query.errors
    amount, more = reading.count(session, query)
    assert not more
    return amount


@pytest.mark.parametrize(
    "query",
    [
        "", "scope=dealer", "scope=mine", "scope=dealer&window=all", "scope=dealer&stage=lost&stage=invalid",
        "scope=dealer&view=ordered", "scope=dealer&level=-", "scope=dealer&q=客户1", "scope=dealer&view=urgent",
        "scope=dealer&created_at.from=2026-09-01&created_at.to=2026-10-15",
    ],
)  # fmt: skip
@pytest.mark.spec("A-64", "A-70")
def test_every_bar_and_number_opens_exactly_its_rows(world: World, query: str) -> None:
    actor = world.actor("boss") if "scope=dealer" in query else world.actor("seller")
    page = page_of(actor, query)
    opened = 0
    for card in page.cards:
        assert len(card.labels) == len(card.values) == len(card.urls)
        for label, value, url in zip(card.labels, card.values, card.urls, strict=True):
            if url and card.key != "by_store":
                assert rows_behind(actor, url) == value, (card.key, label)
                opened += 1
    for number in page.numbers:
        if number.url and number.name != "money":
            assert str(rows_behind(actor, number.url)) == number.count, number.label
            opened += 1
    assert opened


def test_words_not_codes_and_empty_values_have_their_own_bar(world: World) -> None:
    page = page_of(world.actor("boss"), "scope=dealer&window=all")
    cards = {c.key: c for c in page.cards}
    assert set(cards["by_stage"].labels) == {"跟进中", "订单客户", "战败"}
    assert charts.NOTHING in cards["by_owner"].labels
    assert "导购甲" in cards["by_owner"].labels
    assert cards["funnel"].labels == ["跟进中", "订单客户", "已服务"]
    assert cards["by_store"].unit == "元"
    assert cards["by_store"].total.startswith("¥")
    assert sum(cards["by_stage"].values) == sum(cards["by_level"].values) == sum(cards["filed"].values)


def test_beyond_twenty_bars_the_rest_is_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "BARS", 2)
    actor = world.actor("boss")
    card = page_of(actor, "scope=dealer&window=all", (Breakdown("s", "阶段", by=Customer.stage),)).cards[0]
    assert card.labels[-1] == charts.OTHERS
    assert len(card.labels) == 3
    assert rows_behind(actor, card.urls[-1]) == card.values[-1]


def test_one_grouped_statement_per_chart(world: World) -> None:
    actor = world.actor("boss")
    seen: list[str] = []

    def note(*args: Any) -> None:
        if args[2].lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    page_of(actor, "scope=dealer")
    event.remove(db.engine, "before_cursor_execute", note)
    grouped = [s for s in seen if "GROUP BY" in s]
    assert len(grouped) == len([c for c in CHARTS if not isinstance(c, Number)])
    assert len([s for s in seen if s not in grouped and "count(" in s]) == 1


def test_a_guarded_column_is_charted_for_nobody_who_may_not_read_it(world: World) -> None:
    chart = Breakdown("phones", "电话", by=Customer.phone)
    actor = world.actor("seller")
    assert page_of(actor, "", (chart,)).cards
    grant(world, "consultant", CUSTOMER_PHONE.permission)
    assert page_of(world.actor("seller"), "", (chart,)).cards == []


@pytest.mark.spec("A-70")
def test_charts_obey_the_scope(world: World) -> None:
    everything = page_of(world.actor("boss"), "scope=dealer&window=all").numbers[0]
    mine = page_of(world.actor("seller"), "scope=mine&window=all").numbers[0]
    foreign = page_of(world.actor("outsider"), "scope=mine&window=all").numbers[0]
    assert int(mine.count) < int(everything.count) < 40
    assert 0 < int(foreign.count) < 40 - int(everything.count) + 1


def test_a_number_without_its_view_opens_nothing(world: World) -> None:
    chart = Number("x", "无视图", where=lambda now: Customer.stage == Stage.LOST)
    assert page_of(world.actor("boss"), "scope=dealer", (chart,)).numbers[0].url == ""


@pytest.mark.parametrize(
    ("first", "last", "step"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), "day"),
        (date(2026, 6, 1), date(2026, 11, 22), "week"),
        (date(2025, 1, 1), date(2026, 11, 22), "month"),
        (None, None, "month"),
        (None, date(2026, 1, 1), "month"),
    ],
)
def test_the_step_fits_the_period(first: date | None, last: date | None, step: str) -> None:
    assert measures.step_of(first, last) == step


def test_steps_run_without_gaps() -> None:
    assert measures.steps([date(2026, 1, 1), date(2026, 4, 1)], "month") == [
        date(2026, n, 1) for n in range(1, 5)
    ]
    assert measures.steps([], "day") == []
    assert measures.following(date(2026, 12, 1), "month") == date(2027, 1, 1)
    assert measures.step_label(date(2026, 12, 1), "month") == "2026-12"


@pytest.mark.parametrize(
    ("moment", "day", "week", "month"),
    [
        (datetime(2026, 11, 30, 15, 59), "2026-11-30", "2026-11-30", "2026-11-01"),
        (datetime(2026, 11, 30, 16, 0), "2026-12-01", "2026-11-30", "2026-12-01"),
        (datetime(2026, 11, 29, 15, 59, 59, 5), "2026-11-29", "2026-11-23", "2026-11-01"),
        (datetime(2026, 1, 1, 0, 0), "2026-01-01", "2025-12-29", "2026-01-01"),
    ],
)
def test_buckets_are_chinas(app: Flask, moment: datetime, day: str, week: str, month: str) -> None:
    dialect = db.engine.dialect.name
    stored = literal(moment, DateTime())
    for step, expected in (("day", day), ("week", week), ("month", month)):
        found = db.session.scalar(select(measures.bucket(stored, True, step, dialect)))
        assert str(found)[:10] == expected


def test_the_page_is_shown_to_those_who_may_and_to_nobody_else(world: World, login: Any) -> None:
    page = login("boss").get("/customers/charts?scope=dealer")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "客户图表" in text
    assert 'action="/customers/charts"' in text
