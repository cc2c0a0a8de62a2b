"""The domains: what things are, what may happen to them, how they are shown."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache

DOMAINS = (
    "identity",
    "settings",
    "notifications",
    "clock_rules",
    "announcements",
    "shaping",
    "customers",
    "follow_ups",
    "orders",
    "registrations",
    "analytics",
)
PARTS = (
    "tables",
    "menu_tables",
    "dictionaries",
    "settings",
    "rules",
    "effects",
    "timeline",
    "delivery",
    "notices",
    "returning",
    "merging",
    "jobs",
    "resources",
    "contact_resources",
    "duplicate_resources",
    "tracking_resources",
    "admin_resources",
    "menu_resources",
    "custom_resources",
    "automation_resources",
    "automations",
    "layout_resources",
    "template_resources",
    "notice_resources",
    "approval_resources",
    "clock",
    "dashboards",
    "dashboard_resources",
    "brief_resources",
    "kinds",
    "home",
    "views",
)

ENGINE = (
    "audit",
    "keys",
    "clock",
    "detail",
    "once",
    "outbox",
    "jobs",
    "exports",
    "imports.tables",
    "jobcentre",
    "configured.noting",
)
"""Parts of the engine with tables, kinds of jobs or screens of their own."""


@cache
def load() -> None:
    """Import every domain in the order of their dependencies and derive what follows from the
    declarations; once per process."""
    for domain in DOMAINS:
        for part in PARTS:
            name = f"models.{domain}.{part}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
    for part in ENGINE:
        importlib.import_module(f"app.engine.{part}")
    from app.engine import indexes

    indexes.derive()
