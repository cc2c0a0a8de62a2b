"""Laying out a page in a browser: from the page where the wish arises, by drag and by keyboard, seen before it is
saved, and taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.customers.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def spot(page: Any, name: str) -> Any:
    """A field in the editor."""
    return page.locator(f'[data-spot][data-key="{name}"]')


def test_a_page_is_laid_out_by_drag_and_keyboard_and_taken_back(page_as: Any, world: World) -> None:
    customer = world.customer(name="样例客户")
    address = f"/customers/{customer.id}"
    page = page_as("boss")
    page.goto(address)
    screen.more(page, "调整布局").click()
    side = page.locator("[data-side]")
    expect(side).to_contain_text("与默认一致")
    spot(page, "remark").locator("[data-grip]").drag_to(spot(page, "name"), target_position={"x": 40, "y": 3})
    expect(side).to_contain_text("“备注”移到最前")
    expect(side.locator(".sec dt").first).to_have_text("备注")
    up = page.get_by_role("button", name="上移 跟进", exact=True)
    up.focus()
    page.keyboard.press("Enter")
    expect(side).to_contain_text("分组“基本信息”移到“跟进”之后")
    expect(page.get_by_role("button", name="下移 跟进", exact=True)).to_be_focused()
    page.get_by_label("隐藏 称谓", exact=True).check()
    expect(side).to_contain_text("“称谓”隐藏")
    page.get_by_label("分组名称").first.fill("近况")
    expect(side.locator(".sec h3").first).to_have_text("近况")
    screen.press(page, "保存")
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    screen.flash(page, "的布局已保存")
    expect(page.locator("article .sec h2").first).to_have_text("近况")
    expect(page.locator('article dd[data-name="gender"]')).to_have_count(0)
    page.locator(".flashes").get_by_role("link", name="撤销").click()
    screen.press(page, "撤销")
    page.goto(address)
    expect(page.locator("article .sec h2").first).to_have_text("基本信息")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto("/layouts/edit?resource=customers&page=new")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
