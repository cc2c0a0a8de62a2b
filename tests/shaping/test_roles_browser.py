"""Clicks from the list to what is wished: hiding a phone, own records only, a preview, and their ways back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_axe import findings
from tests.customers.world import World
from tests.identity.editor import role
from tests.plugins.chromium import NARROW, WIDE

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


class Clicks:
    """Clicks, counted."""

    def __init__(self) -> None:
        self.done = 0

    def on(self, target: Any) -> None:
        """Click it."""
        target.click()
        self.done += 1


@pytest.fixture
def clicks() -> Clicks:
    """A new count."""
    return Clicks()


@pytest.mark.spec("A-90")
def test_hide_the_phone_from_a_role_in_three_clicks_and_back_in_one(
    page_as: Any, world: World, clicks: Clicks
) -> None:
    phone = world.customer("seller", name="周敏").phone
    boss, seller = page_as("boss"), page_as("seller")
    boss.goto("/customers/")
    clicks.on(boss.get_by_role("link", name="谁能看到手机号码"))
    clicks.on(boss.get_by_role("checkbox", name="导购能看到手机号码"))
    line = boss.get_by_role("row").filter(has_text="导购")
    expect(line.get_by_text("2 人将看不到完整的手机号码")).to_be_visible()
    clicks.on(boss.get_by_role("button", name="保存"))
    expect(boss.locator(".flashes")).to_contain_text("已保存：导购")
    assert clicks.done <= 3
    seller.goto("/customers/")
    expect(seller.locator("td.ph").first).to_contain_text("****")
    clicks.done = 0
    clicks.on(boss.get_by_role("button", name="撤销"))
    expect(boss.locator(".flashes")).to_contain_text("已撤销")
    assert clicks.done <= 2
    seller.reload()
    expect(seller.locator("td.ph").first).to_contain_text(phone)


def test_own_records_only_in_three_clicks_and_back_in_one(page_as: Any, world: World, clicks: Clicks) -> None:
    world.customer("seller2", name="别人的客户")
    boss, keeper = page_as("boss"), page_as("keeper")
    boss.goto("/customers/")
    clicks.on(boss.get_by_role("link", name="谁能看到", exact=True))
    group = boss.get_by_role("radiogroup", name="店长能看到的记录")
    clicks.on(group.locator("label").filter(has_text="仅本人"))
    line = boss.get_by_role("row").filter(has_text="店长")
    expect(line.get_by_text("1 人将只看到自己的客户")).to_be_visible()
    clicks.on(boss.get_by_role("button", name="保存"))
    expect(boss.locator(".flashes")).to_contain_text("已保存：店长")
    assert clicks.done <= 3
    keeper.goto("/customers/?window=all")
    expect(keeper.get_by_text("别人的客户")).to_have_count(0)
    clicks.done = 0
    clicks.on(boss.get_by_role("button", name="撤销"))
    expect(boss.locator(".flashes")).to_contain_text("已撤销")
    assert clicks.done <= 2
    keeper.goto("/customers/?scope=dealer&window=all")
    expect(keeper.get_by_text("别人的客户").first).to_be_visible()


@SIZES
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("address", ["/roles/who?list=customers", "/roles/who?list=customers&field=phone"])
def test_who_sees_it_is_plain_to_everybody(
    page_as: Any, world: World, address: str, size: tuple[int, int], dark: bool
) -> None:
    page = page_as("boss", size=size, dark=dark)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert findings(page) == []


def test_without_a_script_the_effect_shows_all_the_same(page_as: Any, world: World) -> None:
    page = page_as("boss", scripts=False)
    page.goto("/roles/who?list=customers")
    group = page.get_by_role("radiogroup", name="导购能看到的记录")
    group.locator("label").filter(has_text="全部").click()
    line = page.get_by_role("row").filter(has_text="导购")
    expect(line.get_by_text("2 人将看到全部客户")).to_be_visible()
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".flashes")).to_contain_text("已保存：导购")
    expect(page).to_have_url(re.compile(r"/roles/who\?list=customers$"))
    assert role(world.a.id, "consultant") is not None


def test_a_preview_is_one_click_away_and_one_click_back(page_as: Any, world: World, clicks: Clicks) -> None:
    """With the ticks that are not yet saved, and with all of them there afterwards."""
    world.customer("seller", name="周敏", phone="13800000471")
    boss, target = page_as("boss"), role(world.a.id, "consultant")
    boss.goto(f"/roles/{target.id}")
    boss.get_by_label("客户电话显示加密").check()
    clicks.on(boss.get_by_role("button", name="以此角色预览"))
    expect(boss.get_by_text("正在以“导购”预览")).to_be_visible()
    boss.goto("/customers/")
    expect(boss.locator("td.ph").first).to_contain_text("138****0471")
    expect(boss.get_by_text("正在以“导购”预览")).to_be_visible()
    boss.goto("/customers/new")
    boss.get_by_label("客户姓名").fill("预览里的客户")
    boss.locator("[data-main]").click()
    expect(boss.locator("main")).to_contain_text("预览")
    boss.goto("/tasks/")
    clicks.on(boss.get_by_role("button", name="结束预览"))
    expect(boss).to_have_url(re.compile(rf"/roles/{target.id}$"))
    expect(boss.get_by_label("客户电话显示加密")).to_be_checked()
    expect(boss.locator("[data-changes] .plus")).to_contain_text("客户电话显示加密")
    expect(boss.get_by_text("正在以“导购”预览")).to_have_count(0)
    assert clicks.done == 2


def test_a_box_of_a_page_ticks_what_is_below_and_shows_a_part(page_as: Any, world: World) -> None:
    boss = page_as("boss")
    boss.goto(f"/roles/{role(world.a.id, 'consultant').id}")
    part = boss.locator("[data-page=客户]")
    head = part.locator("[data-all]")
    assert head.evaluate("box => box.indeterminate")
    head.click()
    assert part.locator("[name=permission]:not(:checked)").count() == 0
    assert not head.evaluate("box => box.indeterminate") and head.is_checked()
    part.locator("[name=permission]").first.uncheck()
    assert head.evaluate("box => box.indeterminate")
    frame = boss.locator("[data-page=字段权限]")
    boss.locator("[data-group]").filter(has_text="字段权限").locator("[data-all]").first.check()
    expect(frame.get_by_label("客户电话显示加密")).not_to_be_checked()
    expect(frame.locator(".l2").filter(has_text="客户电话显示加密")).to_contain_text("限制性")


def test_the_tree_is_searched_without_a_script(page_as: Any, world: World) -> None:
    boss = page_as("boss", scripts=False)
    boss.goto(f"/roles/{role(world.a.id, 'consultant').id}")
    boss.get_by_label("设置标签").check()
    boss.get_by_role("searchbox", name="搜索菜单、操作、字段").fill("电话显示")
    boss.get_by_role("searchbox", name="搜索菜单、操作、字段").press("Enter")
    expect(boss.locator(".tree .l2:visible")).to_have_count(1)
    expect(boss.locator("[data-changes] .plus")).to_contain_text("设置标签")
    boss.locator(".head").get_by_role("button", name="保存", exact=True).click()
    expect(boss.locator(".flashes")).to_contain_text("已保存")
    expect(boss.get_by_label("设置标签")).to_be_checked()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["wide", "narrow"])
def test_the_pages_of_rights_are_plain_to_everybody(
    page_as: Any, world: World, size: tuple[int, int], dark: bool
) -> None:
    target = role(world.a.id, "consultant")
    customer = world.customer("seller2")
    page = page_as("boss", size=size, dark=dark)
    for address in (
        "/why/",
        f"/why/?person=seller&list=customers&record={customer.id}&what=field:phone",
        f"/roles/{target.id}/people?q=设计",
        f"/roles/{target.id}?find=标签",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert findings(page) == [], address
    page.get_by_role("button", name="以此角色预览").click()
    expect(page.get_by_text("正在以“导购”预览")).to_be_visible()
    for address in ("/", "/customers/", f"/customers/{customer.id}"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert findings(page) == [], address
