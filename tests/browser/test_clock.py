"""What happens by itself, as people see it: the clock on a record, and a rule looked at before it is saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser


def test_the_clock_opens_to_a_calendar(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    screen.row(page, "李文静").locator("td.st").click()
    clock = page.locator(".sheet .own")
    expect(clock.locator("summary")).to_contain_text("下一个自动事项")
    expect(clock.locator(".own-p")).to_be_hidden()
    clock.locator("summary").click()
    expect(clock.locator(".own-p section").first).to_be_visible()


def test_a_rule_is_looked_at_before_it_is_saved(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/clock_rules/new")
    screen.fill(page, "规则名称", "三天回访")
    page.select_option("[name=subject]", label="客户")
    page.locator("textarea[name=condition]").fill("阶段 是 跟进中")
    page.select_option("[name=start]", label="建档时间")
    screen.fill(page, "时长", "3")
    screen.fill(page, "执行时间", "08:00")
    page.select_option("[name=effect]", label="生成任务")
    page.get_by_role("button", name="保存").first.click()
    question = page.locator("dialog.ask")
    expect(question).to_contain_text("影响")
    expect(question).to_contain_text(re.compile("[今明]早08:00产生[0-9]+条任务"))
    question.get_by_role("button", name="确认保存").click()
    expect(
        page.get_by_role("heading", name="三天回访").or_(page.locator("tr", has_text="三天回访"))
    ).to_be_visible()
