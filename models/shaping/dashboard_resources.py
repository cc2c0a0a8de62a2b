"""看板设置: the dashboards somebody has built; each is shown and arranged on a page of its own."""

from __future__ import annotations

from dataclasses import replace

from app.engine import charts, listing
from app.engine.addresses import address
from app.engine.fields import describe, entry
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Actor, Scopes
from models.identity.for_all import begun, for_all
from models.identity.menu_groups import SHAPING
from models.shaping import dashboard_queries, dashboard_rules
from models.shaping.dashboard_tiles import BASE
from models.shaping.dashboards import ROLES_OF_BOARD, Board

__all__ = ["Boards", "dashboard_queries"]

_ROLES = replace(describe(ROLES_OF_BOARD), opens_when="shared=roles", needed_when="shared=roles")
_BOARD = Group("看板", Board.name, Board.icon, Board.sort)
_WHOLE = for_all("boards", "看板", shown_when="shared=roles|all")


class Boards(Resource, model=Board):
    """看板设置: administrators build dashboards for their dealer, others for themselves."""

    label = "看板"
    unit = "个"
    icon = "layout-dashboard"
    menu = Menu(SHAPING, label="看板设置", icon="layout-dashboard", order=944)
    scopes = Scopes(mine=Board.owner_id, dealer=Board.dealer_id, shared=True)
    title = Board.name
    columns = (Board.name, Board.shared, Board.sort, Board.owner_id, Board.dealer_id, Board.updated_at)
    filters = (Board.shared,)
    search = (Board.name,)
    search_hint = "看板名称"
    sorts = (Board.sort,)
    descending = False
    detail = (
        Group(
            "看板", Board.name, Board.icon, Board.sort, Board.shared, _ROLES, entry("tiles", "图块", "texts")
        ),
    )
    form = (_BOARD, Group("共享", Board.shared, _ROLES, _WHOLE))
    edit_form = (_BOARD, Group("共享", Board.shared, _ROLES))
    prefill = staticmethod(begun(Board))
    create_label = "新建看板"
    create = staticmethod(dashboard_rules.create_board)
    update = staticmethod(dashboard_rules.update_board)
    remove = staticmethod(dashboard_rules.remove_board)
    empty = "还没有自建的看板"
    empty_hint = "新建一个，或在任一列表的图表页点“加到看板”。"
    api = False


def _pin(actor: Actor, found: type[Resource], args: listing.Args, chart: str) -> str:
    """Where a chart under an address is put on a dashboard."""
    view = Boards.view_name()
    if not (actor.can("can_edit", view) or actor.can("can_add", view)):
        return ""
    return address(f"{BASE}/add", args, _of=found.name, _chart=chart)


charts.provide_pin(_pin)
