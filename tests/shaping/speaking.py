"""What speaks of added fields: automations, layouts, approvals, templates and time rules of the small trade."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select

from app.engine import conditions
from app.engine.database import db
from app.engine.layouts import FULL, Spot
from app.engine.perform import create
from app.engine.resource import resource
from models.clock_rules.rules import SURE
from models.clock_rules.tables import ClockRule
from models.shaping.custom_fields import CustomField
from models.shaping.template_tables import TemplateKind
from tests.customers.world import World
from tests.shaping.automations import automation, setting, where
from tests.shaping.fields import add
from tests.shaping.layouts import changed, hiding, lay, plan_of


def slots(dealer_id: int) -> dict[str, str]:
    """Where a dealer's fields are kept, by what they are called."""
    rows = db.session.scalars(select(CustomField).where(CustomField.dealer_id == dealer_id))
    return {row.label: row.slot for row in rows}


def speak(world: World) -> dict[str, str]:
    """Something of every kind that names added fields; returns their slots."""
    boss = world.actor("boss")
    add(world, "施工节点", "choice", options="水电\n木工")
    add(world, "昵称", "text")
    add(world, "预算:万元", "number")
    add(world, "进场日期", "date")
    add(world, "介绍人", "ref", target="customers")
    known = slots(world.a.id)
    asks = [
        {"field": known["施工节点"], "is": "one_of", "value": ["水电"]},
        {"any": [{"field": known["预算:万元"], "is": "at_least", "value": [20]},
                 {"not": {"field": known["昵称"], "is": "empty"}}]},
    ]  # fmt: skip
    read = partial(conditions.from_json, actor=boss, session=db.session())
    acts = setting(known["昵称"], "老客户")
    automation(
        world, event="changed", watched=known["施工节点"], condition=read(where(*asks)).to_json(), **acts
    )
    asked = where(*asks, {"field": "asked.count", "is": "at_least", "value": [2]}, of="customers/invalidate")
    asked = read(asked).to_json()
    create(
        resource("approval_flows"),
        {"name": "作废审批", "subject": "customers", "deed": "customers/invalidate", "condition": asked,
         "steps": [{"who": "role:admin", "named": "商场系统管理员"}], "active": True, "sort": 100},
        boss,
    )  # fmt: skip
    plan = hiding(plan_of(world, "detail"), known["昵称"])
    lay(world, changed(plan, {known["预算:万元"]: Spot(known["预算:万元"], FULL)}), "detail")
    budget = known["预算:万元"]
    texts = {
        "head": "{{客户姓名}} {{施工节点}}", "body": f"{{{{{budget}}}}}\n{{{{ owner_id.name }}}}",
        "foot": f"{{{{customer_id.{budget}}}}}",
    }  # fmt: skip
    for about, parts in (("customers", ("head", "body")), ("service_orders", ("foot",))):
        values = {"kind": TemplateKind.PRINT, "resource": about, "name": "资料单", "active": True}
        values |= {"body": "单据"} | {part: texts[part] for part in parts}
        create(resource("text_templates"), values, boss)
    above = db.session.scalars(select(ClockRule).where(ClockRule.code.is_not(None))).first()
    assert above is not None
    same = {n: getattr(above, n) for n in ("unit", "direction", "effect", "repeat", "parameters")}
    counts = {
        "name": "进场提醒",
        "subject": "customers",
        "start": known["进场日期"],
        "amount": 3,
        "at": "08:00",
    }
    create(
        resource("clock_rules"), same | counts | {"condition": read(where(*asks)).to_json(), "active": True}, boss,
        answers=(SURE,),
    )  # fmt: skip
    return known
