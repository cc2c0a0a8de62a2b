"""Whatever administrators come up with: every page still opens, nothing guarded leaks, and the file that leaves is
the file that comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.engine.configured import difference, files
from app.engine.database import db
from app.engine.faces import faced
from app.engine.guards import CUSTOMER_PHONE
from app.engine.menus import entries
from app.engine.perform import create, update
from app.engine.resource import resource
from models.identity import presets
from models.identity.resources import Roles
from models.settings.tables import EntryTone
from models.shaping import dashboard_tiles, menus
from models.shaping.custom_fields import CustomField
from models.shaping.dashboards import Board
from models.shaping.view_tables import SavedView
from tests.customers.world import PASSWORD, World
from tests.plugins.people import Login

PHONE, OTHER = "13800000471", "13911112222"
ROLE = "试用"
FIELDS = {
    "户型": "choice", "房屋面积": "number", "开工日期": "date", "样板间": "bool", "昵称": "text", "备用电话": "phone",
    "预算": "money", "说明": "textarea",
}  # fmt: skip
OPTIONS = [{"value": v, "label": v, "tone": "good", "active": True} for v in ("一居", "两居", "三居")]
CONDITIONS = (
    ("stage", ["following"]), ("level", ["A", "B"]), ("[户型]", ["两居"]), ("[样板间]", ["1"]),
    ("[房屋面积].from", ["10"]), ("[开工日期].in", ["month"]), ("created_at.in", ["week"]), ("sort", ["-created_at"]),
    ("followed", ["1"]),
)  # fmt: skip
COLUMNS = ("name", "phone", "level", "stage", "owner_id", "created_at", *(f"[{n}]" for n in FIELDS))
COLOURS = (["level", "A", "r"], ["[户型]", "两居", "g"], ["[样板间]", "1", "a"])
PEOPLE = ("boss", "keeper", "seller", "tester")


def some(of: Any, most: int = 4) -> st.SearchStrategy[list[Any]]:
    """A few of these, each once, in any order."""
    return st.lists(st.sampled_from(list(of)), max_size=most, unique_by=repr)


def on(source: str) -> str:
    """The rule that a field is there for those from a source, or that it goes with another field."""
    return {"户型": "customers:[户型]=两居|三居"}.get(source, "customers:stage=ordered")


@st.composite
def a_field(draw: st.DrawFn, label: str) -> dict[str, Any]:
    """One added field in its places, with its rules."""
    kind = FIELDS[label]
    found: dict[str, Any] = {
        "resource": "customers", "label": label, "kind": kind, "required": draw(st.booleans()),
        "position": draw(st.integers(0, 999)), "section": draw(st.sampled_from(["更多信息", "装修"])),
        **{f"in_{p}": draw(st.booleans()) for p in ("form", "list", "filter", "template")},
        "in_sort": kind in ("number", "money", "date") and draw(st.booleans()),
        "in_chart": kind in ("choice", "bool") and draw(st.booleans()),
    }  # fmt: skip
    if kind == "choice":
        found["options"] = [{**o, "active": n == 0 or draw(st.booleans())} for n, o in enumerate(OPTIONS)]
    elif draw(st.booleans()):
        found["shown_when"] = on("")
    return found


@st.composite
def a_view(draw: st.DrawFn, name: str, there: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A shared view, of fields that are there."""

    def known(said: str, place: str = "") -> bool:
        label = said[1:].partition("]")[0]
        return not said.startswith("[") or (label in there and (not place or there[label][place]))

    conditions = [c for c in draw(some(CONDITIONS)) if known(c[0], "in_filter")]
    return {
        "resource": "customers", "name": name, "audience": "dealer", "is_default": draw(st.booleans()),
        "summary": "", "conditions": [{"field": f, "values": v} for f, v in conditions],
        "columns": ["name", *(c for c in draw(some(COLUMNS, 6)) if known(c) and c != "name")],
        "colours": [c for c in draw(some(COLOURS, 2)) if known(c[0])],
    }  # fmt: skip


@st.composite
def a_board(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A dashboard of declared and composed charts."""
    customers = resource("customers")
    single = [g for g, s in dashboard_tiles.groups(customers).items() if s.links is None]
    tiles = st.one_of(
        st.sampled_from([{"list": "customers", "chart": c.name} for c in customers.charts]),
        st.builds(lambda by: {"list": "customers", "kind": "breakdown", "by": by}, st.sampled_from(single)),
        st.builds(
            lambda at: {"list": "customers", "kind": "trend", "at": at},
            st.sampled_from(sorted(dashboard_tiles.times(customers))),
        ),
        st.just(
            {"list": "customers", "kind": "number", "own": [{"field": "stage", "values": ["following"]}]}
        ),
    )
    width = st.integers(1, 3)
    listed = [{**t, "width": draw(width)} for t in draw(st.lists(tiles, max_size=4))]
    roles = draw(st.booleans())
    return {
        "name": name, "icon": "layout-dashboard", "sort": draw(st.integers(0, 999)),
        "shared": "roles" if roles else "all", "roles": [{"label": ROLE}] if roles else [], "tiles": listed,
    }  # fmt: skip


@st.composite
def a_menu(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Entries renamed, hidden, moved, and a group with a link of its own."""
    keys = [k for k in menus.declared(entries()) if not menus.names_group(k) and k != menus.SELF]
    found: list[dict[str, Any]] = []
    for n, key in enumerate(draw(some(keys))):
        piece: dict[str, Any] = {"key": key, "label": f"栏目{n}"}
        piece |= {"hidden": True} if draw(st.booleans()) else {}
        piece |= {"roles": [{"label": ROLE}]} if draw(st.booleans()) else {}
        found.append(
            piece | ({"place": "own:a1", "sort": draw(st.integers(1, 9))} if draw(st.booleans()) else {})
        )
    group = {"key": "own:a1", "label": "另设", "icon": "folder", "sort": draw(st.integers(0, 900_000))}
    link = {"key": "link:a1", "label": "链接", "icon": "link", "sort": 1, "place": "own:a1", "url": "/tasks/"}
    return [*found, group, link]


@st.composite
def configurations(draw: st.DrawFn, grants: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Entries of every kind, which may lean on each other."""
    there = {label: draw(a_field(label)) for label in draw(some(FIELDS, len(FIELDS)))}
    tones = st.sampled_from([t.value for t in EntryTone])
    return {
        "custom_fields": list(there.values()),
        "saved_views": [draw(a_view(n, there)) for n in draw(some("甲乙丙", 3))],
        "boards": [draw(a_board(n)) for n in draw(some("早午晚", 2))],
        "menu-settings": draw(a_menu()),
        "dictionary_entries": [
            {"dictionary": "receipt.method", "value": v, "label": v, "tone": draw(tones), "active": draw(st.booleans())}
            for v in draw(some(["支票", "汇票", "礼券"], 3))
        ],
        "parameters": [{"key": "number.customer.digits", "value": n} for n in draw(some(range(3, 9), 1))],
        "tags": [{"name": n} for n in draw(some(["急装", "缓装"], 2))],
        "roles": [
            {
                "label": ROLE,
                "grants": sorted({*draw(some(grants, 60)), *(["can_list@Customers"] if draw(st.booleans()) else [])}),
                "scopes": [f"customers:{s}" for s in draw(some(["mine", "store", "dealer"], 2))],
            }
        ],
    }  # fmt: skip


@pytest.fixture
def furnished(world: World) -> World:
    """Somebody with the role that changes, and customers whose numbers are to be hidden."""
    role, _ = create(Roles, {"label": ROLE, "grants": [], "scopes": []}, world.actor("boss"))
    from app.engine.audit import acting

    session = db.session()
    with acting(session):
        presets.add_person(
            session, dealer_id=world.a.id, username="tester", name="试用员", password=PASSWORD,
            roles=[role], stores=[world.stores[0]],
        )  # fmt: skip
        presets.bump_epoch(session)
        session.commit()
    world.customer("seller", name="周敏", phone=PHONE, level="A")
    return world


def carry(world: World, body: dict[str, Any]) -> None:
    """Bring a file in as the dealer's administrator."""
    actor, session = world.actor("boss"), db.session()
    found = difference.plan(session, files.read(json.dumps(body)), actor, world.a.id)
    difference.carry_out(session, found, actor)


def export(world: World) -> str:
    """What is configured."""
    return difference.export(db.session(), world.actor("boss"), world.a.id)


def pages(customer: int) -> list[str]:
    """The pages that shaping changes, with every view and dashboard there is."""
    session = db.session()
    views = session.scalars(select(SavedView.id).where(SavedView.state == "active"))
    boards = session.scalars(select(Board.id))
    return [
        "/", "/customers/?on_view=-&window=all", "/customers/new", f"/customers/{customer}", "/customers/charts",
        f"/customers/{customer}/edit", f"/customers/{customer}/history", f"/search?q={PHONE[-4:]}",
        *(f"/customers/?saved_view={i}" for i in views), *(f"/boards/{i}?day=all" for i in boards),
    ]  # fmt: skip


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_configuration_opens_leaks_nothing_and_comes_back_the_same(
    furnished: World, login: Login, data: st.DataObject
) -> None:
    world, session = furnished, db.session()
    boss = world.actor("boss")
    held = [f"{name}@{view}" for name, view in sorted(boss.permissions)]
    body = json.loads(export(world))
    roles = [r for r in body["kinds"]["roles"] if r["label"] != ROLE]
    wanted = data.draw(configurations(held))
    restricting = "@".join(CUSTOMER_PHONE.permission)
    if data.draw(st.booleans()):
        wanted["roles"][0]["grants"] = sorted({*wanted["roles"][0]["grants"], restricting})
    body["kinds"] |= wanted | {"roles": [*roles, *wanted["roles"]]}
    carry(world, body)
    text = export(world)
    assert {f["label"] for f in json.loads(text)["kinds"]["custom_fields"]} == {
        f["label"] for f in wanted["custom_fields"]
    }
    customer = session.execute(select(resource("customers").model.id)).scalars().first()
    slot = session.scalar(
        select(CustomField.slot).where(CustomField.label == "备用电话", CustomField.removed_at.is_(None))
    )
    if slot is not None:
        own = faced(resource("customers"), world.a.id)
        if any(s.name == slot for g in own.groups(True) for s in g.fields if hasattr(s, "name")):
            update(own, customer, {slot: OTHER}, boss)
    for person in PEOPLE:
        client, hides = login(person), CUSTOMER_PHONE.hides(world.actor(person))
        for address in pages(customer):
            answer = client.get(address)
            assert answer.status_code in (200, 302, 403, 404), (person, address, answer.status_code)
            shown = answer.get_data(as_text=True)
            if hides:
                assert PHONE not in shown and OTHER not in shown, (person, address)
    emptied = json.loads(text)
    emptied["kinds"] |= {n: [] for n in wanted} | {"roles": [*roles, {"label": ROLE}]}
    carry(world, emptied)
    carry(world, json.loads(text))
    assert export(world) == text
    assert difference.plan(session, files.read(text), world.actor("boss"), world.a.id).steps == []
