"""The screens that no declaration can describe."""

from __future__ import annotations

import importlib
import importlib.util

from views.home import HomeView, SearchView
from views.login import LoginView

VIEWS: list[type] = [LoginView, SearchView]
for _name in (
    "views.account", "views.notifications", "views.imports", "views.roles", "views.parameters",
    "views.handover", "views.announcements",
):  # fmt: skip
    if importlib.util.find_spec(_name) is not None:
        VIEWS += importlib.import_module(_name).VIEWS

__all__ = ["VIEWS", "HomeView"]
