"""The generated tests run over the registry on a world of their own (`world.py`), built once per database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.generic.world import Builder, World


def fill(app: Flask) -> None:
    """Put the world in."""
    from app.engine.database import db

    app.extensions["world"] = Builder(db.session()).build()


@pytest.fixture
def initialised_app(app_on: Callable[..., Flask]) -> Flask:
    """Every test of this folder runs in the world."""
    return app_on("world", fill)


@pytest.fixture
def world(initialised_app: Flask) -> World:
    """Who and what there is."""
    found: World = initialised_app.extensions["world"]
    return found


@pytest.fixture
def clients(login: Any) -> Any:
    """``clients(name)``: one signed-in client per person and test."""
    known: dict[str, Any] = {}

    def client(name: str) -> Any:
        if name not in known:
            known[name] = login(name)
        return known[name]

    return client
