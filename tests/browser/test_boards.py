"""Dashboards with the mouse: how many clicks from the wish to the tile, arranging, taking back, sharing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.test_axe import findings
from tests.browser.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


class Clicks:
    """A hand that counts; typing is not counted."""

    def __init__(self) -> None:
        self.made = 0

    def on(self, target: Any) -> None:
        """One click."""
        target.click()
        self.made += 1


def build(page: Any, name: str) -> None:
    """A dashboard of one's own that begins as the manager's."""
    page.goto("/dashboards/manager")
    screen.press(page, "复制为我的看板")
    expect(page.locator(".flashes")).to_contain_text("已复制")
    page.get_by_role("link", name="名称与共享").click()
    screen.fill(page, "看板名称", name)
    screen.press(page, "保存")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def titles(page: Any) -> Any:
    """What the tiles are called, in order."""
    return page.locator("[data-tile] .ctl b")


def test_a_chart_on_a_dashboard_takes_few_clicks(page_as: Any, world: World) -> None:
    page, hand = page_as("admin"), Clicks()
    page.goto("/customers/")
    hand.on(page.get_by_role("link", name="图表", exact=True))
    hand.on(page.get_by_label("加到看板：来源分布"))
    hand.on(page.get_by_role("button", name="保存", exact=True))
    expect(page.locator(".tile")).to_contain_text("来源分布")
    expect(page.locator(".tile .plot svg path").first).to_be_attached()
    assert hand.made <= 5
    expect(page.get_by_role("navigation", name="主菜单").get_by_role("link", name="我的看板")).to_be_visible()


def test_from_the_dashboard_a_tile_takes_few_clicks(page_as: Any, world: World) -> None:
    page, hand = page_as("admin"), Clicks()
    build(page, "点数看板")
    hand.on(page.get_by_role("link", name="编辑看板"))
    hand.on(page.get_by_role("link", name="添加图块"))
    hand.on(page.get_by_role("link", name="门店排行", exact=True).first)
    hand.on(page.get_by_role("button", name="保存", exact=True))
    assert hand.made <= 5
    expect(titles(page).last).to_have_text("门店排行")


def test_tiles_are_dragged_widened_removed_and_brought_back(page_as: Any, world: World) -> None:
    page = page_as("admin")
    build(page, "拖动看板")
    page.get_by_role("link", name="编辑看板").click()
    expect(titles(page).first).to_have_text("新增客户")
    before = titles(page).all_inner_texts()
    grips = page.locator("[data-grip]")
    grips.nth(1).drag_to(page.locator("[data-tile]").nth(0))
    expect(titles(page).first).to_have_text(before[1])
    first = page.locator("[data-tile]").first
    first.get_by_role("button", name="3", exact=True).click()
    expect(page.locator("[data-tile]").first).to_have_class(re.compile("w3"))
    page.get_by_label(f"移除：{before[1]}").first.click()
    expect(page.get_by_text(re.compile(f"已移除“.*{before[1]}”"))).to_be_visible()
    expect(titles(page)).to_have_count(len(before) - 1)
    hand = Clicks()
    hand.on(page.get_by_role("button", name="撤销"))
    expect(titles(page)).to_have_count(len(before))
    expect(titles(page).first).to_have_text(before[1])
    assert hand.made <= 2


def test_a_tile_is_put_together_with_a_look_before(page_as: Any, world: World) -> None:
    page = page_as("admin")
    build(page, "组合看板")
    page.get_by_role("link", name="编辑看板").click()
    page.get_by_role("link", name="添加图块").click()
    page.get_by_label("客户：自己组合").click()
    page.locator("select[name=_kind]").select_option(label="排行")
    expect(page.locator("[data-field=_across]")).to_be_hidden()
    page.locator("select[name=_by]").select_option("owner_id")
    page.locator("label.pill", has_text="跟进中").click()
    page.get_by_role("button", name="预览").click()
    expect(page.locator(".look .plot svg path").first).to_be_attached()
    screen.press(page, "保存")
    expect(page.locator(".tile").last).to_contain_text("阶段：跟进中")


def test_without_scripts_and_on_a_phone(page_as: Any, world: World) -> None:
    page = page_as("admin", scripts=False)
    build(page, "素看板")
    page.get_by_role("link", name="编辑看板").click()
    before = titles(page).all_inner_texts()
    page.get_by_label(f"后移：{before[0]}").first.click()
    expect(titles(page).first).to_have_text(before[1])
    page.get_by_role("link", name="完成").click()
    expect(page.locator(".tile tbody tr").first).to_be_visible()
    phone = page_as("admin", size=NARROW, dark=True)
    for address in (page.url, f"{page.url}?edit=1", f"{page.url}/add", f"{page.url}/compose?_of=customers"):
        phone.goto(address)
        assert phone.evaluate("document.documentElement.scrollWidth") <= NARROW[0], address
        assert findings(phone) == [], address
