"""A real browser in front of the live server (mark such tests with ``browser``)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

WIDE = (1440, 900)
NARROW = (390, 844)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=10_000)  # three of these tests may share two cores
    path = shutil.which("chromium")
    assert path, "these tests need Chromium: apt-get install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Used:
    """A context with its page, and what went wrong on it."""

    context: Any
    page: Any
    faults: list[str]


class Contexts:
    """Contexts with a page, used by one test after another: to open one costs as much as six pages."""

    def __init__(self, browser: Any, server: str) -> None:
        self.browser, self.server = browser, server
        self.idle: dict[tuple[bool, bool], list[Used]] = {}

    def take(self, *, scripts: bool, touch: bool) -> Used:
        """One that nothing is left in."""
        waiting = self.idle.setdefault((scripts, touch), [])
        return waiting.pop() if waiting else self.open(scripts=scripts, touch=touch)

    def open(self, *, scripts: bool, touch: bool) -> Used:
        """A new one."""
        context = self.browser.new_context(
            base_url=self.server,
            viewport={"width": WIDE[0], "height": WIDE[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            java_script_enabled=scripts,
            has_touch=touch,
        )
        context.set_default_timeout(10_000)
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on("request", lambda asked: self._ours(asked.url) or faults.append(f"asked {asked.url}"))
        return Used(context, page, faults)

    def _ours(self, url: str) -> bool:
        return url.startswith((self.server, "data:", "blob:", "about:"))

    def give_back(self, used: Used, *, scripts: bool, touch: bool) -> bool:
        """Clear away what the person left: cookies, what the pages keep, other windows, where the mouse stood.
        False for one that has gone or is still going elsewhere, which nobody else takes."""
        from playwright.sync_api import Error

        page, context = used.page, used.context
        try:
            page.goto("/static/favicon.svg")  # no script of ours keeps anything here
            if scripts:
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
            for other in context.pages:
                if other is not page:
                    other.close()
            context.clear_cookies()
            page.mouse.move(0, 0)
            page.emulate_media(media="null", reduced_motion="null")
        except Error:
            return False
        self.idle[scripts, touch].append(used)
        return True


@pytest.fixture(scope="session")
def contexts(browser: Any, listening: Any) -> Contexts:
    """The contexts of this process."""
    return Contexts(browser, f"http://127.0.0.1:{listening.server_port}")


@pytest.fixture
def page_as(live_server: str, contexts: Contexts, login: Any, app: Flask) -> Iterator[Callable[..., Any]]:
    """``page_as("consultant1", size=NARROW, dark=False)``: a page of that signed-in person.

    ``scripts=False`` is a browser that runs none, ``touch=True`` one of a device that is touched; ``own=True`` is for
    tests that put something into the page (clocks, scripts, answers of their own) which no other test may meet.
    The test fails when a script throws on the page or the page asks another host for anything.
    """
    lent: list[tuple[Used, bool, dict[str, bool]]] = []

    def open_page(
        username: str | None = None,
        *,
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        scripts: bool = True,
        touch: bool = False,
        own: bool = False,
    ) -> Any:
        kind = {"scripts": scripts, "touch": touch}
        used = contexts.open(**kind) if own else contexts.take(**kind)
        lent.append((used, own, kind))
        used.page.set_viewport_size({"width": size[0], "height": size[1]})
        used.page.emulate_media(color_scheme="dark" if dark else "light")
        if username is not None:
            name = app.config["SESSION_COOKIE_NAME"]
            cookie = login(username).get_cookie(name)
            used.context.add_cookies([{"name": name, "value": cookie.value, "url": live_server}])
        return used.page

    yield open_page
    faults = [fault for used, _, _ in lent for fault in used.faults]
    for used, own, kind in lent:
        if own or used.faults or not contexts.give_back(used, **kind):
            used.context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(page_as: Callable[..., Any]) -> Any:
    """A page of somebody who is not signed in."""
    return page_as()
