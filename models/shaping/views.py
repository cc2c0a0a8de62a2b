"""The administrators' page of saved views; they are made on the lists themselves."""

from __future__ import annotations

from app.engine.resource import Group, Menu, Resource, Tool
from app.engine.scopes import Scopes
from models.identity.menu_groups import SHAPING
from models.shaping import view_queries, view_rules
from models.shaping.view_tables import Audience, SavedView, ViewState

__all__ = ["SavedViews", "view_queries", "view_rules"]


class SavedViews(Resource, model=SavedView):
    """视图管理: which views of which lists there are, and for whom."""

    label = "视图"
    unit = "个视图"
    icon = "layout-list"
    menu = Menu(SHAPING, label="视图管理", icon="layout-list", order=942)
    scopes = Scopes(mine=SavedView.owner_id, dealer=SavedView.dealer_id, shared=True)
    title = SavedView.name
    columns = (
        SavedView.name,
        SavedView.resource,
        SavedView.audience,
        SavedView.role_id,
        SavedView.store_id,
        SavedView.is_default,
        SavedView.summary,
        SavedView.owner_id,
        SavedView.state,
        SavedView.updated_at,
    )
    filters = (SavedView.resource, SavedView.audience, SavedView.state)
    leaves_out = ((SavedView.state, (ViewState.REMOVED,)), (SavedView.audience, (Audience.PERSON,)))
    sorts = (SavedView.updated_at,)
    detail = (
        Group(
            "视图",
            SavedView.name,
            SavedView.resource,
            SavedView.audience,
            SavedView.role_id,
            SavedView.store_id,
            SavedView.is_default,
            SavedView.owner_id,
            SavedView.state,
            SavedView.dealer_id,
            SavedView.updated_at,
        ),
        Group("内容", SavedView.summary),
    )
    row_menu = (
        Tool("settings", "设置", "settings", page="/list_views/{id}", permission=view_queries.MANAGE),
    )
    permissions = ((view_queries.MANAGE, "管理视图"),)
    empty_hint = "在列表上打开“视图”，即可把当前的条件和列保存为视图"
    api = False
