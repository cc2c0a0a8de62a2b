"""Working with people: linking leads, tags, follow-ups, tracks."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from app.engine.database import db
from models.customers.tables import CONTACT_TAGS, CUSTOMER_TAGS, Tag
from models.orders.tables import ServiceOrder
from tests.browser import screen
from tests.browser.world import World, do, make
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


@pytest.mark.spec("A-15", "A-18", "A-19")
def test_link_a_lead_to_a_customer_and_undo_it(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/contacts/")
    screen.row(page, "王先生").locator("td.nm").click()
    page.locator(".sheet").get_by_text("关联客户", exact=True).first.click()
    expect(page.locator(".sheet .fld").first).to_contain_text("选择客户")
    screen.pick(page, "customer", "张晓", choose="张晓云")
    page.locator("[data-main]").click()
    screen.flash(page, "已关联客户张晓云")
    page.goto("/contacts/")
    expect(screen.row(page, "王先生")).to_have_count(0)
    page.goto(f"/customers/{world.customers['张晓云']}")
    expect(page.locator(".rel")).to_contain_text("王先生")
    page.goto("/customers/")
    page.get_by_role("link", name=re.compile("已关联潜客")).click()
    screen.lists(page, "张晓云")
    screen.tick(page, "张晓云")
    screen.batch(page, "解除潜客关系").click()
    page.get_by_role("dialog").get_by_role("button", name="解除潜客关系").click()
    screen.flash(page, "已解除1位潜客")
    page.goto("/contacts/")
    expect(screen.row(page, "王先生")).to_be_visible()
    page.goto("/customers/")
    expect(screen.row(page, "张晓云")).to_be_visible()


@pytest.mark.spec("A-16", "A-17")
def test_a_lead_becomes_a_customer_once_there_is_a_phone(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto(f"/contacts/action/link_contact?id={world.contacts['小鹿妈妈']}")
    page.get_by_role("link", name="新增", exact=True).click()
    expect(page.get_by_role("heading", name="新增服务号")).to_be_visible()
    expect(screen.field(page, "客户姓名")).to_have_value("小鹿妈妈")
    screen.press(page, "保存")
    expect(page).to_have_url(re.compile("/contacts/"))
    page.goto("/contacts/")
    expect(screen.row(page, "小鹿妈妈")).to_have_count(1)
    page.goto(f"/contacts/action/link_contact?id={world.contacts['小鹿妈妈']}")
    page.get_by_role("link", name="新增", exact=True).click()
    screen.fill(page, "手机号码", "13800009010")
    screen.press(page, "保存")
    expect(page).to_have_url(re.compile("/customers/"))
    page.goto("/contacts/")
    expect(screen.row(page, "小鹿妈妈")).to_have_count(0)
    page.goto("/customers/")
    expect(screen.row(page, "小鹿妈妈")).to_have_count(1)


@pytest.mark.spec("A-20")
def test_tag_leads(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/contacts/?scope=store")
    screen.tick(page, "王先生", "山茶花")
    screen.batch(page, "打标签").click()
    screen.choose(page, "tags", "价格敏感")
    screen.choose(page, "tags", "全屋")
    page.locator("[data-main]").click()
    expect(page.locator(".flashes")).to_be_visible()
    page.goto("/contacts/?scope=store")
    for name in ("王先生", "山茶花"):
        expect(screen.row(page, name).locator("td.tg .t")).to_have_count(2)


@pytest.mark.spec("A-21")
def test_without_the_permission_tagging_is_grey(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/contacts/")
    screen.tick(page, "王先生")
    button = screen.batch(page, "打标签")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("设置标签"))
    button.click(force=True)
    expect(page).to_have_url(re.compile("/contacts/$"))
    answer = page.goto(f"/contacts/action/tag?id={world.contacts['王先生']}")
    assert answer.status == 403


@pytest.mark.spec("A-23")
def test_without_tags_the_button_says_whom_to_ask(page_as: Any, world: World) -> None:
    for source in (CONTACT_TAGS, CUSTOMER_TAGS):
        db.session.execute(delete(source.left.class_.__table__))
    db.session.execute(delete(Tag.__table__), execution_options={"audited": True})
    db.session.commit()
    page = page_as("manager1")
    page.goto("/contacts/?scope=store")
    screen.tick(page, "王先生")
    screen.batch(page, "打标签").click()
    expect(page.locator("main")).to_contain_text("暂时无标签，请联系商场系统管理员去配置标签")
    expect(page.locator('[data-field="tags"]')).to_have_count(0)


@pytest.mark.spec("A-24", "A-25")
def test_the_administrator_keeps_the_tags(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/")
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="标签管理").click()
    page.get_by_role("link", name="新增标签").first.click()
    screen.fill(page, "标签名称", "橱柜")
    screen.press(page, "保存")
    expect(page.locator('[data-field="name"] .err')).to_contain_text("标签名称已存在")
    screen.fill(page, "标签名称", "样板间")
    screen.press(page, "保存")
    page.goto(f"/customers/action/tag?id={world.customers['郑宏']}")
    screen.choose(page, "tags", "样板间")
    page.locator("[data-main]").click()
    page.goto("/tags/?q=样板间")
    screen.row(page, "样板间").locator("td.nm").click()
    page.locator(".sheet").get_by_role("link", name="打开整页").click()
    screen.more(page, "删除").click()
    page.get_by_role("dialog", name="删除").get_by_role("button", name="删除").click()
    expect(page.locator("main")).to_contain_text("已用于1位客户")
    page.locator("[data-main]").click()
    expect(page).to_have_url(re.compile("/tags/$"))
    page.goto(f"/customers/{world.customers['郑宏']}")
    expect(page.locator("main")).not_to_contain_text("样板间")


@pytest.mark.spec("A-26", "A-46")
def test_follow_up_a_lead(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    page.goto("/contacts/")
    screen.row(page, "山茶花").get_by_role("button", name="填写跟进").click()
    screen.fill(page, "跟进内容", "喜欢原木色，下月交房")
    page.locator("[data-main]").click()
    screen.flash(page, "已记录跟进")
    page.goto(f"/contacts/{world.contacts['山茶花']}")
    item = page.locator(".aside .ev").first
    expect(item).to_contain_text("喜欢原木色，下月交房")
    expect(item).to_contain_text("林一")


@pytest.mark.spec("A-27", "A-28", "A-41", "A-43", "A-45", "A-46")
def test_four_acts_are_follow_ups_with_track_and_score(page_as: Any, world: World) -> None:
    page = page_as("consultant1")
    customer = f"/customers/{world.customers['陈国栋']}"
    page.goto(customer)
    score = page.locator(".aside .sum b")
    expect(score).to_have_text("5")
    for label, field, words in (
        ("手动填写跟进", "跟进内容", "约了周六量尺"),
        ("拨打电话", "通话记录", ""),
        ("发短信", "短信内容", "周六上午见"),
        ("发消息", "消息内容", ""),
    ):
        before = int(score.inner_text())
        screen.more(page, label).click()
        if words:
            screen.fill(page, field, words)
        page.locator("[data-main]").click()
        expect(page.locator(".flashes")).to_be_visible()
        page.goto(customer)
        gained = page.locator(".aside .ev").first.locator(".sc").inner_text()
        expect(score).to_have_text(str(before + int(gained)))
        if words:
            expect(page.locator(".aside .ev").first).to_contain_text(words)
    expect(page.locator('dd[data-name="followed"]')).to_have_text("是")
    kinds = page.locator(".aside .seg a")
    expect(kinds).to_have_text([re.compile(k) for k in ("全部", "行为轨迹", "跟进轨迹", "服务轨迹")])
    kinds.filter(has_text="跟进轨迹").click()
    expect(page.locator(".aside .ev:visible")).to_have_count(4)
    page.goto("/customers/?followed=1")
    expect(screen.row(page, "陈国栋")).to_be_visible()


def test_follow_up_with_a_next_time_makes_a_task_on_the_phone(page_as: Any, world: World) -> None:
    page = page_as("consultant1", size=NARROW)
    page.goto("/customers/")
    screen.row(page, "陈国栋").click()
    expect(page).to_have_url(re.compile(f"/customers/{world.customers['陈国栋']}"))
    page.get_by_role("link", name="手动填写跟进").click()
    screen.fill(page, "跟进内容", "下周回访")
    screen.fill(page, "下次跟进时间", "2020-01-01T09:00")
    page.locator("[data-main]").click()
    expect(page.locator('[data-field="next_follow_up_at"] .err')).to_contain_text("请选择将来的时间")
    expect(screen.field(page, "跟进内容")).to_have_value("下周回访")
    screen.fill(page, "下次跟进时间", "2099-01-01T09:00")
    page.locator("[data-main]").click()
    expect(page.locator(".flashes")).to_contain_text("已记录跟进")
    page.locator(".bottom").get_by_text("任务").click()
    expect(page.locator("table.rows tbody tr").filter(has_text="陈国栋")).to_be_visible()


def test_track_of_a_linked_lead_joins_the_customer(page_as: Any, world: World) -> None:
    consultant = world.actor("consultant1")
    lead, customer = world.contacts["山茶花"], world.customers["陈国栋"]
    do("contacts", "write_follow_up", [lead], consultant, text="展会上聊过")
    do("contacts", "link_contact", [lead], consultant, customer=customer)
    make("receipts", {"customer_id": customer, "amount": Decimal(500)}, world.actor("manager1"))
    page = page_as("consultant1")
    page.goto(f"/customers/{customer}")
    expect(page.locator(".aside")).to_contain_text("展会上聊过")
    expect(page.locator(".aside .ev").first).to_contain_text("收款")


@pytest.mark.spec("A-119", "D-13")
def test_the_jobs_of_a_receipt_follow_the_chosen_customer(page_as: Any, world: World) -> None:
    code = db.session.get_one(ServiceOrder, world.service_order).code
    page = page_as("manager1")
    page.goto("/receipts/new")
    jobs = page.locator('[data-field="service_order_id"]')
    jobs.locator(".in").click()
    expect(jobs.locator(".list")).to_have_text("请先选择客户")
    screen.pick(page, "customer_id", "李文", choose="李文静")
    expect(jobs.locator(".in")).to_have_value(re.compile(f"^{code} · .* · 李文静$"))
    screen.pick(page, "customer_id", "郑宏")
    expect(jobs.locator(".in")).to_have_value("")
    jobs.locator(".in").click()
    expect(jobs.locator(".list")).to_have_text("暂无可选项")
    screen.press(page, "保存")
    expect(page.locator('[data-field="amount"] .err')).to_contain_text("请填写金额")


@pytest.mark.spec("A-24")
def test_a_colour_is_chosen_by_its_sample_and_kept_in_a_draft(page_as: Any, world: World) -> None:
    page = page_as("admin")
    page.goto("/tags/new")
    screen.fill(page, "标签名称", "样板间")
    page.locator('[data-field="tone"] label').filter(has_text="紫色").click()
    page.goto("/tags/")
    page.goto("/tags/new")
    expect(page.locator('[data-field="tone"] label').filter(has_text="紫色").locator("input")).to_be_checked()
    screen.press(page, "保存")
    page.goto("/tags/?q=样板间")
    expect(screen.row(page, "样板间").locator(".t.c")).to_have_text("紫色")
