"""The small trade, with customers to write out."""

from __future__ import annotations

import pytest
from flask import Flask

from app.engine import chrome
from tests.customers.world import World, build


@pytest.fixture
def world(app: Flask) -> World:
    """Two dealers with stores and people; gone after the test, like what was remembered of them."""
    chrome.forget()
    return build()
