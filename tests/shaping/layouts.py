"""What the tests of layouts share: the editor's form, sent as a browser would."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from app.engine import faces, layouts
from app.engine.actions import Act
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.layouts import FULL, Plan, Spot
from app.engine.resource import resource
from models.shaping import layout_rules
from models.shaping.layout_tables import LayoutPage, PageLayout
from tests.customers.world import World
from views.layout_drawing import wide_of

EDITOR = "/layouts/edit"


def sent(plan: Plan, page: str = "new", of: str = "customers", **more: Any) -> dict[str, Any]:
    """What the editor's form sends of a plan."""
    row: list[str] = []
    titles: dict[str, str] = {}
    for part in plan:
        row += [f"#{part.key}", *(spot.name for spot in part.spots)]
        titles[f"title:{part.key}"] = part.title
    spots = [spot for part in plan for spot in part.spots]
    wide = wide_of(resource(of), LayoutPage.of(page))
    full = [s.name for s in spots if s.width == FULL or (not s.width and s.name in wide)]
    hide = [s.name for s in spots if s.hidden]
    return {
        "resource": of,
        "page": page,
        "version": "0",
        "do": "save",
        "at": row,
        "full": full,
        "hide": hide,
    } | (titles | more)


def shown_in(page: str) -> list[str]:
    """The fields of a form as they stand on its page."""
    return re.findall(r'data-field="([^"]+)"', page.split("data-side")[-1] if "data-side" in page else page)


def plan_of(world: World, page: str = "new", of: str = "customers", dealer: int | None = None) -> Plan:
    """The declared plan as the first dealer has it."""
    return layouts.declared(faces.faced(resource(of), dealer or world.a.id), page)


def hiding(plan: Plan, *names: str) -> Plan:
    """The plan with these fields hidden."""
    return changed(plan, {n: Spot(n, hidden=True) for n in names})


def changed(plan: Plan, spots: dict[str, Spot]) -> Plan:
    """The plan with these fields otherwise."""
    return tuple(replace(p, spots=tuple(spots.get(s.name, s) for s in p.spots)) for p in plan)


def lay(
    world: World,
    plan: Plan,
    page: str = "new",
    of: str = "customers",
    by: str = "boss",
    role: int | None = None,
) -> PageLayout | None:
    """Keep a layout as an administrator does."""
    actor = world.actor(by)
    act = Act(actor, utcnow(), db.session(), "web", "update")
    found, wanted = layout_rules.page_of(actor, of, page, actor.dealer_id)
    assert isinstance(wanted, LayoutPage)
    with deed(act):
        return layout_rules.save(act, found, wanted, (actor.dealer_id, role), plan)
