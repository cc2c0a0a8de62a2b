"""One administrator's morning, from a fresh start to the end, by the mouse alone: clicks are counted from the page
where each wish arises, typing is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from app import cli as commands
from app.engine.audit import acting
from app.engine.database import db, utcnow
from models.identity import presets
from models.identity.tables import Dealer, Store
from tests.browser import screen
from tests.browser.world import PASSWORD, World, do

pytestmark = pytest.mark.browser
CODE = "D001"


class Hand:
    """A hand on the mouse that counts its clicks since the last wish."""

    def __init__(self, page: Any) -> None:
        self.page, self.made = page, 0

    def wishes(self, address: str = "") -> None:
        """A new wish arises, on that page."""
        if address:
            self.page.goto(address)
        self.made = 0

    def on(self, target: Any) -> None:
        """One click."""
        target.click()
        self.made += 1

    def chooses(self, select_box: Any, label: str) -> None:
        """Two clicks: the list, and one of what it offers."""
        select_box.select_option(label=label)
        self.made += 2

    def link(self, name: str) -> None:
        """Click the link of this name."""
        self.on(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        """Click the button of this name."""
        self.on(self.page.get_by_role("button", name=name, exact=True).first)

    def within(self, most: int) -> None:
        """No more clicks than so many since the wish."""
        assert 1 <= self.made <= most, f"{self.made} clicks"


@pytest.fixture
def hand(page_as: Any, world: World) -> Hand:
    """The dealer's own administrator, on the first day."""
    session = db.session()
    with acting(session):
        dealer = session.scalars(select(Dealer).where(Dealer.code == CODE)).one()
        presets.add_person(
            session, dealer_id=dealer.id, username="head1", name="秦岚", password=PASSWORD,
            roles=[presets.preset_role(session, dealer.id, "admin")],
            stores=[session.get_one(Store, world.stores[0])], position="系统管理员",
        )  # fmt: skip
        presets.bump_epoch(session)
        session.commit()
    at = utcnow() - timedelta(days=1)
    by, called = world.actor("consultant1"), {"text": "已电话联系", "next_follow_up_at": None}
    do("customers", "write_follow_up", [world.customers["陈国栋"]], by, at, **called)
    return Hand(page_as("head1"))


def undone(hand: Hand) -> None:
    """Take back what was just done, by the report of it."""
    hand.wishes()
    hand.button("撤销")
    screen.flash(hand.page, "已撤销")
    hand.within(2)


def test_a_morning(
    hand: Hand, page_as: Any, world: World, second: Callable[..., Any], tmp_path: Path
) -> None:
    consultant = page_as("consultant1")
    the_role(hand)
    who_sees_what(hand, consultant)
    the_menu(hand, consultant)
    the_field(hand, consultant, world)
    the_view(hand, consultant)
    the_cadence(hand)
    the_dashboard(hand)
    elsewhere(hand, second, tmp_path)
    taken_back(hand)


def the_role(hand: Hand) -> None:
    """展厅主管 out of 导购: ticks, scopes, the difference, a look as that role, and back to what is not saved."""
    page = hand.page
    hand.wishes("/roles/")
    screen.row(page, "导购").first.locator("td.nm").click()
    hand.link("复制")
    page.get_by_label("角色名称").fill("展厅主管")
    seek = page.get_by_role("searchbox", name="搜索菜单、操作、字段")
    for part, right in (("系统主框架", "设置标签"), ("跟进任务", "批量修改")):
        seek.fill(right)
        box = page.locator(f'[data-page="{part}"] .l2:visible label').filter(has_text=right).first
        box.locator("input").check()
    seek.fill("")
    for part, scope in (("客户", "本店"), ("任务中心", "我的")):
        place = page.locator(f'[data-page="{part}"] details.scope').first
        place.locator("summary").click()
        for option in place.locator("label").all():
            option.locator("input").set_checked(scope in option.inner_text())
        page.keyboard.press("Escape")
    hand.button("以此角色预览")
    expect(page.get_by_text("正在以“展厅主管”预览")).to_be_visible()
    page.goto("/customers/")
    hand.button("结束预览")
    for words in ("设置标签", "任务 · 批量修改"):
        expect(page.locator("[data-changes] .plus").filter(has_text=words)).to_have_count(1)
    page.locator(".head").get_by_role("button", name="保存", exact=True).click()
    screen.flash(page, "展厅主管")


def who_sees_what(hand: Hand, consultant: Any) -> None:
    """A phone hidden from a role, then own records only; each taken back."""
    page = hand.page
    hand.wishes("/customers/")
    hand.link("谁能看到手机号码")
    hand.on(page.get_by_role("checkbox", name="导购能看到手机号码"))
    hand.button("保存")
    hand.within(3)
    consultant.goto("/customers/")
    expect(screen.row(consultant, "周敏")).to_contain_text("138****0471")
    undone(hand)
    consultant.reload()
    expect(screen.row(consultant, "周敏")).to_contain_text("13800000471")
    hand.wishes("/customers/")
    hand.link("谁能看到")
    hand.on(
        page.get_by_role("radiogroup", name="店长能看到的记录").locator("label").filter(has_text="仅本人")
    )
    hand.button("保存")
    hand.within(3)
    undone(hand)


def the_menu(hand: Hand, consultant: Any) -> None:
    """客户 dragged above the others, renamed, and two entries hidden."""
    page = hand.page
    page.goto("/menu-settings/")
    pieces = page.locator('[data-block]:has([data-key="customers"]) [data-piece]')
    page.locator('[data-piece][data-key="customers"] [data-grip]').drag_to(
        pieces.first, target_position={"x": 60, "y": 4}
    )
    screen.flash(page, "已移动")
    expect(pieces.first).to_have_attribute("data-key", "customers")
    hand.wishes("/customers/")
    entry = page.locator('.nav a[data-key="customers"]')
    entry.hover()
    hand.on(page.locator('.nav .tune[value="customers"]'))
    hand.button("重命名")
    page.get_by_label("新名称").fill("我的客户")
    hand.on(page.locator(".mpop").get_by_role("button", name="保存"))
    expect(entry).to_have_text("我的客户")
    hand.within(3)
    for key in ("contacts", "follow_ups"):
        hand.wishes()
        page.locator(f'.nav a[data-key="{key}"]').hover()
        hand.on(page.locator(f'.nav .tune[value="{key}"]'))
        hand.button("隐藏")
        screen.flash(page, "已隐藏")
        hand.within(2)
    undone(hand)
    consultant.goto("/customers/")
    expect(consultant.locator('.nav a[data-key="customers"]')).to_contain_text("我的客户")
    expect(consultant.locator('.nav a[data-key="contacts"]')).to_have_count(0)
    expect(consultant.locator('.nav a[data-key="follow_ups"]')).to_have_count(1)


def the_field(hand: Hand, consultant: Any, world: World) -> None:
    """装修阶段 with its colours: in form, list and filter by nine clicks, then its rules, the template and a chart."""
    page = hand.page
    hand.wishes("/customers/")
    hand.on(page.locator("summary").filter(has_text="列"))
    hand.on(page.locator(".cols").get_by_role("link", name="字段"))
    expect(screen.field(page, "字段名称")).to_be_focused()
    page.keyboard.type("装修阶段")
    hand.chooses(screen.field(page, "类型"), "单选")
    hand.on(screen.field(page, "选项"))
    page.keyboard.type("毛坯\n水电\n木工\n完工")
    hand.button("保存")
    expect(page.get_by_role("heading", name="装修阶段", exact=True)).to_be_visible()
    hand.within(9)
    page.goto("/customers/")
    expect(page.locator("th").filter(has_text="装修阶段")).to_have_count(1)
    expect(page.locator(".bar select").filter(has_text="毛坯")).to_have_count(1)
    page.goto("/custom_fields/")
    screen.row(page, "装修阶段").locator("td.nm").click()
    page.get_by_role("link", name="编辑", exact=True).first.click()
    page.locator('[data-field="places"] label').filter(has_text="图表").locator("input").check(force=True)
    screen.fill(page, "显示条件", "客户来源=老客户推荐")
    screen.fill(page, "必填条件", "阶段=订单客户")
    screen.press(page, "保存")
    expect(page.locator("main")).to_contain_text("客户来源=老客户推荐")
    consultant.goto(f"/customers/{world.customers['周敏']}/edit")
    expect(screen.field(consultant, "装修阶段")).to_be_hidden()
    consultant.goto(f"/customers/{world.customers['陈国栋']}/edit")
    screen.field(consultant, "装修阶段").select_option(label="水电")
    consultant.locator("[data-main]").click()
    expect(consultant.locator("main")).to_contain_text("水电")
    page.goto("/customers/")
    coloured = screen.row(page, "陈国栋").locator(".dot.g").filter(has_text="水电")
    expect(coloured).to_have_count(1)
    page.goto("/customers/charts")
    expect(page.locator("main")).to_contain_text("装修阶段")


def the_view(hand: Hand, consultant: Any) -> None:
    """本周到期 with columns of its own, for the whole store."""
    page = hand.page
    page.goto("/customers/?next_follow_up_at.in=week&window=all")
    page.locator(".vw > summary").click()
    page.locator(".vws").get_by_placeholder("视图名称").fill("本周到期")
    page.locator(".vws").get_by_role("button", name="保存", exact=True).click()
    screen.flash(page, "视图“本周到期”已保存")
    page.locator(".vw > summary").click()
    page.locator(".vws").get_by_role("link", name="设置").click()
    screen.field(page, "适用于").select_option(label="门店")
    screen.field(page, "适用门店").select_option(label="示范一店")
    screen.press(page, "保存")
    screen.flash(page, "视图“本周到期”已保存")
    consultant.goto("/customers/")
    consultant.locator(".views").get_by_role("link", name="本周到期").click()
    expect(consultant.locator(".chips")).to_contain_text("本周")


def the_cadence(hand: Hand) -> None:
    """A trade's preset first; then level A is to be followed up every two days instead of three, after a look at
    whom that touches."""
    page = hand.page
    page.goto("/configuration/import?preset=furnishing")
    page.get_by_role("button", name="套用以上改动").click()
    screen.flash(page, "已套用预设")
    page.goto("/clock_rules/")
    screen.row(page, "A级客户满3天未跟进").locator("td.nm").click()
    page.get_by_role("link", name="编辑", exact=True).first.click()
    screen.fill(page, "时长", "2")
    page.get_by_role("button", name="保存").first.click()
    question = page.locator("dialog.ask")
    expect(question).to_contain_text(re.compile(r"影响\d+位客户，[今明].{1,7}产生\d+条"))
    question.get_by_role("button", name="确认保存").click()
    expect(page.locator(".flashes, main").first).to_contain_text("2天")


def the_dashboard(hand: Hand) -> None:
    """A chart on a dashboard in five clicks, from its list."""
    page = hand.page
    hand.wishes("/customers/")
    hand.link("图表")
    hand.on(page.get_by_label("加到看板：来源分布"))
    hand.chooses(page.locator("select[name=_board]"), "新建看板")
    screen.fill(page, "新看板名称", "早会")
    hand.button("保存")
    expect(page.locator(".tile")).to_contain_text("来源分布")
    hand.within(5)
    page.get_by_role("link", name="编辑看板").click()
    page.get_by_role("link", name="名称与共享").click()
    screen.field(page, "共享").select_option(label="全部人员")
    screen.press(page, "保存")
    expect(page.get_by_role("heading", name="早会", level=1)).to_be_visible()


def elsewhere(hand: Hand, second: Callable[..., Any], tmp_path: Path) -> None:
    """Everything leaves as one file and is the same on another installation, after its difference was read."""
    page = hand.page
    page.goto("/configuration/")
    page.locator("summary").filter(has_text="导出配置").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="导出", exact=True).click()
    path = tmp_path / "配置.json"
    waiting.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    for word in ("展厅主管", "我的客户", "装修阶段", "本周到期", "A级客户满3天未跟进", "早会"):
        assert word in text, word
    differs = second("config", "diff", str(path), "--dealer", CODE)
    assert differs.exit_code == 1 and "自定义字段：新增 3" in differs.output, differs.output
    done = second("config", "import", str(path), "--dealer", CODE)
    assert done.exit_code == 0, done.output
    again = second("config", "export", "--dealer", CODE)
    assert json.loads(again.output) == json.loads(text)


def taken_back(hand: Hand) -> None:
    """The change of the cadence goes back from the history in two clicks."""
    page = hand.page
    hand.wishes("/configuration/")
    line = page.locator(".changes0 tbody tr").filter(has_text="A级客户满3天未跟进").first
    hand.on(line.locator(".undo0"))
    hand.button("撤销")
    screen.flash(page, "已撤销")
    hand.within(2)
    page.goto("/clock_rules/")
    expect(screen.row(page, "A级客户满3天未跟进")).to_contain_text("3天")


@pytest.fixture
def second(app_on: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``second("config", …)``: the command on another installation, just initialised."""

    def invoke(*args: str) -> Any:
        other = app_on("second-installation")
        monkeypatch.setattr(commands, "_app", lambda **_: other)
        return CliRunner().invoke(commands.cli, list(args))

    return invoke
