"""An administrator adds a choice field from the list in a few clicks, and it is there for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser

MOST_CLICKS = 9
_COUNT = """
window.name = window.name || "0";
addEventListener("click", (e) => { if (e.detail) window.name = String(Number(window.name) + 1); }, true);
"""


def test_a_choice_field_in_form_list_and_filter(page_as: Any, world: World) -> None:
    page = page_as("admin", own=True)
    page.goto("/customers/")
    page.add_init_script(_COUNT)
    page.reload()
    page.locator("summary").filter(has_text="列").click()
    page.locator(".cols").get_by_role("link", name="字段").click()
    expect(screen.field(page, "字段名称")).to_be_focused()
    page.keyboard.type("装修阶段")
    screen.field(page, "类型").click()
    screen.field(page, "类型").select_option(label="单选")
    screen.field(page, "选项").click()
    page.keyboard.type("未动工\n水电\n木工\n完工")
    screen.press(page, "保存")
    expect(page.get_by_role("heading", name="装修阶段", exact=True)).to_be_visible()
    clicks = int(page.evaluate("window.name"))
    assert 4 <= clicks <= MOST_CLICKS, clicks
    page.goto("/customers/")
    expect(page.locator("th").filter(has_text="装修阶段")).to_have_count(1)
    expect(page.locator('.bar [name="text_1"] option')).to_have_text(
        ["不限", "未动工", "水电", "木工", "完工"]
    )
    page.goto("/customers/new")
    expect(screen.field(page, "装修阶段").locator("option")).to_have_count(5)


def test_what_a_kind_does_not_need_is_not_asked(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/custom_fields/new?resource=customers")
    expect(page.locator('[data-field="options"]')).to_be_hidden()
    screen.field(page, "类型").select_option(label="单选")
    expect(page.locator('[data-field="options"]')).to_be_visible()
    screen.fill(page, "字段名称", "手机号码")
    screen.fill(page, "选项", "一")
    screen.press(page, "保存")
    expect(page.locator('[data-field="label"] .err')).to_have_text("客户已有字段“手机号码”")
    expect(screen.field(page, "选项")).to_have_value("一")


def test_a_formula_is_written_by_labels_and_worked_out(page_as: Any, world: World) -> None:
    page = page_as("admin")
    for label, kind in (("面积", "数字"), ("双倍", "公式")):
        page.goto("/custom_fields/new?resource=customers")
        screen.fill(page, "字段名称", label)
        screen.field(page, "类型").select_option(label=kind)
        if kind == "公式":
            screen.field(page, "公式结果").select_option(label="数字")
            screen.fill(page, "公式", "[面积] × [不存在]")
            screen.press(page, "保存")
            expect(page.locator('[data-field="formula"] .err')).to_contain_text(
                "没有可用于公式的字段“不存在”"
            )
            screen.fill(page, "公式", "[面积] × 2")
        screen.press(page, "保存")
        expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "王先生")
    screen.fill(page, "手机号码", "13799990000")
    screen.fill(page, "面积", "45")
    screen.press(page, "保存")
    expect(page.get_by_role("main")).to_contain_text("90")
