"""What forms and the API take for an answer, and what not (D-11, A-92, D-15)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.engine import forms
from app.engine.actions import Invalid
from app.engine.audit import acting
from app.engine.choices import Entry
from app.engine.database import db, utcnow
from app.engine.fields import describe, entry
from app.engine.resource import Resource, resources
from models.customers.tables import Customer
from models.identity.tables import Employee
from tests.generic.test_forms import EDITED, block, good, person_for
from tests.generic.world import HERE, MASKED, SEES, World, opening

NOTHING = ("\u200b\u200b", "\u200e \u202e", "\ufeff", "\u2060\n")
KIND = entry("kind", "类型", options=(Entry("a", "甲"), Entry("b", "乙", active=False)))
WHEN = entry("note", "说明", required=True, shown_when="kind=b")


def cleaned(actor: Any, *specs: Any, **texts: str) -> dict[str, Any]:
    """Values from texts, as every form reads them."""
    context = forms.Context(db.session(), actor(SEES), utcnow())
    return forms.clean(specs, {name: [text] for name, text in texts.items()}, context)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("text", NOTHING)
def test_signs_that_nobody_sees_are_no_name(app: Flask, world: World, actor: Any, text: str) -> None:
    with pytest.raises(Invalid) as wrong:
        cleaned(actor, describe(Customer.name), name=text)
    assert list(wrong.value.errors) == ["name"]
    assert cleaned(actor, describe(Customer.name), name="👨‍👩‍👧 王") == {"name": "👨‍👩‍👧 王"}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("given", ["b", "乙"])
def test_an_entry_out_of_use_is_not_chosen_anew(app: Flask, world: World, actor: Any, given: str) -> None:
    with pytest.raises(Invalid, match="已停用"):
        cleaned(actor, KIND, kind=given)
    assert cleaned(actor, KIND, kind="甲") == {"kind": "a"}


@pytest.mark.sqlite_only
def test_a_field_that_is_not_shown_keeps_nothing(app: Flask, world: World, actor: Any) -> None:
    kind = replace(KIND, options=(Entry("a", "甲"), Entry("b", "乙")))
    assert cleaned(actor, kind, WHEN, kind="a", note="藏着") == {"kind": "a", "note": None}
    assert cleaned(actor, kind, WHEN, kind="b", note="看见") == {"kind": "b", "note": "看见"}
    with pytest.raises(Invalid, match="说明"):
        cleaned(actor, kind, WHEN, kind="b", note="")


@pytest.mark.spec("A-92")
@pytest.mark.sqlite_only
def test_a_mask_is_no_number_of_a_new_customer(app: Flask, world: World, clients: Any) -> None:
    """Where nothing is stored yet, a mask cannot have come back."""
    client = clients(MASKED)
    answer = client.post("/customers/new", data={"name": "甲", "phone": "138****0001"})
    assert answer.status_code == 400 and "请输入正确的手机号码" in answer.get_data(as_text=True)
    said = client.post("/api/v1/customers", json={"name": "甲", "phone": "138****0001"})
    assert said.status_code == 400 and said.get_json()["errors"] == {"phone": "请输入正确的手机号码"}


@pytest.mark.spec("D-15")
@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", EDITED)
def test_an_edit_without_its_version_overwrites_nothing(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    if not hasattr(resource.model, "version"):
        return
    pk, typed = world.id(resource, HERE), good(resource, world, editing=True, number=3)
    for version in ({}, {"version": ""}, {"version": "x"}):
        answer = clients(person_for(resource)).post(f"/{resource.name}/{pk}/edit", data={**typed, **version})
        assert answer.status_code == 409, version


@pytest.mark.sqlite_only
def test_every_edited_record_has_a_version_or_is_a_membership(app: Flask) -> None:
    without = {r.name for r in resources() if r.groups(True) and not hasattr(r.model, "version")}
    assert without <= {"memberships"}


PEOPLE = [
    pytest.param(r, s, id=f"{r.name}.{s.name}")
    for r in resources()
    if r.form and r.name not in ("roles", "parameters")
    for s in forms.editable(r, editing=False)
    if s.target is Employee
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("resource", "spec"), PEOPLE)
def test_somebody_who_has_left_is_not_chosen_anew(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: Any
) -> None:
    gone, client = world.people["designer1"], clients(person_for(resource))
    with acting(db.session()):
        db.session.get_one(Employee, gone).active = False
        db.session.commit()
    typed = {**good(resource, world), **opening(spec), spec.name: str(gone)}
    page = client.post(f"/{resource.name}/new", data=typed)
    assert page.status_code == 400
    assert f"所选{spec.label}已停用" in block(page.get_data(as_text=True), spec.name)
    if resource.api:
        said = client.post(f"/api/v1/{resource.name}", json=typed)
        assert said.status_code == 400 and "已停用" in said.get_json()["errors"][spec.name]
