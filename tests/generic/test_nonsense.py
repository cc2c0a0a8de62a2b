"""Nonsense in an address gets a page, a sentence or a 404, never an error of ours."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from flask import Flask

from app.engine.resource import Resource, resources
from tests.generic.crawl import filters_of
from tests.generic.world import HERE, SEES, World, fields

ALL = [pytest.param(r, id=r.name) for r in resources() if r.columns]
HUGE = "9" * 30


def cursor(*parts: Any) -> str:
    """A cursor somebody made by hand."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


GENERAL = [
    "sort=nonsense", "sort=-id;drop", "sort=__class__", "page=1000000000", "page=-1", "page=0", "page=abc",
    "page=１２", f"page={HUGE}", "per_page=1000000", "per_page=-5", "per_page=x", "scope=nonsense",
    "scope=group", "view=nonsense", "after=!!!", "after=AAAA", "before=%00", "after=" + "x" * 5000,
    "q=" + "长" * 5000, "q=%00", "q=%27%22%3C%3E%25_", "q=🙂", "q=１３８００１３８０００", "q=" + HUGE, "window=nonsense",
    "include=nonsense", "last=nonsense", "after=1&before=2&last=1", "fields=nonsense", "unknown=1",
    *(f"after={cursor(*c)}" for c in (
        (None, 1), ("x", 1), (1, 1), ("2026-01-01", 1), ("2026-01-01T00:00:00+08:00", 1), (HUGE, 1), ("1", int(HUGE)),
        ("2147483648", 1), (-2147483649, 1), ("1e12", 1), ("1e500", 1),
        (1.5, 1), ([], 1), ({}, 1), (True, 1), ("NaN", 1), ("a\0b", 1), ("\ud800", 1), (1, -1), (1, "1"), (),
    )),
]  # fmt: skip
VALUES = (
    "nonsense",
    "",
    "-",
    "0",
    "-1",
    HUGE,
    "%00",
    "2026-13-45",
    "2026-01-01",
    "１",
    "<b>",
    "🙂",
    "NaN",
    "Infinity",
)


def check(client: Any, path: str) -> None:
    """Pages forgive, the API says what was wrong; both in Chinese."""
    page = client.get(path)
    assert page.status_code in (200, 302, 400, 403, 404), (path[:200], page.status_code)
    if page.status_code != 302:
        assert re.search("[一-鿿]", page.get_data(as_text=True)) or path.startswith("/api/"), path[:200]


@pytest.mark.parametrize("resource", ALL)
def test_nonsense_in_a_lists_address(app: Flask, clients: Any, resource: type[Resource]) -> None:
    client = clients(SEES if resource.name != "dealers" else "admin")
    for query in GENERAL:
        check(client, f"/{resource.name}/?{query}")
        if resource.api and query.startswith(("after=", "sort=", "per_page=")):
            check(client, f"/api/v1/{resource.name}?{query}")
    assert client.get(f"/{resource.name}/charts?{GENERAL[0]}").status_code in (200, 403, 404)


@pytest.mark.parametrize("resource", ALL)
def test_nonsense_in_filters(app: Flask, clients: Any, resource: type[Resource]) -> None:
    client = clients(SEES if resource.name != "dealers" else "admin")
    specs = filters_of(resource)
    names = [n for s in specs for n in (s.name, f"{s.name}.from", f"{s.name}.to")]
    for value in VALUES:
        query = "&".join(f"{name}={value}" for name in names)
        for base in (f"/{resource.name}/", f"/{resource.name}/charts"):
            check(client, f"{base}?{query}")
        if resource.api:
            check(client, f"/api/v1/{resource.name}?{query}")
    for spec in specs:
        check(client, f"/{resource.name}/?" + "&".join(f"{spec.name}={n}" for n in range(500)))
        check(client, f"/{resource.name}/?{spec.name}__text=甲&{spec.name}={HUGE}")


@pytest.mark.parametrize("resource", ALL)
def test_nonsense_in_paths(app: Flask, world: World, clients: Any, resource: type[Resource]) -> None:
    client, pk = clients(SEES), world.id(resource, HERE)
    for path in (
        f"{HUGE}", "2147483648", "99999999", "0", "-1", "abc", f"{HUGE}/edit", f"{HUGE}/panel", f"{HUGE}/history",
        "action/nonsense", "pick/nonsense", "check/nonsense", f"action/nonsense/pick/x?id={pk}", "pick/id",
        "pick/__class__", f"{pk}/nonsense",
    ):  # fmt: skip
        assert client.get(f"/{resource.name}/{path}").status_code in (403, 404), path
    for path in (f"{HUGE}/edit", f"{HUGE}/delete", "action/nonsense"):
        assert client.post(f"/{resource.name}/{path}", data={"id": HUGE}).status_code in (403, 404), path
    assert client.get(f"/{resource.name}/{pk}/history?before={HUGE}").status_code in (200, 403, 404)
    assert client.get(f"/{resource.name}/{pk}?kind={HUGE}").status_code in (200, 403, 404)
    for path in ("new?" + "&".join(f"{s.name}={HUGE}" for s in fields(resource)), "new?contact=x"):
        assert client.get(f"/{resource.name}/{path}").status_code in (200, 403, 404), path
    for action in resource.actions:
        for query in (f"id={HUGE}", "id=abc", "id=", "all=1&window=nonsense", "id=-1", "id=0"):
            status = client.get(f"/{resource.name}/action/{action.name}?{query}").status_code
            assert status in (200, 302, 400, 403, 404), (action.name, query)
            said = client.post(f"/{resource.name}/action/{action.name}", data={"id": HUGE, "version": HUGE})
            assert said.status_code in (302, 400, 403, 404), action.name


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", "1", '"x"', "{}", '{"ids": "x"}', '{"ids": [null]}', '{"ids": [99999999999]}',
             '{"version": "x"}', '{"name": {"a": 1}}', '{"name": "a\\u0000b"}', "{" * 2000, '{"\\ud800": "\\ud800"}'],
)  # fmt: skip
def test_nonsense_sent_to_the_api(app: Flask, world: World, clients: Any, body: str) -> None:
    client = clients(SEES)
    for resource in resources():
        pk = world.id(resource, HERE)
        calls = [("POST", f"/api/v1/{resource.name}"), ("PATCH", f"/api/v1/{resource.name}/{pk}")]
        calls += [("POST", f"/api/v1/{resource.name}/actions/{a.name}") for a in resource.actions[:2]]
        for method, path in calls:
            answer = client.open(path, method=method, data=body, content_type="application/json")
            assert answer.status_code in (200, 201, 400, 403, 404, 415), (method, path, answer.status_code)
            if answer.status_code >= 400:
                assert re.search("[一-鿿]", answer.get_json()["message"]), path


@pytest.mark.parametrize(
    "base", ["/dashboards/manager", "/customers/charts", "/tasks/charts", "/receipts/charts"]
)
def test_days_at_the_ends_of_the_calendar(app: Flask, clients: Any, base: str) -> None:
    client = clients(SEES)
    names = ["day", "created_at", "due_at", "at", "paid_on", "received_at"]
    for first, last in (("", "0001-01-01"), ("0001-01-01", ""), ("9999-12-31", ""), ("", "9999-12-31"),
                        ("0001-01-01", "9999-12-31"), ("9999-12-31", "0001-01-01")):  # fmt: skip
        query = "&".join(f"{n}.from={first}&{n}.to={last}" for n in names)
        check(client, f"{base}?{query}")


@pytest.mark.parametrize("odd", ["a%00b", "%C2%B2", "%ED%A0%80", "%FF%FE", "%F0%9F%98%80", "%E2%80%AE"])
def test_broken_text_outside_of_forms(app: Flask, world: World, clients: Any, client: Any, odd: str) -> None:
    """Tokens, names and words that no declared field reads: PostgreSQL takes no zero byte."""
    signed, pk, role = clients(SEES), world.records["customers", HERE], world.records["roles", HERE]
    for path in (
        f"/search?q={odd}", f"/customers/{pk}?kind={odd}", f"/customers/pick/owner_id?q={odd}",
        f"/customers/check/phone?value={odd}", f"/customers/new?name={odd}&contact={odd}&owner_id={odd}",
        f"/customers/action/reassign?id={pk}&owner={odd}", f"/roles/new?copy={odd}", f"/login?next=/{odd}",
        f"/customers/undo/{odd}", f"/customers/undo/{odd * 32}", f"/dashboards/{odd}", f"/customers/handover/{odd}",
        f"/api/v1/customers?q={odd}", f"/{odd}", f"/customers/pick/{odd}", f"/customers/action/{odd}",
    ):  # fmt: skip
        assert signed.get(path).status_code < 500, path
    form = "application/x-www-form-urlencoded"
    for path, body in (
        ("/login", f"username={odd}&password={odd}&next=/{odd}&_replay={odd}"),
        ("/customers/new", f"name=x&phone=13700001234&_once={odd}&_answer={odd}"),
        (f"/customers/{pk}/edit", f"name=x&phone=13700001234&version={odd}&_answer={odd}"),
        ("/customers/action/write_follow_up", f"id={pk}&text={odd}x&_once={odd}&back=/{odd}"),
        ("/customers/columns", f"column={odd}&back=/{odd}"),
        (f"/roles/{role}/edit", f"label={odd}&version=1&step=save&permission={odd}"),
        (f"/roles/{role}/edit", f"label={odd}&version=1&step=save"),
        ("/roles/new", f"label={odd}&step=save&_once={odd}&copy={odd}"),
        ("/profile/password", f"old={odd}&new={odd}&repeat={odd}"),
        ("/profile/store", f"store={odd}"),
        ("/parameters/", f"x={odd}"),
    ):
        for visitor in (signed, client):
            answer = visitor.post(path, data=body, content_type=form, headers={"Origin": "http://localhost"})
            assert answer.status_code < 500, (path, answer.status_code)
    for half in ("a\0b", "\ud800", "\udfff"):
        for sent in ({"username": half, "password": "x"}, {"username": SEES, "password": half}):
            said = client.post(
                "/api/v1/security/login", data=json.dumps(sent), content_type="application/json"
            )
            assert said.status_code in (400, 401)


@pytest.mark.sqlite_only
def test_uploads_and_repeated_parameters_arrive_whole(app: Flask) -> None:
    from io import BytesIO

    from flask import request

    data = {"name": ["甲\0", "乙"], "file": (BytesIO(b"a\0b"), "x.csv")}
    with app.test_request_context("/?a=1&a=2%00", method="POST", data=data):
        assert request.args.getlist("a") == ["1", "2"]
        assert request.form.getlist("name") == ["甲", "乙"]
        assert request.files["file"].read() == b"a\0b"
