"""Numbers that no column holds: a sentence beside the field, and what was typed stays (D-11)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.engine.fields import FieldSpec
from app.engine.forms import editable
from app.engine.resource import Resource, resources
from tests.generic.test_forms import block, good, kept, person_for
from tests.generic.world import HERE, World, opening

HUGE = ("1e9999999", "9" * 12, "9" * 40, "-" + "9" * 12, "2147483648", "NaN", "Infinity", "1__0", "١", "1e3")
"""``1e9999999`` is a number that Decimal makes and cannot compare."""
NUMBERS = [
    pytest.param(r, s, id=f"{r.name}.{s.name}")
    for r in resources()
    if r.form and r.name not in ("roles", "parameters")
    for s in editable(r, editing=False)
    if s.kind in ("integer", "money")
]
ASKED = [
    pytest.param(r, a, s, id=f"{r.name}.{a.name}.{s.name}")
    for r in resources()
    for a in r.actions
    for s in a.fields
    if s.kind in ("integer", "money")
]


@pytest.mark.spec("D-11")
@pytest.mark.parametrize(("resource", "spec"), NUMBERS)
def test_a_number_out_of_range_is_named(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: FieldSpec
) -> None:
    client, whole = clients(person_for(resource)), good(resource, world) | opening(spec)
    for number in HUGE:
        answer = client.post(f"/{resource.name}/new", data={**whole, spec.name: number})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, number
        assert 'class="err"' in block(page, spec.name), number
        lost = [s.name for s in editable(resource, editing=False) if s.name in whole and s is not spec]
        assert [n for n in lost if not kept(page, _named(resource, n), whole[n])] == []
        if resource.api:
            sent = {**whole, spec.name: number}
            said = client.post(f"/api/v1/{resource.name}", json=sent)
            assert said.status_code == 400 and spec.name in said.get_json()["errors"], number


def _named(resource: type[Resource], name: str) -> FieldSpec:
    return next(s for s in editable(resource, editing=False) if s.name == name)


@pytest.mark.parametrize(("resource", "action", "spec"), ASKED)
def test_a_number_out_of_range_in_an_action(
    app: Flask, world: World, clients: Any, resource: type[Resource], action: Any, spec: FieldSpec
) -> None:
    client = clients(person_for(resource))
    for number in HUGE:
        form = {"id": world.id(resource, HERE), spec.name: number}
        answer = client.post(f"/{resource.name}/action/{action.name}", data=form)
        assert answer.status_code == 400, number


@pytest.mark.parametrize("sent", [True, False, [1, 2], ["1"], {"id": 1}])
def test_a_number_is_a_number(app: Flask, world: World, clients: Any, sent: Any) -> None:
    """Neither true nor a list is an amount or a name."""
    whole = {"name": "甲", "sort": 1}
    for name in ("sort", "name"):
        said = clients(person_for(_resource("positions"))).post(
            "/api/v1/positions", json={**whole, name: sent}
        )
        assert said.status_code == 400 and said.get_json()["errors"] == {name: "格式不正确"}


def _resource(name: str) -> type[Resource]:
    return next(r for r in resources() if r.name == name)
