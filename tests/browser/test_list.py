"""Lists at work: filters, window, paging, columns, side sheet, batches; also in a browser without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from app.engine.database import db, utcnow
from models.customers.tables import Customer
from tests.browser import screen
from tests.browser.world import PASSWORD, World, do, make

pytestmark = pytest.mark.browser


@pytest.mark.spec("D-08")
def test_filters_combine_and_clear_brings_all_back(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    before = [name.strip() for name in screen.names(page).all_inner_texts()]
    box = page.get_by_placeholder("姓名、手机号码、服务号")
    box.fill("2208")
    screen.press(page, "查询")
    expect(box).to_have_value("2208")
    screen.lists(page, "陈国栋")
    page.get_by_role("link", name="清除", exact=True).click()
    screen.lists(page, *before)
    page.locator("select[name=level]").select_option(label="A")
    page.locator("summary", has_text="标签").click()
    page.get_by_role("checkbox", name="全屋").check()
    screen.press(page, "查询")
    screen.lists(page, "陈国栋")
    page.locator(".chips .chip", has_text="标签").click()
    screen.lists(page, "陈国栋", "张晓云")


@pytest.mark.spec("D-09")
def test_pages_count_and_number_their_rows(page_as: Any, world: World) -> None:
    consultant = world.actor("consultant1")
    for n in range(43):
        make("customers", {"name": f"排队{n:02}", "phone": f"1360000{n:04}"}, consultant)
    page = page_as("consultant1")
    page.goto("/customers/")
    foot = page.locator(".foot")
    expect(foot).to_contain_text("49条记录 1/3 页")
    first = page.locator("table.rows tbody td.k")
    expect(first).to_have_count(20)
    foot.get_by_role("link", name="下页").click()
    expect(foot).to_contain_text("2/3 页")
    foot.get_by_role("link", name="3", exact=True).click()
    expect(foot).to_contain_text("3/3 页")
    expect(first).to_have_text([str(n) for n in range(41, 50)])
    foot.get_by_role("link", name="首页").click()
    expect(first.first).to_have_text("1")
    foot.get_by_role("link", name="末页").click()
    expect(first).to_have_text([str(n) for n in range(41, 50)])
    foot.get_by_role("link", name="50", exact=True).click()
    expect(foot).to_contain_text("49条记录 1/1 页")


@pytest.mark.spec("D-10")
def test_an_empty_list_says_so(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    expect(page.locator("table.rows tbody tr").first).to_be_visible()
    headings = page.locator("table.rows thead th").all_inner_texts()
    assert "客户姓名" in headings
    page.goto("/customers/?q=13999999999")
    expect(page.locator("table.rows tbody")).to_contain_text("暂无相关数据")
    expect(page.locator("table.rows thead th")).to_have_text(headings, use_inner_text=True)
    expect(page.locator(".foot > span").first).to_have_text("0条记录")


@pytest.mark.spec("A-64", "A-65", "A-66")
def test_180_days_are_shown_until_the_range_is_changed(page_as: Any, world: World) -> None:
    old, near = world.customers["周敏"], world.customers["张晓云"]
    for one, days in ((old, 181), (near, 179)):
        statement = (
            update(Customer).where(Customer.id == one).values(created_at=utcnow() - timedelta(days=days))
        )
        db.session.execute(statement.execution_options(audited=True, synchronize_session=False))
    db.session.commit()
    page = page_as("consultant1")
    page.goto("/customers/")
    expect(page.locator(".chips")).to_contain_text("近 180 天")
    expect(screen.names(page).filter(has_text="张晓云")).to_have_count(1)
    expect(screen.names(page).filter(has_text="周敏")).to_have_count(0)
    shown = screen.names(page).count()
    tab = page.get_by_role("navigation", name="视图").get_by_role("link", name=re.compile("^跟进中"))
    expect(tab.locator("small")).to_have_text(str(shown))
    tab.click()
    expect(page.locator(".foot")).to_contain_text(f"{shown}条记录")
    page.goto("/customers/?level=H")
    expect(page.locator("table.rows tbody")).to_contain_text(
        "默认仅显示180天内创建的数据，可展开高级搜索调整创建时间"
    )
    page.get_by_text("展开高级搜索", exact=True).click()
    since = (utcnow() - timedelta(days=730)).date()
    page.locator('input[name="created_at.from"]').fill(since.isoformat())
    expect(screen.row(page, "周敏")).to_have_count(0)
    screen.press(page, "高级搜索")
    screen.lists(page, "周敏")
    expect(page.locator(".chips")).to_contain_text(since.isoformat())
    expect(page.locator(".chips")).not_to_contain_text("180")
    expect(page.locator(".more-fl")).to_be_hidden()  # what is searched for stands in the chips


def test_the_advanced_search_opens_where_its_button_stands(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    toggle = page.locator(".adv summary")
    before = toggle.bounding_box()
    toggle.click()
    expect(page.locator(".more-fl")).to_be_visible()
    assert toggle.bounding_box() == before
    expect(page.locator(".filters").locator("button:visible")).to_have_text("高级搜索", use_inner_text=True)
    several = page.locator(".more-fl .ms").last
    several.locator("summary").click()
    expect(several.locator(".pop")).to_be_in_viewport(ratio=1)  # over the list, nothing cuts it off
    expect(several.locator("summary")).to_contain_text("不限")
    labels = several.locator("label")
    names = "、".join(name.strip() for name in labels.all_inner_texts())
    for n in range(labels.count()):
        labels.nth(n).click()
    expect(several.locator("[data-said]")).to_have_text(names)
    expect(several.locator("summary b")).to_have_text(str(labels.count()))
    screen.press(page, "高级搜索")
    expect(page.locator(".chips")).to_contain_text(names)
    toggle.click()
    expect(several.locator("[data-said]")).to_have_text(names)
    several.locator("summary").click()
    for n in range(labels.count()):
        labels.nth(n).click()
    expect(several.locator("[data-said]")).to_have_text("不限")
    expect(several.locator("summary b")).to_be_hidden()
    several.locator("summary").click()
    toggle.click()
    expect(page.locator(".filters").locator("button:visible")).to_have_text("查询", use_inner_text=True)


def test_a_list_shows_the_first_tags_and_counts_the_rest(page_as: Any, world: World) -> None:
    customer, tags = world.customers["周敏"], list(world.tags.values())
    do("customers", "tag", [customer], world.actor("admin"), tags=tags[:4])
    page = page_as("consultant1")
    page.goto("/customers/")
    cell = screen.row(page, "周敏").locator("td.tg")
    expect(cell.locator(".t")).to_have_count(3)
    expect(cell.locator(".t").last).to_have_text(re.compile(r"^\+2"))
    expect(cell.locator(".t").last).to_have_attribute("title", re.compile("、"))
    page.goto(f"/customers/{customer}")
    expect(page.locator(".hd .tg .t")).to_have_count(4)


@pytest.mark.spec("A-67", "A-68", "A-69")
def test_scopes_are_tabs(page_as: Any, world: World) -> None:
    page = page_as("designer1")
    page.goto("/customers/")
    tabs = page.get_by_role("navigation", name="数据范围")
    expect(tabs.locator("a")).to_have_text(["我的客户0", "我关联的客户2"])
    expect(tabs.locator(".on")).to_have_text("我关联的客户2")
    screen.lists(page, "李文静", "陈国栋")
    tabs.get_by_text("我的客户").click()
    expect(tabs.locator(".on")).to_have_text("我的客户0")
    screen.lists(page)
    manager = page_as("manager1")
    manager.goto("/customers/")
    tabs = manager.get_by_role("navigation", name="数据范围")
    expect(tabs.locator(".on")).to_have_text("本店客户6")
    for label in ("我的客户", "我关联的客户", "全部客户"):
        expect(tabs.get_by_text(label)).to_be_visible()


def test_the_side_sheet_reads_through_the_list(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    screen.row(page, "赵立新").locator("td.st").click()
    sheet = page.locator(".sheet")
    expect(sheet.get_by_role("heading", name="赵立新")).to_be_visible()
    sheet.get_by_role("button", name="下一条").click()
    expect(sheet.get_by_role("heading", name="吴海燕")).to_be_visible()
    page.keyboard.press("j")
    expect(sheet.get_by_role("heading", name="李文静")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    screen.row(page, "李文静").locator("td.st").click()
    expect(sheet.get_by_role("heading", name="李文静")).to_be_visible()
    sheet.get_by_role("link", name="打开整页").click()
    expect(page).to_have_url(re.compile(f"/customers/{world.customers['李文静']}$"))


def test_a_row_opens_its_menu_its_form_and_its_page(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    line = screen.row(page, "赵立新").locator("td.ac")
    expect(line.get_by_role("button", name="拨打电话")).to_be_visible()
    line.get_by_title("操作").click()
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem")).to_contain_text(["打开整页", "编辑"])
    expect(menu.get_by_role("menuitem", name="打标签")).to_have_attribute("aria-disabled", "true")
    menu.get_by_role("menuitem", name="编辑").click()
    expect(page).to_have_url(re.compile(f"/customers/{world.customers['赵立新']}/edit$"))
    page.goto("/customers/")
    screen.row(page, "赵立新").locator("td.st").click(button="right")
    page.get_by_role("menuitem", name="打开整页").click()
    expect(page.get_by_role("heading", name="赵立新")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/customers/{world.customers['赵立新']}$"))


def test_columns_are_chosen_and_kept(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/customers/")
    page.locator("summary", has_text="列").last.click()
    page.locator("[data-columns] label", has_text="标签").locator("input").uncheck()
    page.locator("[data-columns] label", has_text="活跃度分值").locator("input").check()
    page.locator("[data-columns]").get_by_role("button", name="保存").click()
    heads = page.locator("table.rows thead")
    expect(heads).to_contain_text("活跃度分值")
    expect(heads).not_to_contain_text("标签")
    page.goto("/customers/?level=A")
    expect(heads).to_contain_text("活跃度分值")
    page.locator("summary", has_text="列").last.click()
    page.locator("[data-columns]").get_by_role("button", name="恢复默认").click()
    expect(heads).to_contain_text("标签")


@pytest.mark.spec("A-60", "A-61", "A-63")
def test_a_batch_reports_record_by_record(page_as: Any, world: World) -> None:
    values = {"customer_id": world.customers["周敏"], "amount": Decimal(1000)}
    make("receipts", values, world.actor("manager1"))
    page = page_as("consultant1")
    page.goto("/customers/")
    screen.tick(page, "周敏", "赵立新")
    expect(page.locator(".batch .said")).to_have_text("已选 2 条")
    screen.batch(page, "失效").click()
    dialog = page.get_by_role("dialog", name="失效 2 条记录")
    expect(dialog).to_contain_text("确认将所选客户置为失效")
    expect(dialog.get_by_role("button", name="取消")).to_be_focused()
    dialog.get_by_role("button", name="失效").click()
    main = page.locator("main")
    expect(main).to_contain_text("未完成的记录与原因")
    expect(main.locator("tbody tr")).to_have_text(
        [re.compile("周敏.*该客户已收款，请先将收款退回为0再操作失效")]
    )
    page.get_by_role("link", name="返回列表").click()
    expect(screen.row(page, "周敏")).to_be_visible()
    expect(screen.row(page, "赵立新")).to_have_count(0)
    page.goto("/customers/?stage=invalid")
    screen.lists(page, "赵立新")


def test_reassigning_a_batch_names_the_new_consultant(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/?scope=dealer")
    screen.tick(page, "周敏", "张晓云")
    screen.batch(page, "修改导购").click()
    expect(page.locator(".subjects")).to_contain_text("周敏")
    screen.pick(page, "owner", "陈朵")
    page.locator("[data-main]").click()
    screen.flash(page, "2")
    page.goto("/customers/?scope=dealer")
    expect(screen.row(page, "周敏")).to_contain_text("陈朵")


def test_everything_works_without_scripts(page_as: Any, world: World) -> None:
    page = page_as(scripts=False)
    page.goto("/customers/")
    screen.fill(page, "账号", "consultant1")
    screen.fill(page, "密码", PASSWORD)
    screen.press(page, "登录")
    page.locator("select[name=level]").select_option(label="A")
    screen.press(page, "查询")
    screen.lists(page, "陈国栋", "张晓云")
    page.goto("/customers/new")
    screen.fill(page, "客户姓名", "无脚本")
    screen.fill(page, "手机号码", "13800000471")
    screen.press(page, "保存")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("此电话号码已建档，请选择建档标签")
    dialog.get_by_text("继续创建").click()
    dialog.get_by_role("button", name="继续建档").click()
    expect(page.get_by_role("heading", name="无脚本")).to_be_visible()
    page.get_by_role("link", name="手动填写跟进").click()
    screen.fill(page, "跟进内容", "没有脚本也能写")
    screen.press(page, "手动填写跟进")
    expect(page.locator("body")).to_contain_text("已记录跟进")
    page.goto("/customers/")
    screen.tick(page, "无脚本")
    screen.batch(page, "失效").click()
    expect(page.locator("body")).to_contain_text("失效")
    page.goto("/customers/?stage=invalid")
    screen.lists(page, "无脚本")
