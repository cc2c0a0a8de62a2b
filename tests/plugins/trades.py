"""The small trades that most tests are about, made once per process and database and put back after each test."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.customers import world as small
from tests.customers.world import World
from tests.engine import charting
from tests.registrations import world as with_channel
from tests.registrations.world import Channel

FILLED = {"forty": charting.fill, "channel_trade": with_channel.fill, "trade": small.fill}
"""By fixture, what fills the database that its tests find."""


@pytest.fixture
def trade(app: Flask) -> World:
    """Two dealers with stores and people; what the test does to them is gone after it."""
    return small.found()


@pytest.fixture
def forty(app: Flask) -> World:
    """The same with forty customers of different age, stage and owner."""
    return charting.found()


@pytest.fixture
def channel_trade(app: Flask) -> Channel:
    """The same with two channel workers and their manager."""
    return with_channel.found()
