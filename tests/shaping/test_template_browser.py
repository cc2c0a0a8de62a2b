"""Writing a template beside its preview, and printing by it, in a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.customers.world import World

pytestmark = pytest.mark.browser
PRINTING = "window.printed = 0; window.print = () => { window.printed += 1; };"


def test_a_template_is_written_looked_at_and_printed(page_as: Any, world: World) -> None:
    customer = world.customer(name="张女士")
    boss = page_as("boss")
    boss.goto("/text_templates/new")
    screen.fill(boss, "模板名称", "到店单")
    body = screen.field(boss, "正文")
    body.fill("尊敬的")
    boss.locator(".mark").filter(has_text=re.compile("^客户姓名$")).click()
    expect(body).to_have_value("尊敬的{{客户姓名}}")
    paper = boss.locator("[data-look] .paper")
    expect(paper).to_contain_text("尊敬的张女士")
    body.press_sequentially("{{客户}}")
    expect(boss.locator("[data-look] .note.bad")).to_contain_text("没有“客户”")
    screen.press(boss, "保存")
    expect(boss.locator('[data-field="body"] .err')).to_contain_text("第1行：没有“客户”")
    screen.field(boss, "正文").fill("尊敬的{{客户姓名}}")
    screen.press(boss, "保存")
    screen.flash(boss, "已保存：到店单")

    seller = page_as("seller", own=True)
    seller.add_init_script(PRINTING)
    seller.goto(f"/customers/{customer.id}")
    screen.more(seller, "打印").click()
    expect(seller.locator(".paper")).to_have_text("尊敬的张女士")
    seller.emulate_media(media="print")
    expect(seller.locator(".paper")).to_be_hidden()
    expect(seller.locator(".unprinted")).to_be_visible()
    seller.emulate_media(media="screen")
    screen.press(seller, "打印")
    expect(seller.locator("[role=status]")).to_contain_text("已登记打印")
    assert seller.evaluate("window.printed") == 1
    seller.emulate_media(media="print")
    expect(seller.locator(".paper")).to_be_visible()
    expect(seller.locator(".head")).to_be_hidden()

    plain = page_as("boss", scripts=False)
    plain.goto("/text_templates/new")
    screen.field(plain, "正文").fill("你好{{客户姓名}}")
    with plain.context.expect_page() as opened:
        screen.press(plain, "预览")
    expect(opened.value.locator(".paper")).to_contain_text("你好张女士")
