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


def test_a_leak_would_be_found() -> None:
    """The detector itself, on what it must and must not report."""
    from decimal import Decimal

    from tests.generic.leaks import found_in

    phone, price = "13846217039", Decimal("73519.86")
    for text in ("138462", "x46217y", "17039", "tel:13846217039"):
        assert found_in(text, [phone]), text
    for text in ("138****7039", "1384", "7039", "2026-11-22 18:14:36"):
        assert not found_in(text, [phone]), text
    for text in ("¥73,519.86", "73519.86", '"73519.86"', "7351986"):
        assert found_in(text, [price]), text
    assert not found_in("73519", [Decimal("73520.00")])
