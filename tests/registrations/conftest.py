"""The small trade for tests of registrations."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.customers.world import World, build
from tests.registrations.showrooms import Showrooms, furnish


@pytest.fixture
def world(app: Flask) -> World:
    """Two dealers with stores and people; gone after the test."""
    return build()


@pytest.fixture
def showrooms(world: World) -> Showrooms:
    """The same with an office that files leads and two showrooms that get them."""
    return furnish(world)
