"""What others file changes no byte of the pages of those who may not see it: lists, counts, charts, badges."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.engine.actions import Act
from app.engine.audit import AuditLog, acting
from app.engine.database import db, utcnow, writing
from app.engine.resource import resources
from app.engine.scopes import SYSTEM, Scope, offered
from tests.generic.crawl import reads
from tests.generic.leaks import WORKBOOK, workbook
from tests.generic.world import AWAY, FOREIGN, HERE, MASKED, OWN, SEES, STORE, Builder, World, guarded

WORK = [r for r in resources() if r.scopes.mine is not None or r.scopes.through is not None]
_TOKENS = re.compile(
    r'name="(csrf_token|_once)" value="[^"]*"|"csrf_token":\s*"[^"]*"|导出时间：[^<]*|<dcterms:[^/]*|\d+ (?:分钟|小时)'
)


def file_more(world: World, place: str, owner: str) -> None:
    """One more record of everything people work on, in that place."""
    session = db.session()
    with writing(session), acting(session, Act(SYSTEM, utcnow(), session, "job", "init")):
        builder = Builder(session)
        builder.number = 5_000
        builder.world = World(dict(world.records), {}, world.people, world.dealers, world.stores)
        builder.owner = {place: world.people[owner]}
        for resource in resources():
            if resource not in WORK or resource.name == "memberships":
                key = world.id(resource, place)
                builder.made[resource.name, place] = session.get_one(resource.model, key)
        for resource in WORK:
            if resource.name != "memberships":
                builder.record(resource.model, place)
        session.commit()


def page(client: Any, path: str) -> str:
    """What one address answers, without what differs at every call."""
    answer = client.get(path)
    return _TOKENS.sub(
        "", workbook(answer.data) if answer.mimetype == WORKBOOK else answer.get_data(as_text=True)
    )


def pages(client: Any) -> dict[str, str]:
    """The pages on which a person's work stands."""
    paths = ["/", "/search?q=客户姓名", "/search?q=姓名", "/dashboards/manager?day=all"]
    for r in WORK:
        paths += [
            f"/{r.name}/?window=all&include=all",
            f"/{r.name}/charts?window=all",
            f"/api/v1/{r.name}?window=all",
        ]
        paths += [f"/{r.name}/?scope={s.value}&window=all&include=all" for s in Scope if s in offered(r)]
    return {path: page(client, path) for path in dict.fromkeys(paths)}


@pytest.mark.sqlite_only
@pytest.mark.spec("A-70")
@pytest.mark.parametrize(
    ("person", "place", "owner"),
    [
        pytest.param(SEES, AWAY, FOREIGN, id="other-dealer"),
        pytest.param(STORE, HERE, SEES, id="other-store"),
        pytest.param(OWN, HERE, SEES, id="other-people"),
    ],
)
def test_what_others_file_is_not_noticed(
    app: Flask, world: World, clients: Any, person: str, place: str, owner: str
) -> None:
    app.config["COUNT_TTL"] = 0
    client, control = clients(person), clients(owner)
    lists = [f"/{r.name}/?window=all&include=all&per_page=100" for r in WORK if r.menu is not None]
    before, theirs = pages(client), {path: page(control, path) for path in lists}
    file_more(world, place, owner)
    after = pages(client)
    changed = [path for path in before if before[path] != after[path]]
    assert changed == []
    same = [path for path in lists if page(control, path) == theirs[path]]
    assert same == [], "the control: its owner sees the new records"


def change_hidden_digits() -> None:
    """Other middle digits in every guarded number, another amount in every guarded price."""
    from sqlalchemy import text

    from app.engine.database import Model

    for table in Model.metadata.sorted_tables:
        for column in table.c:
            meta = column.info.get("zk")
            if meta is None or meta.guard is None or column.name == "tail":
                continue
            name = f'"{column.name}"'
            fresh = f"{name} + 1234.5"
            if meta.guard.mask is not None:
                fresh = f"substr({name}, 1, 3) || substr({name}, 6, 2) || substr({name}, 4, 2) || substr({name}, 8, 4)"
            db.session.execute(text(f'UPDATE "{table.name}" SET {name} = {fresh}'))
    db.session.commit()


@pytest.mark.sqlite_only
@pytest.mark.spec("A-89", "A-92")
@pytest.mark.parametrize("resource", [pytest.param(r, id=r.name) for r in [*WORK, AuditLog]])
def test_hidden_digits_are_not_noticed(app: Flask, world: World, clients: Any, resource: Any) -> None:
    """No page of a masked person depends on what the mask hides: neither its text, nor an order, nor a count."""
    app.config["COUNT_TTL"] = 0
    client, control = clients(MASKED), clients(SEES)
    paths = reads(app, resource, world)
    before = {path: page(client, path) for path in paths}
    theirs = page(control, f"/{resource.name}/{world.id(resource, HERE)}")
    change_hidden_digits()
    changed = [path for path in paths if page(client, path) != before[path]]
    assert changed == []
    if any(s.kind == "phone" for s in guarded(resource)):
        assert page(control, f"/{resource.name}/{world.id(resource, HERE)}") != theirs
