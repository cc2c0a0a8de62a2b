"""A real browser in front of the live server (mark such tests with ``browser``)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
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


@pytest.fixture
def page_as(app: Flask, live_server: str, browser: Any, login: Any) -> Iterator[Callable[..., Any]]:
    """``page_as("consultant1", size=NARROW, dark=False)``: a page of that signed-in person.

    ``scripts=False`` is a browser that runs none, ``touch=True`` one of a device that is touched.
    The test fails when a script throws on the page or the page asks another host for anything.
    """
    contexts, faults = [], []

    def watch(page: Any) -> None:
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on("request", lambda asked: _own(asked.url, live_server) or faults.append(f"asked {asked.url}"))

    def open_page(
        username: str | None = None,
        *,
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        scripts: bool = True,
        touch: bool = False,
    ) -> Any:
        context = browser.new_context(
            base_url=live_server,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            has_touch=touch,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if username is not None:
            name = app.config["SESSION_COOKIE_NAME"]
            cookie = login(username).get_cookie(name)
            context.add_cookies([{"name": name, "value": cookie.value, "url": live_server}])
        page = context.new_page()
        watch(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def _own(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:", "about:"))


@pytest.fixture
def page(page_as: Callable[..., Any]) -> Any:
    """A page of somebody who is not signed in."""
    return page_as()
