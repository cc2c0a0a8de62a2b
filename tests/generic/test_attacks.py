"""What somebody writes by hand: columns no form asks for, ways back to elsewhere, addresses in disguise."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.engine.database import db
from app.engine.faces import faced
from app.engine.forms import editable
from app.engine.resource import Resource, resources
from models.shaping.custom_fields import Place
from tests.generic.test_forms import FORMS, HAND_WRITTEN, fresh, good, person_for, typed
from tests.generic.world import AWAY, FOREIGN, HERE, SEES, THERE, World, declared

EDITED = [pytest.param(r, id=r.name) for r in resources() if r.groups(True) and r.name not in HAND_WRITTEN]


def smuggled(resource: type[Resource], world: World, *, editing: bool) -> dict[str, Any]:
    """Values for every column that the form does not ask for."""
    asked = {s.name for s in editable(faced(resource, world.dealers[HERE]), editing=editing)}
    values: dict[str, Any] = {"id": 99, "version": 0, "password": "x", "email": "x@example.com", "system": 1}
    for spec in declared(resource.model):
        if spec.name in asked:
            continue
        if spec.name == "dealer_id":
            values[spec.name] = world.dealers[AWAY]
        elif spec.name == "store_id":
            values[spec.name] = world.stores[AWAY]
        elif spec.target is not None:
            values[spec.name] = world.people[FOREIGN]
        elif spec.choices is not None:
            values[spec.name] = list(spec.choices)[-1].value
        elif spec.kind in ("money", "integer"):
            values[spec.name] = 4242
        elif spec.kind in ("datetime", "date"):
            values[spec.name] = "2001-01-01"
        elif spec.kind == "phone":
            values[spec.name] = "13900009999"
        elif spec.kind in ("text", "textarea"):
            values[spec.name] = "走私"
    return values


def row(resource: type[Resource], pk: int) -> dict[str, Any]:
    """The stored columns of one record."""
    found = db.session.execute(
        text(f'SELECT * FROM "{resource.model.__tablename__}" WHERE id = :id'), {"id": pk}
    )
    return dict(found.mappings().one())


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", EDITED)
def test_editing_sets_nothing_the_form_does_not_ask_for(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client, pk = clients(person_for(resource)), world.id(resource, HERE)
    assert pk is not None
    page = client.get(f"/{resource.name}/{pk}/edit").get_data(as_text=True)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    before = row(resource, pk)
    extra = smuggled(resource, world, editing=True) | {"version": version.group(1)}
    client.post(f"/{resource.name}/{pk}/edit", data={**good(resource, world, editing=True), **extra})
    if resource.api:
        sent = {**extra, "version": int(version.group(1))}
        assert client.patch(f"/api/v1/{resource.name}/{pk}", json=sent).status_code in (400, 409)
    after = row(resource, pk)
    asked = {s.name for s in editable(faced(resource, world.dealers[HERE]), editing=True)}
    derived = {
        "version",
        "updated_at",
        "last_name",
        "address",
        "address_key",
        "sent_for",
        "store_id" if resource.name == "employees" else "",
        *(
            f"in_{place.value}" for place in Place if resource.name == "custom_fields"
        ),  # of the places it asks for
    }
    changed = {name for name in before if before[name] != after[name]} - asked - derived
    assert changed == set()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", FORMS)
def test_creating_sets_nothing_the_form_does_not_ask_for(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client = clients(person_for(resource))
    extra = smuggled(resource, world, editing=False)
    data = {**extra, **good(resource, world, number=93), **fresh(resource, world)}
    made = client.post(f"/{resource.name}/new", data=data)
    assert made.status_code == 302
    newest = db.session.scalar(text(f'SELECT max(id) FROM "{resource.model.__tablename__}"'))
    stored = row(resource, newest)
    for name, value in extra.items():
        if name in stored and name not in ("version", "active") and value not in (None, ""):
            same = stored[name] == value or str(stored[name]).startswith(
                str(value) if isinstance(value, str) else "\0"
            )
            own = name == "dealer_id" and resource.name == "dealers"
            assert not same or own, (name, value)


BACKS = [
    "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "javascript:alert(1)",
    "\\\\evil.example", "/\n/evil.example",
]  # fmt: skip


@pytest.mark.sqlite_only
@pytest.mark.parametrize("back", BACKS)
def test_the_way_back_stays_in_the_product(app: Flask, world: World, clients: Any, back: str) -> None:
    client, pk = clients(SEES), world.records["customers", HERE]
    done = client.post("/customers/action/write_follow_up", data={"id": pk, "text": "好", "back": back})
    assert done.status_code == 302
    assert done.headers["Location"].startswith("/customers")
    wrong = client.post("/customers/action/write_follow_up", data={"id": pk, "text": "", "back": back})
    assert wrong.status_code == 400
    assert "evil.example" not in wrong.get_data(as_text=True)
    assert "javascript:" not in wrong.get_data(as_text=True)
    chosen = client.post("/customers/columns", data={"column": "name", "back": back})
    assert chosen.headers["Location"].startswith("/customers")
    asked = client.get(
        f"/customers/action/write_follow_up?id={pk}", headers={"Referer": back.replace("\n", "")}
    )
    assert "evil.example" not in asked.get_data(as_text=True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("path", ["/back", "/lang/zh", "/lang/en", "/lang/..%2f..", "/api/v1/menu/"])
def test_left_over_addresses_of_the_framework_are_harmless(app: Flask, clients: Any, path: str) -> None:
    answer = clients(SEES).get(path, headers={"Referer": "https://evil.example/"})
    assert answer.status_code < 500
    assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "path",
    ["/static/../config.py", "/static/%2e%2e/config.py", "/static//etc/passwd", "/static/..%5cconfig.py"],
)
def test_files_outside_are_not_served(app: Flask, client: Any, path: str) -> None:
    assert client.get(path).status_code in (308, 400, 404)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_get_stays_a_get(app: Flask, world: World, clients: Any, header: str) -> None:
    pk = world.records["tags", HERE]
    clients(SEES).get(f"/tags/{pk}/delete", headers={header: "POST"})
    clients(SEES).get(f"/api/v1/tags/{pk}?_method=DELETE", headers={header: "DELETE"})
    assert db.session.scalar(text("SELECT count(*) FROM tags WHERE id = :id"), {"id": pk}) == 1


@pytest.mark.sqlite_only
def test_forged_identities_are_nobody(app: Flask, world: World, client: Any) -> None:
    """Neither a cookie nor a token made by somebody else opens anything."""
    import jwt

    name = app.config["SESSION_COOKIE_NAME"]
    client.set_cookie(name, "eyJfdXNlcl9pZCI6IjEtMSJ9.aaaaaa.forgedforgedforged")
    assert client.get("/customers/").status_code == 302
    for key, algorithm in (("guessed" * 6, "HS256"), ("", "none")):
        token = jwt.encode(
            {"sub": "1", "type": "access", "fresh": True, "sv": 1, "jti": "x"}, key, algorithm=algorithm
        )
        answer = client.get("/api/v1/customers", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, algorithm


@pytest.mark.sqlite_only
def test_refresh_token_opens_nothing_but_a_new_token(app: Flask, client: Any) -> None:
    from tests.generic.world import PASSWORD

    tokens = client.post("/api/v1/security/login", json={"username": SEES, "password": PASSWORD}).get_json()
    head = {"Authorization": f"Bearer {tokens['refresh_token']}"}
    assert client.get("/api/v1/customers", headers=head).status_code == 401
    assert client.post("/api/v1/security/refresh", headers=head).status_code == 200
    other = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.post("/api/v1/security/refresh", headers=other).status_code == 401


@pytest.mark.sqlite_only
@pytest.mark.spec("A-70")
def test_people_of_a_dealer_cannot_raise_themselves(app: Flask, world: World, clients: Any) -> None:
    """No role, scope or permission beyond what the group lets a dealer hand out."""
    client, pk = clients(SEES), world.records["roles", HERE]
    for data in ({"permission": "can_list@Dealers"}, {"scope.customers": "group"}):
        page = client.post(f"/roles/{pk}/edit", data={"label": "升级", "version": 1, "step": "save", **data})
        assert page.status_code in (302, 400, 409)
    sent = {"label": "升级", "grants": ["can_list@Dealers"], "scopes": ["customers:group"]}
    assert client.post("/api/v1/roles", json=sent).status_code == 400
    held = text("SELECT count(*) FROM role_scopes WHERE scope = 'group' AND role_id = :id")
    assert db.session.scalar(held, {"id": pk}) == 0
    group = db.session.scalar(text("SELECT id FROM ab_role WHERE name = 'group:group_admin'"))
    me = world.people[SEES]
    client.post(f"/employees/{me}/edit", data={"name": "甲", "roles": [pk, group], "version": 1})
    mine = text("SELECT count(*) FROM ab_user_role WHERE user_id = :me AND role_id = :role")
    assert db.session.scalar(mine, {"me": me, "role": group}) == 0
    assert client.get(f"/customers/{world.records['customers', AWAY]}").status_code == 404


@pytest.mark.sqlite_only
def test_an_action_of_another_resource_takes_no_records_of_this_one(
    app: Flask, world: World, clients: Any
) -> None:
    """The address names the resource; a customer's id is nothing in the list of contacts."""
    client = clients(SEES)
    for name in ("invalidate", "reassign", "view_settlement_price"):
        assert (
            client.post(
                f"/contacts/action/{name}", data={"id": world.records["customers", THERE]}
            ).status_code
            == 404
        )


SINGLE = [pytest.param(r, a, id=f"{r.name}.{a.name}") for r in resources() for a in r.actions if not a.batch]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("resource", "action"), SINGLE)
def test_an_action_for_one_record_takes_one(
    app: Flask, world: World, clients: Any, resource: type[Resource], action: Any
) -> None:
    ids = [world.id(resource, HERE), world.id(resource, THERE)]
    data = {"id": ids} | {s.name: typed(s, world) for s in action.fields}
    page = clients(SEES).post(f"/{resource.name}/action/{action.name}", data=data, follow_redirects=True)
    assert "此操作一次只能处理一条记录" in page.get_data(as_text=True)
    sent = {"ids": ids, **{s.name: typed(s, world) for s in action.fields}}
    assert clients(SEES).post(f"/api/v1/{resource.name}/actions/{action.name}", json=sent).status_code == 400
