"""Something of every kind that administrators shape: menu, fields, dashboards, views."""

from __future__ import annotations

from typing import Any

from app.engine.actions import Act
from app.engine.choices import Tone
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from models.customers.tables import Tag
from models.identity.presets import preset_role
from models.shaping import menu_rules, menus, view_rules
from models.shaping.dashboards import Sharing
from models.shaping.view_tables import Audience, SavedView
from tests.customers.world import World
from tests.shaping.test_custom_fields import add
from tests.shaping.test_dashboards import board


def shared_view(world: World, name: str, audience: Audience = Audience.DEALER, **more: Any) -> SavedView:
    """A view of customers as the administrator makes and shares one."""
    actor, session = world.actor("boss"), db.session()
    act = Act(actor, utcnow(), session, "web", "create")
    args = more.pop("args", {"stage": ["following"]})
    whom = {k: more.pop(k) for k in ("role_id", "store_id") if k in more}
    with deed(act):
        view = view_rules.make(
            act, view_rules.list_of(act.actor, "customers"), name, args, more.pop("words", "阶段：跟进中")
        )
        values = {"name": name, "audience": audience, "window": "", "is_default": False, **whom, **more}
        view_rules.change(act, view, values)
    return view


def shape_menu(world: World) -> str:
    """A renamed entry, one that is hidden from a role, a group and a link; returns the group's key."""
    actor, session = world.actor("boss"), db.session()
    act = Act(actor, utcnow(), session, "web", "update")
    seller = preset_role(session, world.a.id, "consultant")
    with deed(act):
        menu_rules.change(act, world.a.id, "customers", {"label": "我的客户"})
        menu_rules.change(act, world.a.id, "contacts", {"roles": [seller.name]})
        group = menu_rules.add(act, world.a.id, menus.OWN_GROUP, {"label": "门店工具"})
        link = {"label": "价目表", "url": "/announcements/", "place": group}
        menu_rules.add(act, world.a.id, menus.LINK, link)
    return group


def furnish_shapes(world: World) -> None:
    """All of it, leaning on each other: views and tiles speak of fields, stores, people, tags and roles."""
    session = db.session()
    stage = add(world, "装修阶段", "choice", options="毛坯\n硬装\n软装", also=["chart"])
    add(world, "房屋面积", "number", unit="㎡", also=["sort"], minimum=None)
    add(
        world, "开工日期", "date",
        shown_when=f"customers:{stage.slot}=硬装|软装", needed_when="customers:stage=ordered",
    )  # fmt: skip
    world.tag("急装")
    shape_menu(world)
    tag = session.query(Tag).filter_by(name="急装").one()
    own = {"store_id": [str(world.stores[0].id)], "stage": ["following"]}
    tiles = [{"list": "customers", "kind": "breakdown", "by": "level", "own": own, "title": "本店分级"},
             {"list": "customers", "chart": "source", "width": 2}]  # fmt: skip
    roles = [preset_role(session, world.a.id, "manager").id]
    board(world, *tiles, name="早会", shared=Sharing.ROLES, roles=roles)
    board(world, *tiles[1:], name="自用")
    conditions = {"owner_id": [str(world.people["seller"].id)], "tags": [str(tag.id)], stage.slot: ["硬装"],
                  "cols": ["name", stage.slot, "level"], "sort": ["-created_at"]}  # fmt: skip
    shared_view(world, "本周到期", args=conditions, colour1=f"{stage.slot}=硬装", tone1=Tone.WARN.value)
    shared_view(world, "本店的", Audience.STORE, store_id=world.stores[0].id)
    shared_view(world, "导购的", Audience.ROLE, role_id=preset_role(session, world.a.id, "consultant").id)
    act = Act(world.actor("boss"), utcnow(), session, "web", "create")
    with deed(act):
        view_rules.make(
            act, view_rules.list_of(act.actor, "customers"), "我自己的", {"stage": ["ordered"]}, ""
        )


__all__ = ["furnish_shapes", "shape_menu", "shared_view"]
