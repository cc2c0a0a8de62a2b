"""The domains: what things are, what may happen to them, how they are shown."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache

DOMAINS = ("identity", "settings", "notifications", "announcements", "customers", "follow_ups", "orders")
PARTS = (
    "tables",
    "dictionaries",
    "rules",
    "timeline",
    "delivery",
    "notices",
    "returning",
    "resources",
    "duplicate_resources",
    "admin_resources",
)


@cache
def load() -> None:
    """Import every domain in the order of their dependencies and derive what follows from the
    declarations; once per process."""
    for domain in DOMAINS:
        for part in PARTS:
            name = f"models.{domain}.{part}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
    from app.engine import audit, clock, detail, indexes, jobs, once, outbox  # noqa: F401 - their tables
    from app.engine.imports import tables  # noqa: F401

    indexes.derive()
