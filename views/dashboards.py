"""Dashboards by their names, as pages and as spreadsheets."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import charts_sheet, chrome, dashboards
from app.engine.actions import Forbidden
from app.engine.addresses import arguments
from app.engine.database import utcnow
from app.engine.security import require_actor
from models.shaping.dashboard_resources import Boards
from models.shaping.dashboard_tiles import BASE
from views.boards import subscribing


class DashboardView(BaseView):  # type: ignore[misc]
    """The declared dashboards; who sees what of them follows from the lists they draw from."""

    route_base = "/dashboards"

    @expose("/", methods=["GET"])
    def first(self) -> ResponseReturnValue:
        """The first dashboard that is in the person's menu."""
        entries = {e.key for e in chrome.menu_of(require_actor())[1]}
        for dashboard in dashboards.dashboards():
            if dashboard.name in entries:
                return redirect(dashboard.url)
        raise Forbidden("看板", seeing=True)

    @expose("/<name>", methods=["GET"])
    def show(self, name: str) -> ResponseReturnValue:
        """One dashboard for a period, a store and a person."""
        shown = dashboards.page(dashboards.named(name), require_actor(), _arguments(), utcnow())
        copies = f"{BASE}/copy/{name}" if require_actor().can("can_add", Boards.view_name()) else ""
        return chrome.page(
            "dashboard.html", key=name, title=shown.title, page=shown, copies=copies,
            links=subscribing(require_actor(), name),
        )  # fmt: skip

    @expose("/<name>.xlsx", methods=["POST"])
    def sheet(self, name: str) -> ResponseReturnValue:
        """The same numbers as a spreadsheet, of the lists that may be taken out; the history keeps it."""
        found, actor, now = dashboards.named(name), require_actor(), utcnow()
        shown = dashboards.page(found, actor, _arguments(), now, out=True)
        return charts_sheet.answer("dashboards", found.label, shown, actor, now)


def _arguments() -> dict[str, list[str]]:
    return arguments(request.args.to_dict(flat=False))


VIEWS = [DashboardView]
