"""The small trade, with customers to write out."""

from __future__ import annotations

import pytest

from app.engine import chrome
from tests.customers.world import World


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people; gone after the test, like what was remembered of them."""
    chrome.forget()
    return trade
