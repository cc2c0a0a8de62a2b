"""What the administrator ticks holds at the next click: tagging, masked phones, settlement prices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser

PHONE, MASKED = "13800000471", "138****0471"


def _open_role(page: Any, label: str) -> None:
    """The path of the manual: 组织权限管理 → 商场角色管理 → the role, which is its tree."""
    page.goto("/")
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="商场角色管理").click()
    page.get_by_placeholder("角色名称").fill(label)
    screen.press(page, "查询")
    screen.row(page, label).locator("td.nm").click()
    expect(page).to_have_url(re.compile(r"/roles/\d+$"))
    expect(page.locator(".roles a.on")).to_contain_text(label)


def _tick(page: Any, right: str) -> None:
    page.get_by_role("searchbox", name="搜索菜单、操作、字段").fill(right)
    page.locator(".tree .l2:visible label").filter(has_text=right).first.click()
    expect(page.locator("[data-changes]")).to_contain_text(right)
    page.get_by_role("button", name="查看差异并保存").click()
    expect(page.locator("[data-changes] .plus")).to_contain_text(right)
    page.locator(".head").get_by_role("button", name="保存", exact=True).click()
    expect(page.locator(".flashes")).to_be_visible()


@pytest.mark.spec("A-22", "A-21", "A-114")
def test_grant_tagging_to_a_role(page_as: Any, world: World) -> None:
    consultant, admin = page_as("consultant1"), page_as("admin")
    consultant.goto(f"/contacts/{world.contacts['王先生']}")
    expect(screen.more(consultant, "打标签")).to_have_attribute("aria-disabled", "true")
    _open_role(admin, "导购")
    _tick(admin, "设置标签")
    consultant.reload()
    screen.more(consultant, "打标签").click()
    screen.choose(consultant, "tags", "全屋")
    consultant.locator("[data-main]").click()
    expect(consultant.locator(".flashes")).to_be_visible()
    consultant.goto("/contacts/")
    expect(screen.row(consultant, "王先生").locator("td.tg")).to_contain_text("全屋")


@pytest.mark.spec("A-90", "A-91", "A-92")
def test_mask_phones_of_a_role_at_the_next_click(page_as: Any, world: World) -> None:
    consultant, admin = page_as("consultant1"), page_as("admin")
    consultant.goto("/customers/")
    expect(screen.row(consultant, "周敏")).to_contain_text(PHONE)
    _open_role(admin, "导购")
    _tick(admin, "客户电话显示加密")
    file = f"/customers/{world.customers['周敏']}"
    for address in (
        "/customers/",
        file,
        f"{file}/panel",
        f"{file}/edit",
        f"{file}/history",
        f"/search?q={PHONE}",
    ):
        consultant.goto(address)
        assert PHONE not in consultant.content().replace(f"q={PHONE}", ""), address
    consultant.goto("/customers/")
    expect(screen.row(consultant, "周敏")).to_contain_text(MASKED)
    admin.goto(file)
    expect(admin.locator("main")).to_contain_text(PHONE)


@pytest.mark.spec("A-92")
def test_a_masked_clerk_edits_without_touching_the_phone(page_as: Any, world: World) -> None:
    clerk, admin = page_as("clerk1"), page_as("admin")
    file = f"/customers/{world.customers['周敏']}"
    clerk.goto(f"{file}/edit")
    expect(screen.field(clerk, "手机号码")).to_have_value(MASKED)
    screen.fill(clerk, "小区", "不改号码")
    screen.press(clerk, "保存")
    expect(clerk.get_by_role("heading", name="周敏")).to_be_visible()
    admin.goto(file)
    expect(admin.locator("main")).to_contain_text(PHONE)
    expect(admin.locator("main")).to_contain_text("不改号码")
    clerk.goto(f"{file}/edit")
    screen.fill(clerk, "手机号码", "139****0471")
    screen.press(clerk, "保存")
    expect(clerk.locator('[data-field="phone"]')).to_contain_text("加密的内容不能只改一部分")


@pytest.mark.spec("A-87", "A-89")
def test_settlement_price_is_seen_by_grant_and_each_look_is_logged(page_as: Any, world: World) -> None:
    admin, manager = page_as("admin"), page_as("consultant1")
    order = f"/factory_orders/{world.factory_order}"
    admin.goto(order)
    screen.more(admin, "查看结算价").click()
    admin.get_by_role("dialog").get_by_role("button", name="查看结算价").click()
    screen.flash(admin, "结算价：¥18,888.00")
    admin.goto(f"{order}/history")
    expect(admin.locator("main")).to_contain_text("查看结算价")
    manager.goto(order)
    assert "18,888" not in manager.content() and "18888" not in manager.content()


@pytest.mark.spec("A-114")
def test_the_role_editor_searches_compares_and_copies(page_as: Any, world: World) -> None:
    page = page_as("admin")
    _open_role(page, "设计师")
    page.get_by_role("searchbox", name="搜索角色").fill("导购")
    expect(page.locator(".roles a:visible").first).to_contain_text("导购")
    page.get_by_role("searchbox", name="搜索菜单、操作、字段").fill("没有这个")
    expect(page.locator("main")).to_contain_text("没有匹配的权限")
    page.get_by_role("searchbox", name="搜索菜单、操作、字段").fill("")
    page.get_by_role("button", name="全部收起").click()
    expect(page.locator(".tree .l2:visible")).to_have_count(0)
    page.get_by_role("link", name="复制").click()
    expect(page.locator("main")).to_contain_text(re.compile("设计师"))


@pytest.mark.spec("A-114")
def test_a_new_employee_signs_in(page_as: Any, page: Any, world: World) -> None:
    admin = page_as("admin")
    admin.goto("/employees/new")
    screen.fill(admin, "登录名", "consultant7")
    screen.fill(admin, "姓名", "新同事")
    screen.fill(admin, "初始密码", "Words-of-2026x")
    screen.choose(admin, "stores", "示范一店")
    screen.choose(admin, "roles", "导购")
    screen.press(admin, "保存")
    expect(admin.get_by_role("heading", name="新同事")).to_be_visible()
    page.goto("/login")
    screen.fill(page, "账号", "consultant7")
    screen.fill(page, "密码", "Words-of-2026x")
    screen.press(page, "登录")
    expect(page.locator(".who")).to_contain_text("新同事")
