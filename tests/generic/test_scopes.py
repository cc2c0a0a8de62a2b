"""Scope × entrance: records outside a person's rows are in none of the ways in or out (A-70)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.engine.database import db
from app.engine.resource import Resource, fields_of, resources
from app.engine.scopes import SYSTEM, Scope, offered
from tests.generic.crawl import listings
from tests.generic.world import AWAY, FOREIGN, HERE, OWN, SEES, STORE, THERE, World, fields, opening

ALL = [pytest.param(r, id=r.name) for r in resources()]
STRANGERS = {
    "other-dealer": (SEES, AWAY),
    "from-other-dealer": (FOREIGN, HERE),
    "own-rows": (OWN, HERE),
    "other-store": (STORE, HERE),
}


def hidden_from(resource: type[Resource], person: str) -> bool:
    """Whether the declaration hides this record from that person: open lists show the whole dealer, and the
    log of deeds has no narrower rows than the dealer's."""
    if person in (SEES, FOREIGN):
        return resource.name != "dealers"
    return not resource.scopes.open and resource.name != "dealers"


BORDERS = [
    pytest.param(
        r,
        person,
        place,
        id=f"{r.name}-{name}",
        marks=pytest.mark.sqlite_only if name in ("from-other-dealer", "other-store") else (),
    )
    for r in resources()
    for name, (person, place) in STRANGERS.items()
    if hidden_from(r, person)
]


def count(table: str) -> int:
    """Rows of a table."""
    return db.session.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("resource", "person", "place"), BORDERS)
def test_record_outside_is_not_there(
    app: Flask, world: World, clients: Any, resource: type[Resource], person: str, place: str
) -> None:
    client, pk = clients(person), world.id(resource, place)
    for path in (f"/{resource.name}/{pk}", f"/{resource.name}/{pk}/panel", f"/{resource.name}/{pk}/history"):
        assert client.get(path).status_code == 404, path
    edit = client.get(f"/{resource.name}/{pk}/edit")
    assert edit.status_code in (403, 404)
    assert client.post(f"/{resource.name}/{pk}/edit", data={"name": "越界", "version": 1}).status_code in (
        403,
        404,
    )
    assert client.post(f"/{resource.name}/{pk}/delete").status_code in (403, 404)
    for action in resource.actions:
        path = f"/{resource.name}/action/{action.name}"
        assert client.get(f"{path}?id={pk}").status_code in (403, 404), path
        assert client.post(path, data={"id": pk}).status_code in (403, 404), path
    if resource.api:
        path = f"/api/v1/{resource.name}/{pk}"
        assert client.get(path).status_code == 404
        assert client.patch(path, json={"name": "越界", "version": 1}).status_code in (403, 404)
        assert client.delete(path).status_code in (403, 404)
        for action in resource.actions:
            answer = client.post(f"/api/v1/{resource.name}/actions/{action.name}", json={"ids": [pk]})
            assert answer.status_code in (400, 403, 404), action.name
            assert str(answer.get_json()).find("'ok': True") < 0


@pytest.mark.spec("A-70")
@pytest.mark.parametrize("resource", ALL)
def test_own_record_is_there(app: Flask, world: World, clients: Any, resource: type[Resource]) -> None:
    """The control: in every place somebody reaches the record that others must not."""
    if resource.name == "dealers":
        assert clients("admin").get(f"/dealers/{world.id(resource, AWAY)}").status_code == 200
        return
    for person, place in ((SEES, HERE), (SEES, THERE), (FOREIGN, AWAY)):
        path = f"/{resource.name}/{world.id(resource, place)}"
        assert clients(person).get(path, follow_redirects=True).status_code == 200, place
    known = offered(resource)
    if known & {Scope.MINE, Scope.OWNED}:
        assert clients(OWN).get(f"/{resource.name}/{world.id(resource, THERE)}").status_code == 200
    if Scope.STORE in known and resource.name != "employees":
        assert clients(STORE).get(f"/{resource.name}/{world.id(resource, THERE)}").status_code == 200


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("resource", "person", "place"), BORDERS)
def test_record_outside_is_on_no_list(
    app: Flask, world: World, clients: Any, resource: type[Resource], person: str, place: str
) -> None:
    """Lists under every scope and view, charts, pickers and the API name no record from outside."""
    client, pk = clients(person), world.id(resource, place)
    for path in listings(resource):
        answer = client.get(path)
        body = answer.get_data(as_text=True)
        assert f'/{resource.name}/{pk}"' not in body, path
        if path.startswith("/api/") and answer.status_code == 200:
            sent = answer.get_json()["result"]
            ids = [r["id"] for r in sent] if isinstance(sent, list) else [sent["id"]]
            assert pk not in ids, path


REFERENCES = [
    pytest.param(r, s, id=f"{r.name}.{s.name}")
    for r in resources()
    for s in fields(r)
    if s.target is not None
]


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("resource", "spec"), REFERENCES)
def test_pickers_offer_nothing_from_outside(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: Any
) -> None:
    from app.engine.resource import resource_of

    target = resource_of(spec.target)
    foreign = str(world.id(target, AWAY))
    for query in ("", "?q=0", "?q=部门", "?q=员工"):
        answer = clients(SEES).get(f"/{resource.name}/pick/{spec.name}{query}")
        assert answer.status_code in (200, 403, 404), query
        if answer.status_code == 200:
            assert foreign not in [r["value"] for r in answer.get_json()["results"]]


FORM_REFERENCES = [
    pytest.param(r, s, id=f"{r.name}.{s.name}")
    for r in resources()
    for s in fields_of(r.form)
    if s.target is not None and not (s.fixed is not None and s.fixed(SYSTEM, None))
]


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("resource", "spec"), FORM_REFERENCES)
def test_foreign_record_is_refused_as_a_value(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: Any
) -> None:
    """An id from outside, written into a form or a call by hand."""
    from app.engine.resource import resource_of

    target = resource_of(spec.target)
    foreign = world.id(target, AWAY)
    client, before = clients(SEES), count(resource.model.__tablename__)
    page = client.post(f"/{resource.name}/new", data={spec.name: str(foreign)} | opening(spec))
    assert page.status_code in (400, 403)
    if page.status_code == 400 and resource.name != "roles":
        assert "请从列表中选择" in page.get_data(as_text=True)
    if resource.api:
        sent = {spec.name: [foreign] if spec.multiple else foreign}
        answer = client.post(f"/api/v1/{resource.name}", json=sent | opening(spec))
        assert answer.status_code in (400, 403)
        if answer.status_code == 400:
            assert spec.name in answer.get_json()["errors"]
    assert count(resource.model.__tablename__) == before


@pytest.mark.spec("A-56", "A-70")
def test_batch_with_a_foreign_id_does_the_own_and_refuses_the_other(
    app: Flask, world: World, clients: Any
) -> None:
    mine, foreign = world.records["customers", HERE], world.records["customers", AWAY]
    data = {"id": [mine, foreign], "designer": world.people[OWN]}
    page = clients(SEES).post("/customers/action/change_designer", data=data)
    assert page.status_code == 200
    said = page.get_data(as_text=True)
    assert "记录不存在或无权限查看" in said
    rows = dict(db.session.execute(text("SELECT id, designer_id FROM customers")).all())
    assert rows[mine] == world.people[OWN]
    assert rows[foreign] == world.people[FOREIGN]


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(
    ("person", "reached"),
    [
        pytest.param(SEES, (HERE, THERE), id="dealer"),
        pytest.param(STORE, (THERE,), id="store"),
        pytest.param(OWN, (THERE,), id="own"),
        pytest.param(FOREIGN, (AWAY,), id="other-dealer"),
    ],
)
def test_all_matching_means_all_i_may_see(
    app: Flask, world: World, clients: Any, person: str, reached: tuple[str, ...]
) -> None:
    """全选 of a list takes the rows of the person's scope, not the table."""
    answer = clients(person).post(
        "/customers/action/write_follow_up", data={"all": "1", "window": "all", "text": "群发"}
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)
    told = text("SELECT customer_id FROM follow_ups WHERE text = '群发'")
    assert set(db.session.scalars(told)) == {world.records["customers", p] for p in reached}


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("person", "place"), STRANGERS.values(), ids=STRANGERS)
def test_search_of_the_top_bar_stays_inside(
    app: Flask, world: World, clients: Any, person: str, place: str
) -> None:
    client = clients(person)
    phone = world.secrets["customers", "phone", place]
    for typed in (phone, world.secrets["customers", "phones", place], "客户姓名", "员工"):
        page = client.get(f"/search?q={typed}")
        assert page.status_code == 200, typed
        for resource in resources():
            if hidden_from(resource, person):
                assert f'/{resource.name}/{world.id(resource, place)}"' not in page.get_data(as_text=True), (
                    typed
                )


SHARED = [pytest.param(r, id=r.name) for r in resources() if r.scopes.shared and r.detail]


@pytest.mark.spec("A-70")
@pytest.mark.parametrize("resource", SHARED)
def test_preset_of_the_group_shows_nobody_elses_children(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    """Everybody sees the group's presets; the rows that point to them stay with their dealers."""
    table, pk = resource.model.__tablename__, world.id(resource, AWAY)
    for key in (i for i in resource.model.__table__.indexes if str(i.name).endswith("_for_all")):
        same = " AND ".join(
            f'"{c.name}" = (SELECT "{c.name}" FROM "{table}" WHERE id = :id)' for c in key.columns
        )
        db.session.execute(text(f'DELETE FROM "{table}" WHERE dealer_id IS NULL AND {same}'), {"id": pk})
    somebody = "(SELECT id FROM ab_user WHERE username = 'admin')"
    of_group = {"store_id": "NULL", "owner_id": somebody, "author_id": somebody}
    nowhere = "".join(f", {c} = {v}" for c, v in of_group.items() if c in resource.model.__table__.c)
    db.session.execute(text(f'UPDATE "{table}" SET dealer_id = NULL{nowhere} WHERE id = :id'), {"id": pk})
    db.session.commit()
    for path in ("", "/panel", "/edit", "/history"):
        page = clients(SEES).get(f"/{resource.name}/{pk}{path}")
        body = page.get_data(as_text=True)
        for child in resources():
            if child is not resource and child.scopes.dealer is not None and not child.scopes.shared:
                assert f'/{child.name}/{world.id(child, AWAY)}"' not in body, (path, child.name)


ACTION_FIELDS = [
    pytest.param(r, a, s, id=f"{r.name}.{a.name}.{s.name}")
    for r in resources()
    for a in r.actions
    for s in a.fields
    if s.target is not None
]


@pytest.mark.spec("A-70")
@pytest.mark.parametrize(("resource", "action", "spec"), ACTION_FIELDS)
def test_actions_take_no_foreign_record(
    app: Flask, world: World, clients: Any, resource: type[Resource], action: Any, spec: Any
) -> None:
    """Neither is it offered in the action's picker, nor taken from a form or a call written by hand."""
    from app.engine.resource import resource_of

    client, pk = clients(SEES), world.id(resource, HERE)
    foreign = world.id(resource_of(spec.target), AWAY)
    base = f"/{resource.name}/action/{action.name}"
    offered_ones = client.get(f"{base}/pick/{spec.name}").get_json()["results"]
    assert str(foreign) not in [r["value"] for r in offered_ones]
    page = client.post(base, data={"id": pk, spec.name: foreign})
    assert page.status_code == 400
    assert "请从列表中选择" in page.get_data(as_text=True)
    sent = {"ids": [pk], spec.name: [foreign] if spec.multiple else foreign}
    called = client.post(f"/api/v1/{resource.name}/actions/{action.name}", json=sent)
    assert called.status_code == 400
    assert spec.name in called.get_json()["errors"]
