"""The window of a lead's tracking, and measuring, in a real browser (E-47…E-54, E-72, E-73)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from app.engine.database import db, utcnow
from app.engine.localtime import local
from models.registrations.tables import Measuring, MeasuringState, RegistrationTrack
from tests.browser import screen
from tests.plugins.chromium import NARROW, WIDE
from tests.registrations.world import Channel

pytestmark = pytest.mark.browser


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The channel's people; the manager works with the first worker's leads."""
    channel.grant_leads("chief", "worker1")
    return channel


def texts() -> list[str]:
    """All records, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(RegistrationTrack.text).order_by(RegistrationTrack.id)))


def menu(page: Any, name: str, label: str) -> None:
    """Right-click the lead's row and choose."""
    screen.row(page, name).click(button="right", position={"x": 200, "y": 10})
    page.get_by_role("menuitem", name=label).click()


def fits(page: Any) -> None:
    """Nothing makes the page scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.spec("E-47", "E-48", "E-49", "E-51", "E-52")
def test_track_from_the_menu_of_a_row(world: Channel, page_as: Any, pictures: Path) -> None:
    world.lead(name="沈女士", phone="19900000001")
    page = page_as("worker1")
    page.goto("/registrations/")
    menu(page, "沈女士", "客户跟踪记录")
    sheet = page.get_by_role("dialog", name="客户跟踪记录")
    expect(sheet).to_contain_text("还没有跟踪记录")
    sheet.get_by_role("link", name="新建客户跟踪记录").click()
    expect(sheet.get_by_role("link", name="沟通表内容")).to_have_attribute("aria-current", "page")
    sheet.get_by_role("link", name="短信发送").click()
    expect(sheet.get_by_label("短信内容")).to_be_visible()
    expect(sheet).to_contain_text("19900000001")
    page.screenshot(path=pictures / "tracking-sms.png")
    sheet.get_by_role("link", name="沟通表内容").click()
    in_three_days = (local(utcnow()) + timedelta(days=3)).date().isoformat()
    expect(sheet.get_by_label("下次跟踪时间")).to_have_value(in_three_days)
    expect(sheet.get_by_label("客户状态")).to_have_value("继续跟踪")
    screen.press(sheet, "提交")
    expect(sheet).to_contain_text("请输入跟踪内容")
    assert texts() == []
    sheet.get_by_label("跟踪内容").fill("周末到店看样")
    page.screenshot(path=pictures / "tracking-new.png")
    screen.press(sheet, "提交")
    screen.flash(page, "已保存客户跟踪记录")
    expect(page).to_have_url(re.compile("/registrations/$"))
    row = screen.row(page, "沈女士")
    expect(row).to_contain_text("周末到店看样")
    expect(row).to_contain_text("继续跟踪")
    assert texts() == ["周末到店看样"]


@pytest.mark.spec("E-51")
def test_close_leaves_without_a_record(world: Channel, page_as: Any) -> None:
    world.lead(name="沈女士")
    page = page_as("worker1")
    page.goto("/registrations/")
    menu(page, "沈女士", "客户跟踪记录")
    sheet = page.get_by_role("dialog", name="客户跟踪记录")
    sheet.get_by_role("link", name="新建客户跟踪记录").click()
    sheet.get_by_label("跟踪内容").fill("写了一半")
    sheet.get_by_role("link", name="关闭", exact=True).click()
    screen.press(page, "放弃填写")
    expect(page.locator(".sheet")).to_have_count(0)
    expect(screen.row(page, "沈女士")).to_be_visible()
    assert texts() == []


@pytest.mark.spec("E-47", "E-14")
def test_the_toolbar_tracks_the_selected_row(world: Channel, page_as: Any) -> None:
    world.lead(name="沈女士")
    world.lead(name="顾先生")
    page = page_as("worker1")
    page.goto("/registrations/")
    screen.tick(page, "顾先生")
    page.get_by_role("group", name="工具栏").get_by_role("button", name="客户跟踪记录").click()
    expect(page.get_by_role("dialog", name="客户跟踪记录")).to_contain_text("顾先生")


@pytest.mark.spec("E-48", "E-49", "E-51", "E-54")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_without_scripts_it_is_pages(
    world: Channel, page_as: Any, pictures: Path, size: tuple[int, int], run_outbox: Any
) -> None:
    found = world.lead(name="沈女士", phone="19900000001")
    page = page_as("worker1", size=size, scripts=False)
    page.goto(f"/registrations/{found.id}")
    page.locator(f'a[href="/registration-tracking/?id={found.id}"]').first.evaluate("link => link.href")
    page.goto(f"/registration-tracking/?id={found.id}")
    page.get_by_role("link", name="新建客户跟踪记录").click()
    screen.field(page, "跟踪内容").fill("要做全屋")
    screen.press(page, "提交")
    expect(page).to_have_url(re.compile(rf"/registration-tracking/\?id={found.id}$"))
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.get_by_role("link", name="新建客户跟踪记录").click()
    page.get_by_role("link", name="短信发送").click()
    screen.field(page, "短信内容").fill("活动邀请")
    fits(page)
    page.screenshot(path=pictures / f"tracking-sms-{size[0]}.png")
    screen.press(page, "提交")
    run_outbox()
    page.reload()
    expect(page.locator("table tbody tr")).to_have_count(2)
    expect(page.locator("table tbody tr").first).to_contain_text("【短信已发送】活动邀请")
    fits(page)
    page.screenshot(path=pictures / f"tracking-{size[0]}.png")


@pytest.mark.spec("E-72", "E-73")
def test_dispatch_and_measure(world: Channel, page_as: Any, pictures: Path, tmp_path: Path) -> None:
    found = world.lead(name="沈女士", phone="19900000001")
    page = page_as("chief")
    page.goto("/registrations/?scope=granted")
    menu(page, "沈女士", "派遣设计师量房")
    sheet = page.get_by_role("dialog", name="派遣设计师量房")
    expect(sheet.locator("[data-field=designer]")).to_be_visible()
    screen.pick(sheet, "designer", "设计师甲")
    at = (local(utcnow()) + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
    sheet.get_by_label("计划量房时间").fill(at)
    page.screenshot(path=pictures / "dispatch.png")
    sheet.locator("[data-main]").click()
    screen.flash(page, "已派遣设计师甲量房")
    page.goto(f"/registrations/{found.id}#rel-measurings")
    expect(page.locator("#rel-measurings")).to_contain_text("设计师甲")
    page.screenshot(path=pictures / "lead-measuring.png")

    drawing = tmp_path / "户型图.pdf"
    drawing.write_bytes(b"%PDF-1.7\n" + b"\0" * 100)
    his = page_as("drawer", size=NARROW)
    his.goto("/measurings/?scope=related")
    fits(his)
    his.screenshot(path=pictures / "measurings-390.png")
    screen.row(his, "沈女士").click()
    expect(his.locator("main")).to_contain_text("杭州市星湖小区3栋502")
    his.get_by_role("link", name="完成量房").first.click()
    screen.fill(his, "量房结果", "三房两厅，层高2.8米")
    his.locator("input[type=file]").set_input_files(drawing)
    fits(his)
    his.screenshot(path=pictures / "measured-390.png")
    screen.press(his, "完成量房")
    screen.flash(his, "已完成量房")
    with his.expect_download() as got:
        his.get_by_role("link", name="户型图.pdf").click()
    assert got.value.suggested_filename == "户型图.pdf"
    db.session.rollback()
    assert db.session.scalars(select(Measuring)).one().state == MeasuringState.DONE


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(world: Channel, page_as: Any, size: tuple[int, int], dark: bool) -> None:
    found = world.lead(name="沈女士")
    world.act("track", found, "worker1", text="要做全屋")
    designer, at = world.people["drawer"].id, utcnow() + timedelta(days=1)
    world.act("dispatch", found, "chief", designer=designer, planned_at=at)
    one = db.session.scalars(select(Measuring.id)).one()
    page, wrong = page_as("chief", size=size, dark=dark), []
    for address in (
        f"/registrations/{found.id}", f"/registration-tracking/?id={found.id}",
        f"/registration-tracking/track?id={found.id}", f"/registration-tracking/sms?id={found.id}",
        "/measurings/", f"/measurings/{one}", f"/measurings/{one}/edit", f"/registration-measuring/complete?id={one}",
    ):  # fmt: skip
        page.goto(address)
        fits(page)
        result = Axe().run(page)
        wrong += [
            (address, v["id"], v["nodes"][0]["html"][:200])
            for v in result["violations"]
            if v["impact"] in ("serious", "critical")
        ]
    assert wrong == []
