"""The bell: a number that comes by itself, the newest messages under it, a page on the phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from app.engine.database import db, utcnow
from models.notifications.rules import notify
from models.notifications.tables import NoticeKind, Notification
from tests.browser import screen
from tests.browser.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _nothing_said(world: World) -> None:
    """Making the world told people things."""
    db.session.execute(delete(Notification))
    db.session.commit()


def tell(world: World, title: str, **more: Any) -> None:
    """One message to the first consultant."""
    people = [world.people["consultant1"]]
    notify(
        db.session(),
        users=people,
        kind=NoticeKind.INSTANT,
        topic="customer",
        title=title,
        now=utcnow(),
        **more,
    )
    db.session.commit()


@pytest.mark.spec("A-38")
def test_the_number_comes_without_a_click_and_the_message_opens_its_record(
    page_as: Any, world: World
) -> None:
    page = page_as("consultant1", own=True)
    page.clock.install()
    page.goto("/tags/")
    bell = page.locator("[data-bell]")
    expect(bell.locator("b")).to_have_count(0)
    tell(world, "方远将客户周敏交给您", about=("customers", world.customers["周敏"]))
    page.clock.fast_forward(31_000)
    expect(bell.locator("b")).to_have_text("1")
    expect(bell).to_have_attribute("aria-label", "我的提醒消息，1 条未读")
    bell.click()
    news = page.get_by_role("region", name="最新提醒消息")
    expect(news).to_contain_text("方远将客户周敏交给您")
    page.keyboard.press("Escape")
    expect(news).to_have_count(0)
    expect(bell).to_be_focused()
    bell.click()
    news.get_by_text("方远将客户周敏交给您").click()
    expect(page).to_have_url(re.compile(rf"/customers/{world.customers['周敏']}$"))
    expect(page.locator("[data-bell] b")).to_have_count(0)


def test_a_page_asks_less_often_while_nobody_answers_and_not_at_all_when_signed_out(
    page_as: Any, world: World
) -> None:
    page = page_as("consultant1", own=True)
    asked: list[str] = []
    page.clock.install()
    page.goto("/tags/")
    page.route("**/notifications/unread", lambda route: (asked.append("x"), route.abort())[1])
    for expected, seconds in ((1, 31), (1, 31), (2, 31), (2, 61)):
        page.clock.fast_forward(seconds * 1000)
        page.wait_for_timeout(100)
        assert len(asked) == expected, seconds
    page.unroute("**/notifications/unread")
    page.context.clear_cookies()
    answers: list[int] = []
    page.on("response", lambda r: answers.append(r.status) if r.url.endswith("/unread") else None)
    for _ in range(6):
        page.clock.fast_forward(300_000)
        page.wait_for_timeout(100)
    assert answers == [401]


def test_without_scripts_the_bell_is_a_link_and_everything_is_a_form(page_as: Any, world: World) -> None:
    tell(world, "甲")
    tell(world, "乙")
    page = page_as("consultant1", scripts=False)
    page.goto("/")
    page.locator("[data-bell]").click()
    expect(page).to_have_url(re.compile("/notifications/$"))
    page.get_by_role("button", name="标为已读：乙").click()
    screen.flash(page, "已将 1 条消息标为已读")
    page.get_by_role("button", name="全部标为已读").click()
    expect(page.locator(".notices .new")).to_have_count(0)


def test_on_a_phone_the_bell_opens_the_page_which_fits(page_as: Any, world: World) -> None:
    tell(world, "方远将客户周敏的很长很长的一条消息交给您，" * 4)
    page = page_as("consultant1", size=NARROW)
    page.goto("/")
    page.locator("[data-bell]").click()
    expect(page).to_have_url(re.compile("/notifications/$"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="提醒设置").click()
    screen.field(page, "渠道与时间").select_option("own")
    screen.fill(page, "免打扰开始", "22:00")
    screen.fill(page, "免打扰结束", "08:00")
    screen.choose(page, "channels_strong", "短信")
    screen.press(page, "保存")
    screen.flash(page, "提醒设置已保存")
    page.goto("/profile/notices")
    expect(screen.field(page, "免打扰开始")).to_have_value("22:00")
