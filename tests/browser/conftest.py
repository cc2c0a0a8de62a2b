"""Browser tests share one database that already holds the world; what a test writes is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.browser.world import World, build
from tests.plugins.databases import Restorer, settings_for_tests


@pytest.fixture(scope="session")
def initialised_app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application of its own, with the world in it."""
    from app.engine.database import db
    from app.factory import create_app
    from app.setup import initialise

    assert database == "sqlite", "browser tests run on SQLite only"
    folder = tmp_path_factory.mktemp("browser")
    built = create_app(settings_for_tests(f"sqlite:///{folder / 'zhike.db'}", folder))
    with built.app_context():
        initialise(built)
        built.extensions["browser-world"] = build()
        db.session.remove()
    yield built
    with built.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def restorer(initialised_app: Flask) -> Restorer:
    """Puts the world back after each test."""
    from app.engine.database import db

    with initialised_app.app_context():
        return Restorer(db.engine)


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
