"""管理 → 数据字典 by hand: named, ordered by drag, merged, taken back; the clicks are counted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.engine.choices import dictionary
from app.engine.database import db
from models.customers.tables import Customer
from models.identity.tables import Employee
from tests.browser import screen
from tests.browser.world import World
from tests.plugins.chromium import NARROW

WIDE = (1440, 900)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
pytestmark = pytest.mark.browser


def labels(world: World, name: str) -> list[str]:
    """What the dealer's people are offered."""
    db.session.rollback()
    dealer = db.session.scalar(select(Employee.dealer_id).where(Employee.id == world.people["manager1"]))
    return [e.label for e in dictionary(name, dealer) if e.active]


def row(page: Any, label: str) -> Any:
    """The row whose name reads so."""
    found = page.locator("[data-option]")
    at = found.locator("[name^=label]").evaluate_all("boxes => boxes.map(box => box.value)").index(label)
    return found.nth(at)


def levels(level: str) -> int:
    """How many customers of the world have that level."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Customer.level == level)) or 0


def test_options_are_dragged_renamed_and_coloured_and_taken_back(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/dictionaries/?name=customer.level")
    expect(row(page, "A").locator("[data-value]")).to_have_text("2")
    row(page, "D").locator("[data-grip]").drag_to(
        row(page, "A").locator("[data-grip]"), target_position={"x": 4, "y": 2}
    )
    expect(page.locator("[data-option] [name^=label]").nth(1)).to_have_value("D")
    expect(page.get_by_text("有未保存的改动")).to_be_visible()
    screen.press(page, "保存")
    screen.flash(page, "已保存")
    assert labels(world, "customer.level") == ["H", "D", "A", "B", "C"]
    page.locator(".flashes").get_by_role("button", name="撤销").click()
    screen.flash(page, "已撤销")
    assert labels(world, "customer.level") == ["H", "A", "B", "C", "D"]

    one = row(page, "C")
    one.locator("[name^=label]").fill("C类")
    one.locator("[name^=tone]").select_option(label="红色")
    expect(one.locator("[data-preview]")).to_have_text("C类")
    expect(one.locator("[data-preview]")).to_have_class("t r")
    screen.press(page, "保存")
    screen.flash(page, "已保存，1 项有改动")
    assert labels(world, "customer.level") == ["H", "A", "B", "C类", "D"]


@SIZES
def test_several_options_are_added_and_moved_by_the_buttons(
    page_as: Any, world: World, size: tuple[int, int]
) -> None:
    page = page_as("admin", size=size)
    page.goto("/dictionaries/?name=customer.kind")
    page.get_by_label("新增选项，每行一个").fill("团购客户\n会员客户")
    screen.press(page, "添加")
    screen.flash(page, "已保存，2 项有改动")
    row(page, "会员客户").get_by_label("上移会员客户").click()
    screen.press(page, "保存")
    screen.flash(page, "已保存")
    assert labels(world, "customer.kind")[-2:] == ["会员客户", "团购客户"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_script_a_row_moves_by_its_button(page_as: Any, world: World) -> None:
    page = page_as("admin", scripts=False)
    page.goto("/dictionaries/?name=customer.kind")
    page.get_by_label("上移需求客户").click()
    screen.flash(page, "已保存")
    assert labels(world, "customer.kind") == ["潜在客户", "需求客户", "意向客户"]


@SIZES
def test_two_options_are_merged_and_parted_again(
    page_as: Any, world: World, size: tuple[int, int], run_outbox: Any
) -> None:
    page = page_as("admin", size=size)
    page.goto("/dictionaries/?name=customer.level")
    row(page, "D").get_by_role("link", name="合并").click()
    page.select_option("#into", label="C")
    screen.press(page, "查看影响")
    expect(page.locator(".kv0")).to_contain_text("客户 · 意向级别")
    expect(page.locator(".kv0 dd")).to_have_text("1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screen.press(page, "合并到“C”")
    expect(page.locator(".head")).to_contain_text(re.compile("排队中|进行中|已完成"))
    run_outbox()
    page.reload()
    expect(page.locator(".note.good")).to_contain_text("1 位客户已由“D”改为“C”")
    assert (levels("D"), levels("C")) == (0, 3)
    screen.press(page, "撤销合并")
    page.get_by_role("dialog").get_by_role("button", name="撤销合并").click()
    expect(page.locator(".head")).to_contain_text("撤销")
    run_outbox()
    page.reload()
    expect(page.locator(".note.good")).to_contain_text("已改回“D”")
    assert (levels("D"), levels("C")) == (1, 2)
    assert "D" in labels(world, "customer.level")


def test_a_parameter_is_found_changed_and_goes_back_to_its_default(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/parameters/")
    page.get_by_role("searchbox", name="搜索参数").fill("文件保留")
    expect(page.locator("[data-par]:visible")).to_have_count(1)
    screen.fill(page, "文件保留天数", "9")
    screen.press(page, "查看影响")
    expect(page.get_by_text("文件保留天数：7 → 9")).to_be_visible()
    page.locator("[data-main]").click()
    screen.flash(page, "已保存，1 项参数有改动")
    expect(page.locator(".par.own")).to_have_count(1)
    page.get_by_role("button", name="文件保留天数恢复默认").click()
    screen.flash(page, "已保存")
    expect(page.locator(".par.own")).to_have_count(0)
    expect(screen.field(page, "文件保留天数")).to_have_value("7")
