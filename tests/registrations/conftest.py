"""The small trade for tests of registrations, with the people of the channel."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.registrations.world import Channel, build


@pytest.fixture
def channel(app: Flask) -> Channel:
    """Two dealers with stores and people, two channel workers and their manager; gone after the test."""
    return build()
