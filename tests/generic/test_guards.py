"""Role × way out × guarded field: no digit of a masked phone and no settlement price leaves in any byte."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.engine.fields import FieldSpec
from app.engine.guards import mask_phone
from app.engine.resource import Breakdown, Number, Pivot, Resource, charted, resources
from tests.generic.crawl import filters_of, others, reads
from tests.generic.leaks import everything, found_in
from tests.generic.world import AWAY, HERE, MASKED, SEES, THERE, World, guarded

ALL = [
    pytest.param(
        r, id=r.name, marks=() if guarded(r) or r.name == "audit_entries" else pytest.mark.sqlite_only
    )
    for r in resources()
]
GUARDED = [pytest.param(r, s, id=f"{r.name}.{s.name}") for r in resources() for s in guarded(r)]
PHONES = [p for p in GUARDED if p.values[1].kind in ("phone", "phones")]


def secrets(world: World) -> list[Any]:
    """What nobody masked may learn."""
    return [*world.phones(), *world.prices()]


def _asked(client: Any, path: str) -> Any:
    """The answer of an address; what takes numbers out is asked for by a deed."""
    return client.post(path) if ".xlsx" in path else client.get(path)


def leaks(app: Flask, world: World, client: Any, paths: list[str]) -> list[str]:
    """Where something got out."""
    found = []
    for path in paths:
        answer = _asked(client, path)
        assert answer.status_code < 500, path
        said = everything(app, answer).replace(path.partition("?q=")[2] or "\0", "")
        found += [f"{path}: {trace}" for trace in found_in(said, secrets(world))]
    return found


@pytest.mark.sqlite_only  # the gate stands behind every database
@pytest.mark.parametrize("resource", ALL)
def test_masked_person_reads_no_guarded_value(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    client = clients(MASKED)
    names = [s.name for s in guarded(resource)] + [c.key for c in resource.more_columns if hasattr(c, "key")]
    client.post(f"/{resource.name}/columns", data={"column": names})
    paths = [*reads(app, resource, world, HERE), *reads(app, resource, world, THERE)]
    assert leaks(app, world, client, list(dict.fromkeys(paths))) == []


def test_masked_person_reads_nothing_on_other_pages(app: Flask, world: World, clients: Any) -> None:
    paths = [p for p in others(app) if p != "/metrics"]  # nothing but clocks and counters
    phone = world.secrets["customers", "phone", HERE]
    for text in (phone[2:8], phone[-4:], phone[3:7], phone[:7], "KF", "员工"):
        paths.append(f"/search?q={text}")
    assert leaks(app, world, clients(MASKED), paths) == []


def test_masked_person_reads_nothing_in_charts_and_their_sheets(
    app: Flask, world: World, clients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of bars, lines and columns, sums and spreadsheets: charts over every guarded field, and the
    declared ones, tell the masked person nothing of it. The control: who may read it finds it there."""
    found: list[str] = []
    for resource in [r for r in resources() if r.columns and r.charts]:
        guarded_ones = [s for s in guarded(resource) if s.attribute is not None and s.links is None]
        plain = next(s for c in resource.charts for s in charted(c) if s.kind in ("choice", "ref"))
        tried: list[Any] = []
        for n, spec in enumerate(guarded_ones):
            tried.append(Breakdown(f"by{n}", spec.label, by=spec.attribute))
            tried.append(Pivot(f"down{n}", spec.label, by=spec.attribute, across=plain.attribute))
            tried.append(Pivot(f"across{n}", spec.label, by=plain.attribute, across=spec.attribute))
            tried.append(Number(f"sum{n}", spec.label, sum=spec.attribute))
        monkeypatch.setattr(resource, "charts", (*resource.charts, *tried))
        pages = [f"/{resource.name}/charts{end}?window=all" for end in ("", ".xlsx")]
        found += leaks(app, world, clients(MASKED), pages)
        for chart in tried:
            for page in pages:
                refused = _asked(clients(MASKED), f"{page}&chart={chart.name}")
                assert refused.status_code == 403, (page, chart.name)
                found += found_in(everything(app, refused), secrets(world))
    assert found == []
    shown = everything(app, clients(SEES).post("/customers/charts.xlsx?window=all&chart=by0"))
    assert world.secrets["customers", "phone", HERE] in shown
    dashboards = [f"/dashboards/manager{end}?day=all" for end in ("", ".xlsx")]
    assert leaks(app, world, clients(MASKED), dashboards) == []


SHOWN = [p for p in GUARDED if p.values[1].kind in ("phone", "phones")]


@pytest.mark.sqlite_only  # the gate stands behind every database
@pytest.mark.parametrize(("resource", "spec"), SHOWN)
def test_person_with_the_right_reads_it(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: FieldSpec
) -> None:
    """The control: the tests above can fail."""
    secret = world.secrets[resource.name, spec.name, HERE]
    client = clients(SEES)
    seen = [p for p in reads(app, resource, world) if secret in everything(app, client.get(p))]
    assert f"/{resource.name}/{world.id(resource, HERE)}" in seen


@pytest.mark.parametrize(("resource", "spec"), PHONES)
def test_part_of_a_masked_number_finds_nothing(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: FieldSpec
) -> None:
    """Neither the search box nor the filter helps to guess digit by digit; the whole number is found."""
    pk, secret = world.id(resource, HERE), world.secrets[resource.name, spec.name, HERE]
    client = clients(MASKED)
    mine = f'/{resource.name}/{pk}"'
    wide = "window=all&include=all&scope=dealer&per_page=100"
    for part in (
        secret[-4:],
        secret[:7],
        secret[3:],
        secret[3:7],
        secret[:-1],
        f"{secret[:3]}%",
        f"%{secret[3:7]}%",
    ):
        page = client.get(f"/{resource.name}/?q={part}&{wide}")
        assert mine not in page.get_data(as_text=True), part
        api = client.get(f"/api/v1/{resource.name}?q={part}&{wide.replace('&include=all', '')}")
        assert api.status_code in (200, 400)
        assert not (api.get_json().get("result")), part
        for name in (spec.name, f"{spec.name}.from", f"{spec.name}.to"):
            if spec in filters_of(resource) and name == spec.name:
                page = client.get(f"/{resource.name}/?{name}={part}&{wide}")
                assert mine not in page.get_data(as_text=True), (name, part)
            else:
                with_it = client.get(f"/{resource.name}/?{name}={part}&{wide}")
                without = client.get(f"/{resource.name}/?{wide}")
                assert (mine in with_it.get_data(as_text=True)) == (mine in without.get_data(as_text=True))
    if any(spec is s for s in _exact(resource)):
        page = client.get(f"/{resource.name}/?q={secret}&{wide}")
        assert mine in page.get_data(as_text=True)


def _exact(resource: type[Resource]) -> list[FieldSpec]:
    from app.engine.fields import describe

    return [describe(c) for c in resource.exact]


@pytest.mark.parametrize(("resource", "spec"), GUARDED)
def test_sorting_by_a_guarded_column_is_ignored(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: FieldSpec
) -> None:
    client = clients(MASKED)
    pages = []
    for sort in ("", spec.name, f"-{spec.name}"):
        page = client.get(f"/{resource.name}/?sort={sort}&scope=dealer&window=all&include=all")
        shown = page.get_data(as_text=True)
        assert ("这个排序" in shown) is bool(sort)
        pages.append(_order(shown, resource))
    assert pages[0] == pages[1] == pages[2]
    assert client.get(f"/api/v1/{resource.name}?sort={spec.name}").status_code == 400


def _order(page: str, resource: type[Resource]) -> list[str]:
    import re

    return re.findall(rf'data-id="(\d+)"|/{resource.name}/(\d+)"', page)


def _version(pk: int) -> int:
    from sqlalchemy import text

    from app.engine.database import db

    found = db.session.scalar(text("SELECT version FROM customers WHERE id = :id"), {"id": pk})
    assert found is not None
    return int(found)


@pytest.mark.spec("A-92")
def test_masked_save_keeps_the_numbers(app: Flask, world: World, clients: Any) -> None:
    """Saving the form as it was opened changes neither the main nor the further numbers."""
    from sqlalchemy import text

    from app.engine.database import db

    pk = world.records["customers", HERE]
    phone, further = world.secrets["customers", "phone", HERE], world.secrets["customers", "phones", HERE]
    version = _version(pk)
    answer = clients(MASKED).post(
        f"/customers/{pk}/edit",
        data={
            "name": "改了名字", "phone": mask_phone(phone), "phones": [mask_phone(further)], "version": version,
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.get_data(as_text=True)
    row = db.session.execute(text("SELECT name, phone FROM customers WHERE id = :id"), {"id": pk}).one()
    assert tuple(row) == ("改了名字", phone)
    numbers = db.session.scalars(
        text("SELECT phone FROM customer_phones WHERE customer_id = :id ORDER BY position"), {"id": pk}
    )
    assert list(numbers) == [phone, further]


@pytest.mark.spec("A-92")
def test_masked_person_adds_a_number_beside_hidden_ones(app: Flask, world: World, clients: Any) -> None:
    from sqlalchemy import text

    from app.engine.database import db

    pk = world.records["customers", HERE]
    phone, further = world.secrets["customers", "phone", HERE], world.secrets["customers", "phones", HERE]
    answer = clients(MASKED).post(
        f"/customers/{pk}/edit",
        data={
            "name": "甲",
            "phone": mask_phone(phone),
            "phones": [mask_phone(further), "15912340000"],
            "version": _version(pk),
        },
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)
    held = text("SELECT phone FROM customer_phones WHERE customer_id = :id")
    assert set(db.session.scalars(held, {"id": pk})) == {phone, further, "15912340000"}


@pytest.mark.parametrize("way", ["taken", "wrong", "stale", "batch", "action"])
def test_answers_to_a_masked_persons_deeds_tell_nothing(
    app: Flask, world: World, clients: Any, way: str
) -> None:
    """Questions, errors, conflicts and outcomes pass the gate as well."""
    client = clients(MASKED)
    pk, other = world.records["customers", HERE], world.records["customers", AWAY]
    known = world.secrets["customers", "phone", THERE]
    if way == "taken":
        answers = [
            client.post("/customers/new", data={"name": "乙", "phone": known, "_answer": a})
            for a in ("", "go_on")
        ]
        answers.append(client.post("/api/v1/customers", json={"name": "乙", "phone": known}))
        answers.append(client.get(f"/customers/check/phone?value={known}"))
        hidden = [s for s in secrets(world) if s != known]
    elif way == "wrong":
        answers = [
            client.post(f"/customers/{pk}/edit", data={"name": "", "phones": ["12"]}),
            client.patch(f"/api/v1/customers/{pk}", json={"name": "", "phones": ["12"], "version": 2}),
            client.patch(f"/api/v1/customers/{pk}", json={"remark": "好", "version": 2}),
        ]
        hidden = secrets(world)
    elif way == "stale":
        typed = {"name": "先", "phone": "13955500001", "version": _version(pk)}
        changed = clients(SEES).post(f"/customers/{pk}/edit", data=typed)
        assert changed.status_code == 302
        answers = [
            client.post(f"/customers/{pk}/edit", data={"name": "后", "phone": "138****0000", "version": 1})
        ]
        assert answers[0].status_code == 409
        answers.append(client.patch(f"/api/v1/customers/{pk}", json={"name": "后", "version": 1}))
        assert answers[1].status_code == 409
        hidden = [*secrets(world), "13955500001"]
    elif way == "batch":
        answers = [client.post("/customers/action/invalidate", data={"id": [pk, other]})]
        assert answers[0].status_code == 200
        hidden = secrets(world)
    else:
        answers = [
            client.post(f"/customers/action/{name}", data={"id": [pk]})
            for name in ("call", "send_sms", "lose")
        ]
        answers.append(client.get(f"/customers/{pk}"))
        answers.append(client.get(f"/customers/{pk}/history"))
        answers.append(client.get("/sms_messages/?scope=dealer&window=all"))
        answers.append(client.get("/audit_entries/?window=all"))
        hidden = secrets(world)
    found = [t for a in answers for t in found_in(everything(app, a), hidden)]
    assert found == []


@pytest.mark.spec("A-89")
def test_a_logged_value_leaves_by_its_action_alone(app: Flask, world: World, clients: Any) -> None:
    """Whoever may read it reads it nowhere unlogged: not in the history, not in the log, not by the API."""
    client, prices = clients(SEES), world.prices()
    logged = {r for r, s in (p.values for p in GUARDED) if s.guard.logged}
    assert logged and prices
    paths = [p for r in logged for place in (HERE, THERE) for p in reads(app, r, world, place)]
    paths += ["/audit_entries/?window=all&per_page=100", "/api/v1/audit_entries?window=all&per_page=100"]
    pages = {path: everything(app, client.get(path)) for path in paths}
    assert {path: found_in(said, prices) for path, said in pages.items() if found_in(said, prices)} == {}
    assert any("结算价" in said and "已修改" in said for said in pages.values())


@pytest.mark.spec("A-87", "A-88", "A-89")
def test_settlement_price_is_shown_by_its_action_alone(app: Flask, world: World, clients: Any) -> None:
    from sqlalchemy import text

    from app.engine.database import db

    pk = world.records["factory_orders", HERE]
    price = world.secrets["factory_orders", "settlement_price", HERE]
    logged = text("SELECT count(*) FROM audit_entries WHERE record_id = :id AND action_label = '查看结算价'")
    refused = clients(MASKED).post("/factory_orders/action/view_settlement_price", data={"id": pk})
    assert refused.status_code == 403
    assert db.session.scalar(logged, {"id": pk}) == 0
    client = clients(SEES)
    shown = client.post(
        "/factory_orders/action/view_settlement_price", data={"id": pk}, follow_redirects=True
    )
    assert f"{price:,.2f}" in shown.get_data(as_text=True)
    assert db.session.scalar(logged, {"id": pk}) == 1
