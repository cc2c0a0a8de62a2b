"""Widths of columns are part of a saved view, as far as its columns are shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.views import body, kept, make, share

pytestmark = pytest.mark.sqlite_only


def widths(page: str) -> dict[str, int]:
    """What the headings of a list say of their widths."""
    return {n: int(px) for n, px in re.findall(r'data-col="(\w+)" width="(\d+)"', page)}


def sent(name: str = "宽", **px: Any) -> dict[str, Any]:
    return {"resource": "customers", "name": name, "widths": "1"} | {
        f"width.{n}": str(v) for n, v in px.items()
    }


def test_a_view_keeps_widths_for_everybody_it_is_for(world: World, login: Login) -> None:
    world.customer()
    boss = login("boss")
    boss.post("/list_views/", data=sent(name="宽", phone=220, level=5000, nothing=100, stage="x"))
    view = kept("宽")
    assert view.widths == {"phone": 220, "level": 1000}
    assert "列宽：手机号码、意向级别" in view.summary
    share(boss, view)
    page = body(login("seller"), f"/customers/?on_view={view.id}")
    assert widths(page) == {"phone": 220, "level": 1000}
    assert "列宽：手机号码、意向级别" in words(page)
    assert widths(body(login("seller"), "/customers/")) == {}


def test_saving_a_view_anew_replaces_widths_only_where_the_page_knows_them(
    world: World, login: Login
) -> None:
    boss = login("boss")
    boss.post("/list_views/", data=sent(phone=220))
    url = f"/list_views/{kept('宽').id}/conditions"

    def save(**given: str) -> dict[str, int]:
        assert boss.post(url, data={"version": str(kept("宽").version), **given}).status_code == 302
        return kept("宽").widths

    assert save() == {"phone": 220}  # without a script nobody says how wide anything is
    assert save(**{"widths": "1", "width.level": "60"}) == {"level": 60}
    assert save(widths="1") == {}


def test_a_copy_has_them_too_and_a_view_made_without_has_none(world: World, login: Login) -> None:
    boss = login("boss")
    boss.post("/list_views/", data=sent(phone=220))
    boss.post(f"/list_views/{kept('宽').id}/copy")
    assert kept("宽 2").widths == {"phone": 220}
    make(boss, "窄")
    assert kept("窄").widths == {}


@pytest.mark.browser
def test_a_dragged_width_is_saved_with_the_view(page_as: Any, world: World) -> None:
    world.customer()
    page = page_as("boss")
    page.goto("/customers/")
    heading = page.locator('th[data-col="phone"]')

    def drag(by: int) -> None:
        box = heading.locator(".grip").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + by, box["y"] + box["height"] / 2)
        page.mouse.up()

    drag(90)
    wide = round(heading.bounding_box()["width"])
    page.locator("summary").filter(has_text="视图").click()
    page.get_by_label("保存为视图").fill("宽")
    page.locator(".mk button").click()
    expect(heading).to_have_attribute("width", str(wide))
    page.locator("summary").filter(has_text="视图").click()
    expect(page.get_by_role("button", name="保存修改")).to_be_hidden()
    page.keyboard.press("Escape")
    drag(-40)
    page.locator("summary").filter(has_text="视图").click()
    page.get_by_role("button", name="保存修改").click()
    expect(heading).to_have_attribute("width", str(wide - 40))
