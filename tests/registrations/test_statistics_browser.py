"""The pages of numbers in a browser: at both widths, in light and dark, without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.test_axe import findings
from tests.plugins.chromium import NARROW, WIDE
from tests.registrations.units import ASSIGNED, DEPOSIT, FAILED, PASSED, PENDING, lead
from tests.registrations.world import Channel

pytestmark = pytest.mark.browser
STATISTICS, STANDING = "/registration-statistics/", "/registration-standing/"


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The trade with some leads of each worker."""
    lead(channel, "worker1", (DEPOSIT, PASSED), (ASSIGNED, FAILED))
    lead(channel, "worker1")
    lead(channel, "worker2", (ASSIGNED, PENDING))
    return channel


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_pages_can_be_read_by_everybody(page_as: Any, world: Channel, size: Any, dark: bool) -> None:
    for who, address in (
        ("boss", STATISTICS),
        ("worker1", STANDING),
        ("boss", f"{STATISTICS}?registered_at.to=x"),
    ):
        page = page_as(who, size=size, dark=dark)
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.spec("E-83")
def test_the_end_before_the_start_is_said_beside_the_field(page_as: Any, world: Channel) -> None:
    page = page_as("boss")
    page.goto(STATISTICS)
    page.get_by_label("报备时间开始").fill("2026-03-25")
    page.get_by_label("报备时间截止").fill("2026-02-25")
    screen.press(page, "统计")
    end = page.get_by_label("报备时间截止")
    expect(end).to_have_attribute("aria-invalid", "true")
    expect(end).to_have_value("2026-02-25")
    expect(page.locator(".f", has=end).get_by_role("alert")).to_have_text("截止时间不能早于开始时间")
    expect(page.locator("table")).to_have_count(0)


@pytest.mark.spec("E-83", "E-93")
def test_statistics_work_without_scripts(page_as: Any, world: Channel) -> None:
    page = page_as("boss", scripts=False)
    page.goto(STATISTICS)
    row = page.get_by_role("row").filter(has_text="林一")
    expect(row.get_by_role("cell").nth(1)).to_have_text("3")
    page.get_by_label("报备时间截止").fill("2020-01-02")
    page.get_by_label("报备时间开始").fill("2020-01-01")
    screen.press(page, "统计")
    expect(page.locator("main")).to_contain_text("该期间没有报备")
    page.get_by_role("link", name="重置").click()
    with page.expect_download() as taken:
        screen.press(page, "导出")
    assert re.fullmatch(r"客户报备统计_\d{8}_\d{6}\.xlsx", taken.value.suggested_filename)


def test_a_number_of_the_own_page_opens_its_leads(page_as: Any, world: Channel) -> None:
    page = page_as("worker1", size=NARROW)
    page.goto(STANDING)
    page.get_by_role("link", name=re.compile("报备成功比")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()
    page.get_by_role("link", name="去跟踪").click()
    expect(page).to_have_url(re.compile("view=untracked"))
    expect(page.locator("tbody tr")).to_have_count(1)
