"""The base view that turns a `Resource` into the framework's views: list, detail, form, action, picker.

Views parse, call and render. Reading goes through `listing`/`reading` and the gate, changing through
`perform`; nothing here touches a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from markupsafe import Markup

from app.engine import (
    asked,
    attached,
    charts,
    charts_sheet,
    chrome,
    detail,
    exports,
    files,
    history,
    listing,
    perform,
    presenting,
    savedviews,
)
from app.engine.actions import NotFound
from app.engine.actionviews import ActionViews
from app.engine.addresses import address, arguments
from app.engine.database import PK, db, utcnow
from app.engine.fields import FILES, describe
from app.engine.formviews import FormViews
from app.engine.importviews import ImportViews
from app.engine.jobs import JobState
from app.engine.resource import resources
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.toolviews import ToolViews
from app.engine.viewbase import download


class ResourceView(FormViews, ActionViews, ImportViews, ToolViews):
    """All pages of one resource. `make_views()` derives one class per resource; its name is the stable key
    of permissions and endpoints."""

    @expose("/", methods=["GET"])
    def index(self) -> ResponseReturnValue:
        """The list (A-64…A-70, D-05…D-10)."""
        actor = self.allowed("can_list")
        session = db.session()
        query = self._query(actor, self._arguments(), by_itself=True)
        shown = presenting.list_page(session, self.resource, actor, query, self._chosen(query))
        return chrome.page("list.html", key=self.resource.name, title=shown.title, page=shown)

    def _chosen(self, query: listing.Query) -> Sequence[str]:
        """The columns: those the address names, else those of the open view, else the person's own."""
        view = query.saved.view
        named = query.args.get(savedviews.COLUMNS) or (view.columns if view is not None else ())
        if named:
            return named
        own: list[str] = chrome.remembered(
            ("columns", self.resource.name, query.actor.id),
            lambda: detail.chosen_columns(db.session(), query.actor, self.resource),
        )
        return own

    def _query(self, actor: Actor, asked: listing.Args, *, by_itself: bool = False) -> listing.Query:
        """What the address asks for; without a scope the list opens where the person's work lies, and
        ``by_itself`` with the view that is its default."""
        args, saved = savedviews.opened(self.resource, actor, asked, by_itself=by_itself)
        now = utcnow()
        dialect = db.session().get_bind().dialect.name
        opening = partial(chrome.opening, self.resource, actor, now)
        query = listing.parse(self.resource, actor, args, now, dialect, opening)
        query.saved = saved
        return query

    @expose("/export", methods=["POST"])
    def export(self) -> ResponseReturnValue:
        """The list as a file (D-12): at once, or as a job of 任务中心."""
        actor = require_actor()
        exports.require(actor, self.resource)
        session = db.session()
        query = self._query(actor, self._arguments())
        every = request.form.get("columns") == "all"
        specs = exports.columns(query, self._chosen(query), every=every)
        kind = request.form.get("format", "")
        words = asked.words(session, query)
        made = exports.ask(
            session, query, specs, kind if kind in exports.FORMATS else "xlsx", words, entrance()
        )
        if isinstance(made, exports.Ready):
            return download(made.content, made.name)
        waits = (
            "需要审批，同意后开始"
            if made.state == JobState.APPROVAL
            else "在后台进行，完成后可在任务中心下载"
        )
        link = Markup('<a class="link" href="/jobs/{}">查看进度</a>').format(made.id)
        flash(Markup("共 {} 行，{}。{}").format(made.total, waits, link), "good")
        return redirect(self._back())

    @expose("/columns", methods=["POST"])
    def columns(self) -> ResponseReturnValue:
        """Keep the person's own choice and order of columns; on a view they change the address alone, until
        the view is saved."""
        actor = self.allowed("can_list")
        known = {describe(c).name for c in (*self.resource.columns, *self.resource.more_columns)}
        names = [] if "reset" in request.form else [n for n in request.form.getlist("column") if n in known]
        if savedviews.STANDS in request.args:
            rest = {k: v for k, v in self._arguments().items() if k != savedviews.COLUMNS}
            return redirect(address(f"{self.base}/", {**rest, savedviews.COLUMNS: names}))
        detail.choose_columns(actor, self.resource, names)
        return redirect(self._back())

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """The whole page of a record."""
        return self._detail(pk, "detail.html")

    @expose(f"/{PK}/panel", methods=["GET"])
    def panel(self, pk: int) -> ResponseReturnValue:
        """The same record as a side sheet."""
        return self._detail(pk, "panel.html")

    def _detail(self, pk: int, template: str) -> ResponseReturnValue:
        actor = self.allowed("can_list")
        shown = detail.detail_page(
            db.session(), self.resource, pk, actor, utcnow(),
            kind=request.args.get("kind", ""), before=request.args.get("before", "")[:64],
        )  # fmt: skip
        return chrome.page(template, key=self.resource.name, title=shown.title, page=shown)

    @expose(f"/{PK}/file/<field>", methods=["GET"])
    def file(self, pk: int, field: str) -> ResponseReturnValue:
        """The file that a field of the record holds, for whoever may read the field."""
        actor = self.allowed("can_list")
        spec = next((s for s in self.resource.added if s.name == field and s.kind in FILES), None)
        if spec is None:
            raise NotFound
        values, _, _ = detail.values_of(db.session(), self.resource, pk, actor, [spec])
        stored = values[spec.name]
        if not isinstance(stored, str) or not stored:
            raise NotFound
        return download(files.path(attached.name_of(stored)), attached.called(stored))

    @expose(f"/{PK}/history", methods=["GET"])
    def changes(self, pk: int) -> ResponseReturnValue:
        """Who changed what (D-15), through the gate."""
        actor = self.allowed("can_list")
        session = db.session()
        record = perform.find(session, self.resource, pk, actor)
        label = perform.label_of(self.resource, record)
        before = listing.number(request.args.get("before", ""), 0) or None
        shown = history.page(self.resource.name, pk, actor, label, f"{self.base}/{pk}", before)
        return chrome.page("history.html", key=self.resource.name, title="修改历史", page=shown)

    @expose("/charts", methods=["GET"])
    def analyse(self) -> ResponseReturnValue:
        """The charts of the list under the same scope and filters; every bar opens its rows."""
        actor = self.allowed("can_chart", f"{self.resource.label}图表")
        if not self.resource.charts:
            raise NotFound
        args, _ = savedviews.opened(self.resource, actor, self._arguments())
        shown = charts.page(self.resource, actor, args, utcnow())
        return chrome.page("charts.html", key=self.resource.name, title=shown.title, page=shown)

    @expose("/charts.xlsx", methods=["POST"])
    def sheet(self) -> ResponseReturnValue:
        """The same charts, or one of them, as a spreadsheet."""
        self.allowed("can_chart", f"{self.resource.label}图表")
        actor = self.allowed("can_export", f"导出{self.resource.label}")
        if not self.resource.charts:
            raise NotFound
        now = utcnow()
        args, _ = savedviews.opened(self.resource, actor, self._arguments())
        shown = charts.page(self.resource, actor, args, now)
        return charts_sheet.answer(self.resource.name, self.resource.label, shown, actor, now)

    def _arguments(self) -> dict[str, list[str]]:
        return arguments(request.args.to_dict(flat=False))


def make_views() -> list[type[ResourceView]]:
    """One view class per declared resource."""
    return [
        type(
            r.view_name(),
            (ResourceView,),
            {"declared": r, "route_base": f"/{r.name}", "__doc__": r.__doc__ or r.label},
        )
        for r in resources()
        if r.columns
    ]
