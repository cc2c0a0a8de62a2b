"""Acting from where one is: the form of an action in the side sheet, and the way through a list's records."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import PASSWORD, World

pytestmark = pytest.mark.browser


def _open(page: Any, name: str) -> Any:
    page.goto("/customers/")
    screen.row(page, name).locator("td.st").click()
    sheet = page.locator(".sheet")
    expect(sheet.get_by_role("heading", name=name)).to_be_visible()
    return sheet


def _send(page: Any) -> None:
    page.locator("[data-main]").click()


def test_a_follow_up_is_written_beside_the_record(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    sheet = _open(page, "李文静")
    sheet.get_by_role("link", name="手动填写跟进").click()
    expect(screen.field(page, "跟进内容")).to_be_focused()
    about = sheet.locator(".subjects")
    for text in ("李文静", "13700009913", "量尺图已上传", "苏木"):
        expect(about).to_contain_text(text)
    _send(page)
    expect(sheet.locator('[data-field="text"] .err')).to_contain_text("请填写跟进内容")
    screen.fill(page, "跟进内容", "约了周末复尺")
    screen.fill(page, "下次跟进时间", "2020-01-01T09:00")
    _send(page)
    expect(sheet.locator('[data-field="next_follow_up_at"] .err')).to_contain_text("请选择将来的时间")
    expect(screen.field(page, "跟进内容")).to_have_value("约了周末复尺")
    sheet.get_by_role("button", name="明天").click()
    _send(page)
    screen.flash(page, "已记录跟进")
    expect(page).to_have_url(re.compile("/customers/$"))
    expect(screen.row(page, "李文静")).to_contain_text("明天 10:00")
    expect(sheet.get_by_role("heading", name="李文静")).to_be_visible()
    expect(sheet).to_contain_text("约了周末复尺")


def test_a_form_in_the_sheet_is_left_to_the_record_and_keeps_a_draft(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    sheet = _open(page, "李文静")
    sheet.get_by_role("link", name="手动填写跟进").click()
    screen.fill(page, "跟进内容", "写到一半")
    sheet.get_by_role("button", name="返回记录").click()
    expect(sheet.get_by_role("heading", name="李文静")).to_be_visible()
    sheet.get_by_role("link", name="手动填写跟进").click()
    expect(screen.field(page, "跟进内容")).to_have_value("写到一半")
    sheet.get_by_text("取消", exact=True).click()
    page.get_by_role("dialog", name="放弃填写").get_by_role("button", name="放弃填写").click()
    expect(sheet.get_by_role("heading", name="李文静")).to_be_visible()
    sheet.get_by_role("link", name="手动填写跟进").click()
    expect(screen.field(page, "跟进内容")).to_have_value("")


def test_a_session_that_ends_under_the_sheet_loses_nothing(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    screen.row(page, "周敏").get_by_role("button", name="手动填写跟进").click()
    screen.fill(page, "跟进内容", "登录过期前写的")
    page.context.clear_cookies()
    _send(page)
    expect(page.locator("main")).to_contain_text("登录已失效")
    screen.fill(page, "账号", "consultant1")
    screen.fill(page, "密码", PASSWORD)
    screen.press(page, "登录")
    screen.press(page, "继续提交")
    screen.flash(page, "已记录跟进")
    expect(screen.row(page, "周敏")).to_contain_text("登录过期前写的")


def test_the_page_of_a_record_shows_what_was_done_over_it(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto(f"/customers/{world.customers['陈国栋']}")
    screen.more(page, "手动填写跟进").click()
    sheet = page.locator(".sheet")
    screen.fill(page, "跟进内容", "整页上也能写")
    _send(page)
    screen.flash(page, "已记录跟进")
    expect(sheet).to_have_count(0)
    expect(page.locator(".hd .facts")).to_contain_text("整页上也能写")


def test_the_sheet_is_reached_by_keyboard_and_leaves_the_head_free(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    expect(screen.row(page, "周敏")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=re.compile("."))
    expect(sheet).to_be_focused()
    expect(sheet).to_have_attribute("aria-modal", "false")
    page.locator(".acct summary").click()
    page.locator(".acct").get_by_text("个人资料").click(trial=True)
    page.keyboard.press("Escape")
    sheet.focus()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(page.locator("tbody tr").first.locator(".k a")).to_be_focused()


def test_the_page_of_a_record_walks_the_list_one_came_from(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/?level=A")
    screen.lists(page, "陈国栋", "张晓云")
    page.goto(f"/customers/{world.customers['陈国栋']}")
    walk = page.locator("[data-walk]")
    expect(walk.locator(".pos")).to_have_text("1 / 2")
    expect(walk.get_by_label("上一条")).to_have_attribute("aria-disabled", "true")
    walk.get_by_role("link", name="下一条").click()
    expect(page.get_by_role("heading", name="张晓云")).to_be_visible()
    page.locator(".crumbs").get_by_role("link", name="客户").click()
    expect(page).to_have_url(re.compile("level=A"))
    page.goto(f"/customers/{world.customers['周敏']}")
    expect(walk).to_be_hidden()


def test_the_batch_bar_leaves_the_footer_free(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    screen.tick(page, "周敏")
    expect(page.locator(".batch")).to_be_visible()
    bar, foot = page.locator(".batch").bounding_box(), page.locator(".foot").bounding_box()
    assert bar["y"] + bar["height"] <= foot["y"] + 1
