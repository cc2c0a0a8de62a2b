"""What users point at, by the words they would use."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect


def row(page: Any, text: str) -> Any:
    """The list's row that holds the text."""
    return page.locator("table.rows.cards tbody tr").filter(has_text=text)


def names(page: Any) -> Any:
    """The second readable column of each row: names on lists of people."""
    return page.locator("table.rows.cards tbody td.nm")


def lists(page: Any, *people: str) -> None:
    """The list comes to show just these people, in this order."""
    if people:
        expect(names(page)).to_have_text(list(people))
    else:
        expect(names(page)).to_have_count(0)


def tick(page: Any, *names: str) -> None:
    """Tick the rows of these people."""
    for name in names:
        row(page, name).locator("input[name=id]").check()


def batch(page: Any, label: str) -> Any:
    """A button of the batch bar, also where it stands in the drop-down there."""
    found = page.locator(".batch .acts0 button, .batch .many1 button").filter(has_text=label)
    if found.count() and not found.is_visible():
        page.locator(".many1 summary").click()
    return found


def press(page: Any, label: str) -> None:
    """Click the form's or dialog's button of this name."""
    page.get_by_role("button", name=label, exact=True).click()


def field(page: Any, label: str) -> Any:
    """The input of the field with this label, required or not."""
    words = page.locator(".lab").filter(has_text=re.compile(rf"^\s*\*?\s*{re.escape(label)}\s*$"))
    return page.locator(".fld").filter(has=words).locator("input:visible,textarea:visible,select").first


def fill(page: Any, label: str, value: str) -> None:
    """Type into the field with this label."""
    field(page, label).fill(value)


def unfold(page: Any, title: str) -> None:
    """Open a folded part of a form."""
    page.locator("summary").filter(has_text=title).click()


def flash(page: Any, text: str) -> None:
    """The remark after an action says this."""
    expect(page.locator(".flashes")).to_contain_text(text)


def more(page: Any, label: str) -> Any:
    """An action of a record's page, also where it stands in the 更多 menu."""
    found = page.locator(".hd .acts").get_by_text(re.compile(rf"^\s*{label}(，不可用|\s*$)"))
    expect(found).to_be_attached()
    if not found.is_visible():
        page.get_by_label("更多操作").click()
    return found


def pick(page: Any, field: str, words: str, *, choose: str = "") -> None:
    """Search in a remote picker and take the first answer, or set the select where the list is short."""
    box = page.locator(f'[data-field="{field}"]')
    if box.locator("select").count():
        option = box.locator("option").filter(has_text=choose or words).first
        box.locator("select").select_option(value=option.get_attribute("value"))
        return
    box.locator(".in").fill(words)
    option = box.locator("[role=option]").filter(has_text=choose or words).first
    option.click()


class Finger:
    """One finger on the screen, where something is held by its grip."""

    def __init__(self, page: Any) -> None:
        self.page, self.at = page, (0.0, 0.0)
        self.device = page.context.new_cdp_session(page)

    def _send(self, what: str, *points: tuple[float, float]) -> None:
        touched = [{"x": x, "y": y} for x, y in points]
        self.device.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": touched})

    def takes(self, grip: Any) -> None:
        """Put the finger down in the middle of the grip."""
        grip.evaluate("grip => grip.scrollIntoView({ block: 'center' })")
        box = grip.bounding_box()
        self.at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self._send("touchStart", self.at)

    def goes(self, x: float, y: float) -> None:
        """Move it there, by way of half the distance."""
        self._send("touchMove", ((self.at[0] + x) / 2, (self.at[1] + y) / 2))
        self._send("touchMove", (x, y))
        self.at = x, y

    def over(self, target: Any, down: float = 0.2) -> None:
        """Move it to that part of the height of what is in sight."""
        box = target.bounding_box()
        self.goes(box["x"] + box["width"] / 2, box["y"] + box["height"] * down)

    def lifts(self) -> None:
        """Let go."""
        self._send("touchEnd")


def choose(page: Any, name: str, *labels: str) -> None:
    """Tick options of a field where several can be chosen."""
    for label in labels:
        page.locator(f'[data-field="{name}"] label').filter(has_text=label).first.locator("input").check()
