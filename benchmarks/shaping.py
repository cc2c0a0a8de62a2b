"""What a request spends on looking its configuration up: fields, views, menu, dashboards, dictionaries, parameters.

Runs in a process of its own per database (``python -m benchmarks.shaping URL``) and prints JSON. A trade's preset
is applied inside a transaction that is rolled back, so that there is something to look up and the data stay.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

from flask import g
from sqlalchemy import event

import config
from app.engine import savedviews
from app.engine.actions import Act
from app.engine.choices import dictionary
from app.engine.configured import difference, files
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.faces import faced
from app.engine.resource import resource
from app.engine.scopes import Actor
from app.setup import actor_of
from benchmarks.databases import environment
from benchmarks.product import make_product
from benchmarks.report import Row
from models.settings.queries import parameter
from models.shaping import dashboard_queries, menus
from models.shaping.presets import presets

MILLISECONDS = 0.3
ROUNDS = 2000


def rows(url: str) -> list[Row]:
    """The lines of the table."""
    command = [sys.executable, "-m", "benchmarks.shaping", url]
    done = subprocess.run(command, env=environment(url), cwd=config.ROOT, check=True, capture_output=True)
    figure: dict[str, Any] = json.loads(done.stdout)
    cpu, asked = figure["cpu"], figure["queries"]
    return [
        Row("一次请求查找配置（字段、视图、菜单、看板、字典、参数）", f"{cpu:.3f} ms，{asked} 条查询", "",
            f"≤ {MILLISECONDS:g} ms，0 条", cpu <= MILLISECONDS and not asked)
    ]  # fmt: skip


class _GivenUp(Exception):
    """The end of the measurement: nothing of it stays."""


def measure() -> dict[str, Any]:
    """Milliseconds of CPU and statements of one round of lookups, with the configuration of a trade in place."""
    session = db.session()
    actor = actor_of("admin")
    seen: list[str] = []
    found: dict[str, Any] = {}
    try:
        with deed(Act(actor, utcnow(), session, "job", "bench")):
            file = files.read(presets()[0].text, actor)
            difference.carry_out(session, difference.plan(session, file, actor, actor.dealer_id), actor)
            session.flush()
            _look_up(actor)
            event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
            taken = []
            for _ in range(ROUNDS):
                before = time.process_time_ns()
                _look_up(actor)
                taken.append(time.process_time_ns() - before)
            found = {"cpu": statistics.median(taken) / 1e6, "queries": len(seen) // ROUNDS}
            raise _GivenUp
    except _GivenUp:
        session.rollback()
    return found


def _look_up(actor: Actor) -> None:
    """What a list's page asks of the configuration."""
    session, customers = db.session(), resource("customers")
    face = faced(customers, actor.dealer_id)
    savedviews.views_for(face, actor)
    menus.snapshot(session).layout(actor.dealer_id)
    dashboard_queries.in_menu(session, actor)
    for name in ("customer.level", "customer.source", "customer.source_category"):
        dictionary(name, actor.dealer_id)
    parameter(session, "number.customer.digits", actor.dealer_id)


if __name__ == "__main__":
    with make_product().test_request_context("/"):
        g.own_version = 1
        print(json.dumps(measure()))
