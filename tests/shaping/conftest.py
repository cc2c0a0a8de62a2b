"""The small trade for tests of what is shaped without code."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.customers.world import World, build


@pytest.fixture
def world(app: Flask) -> World:
    """Two dealers with stores and people; gone after the test."""
    return build()
