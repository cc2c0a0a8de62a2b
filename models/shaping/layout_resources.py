"""页面布局 declares who may lay out pages, and the history of it; the pages are `views/layouts.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine.actions import Act, Refusal
from app.engine.configuring import Writer, configurable
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.menu_groups import SHAPING
from models.shaping import layout_queries, layout_rules
from models.shaping.layout_tables import PageLayout

__all__ = ["PageLayouts", "layout_queries", "layout_rules"]


def keep_to_page(row: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Layouts are changed on their own page, where each is checked against its fields."""
    raise Refusal("请在“页面布局”中修改")


class PageLayouts(Resource, model=PageLayout, name=layout_queries.SELF):
    """页面布局: the sections of forms and record pages, for everybody or for a role."""

    label = "页面布局"
    icon = "layout"
    menu = Menu(SHAPING, label="页面布局", icon="layout", order=941)
    scopes = Scopes(dealer=PageLayout.dealer_id, shared=True)
    title = PageLayout.name
    edit_form = (Group("布局", PageLayout.parts),)
    update = staticmethod(keep_to_page)
    api = False


configurable(
    PageLayouts,
    key=(PageLayout.resource, PageLayout.page, PageLayout.role_id),
    content=(PageLayout.parts,),
    writer=Writer(layout_rules.keep_layout, layout_rules.drop_layout),
    spoken=layout_rules.SPOKEN,
    names=layout_rules.NAMES,
    without="页面上不再有它，其他不变",
)
