"""The number of statements per page is pinned, whatever the resource, the role and the filters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.engine.database import db
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Related, Resource, resource_of, resources
from app.engine.scopes import Scope
from tests.generic.crawl import filters_of
from tests.generic.world import HERE, MASKED, OWN, SEES, STORE, THERE, World

LIST_LIMIT = 8
ALL = [pytest.param(r, id=r.name) for r in resources() if r.columns]
PEOPLE = ("admin", SEES, MASKED, OWN, STORE, "manager1", "consultant1", "designer1", "clerk1")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements executed meanwhile."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        if not args[2].startswith("BEGIN"):
            seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def cold(app: Flask) -> None:
    """No count is remembered from an earlier request."""
    app.config["COUNT_TTL"] = 0


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", ALL)
def test_list_page(app: Flask, world: World, clients: Any, cold: None, resource: type[Resource]) -> None:
    over = []
    for person in PEOPLE:
        client = clients(person)
        client.get(f"/{resource.name}/")  # rights and dictionaries are loaded once per state, not per page
        paths = ["", "?window=all&include=all", "?page=2", "?last=1"]
        if person in (SEES, OWN):
            paths += ["?q=客户&window=all", "?q=13800138000", "?q=1234", "?q=ZX-1"]
            paths += [f"?scope={s.value}" for s in Scope]
            paths += [f"?sort=-{describe(c).name}&window=all" for c in resource.sorts]
            paths += [f"?{s.name}={s.entries(1)[0].value}" for s in filters_of(resource) if s.entries(1)]
        paths += [f"?view={v.name}" for v in resource.views]
        paths += [
            f"?{spec.name}={world.id(resource_of(spec.target), HERE)}&window=all"
            for spec in _references(resource)
        ]
        for path in paths:
            seen = asked(client, f"/{resource.name}/{path}")
            if len(seen) > LIST_LIMIT:
                seen = asked(client, f"/{resource.name}/{path}")  # rights may have been forgotten meanwhile
            if len(seen) > LIST_LIMIT:
                over.append((person, path, len(seen)))
    assert over == []


def asked(client: Any, address: str) -> list[str]:
    """The statements of one page."""
    with counted() as seen:
        answer = client.get(address)
    assert answer.status_code in (200, 403)
    return seen


def _references(resource: type[Resource]) -> list[FieldSpec]:
    return [spec for spec in filters_of(resource) if spec.target is not None]


DASHBOARD_LIMIT, CHARTS_LIMIT, HOME_LIMIT = 21, 13, 14


@pytest.mark.sqlite_only
@pytest.mark.parametrize("query", ["", "?day=all", "?day=all&store={store}&person={person}"])
def test_dashboard(app: Flask, world: World, clients: Any, cold: None, query: str) -> None:
    """Its eight charts and its figures, these also of the period before, are counted list by list."""
    path = query.format(store=world.stores[HERE], person=world.people[OWN])
    for who in (SEES, "manager1"):
        client = clients(who)
        client.get("/profile")
        with counted() as seen:
            page = client.get(f"/dashboards/manager{path}")
        assert page.status_code == 200
        assert len(seen) <= DASHBOARD_LIMIT, (who, len(seen), *seen)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", [p for p in ALL if p.values[0].charts])
def test_charts_page(app: Flask, world: World, clients: Any, cold: None, resource: type[Resource]) -> None:
    """One walk for all that count the same rows, one statement per trend and per set of figures."""
    client = clients(SEES)
    client.get("/profile")
    with counted() as seen:
        assert client.get(f"/{resource.name}/charts").status_code == 200
    assert len(seen) <= CHARTS_LIMIT, (len(seen), *seen)


@pytest.mark.sqlite_only
def test_home_page(app: Flask, world: World, clients: Any, cold: None) -> None:
    for who in (SEES, OWN, STORE):
        client = clients(who)
        client.get("/profile")
        with counted() as seen:
            assert client.get("/").status_code == 200
        assert len(seen) <= HOME_LIMIT, (who, len(seen), *seen)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", ALL)
def test_detail_page(app: Flask, world: World, clients: Any, cold: None, resource: type[Resource]) -> None:
    """A fixed frame, one statement per tab of related records and per set of links or values."""
    limit = 8 + 2 * sum(isinstance(d, Related) for d in resource.detail)
    for person, place in ((SEES, HERE), (MASKED, HERE), (OWN, THERE)):
        client = clients(person)
        client.get("/profile")
        for path in ("", "/panel", "/history"):
            with counted() as seen:
                client.get(f"/{resource.name}/{world.id(resource, place)}{path}")
            assert len(seen) <= limit, (person, path, len(seen), *seen)


@pytest.mark.sqlite_only
def test_more_rows_need_no_more_statements(app: Flask, world: World, clients: Any, cold: None) -> None:
    """No statement per row: the list of one customer and of many cost the same."""
    client = clients(SEES)
    with counted() as few:
        client.get("/customers/?scope=dealer")
    for n in range(25):
        made = client.post("/customers/new", data={"name": f"客户{n}", "phone": f"139000000{n:02d}"})
        assert made.status_code == 302
    with counted() as many:
        page = client.get("/customers/?scope=dealer")
    assert page.get_data(as_text=True).count("139000000") >= 20
    assert len(many) <= max(len(few), LIST_LIMIT)


RARE = (
    "level=A", "level=A&owner_id={owner}&window=all", "q=线程", "view=ordered&window=all&page=2",
    "stage=ordered&last=1", "view=ordered&sort=next_follow_up_at&source=x", "stage=lost&level=H&window=all",
)  # fmt: skip


@pytest.mark.sqlite_only
@pytest.mark.parametrize("query", RARE)
def test_rare_rows_among_many(
    app: Flask, world: World, clients: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Where the walk along the index ends before the page is full and the matches are gathered first: with
    the counts of tabs and menu at hand, still eight."""
    from app.engine import reading, walking
    from tests.generic.test_threads import file_many

    monkeypatch.setattr(walking, "LOOK", 3)
    monkeypatch.setattr(reading, "CANDIDATES", 3)
    file_many(world)
    for person in (SEES, OWN):
        client = clients(person)
        for window in ("", "&window=all"):
            client.get(f"/customers/?view=ordered{window}")
        with counted() as seen:
            page = client.get(f"/customers/?{query.format(owner=world.people[person])}")
        assert page.status_code == 200
        assert len(seen) <= LIST_LIMIT, (person, *seen)
