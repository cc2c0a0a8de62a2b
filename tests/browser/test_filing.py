"""Filing a customer: checks while typing, the two dialogs, people without a phone, what is typed is kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from app.engine.database import db
from models.customers.tables import Customer
from tests.browser import screen
from tests.browser.world import PASSWORD, World

pytestmark = pytest.mark.browser

KNOWN = "13800000471"
HEADING = "此电话号码已建档，请选择建档标签"


@pytest.mark.spec("A-01")
def test_file_a_customer(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    page.get_by_role("link", name="新增服务号").first.click()
    screen.fill(page, "客户姓名", "林小满")
    screen.fill(page, "手机号码", "138 0000 9001")
    screen.field(page, "意向级别").select_option(label="B")
    screen.press(page, "保存")
    expect(page.get_by_role("heading", name="林小满")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"KF\d{4}-\d{4}"))
    expect(page.locator("main")).to_contain_text("13800009001")
    page.goto("/customers/")
    expect(screen.row(page, "林小满")).to_be_visible()


@pytest.mark.spec("A-02", "A-03", "A-10")
def test_a_known_phone_asks_while_it_is_typed_and_giving_up_saves_nothing(page_as: Any, world: World) -> None:
    page = page_as("consultant2")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "周女士")
    screen.field(page, "手机号码").press_sequentially(KNOWN)
    dialog = page.get_by_role("dialog", name=HEADING)
    expect(dialog).to_be_visible()
    expect(dialog.locator("tbody tr")).to_have_count(1)
    expect(dialog.locator("tbody td")).to_have_text(["周敏", "示范一店", "林一", "跟进中"])
    expect(dialog).not_to_contain_text(KNOWN)
    expect(dialog.locator("td a")).to_have_count(0)  # he is in another store: named, but not opened
    dialog.get_by_text("放弃创建").click()
    expect(page).to_have_url(re.compile("/customers/"))
    page.goto("/customers/?q=周女士")
    expect(page.locator("main")).to_contain_text("暂无")


def test_a_known_customer_of_ones_own_is_opened_from_the_notice(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "周女士")
    screen.field(page, "手机号码").press_sequentially(KNOWN)
    dialog = page.get_by_role("dialog", name=HEADING)
    dialog.get_by_role("button", name="返回修改").click()
    expect(dialog).to_have_count(0)
    expect(screen.field(page, "客户姓名")).to_have_value("周女士")
    expect(screen.field(page, "手机号码")).to_be_focused()
    page.goto("/customers/new")
    screen.fill(page, "手机号码", KNOWN)
    dialog.get_by_role("link", name="周敏").click()
    expect(page).to_have_url(re.compile(f"/customers/{world.customers['周敏']}$"))


@pytest.mark.spec("A-03", "A-04", "A-05")
def test_going_on_asks_a_second_time_and_insisting_makes_a_second_file(page_as: Any, world: World) -> None:
    page = _second_notice(page_as("consultant1"))
    dialog = page.get_by_role("dialog", name="温馨提示")
    expect(dialog.locator(".ask-b > *")).to_have_text(["添加品类", "继续建档", "取消"])
    dialog.get_by_role("button", name="继续建档").click()
    expect(page.get_by_role("heading", name="周女士")).to_be_visible()
    page.goto(f"/customers/?q={KNOWN}")
    expect(page.locator("table.rows.cards tbody td.nm")).to_have_text(["周女士", "周敏"])
    codes = page.locator("table.rows.cards tbody td.cd").all_inner_texts()
    assert len(set(codes)) == 2


@pytest.mark.spec("A-04", "A-10")
def test_cancel_in_the_second_notice_keeps_what_was_typed(page_as: Any, world: World) -> None:
    page = _second_notice(page_as("consultant1"))
    page.get_by_role("dialog", name="温馨提示").get_by_text("取消").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(screen.field(page, "客户姓名")).to_have_value("周女士")
    expect(screen.field(page, "手机号码")).to_have_value(KNOWN)
    page.goto("/customers/?q=周女士")
    expect(page.locator("main")).to_contain_text("暂无")


@pytest.mark.spec("A-06", "A-07", "A-10")
def test_add_a_category_leads_to_the_known_customer(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "李女士")
    screen.fill(page, "手机号码", "13700009913")
    _go_on(page)
    page.get_by_role("dialog", name="温馨提示").get_by_role("link", name="添加品类").click()
    expect(page).to_have_url(re.compile(r"/customers/?\?q=13700009913"))
    screen.lists(page, "李文静")
    screen.row(page, "李文静").click()
    page.get_by_role("link", name="打开整页").click()
    screen.more(page, "继续服务").click()
    screen.field(page, "品牌品类").select_option(label="知家橱柜")
    page.locator("[data-main]").click()
    expect(page.locator(".sheet")).to_contain_text("该客户已有此品类的服务单")
    screen.field(page, "品牌品类").select_option(label="知家衣柜")
    page.locator("[data-main]").click()
    screen.flash(page, "已新增服务单")
    page.goto(f"/customers/{world.customers['李文静']}")
    expect(page.get_by_role("tab", name=re.compile("^服务单"))).to_have_text("服务单2")
    page.goto("/customers/?q=13700009913")
    screen.lists(page, "李文静")


@pytest.mark.spec("A-08")
def test_a_person_without_a_phone_goes_to_the_leads(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "只留名字")
    screen.press(page, "保存")
    expect(page).to_have_url(re.compile("/contacts/"))
    page.goto("/contacts/")
    expect(screen.row(page, "只留名字")).to_contain_text("自建无手机号")
    page.goto("/customers/?q=只留名字")
    expect(page.locator("main")).to_contain_text("暂无")


@pytest.mark.spec("A-09", "D-11")
def test_wrong_and_missing_entries_are_marked_in_place_and_kept(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    expect(page.locator('[data-field="name"] .star')).to_have_text("*")
    screen.field(page, "手机号码").press_sequentially("1380000")
    expect(page.locator('[data-field="phone"]')).to_contain_text("请输入正确的手机号码")
    expect(page.locator('[data-field="community"]')).to_be_hidden()
    screen.unfold(page, "地址")
    screen.fill(page, "小区", "云栖花园 😀")
    screen.press(page, "保存")
    expect(page.locator('[data-field="name"] .err')).to_contain_text("客户姓名")
    screen.fill(page, "客户姓名", "<b>小满</b>")
    screen.press(page, "保存")
    expect(page.locator('[data-field="phone"] .err')).to_contain_text("请输入正确的手机号码")
    expect(screen.field(page, "客户姓名")).to_have_value("<b>小满</b>")
    expect(screen.field(page, "小区")).to_have_value("云栖花园 😀")
    screen.fill(page, "手机号码", "+86 138-0000-9002")
    screen.press(page, "保存")
    expect(page.get_by_role("heading", name="<b>小满</b>")).to_be_visible()


@pytest.mark.spec("D-13")
def test_linked_lists_follow_each_other(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.unfold(page, "地址")
    province, city, district = (screen.field(page, label) for label in ("省份", "城市", "行政区"))
    expect(city.locator("option")).to_have_text(["请先选择省份"])
    province.select_option(label="浙江省")
    city.select_option(label="杭州市")
    district.select_option(label="西湖区")
    province.select_option(label="江苏省")
    expect(city).to_have_value("")
    expect(district).to_have_value("")
    expect(city.locator("option")).to_have_text(["请选择", "南京市", "苏州市", "无锡市"])
    screen.field(page, "来源大类").select_option(label="线上")
    expect(screen.field(page, "客户来源").locator("option")).to_have_count(5)


def test_a_form_left_by_mistake_comes_back_as_a_draft(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    expect(screen.field(page, "客户姓名")).to_be_focused()
    screen.fill(page, "客户姓名", "未写完")
    screen.unfold(page, "地址")
    screen.field(page, "小区").scroll_into_view_if_needed()
    screen.fill(page, "小区", "未写完的小区")
    page.goto("/customers/")
    page.goto("/customers/new")
    expect(page.locator("[data-draft-note]")).to_be_in_viewport()
    expect(screen.field(page, "手机号码")).to_be_focused()
    expect(screen.field(page, "客户姓名")).to_have_value("未写完")
    expect(screen.field(page, "小区")).to_have_value("未写完的小区")
    page.get_by_text("清除并重新填写").click()
    expect(screen.field(page, "客户姓名")).to_have_value("")


LEFT = """() => [sessionStorage, localStorage].flatMap((area) => Object.keys(area))
    .filter((name) => /^zk\\.(draft|recent|tabs)/.test(name))"""


def _enter(page: Any, username: str) -> None:
    page.goto("/login")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.locator(".acct")).to_be_attached()


def _leave_a_draft(page: Any) -> None:
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "未写完")
    page.goto("/customers/")
    assert any("draft" in name for name in page.evaluate(LEFT))


def _session_ends(page: Any) -> None:
    page.wait_for_load_state("networkidle")  # an answer still on its way would bring the cookie back
    page.context.clear_cookies()


def test_nothing_typed_is_left_for_the_next_person(page_as: Any, world: World) -> None:
    """Signing out takes it away, and so does somebody else's page after a session that ended by itself."""
    page = page_as("consultant1")
    _leave_a_draft(page)
    page.locator(".acct summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator("input[name=password]")).to_be_visible()
    assert page.evaluate(LEFT) == []
    _enter(page, "consultant1")
    _leave_a_draft(page)
    _session_ends(page)
    _enter(page, "consultant1")
    assert any("draft" in name for name in page.evaluate(LEFT)), "the same person goes on"
    _session_ends(page)
    _enter(page, "manager1")
    assert not any("draft" in name for name in page.evaluate(LEFT))


@pytest.mark.spec("A-116", "D-15")
def test_a_stale_save_shows_mine_and_theirs(page_as: Any, world: World) -> None:
    address = f"/customers/{world.customers['周敏']}/edit"
    mine, theirs = page_as("consultant1"), page_as("manager1")
    mine.goto(address)
    theirs.goto(address)
    screen.fill(theirs, "小区", "对方的小区")
    screen.press(theirs, "保存")
    expect(theirs.get_by_role("heading", name="周敏")).to_be_visible()
    screen.fill(mine, "小区", "我的小区")
    mine.locator("[data-main]").scroll_into_view_if_needed()
    screen.press(mine, "保存")
    conflict = mine.locator(".conflict")
    expect(conflict).to_be_focused()
    expect(conflict.get_by_role("heading")).to_be_in_viewport()
    expect(conflict).to_contain_text("数据已被他人修改，请刷新后重试")
    expect(conflict.locator("tbody tr").filter(has_text="小区")).to_contain_text("对方的小区")
    expect(screen.field(mine, "小区")).to_have_value("我的小区")
    screen.press(mine, "用我的")
    expect(mine.get_by_role("heading", name="周敏")).to_be_visible()
    mine.goto(f"/customers/{world.customers['周敏']}/history")
    expect(mine.locator("main")).to_contain_text("对方的小区")
    expect(mine.locator("main")).to_contain_text("我的小区")


def test_two_clicks_save_once(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "点两下")
    screen.fill(page, "手机号码", "13800009003")
    page.locator("[data-main]").dblclick()
    expect(page.get_by_role("heading", name="点两下")).to_be_visible()
    page.goto("/customers/?q=13800009003")
    expect(page.locator("table.rows.cards tbody td.nm")).to_have_count(1)


def test_a_session_that_ends_in_mid_form_loses_nothing(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "登录过期")
    screen.fill(page, "手机号码", "13800009004")
    page.context.clear_cookies()
    screen.press(page, "保存")
    expect(page.locator("main")).to_contain_text("登录已失效")
    screen.fill(page, "账号", "consultant1")
    screen.fill(page, "密码", PASSWORD)
    screen.press(page, "登录")
    expect(page.locator("main")).to_contain_text("登录失效前填写的内容都在")
    screen.press(page, "继续提交")
    expect(page.get_by_role("heading", name="登录过期")).to_be_visible()


def test_a_value_whose_dictionary_entry_is_gone_stays_with_the_file(page_as: Any, world: World) -> None:
    customer = world.customers["周敏"]
    statement = update(Customer).where(Customer.id == customer).values(level="旧级别")
    db.session.execute(statement.execution_options(audited=True, synchronize_session=False))
    db.session.commit()
    page = page_as("consultant1")
    page.goto(f"/customers/{customer}/edit")
    expect(screen.field(page, "意向级别")).to_have_value("旧级别")
    screen.fill(page, "小区", "云栖花园")
    screen.press(page, "保存")
    expect(page.locator('dd[data-name="community"]')).to_have_text("云栖花园")
    expect(page.locator(".hd")).to_contain_text("旧级别")


def _go_on(page: Any) -> None:
    dialog = page.get_by_role("dialog", name=HEADING)
    expect(dialog).to_be_visible()
    dialog.get_by_text("继续创建").click()
    expect(page.get_by_role("dialog", name="温馨提示")).to_be_visible()


def _second_notice(page: Any) -> Any:
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "周女士")
    screen.fill(page, "手机号码", KNOWN)
    _go_on(page)
    return page
