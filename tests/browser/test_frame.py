"""The frame: who is signed in, the menu, opened pages, keyboard, errors in words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from app.engine.database import utcnow
from app.engine.localtime import local
from tests.browser import screen
from tests.browser.world import PASSWORD, World, make
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def clock_of(moment: datetime) -> str:
    """The minute as the head of the page says it."""
    return f"{moment:%Y年%m月%d日} {'上午' if moment.hour < 12 else '下午'} {moment:%I:%M}"


@pytest.mark.spec("D-01")
def test_sign_in_and_read_the_header(page: Any, world: World) -> None:
    page.goto("/customers/")
    expect(page).to_have_url(re.compile("/login"))
    screen.fill(page, "账号", "consultant1")
    screen.fill(page, "密码", "wrong")
    screen.press(page, "登录")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("账号")).to_have_value("consultant1")
    screen.fill(page, "密码", PASSWORD)
    screen.press(page, "登录")
    expect(page).to_have_url(re.compile("/customers/$"))
    expect(page.locator(".who")).to_contain_text("林一-导购 [D001-01: 示范一店]")
    now = local(utcnow())
    minutes = "|".join(clock_of(now + timedelta(minutes=n)) for n in (0, 1))
    expect(page.locator("#now")).to_have_text(re.compile(rf"^(?:{minutes}):\d\d$"))


def test_sign_out_ends_the_session(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/")
    page.locator(".acct summary").click()
    screen.press(page, "退出登录")
    expect(page).to_have_url(re.compile("/login"))
    page.goto("/customers/")
    expect(page).to_have_url(re.compile("/login"))


@pytest.mark.spec("D-05")
def test_menu_groups_fold_and_show_only_what_the_role_may(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/")
    menu = page.get_by_role("navigation", name="主菜单")
    expect(menu).to_contain_text("客户")
    expect(menu).not_to_contain_text("商场角色管理")
    expect(menu).not_to_contain_text("管理", use_inner_text=True)
    menu.locator("summary", has_text="经营").click()
    expect(menu.get_by_role("link", name="服务单")).to_be_hidden()
    page.reload()
    expect(menu.get_by_role("link", name="服务单")).to_be_hidden()
    menu.locator("summary", has_text="经营").click()
    page.get_by_role("button", name="收起菜单").click()
    expect(page.locator("html")).to_have_class(re.compile("rail"))
    menu.locator('[data-key="customers"]').click()
    expect(page).to_have_url(re.compile("/customers/"))


@pytest.mark.spec("D-06")
def test_badges_count_waiting_work_and_fall_when_it_is_done(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/")
    item = page.locator('.nav [data-key="contacts"] b')
    expect(item).to_have_text("3")
    page.goto(f"/contacts/action/write_follow_up?id={world.contacts['王先生']}")
    screen.fill(page, "跟进内容", "已加微信")
    page.locator("[data-main]").click()
    expect(item).to_have_text("2")
    group = page.locator(".nav summary", has_text="获客").locator("b")
    expect(group).to_have_text("2")


@pytest.mark.spec("D-07")
def test_opened_pages_stay_as_tabs_and_keep_their_filters(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    page.locator("select[name=level]").select_option(label="A")
    screen.press(page, "查询")
    expect(screen.row(page, "张晓云")).to_be_visible()
    expect(screen.row(page, "周敏")).to_have_count(0)
    menu = page.get_by_role("navigation", name="主菜单")
    menu.get_by_role("link", name="潜客列表").click()
    expect(page.get_by_role("heading", name="潜客")).to_be_visible()
    menu.locator('[data-key="customers"]').click()
    expect(page).to_have_url(re.compile("level=A"))
    expect(screen.row(page, "周敏")).to_have_count(0)
    tabs = page.locator("#tabs .tab")
    expect(tabs).to_have_text(["首页", "客户", "潜客列表"])
    page.get_by_role("button", name="关闭「客户」").click()
    expect(tabs).to_have_text(["首页", "潜客列表"])


def test_tabs_of_equal_names_carry_the_code(page_as: Any, world: World) -> None:
    twin = make("customers", {"name": "周敏", "phone": "13800009055"}, world.actor("consultant1"))
    page = page_as("consultant1")
    tabs = page.locator("#tabs .tab")
    page.goto(f"/customers/{world.customers['周敏']}")
    expect(tabs).to_have_text(["首页", "周敏"])
    page.goto(f"/customers/{twin}")
    expect(tabs).to_have_text(
        ["首页", re.compile(r"^周敏 KF\d{4}-\d{4}$"), re.compile(r"^周敏 KF\d{4}-\d{4}$")]
    )


def test_a_success_fades_and_a_problem_stays(page_as: Any, world: World) -> None:
    page = page_as("consultant1", own=True)
    page.clock.install()
    page.goto(f"/customers/{world.customers['赵立新']}/edit")
    screen.fill(page, "小区", "云栖花园")
    screen.press(page, "保存")
    screen.flash(page, "已保存")
    page.wait_for_load_state()  # by then the page's script has set its clock
    page.clock.run_for(7000)
    expect(page.locator(".flashes .note")).to_have_count(0)


def test_back_reload_and_address_bring_the_same_page(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    page.get_by_placeholder("姓名、手机号码、服务号").fill("张晓")
    screen.press(page, "查询")
    expect(screen.row(page, "张晓云")).to_be_visible()
    screen.lists(page, "张晓云")
    page.reload()
    screen.lists(page, "张晓云")
    page.go_back()
    expect(screen.row(page, "周敏")).to_be_visible()
    page.go_forward()
    screen.lists(page, "张晓云")


@pytest.mark.spec("A-92")
def test_slash_searches_a_full_number_and_opens_the_file(page_as: Any, world: World) -> None:
    page = page_as("clerk1")
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("13800000471")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="周敏")).to_be_visible()
    expect(page.locator("main")).to_contain_text("138****0471")
    assert "13800000471" not in page.content()


def test_search_finds_two_characters_of_a_name(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/search?q=国栋")
    expect(page.get_by_role("searchbox")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("国栋")
    page.get_by_role("link", name=re.compile("陈国栋")).click()
    expect(page.get_by_role("heading", name="陈国栋")).to_be_visible()
    page.goto("/search?q=查无此人")
    expect(page.locator("main")).to_contain_text("没有找到“查无此人”")


@pytest.mark.spec("D-14", "A-70")
def test_errors_speak_in_words(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    assert page.goto(f"/customers/{world.stranger}").status == 404
    expect(page.locator("main")).to_contain_text("无权限查看")
    assert "他店客户" not in page.content()
    assert page.goto("/roles/").status == 403
    expect(page.locator("main")).to_contain_text("无权限")
    page.locator("main").get_by_role("link", name="回到首页").click()
    expect(page.get_by_role("heading", name=re.compile("林一"))).to_be_visible()


def test_theme_is_switched_and_kept(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/")
    page.get_by_role("button", name="切换明暗").first.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_phone_has_cards_a_drawer_and_a_bottom_bar(page_as: Any, world: World) -> None:
    page = page_as("consultant1", size=NARROW)
    page.goto("/customers/")
    expect(page.locator(".bottom")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("table.rows thead")).to_be_hidden()
    page.get_by_role("button", name="打开菜单").click()
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="潜客列表").click()
    expect(page.get_by_role("heading", name="潜客")).to_be_visible()


def test_a_phone_calls_ticks_and_filters(page_as: Any, world: World) -> None:
    page = page_as("consultant1", size=NARROW)
    page.goto("/customers/")
    card = screen.row(page, "周敏")
    expect(card.locator(".k")).to_be_hidden()
    page.get_by_role("button", name="选择", exact=True).click()
    card.click()
    screen.row(page, "张晓云").click()
    expect(page.locator(".batch .said")).to_have_text("已选 2 条")
    page.get_by_role("button", name="完成").click()
    expect(page.locator(".batch")).to_be_hidden()
    expect(card.locator(".ac button:visible")).to_have_count(1)
    card.get_by_role("button", name="拨打电话").click()
    expect(page.get_by_role("link", name="13800000471")).to_have_attribute("href", "tel:13800000471")
    page.goto("/follow_ups/")
    expect(page.locator("tbody td.nm").first).to_be_visible()
    page.locator(".filters").get_by_text("筛选", exact=True).click()
    expect(page.locator(".filters select").first).to_be_visible()


def test_password_is_changed_by_its_owner(page_as: Any, page: Any, world: World) -> None:
    mine = page_as("consultant2")
    mine.goto("/profile")
    expect(mine.locator("main")).to_contain_text("陈朵")
    mine.get_by_role("link", name="修改密码").last.click()
    for label, value in (("原密码", PASSWORD), ("新密码", "New-words-2027K"), ("再次输入新密码", "other")):
        screen.fill(mine, label, value)
    mine.locator("[data-main]").click()
    expect(mine.locator("main")).to_contain_text("两次输入的新密码不一致")
    for label, value in (
        ("原密码", PASSWORD),
        ("新密码", "New-words-2027K"),
        ("再次输入新密码", "New-words-2027K"),
    ):
        screen.fill(mine, label, value)
    mine.locator("[data-main]").click()
    screen.flash(mine, "密码已修改")
    page.goto("/login")
    screen.fill(page, "账号", "consultant2")
    screen.fill(page, "密码", "New-words-2027K")
    screen.press(page, "登录")
    expect(page.locator(".who")).to_contain_text("陈朵")
