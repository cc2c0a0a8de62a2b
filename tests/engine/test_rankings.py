"""Rankings and cross tables: places, the own row, totals, and the rows behind every number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.engine.resource import Net, Pivot, Ranking
from models.customers.tables import Customer, Stage
from models.orders.tables import Receipt, ReceiptKind
from tests.customers.world import World
from tests.engine.charting import change, page_of, rows_behind

WHO = Ranking("who", "谁", by=Customer.filer_id, top=1)
WHERE = Ranking("where", "哪店", by=Customer.store_id)
CROSS = Pivot("cross", "交叉", by=Customer.level, across=Customer.stage)
PEOPLE = Pivot("people", "人与级别", by=Customer.owner_id, across=Customer.level)
ALL = "scope=dealer&window=all"


@pytest.fixture
def world(forty: World) -> World:
    """Forty customers of three filers."""
    return forty


def test_the_own_place_stands_below_the_first(world: World) -> None:
    from app.engine.database import db, writing

    table: Any = Customer.__table__
    ids = [world.customer(name=f"甲{n}").id for n in range(3)]
    with writing(db.session()):
        db.session.execute(change(table).where(table.c.id.in_(ids[:1])).values(filer_id=None))
        db.session.commit()
    card = page_of(world.actor("seller2"), "scope=mine&window=all", (WHO,)).cards[0]
    assert [(b.place, b.label, b.own) for b in card.bars] == [("1", "导购乙", "我")]
    card = page_of(world.actor("boss"), ALL, (WHO,)).cards[0]
    assert [(b.place, b.label, b.own) for b in card.bars] == [
        ("1", "导购甲", ""), ("", "其余 1 人", ""), ("", "未填写", "")
    ]  # fmt: skip
    assert card.bars[2].value == 1
    everyone = Ranking("who", "谁", by=Customer.filer_id, top=9)
    whole = page_of(world.actor("boss"), ALL, (everyone,)).cards[0]
    assert [b.place for b in whole.bars] == ["1", "2", ""]
    assert [rows_behind(world.actor("boss"), b.url) for b in (*card.bars, *whole.bars)] == [
        b.value for b in (*card.bars, *whole.bars)
    ]
    assert card.total == str(int(sum(b.value for b in card.bars)))


def test_equal_amounts_share_a_place_and_the_own_store_is_marked(world: World) -> None:
    keeper = world.actor("keeper")
    card = page_of(keeper, ALL, (WHERE,)).cards[0]
    assert [b.own for b in card.bars if b.own] == ["本店"]
    equal = Ranking("money", "谁", by=Customer.filer_id, sum=Customer.contact_count)
    card = page_of(keeper, ALL, (equal,)).cards[0]
    assert {b.place for b in card.bars} == {"1"} and len(card.bars) == 2


@pytest.mark.parametrize("query", ["", "&stage=lost&stage=following", "&level=H&level=-", "&q=客户1"])
@pytest.mark.parametrize("chart", [CROSS, PEOPLE], ids=["choices", "people"])
def test_every_cell_and_total_opens_its_rows(world: World, query: str, chart: Pivot) -> None:
    boss = world.actor("boss")
    card = page_of(boss, ALL + query, (chart,)).cards[0]
    grid = card.grid
    assert grid is not None and grid.lines
    cells = [c for line in grid.lines for c in (*line.cells, line.total)] + grid.totals
    assert [rows_behind(boss, c.url) for c in cells if c.url] == [c.value for c in cells if c.url]
    assert all(c.url for c in cells if c.value)
    for line in grid.lines:
        assert sum(c.value for c in line.cells) == line.total.value
    for n in range(len(grid.columns)):
        assert sum(line.cells[n].value for line in grid.lines) == grid.totals[n].value
    assert grid.totals[-1].value == sum(line.total.value for line in grid.lines)
    heats = [c.heat for line in grid.lines for c in line.cells]
    assert max(heats) == 5 and all((h > 0) == (c.value > 0) for h, c in zip(heats, [
        c for line in grid.lines for c in line.cells
    ], strict=True))  # fmt: skip


def test_choices_stand_in_their_order_and_what_goes_beyond_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine import charts_cards

    boss = world.actor("boss")
    grid = page_of(boss, f"{ALL}&include=all", (CROSS,)).cards[0].grid
    assert [c.label for c in grid.columns] == ["跟进中", "订单客户", "战败", "失效"]
    assert [line.label for line in grid.lines] == ["H", "未填写"]
    monkeypatch.setattr(charts_cards, "BARS", 2)
    grid = page_of(boss, f"{ALL}&include=all", (CROSS,)).cards[0].grid
    assert grid.columns[-1].label == "其他"
    assert {line.cells[-1].heat for line in grid.lines} == {0}  # what is put together makes no other pale
    assert rows_behind(boss, grid.lines[-1].cells[-1].url) == grid.lines[-1].cells[-1].value


def test_more_than_was_taken_in_stands_with_its_minus(world: World) -> None:
    boss, customer = world.actor("boss"), world.customer()
    for by, kind, amount in (("seller", ReceiptKind.RECEIPT, "100"), ("keeper", ReceiptKind.REFUND, "70")):
        world.make("receipts", by, customer_id=customer.id, kind=kind, amount=Decimal(amount), method="现金")
    net = Net(Receipt.amount, by=Receipt.kind, values=(ReceiptKind.REFUND,))
    shown = (
        Ranking("who", "谁", by=Receipt.writer_id, sum=net),
        Pivot("cross", "交叉", by=Receipt.writer_id, across=Receipt.kind, sum=net),
    )
    ranking, cross = page_of(boss, "scope=dealer", shown, "receipts").cards
    assert [(b.place, b.value, b.said) for b in ranking.bars] == [
        ("1", 100, "¥100.00"), ("2", -70, "−¥70.00")
    ]  # fmt: skip
    assert [[(c.said, c.heat) for c in line.cells] for line in cross.grid.lines] == [
        [("¥100.00", 5), ("¥0.00", 0)], [("¥0.00", 0), ("−¥70.00", 0)]
    ]  # fmt: skip
    assert not cross.empty and not ranking.empty


def test_nothing_is_an_empty_card(world: World) -> None:
    empty = "scope=dealer&created_at.from=2001-01-01&created_at.to=2001-01-02"
    page = page_of(world.actor("boss"), empty, (WHO, CROSS))
    assert [c.empty for c in page.cards] == [True, True]
    excluded = Pivot(
        "x", "x", by=Customer.level, across=Customer.stage, only=((Customer.stage, (Stage.LOST,)),)
    )
    page = page_of(world.actor("boss"), "scope=dealer&stage=following", (excluded,))
    assert [c.empty for c in page.cards] == [True]
