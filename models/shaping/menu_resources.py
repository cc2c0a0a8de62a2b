"""菜单设置 declares who may shape the menu, and its history; the page is `views/menu_settings.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine.actions import Act, Refusal
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.menu_groups import SHAPING
from models.shaping import menu_rules, menus
from models.shaping.menu_tables import MenuShape

__all__ = ["MenuSettings", "menu_rules"]


def keep_to_page(row: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Pieces are changed on the page of the menu, where each deed is checked."""
    raise Refusal("请在“菜单设置”页面修改")


class MenuSettings(Resource, model=MenuShape, name=menus.SELF):
    """菜单设置: names, order, groups and visibility of the menu's entries."""

    label = "菜单项"
    icon = "list-details"
    menu = Menu(SHAPING, label="菜单设置", icon="list-details", order=943)
    scopes = Scopes(dealer=MenuShape.dealer_id, shared=True)
    title = MenuShape.name
    edit_form = (Group("菜单项", MenuShape.label),)
    update = staticmethod(keep_to_page)
    api = False
