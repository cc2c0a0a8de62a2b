"""The pages of registrations as tabs that bear their number in the menu (E-94)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from app.engine.audit import acting
from app.engine.database import db
from models.identity import presets
from tests.browser import screen
from tests.customers.world import PASSWORD
from tests.registrations.units import lead
from tests.registrations.world import Channel

pytestmark = pytest.mark.browser
STATISTICS = "/registration-statistics/"


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The trade with its channel workers."""
    return channel


def tabs(page: Any) -> Any:
    """The opened pages."""
    return page.locator("#tabs .tab")


def menu(page: Any, name: str) -> Any:
    """The entry of the menu."""
    return page.get_by_role("navigation", name="主菜单").get_by_role("link", name=name)


@pytest.mark.spec("E-94", "E-01")
def test_pages_open_as_closable_tabs_with_their_number(page_as: Any, world: Channel) -> None:
    lead(world, "worker1")
    page = page_as("boss")
    page.goto("/")
    menu(page, "客户报备统计").click()
    expect(tabs(page)).to_have_text(["首页", "04:客户报备统计"])
    page.locator("[name=outlet_id]").select_option(label=world.stores[0].name)
    screen.press(page, "统计")
    expect(page).to_have_url(re.compile("outlet_id="))
    menu(page, "02:渠道报备").click()
    expect(tabs(page)).to_have_text(["首页", "04:客户报备统计", "02:渠道报备"])
    expect(page.locator("#tabs .tab").first.get_by_role("button", name=re.compile("关闭"))).to_have_count(0)
    page.get_by_role("button", name="关闭「02:渠道报备」").click()
    expect(tabs(page)).to_have_text(["首页", "04:客户报备统计"])
    expect(page).to_have_url(re.compile(f"{STATISTICS}.*outlet_id="))
    expect(page.locator("[name=outlet_id]")).to_have_value(str(world.stores[0].id))


def test_the_tab_of_a_record_has_no_number(page_as: Any, world: Channel) -> None:
    one = lead(world, "worker1")
    page = page_as("boss")
    page.goto(f"/registrations/{one.id}")
    expect(tabs(page)).to_have_text(["首页", "钱多"])


@pytest.mark.spec("E-94")
def test_an_administrator_changes_the_number(page_as: Any, world: Channel) -> None:
    _elsewhere(world)
    page = page_as("boss")
    page.goto("/parameters/")
    screen.fill(page, "“客户报备统计”的编号", "1a")
    page.locator("[data-main]").click()
    expect(page.locator("main")).to_contain_text("编号为1至3位数字")
    screen.fill(page, "“客户报备统计”的编号", "12")
    screen.fill(page, "“渠道报备”的编号", "")
    page.locator("[data-main]").click()
    screen.flash(page, "已保存，2 项参数有改动")
    expect(menu(page, "12:客户报备统计")).to_be_visible()
    page.goto("/registrations/")
    page.goto(STATISTICS)
    expect(tabs(page)).to_have_text(["首页", "系统参数", "渠道报备", "12:客户报备统计"])
    other = page_as("elsewhere")
    other.goto(STATISTICS)
    expect(tabs(other)).to_have_text(["首页", "04:客户报备统计"])


def _elsewhere(world: Channel) -> None:
    """A channel manager of the other dealer."""
    session = db.session()
    with acting(session):
        presets.add_person(
            session,
            dealer_id=world.b.id,
            username="elsewhere",
            name="吴经理",
            password=PASSWORD,
            roles=[presets.preset_role(session, world.b.id, "channel_manager")],
            stores=[world.stores[2]],
        )
        session.commit()
