"""Fields as an administrator of the small trade adds them, and records that hold values of theirs."""

from __future__ import annotations

from typing import Any

from app.engine.faces import faced
from app.engine.perform import create, perform
from app.engine.resource import resource
from models.shaping.custom_fields import CustomField, FieldKind, Outcome, Place
from models.shaping.custom_rules import SURE
from tests.customers.world import World

USUAL = (Place.FORM, Place.LIST, Place.FILTER, Place.TEMPLATE)


def add(world: World, label: str, kind: str, by: str = "boss", **values: Any) -> CustomField:
    """A field as an administrator adds it: everywhere but in charts and orders."""
    places = [*USUAL, *values.pop("also", ())]
    values = {"resource": "customers", "section": "更多信息", "position": 100, "places": places, **values}
    if "result" in values:
        values["result"] = Outcome.of(values["result"])
    made, _ = create(
        resource("custom_fields"), {"label": label, "kind": FieldKind.of(kind), **values}, world.actor(by)
    )
    return made  # type: ignore[no-any-return]


def formula(world: World, label: str, text: str, result: str = "number", **values: Any) -> CustomField:
    """A formula over slots, as it is stored."""
    return add(world, label, "formula", formula=f"customers:{text}", result=result, **values)


def act(world: World, name: str, field: CustomField, by: str = "boss") -> None:
    """An action on a field, by somebody who has read what it means."""
    found = next(a for a in resource("custom_fields").actions if a.name == name)
    perform(found, [field.id], world.actor(by), {}, answers=[SURE])


def file_with(world: World, by: str = "seller", **values: Any) -> Any:
    """A customer filed by the form of that person's dealer."""
    actor = world.actor(by)
    values = {"name": "张女士", "phone": world.next_phone(), **values}
    record, _ = create(faced(resource("customers"), actor.dealer_id), values, actor)
    return record
