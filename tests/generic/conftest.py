"""The generated tests run over the registry on a world of their own (`world.py`), built once per database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.generic.world import Builder, World
from tests.plugins.databases import Restorer, settings_for_tests


@pytest.fixture(scope="session")
def world_url(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> str:
    """The address of an empty database for the world."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('world') / 'zhike.db'}"
    server = request.getfixturevalue("postgresql_server")
    name = f"world_{worker_id}"
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(database=name)).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def worldly(world_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, World]]:
    """The application on a database that holds the world."""
    from app.engine.database import db
    from app.factory import create_app
    from app.setup import initialise

    built = create_app(settings_for_tests(world_url, tmp_path_factory.mktemp("data")))
    with built.app_context():
        initialise(built)
        world = Builder(db.session()).build()
    yield built, world
    with built.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def initialised_app(worldly: tuple[Flask, World]) -> Flask:
    """Every test of this folder runs in the world."""
    return worldly[0]


@pytest.fixture(scope="session")
def world(worldly: tuple[Flask, World]) -> World:
    """Who and what there is."""
    return worldly[1]


@pytest.fixture(scope="session")
def restorer(initialised_app: Flask) -> Restorer:
    """Puts the world back after each test."""
    from app.engine.database import db

    with initialised_app.app_context():
        return Restorer(db.engine)


@pytest.fixture
def clients(login: Any) -> Any:
    """``clients(name)``: one signed-in client per person and test."""
    known: dict[str, Any] = {}

    def client(name: str) -> Any:
        if name not in known:
            known[name] = login(name)
        return known[name]

    return client
