"""The small trade for tests of registrations, with the people of the channel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.customers.world import build as small
from tests.imports.conftest import Importer
from tests.registrations.showrooms import Showrooms, furnish
from tests.registrations.world import Channel


@pytest.fixture
def channel(channel_trade: Channel) -> Channel:
    """Two dealers with stores and people, two channel workers and their manager; gone after the test."""
    return channel_trade


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The same, as tests of all domains call it."""
    return channel


@pytest.fixture
def importer(
    app: Flask, login: Callable[[str], FlaskClient], run_outbox: Callable[..., None]
) -> Callable[[str], Importer]:
    """``importer("chief")``: that person's pages of files of leads."""
    return lambda who: Importer(login(who), run_outbox, "registrations")


@pytest.fixture
def showrooms(app: Flask) -> Showrooms:
    """The small trade with an office that files leads and two showrooms that get them."""
    return furnish(small())
