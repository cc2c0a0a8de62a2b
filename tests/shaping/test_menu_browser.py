"""Shaping the menu in a browser: clicks counted from the page where the wish arises, drag, keyboard, phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from models.shaping.menus import GROUP, URL
from tests.browser import screen
from tests.customers.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


class Clicks:
    """Clicks as a person makes them, counted."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, target: Any) -> None:
        target.click()
        self.made += 1


def entry(page: Any, key: str) -> Any:
    """An entry of the menu."""
    return page.locator(f'.nav a[data-key="{key}"]')


def more(page: Any, key: str) -> Any:
    """The button beside an entry."""
    return page.locator(f'.nav .tune[value="{key}"]')


def button(page: Any, name: str) -> Any:
    """The button of this name."""
    return page.get_by_role("button", name=name, exact=True)


def rename(page: Any, key: str, name: str) -> int:
    """Rename an entry from the page one is on; returns the clicks."""
    click = Clicks()
    entry(page, key).hover()
    click(more(page, key))
    click(button(page, "重命名"))
    page.get_by_label("新名称").fill(name)
    click(page.locator(".mpop").get_by_role("button", name="保存"))
    expect(entry(page, key)).to_have_text(name)
    return click.made


def hide(page: Any, key: str) -> int:
    """Hide an entry from the page one is on; returns the clicks."""
    click = Clicks()
    entry(page, key).hover()
    click(more(page, key))
    click(button(page, "隐藏"))
    expect(entry(page, key)).to_have_count(0)
    return click.made


def undo(page: Any) -> int:
    """Take the last deed back; returns the clicks."""
    click = Clicks()
    click(page.locator(".flashes").get_by_role("button", name="撤销"))
    screen.flash(page, "已撤销")
    return click.made


@pytest.mark.parametrize("address", ["/customers/", "/parameters/", "/profile"])
def test_renaming_hiding_and_undoing_take_few_clicks(page_as: Any, world: World, address: str) -> None:
    page = page_as("boss")
    page.goto(address)
    old = entry(page, "contacts").locator("span").inner_text()
    assert rename(page, "contacts", "线索池") <= 3
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    assert undo(page) <= 2
    expect(entry(page, "contacts")).to_contain_text(old)
    assert hide(page, "contacts") <= 2
    screen.flash(page, f"已隐藏“{old}”")
    assert undo(page) <= 2
    expect(entry(page, "contacts")).to_be_visible()


def test_others_see_it_at_their_next_click_and_another_dealer_does_not(page_as: Any, world: World) -> None:
    boss, seller, other = page_as("boss"), page_as("seller"), page_as("outsider")
    for page in (seller, other):
        page.goto("/customers/")
        expect(more(page, "customers")).to_have_count(0)
    old = entry(other, "customers").locator("span").inner_text()
    boss.goto("/customers/")
    rename(boss, "customers", "家庭档案")
    seller.reload()
    expect(entry(seller, "customers")).to_contain_text("家庭档案")
    expect(seller.locator("h1")).to_have_text("家庭档案")
    expect(seller.locator("#tabs .on")).to_contain_text("家庭档案")
    other.reload()
    expect(entry(other, "customers").locator("span")).to_have_text(old)


def test_a_name_that_is_wrong_is_said_beside_its_field(page_as: Any, world: World) -> None:
    page = page_as("boss")
    page.goto("/customers/")
    entry(page, "customers").hover()
    more(page, "customers").click()
    button(page, "重命名").click()
    page.get_by_label("新名称").fill("   ")
    page.keyboard.press("Enter")
    expect(page.locator('[data-field="label"] .err')).to_have_text("请填写名称")
    page.get_by_label("名称", exact=False).first.fill("家庭")
    button(page, "保存").click()
    screen.flash(page, "已保存“家庭”")


def test_the_button_is_reached_and_left_by_keyboard(page_as: Any, world: World) -> None:
    page = page_as("boss")
    page.goto("/customers/")
    expect(more(page, "customers")).to_have_css("opacity", "0")
    entry(page, "customers").focus()
    page.keyboard.press("Tab")
    expect(more(page, "customers")).to_be_focused()
    expect(more(page, "customers")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(button(page, "重命名")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(button(page, "隐藏")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".mpop")).to_have_count(0)
    expect(more(page, "customers")).to_be_focused()


def test_on_a_phone_in_the_drawer(page_as: Any, world: World) -> None:
    page = page_as("boss", size=NARROW)
    page.goto("/customers/")
    page.get_by_label("打开菜单").click()
    more(page, "contacts").click()
    expect(page.locator(".mpop")).to_be_in_viewport(ratio=1)
    button(page, "隐藏").click()
    screen.flash(page, "已隐藏")
    page.goto(URL)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_entries_and_groups_are_dragged(page_as: Any, world: World) -> None:
    page = page_as("boss")
    page.goto(URL)
    piece = page.locator('[data-piece][data-key="parameters"]')
    target = piece.locator("xpath=preceding-sibling::*[@data-piece][2]")
    above = target.get_attribute("data-key")
    piece.locator("[data-grip]").drag_to(target, target_position={"x": 60, "y": 4})
    screen.flash(page, "已移动“系统参数”")
    keys = page.locator('[data-block][data-key="group:基础设置"] [data-piece]').evaluate_all(
        "all => all.map(one => one.dataset.key)"
    )
    assert keys.index("parameters") == keys.index(above) - 1
    expect(piece).to_contain_text("已移动")
    blocks = page.locator("[data-block]")
    second = blocks.nth(1).get_attribute("data-key")
    blocks.nth(1).locator("[data-grip]").first.drag_to(blocks.nth(0), target_position={"x": 60, "y": 6})
    screen.flash(page, "已移动")
    expect(blocks.nth(0)).to_have_attribute("data-key", second)
    undo(page)
    expect(blocks.nth(1)).to_have_attribute("data-key", second)


def test_everything_works_without_scripts(page_as: Any, world: World) -> None:
    page = page_as("boss", scripts=False)
    page.goto("/customers/")
    entry(page, "contacts").hover()
    more(page, "contacts").click()
    page.locator("#f-label").fill("线索池")
    button(page, "保存").click()
    screen.flash(page, "已保存“线索池”")
    expect(page).to_have_url(re.compile("/customers/$"))
    page.goto(URL)
    button(page, "下移 线索池").click()
    screen.flash(page, "已下移“线索池”")
    button(page, "隐藏 线索池").click()
    screen.flash(page, "已隐藏“线索池”")
    page.locator(".flashes").get_by_role("button", name="撤销").click()
    screen.flash(page, "已撤销")
    page.get_by_label("编辑 线索池").click()
    page.locator("#f-place").select_option(GROUP + "管理")
    button(page, "保存").click()
    expect(page.locator('[data-block][data-key="group:管理"] [data-key="contacts"]')).to_be_visible()
    button(page, "恢复默认 线索池").click()
    expect(page.locator("main")).to_contain_text("与默认一致")


def test_a_link_opens_what_it_says_and_no_open_tab(page_as: Any, world: World) -> None:
    page = page_as("boss")
    page.goto("/customers/")
    page.goto(f"{URL}new?kind=link")
    page.locator("#f-label").fill("本周新客")
    page.locator("#f-url").fill("/customers/?view=today")
    button(page, "新增").click()
    screen.flash(page, "已新增“本周新客”")
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="本周新客").click()
    expect(page).to_have_url(re.compile(r"/customers/\?view=today$"))
