"""Charts: every bar opens exactly its rows; the numbers stand beside the picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from tests.browser import screen
from tests.browser.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def drawn(page: Any, key: str) -> Any:
    """The picture of a chart, brought into sight."""
    plot = page.locator(f"#chart-{key} .plot")
    plot.scroll_into_view_if_needed()
    expect(plot.locator("svg path").first).to_be_attached()
    return plot


def opens(page: Any, click: Callable[[], None], address: str) -> None:
    """Click into a picture until the page follows: it moves and is drawn anew while the page settles."""
    for _ in range(6):
        click()
        with suppress(Error):
            page.wait_for_url(re.compile(address), timeout=1_500)
            return
    expect(page).to_have_url(re.compile(address))


def still(page: Any, address: str) -> None:
    """Open the page for somebody who wants no moving pictures."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)


def test_a_manager_clicks_a_bar_and_stands_in_its_rows(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/")
    page.get_by_role("link", name="图表").click()
    expect(page.get_by_role("heading", name="客户图表")).to_be_visible()
    expect(page.get_by_role("navigation", name="数据范围").locator(".on")).to_have_text("全部客户")
    expect(page.locator("[data-reading]")).to_contain_text("全部客户，创建时间")
    card = page.locator("#chart-source")
    expect(card.locator(".plot svg")).to_be_visible()
    card.get_by_role("button", name="表格", exact=True).click()
    line = card.locator("tbody tr").filter(has_text="自然到店")
    expect(line.locator("[data-v]")).to_have_text("2")
    line.get_by_role("link").last.click()
    expect(page).to_have_url(re.compile("/customers/"))
    screen.lists(page, "何雨桐", "周敏")


def test_a_slice_of_the_picture_can_be_clicked(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    still(page, "/customers/charts?scope=dealer")

    def click() -> None:
        box = drawn(page, "level").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.24 + 31, box["y"] + box["height"] / 2 - 76)

    opens(page, click, r"/customers/\?.*level=H")
    screen.lists(page, "周敏")


def test_the_whole_row_of_a_ranking_can_be_clicked(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    still(page, "/customers/charts?scope=dealer")

    def click() -> None:
        plot = drawn(page, "owner")
        name = plot.locator("svg text").filter(has_text="陈朵")
        expect(name).to_be_visible()
        place, box = name.bounding_box(), plot.bounding_box()
        assert place is not None and box is not None
        page.mouse.click(box["x"] + box["width"] - 90, place["y"] + place["height"] / 2)

    opens(page, click, r"/customers/\?.*owner_id=")
    screen.lists(page, "何雨桐", "郑宏")


def test_the_whole_row_of_a_step_can_be_clicked(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    still(page, "/customers/charts?scope=dealer")
    link = page.locator("#chart-stage tbody tr").first.locator("[data-v] a")
    address = link.get_attribute("href") or ""

    def click() -> None:
        box = drawn(page, "stage").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 20, box["y"] + 12 + 0.85 * (box["height"] - 24) / 3)

    opens(page, click, re.escape(address) + "$")


def test_the_keyboard_reaches_the_numbers_and_their_rows(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/charts?scope=dealer")
    card = page.locator("#chart-stage")
    table = card.get_by_role("button", name="表格", exact=True)
    table.focus()
    page.keyboard.press("Enter")
    expect(table).to_have_attribute("aria-pressed", "true")
    expect(card.get_by_role("columnheader", name="转化率")).to_be_visible()
    page.keyboard.press("Tab")
    expect(card.get_by_role("region")).to_be_focused()
    page.keyboard.press("Tab")
    expect(card.get_by_role("link", name="跟进中及以后")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".foot")).to_contain_text("8条记录")


def test_period_and_scope_hold_for_the_whole_page(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/charts?scope=dealer")
    total = page.locator(".kpi", has_text="客户数").locator("b")
    expect(total).to_have_text(re.compile("^8"))
    page.get_by_role("navigation", name="数据范围").get_by_text("本店客户").click()
    expect(total).to_have_text(re.compile("^6"))
    page.get_by_role("navigation", name="时间").get_by_text("近30天").click()
    expect(page.get_by_role("navigation", name="数据范围").locator(".on")).to_have_text("本店客户")
    expect(page.locator("#chart-created tbody tr")).to_have_count(31)
    page.locator("a.kpi", has_text="客户数").click()
    expect(page.locator(".foot")).to_contain_text("6条记录")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_period_of_ones_own(page_as: Any, world: World, scripts: bool) -> None:
    page = page_as("manager1", scripts=scripts)
    page.goto("/customers/charts?scope=store&level=H")
    page.locator("summary").filter(has_text="自定义").click()
    page.get_by_label("开始日期").fill("2001-01-01")
    page.get_by_label("结束日期").fill("2001-01-31")
    page.get_by_role("button", name="应用").click()
    expect(page.locator("[data-reading]")).to_contain_text("本店客户，创建时间 2001-01-01 至 2001-01-31")
    expect(page.locator("#chart-level")).to_contain_text("该期间没有数据")
    expect(page.locator(".chips")).to_contain_text("意向级别：H")


def test_a_phone_shows_every_name_and_share(page_as: Any, world: World) -> None:
    page = page_as("manager1", size=NARROW)
    page.emulate_media(reduced_motion="reduce")
    page.goto("/customers/")
    page.get_by_role("link", name="图表").click()
    expect(page.get_by_role("heading", name="客户图表")).to_be_visible()
    for key in ("source", "level", "stage", "owner"):
        plot = drawn(page, key)
        box = plot.bounding_box()
        assert box is not None
        for text in plot.locator("svg text").all():
            place = text.bounding_box()
            assert place is not None
            assert place["x"] >= box["x"] - 1, text.text_content()
            assert place["x"] + place["width"] <= box["x"] + box["width"] + 1, text.text_content()
    names = page.locator("#chart-source tbody tr td:first-child").all_text_contents()
    assert len(names) == 7
    for name in names:
        expect(page.locator("#chart-source svg text").filter(has_text=name.strip())).to_be_visible()
    expect(
        page.locator("#chart-level svg text").filter(has_text=re.compile(r"^H\s+1\s+12%$"))
    ).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_a_picture_goes_into_a_file_of_its_name(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/charts?scope=dealer")
    drawn(page, "source")
    with page.expect_download() as started:
        page.get_by_role("button", name="下载图片：来源分布").click()
    assert started.value.suggested_filename.startswith("来源分布 全部客户")
    assert started.value.path().read_bytes().startswith(b"\x89PNG")


def test_the_picture_follows_the_theme(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    still(page, "/customers/charts?scope=dealer")
    name = drawn(page, "source").locator("svg text").filter(has_text="自然到店")
    expect(name).to_have_attribute("fill", "#4a5466")
    page.get_by_role("button", name="切换明暗").first.click()
    expect(name).to_have_attribute("fill", "#b6bdcb")
