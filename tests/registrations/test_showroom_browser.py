"""A lead on its way from the manager to the showroom's money, as people do it in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.engine.database import db
from models.orders.tables import Receipt
from models.registrations.tables import Assignment, AuditStatus
from tests.browser.screen import fill, flash, press, row
from tests.plugins.chromium import NARROW, WIDE
from tests.registrations.showrooms import CABINET, Showrooms

pytestmark = pytest.mark.browser
LIST = "/registration_assignments/"


def choose(page: Any, name: str, value: int) -> None:
    """Set the short list of that name."""
    page.locator(f'select[name="{name}"]').select_option(str(value))


@pytest.mark.spec("E-63", "E-66", "E-67", "E-69", "E-71")
@pytest.mark.parametrize(
    ("size", "dark", "scripts"),
    [(WIDE, False, True), (NARROW, True, True), (WIDE, False, False)],
    ids=["wide", "narrow-dark", "no-scripts"],
)
def test_from_the_manager_to_the_deposit(
    page_as: Any, showrooms: Showrooms, size: tuple[int, int], dark: bool, scripts: bool
) -> None:
    lead = showrooms.lead(brand_category_id=showrooms.types[CABINET].id)
    boss = page_as("boss", size=size, dark=dark, scripts=scripts)
    boss.goto(f"/registrations/action/assign?id={lead.id}")
    expect(boss.locator('select[name="brand_category"]')).to_have_value(str(showrooms.types[CABINET].id))
    choose(boss, "showroom", showrooms.east.id)
    fill(boss, "指派备注", "周末到店")
    if scripts:
        assert boss.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(boss, "客户线索分配到展厅")
    flash(boss, "已指派到甲商场1店")
    db.session.rollback()
    assignment = db.session.scalars(select(Assignment)).one()

    seller = page_as("seller", size=size, dark=dark, scripts=scripts)
    seller.goto(LIST)
    expect(row(seller, "章若")).to_contain_text("指派")
    seller.goto(f"{LIST}{assignment.id}/edit")
    fill(seller, "楼号及房间号", "3栋520")
    press(seller, "保存")
    seller.goto(f"{LIST}action/deposit?id={assignment.id}")
    expect(seller.locator("body")).to_contain_text("3栋520")
    fill(seller, "定金金额", "5000")
    seller.locator('input[name="deposit_on"]').fill("2026-11-20")
    press(seller, "登记定金")
    flash(seller, "已登记定金¥5,000.00")
    seller.goto(LIST)
    expect(row(seller, "章若")).to_contain_text("付定")
    db.session.rollback()
    assert db.session.scalars(select(Receipt)).one().amount == 5000


@pytest.mark.spec("E-69")
def test_what_was_judged_is_shown_and_not_asked(page_as: Any, showrooms: Showrooms) -> None:
    assignment = showrooms.assign(showrooms.lead())
    showrooms.judge(assignment, AuditStatus.PASSED)
    seller = page_as("seller")
    seller.goto(f"{LIST}{assignment.id}/edit")
    expect(seller.locator("body")).to_contain_text("该指派已审核，修改会影响审核依据，不能修改")
    expect(seller.get_by_role("button", name="保存", exact=True)).to_have_count(0)
