"""The small trade for tests of people."""

from __future__ import annotations

import pytest

from tests.customers.world import World


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people; gone after the test."""
    return trade
