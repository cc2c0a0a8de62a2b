"""Browser tests share one database that already holds the world; what a test writes is taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.browser.world import World, build


def fill(app: Flask) -> None:
    """Put the world in."""
    app.extensions["browser-world"] = build()


@pytest.fixture
def initialised_app(app_on: Callable[..., Flask]) -> Flask:
    """An application of its own, with the world in it."""
    return app_on("browser", fill)


@pytest.fixture
def world(initialised_app: Flask, app: Flask) -> World:
    """Ids by name."""
    found: World = initialised_app.extensions["browser-world"]
    return found


@pytest.fixture
def sees() -> Callable[..., None]:
    """``sees(page, "周敏", …)``: each text stands visibly on the page."""
    from playwright.sync_api import expect

    def check(page: Any, *texts: str) -> None:
        for text in texts:
            expect(page.locator("body")).to_contain_text(text)

    return check


@pytest.fixture(autouse=True)
def fresh_counts(app: Flask) -> None:
    """No count of an earlier test is remembered."""
    from app.engine import chrome

    chrome.forget()
