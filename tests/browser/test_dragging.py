"""What is put elsewhere by its grip, with a finger on a phone or a tablet, on every page where that can be done."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.world import World
from tests.plugins.chromium import NARROW

pytestmark = pytest.mark.browser


def grip(piece: Any) -> Any:
    """By what a piece is held."""
    return piece.locator("[data-grip]").first


def test_rows_tiles_and_columns_are_put_elsewhere_by_finger(page_as: Any, world: World) -> None:
    page = page_as("admin", touch=True)
    finger = screen.Finger(page)
    page.goto("/dictionaries/?name=customer.level")
    labels = page.locator("[data-option] [name^=label]")
    names = "boxes => boxes.map(box => box.value)"
    assert labels.evaluate_all(names) == ["H", "A", "B", "C", "D"]
    rows = page.locator("[data-option]")
    finger.takes(grip(rows.nth(3)))
    finger.over(rows.nth(1))
    expect(rows.nth(1)).to_have_attribute("data-drop", "before")
    page.keyboard.press("Escape")
    expect(page.locator("[data-drop],[data-held],.ghost")).to_have_count(0)
    finger.lifts()
    assert labels.evaluate_all(names) == ["H", "A", "B", "C", "D"], "Escape leaves all where it was"
    finger.takes(grip(rows.nth(3)))
    finger.over(rows.nth(1))
    finger.lifts()
    assert labels.evaluate_all(names) == ["H", "C", "A", "B", "D"]
    expect(page.get_by_text("有未保存的改动")).to_be_visible()

    page.goto("/customers/")
    page.locator("summary", has_text="列").last.tap()
    columns = page.locator(".it0")
    third = columns.nth(2).inner_text()
    finger.takes(grip(columns.nth(2)))
    finger.over(columns.nth(0))
    finger.lifts()
    expect(columns.nth(0)).to_have_text(third)
    page.locator("[data-columns]").get_by_role("button", name="保存").click()
    expect(page.locator("table.rows thead th").nth(1)).to_have_text(third)

    page.goto("/dashboards/manager")
    screen.press(page, "复制为我的看板")
    page.goto(page.url.partition("?")[0] + "?edit=1")
    titles = page.locator("[data-tile] .ctl b")
    before = titles.all_inner_texts()
    finger.takes(grip(page.locator("[data-tile]").nth(1)))
    finger.over(page.locator("[data-tile]").nth(0), 0.5)
    finger.lifts()
    expect(titles.first).to_have_text(before[1])


def test_entries_and_fields_are_put_elsewhere_by_finger_on_a_phone(page_as: Any, world: World) -> None:
    page = page_as("admin", size=NARROW, touch=True)
    finger = screen.Finger(page)
    page.goto("/menu-settings/")
    into = page.locator("[data-block]").nth(0)
    piece = page.locator("[data-block]").nth(1).locator("[data-piece]").first
    key = piece.get_attribute("data-key")
    finger.takes(grip(piece))
    finger.over(into.locator("[data-grip]").first)
    finger.lifts()
    screen.flash(page, "已移动")
    expect(into.locator("[data-piece]").last).to_have_attribute("data-key", key or "")

    page.goto("/layouts/edit?resource=customers&page=edit")
    spots = page.locator("[data-spot]")
    first = spots.first.get_attribute("data-key")
    finger.takes(grip(page.locator("[data-part]").last.locator("[data-spot]").last))
    finger.goes(finger.at[0], 10)
    held = page.locator("[data-held]")
    expect(held).to_have_count(1)
    key = held.get_attribute("data-key")
    expect(page.locator("html")).to_have_js_property(
        "scrollTop", 0
    )  # near the edge the page moves on by itself
    finger.over(spots.first)
    expect(spots.first).to_have_attribute("data-drop", "before")
    finger.lifts()
    expect(spots.first).to_have_attribute("data-key", key or "")
    assert key != first
    expect(page.locator("[data-side]")).to_contain_text("移到")
