"""Views cost a list nothing: they are read once per state of the rights and of the own views."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.customers.world import World
from tests.generic.test_queries import counted
from tests.plugins.people import Login
from tests.shaping.views import body, kept, make, share


@pytest.mark.sqlite_only
def test_no_further_statement(app: Flask, world: World, login: Login) -> None:
    app.config["COUNT_TTL"] = 0
    world.customer(name="甲女士", level="A")
    client = login("seller")
    body(client, "/customers/?level=A")
    with counted() as without:
        body(client, "/customers/?level=A")
    boss = login("boss")
    make(client, "我的", level="A")
    make(boss, "共享", level="A")
    share(boss, kept("共享"))
    body(client, "/customers/")
    for name in ("我的", "共享"):
        with counted() as seen:
            body(client, f"/customers/?saved_view={kept(name).id}")
        assert len(seen) <= len(without), seen
