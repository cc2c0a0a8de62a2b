"""Every form keeps what was typed, names what is wrong, and shows hostile text as text."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import String, text

from app.engine import conditional
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec
from app.engine.forms import asked, editable, holding
from app.engine.resource import Resource, resource_of, resources
from app.engine.scopes import Actor
from models.identity.tables import BrandCategory, Category, Employee
from tests.generic.crawl import reads
from tests.generic.leaks import WORKBOOK
from tests.generic.world import HERE, SEES, THERE, World, recent

HAND_WRITTEN = ("roles", "parameters", "menu-settings", "layouts")
"""Their editors stand in ``views/`` and have tests of their own."""
FORMS = [pytest.param(r, id=r.name) for r in resources() if r.form and r.name not in HAND_WRITTEN]
EDITED = [pytest.param(r, id=r.name) for r in resources() if r.groups(True) and r.name not in HAND_WRITTEN]
CHINESE = re.compile("[一-鿿]")


def person_for(resource: type[Resource]) -> str:
    """Whoever may use the form."""
    return "admin" if resource.name == "dealers" else SEES


def typed(spec: FieldSpec, world: World, number: int = 7) -> str:
    """A good value of the field as somebody types it, with signs that HTML knows."""
    if spec.name == "replaces_id":
        return ""
    if spec.target is not None:
        return str(world.id(resource_of(spec.target), HERE))
    if spec.kind in ("choice", "choices"):
        entries = spec.entries(world.dealers[HERE])
        return entries[0].value if entries else ""
    moment = utcnow() + timedelta(days=2)
    fixed = {
        "phone": "13700010001", "telephone": "0571-88880000",
        "phones": "13700010002", "money": "123.45", "integer": "12", "number": "12.5", "bool": "1",
        "date": moment.strftime("%Y-%m-%d"), "datetime": recent(moment), "password": "",
    }  # fmt: skip
    if spec.kind in fixed:
        return fixed[spec.kind]
    if spec.name in ("code", "username", "event_id"):
        return f"ZX-{number}"
    if spec.kind == "approval_steps":
        return "申请人的上级"
    if (
        spec.kind in ("condition", "approval_condition", "approval_fields", "parameters", "following")
        or spec.name == "pattern"
    ):
        return ""
    if spec.name == "at":
        return "08:00"
    return f'{spec.label[:8]}&"<{number}'[: spec.maxlength or 200]


def wrong(spec: FieldSpec) -> str | None:
    """A value that the field cannot take, or None when it takes everything."""
    if spec.target is not None:
        return "987654321"
    known = {
        "choice": "没有这一项", "choices": "没有这一项", "phone": "12345", "telephone": "没有号码", "phones": "12345",
        "money": "一百", "integer": "十二", "number": "十二", "date": "2026-13-45", "datetime": "明天上午",
    }  # fmt: skip
    if spec.kind in known:
        return known[spec.kind]
    if spec.kind in ("text", "textarea"):
        return "超" * ((spec.maxlength or (5000 if spec.kind == "textarea" else 255)) + 1)
    return None


def good(resource: type[Resource], world: World, *, editing: bool = False, number: int = 7) -> dict[str, str]:
    """A form that is filled in completely, as far as its fields are open."""
    specs = editable(resource, editing=editing)
    whole = {s.name: typed(s, world, number) for s in specs if typed(s, world, number)}
    return {s.name: whole[s.name] for s in inputs(specs, whole) if s.name in whole}


def inputs(specs: list[FieldSpec], whole: dict[str, str]) -> list[FieldSpec]:
    """The fields that somebody who files for himself fills in, and that are open in that form."""
    held = holding({}, {name: [value] for name, value in whole.items()}, None)
    return [s for s in asked(specs, Actor(0)) if conditional.applies(s, held)]


def block(page: str, name: str) -> str:
    """The part of a page that shows one input."""
    _, _, rest = page.partition(f'data-field="{name}"')
    return rest.partition("data-field=")[0]


def kept(page: str, spec: FieldSpec, value: str) -> bool:
    """Whether the typed value stands in its input again."""
    part = block(page, spec.name)
    if spec.kind == "bool":
        return "checked" in part
    if spec.target is not None or spec.kind in ("choice", "choices"):
        chosen = rf'value="{re.escape(html.escape(value, quote=True))}"[^>]*(selected|checked)'
        return re.search(chosen, part) is not None
    return value in html.unescape(part)


@pytest.mark.spec("D-11")
@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", FORMS)
def test_one_wrong_value_loses_no_other(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client, whole = clients(person_for(resource)), good(resource, world)
    specs = inputs(editable(resource, editing=False), whole)
    for spec in specs:
        bad = wrong(spec)
        if bad is None:
            continue
        answer = client.post(f"/{resource.name}/new", data={**whole, spec.name: bad})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, spec.name
        said = re.search(r'<p class="err"[^>]*>(.*?)</p>', block(page, spec.name), re.S)
        assert said is not None, f"nothing said beside {spec.name}"
        assert CHINESE.search(said.group(1))
        lost = [
            s.name for s in specs if s is not spec and s.name in whole and not kept(page, s, whole[s.name])
        ]
        assert lost == [], f"{spec.name} wrong"
        if spec.target is None and spec.kind not in ("choice", "choices", "bool"):
            assert kept(page, spec, bad), f"the wrong value of {spec.name} itself"


@pytest.mark.spec("D-11")
@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", FORMS)
def test_missing_value_loses_no_other(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client, whole = clients(person_for(resource)), good(resource, world)
    specs = inputs(editable(resource, editing=False), whole)
    for spec in specs:
        if not spec.required or spec.kind == "bool":
            continue
        answer = client.post(f"/{resource.name}/new", data={k: v for k, v in whole.items() if k != spec.name})
        page = answer.get_data(as_text=True)
        if spec.shown_when:
            continue
        assert answer.status_code == 400, spec.name
        part = block(page, spec.name)
        assert re.search(r'class="err".*?请(填写|选择|输入)', part, re.S), spec.name
        assert "star" in part, spec.name
        assert [
            s.name for s in specs if s is not spec and s.name in whole and not kept(page, s, whole[s.name])
        ] == []


@pytest.mark.spec("D-11")
@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", EDITED)
def test_edit_form_keeps_what_was_typed(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client, whole = clients(person_for(resource)), good(resource, world, editing=True)
    specs = inputs(editable(resource, editing=True), whole)
    path = f"/{resource.name}/{world.id(resource, HERE)}/edit"
    version = re.search(r'name="version" value="(\d+)"', client.get(path).get_data(as_text=True))
    assert version is not None
    for spec in specs:
        bad = wrong(spec)
        if bad is None:
            continue
        data = {**whole, spec.name: bad, "version": version.group(1)}
        answer = client.post(path, data=data)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, spec.name
        assert "err" in block(page, spec.name), spec.name
        assert [
            s.name for s in specs if s is not spec and s.name in whole and not kept(page, s, whole[s.name])
        ] == []
        assert f'name="version" value="{version.group(1)}"' in page


ACTIONS = [pytest.param(r, a, id=f"{r.name}.{a.name}") for r in resources() for a in r.actions if a.fields]


@pytest.mark.spec("D-11")
@pytest.mark.sqlite_only
@pytest.mark.parametrize(("resource", "action"), ACTIONS)
def test_form_of_an_action_keeps_what_was_typed(
    app: Flask, world: World, clients: Any, resource: type[Resource], action: Any
) -> None:
    client, path = clients(SEES), f"/{resource.name}/action/{action.name}"
    whole = {s.name: typed(s, world) for s in action.fields if typed(s, world)}
    ids = {
        "id": [world.id(resource, HERE), world.id(resource, THERE)]
        if action.batch
        else world.id(resource, HERE)
    }
    for spec in action.fields:
        bad = wrong(spec)
        if bad is None:
            continue
        answer = client.post(path, data={**ids, **whole, spec.name: bad})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, spec.name
        said = re.search(r'<p class="err"[^>]*>(.*?)</p>', block(page, spec.name), re.S)
        assert said is not None, f"nothing said beside {spec.name}"
        assert CHINESE.search(said.group(1))
        others = [s for s in action.fields if s is not spec and s.name in whole]
        assert [s.name for s in others if not kept(page, s, whole[s.name])] == []
        assert len(re.findall(r'type="hidden" name="id"', page)) == (2 if action.batch else 1), (
            "the records are kept"
        )


def fresh(resource: type[Resource], world: World) -> dict[str, str]:
    """What must differ from the record that is there already; a password, else the answer tells one."""
    other = str(world.id(resource_of(BrandCategory), THERE))
    person = str(world.id(resource_of(Employee), THERE))
    known: dict[str, dict[str, str]] = {
        "operating_rights": {"brand_category_id": other},
        "service_orders": {"brand_category_id": other},
        "brand_categories": {"category_id": str(world.id(resource_of(Category), THERE))},
        "dictionary_entries": {"parent": ""},
        "track_points": {"act": "transmit"},
        "duplicate_rules": {"entrance": "import"},
        "customers": {"contact": ""},
        "employees": {"initial_password": "Rain&Tea-2024"},
        "registration_quotas": {"employee_id": str(world.people["consultant1"])},
        "registration_grants": {"registrant_id": person},
        "automations": {"_answer": "touch"},
        "notice_words": {"sentence": "customer.given"},
    }
    return known.get(resource.name, {})


@pytest.mark.parametrize("resource", FORMS)
def test_filled_form_makes_one_record_however_often_it_is_sent(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    """The control of the tests above, and the double submit: one click, one record."""
    client, data = (
        clients(person_for(resource)),
        {**good(resource, world, number=91), "_once": "the-same-click"},
    )
    data |= fresh(resource, world)
    table = text(f'SELECT count(*) FROM "{resource.model.__tablename__}"')
    before = db.session.scalar(table)
    first = client.post(f"/{resource.name}/new", data=data)
    assert first.status_code == 302, re.findall(
        r'<p class="err".*?</p>|role="alert".*?</div>', first.get_data(as_text=True), re.S
    )
    assert db.session.scalar(table) == before + 1
    second = client.post(f"/{resource.name}/new", data=data)
    assert second.status_code == 302
    assert db.session.scalar(table) == before + 1


ODD = {
    "control": "甲\x07乙\x1b[31m丙", "zero": "甲\x00乙", "emoji": "👩‍👩‍👧‍👦客户🏠", "full-width": "ＡＢＣ１２３　",
    "script": "<script>alert(1)</script>", "bidi": "\u202eabc\u2066", "lone": "\ud800", "quote": "'; DROP TABLE customers; --",
    "long": "长" * 20000,
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_odd_text_in_every_field_of_every_form(app: Flask, world: World, clients: Any, kind: str) -> None:
    """Never an error of ours; what is refused is refused in words."""
    from urllib.parse import quote

    odd = quote(ODD[kind], safe="", errors="surrogatepass")
    for parameter in FORMS:
        resource = parameter.values[0]
        specs = editable(resource, editing=False)
        answer = clients(person_for(resource)).post(
            f"/{resource.name}/new",
            data="&".join(f"{s.name}={odd}" for s in specs),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code in (200, 302, 400), resource.name
        page = answer.get_data(as_text=True)
        assert "<script>alert" not in page, resource.name
        if answer.status_code == 400:
            assert CHINESE.search(page), resource.name


HOSTILE = "<i onx>\"'&"
ESCAPED_FROM = re.compile(r"<i onx>|=\"[^\"]*<i onx|'[^']*<i onx>")


def test_hostile_text_in_history_log_and_outcome(app: Flask, world: World, clients: Any) -> None:
    client, pk = clients(SEES), world.records["customers", HERE]
    version = db.session.scalar(text("SELECT version FROM customers WHERE id = :id"), {"id": pk})
    typed = {"name": HOSTILE, "phone": "13700010009", "remark": HOSTILE, "version": version}
    made = client.post(f"/customers/{pk}/edit", data=typed)
    assert made.status_code == 302
    for path in (f"/customers/{pk}/history", "/audit_entries/", "/search?q=13700010009", f"/customers/{pk}"):
        page = client.get(path, follow_redirects=True).get_data(as_text=True)
        assert "&lt;i onx&gt;" in page, path
        assert not ESCAPED_FROM.search(page), path
    batch = client.post("/customers/action/unlink", data={"id": [pk]})
    assert not ESCAPED_FROM.search(batch.get_data(as_text=True))
    outcome = client.post("/customers/action/reopen", data={"id": [pk, world.records["customers", THERE]]})
    assert "&lt;i onx&gt;" in outcome.get_data(as_text=True)
    assert not ESCAPED_FROM.search(outcome.get_data(as_text=True))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", [pytest.param(r, id=r.name) for r in resources()])
def test_hostile_text_is_shown_as_text(
    app: Flask, world: World, clients: Any, restorer: Any, resource: type[Resource]
) -> None:
    """Stored as it was typed, escaped on every page, in every picker, history and answer."""
    client = clients(person_for(resource))
    _poison()
    restorer.touch_all()
    seen = 0
    for path in reads(app, resource, world):
        answer = client.get(path)
        if answer.mimetype in ("application/json", WORKBOOK):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            continue
        body = answer.get_data(as_text=True)
        seen += "&lt;i onx&gt;" in body
        assert not ESCAPED_FROM.search(body), path
    assert seen or resource.name in ("audit_entries", "parameters")


def _poison() -> None:
    """Put hostile text into every free text of every table."""
    from app.engine.database import Model

    with db.engine.begin() as connection:
        for table in Model.metadata.sorted_tables:
            if table.name.startswith(
                ("ab_permission", "ab_view", "rights", "outbox", "submissions", "audit", "track_events")
            ):
                continue
            for column in table.c:
                if type(column.type).__name__ not in ("String", "Text", "VARCHAR") or column.foreign_keys:
                    continue
                if column.info.get("zk") is None or (column.info["zk"].dictionary and column.name != "label"):
                    continue
                if (column.name in ("username", "name") and table.name == "ab_role") or column.name in (
                    "username",
                    "password",
                    "email",
                    "dictionary",
                    "value",
                    "key",
                    "tail",
                    "tone",
                ):
                    continue
                length = getattr(column.type, "length", None)
                if isinstance(column.type, String) and length is not None and length < 24:
                    continue
                connection.execute(
                    table.update().values({column.name: text(":hostile || id")}), {"hostile": HOSTILE}
                )
