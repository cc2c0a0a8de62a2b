"""Charts: every bar opens exactly its rows; the numbers stand beside the picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser


def test_a_manager_clicks_a_bar_and_stands_in_its_rows(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/?scope=dealer")
    page.get_by_role("link", name="图表").click()
    expect(page.get_by_role("heading", name="客户图表")).to_be_visible()
    card = page.locator("#chart-source")
    expect(card.locator(".plot svg")).to_be_visible()
    card.get_by_role("button", name="表格").click()
    line = card.locator("tbody tr").filter(has_text="自然到店")
    expect(line.locator("[data-v]")).to_have_text("2")
    line.get_by_role("link").last.click()
    expect(page).to_have_url(re.compile("/customers/"))
    screen.lists(page, "何雨桐", "周敏")


def test_the_picture_itself_can_be_clicked(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/charts?scope=dealer")
    plot = page.locator("#chart-level .plot")
    plot.scroll_into_view_if_needed()
    expect(plot.locator("svg path").first).to_be_visible()
    page.wait_for_timeout(400)  # the picture grows for a moment
    box = plot.bounding_box()
    assert box is not None
    radius = min(box["width"], box["height"]) * 0.54 / 2
    page.mouse.click(
        box["x"] + box["width"] * 0.4 + radius * 0.7, box["y"] + box["height"] / 2 - radius * 0.7
    )
    expect(page).to_have_url(re.compile(r"/customers/\?.*level="))


def test_period_and_scope_hold_for_the_whole_page(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/charts?scope=dealer")
    total = page.locator(".kpi", has_text="客户数").locator("b")
    expect(total).to_have_text(re.compile("^8"))
    page.get_by_role("navigation", name="数据范围").get_by_text("本店客户").click()
    expect(total).to_have_text(re.compile("^6"))
    page.get_by_role("navigation", name="时间").get_by_text("近30天").click()
    expect(page.get_by_role("navigation", name="数据范围").locator(".on")).to_have_text("本店客户")
    page.locator("a.kpi", has_text="客户数").click()
    expect(page.locator(".foot")).to_contain_text("6条记录")
