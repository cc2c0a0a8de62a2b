"""Charts as spreadsheets: the page's numbers, texts that stay texts, and a line in the history."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.engine.audit import AuditEntry
from app.engine.database import db, writing
from app.engine.guards import CUSTOMER_PHONE
from models.identity.tables import Store
from tests.customers.world import World, grant
from tests.engine.charting import change, page_of

DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")')


@pytest.fixture
def world(forty: World) -> World:
    """Forty customers."""
    return forty


def book(answer: Any) -> Any:
    """The workbook of an answer."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    return load_workbook(io.BytesIO(answer.data))


def lines(sheet: Any) -> list[list[Any]]:
    """What stands under the headings."""
    return [[c for c in row if c is not None] for row in sheet.iter_rows(min_row=6, values_only=True)]


def test_the_sheet_holds_what_the_page_shows(world: World, login: Any) -> None:
    query = "scope=dealer&window=all&level=H"
    page = page_of(world.actor("boss"), query)
    found = book(login("boss").post(f"/customers/charts.xlsx?{query}"))
    source = found["阶段漏斗"]
    assert source["A2"].value == f"统计范围：{page.period.words}"
    assert "总管" in source["A3"].value and "导出时间" in source["A3"].value
    by_title = {c.title: c for c in page.cards if not c.empty}
    assert set(found.sheetnames) - set(by_title) == {"客户图表"}
    for title, card in by_title.items():
        got = lines(found[title])
        if card.grid is not None:
            assert [r[1:] for r in got[:-1]] == [
                [*(c.value for c in line.cells), line.total.value] for line in card.grid.lines
            ]
        else:
            numbers = [next(v for v in r[1:] if not isinstance(v, str)) for r in got]
            assert numbers == [b.value for b in card.bars]
    assert [r[:2] for r in lines(found["客户图表"])] == [[f.label, f.amount] for f in page.figures]
    one = book(login("boss").post(f"/customers/charts.xlsx?{query}&chart=stage"))
    assert one.sheetnames == ["阶段漏斗"]


@pytest.mark.parametrize("name", DANGEROUS)
def test_names_are_texts_and_never_formulas(world: World, login: Any, name: str) -> None:
    table: Any = Store.__table__
    with writing(db.session()):
        db.session.execute(change(table).where(table.c.dealer_id == world.a.id).values(name=name))
        db.session.commit()
    sheet = book(login("boss").post("/customers/charts.xlsx?scope=dealer&window=all&chart=store"))["门店排行"]
    cells = [cell for row in sheet.iter_rows(min_row=6) for cell in row if isinstance(cell.value, str)]
    assert name.strip() in {str(c.value).strip() for c in cells}
    assert {c.data_type for c in cells} == {"s"}


def test_taking_out_is_kept_in_the_history(world: World, login: Any) -> None:
    login("boss").post("/customers/charts.xlsx?scope=dealer&level=A")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export_charts")).one()
    assert (entry.actor_name, entry.resource, entry.kind_label, entry.action_label) == (
        "总管", "customers", "客户", "导出图表"
    )  # fmt: skip
    assert "张表" in entry.record_label and "全部客户" in entry.record_label
    log = login("boss").get("/audit_entries/").get_data(as_text=True)
    assert "导出图表" in log


def test_conditions_that_cannot_be_read_are_refused_in_words(world: World, login: Any) -> None:
    answer = login("boss").post("/customers/charts.xlsx?created_at.from=gestern")
    assert answer.status_code == 400
    assert "不是有效的日期" in answer.get_data(as_text=True)
    assert db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == "export_charts")) is None


@pytest.mark.parametrize(
    "path", ["/customers/charts.xlsx", "/dashboards/manager.xlsx", "/dashboards/manager"]
)
def test_without_the_right_there_is_a_sentence(world: World, login: Any, path: str) -> None:
    client = login("seller")
    answer = client.post(path) if path.endswith(".xlsx") else client.get(path)
    assert answer.status_code == 403
    assert "权限" in answer.get_data(as_text=True)
    assert login("seller").get("/dashboards/nothing").status_code == 404


def test_a_chart_over_a_hidden_column_is_refused_by_its_address(world: World, login: Any) -> None:
    from app.engine.resource import Breakdown, resource
    from models.customers.tables import Customer

    customers: Any = resource("customers")
    before = customers.charts
    customers.charts = (*before, Breakdown("phones", "号码", by=Customer.phone))
    try:
        grant(world, "manager", CUSTOMER_PHONE.permission)
        for path in ("charts", "charts.xlsx"):
            client = login("keeper")
            ask = client.post if path.endswith("xlsx") else client.get
            answer = ask(f"/customers/{path}?chart=phones")
            assert answer.status_code == 403
            assert "手机号码" in answer.get_data(as_text=True)
        assert "chart-phones" not in login("keeper").get("/customers/charts").get_data(as_text=True)
        assert login("keeper").get("/customers/charts?chart=nothing").status_code == 404
    finally:
        customers.charts = before
