"""Charts: one grouped statement each, under the list's filters; every bar opens exactly its rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import DateTime, event, literal, select

from app.engine import charts, charts_cards, measures
from app.engine.database import db, utcnow, writing
from app.engine.guards import CUSTOMER_PHONE
from app.engine.localtime import local, local_day
from app.engine.resource import Breakdown, Funnel, Net, Number, Trend, charted
from models.customers.tables import Customer, Stage
from models.orders.tables import ReceiptKind
from tests.customers.world import World, grant
from tests.engine.charting import change, rows_behind
from tests.engine.charting import page_of as shown_page


@pytest.fixture
def world(forty: World) -> World:
    """Two dealers and forty customers of different age, stage and owner."""
    return forty


CHARTS = (
    Number("all", "全部"),
    Number("ordered", "订单客户", view="ordered"),
    Number("served", "未失效", only=((Customer.stage, (Stage.FOLLOWING, Stage.LOST, Stage.SERVED)),)),
    Number("money", "已收", sum=Customer.net_received),
    Breakdown("by_stage", "阶段", by=Customer.stage),
    Breakdown("by_level", "级别", by=Customer.level),
    Breakdown("by_owner", "导购", by=Customer.owner_id, style="pie"),
    Breakdown("by_store", "门店收款", by=Customer.store_id, sum=Customer.net_received),
    Funnel("funnel", "漏斗", by=Customer.stage, steps=(Stage.FOLLOWING, Stage.ORDERED, Stage.SERVED)),
    Trend("filed", "新增", at=Customer.created_at),
)


def page_of(actor: Any, query: str = "", shown: tuple[Any, ...] = CHARTS, name: str = "customers") -> Any:
    """The charts page of a list, by default with all kinds of charts."""
    return shown_page(actor, query, shown, name)


@pytest.mark.parametrize(
    "query",
    [
        "", "scope=dealer", "scope=mine", "scope=dealer&window=all", "scope=dealer&stage=lost&stage=invalid",
        "scope=dealer&view=ordered", "scope=dealer&level=-", "scope=dealer&q=客户1", "scope=dealer&view=urgent",
        "scope=dealer&created_at.from={from}&created_at.to={to}", "created_at.to={to}",
        "scope=dealer&stage=following&stage=served", "scope=dealer&include=all", "q=客户1&level=A",
        "scope=dealer&created_at=-", "scope=dealer&created_at.from=nonsense",
    ],
)  # fmt: skip
@pytest.mark.spec("A-64", "A-70")
def test_every_bar_and_number_opens_exactly_its_rows(world: World, query: str) -> None:
    today = local(utcnow()).date()
    query = query.format_map({"from": today - timedelta(days=90), "to": today - timedelta(days=45)})
    actor = world.actor("boss") if "scope=dealer" in query else world.actor("seller")
    page = page_of(actor, query)
    opened = 0
    for card in page.cards:
        for bar in card.bars:
            if bar.url and card.key != "by_store":
                assert rows_behind(actor, bar.url) == bar.value, (card.key, bar.label)
                opened += 1
    for figure in page.figures:
        if figure.url and figure.name != "money":
            assert str(rows_behind(actor, figure.url)) == figure.value, figure.label
            opened += 1
    assert opened


def test_words_not_codes_and_empty_values_have_their_own_bar(world: World) -> None:
    page = page_of(world.actor("boss"), "scope=dealer&window=all")
    cards = {c.key: c for c in page.cards}
    assert {b.label for b in cards["by_stage"].bars} == {"跟进中", "订单客户", "战败"}
    assert charts.NOTHING in [b.label for b in cards["by_owner"].bars]
    assert "导购甲" in [b.label for b in cards["by_owner"].bars]
    assert cards["by_store"].unit == "元"
    assert cards["by_store"].total.startswith("¥")
    sums = {sum(b.value for b in cards[key].bars) for key in ("by_stage", "by_level", "filed")}
    assert len(sums) == 1


def test_beyond_twenty_bars_the_rest_is_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts_cards, "BARS", 2)
    actor = world.actor("boss")
    card = page_of(actor, "scope=dealer&window=all", (Breakdown("s", "阶段", by=Customer.stage),)).cards[0]
    assert card.bars[-1].label == charts_cards.OTHERS
    assert len(card.bars) == 3
    assert rows_behind(actor, card.bars[-1].url) == card.bars[-1].value


def test_shares_of_a_choice_come_in_its_order_and_colours(world: World) -> None:
    table: Any = Customer.__table__
    with writing(db.session()):
        ids = list(db.session.scalars(select(table.c.id).where(table.c.dealer_id == world.a.id).limit(10)))
        db.session.execute(change(table).values(stage="lost", level=None))
        for level, some in ((None, ids[:1]), ("D", ids[1:6]), ("A", ids[6:9]), ("H", ids[9:])):
            db.session.execute(
                change(table).where(table.c.id.in_(some)).values(stage="following", level=level)
            )
        db.session.commit()
    by_level = Breakdown("level", "级别", by=Customer.level, style="pie")
    query = "scope=dealer&window=all&stage=following"
    card = page_of(world.actor("boss"), query, (by_level,)).cards[0]
    assert [(b.label, b.value, b.note, b.tone) for b in card.bars] == [
        ("H", 1, "10%", "r"), ("A", 3, "30%", "w"), ("D", 5, "50%", "n"), (charts.NOTHING, 1, "10%", "n")
    ]  # fmt: skip
    owner = Breakdown("owner", "导购", by=Customer.owner_id)
    card = page_of(world.actor("boss"), "scope=dealer", (owner,)).cards[0]
    assert [b.value for b in card.bars] == sorted((b.value for b in card.bars), reverse=True)
    assert {b.tone for b in card.bars} == {""}


FUNNEL = Funnel("f", "漏斗", by=Customer.stage, steps=(Stage.FOLLOWING, Stage.ORDERED, Stage.SERVED))


def test_a_funnel_counts_who_reached_a_step(world: World) -> None:
    table: Any = Customer.__table__
    with writing(db.session()):
        db.session.execute(change(table).values(stage="served", created_at=utcnow()))
        ids = list(db.session.scalars(select(table.c.id).where(table.c.dealer_id == world.a.id).limit(8)))
        for stage, some in (("following", ids[:5]), ("ordered", ids[5:6]), ("lost", ids[6:])):
            db.session.execute(change(table).where(table.c.id.in_(some)).values(stage=stage))
        db.session.commit()
    actor = world.actor("boss")
    card = page_of(actor, "scope=dealer", (FUNNEL,)).cards[0]
    values = [b.value for b in card.bars]
    served = values[2]
    assert values == [served + 6, served + 1, served] and served > 6
    assert [b.label for b in card.bars] == ["跟进中及以后", "订单客户及以后", "已服务"]
    assert [b.note for b in card.bars] == [
        "", f"{values[1] / values[0]:.0%}", f"{values[2] / values[1]:.0%}"
    ]  # fmt: skip
    assert card.remark == "不含战败、失效"
    assert [rows_behind(actor, b.url) for b in card.bars] == values
    narrowed = page_of(actor, "scope=dealer&stage=ordered", (FUNNEL,)).cards[0]
    assert [b.value for b in narrowed.bars] == [1, 1, 0]
    assert [rows_behind(actor, b.url) for b in narrowed.bars[:2]] == [1, 1]


def test_charts_of_the_same_rows_are_counted_by_few_walks(world: World) -> None:
    actor = world.actor("boss")
    seen: list[str] = []

    def note(*args: Any) -> None:
        if args[2].lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    page_of(actor, "scope=dealer")
    event.remove(db.engine, "before_cursor_execute", note)
    grouped = [s for s in seen if "GROUP BY" in s]
    assert len(grouped) == 3  # three that count by choices, one by people, and one that sums
    assert len([s for s in seen if "steps" in s]) == 1  # the trend
    figures = [s for s in seen if s not in grouped and "steps" not in s and "count(" in s]
    assert len(figures) == 6  # three sets of rows, each for this period and the one before


@pytest.mark.parametrize(
    "chart",
    [
        Breakdown("x", "x", by=Customer.phone),
        Breakdown("x", "x", by=Customer.stage, sum=Customer.phone),
        Breakdown("x", "x", by=Customer.stage, sum=Net(Customer.phone, Customer.stage, (Stage.LOST,))),
        Breakdown("x", "x", by=Customer.stage, sum=Net(Customer.net_received, Customer.phone, ("1",))),
        Breakdown("x", "x", by=Customer.stage, only=((Customer.phone, ("13800000001",)),)),
    ],
)
def test_a_guarded_column_is_charted_for_nobody_who_may_not_read_it(world: World, chart: Breakdown) -> None:
    grant(world, "consultant", CUSTOMER_PHONE.permission)
    figure = Number("y", "y", sum=chart.sum or Customer.phone, only=chart.only)
    page = page_of(world.actor("seller"), "", (chart, figure))
    assert page.cards == [] and page.figures == []
    assert any(spec.guard is CUSTOMER_PHONE for spec in charted(chart))


@pytest.mark.spec("A-70")
def test_charts_obey_the_scope(world: World) -> None:
    everything = page_of(world.actor("boss"), "scope=dealer&window=all").figures[0]
    mine = page_of(world.actor("seller"), "scope=mine&window=all").figures[0]
    foreign = page_of(world.actor("outsider"), "scope=mine&window=all").figures[0]
    assert int(mine.value) < int(everything.value) < 40
    assert 0 < int(foreign.value) < 40 - int(everything.value) + 1


def test_without_a_scope_the_page_opens_as_wide_as_the_person_may_see(world: World) -> None:
    page = page_of(world.actor("keeper"))
    assert [s.label for s in page.scopes if s.active] == ["全部客户"]
    assert page.figures[0].value == page_of(world.actor("keeper"), "scope=dealer").figures[0].value
    assert "scope=dealer" in page.list_url
    assert "scope=dealer" in page.figures[0].url
    narrow = page_of(world.actor("keeper"), "scope=mine")
    assert [s.label for s in narrow.scopes if s.active] == ["我的客户"]
    assert [s.label for s in page_of(world.actor("seller")).scopes if s.active] == ["我的客户"]


def test_the_list_takes_its_conditions_to_the_charts(world: World, login: Any) -> None:
    client = login("keeper")
    for address, expected in (
        ("/customers/", "/customers/charts"),
        ("/customers/?page=2", "/customers/charts"),
        ("/customers/?level=A", "/customers/charts?level=A&scope=store"),
        ("/customers/?scope=mine&level=A", "/customers/charts?level=A&scope=mine"),
    ):
        text = client.get(address).get_data(as_text=True).replace("&amp;", "&")
        assert f'href="{expected}"><i class="ti ti-chart-bar">' in text, address


def test_figures_compare_with_the_period_before(world: World) -> None:
    table: Any = Customer.__table__
    today = local(utcnow()).date()
    with writing(db.session()):
        ids = list(db.session.scalars(select(table.c.id).where(table.c.dealer_id == world.a.id).limit(7)))
        db.session.execute(change(table).values(created_at=utcnow() - timedelta(days=900), stage="following"))
        for days, some in ((0, ids[:4]), (30, ids[4:5]), (31, ids[5:6]), (61, ids[6:7]), (62, ids[7:])):
            at = local_day(today - timedelta(days=days)) + timedelta(hours=1)
            db.session.execute(change(table).where(table.c.id.in_(some)).values(created_at=at))
        db.session.commit()
    span = f"created_at.from={today - timedelta(days=30)}&created_at.to={today}"
    total = page_of(world.actor("boss"), f"scope=dealer&{span}").figures[0]
    assert (total.value, total.change) == ("5", "▲ 150%")
    assert f"{today - timedelta(days=61)} 至 {today - timedelta(days=31)}" in total.before
    assert total.before.endswith("：2")
    assert page_of(world.actor("boss"), "scope=dealer&window=all").figures[0].change == ""
    assert page_of(world.actor("boss"), f"scope=dealer&created_at.to={today}").figures[0].change == ""


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(112, 100, "▲ 12%"), (97, 100, "▼ 3%"), (5, 5, "持平"), (5, 0, "上期无数据"), (0, 0, ""), (0, 4, "▼ 100%"),
     (-50, -100, "▲ 50%")],
)  # fmt: skip
def test_a_change_in_words(now: int, before: int, said: str) -> None:
    assert measures.change(Decimal(now), Decimal(before)) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(1, 3, "33%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (0, 5, "0%"), (0, 0, "")],
)
def test_shares_in_words(part: float, whole: float, said: str) -> None:
    assert measures.share(part, whole) == said


def test_the_page_says_which_rows_it_reads(world: World) -> None:
    boss, today = world.actor("boss"), local(utcnow()).date()
    first = today - timedelta(days=180)
    assert page_of(boss).period.words == f"全部客户，创建时间 {first} 至 {today}（默认近180天）"
    assert page_of(boss, "window=all").period.words == "全部客户，创建时间 不限"
    assert page_of(boss, "view=urgent").period.words == "全部客户，创建时间 不限"
    own = page_of(boss, "created_at.from=2026-09-01&created_at.to=2026-10-15").period
    assert own.words == "全部客户，创建时间 2026-09-01 至 2026-10-15"
    assert own.own and not any(link.active for link in own.links)
    assert [link.label for link in page_of(boss).period.links if link.active] == ["近180天"]
    for link in page_of(boss, "view=urgent&level=A").period.links:
        again = page_of(boss, urlsplit(link.url).query)
        assert [other.label for other in again.period.links if other.active] == [link.label]
        assert "level=A" in again.list_url and "view=urgent" in again.list_url


def test_every_list_with_a_time_offers_a_period(world: World) -> None:
    for name, column in (
        ("customers", "created_at"), ("contacts", "created_at"), ("receipts", "paid_on"), ("tasks", "due_at"),
        ("follow_ups", "at"), ("service_orders", "created_at"), ("factory_orders", "created_at"),
    ):  # fmt: skip
        period = page_of(world.actor("boss"), "", (), name).period
        assert [link.label for link in period.links] == ["近30天", "近90天", "近180天", "近一年", "全部"]
        assert period.name == column


TREND = (Trend("t", "新增", at=Customer.created_at),)


def test_a_trend_covers_the_whole_period(world: World) -> None:
    boss, today = world.actor("boss"), local(utcnow()).date()
    table: Any = Customer.__table__
    with writing(db.session()):
        db.session.execute(change(table).values(created_at=local_day(today - timedelta(days=9))))
        db.session.commit()
    card = page_of(boss, f"scope=dealer&created_at.from={today - timedelta(days=30)}", TREND).cards[0]
    assert len(card.bars) == 31
    assert [n for n, b in enumerate(card.bars) if b.value] == [21]
    assert card.bars[0].label == f"{today - timedelta(days=30):%m-%d}"
    assert card.bars[-1].words == today.isoformat()
    weeks = page_of(boss, "scope=dealer&created_at.from=2026-05-27&created_at.to=2026-08-30", TREND).cards[0]
    assert (weeks.bars[0].label, weeks.bars[0].words) == ("05-27", "05-27 至 05-31")
    assert (weeks.bars[1].label, weeks.bars[1].words) == ("06-01", "06-01 至 06-07")
    assert weeks.bars[-1].words == "08-24 至 08-30"
    months = page_of(boss, "scope=dealer&created_at.from=2025-01-01&created_at.to=2026-08-15", TREND).cards[0]
    assert [b.label for b in months.bars][:2] == ["2025-01", "2025-02"]
    assert months.bars[-1].words == "2026-08-01 至 2026-08-15"
    assert len(months.bars) == 20
    assert months.empty


def test_charts_of_nothing_say_so(world: World, login: Any) -> None:
    client = login("boss")
    text = client.get("/customers/charts?created_at.from=2001-01-01&created_at.to=2001-02-01")
    shown = text.get_data(as_text=True)
    assert shown.count("该期间没有数据") == shown.count('id="chart-') >= 5
    assert "data-v=" not in shown


@pytest.mark.parametrize(
    "query",
    ["created_at.from=0001-01-01&created_at.to=9999-12-31", "created_at.from=9999-12-30",
     "created_at.from=1800-01-01", "created_at.from=2026-09-01&created_at.to=2026-01-01",
     "created_at.from=0002-01-01&created_at.to=9999-12-30"],
)  # fmt: skip
def test_absurd_periods_are_answered(world: World, query: str) -> None:
    page = page_of(world.actor("boss"), query)
    assert page.cards and all(len(card.bars) <= 400 for card in page.cards)


def test_money_is_charted_net_of_refunds_and_without_voided_entries(world: World) -> None:
    boss = world.actor("boss")
    customer = world.customer()
    paid = {}
    for key, amount, kind, method in (
        ("first", "300", ReceiptKind.RECEIPT, "现金"), ("second", "50", ReceiptKind.RECEIPT, "扫码支付"),
        ("wrong", "7", ReceiptKind.RECEIPT, "现金"), ("back", "100", ReceiptKind.REFUND, "现金"),
    ):  # fmt: skip
        values = {"kind": kind, "amount": Decimal(amount), "method": method}
        paid[key] = world.make("receipts", customer_id=customer.id, **values)
    world.act("void", paid["wrong"], by="boss", reason="记错")
    page = page_of(boss, "scope=dealer", (), "receipts")
    figures = {f.name: f for f in page.figures}
    assert figures["net"].value == "¥250.00" and rows_behind(boss, figures["net"].url) == 3
    assert figures["received"].value == "¥350.00" and rows_behind(boss, figures["received"].url) == 2
    assert figures["refunded"].value == "¥100.00" and rows_behind(boss, figures["refunded"].url) == 1
    assert figures["entries"].value == "3笔"
    cards = {c.key: c for c in page.cards}
    assert cards["paid"].total == "¥250.00" and cards["paid"].bars[-1].value == 250
    assert [(b.label, b.value, rows_behind(boss, b.url)) for b in cards["kind"].bars] == [
        ("收款", 350, 2), ("退款", 100, 1)
    ]  # fmt: skip
    assert [(b.label, b.value, rows_behind(boss, b.url)) for b in cards["method"].bars] == [
        ("现金", 300, 1), ("扫码支付", 50, 1)
    ]  # fmt: skip
    refunds = page_of(boss, "scope=dealer&kind=refund", (), "receipts")
    figures = {f.name: f for f in refunds.figures}
    assert (figures["received"].value, figures["received"].url) == ("¥0.00", "")
    assert figures["net"].value == "−¥100.00" and rows_behind(boss, figures["net"].url) == 1
    assert next(c for c in refunds.cards if c.key == "method").empty


@pytest.mark.parametrize(
    ("first", "last", "step"),
    [
        (date(2026, 11, 1), date(2026, 12, 31), "day"),
        (date(2026, 6, 1), date(2026, 11, 22), "week"),
        (date(2025, 1, 1), date(2026, 11, 22), "month"),
    ],
)
def test_the_step_fits_the_period(first: date, last: date, step: str) -> None:
    assert measures.step_of(first, last) == step


def test_steps_run_without_gaps() -> None:
    found = {date(2026, 1, 8): 1, date(2026, 1, 31): 2, date(2026, 3, 1): 3}
    months = measures.in_steps(found, date(2026, 1, 2), date(2026, 4, 30), "month")
    assert months == {date(2026, 1, 1): 3, date(2026, 2, 1): 0, date(2026, 3, 1): 3, date(2026, 4, 1): 0}
    weeks = measures.in_steps({date(2026, 12, 31): 4}, date(2026, 12, 28), date(2027, 1, 4), "week")
    assert weeks == {date(2026, 12, 28): 4, date(2027, 1, 4): 0}
    assert measures.end_of(date(2026, 12, 1), "month") == date(2026, 12, 31)
    assert measures.end_of(date(9999, 12, 1), "month") == date.max


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 30, 15, 59), "2026-11-30"),
        (datetime(2026, 11, 30, 16, 0), "2026-12-01"),
        (datetime(2026, 11, 29, 15, 59, 59, 5), "2026-11-29"),
        (datetime(2026, 1, 1, 0, 0), "2026-01-01"),
    ],
)
def test_days_are_chinas(app: Flask, moment: datetime, day: str) -> None:
    stored = literal(moment, DateTime())
    found = db.session.scalar(select(measures.day_of(stored, True, db.engine.dialect.name)))
    assert str(found)[:10] == day


def test_the_page_is_shown_to_those_who_may_and_to_nobody_else(world: World, login: Any) -> None:
    page = login("boss").get("/customers/charts?scope=dealer")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "客户图表" in text
    assert 'action="/customers/charts"' in text
