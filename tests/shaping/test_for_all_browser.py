"""What holds for all dealers, made in a browser: a step asks for the role that fits."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.customers.world import World

pytestmark = pytest.mark.browser


@pytest.mark.sqlite_only
def test_a_step_asks_for_a_role_of_its_own_or_for_one_of_all(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/automations/new")
    screen.fill(page, "名称", "集团轮流")
    page.locator("[name=subject]").select_option(label="客户")
    page.locator("[name=event]").select_option(label="新建")
    role, general = page.locator("[name=role_1]"), page.locator("[name=preset_1]")
    expect(general).to_be_hidden()
    page.locator("[name=do_1]").select_option(label="在角色中轮流分配")
    expect(role).to_be_enabled()
    expect(general).to_be_disabled()
    page.get_by_label("集团所有商场通用").check()
    expect(role).to_be_disabled()
    general.select_option(label="导购")
    page.get_by_label("集团所有商场通用").uncheck()
    expect(general).to_have_value("")
    screen.press(page, "保存")
    expect(page.locator('[data-field="role_1"] .err')).to_have_text("请选择角色")
    expect(page.locator('[data-field="preset_1"] .err')).to_have_count(0)
    page.get_by_label("集团所有商场通用").check()
    general.select_option(label="导购")
    screen.press(page, "保存")
    screen.press(page, "确认保存")
    expect(page.get_by_role("main")).to_contain_text("在“导购”中轮流分配")
