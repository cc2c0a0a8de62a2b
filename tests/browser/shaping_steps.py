"""What an administrator does before the pictures of shaping the product are taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser import screen

CHARTS = (("created", "2"), ("level", "1"), ("source", "1"), ("stage", "1"), ("owner", "1"))
"""With their widths."""


def field(page: Any) -> None:
    """装修阶段 of the issue: a choice, shown and needed on a condition."""
    screen.fill(page, "字段名称", "装修阶段")
    screen.field(page, "类型").select_option(label="单选")
    screen.fill(page, "选项", "毛坯\n水电\n泥木\n软装")
    page.locator(".pill").filter(has_text="图表").click()
    screen.unfold(page, "填写规则")
    screen.fill(page, "显示条件", "客户来源=老客户推荐")
    screen.fill(page, "必填条件", "阶段=订单客户")
    page.locator("h1").click()
    page.locator("#f-label").scroll_into_view_if_needed()


def automation(page: Any) -> None:
    """A call the day after somebody becomes a good prospect."""
    screen.fill(page, "名称", "高意向客户次日回访")
    screen.field(page, "对象").select_option(label="客户")
    screen.field(page, "事件").select_option(label="字段变化")
    screen.field(page, "变化的字段").select_option(label="意向级别")
    expect(page.locator(".cond")).to_be_visible()
    page.locator("#f-condition").fill("意向级别 属于 H、A")
    screen.field(page, "动作").select_option(label="新建跟进任务")
    screen.fill(page, "任务标题", "高意向客户回访")
    screen.fill(page, "几天后到期", "1")


def layout(page: Any) -> None:
    """Something hidden and something moved, which the comparison tells."""
    page.get_by_label("隐藏 称谓", exact=True).check()
    page.get_by_label("上移 意向级别", exact=True).click()
    expect(page.locator(".lo-side")).to_contain_text("称谓")


def board(page: Any) -> None:
    """A dashboard of the usual charts."""
    screen.fill(page, "看板名称", "展厅周会")
    screen.press(page, "保存")
    address = page.url
    for chart, width in CHARTS:
        page.goto(f"/boards/add?scope=dealer&_of=customers&_chart={chart}")
        screen.field(page, "宽度").select_option(value=width)
        screen.press(page, "保存")
        page.wait_for_url(re.compile(r"/boards/\d+"))
    page.goto(address)
    page.locator(".plot svg").first.wait_for()
    page.locator("h1").scroll_into_view_if_needed()  # it opens where the last one was put
    page.wait_for_timeout(500)  # the charts grow for a moment


def asked(sign_in: Callable[[Any, str], None]) -> Callable[[Any], None]:
    """A rule, and somebody's request that waits by it, beside which its decision is open."""

    def steps(page: Any) -> None:
        base, browser = page.url.split("/approval_requests")[0], page.context.browser
        for person, do in (("dealeradmin1", _rule), ("consultant1", _request)):
            context = browser.new_context(base_url=base, locale="zh-CN", timezone_id="Asia/Shanghai")
            sign_in(context, person)
            do(context.new_page())
            context.close()
        page.reload()
        page.get_by_text("客户·失效").first.click()
        page.locator(".sheet .kv").first.wait_for()

    return steps


def _rule(page: Any) -> None:
    page.goto("/approval_flows/new")
    screen.fill(page, "流程名称", "客户失效审批")
    screen.field(page, "对象").select_option(label="客户")
    screen.field(page, "需审批的操作").select_option(label="失效")
    page.get_by_label("审批人").select_option(label="申请人的店长")
    screen.press(page, "再加一步")
    page.get_by_label("审批人").nth(1).select_option(label="角色 商场系统管理员")
    screen.press(page, "保存")
    screen.flash(page, "已保存")


def _request(page: Any) -> None:
    page.goto("/customers/?scope=mine&view=following")
    number = page.locator("tbody input[name=id]").first.get_attribute("value")
    page.goto(f"/customers/action/invalidate?id={number}")
    screen.press(page, "失效")
    screen.flash(page, "已提交审批")
