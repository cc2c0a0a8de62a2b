"""The world of the generated tests holds what they rely on."""

from __future__ import annotations

from flask import Flask

from app.engine.resource import resources
from tests.generic.world import PLACES, World, guarded


def test_every_resource_has_a_record_in_every_place(app: Flask, world: World) -> None:
    missing = [(r.name, p) for r in resources() for p in PLACES if world.id(r, p) is None]
    assert missing == []


def test_every_guarded_column_holds_a_secret(app: Flask, world: World) -> None:
    kept = {name for name, _, _ in world.secrets}
    assert {r.name for r in resources() if guarded(r)} <= kept
    assert len(world.phones()) > 10
    assert world.prices()
