"""The window, the list and its menu in a real browser: E-09, E-14, E-15, E-20…E-26, E-31, E-34, E-35."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from app.engine.audit import acting
from app.engine.database import db
from models.registrations.tables import AuditStatus, PartnerDesigner, Progress
from tests.browser import screen
from tests.browser.test_axe import findings
from tests.plugins.chromium import NARROW, WIDE
from tests.registrations.world import Channel, leads

pytestmark = pytest.mark.browser


def fresh() -> Any:
    """What is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return leads()


def typed(page: Any, **values: str) -> None:
    """Fill in the texts of the form."""
    for name, value in values.items():
        page.locator(f'[name="{name}"]').fill(value)


def good(page: Any, phone: str = "19900000001") -> None:
    """Everything that a lead from nobody's recommendation needs."""
    typed(page, name="沈女士", community="星湖小区", room="3栋502", phone=phone)
    page.locator("select[name=source]").select_option("自然客户")


def saved(page: Any) -> None:
    """Send the form and see what was made of it."""
    screen.press(page, "保存")
    screen.flash(page, "已保存")


@pytest.mark.spec("E-21", "E-22")
def test_the_source_opens_closes_and_empties_fields(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1")
    page.goto("/registrations/new")
    company, staff = page.locator("[name=company]"), page.locator("[data-field=staff_referrer_id] select")
    for closed in (
        "company",
        "designer",
        "designer_phone",
        "referrer_name",
        "referrer_phone",
        "referrer_card",
    ):
        expect(page.locator(f"[name={closed}]")).to_be_disabled()
    expect(staff).to_be_disabled()
    good(page)
    page.locator("select[name=source]").select_option("家装公司推荐")
    expect(company).to_be_enabled()
    expect(page.locator("[data-field=company] .star")).to_be_visible()
    expect(page.locator("[data-field=designer] .star")).to_be_hidden()
    screen.press(page, "保存")
    expect(page.locator("[data-field=company]")).to_contain_text("请输入家装公司")
    expect(company).to_be_focused()
    assert fresh() == []
    company.fill("匠心装饰")
    page.locator("select[name=source]").select_option("内部员工推荐")
    expect(company).to_be_disabled()
    expect(company).to_have_value("")
    staff.select_option(value=str(channel.people["seller"].id))
    page.locator("select[name=source]").select_option("自然客户")
    expect(staff).to_be_disabled()
    expect(staff).to_have_value("")
    saved(page)
    (lead,) = fresh()
    assert (lead.company, lead.staff_referrer_id) == (None, None)


@pytest.mark.spec("E-20")
def test_copy_takes_the_mobile_number_over_once(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1")
    page.goto("/registrations/new")
    typed(page, phone="19900000001", telephone="123")
    page.get_by_role("button", name="复制").click()
    telephone = page.locator("[name=telephone]")
    expect(telephone).to_have_value("19900000001")
    typed(page, phone="19900000009")
    expect(telephone).to_have_value("19900000001")


@pytest.mark.spec("E-23")
def test_fetch_fills_in_says_nothing_found_or_lets_choose(channel: Channel, page_as: Any) -> None:
    session = db.session()
    with acting(session):
        for name, company, phone in (
            ("沈青", "匠心装饰", "19900000002"), ("顾白", "匠心装饰", "19900000003"), ("顾白", "优家装饰", "19900000004"),
        ):  # fmt: skip
            session.add(PartnerDesigner(name=name, company=company, phone=phone, dealer_id=channel.a.id))
        session.commit()
    page = page_as("worker1")
    page.goto("/registrations/new")
    page.locator("select[name=source]").select_option("家装设计师推荐")
    phone, fetch = page.locator("[name=designer_phone]"), page.get_by_role("button", name="提取")
    typed(page, designer="沈青")
    fetch.click()
    expect(phone).to_have_value("19900000002")
    typed(page, designer="无名")
    fetch.click()
    expect(page.locator("[data-field=designer_phone]")).to_contain_text("未找到设计师电话")
    typed(page, designer="顾白")
    fetch.click()
    page.get_by_role("button", name="顾白 · 优家装饰").click()
    expect(phone).to_have_value("19900000004")


@pytest.mark.spec("E-20", "E-23")
def test_the_enter_key_saves_and_presses_no_button_beside_a_field(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1", scripts=False)
    page.goto("/registrations/new")
    good(page)
    page.locator("[name=name]").press("Enter")
    screen.flash(page, "已保存")
    assert fresh()[0].telephone in (None, "")


@pytest.mark.spec("E-21", "E-25")
def test_without_scripts_a_lead_with_a_source_is_filed_all_the_same(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1", scripts=False)
    page.goto("/registrations/new")
    good(page)
    page.locator("select[name=source]").select_option("家装公司推荐")
    screen.press(page, "保存")
    expect(page.locator("[data-field=company]")).to_contain_text("请输入家装公司")
    typed(page, company="匠心装饰")
    page.get_by_role("button", name="复制").click()
    expect(page.locator("[name=telephone]")).to_have_value("19900000001")
    saved(page)
    (lead,) = fresh()
    assert (lead.company, lead.telephone) == ("匠心装饰", "19900000001")


@pytest.mark.spec("E-25")
def test_a_double_click_saves_once(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1")
    page.goto("/registrations/new")
    good(page)
    page.get_by_role("button", name="保存", exact=True).dblclick()
    screen.flash(page, "已保存")
    assert len(fresh()) == 1


@pytest.mark.spec("E-26")
def test_cancel_asks_when_something_was_typed(channel: Channel, page_as: Any) -> None:
    page = page_as("worker1")
    page.goto("/registrations/new")
    typed(page, name="沈女士")
    page.get_by_role("link", name="取消", exact=True).click()
    asked = page.get_by_role("dialog", name="放弃填写")
    asked.get_by_role("button", name="继续填写").click()
    expect(page.locator("[name=name]")).to_have_value("沈女士")
    page.get_by_role("link", name="取消", exact=True).click()
    asked.get_by_role("button", name="放弃填写").click()
    expect(page).to_have_url("/registrations/")
    assert fresh() == []
    page.goto("/registrations/new")
    expect(page.locator("[name=name]")).to_have_value("")
    page.get_by_role("link", name="取消", exact=True).click()
    expect(page).to_have_url("/registrations/")


@pytest.mark.spec("E-08", "E-09")
def test_choosing_a_status_changes_nothing_until_the_search(channel: Channel, page_as: Any) -> None:
    channel.lead(name="甲客户")
    channel.set(channel.lead(name="乙客户"), audit_status=AuditStatus.PASSED)
    page = page_as("worker1")
    page.goto("/registrations/")
    screen.lists(page, "乙客户", "甲客户")
    page.get_by_role("group", name="审核状态").get_by_role("checkbox", name="成功").check()
    screen.lists(page, "乙客户", "甲客户")
    expect(page).to_have_url("/registrations/")
    screen.press(page, "检索")
    screen.lists(page, "乙客户")


@pytest.mark.spec("E-14", "E-31", "E-35")
def test_the_toolbar_acts_on_the_selected_row(channel: Channel, page_as: Any) -> None:
    lead, number = channel.lead(name="甲客户"), channel.lead(name="乙客户").id
    page = page_as("worker1")
    page.goto("/registrations/")
    for label in ("修改", "删除"):
        screen.press(page, label)
        expect(page.get_by_role("alert")).to_contain_text("请先选择一条客户线索")
    assert len(fresh()) == 2
    screen.row(page, "甲客户").locator("td.nm").click()
    expect(screen.row(page, "甲客户").locator("input[name=id]")).to_be_checked()
    screen.row(page, "乙客户").locator("td.nm").click()
    expect(screen.row(page, "甲客户").locator("input[name=id]")).not_to_be_checked()
    screen.press(page, "修改")
    expect(page).to_have_url(f"/registrations/{number}/edit")
    expect(page.locator("[name=name]")).to_have_value("乙客户")
    page.goto("/registrations/")
    screen.row(page, "乙客户").locator("td.nm").click()
    screen.press(page, "删除")
    asked = page.get_by_role("dialog", name="删除")
    expect(asked).to_contain_text("确定删除该客户线索？")
    asked.get_by_role("button", name="取消").click()
    assert len(fresh()) == 2
    screen.press(page, "删除")
    page.get_by_role("dialog", name="删除").get_by_role("button", name="删除").click()
    screen.flash(page, "已删除")
    screen.lists(page, "甲客户")
    assert [one.id for one in fresh()] == [lead.id]


@pytest.mark.spec("E-14")
def test_the_toolbar_works_without_scripts(channel: Channel, page_as: Any) -> None:
    lead = channel.lead(name="甲客户")
    page = page_as("worker1", scripts=False)
    page.goto("/registrations/")
    screen.press(page, "删除")
    expect(page.locator(".flashes")).to_contain_text("请先选择一条客户线索")
    screen.tick(page, "甲客户")
    screen.press(page, "修改")
    expect(page).to_have_url(f"/registrations/{lead.id}/edit")
    page.goto("/registrations/")
    screen.tick(page, "甲客户")
    screen.press(page, "删除")
    expect(page.locator("body")).to_contain_text("确定删除该客户线索？")
    screen.press(page, "删除")
    screen.flash(page, "已删除")
    assert fresh() == []


@pytest.mark.spec("E-34", "E-35", "E-37")
def test_a_double_click_and_the_menu_open_the_same_window(channel: Channel, page_as: Any) -> None:
    lead = channel.lead(name="甲客户")
    page = page_as("worker1")
    page.goto("/registrations/")
    screen.row(page, "甲客户").locator("td.nm").dblclick()
    expect(page).to_have_url(f"/registrations/{lead.id}/edit")
    expect(page.locator("[name=room]")).to_have_value("3栋502")
    page.goto("/registrations/")
    screen.row(page, "甲客户").locator("td.nm").click(button="right")
    page.get_by_role("menuitem", name="修改客户档案").click()
    expect(page).to_have_url(f"/registrations/{lead.id}/edit")
    channel.set(lead, progress=Progress.ASSIGNED)
    page.goto("/registrations/")
    screen.row(page, "甲客户").locator("td.nm").dblclick()
    expect(page.locator("body")).to_contain_text("非报备状态，不能修改")
    expect(page.locator("#form [name=room]")).to_have_count(0)


@pytest.mark.spec("E-15", "E-31", "E-60")
def test_the_menu_acts_on_the_row_clicked_by_mouse_and_by_keys(channel: Channel, page_as: Any) -> None:
    channel.lead(name="甲客户")
    lead = channel.lead(name="乙客户")
    page = page_as("worker1")
    page.goto("/registrations/")
    screen.row(page, "甲客户").locator("td.nm").click()
    screen.row(page, "乙客户").locator("td.nm").click(button="right")
    entries = page.get_by_role("menuitem")
    expect(entries).to_have_text(
        ["快速建档", "修改客户档案", "删除客户档案", "客户跟踪记录", "派遣设计师量房", "客户线索分配到展厅"]
    )
    entries.nth(0).click()
    expect(page).to_have_url(f"/registrations/new?copy={lead.id}")
    expect(page.locator("[name=name]")).to_have_value("乙客户")
    typed(page, name="丙客户")
    page.goto("/registrations/new")
    expect(page.locator("[name=name]")).to_have_value("")
    page.goto("/registrations/")
    menu = screen.row(page, "乙客户").get_by_role("button", name="操作")
    menu.focus()
    page.keyboard.press("Enter")
    expect(entries.nth(0)).to_be_focused()
    page.keyboard.press("3")
    page.get_by_role("dialog", name="删除客户档案").get_by_role("button", name="删除客户档案").click()
    screen.flash(page, "已删除")
    assert [one.name for one in fresh()] == ["甲客户"]


@pytest.mark.spec("E-15")
def test_on_a_phone_the_menu_opens_from_the_card(channel: Channel, page_as: Any) -> None:
    lead = channel.lead(name="甲客户")
    page = page_as("worker1", size=NARROW)
    page.goto("/registrations/")
    screen.row(page, "甲客户").get_by_role("button", name="操作").click()
    page.get_by_role("menuitem", name="修改客户档案").click()
    expect(page).to_have_url(f"/registrations/{lead.id}/edit")


@pytest.mark.spec("E-15")
def test_a_grey_entry_does_nothing(channel: Channel, page_as: Any) -> None:
    channel.lead(name="甲客户")
    page = page_as("typist")
    page.goto("/registrations/")
    screen.row(page, "甲客户").locator("td.nm").click(button="right")
    entry = page.get_by_role("menuitem", name="删除客户档案")
    expect(entry).to_have_attribute("aria-disabled", "true")
    entry.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(fresh()) == 1


@pytest.mark.spec("E-16", "E-25")
def test_a_saved_lead_is_the_first_row(channel: Channel, page_as: Any) -> None:
    channel.lead(name="甲客户")
    page = page_as("worker1")
    page.goto("/registrations/")
    page.get_by_role("link", name="新增").click()
    expect(page).to_have_url("/registrations/new")
    good(page)
    saved(page)
    page.goto("/registrations/")
    screen.press(page, "检索")
    screen.lists(page, "沈女士", "甲客户")


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(channel: Channel, page_as: Any, size: tuple[int, int], dark: bool) -> None:
    lead = channel.lead(name="甲客户", source="家装公司推荐", company="匠心装饰")
    judged = channel.set(channel.lead(name="乙客户"), progress=Progress.ASSIGNED)
    page = page_as("worker1", size=size, dark=dark)
    for path in (
        "/registrations/",
        "/registrations/?audit_status=pending&address=星湖",
        "/registrations/new",
        f"/registrations/new?copy={lead.id}",
        f"/registrations/{lead.id}/edit",
        f"/registrations/{judged.id}/edit",
        f"/registrations/selected/delete?id={lead.id}",
    ):
        page.goto(path)
        assert findings(page) == [], path
    page.goto("/registrations/")
    screen.row(page, "甲客户").get_by_role("button", name="操作").click()
    expect(page.get_by_role("menuitem", name="快速建档")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
