"""Handing customers over and reading announcements, as a person does it, wide and narrow."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.engine.database import db
from models.announcements.tables import AnnouncementRead
from models.customers.tables import Customer
from tests.browser import screen
from tests.browser.world import World, make
from tests.plugins.chromium import NARROW

WIDE = (1440, 900)
pytestmark = pytest.mark.browser


def owner(world: World, name: str) -> int | None:
    """Whose customer that is."""
    db.session.rollback()
    return db.session.scalar(select(Customer.owner_id).where(Customer.id == world.customers[name]))


@pytest.mark.spec("A-48", "A-49", "A-50", "A-56")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_hand_over_preview_submit_and_take_back(page_as: Any, world: World, size: tuple[int, int]) -> None:
    page = page_as("admin", size=size)
    page.goto("/customers/?scope=dealer")
    page.locator(".many0 > summary").click()
    expect(page.locator(".many0 .pop a")).to_have_count(9)
    page.locator(".many0").get_by_text("在职继承").click()
    page.select_option("#person", label="陈朵")
    page.get_by_role("button", name="下一步").click()
    expect(page.locator("tbody")).to_contain_text("郑宏")
    page.get_by_role("row", name=re.compile("郑宏")).locator("input").check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("选择林一").check()
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.locator("body")).to_contain_text("好友关系在提交24小时后生效")
    expect(page.locator(".balance")).to_contain_text("6 + 1 =")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert owner(world, "郑宏") == world.people["consultant2"]
    screen.press(page, "提交")
    page.get_by_role("dialog").get_by_role("button", name="提交").click()
    expect(page.locator(".tally")).to_contain_text("已交接")
    assert owner(world, "郑宏") == world.people["consultant1"]
    assert owner(world, "何雨桐") == world.people["consultant2"]
    screen.press(page, "撤销交接")
    page.get_by_role("dialog").get_by_role("button", name="撤销交接").click()
    expect(page.locator(".tally")).to_contain_text("已撤销")
    assert owner(world, "郑宏") == world.people["consultant2"]


@pytest.mark.spec("A-48", "A-52", "A-53", "A-56")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_function_chosen_first_waits_for_its_customers(
    page_as: Any, world: World, size: tuple[int, int]
) -> None:
    page = page_as("manager1", size=size)
    page.goto("/customers/?scope=dealer")
    page.get_by_label("批量", exact=True).click()
    page.locator(".many0").get_by_text("修改业务员").click()
    expect(page.locator(".note")).to_contain_text("请勾选客户，再点击“修改业务员”")
    screen.tick(page, "周敏", "张晓云")
    expect(page.locator(".batch .acts0 button")).to_have_count(1)
    screen.batch(page, "修改业务员").click()
    screen.pick(page, "salesperson", "何文")
    page.locator("[data-main]").click()
    screen.flash(page, "修改业务员：已完成 2 条")
    page.locator(".flashes").get_by_text("撤销").click()
    screen.press(page, "确认撤销")
    screen.flash(page, "撤销修改业务员：已完成 2 条")
    db.session.rollback()
    held = select(Customer.salesperson_id).where(Customer.id == world.customers["周敏"])
    assert db.session.scalar(held) is None


@pytest.mark.spec("A-48")
def test_ticked_customers_are_for_the_function_chosen_after_them(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/?scope=dealer")
    screen.tick(page, "郑宏", "何雨桐")
    page.get_by_label("批量", exact=True).click()
    page.locator(".many0").get_by_text("在职继承").click()
    expect(page.locator(".head h1")).to_contain_text("在职继承 · 陈朵")
    expect(page.locator(".all0")).to_contain_text("2 位客户交接给")


@pytest.mark.spec("A-48", "A-50")
def test_on_a_phone_customers_are_cards_and_the_steps_lead_back(page_as: Any, world: World) -> None:
    page = page_as("admin", size=NARROW)
    page.goto("/customers/handover/staying")
    expect(page.get_by_role("link", name="交接记录")).to_be_visible()
    page.select_option("#person", label="陈朵")
    page.get_by_role("button", name="下一步").click()
    expect(page.locator("thead")).to_be_hidden()
    assert page.evaluate("(t => t.scrollWidth <= t.clientWidth)(document.querySelector('.tbl'))")
    page.get_by_role("row", name=re.compile("郑宏")).locator("input").check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("选择林一").check()
    page.get_by_role("link", name="上一步").click()
    expect(page.locator("[aria-current=step]")).to_have_text("2 客户")
    expect(page.get_by_role("row", name=re.compile("郑宏"))).to_be_visible()


@pytest.mark.spec("A-56")
def test_on_a_phone_the_refused_of_a_batch_can_be_tried_again(page_as: Any, world: World) -> None:
    page = page_as("manager1", size=NARROW)
    some = "&".join(f"id={world.customers[name]}" for name in ("周敏", "郑宏"))
    page.goto(f"/customers/action/lose?{some}")
    screen.fill(page, "失单原因", "预算不足")
    page.locator("[data-main]").click()
    expect(page.locator(".tally")).to_contain_text("未完成")
    expect(page.get_by_role("button", name="只重试未完成的")).to_be_visible()


@pytest.mark.spec("C-04", "C-06")
def test_opening_an_announcement_takes_its_red_dot_away(page_as: Any, world: World) -> None:
    make("announcements", {"title": "门店盘点", "body": "周五 18:00 盘点"}, world.actor("admin"))
    page = page_as("consultant1")
    page.goto("/")
    expect(page.locator(".notice-b .dot-r")).to_be_visible()
    with page.expect_response(re.compile("/read$")):
        page.get_by_text("门店盘点").click()
    expect(page.locator(".notice-t")).to_have_text("周五 18:00 盘点")
    page.goto("/")
    expect(page.locator(".notice-b")).to_contain_text("门店盘点")
    expect(page.locator(".notice-b .dot-r")).to_have_count(0)
    db.session.rollback()
    assert db.session.scalars(select(AnnouncementRead.user_id)).all() == [world.people["consultant1"]]
