"""Whatever administrators arrange, every form works, every page shows what it may, and nothing hidden is lost."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine import layouts
from app.engine.actions import Act
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec
from app.engine.layouts import Part, Plan, Spot
from app.engine.resource import Resource, resource, resources
from app.setup import actor_of
from models.shaping import layout_rules
from models.shaping.layout_queries import pages_of
from models.shaping.layout_tables import LayoutPage
from tests.generic.leaks import everything, found_in
from tests.generic.test_forms import CHINESE, HAND_WRITTEN, fresh, good, person_for
from tests.generic.world import HERE, MASKED, World

pytestmark = pytest.mark.sqlite_only
LAID = [pytest.param(r.name, id=r.name) for r in resources() if r.name not in HAND_WRITTEN and pages_of(r)]
_ARRANGED_BY = "admin"


def anyhow(found: type[Resource], page: LayoutPage, lot: random.Random) -> tuple[Plan, set[str]]:
    """Some plan with everything hidden that can be, and what that is."""
    specs = layout_rules.specs_of(found, page.value)
    names = [s.name for s in specs]
    lot.shuffle(names)
    away = set(names) if page is not LayoutPage.DETAIL else set(names[1:])
    away -= layouts.needed(specs, away).keys() if page is not LayoutPage.DETAIL else set()
    if away == set(names):
        away.discard(names[0])
        away -= layouts.needed(specs, away).keys() if page is not LayoutPage.DETAIL else set()
    declared = list(layouts.declared(found, page.value))
    lot.shuffle(declared)
    parts = [*(replace(p, spots=()) for p in declared), Part("+1", "另设", ())]
    for name in names:
        at = lot.randrange(len(parts))
        spot = Spot(name, lot.choice(["", "full", "half"]), name in away)
        parts[at] = replace(parts[at], spots=(*parts[at].spots, spot))
    return tuple(parts), away


def arrange(found: type[Resource], page: LayoutPage, lot: random.Random) -> set[str]:
    """Lay the page out for everybody; returns what is hidden."""
    plan, away = anyhow(found, page, lot)
    act = Act(actor_of(_ARRANGED_BY), utcnow(), db.session(), "web", "调整布局")
    with deed(act):
        layout_rules.save(act, found, page, (None, None), plan)
    return away


def stored(spec: FieldSpec, pk: int) -> Any:
    """What the record holds in a column."""
    model = spec.attribute.class_
    return db.session.scalar(select(spec.attribute).where(model.id == pk))


def keeps(spec: FieldSpec) -> bool:
    """Whether nothing but the form itself changes it: not what follows another field that the form changes."""
    return spec.attribute is not None and not (spec.shown_when or spec.opens_when)


@pytest.mark.parametrize("name", LAID)
def test_any_layout_works(app: Flask, world: World, clients: Any, restorer: Any, name: str) -> None:
    found, lot = resource(name), random.Random(name)
    assert found is not None
    client, pk = clients(person_for(found)), world.id(found, HERE)
    for page in pages_of(found):
        away = arrange(found, page, lot)
        url = {
            LayoutPage.NEW: f"/{name}/new",
            LayoutPage.EDIT: f"/{name}/{pk}/edit",
            LayoutPage.DETAIL: f"/{name}/{pk}",
        }[page]
        answer = client.get(url)
        assert answer.status_code == 200, url
        text = answer.get_data(as_text=True)
        mark = "data-name" if page is LayoutPage.DETAIL else "data-field"
        assert not {n for n in away if f'{mark}="{n}"' in text}, url
        if page is LayoutPage.DETAIL:
            seen = everything(app, clients(MASKED).get(url))
            assert not found_in(seen, [*world.phones(), *world.prices()])
            continue
        editing = page is LayoutPage.EDIT
        sent = good(found, world, editing=editing, number=93 if editing else 92) | (
            {} if editing else fresh(found, world)
        )
        sent = {n: v for n, v in sent.items() if n not in away}
        sent |= dict(re.findall(r'type="hidden" name="(version|_once)" value="([^"]*)"', text))
        specs = [s for s in layout_rules.specs_of(found, page.value) if s.name in away and keeps(s)]
        before = {s.name: stored(s, pk) for s in specs} if editing and pk else {}
        answer = client.post(url, data=sent)
        said = re.findall(
            r'class="err"[^>]*>.*?</p>|role="alert".*?</div>', answer.get_data(as_text=True), re.S
        )
        assert answer.status_code in (200, 302, 400), url  # 200 asks or tells something
        assert answer.status_code != 400 or CHINESE.search("".join(said)), url
        assert {s.name: stored(s, pk) for s in specs if s.name in before} == before
