"""In a preview of a role every address may be looked at and none changes anything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.database import db
from app.engine.resource import resources
from app.engine.security import PREVIEW, actor_of
from models.identity import presets, previews, role_rules
from models.identity.rights import current_epoch
from models.identity.tables import Employee
from tests.generic.crawl import others, reads, writes
from tests.generic.test_effects import SERVICES, state
from tests.generic.world import SEES, World
from tests.plugins.databases import Restorer

WAYS_OUT = {"/preview/end", "/logout"}
DOWNLOADS = re.compile(r"/import/template$|/problems$|/file$|\.xlsx$")


def begin(world: World, client: Any, rights: role_rules.Rights | None = None) -> None:
    """Preview the manager's role, or those rights in its name, as the administrator."""
    session = db.session()
    person = session.scalars(select(Employee.id).where(Employee.username == "admin")).one()
    actor = actor_of(session, person, current_epoch(session))
    assert actor is not None
    role = presets.preset_role(session, actor.dealer_id, "manager")
    rights = rights or role_rules.rights_of(session, role.id)
    kept = previews.begin(session, actor, "店长", rights, role)
    with client.session_transaction() as cookie:
        cookie[PREVIEW] = kept


@pytest.mark.sqlite_only
def test_nothing_is_written(app: Flask, world: World, clients: Any, restorer: Restorer) -> None:
    client = clients("admin")
    begin(world, client)
    before = state(restorer)
    restorer.touched.clear()
    passed = []
    for method, path in writes(app, world):
        if path in WAYS_OUT or path in SERVICES:
            continue
        sent: dict[str, Any] = {"json": {"ids": [1]}} if path.startswith("/api/") else {"data": {"id": "1"}}
        answer = client.open(path, method=method, **sent)
        if answer.status_code != 403 or "预览" not in answer.get_data(as_text=True):
            passed.append((method, path, answer.status_code))
    assert passed == []
    assert restorer.touched == set()
    assert state(restorer) == before


@pytest.mark.sqlite_only
def test_looking_breaks_nothing_and_changes_nothing(
    app: Flask, world: World, clients: Any, restorer: Restorer
) -> None:
    client = clients("admin")
    begin(world, client)
    before = state(restorer)
    paths = [*others(app), *(p for r in resources() for p in reads(app, r, world))]
    wrong = []
    for path in paths:
        answer = client.get(path)
        page = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
        if answer.status_code >= 500 or ("<main" in page and "正在以“店长”预览" not in page):
            wrong.append((path, answer.status_code))
        if DOWNLOADS.search(path.partition("?")[0]) and answer.status_code == 200:
            wrong.append((path, answer.status_code))
    assert wrong == []
    assert state(restorer) == before


@pytest.mark.sqlite_only
def test_a_preview_shows_no_record_that_its_person_does_not_see(
    app: Flask, world: World, clients: Any
) -> None:
    """Somebody who holds a page but nothing of its rows sees none of them through a role that sees all."""
    session = db.session()
    whole = role_rules.Rights(
        frozenset(p.pair for p in role_rules.all_permissions()),
        frozenset((r.name, s) for r in resources() for s in role_rules.Scope),
    )
    narrow = actor_of(session, world.people[SEES], current_epoch(session))
    assert narrow is not None
    role = presets.preset_role(session, narrow.dealer_id, "manager")
    kept = previews.begin(session, narrow, "店长", whole, role)
    client = clients(SEES)
    own = {path: client.get(path).status_code for r in resources() for path in _records(world, r.name)}
    with client.session_transaction() as cookie:
        cookie[PREVIEW] = kept
    more = [p for p, status in own.items() if status != 200 and client.get(p).status_code == 200]
    assert own and more == []


def _records(world: World, name: str) -> list[str]:
    return [f"/{of}/{pk}" for (of, _), pk in world.records.items() if of == name]
