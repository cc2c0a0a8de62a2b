"""The screens that no declaration can describe."""

from __future__ import annotations

import importlib
import importlib.util

from views.home import HomeView, SearchView
from views.login import LoginView

VIEWS: list[type] = [LoginView, SearchView]
_NAMES = (
    "account", "notifications", "imports", "jobcentre", "backlog", "roles", "role_reach", "previews", "why",
    "role_people", "parameters", "handover", "announcements",
    "dashboards", "registration_tracking", "registration_measuring", "registration_audit",
    "registration_statistics", "registration_standing", "dictionaries", "boards", "menu_settings",
    "configuration", "list_views", "automations", "layouts", "templates", "briefs", "notice_words",
)  # fmt: skip
for _name in (f"views.{name}" for name in _NAMES):
    if importlib.util.find_spec(_name) is not None:
        VIEWS += importlib.import_module(_name).VIEWS

__all__ = ["VIEWS", "HomeView"]
