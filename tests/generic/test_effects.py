"""Reading changes nothing, and nothing changes without the form's token."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.imports.tables import ImportRun
from app.engine.resource import Resource, resources
from models.notifications.tables import Notification
from tests.generic.crawl import listings, others, reads, single, writes
from tests.generic.world import HERE, OWN, SEES, World
from tests.plugins.databases import Restorer

ALL = [pytest.param(r, id=r.name) for r in resources()]
SERVICES = ("/api/v1/security/login", "/api/v1/security/refresh")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def state(restorer: Restorer) -> dict[str, list[str]]:
    """All rows of all tables."""
    return {
        name: sorted(
            repr(tuple(row)) for row in db.session.execute(text(f'SELECT {", ".join(c)} FROM "{name}"'))
        )
        for name, c in restorer.columns.items()
    }


@pytest.mark.sqlite_only
@pytest.mark.parametrize("person", ["admin", SEES])
def test_get_changes_nothing(app: Flask, world: World, clients: Any, restorer: Restorer, person: str) -> None:
    client = clients(person)
    before = state(restorer)
    restorer.touched.clear()
    paths = others(app)
    for resource in resources():
        paths += reads(app, resource, world) if person == SEES else listings(resource)
    broken = [p for p in paths if client.get(p).status_code >= 500]
    assert broken == []
    assert restorer.touched == set()
    assert state(restorer) == before


LEFT_READ = "/notifications/<int(max=2147483647):pk>"


@pytest.mark.sqlite_only
def test_get_of_ones_own_things_changes_nothing_but_the_mark_of_a_message(
    app: Flask, world: World, clients: Any, restorer: Restorer, run_outbox: Any
) -> None:
    """The pages about one record that is no resource's: messages, announcements, imports, changes of the
    configuration, views of lists, dashboards, sheets of paper. Opening a
    message is the declared exception, of the reader's own row and of nothing else in it."""
    client, session = clients(SEES), db.session()
    message = select(Notification.id).where(Notification.user_id == world.people[SEES])
    change = select(AuditEntry.id).where(
        AuditEntry.resource == "tags", AuditEntry.record_id == world.records["tags", HERE]
    )
    data = {"file": (io.BytesIO("客户姓名,手机号码\n甲,18900000001\n乙,1".encode()), "a.csv")}
    client.post("/customers/import", data=data, content_type="multipart/form-data")
    run_outbox()
    own = {
        "notifications": session.scalar(message), "notices": world.records["announcements", HERE],
        "imports": session.scalar(select(ImportRun.id)), "configuration": session.scalar(change),
        "list_views": world.records["saved_views", HERE], "print": world.records["customers", HERE],
    }  # fmt: skip
    session.execute(update(Notification).values(read_at=None))
    session.commit()
    before = state(restorer)
    paths = single(app, own)
    assert {rule.split("/")[1] for rule in paths} == {*own, "dashboards"}
    for rule, path in paths.items():
        restorer.touched.clear()
        assert client.get(path).status_code in (200, 302), path
        assert restorer.touched == ({"notifications"} if rule == LEFT_READ else set()), path
    after = state(restorer)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"notifications"}
    marked = select(Notification.id).where(Notification.read_at.is_not(None))
    assert session.scalars(marked).all() == [own["notifications"]]
    session.execute(update(Notification).values(read_at=None))
    session.commit()
    assert state(restorer) == before


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", {}), ("GET", {"Sec-Fetch-Dest": "image"}), ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Sec-Fetch-Dest": "iframe"}),
    ],
)  # fmt: skip
def test_a_message_is_not_read_by_what_nobody_looks_at(
    app: Flask, world: World, clients: Any, method: str, head: dict[str, str]
) -> None:
    client = clients(SEES)
    message = db.session.scalar(select(Notification.id).where(Notification.user_id == world.people[SEES]))
    db.session.execute(update(Notification).values(read_at=None))
    db.session.commit()
    assert client.open(f"/notifications/{message}", method=method, headers=head).status_code in (200, 302)
    read = select(Notification.id).where(Notification.read_at.is_not(None))
    assert db.session.scalars(read).all() == []
    client.get(f"/notifications/{message}", headers={"Sec-Fetch-Dest": "document"})
    assert db.session.scalars(read).all() == [message]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("person", ["admin", OWN])
def test_every_change_needs_the_token(
    app: Flask, world: World, clients: Any, restorer: Restorer, csrf: None, person: str
) -> None:
    client = clients(person)
    before = state(restorer)
    for method, path in writes(app, world):
        if path in SERVICES:
            continue
        answer = client.open(path, method=method, data={"id": "1", "name": "甲", "csrf_token": "wrong"})
        assert answer.status_code == 400, (method, path)
        assert re.search("[一-鿿]", answer.get_data(as_text=True)), (method, path)
        if path.startswith("/api/"):
            assert client.open(path, method=method, json={"ids": [1]}).status_code == 400, (method, path)
    assert state(restorer) == before


def test_words_for_a_wrong_token(app: Flask, clients: Any, csrf: None) -> None:
    said = clients(SEES).post("/customers/new", data={"name": "甲"}).get_data(as_text=True)
    assert "页面已过期" in said


def test_with_the_token_it_works(app: Flask, clients: Any, csrf: None) -> None:
    client = clients(SEES)
    token = _TOKEN.search(client.get("/tags/new").get_data(as_text=True))
    assert token is not None
    answer = client.post("/tags/new", data={"name": "带令牌", "tone": "a", "csrf_token": token.group(1)})
    assert answer.status_code == 302


def test_token_of_the_api_needs_no_form_token(app: Flask, client: Any, csrf: None) -> None:
    from tests.generic.world import PASSWORD

    login = client.post("/api/v1/security/login", json={"username": SEES, "password": PASSWORD})
    head = {"Authorization": f"Bearer {login.get_json()['access_token']}"}
    made = client.post("/api/v1/tags", json={"name": "接口标签", "tone": "a"}, headers=head)
    assert made.status_code == 201, made.get_json()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", ALL)
def test_nobody_gets_in_without_signing_in(
    app: Flask, world: World, client: Any, resource: type[Resource]
) -> None:
    for path in reads(app, resource, world):
        answer = client.get(path)
        if path.startswith("/api/"):
            assert answer.status_code == 401, path
        else:
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/login"), path


@pytest.mark.sqlite_only
def test_nobody_changes_anything_without_signing_in(
    app: Flask, world: World, client: Any, restorer: Restorer
) -> None:
    before = state(restorer)
    for method, path in writes(app, world):
        if path in SERVICES or path.startswith(("/login", "/logout")):
            continue
        answer = client.open(path, method=method, data={"id": "1", "name": "甲"})
        assert answer.status_code in (302, 401), (method, path)
        assert "/login" in answer.headers.get("Location", "/login")
    assert state(restorer) == before


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", ALL)
def test_person_without_rights_is_refused_in_words(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    from tests.generic.world import NOBODY

    client = clients(NOBODY)
    for path in reads(app, resource, world):
        answer = client.get(path)
        assert answer.status_code in (403, 404), path
        assert re.search("无权限|不存在", answer.get_data(as_text=True)), path
    for method, path in writes(app, world):
        if path.startswith((f"/{resource.name}/", f"/api/v1/{resource.name}")):
            sent: dict[str, Any] = (
                {"json": {"ids": [1]}} if path.startswith("/api/") else {"data": {"id": "1"}}
            )
            assert client.open(path, method=method, **sent).status_code in (400, 403, 404), (method, path)
