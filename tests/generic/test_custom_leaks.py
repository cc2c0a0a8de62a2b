"""Role × way out × guarded field that an administrator added: nothing of it leaves to who may not see it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.faces import faced
from app.engine.perform import create, update
from app.engine.resource import resource
from app.engine.scopes import Actor
from models.customers.tables import Customer
from models.identity import role_rules
from models.identity.rights import load_actor
from models.identity.roles import StaffRole
from models.shaping.custom_fields import CustomField, FieldKind, Outcome, Place
from tests.generic.crawl import others, reads
from tests.generic.leaks import everything
from tests.generic.test_export_leaks import said
from tests.generic.world import FOREIGN, HERE, MASKED, OWN, SEES, THERE, World

SECRETS = {
    "机密文字": "密文甲乙丙", "机密数字": "7351.0986", "机密选项": "绝密级", "机密多选": "暗线渠道",
    "机密电话": "18677553311", "机密算式": "9911.0986", "机密关联": "外人不知",
}  # fmt: skip
"""What stands in the fields, by their labels."""
KINDS = ("customers", "service_orders")


def actor_of(name: str, world: World) -> Actor:
    """A person of the world."""
    found = load_actor(db.session(), world.people[name])
    assert found is not None
    return found


def add(world: World, kind: str, label: str, of: str, **values: Any) -> str:
    """A guarded field of the first dealer; returns its slot."""
    act = actor_of(SEES, world)
    given = {
        "label": label, "kind": FieldKind.of(kind), "resource": of, "section": "机密", "position": 1,
        "places": list(Place), "guarded": True, **values,
    }  # fmt: skip
    made, _ = create(resource("custom_fields"), given, act)
    return str(made.slot)


def withdraw() -> None:
    """Whoever makes fields was given their permissions: take them from those who shall not see these."""
    session = db.session()
    with acting(session):
        for name in (MASKED, OWN):
            role = session.scalars(select(StaffRole).where(StaffRole.name == f"generic:{name}")).one()
            held = role_rules.rights_of(session, role.id)
            kept = frozenset(g for g in held.grants if not g[0].startswith("guard_custom_"))
            role_rules.give(session, role, role_rules.Rights(kept, held.scopes))
        session.commit()


Slots = dict[str, dict[str, str]]


@pytest.fixture
def fields(world: World, run_outbox: Callable[..., None]) -> Slots:
    """Guarded fields of every kind on customers, two on orders, filled in twice, so that the history holds both."""
    found: Slots = {}
    for of in KINDS:
        slots = found[of] = {"机密文字": add(world, "text", "机密文字", of)}
        if of == "customers":
            slots |= {
                "机密数字": add(world, "number", "机密数字", of),
                "机密选项": add(world, "choice", "机密选项", of, options="普通\n绝密级"),
                "机密多选": add(world, "choices", "机密多选", of, options="明线\n暗线渠道"),
                "机密电话": add(world, "phone", "机密电话", of),
                "机密关联": add(world, "ref", "机密关联", of, target="contacts"),
            }
        slots["基数"] = add(world, "number", "基数", of, guarded=False, places=[Place.FORM])
        text = f"{of}:[{slots['基数']}] + 0.0986"
        slots["机密算式"] = add(world, "formula", "机密算式", of, formula=text, result=Outcome.NUMBER)
    withdraw()
    run_outbox()
    contact, _ = create(resource("contacts"), {"name": SECRETS["机密关联"]}, actor_of(SEES, world))
    held = {
        "机密文字": SECRETS["机密文字"], "机密数字": Decimal(SECRETS["机密数字"]), "机密选项": SECRETS["机密选项"],
        "机密多选": [SECRETS["机密多选"]], "机密电话": SECRETS["机密电话"], "机密关联": contact.id,
        "基数": Decimal(9911),
    }  # fmt: skip
    for of, slots in found.items():
        face = faced(resource(of), world.dealers[HERE])
        values = {slots[label]: value for label, value in held.items() if label in slots}
        for place in (HERE, THERE):
            pk = world.records[of, place]
            update(face, pk, values, actor_of(SEES, world))
            update(face, pk, {slots["机密文字"]: f"{SECRETS['机密文字']}丁"}, actor_of(SEES, world))
    return found


def ways(world: World, of: str, place: str, slots: dict[str, str]) -> list[str]:
    """The addresses that show a record, also by what hangs on the fields."""
    pk, wide = world.records[of, place], "window=all&include=all&scope=dealer"
    paths = [f"/{of}/{pk}", f"/{of}/{pk}/edit", f"/{of}/{pk}/history", f"/api/v1/{of}/{pk}"]
    paths += [f"{base}/{of}?window=all&include=all&per_page=100" for base in ("", "/api/v1")]
    paths += [f"/{of}/charts?window=all", "/audit_entries/?window=all", "/api/v1/audit_entries?window=all"]
    paths.append(f"/api/v1/{of}?fields={','.join(slots.values())}&{wide}")
    for slot in slots.values():
        paths += [f"/{of}/?sort={slot}&{wide}", f"/{of}/charts?{wide}&chart=by_{slot}"]
        paths += [f"/roles/why?list={of}&what=field:{slot}", f"/{of}/pick/{slot}?q={SECRETS['机密关联']}"]
    return paths


def leaks(app: Flask, client: Any, paths: list[str], secrets: dict[str, str]) -> list[str]:
    """Where something got out. What stands in the address itself comes back in it."""
    found = []
    for path in dict.fromkeys(paths):
        answer = client.get(path)
        assert answer.status_code < 500, path
        text = everything(app, answer)
        found += [f"{path}: {label}" for label, s in secrets.items() if s in text and s not in path]
    return found


def elsewhere(secrets: dict[str, str]) -> dict[str, str]:
    """Without what whoever looks may know from elsewhere: contacts and options are seen for themselves."""
    return {k: v for k, v in secrets.items() if k not in ("机密关联", "机密选项", "机密多选")}


def test_nothing_of_guarded_fields_leaves(app: Flask, world: World, clients: Any, fields: Slots) -> None:
    client = clients(MASKED)
    for of, slots in fields.items():
        client.post(f"/{of}/columns", data={"column": list(slots.values())})
        paths = [p for place in (HERE, THERE) for p in ways(world, of, place, slots)]
        assert leaks(app, client, paths, elsewhere(SECRETS)) == []
        named = {k: v for k, v in SECRETS.items() if k != "机密选项"}
        pk = world.records[of, HERE]
        shown = [f"/{of}/{pk}", f"/{of}/{pk}/history", f"/{of}/?window=all&include=all", f"/api/v1/{of}/{pk}"]
        assert leaks(app, client, shown, named) == []
    for who, there in ((SEES, True), (MASKED, False)):
        for kind in ("xlsx", "csv"):
            form = {"columns": "all", "format": kind, "column": list(fields["customers"].values())}
            answer = clients(who).post("/customers/export?window=all&include=all&scope=dealer", data=form)
            text = said(answer.data, kind)
            seen = {label for label, secret in SECRETS.items() if secret in text}
            assert seen == (set(SECRETS) if there else set()), (who, kind)


@pytest.mark.sqlite_only
def test_nothing_leaves_on_other_pages(app: Flask, world: World, clients: Any, fields: Slots) -> None:
    paths = [p for p in others(app) if p != "/metrics"]
    paths += [f"/search?q={SECRETS[label]}" for label in ("机密文字", "机密电话")]
    paths += reads(app, cast(Any, resource("customers")), world, HERE)
    assert leaks(app, clients(MASKED), paths, elsewhere(SECRETS)) == []
    slots = fields["customers"]
    for who, place in ((OWN, THERE), (FOREIGN, HERE)):
        assert leaks(app, clients(who), ways(world, "customers", place, slots), elsewhere(SECRETS)) == []


@pytest.mark.sqlite_only
def test_it_cannot_be_guessed_or_written(app: Flask, world: World, clients: Any, fields: Slots) -> None:
    """Neither filter nor order nor form nor API takes the field from who may not see it, and what stands there
    stays; who may see it finds it, so that the tests above can fail."""
    client, slots = clients(MASKED), fields["customers"]
    pk, text = world.records["customers", HERE], slots["机密文字"]
    for asked in ({text: "密文甲乙丙丁"}, {f"{slots['机密数字']}.from": "1"}, {"sort": slots["机密数字"]}):
        assert client.get("/api/v1/customers/", query_string=asked).status_code == 400, asked
    assert f'name="{text}"' not in client.get(f"/customers/{pk}/edit").get_data(as_text=True)
    version = client.get(f"/api/v1/customers/{pk}").json["result"]["version"]
    client.patch(f"/api/v1/customers/{pk}", json={"version": version, text: "改了", "name": "新名"})
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, pk), text) == "密文甲乙丙丁"
    assert "机密文字" not in said(client.get("/customers/import/template").data, "xlsx")
    client = clients(SEES)
    page = client.get(f"/customers/{pk}").get_data(as_text=True)
    assert [label for label, secret in SECRETS.items() if secret not in page] == []
    found = client.get(f"/customers/?{text}=密文甲乙丙丁&window=all&include=all").get_data(as_text=True)
    assert f'href="/customers/{pk}"' in found


@pytest.mark.sqlite_only
def test_the_permission_stands_in_the_tree_of_its_dealer(world: World, clients: Any, fields: Slots) -> None:
    assert fields
    field = db.session.query(CustomField).filter_by(label="机密文字", resource="customers").one()
    pair = (f"guard_custom_{field.id}", "Guards")
    for who, role, there in ((SEES, MASKED, True), (FOREIGN, FOREIGN, False)):
        edited = db.session.query(StaffRole).filter_by(name=f"generic:{role}").one()
        page = clients(who).get(f"/roles/{edited.id}/edit").get_data(as_text=True)
        assert ("查看机密文字" in page) is there and (f"{pair[0]}@Guards" in page) is there
        assert (pair in actor_of(who, world).permissions) is there
