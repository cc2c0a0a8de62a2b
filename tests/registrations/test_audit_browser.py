"""The audit page as an auditor uses it, wide and narrow, with and without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_axe import findings
from tests.customers.world import grant
from tests.plugins.chromium import NARROW, WIDE
from tests.registrations.claims import JUDGE, PAGE, assigned, claim, filed, stored
from tests.registrations.world import Channel

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def entry(page: Any, of: Any) -> Any:
    """That claim on the page."""
    return page.locator(f"#e{of.id}")


def colour(cell: Any) -> list[int]:
    """The colour its words are written in."""
    found: str = cell.evaluate("c => getComputedStyle(c).color")
    return [int(part) for part in found.strip("rgb()").split(",")]


@pytest.mark.spec("E-79", "E-80")
@SIZES
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_differs_is_red_and_says_so(
    page_as: Any, channel: Channel, size: tuple[int, int], dark: bool
) -> None:
    lead = filed(channel, room="3栋502", company="甲装饰", source="家装公司推荐")
    one = assigned(channel, lead, room="3栋520", company=None)
    page = page_as("boss", size=size, dark=dark)
    page.goto(PAGE)
    above, below = entry(page, one).locator(".filed"), entry(page, one).locator(".held")
    expect(above.locator(".address")).to_contain_text("3栋502")
    expect(below.locator(".address")).to_contain_text("3栋520")
    red, green, blue = colour(below.locator(".address"))
    assert red > 1.4 * max(green, blue), (red, green, blue)
    assert colour(below.locator(".company .no")) == [red, green, blue]
    for same in (above.locator(".address"), below.locator(".name"), below.locator(".phone")):
        plain = colour(same)
        assert max(plain) < 1.4 * min(plain) + 20, plain
    expect(below.locator(".address")).to_have_attribute("title", "与报备不一致")
    expect(below.locator(".address .sr")).to_have_text("与报备不一致：")
    top, under = above.locator(".address").bounding_box(), below.locator(".address").bounding_box()
    assert under["y"] >= top["y"] + top["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if size == NARROW:
        assert page.evaluate("(t => t.scrollWidth <= t.clientWidth)(document.querySelector('.tbl'))")
        assert under["width"] > 310


@pytest.mark.spec("E-81")
@SIZES
def test_tick_remark_and_judge_in_place(page_as: Any, channel: Channel, size: tuple[int, int]) -> None:
    other, one = claim(channel, name="何先生"), claim(channel, name="许女士")
    page = page_as("boss", size=size)
    page.goto(PAGE)
    mine, beside = entry(page, one), entry(page, other)
    beside.get_by_placeholder("请输入备注信息").fill("还没写完")
    mine.get_by_label("失败：许女士").check()
    mine.get_by_label("成功：许女士").check()
    expect(mine.get_by_label("失败：许女士")).not_to_be_checked()
    mine.get_by_role("button", name="清除").click()
    expect(mine.locator("input:checked")).to_have_count(0)
    mine.get_by_role("button", name="审核", exact=True).click()
    expect(mine.locator(".err")).to_have_text("请选择审核结果")
    mine.get_by_label("失败：许女士").check()
    mine.get_by_role("button", name="审核", exact=True).click()
    expect(mine.locator(".err")).to_have_text("请输入备注信息")
    expect(mine.get_by_label("失败：许女士")).to_be_checked()
    expect(mine.get_by_placeholder("请输入备注信息")).to_be_focused()
    page.keyboard.type("无此小区")
    page.keyboard.press("Enter")
    expect(mine.locator(".rs0")).to_contain_text("失败")
    expect(mine.get_by_role("status")).to_have_text("已审核许女士：失败")
    expect(mine.locator("input[type=radio]")).to_have_count(0)
    expect(beside.get_by_placeholder("请输入备注信息")).to_have_value("还没写完")
    assert stored(one).audit_remark == "无此小区"
    expect(beside.get_by_label("成功：何先生")).to_be_focused()


@pytest.mark.spec("E-75", "E-81", "E-82")
def test_all_of_it_without_scripts(page_as: Any, channel: Channel) -> None:
    lead = filed(channel, name="许女士")
    paid, unpaid = assigned(channel, lead), assigned(channel, lead, category=1, paid=False)
    page = page_as("boss", scripts=False)
    page.goto(PAGE)
    expect(entry(page, unpaid)).to_have_count(0)
    page.get_by_label("只显示“已付定金”的报备客户").uncheck()
    expect(entry(page, unpaid)).to_have_count(0)
    page.get_by_role("button", name="查询").click()
    expect(entry(page, unpaid)).to_be_visible()
    mine = entry(page, paid)
    mine.get_by_placeholder("请输入备注信息").fill("看过")
    mine.get_by_role("button", name="审核", exact=True).click()
    expect(mine.locator(".err")).to_have_text("请选择审核结果")
    expect(mine.get_by_placeholder("请输入备注信息")).to_have_value("看过")
    mine.get_by_label("成功：许女士").check()
    mine.get_by_role("button", name="审核", exact=True).click()
    expect(page.locator(".flashes")).to_contain_text("已审核许女士：成功")
    expect(mine).to_have_count(0)
    page.get_by_label("审核成功").check()
    page.get_by_role("button", name="查询").click()
    expect(mine.locator(".rs0")).to_contain_text("总管")
    mine.get_by_role("link", name="重新审核").click()
    mine.get_by_label("失败：许女士").check()
    mine.get_by_placeholder("请输入备注信息").fill("无此小区")
    mine.get_by_role("button", name="重新审核").click()
    expect(page.locator(".flashes")).to_contain_text("已审核许女士：失败")


@pytest.mark.spec("E-53")
@SIZES
def test_claims_unfold_with_their_evidence(page_as: Any, channel: Channel, size: tuple[int, int]) -> None:
    one = claim(channel, "worker1", phone="13811112222")
    filed(channel, "worker2", phone="13811112222", room="9栋101")
    page = page_as("boss", size=size)
    page.goto(PAGE)
    mine = entry(page, one)
    expect(mine.locator(".claims")).to_be_hidden()
    mine.locator("summary").click()
    expect(mine.locator(".claims li")).to_have_count(2)
    expect(mine.locator(".claims li.this")).to_contain_text("本条")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.spec("E-80")
def test_a_masked_auditor_sees_that_numbers_differ(page_as: Any, channel: Channel) -> None:
    grant(channel, "clerk", JUDGE)
    one = assigned(channel, filed(channel, phone="13811112222"), phone="13833332222")
    page = page_as("typist")
    page.goto(PAGE)
    cell = entry(page, one).locator(".held .phone")
    expect(cell).to_contain_text("138****2222")
    expect(cell).to_have_attribute("title", "与报备不一致")
    assert "13833332222" not in page.content()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_axe_finds_nothing_serious(page_as: Any, channel: Channel, size: tuple[int, int], dark: bool) -> None:
    one = assigned(channel, filed(channel, phone="13811112222"), phone="13833332222", telephone="05718888000")
    filed(channel, "worker2", phone="13811112222")
    judged, _own = claim(channel), claim(channel, "boss")
    channel.act("judge", judged, "boss", verdict="failed", remark="无此小区")
    page = page_as("boss", size=size, dark=dark)
    page.goto(f"{PAGE}?asked=1")
    entry(page, one).locator("summary").click()
    entry(page, one).get_by_role("button", name="审核", exact=True).click()
    expect(entry(page, one).locator(".err")).to_be_visible()
    assert findings(page) == []
