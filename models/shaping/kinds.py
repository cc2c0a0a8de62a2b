"""What of this package is configuration; fields first, because views and dashboards speak of them."""

from __future__ import annotations

from models.shaping import custom_config, dashboard_config, menu_config, view_config

__all__ = ["custom_config", "dashboard_config", "menu_config", "view_config"]
