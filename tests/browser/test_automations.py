"""An automation put together by picking, looked at before it is saved, and tried on a customer."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser


def test_an_automation_is_made_by_picking_and_tried(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/automations/new")
    screen.fill(page, "名称", "重点客户")
    page.select_option("[name=subject]", label="客户")
    page.select_option("[name=event]", label="新建")
    adding = page.get_by_role("group", name="添加条件")
    adding.get_by_label("字段").select_option(label="阶段")
    adding.get_by_label("比较").select_option(label="属于 …")
    adding.get_by_role("checkbox", name="跟进中").check()
    adding.get_by_role("button", name="加入条件").click()
    expect(page.locator("[name=condition]")).to_have_value("阶段 属于 跟进中")
    expect(page.locator("[name=words_1]")).to_be_hidden()
    page.select_option("[name=do_1]", label="通知负责人")
    screen.fill(page, "提醒内容", "请尽快联系")
    page.get_by_role("button", name="保存").first.click()
    question = page.locator("dialog.ask")
    expect(question).to_contain_text("位客户符合条件")
    question.get_by_role("button", name="确认保存").click()
    page.get_by_role("link", name="试运行").click()
    page.get_by_label("客户", exact=True).fill("李文静")
    page.get_by_role("button", name="试运行").click()
    expect(page.get_by_label("结果")).to_contain_text("事件发生时将会执行")
