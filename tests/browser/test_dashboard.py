"""The manager's morning: the dashboard by store and period, from a bar to its rows, and into a spreadsheet."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.browser.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def rows_of(page: Any, key: str) -> dict[str, int]:
    """The table of a chart: names and numbers."""
    card = page.locator(f"#chart-{key}")
    card.get_by_role("button", name="表格").click()
    lines = card.locator("tbody tr").all()
    names = [line.locator("[data-name]").inner_text().strip() for line in lines]
    numbers = [line.locator("[data-v]").first.inner_text().strip().replace(",", "") for line in lines]
    return {name: int(number) for name, number in zip(names, numbers, strict=True)}


def test_a_manager_looks_at_a_store_and_follows_a_number(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    page.get_by_role("navigation", name="快捷入口").get_by_role("link", name="经理看板").click()
    expect(page.get_by_role("heading", name="经理看板")).to_be_visible()
    page.get_by_role("navigation", name="时间").get_by_text("全部").click()
    expect(page.locator("[data-reading]")).to_have_text("统计范围：不限")
    total = page.locator(".kpi", has_text="新增客户").locator("b")
    expect(total).to_have_text("8位")
    page.get_by_label("门店").select_option(index=1)
    page.get_by_role("button", name="切换", exact=True).click()
    expect(page.locator("[data-reading]")).to_contain_text("不限，门店：")
    expect(page.get_by_role("navigation", name="时间").locator(".on")).to_have_text("全部")
    expect(total).not_to_have_text("8位")
    for key in ("customers-created", "customers-source", "customers-owner", "customers-stage"):
        expect(page.locator(f"#chart-{key} .plot svg path").first).to_be_attached()
    counted = rows_of(page, "customers-source")
    name, number = next(iter(counted.items()))
    page.locator("#chart-customers-source tbody a", has_text=re.compile(f"^{number}$")).first.click()
    expect(page).to_have_url(re.compile("/customers/"))
    expect(page.locator(".foot")).to_contain_text(f"{number}条记录")
    expect(page.locator(".chips")).to_contain_text(name)


def test_a_cell_of_the_cross_table_opens_its_rows(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/dashboards/manager?day=all")
    cell = page.locator("#chart-customers-source_stage td.heat5 a").first
    number = cell.inner_text()
    cell.click()
    expect(page.locator(".foot")).to_contain_text(f"{number}条记录")


def test_the_numbers_go_into_a_spreadsheet(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/dashboards/manager?day=all")
    counted = rows_of(page, "customers-source")
    with page.expect_download() as started:
        page.get_by_role("button", name="导出表格", exact=True).click()
    assert started.value.suggested_filename.startswith("经理看板 ")
    sheet = load_workbook(io.BytesIO(started.value.path().read_bytes()))["来源分布"]
    assert {row[0]: row[1] for row in sheet.iter_rows(min_row=6, values_only=True)} == counted
    assert sheet["A1"].value == "来源分布" and "导出人" in sheet["A3"].value


def test_the_picture_bears_its_title_and_what_it_reads(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/dashboards/manager?day=all")
    expect(page.locator("#chart-customers-source .plot svg path").first).to_be_attached()
    page.evaluate(
        "() => { window.said = []; const draw = CanvasRenderingContext2D.prototype.fillText;"
        " CanvasRenderingContext2D.prototype.fillText = function (text, ...at)"
        " { window.said.push(String(text)); return draw.call(this, text, ...at); }; }"
    )
    with page.expect_download() as started:
        page.get_by_role("button", name="下载图片：来源分布").click()
    assert started.value.path().read_bytes().startswith(b"\x89PNG")
    said = page.evaluate("() => window.said")
    assert "来源分布" in said and any("全部客户，创建时间 不限" in s for s in said)
    assert "自然到店" in said


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_the_whole_dashboard(page_as: Any, world: World, dark: bool) -> None:
    page = page_as("manager1", size=NARROW, dark=dark)
    page.goto("/dashboards/manager?day=all")
    expect(page.locator("#chart-receipts-paid, #chart-customers-created").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_without_scripts_the_tables_are_the_page(page_as: Any, world: World) -> None:
    page = page_as("manager1", scripts=False)
    page.goto("/dashboards/manager?day=all")
    expect(page.locator("#chart-customers-source tbody tr").first).to_be_visible()
    expect(page.get_by_role("button", name="下载图片：来源分布")).to_be_hidden()
    page.get_by_label("门店").select_option(index=1)
    page.get_by_role("button", name="切换", exact=True).click()
    expect(page.locator("[data-reading]")).to_contain_text("门店：")


def test_the_home_page_opens_what_waits(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/")
    card = page.locator(".todo", has_text="未跟进潜客")
    number = card.locator("b").inner_text()
    card.click()
    expect(page.locator(".foot")).to_contain_text(f"{number}条记录")
