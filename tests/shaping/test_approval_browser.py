"""An approval in a browser: declared in words, asked for where one works, decided on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.customers.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def sees_what_is_tabbed_to(page: Any) -> None:
    """On a phone no input of the form stops behind the buttons that stay in sight."""
    wide = page.viewport_size
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.get_by_label("流程名称").focus()
    end = page.locator(".btns.sticky").bounding_box()["y"]
    seen = 0
    while not page.locator(".btns.sticky :focus").count():
        box = page.locator("#form :focus").bounding_box()
        assert box["y"] + box["height"] <= end, page.locator("#form :focus").get_attribute("name")
        page.keyboard.press("Tab")
        seen += 1
    assert seen > 5
    page.set_viewport_size(wide)


def test_from_the_rule_to_the_deed(page_as: Any, world: World) -> None:
    customer = world.customer(name="许敏")
    boss = page_as("boss")
    boss.goto("/approval_flows/new")
    screen.fill(boss, "流程名称", "失效审批")
    boss.get_by_label("对象").select_option(label="客户")
    boss.get_by_label("需审批的操作").select_option(label="失效")
    boss.get_by_label("审批人").select_option(label="角色 商场系统管理员")
    screen.press(boss, "再加一步")
    boss.get_by_label("审批人").nth(1).select_option(label="申请人的店长")
    boss.get_by_label("时限").nth(1).fill("24")
    screen.press(boss, "保存")
    expect(boss.locator('[data-field="steps"] .err')).to_contain_text("第2步是最后一步")
    wrong = boss.locator('[data-field="steps"] [aria-invalid]')
    expect(wrong).to_have_count(1)
    expect(wrong).to_have_value("24")
    sees_what_is_tabbed_to(boss)
    boss.get_by_role("button", name="上移第2步").click()
    boss.get_by_role("button", name="删除第2步").click()
    boss.get_by_label("时限").fill("")
    screen.press(boss, "保存")
    expect(boss.get_by_role("heading", name="失效审批")).to_be_visible()
    seller = page_as("seller")
    seller.goto(f"/customers/action/invalidate?id={customer.id}")
    screen.press(seller, "失效")
    screen.flash(seller, "已提交审批（失效审批，申请人的店长），通过后自动执行")
    keeper = page_as("keeper", size=NARROW)
    keeper.goto("/approval_requests/?scope=related&view=todo")
    keeper.get_by_text("客户·失效：许敏").first.click()
    keeper.get_by_role("link", name="审批", exact=True).last.click()
    expect(keeper.locator("main")).to_contain_text("阶段 跟进中 → 失效")
    keeper.get_by_label("审批结论").select_option(label="同意")
    keeper.locator("[data-main]").click()
    screen.flash(keeper, "已同意并执行")
    seller.goto("/approval_requests/?scope=mine")
    expect(seller.locator("main")).to_contain_text("已通过")
