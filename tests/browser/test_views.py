"""Saved views at work: made in two clicks, shared with a store, opened as a colleague; without scripts too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from app.engine.audit import acting
from app.engine.database import db
from models.identity import presets, role_rules
from models.identity.tables import Store
from models.shaping.view_queries import MANAGE, VIEW
from tests.browser import screen
from tests.browser.world import World

pytestmark = pytest.mark.browser


def managing(world: World) -> None:
    """Let store managers make views for others."""
    with acting(db.session()):
        dealer_id = db.session.get_one(Store, world.stores[0]).dealer_id
        role = presets.preset_role(db.session(), dealer_id, "manager")
        held = role_rules.rights_of(db.session(), role.id)
        role_rules.give(db.session(), role, role_rules.Rights(held.grants | {(MANAGE, VIEW)}, held.scopes))
        db.session.commit()


def view_menu(page: Any) -> Any:
    """The menu 视图, opened."""
    page.locator(".vw > summary").click()
    return page.locator(".vws")


def test_a_view_for_the_store_from_making_to_undoing(page_as: Any, world: World) -> None:
    managing(world)
    page = page_as("manager1")
    page.goto("/customers/?level=A&window=all")
    menu = view_menu(page)  # first click
    menu.get_by_placeholder("视图名称").fill("本店甲级")
    menu.get_by_role("button", name="保存", exact=True).click()  # second click
    screen.flash(page, "视图“本店甲级”已保存")
    expect(page.locator(".views a.on")).to_have_text("本店甲级")
    screen.lists(page, "陈国栋", "张晓云")

    menu = view_menu(page)
    expect(menu).to_contain_text("条件：意向级别：A")
    menu.get_by_role("link", name="设置").click()
    screen.field(page, "适用于").select_option(label="门店")
    store = db.session.get_one(Store, world.stores[0]).name
    screen.field(page, "适用门店").select_option(label=store)
    screen.field(page, "条件 1").select_option(label="意向级别：A")
    screen.field(page, "颜色 1").select_option(label="红色")
    screen.press(page, "保存")
    screen.flash(page, "视图“本店甲级”已保存")
    expect(page.locator("tbody tr[data-edge=r]")).to_have_count(2)

    colleague = page_as("consultant1")
    colleague.goto("/customers/")
    colleague.locator(".views").get_by_role("link", name="本店甲级").click()
    screen.lists(colleague, "陈国栋", "张晓云")
    menu = view_menu(colleague)
    expect(menu).to_contain_text(store)
    expect(menu.get_by_role("link", name="设置")).to_have_count(0)
    colleague.keyboard.press("Escape")
    colleague.locator(".chips .chip", has_text="意向级别").click()
    expect(colleague.locator(".vw .mark")).to_be_visible()
    view_menu(colleague).get_by_role("link", name="还原").click()
    screen.lists(colleague, "陈国栋", "张晓云")
    other = page_as("consultant2")
    other.goto("/customers/")
    expect(other.locator(".vrow")).not_to_contain_text("本店甲级")

    view_menu(page).get_by_role("link", name="设置").click()
    page.get_by_role("button", name="删除视图").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("删除|确定")).click()
    screen.flash(page, "视图“本店甲级”已删除")
    page.get_by_role("link", name="撤销").click()
    screen.press(page, "恢复")
    screen.flash(page, "视图“本店甲级”已恢复")


def test_a_period_that_moves_and_typed_days_exclude_each_other(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    page.locator(".adv summary").click()
    period = page.locator("select[name='created_at.in']")
    first = page.locator("input[name='created_at.from']")
    first.fill("2020-01-01")
    period.select_option(label="本月")
    expect(first).to_have_value("")
    first.fill("2020-01-01")
    expect(period).to_have_value("")
    period.select_option(label="近 30 天")
    screen.press(page, "高级搜索")
    expect(page.locator(".chips")).to_contain_text("创建时间：近 30 天")
