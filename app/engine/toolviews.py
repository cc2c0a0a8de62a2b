"""The toolbar of a list: its functions, on the row that is selected there."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import buttons, chrome, pages, perform
from app.engine.actions import Forbidden, NotFound
from app.engine.database import db, id_of
from app.engine.presenting import select_first
from app.engine.viewbase import ViewBase


class ToolViews(ViewBase):
    """Where the toolbar's buttons lead."""

    @expose("/selected/<name>", methods=["GET"])
    def selected(self, name: str) -> ResponseReturnValue:
        """Go on with the one row that is ticked; deleting it is asked first."""
        actor = self.allowed("can_list")
        tool = next((t for t in self.resource.toolbar if t.name == name), None)
        link = buttons.tool_link(self.resource, tool, actor) if tool is not None else None
        if tool is None or link is None or not buttons.of_row(self.resource, tool):
            raise NotFound
        if not link.enabled:
            raise Forbidden(link.label)
        ids = request.args.getlist("id")
        if len(ids) != 1:
            flash(select_first(self.resource), "warning")
            return redirect(self._back())
        record = perform.find(db.session(), self.resource, id_of(ids[0]), actor)
        if "{id}" not in link.url:
            return redirect(f"{link.url}?id={record.id}")
        url = link.url.format(id=record.id)
        if link.has_form:
            return redirect(url)
        asked = pages.FormPage(
            f"{link.label} · {perform.label_of(self.resource, record)}", url, [], link.label, self._back(),
            tone="BAD", intro=link.confirm,
        )  # fmt: skip
        return chrome.page("form.html", key=self.resource.name, title=link.label, page=asked)
