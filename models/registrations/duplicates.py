"""Leads that claim the same customer (E-28, E-29, E-53)."""

from __future__ import annotations

from app.engine.actions import Act
from models.registrations.tables import Registration


def check(act: Act, lead: Registration) -> None:
    """Mark a lead whose customer somebody else may have claimed, and say so."""
