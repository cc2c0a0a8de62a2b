"""Saved views of lists: kept from a list as it stands, then renamed, shared, coloured, copied, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from sqlalchemy import or_, select

from app.engine import (
    chrome,
    drawing,
    filterbar,
    forms,
    history,
    listing,
    pages,
    relative,
    rowcolours,
    savedviews,
    viewmenu,
)
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.addresses import arguments
from app.engine.choices import Entry, Tone
from app.engine.configuring import FOR_ALL
from app.engine.database import PK, db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec, entry
from app.engine.filters import EMPTY
from app.engine.resource import Group, Resource, resource_of
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.identity.for_all import for_all
from models.identity.roles import StaffRole
from models.identity.tables import Store
from models.shaping import view_queries, view_rules
from models.shaping.view_tables import Audience, SavedView, ViewState

URL = viewmenu.MAKES
_NOW = "now."
"""How the form of a list calls what the list was asked for."""
_WIDTH = "width."
"""How it calls the width of a column."""
_TONES = (
    Entry(Tone.BAD.value, "红色", Tone.BAD.value),
    Entry(Tone.WARN.value, "橙色", Tone.WARN.value),
    Entry(Tone.GOOD.value, "绿色", Tone.GOOD.value),
    Entry(Tone.INFO.value, "蓝色", Tone.INFO.value),
)
_USUAL, _NOTHING = "与默认相同", "（空）"
_WINDOWS = (7, 30, 90, 180, 365)


class ListViewsView(BaseView):  # type: ignore[misc]
    """Where the menu 视图 of a list leads."""

    route_base = URL

    @expose("/", methods=["POST"])
    def make(self) -> ResponseReturnValue:
        """Keep the list as it stands as a personal view."""
        actor = require_actor()
        found = view_rules.list_of(actor, request.form.get("resource", ""))
        args, act = _as_it_stands(), _act(actor, "create")
        try:
            widths = _widths() or {}
            words = _words(act, found, args, widths)
            with deed(act):
                view = view_rules.make(act, found, request.form.get("name", ""), args, words, widths)
                view_id, name = view.id, view.name
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _named_again(found, args, refusal)
        flash(Markup("视图“{}”已保存。{}").format(name, _link(f"{URL}/{view_id}", "设置")), "good")
        return redirect(_opening(found, view_id))

    @expose(f"/{PK}", methods=["GET", "POST"])
    def edit(self, pk: int) -> ResponseReturnValue:
        """Name, for whom, default, window and colours of a view."""
        actor = require_actor()
        act = _act(actor, "update")
        view = view_rules.find(act, pk)
        if view.state is not ViewState.ACTIVE:
            raise NotFound
        if not view_rules.may_change(actor, view):
            raise Forbidden("管理视图")
        found = view_rules.list_of(actor, view.resource)
        if request.method == "GET":
            return _form(act, found, view)
        texts = request.form.to_dict(flat=False)
        try:
            context = forms.Context(act.session, actor, act.now, texts=texts)
            values = forms.clean(_fields(act, found, view), texts, context)
            with deed(act):
                view = view_rules.to_change(act, pk, listing.number(request.form.get("version", ""), 0))
                without = view_rules.change(act, view, values)
                name = view.name
        except (Forbidden, NotFound):
            raise
        except Stale:
            return _form(act, found, view_rules.find(act, pk), texts, conflict=True), 409
        except Invalid as wrong:
            return _form(act, found, view_rules.find(act, pk), texts, wrong.errors), 400
        except Refusal as refusal:
            errors = {refusal.field: refusal.message}
            return _form(act, found, view_rules.find(act, pk), texts, errors), refusal.status
        flash(f"视图“{name}”已保存{_without(without)}", "good")
        return redirect(_opening(found, pk))

    @expose(f"/{PK}/conditions", methods=["POST"])
    def conditions(self, pk: int) -> ResponseReturnValue:
        """Keep the list as it stands as the new contents of the view."""
        actor = require_actor()
        act, args = _act(actor, "update"), _as_it_stands()
        found = view_rules.list_of(actor, view_rules.find(act, pk).resource)
        widths = _widths()
        try:
            with deed(act):
                view = view_rules.to_change(act, pk, listing.number(request.form.get("version", ""), 0))
                words = _words(act, found, args, view.widths if widths is None else widths)
                without = view_rules.keep_conditions(act, view, args, words, widths)
                name = view.name
        except Stale:
            return _both_contents(act, found, view_rules.find(act, pk), args, widths), 409
        flash(f"视图“{name}”已更新{_without(without)}", "good")
        return redirect(_opening(found, pk))

    @expose(f"/{PK}/copy", methods=["POST"])
    def copy(self, pk: int) -> ResponseReturnValue:
        """A personal view with the same contents."""
        actor = require_actor()
        act = _act(actor, "create")
        with deed(act):
            view = view_rules.copy(act, view_rules.find(act, pk))
            view_id, name, list_name = view.id, view.name, view.resource
        flash(Markup("已复制为“{}”。{}").format(name, _link(f"{URL}/{view_id}", "设置")), "good")
        return redirect(_opening(view_rules.list_of(actor, list_name), view_id))

    @expose(f"/{PK}/delete", methods=["POST"])
    def delete(self, pk: int) -> ResponseReturnValue:
        """Take the view away; the report leads to bringing it back."""
        actor = require_actor()
        act, version = _act(actor, "delete"), listing.number(request.form.get("version", ""), 0)
        try:
            with deed(act):
                view = view_rules.to_change(act, pk, version or None)
                view_rules.remove(act, view)
                name, list_name = view.name, view.resource
        except Stale:
            return _changed_meanwhile(act, view_rules.find(act, pk), version), 409
        flash(Markup("视图“{}”已删除。{}").format(name, _link(f"{URL}/{pk}/restore", "撤销")), "good")
        return redirect(f"/{list_name}/")

    @expose(f"/{PK}/restore", methods=["GET", "POST"])
    def restore(self, pk: int) -> ResponseReturnValue:
        """Bring a deleted view back."""
        actor = require_actor()
        act = _act(actor, "update")
        view = view_rules.find(act, pk)
        if request.method == "GET":
            if not view_rules.may_change(actor, view):
                raise NotFound
            if view.state is ViewState.ACTIVE:
                return redirect(_opening(view_rules.list_of(actor, view.resource), pk))
            asked = pages.FormPage(
                f"恢复视图 · {view.name}", f"{URL}/{pk}/restore", [], "恢复", f"/{view.resource}/",
                intro=f"视图“{view.name}”恢复后，{view.audience.label}可再次打开。",
            )  # fmt: skip
            return chrome.page("form.html", key=view.resource, title="恢复视图", page=asked)
        with deed(act):
            view = view_rules.to_change(act, pk, None, ViewState.REMOVED)
            view_rules.restore(act, view)
            name, list_name = view.name, view.resource
        flash(f"视图“{name}”已恢复", "good")
        return redirect(_opening(view_rules.list_of(actor, list_name), pk))


def _act(actor: Actor, action: str) -> Act:
    return Act(actor, utcnow(), db.session(), entrance(), action)


def _link(url: str, label: str) -> Markup:
    return Markup('<a class="link" href="{}">{}</a>').format(url, label)


def _without(columns: Sequence[str]) -> str:
    """What is said of columns that a view for everybody goes without."""
    return f"，不含只属于一个商场的列：{'、'.join(columns)}" if columns else ""


def _opening(found: type[Resource], view_id: int) -> str:
    return f"/{found.name}/?{savedviews.OPENS}={view_id}"


def _as_it_stands() -> dict[str, list[str]]:
    """What the list was asked for, out of its form."""
    sent = request.form.to_dict(flat=False)
    return arguments({k.removeprefix(_NOW): v for k, v in sent.items() if k.startswith(_NOW)})


def _widths() -> dict[str, int] | None:
    """The widths of the list's columns, as the page's script sends them; None without it."""
    if "widths" not in request.form:
        return None
    sent = ((n.removeprefix(_WIDTH), id_of(v)) for n, v in request.form.items() if n.startswith(_WIDTH))
    return {name: px for name, px in sent if px}


def _words(act: Act, found: type[Resource], args: Mapping[str, Any], widths: Mapping[str, int]) -> str:
    """What the view will show otherwise than the list without it."""
    dialect = act.session.get_bind().dialect.name
    query = listing.parse(found, act.actor, args, act.now, dialect)
    bar = filterbar.filter_bar(act.session, found, act.actor, query)
    specs = listing.columns(found, act.actor, args.get(savedviews.COLUMNS, ()))
    differences = viewmenu.differences(query, specs, filterbar.chips(query, "", bar))
    return "；".join([*differences, *viewmenu.of_widths(widths, specs)])


def _both_contents(
    act: Act,
    found: type[Resource],
    view: SavedView,
    args: Mapping[str, list[str]],
    widths: Mapping[str, int] | None,
) -> str:
    """The list as it stands beside what somebody else has made of the view meanwhile."""
    mine = _words(act, found, args, view.widths if widths is None else widths)
    title, by = f"保存到视图 · {view.name}", history.last_writer("saved_views", view.id)
    both = [pages.Difference("视图内容", mine or _USUAL, view.summary or _USUAL, by)]
    opening = _opening(found, view.id)
    shown = pages.FormPage(
        title, f"{URL}/{view.id}/conditions", [], "", "", conflict=both, theirs_url=opening
    )
    shown.hidden = [("version", str(view.version)), *_sent_along(args)]
    return chrome.page("form.html", key=found.name, title=title, page=shown)


def _changed_meanwhile(act: Act, view: SavedView, version: int) -> str:
    """What somebody has made of the view that is to be deleted, since the page with that version was shown."""
    writes = history.history("saved_views", view.id, act.actor, max(view.version - version, 1))
    title, by = f"删除视图 · {view.name}", writes[0].who if writes else ""
    both = [pages.Difference("整个视图", "删除（请核对后再点一次）", "已修改", by)]
    changed: dict[str, tuple[str, str]] = {}
    for change in (c for write in reversed(writes) for c in write.changes):
        changed[change.label] = changed.get(change.label, (change.old, ""))[0], change.new
    both += [
        pages.Difference(label, f"打开时：{old or _NOTHING}", now or _NOTHING, by)
        for label, (old, now) in changed.items()
        if old != now
    ]
    opening = f"/{view.resource}/?{savedviews.OPENS}={view.id}"
    shown = pages.FormPage(title, f"{URL}/{view.id}/delete", [], "", "", conflict=both, theirs_url=opening)
    shown.hidden = [("version", str(view.version))]
    return chrome.page("form.html", key=view.resource, title=title, page=shown)


def _sent_along(args: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """The list as it stands, for the next form."""
    widths = [(n, v) for n, v in request.form.items() if n == "widths" or n.startswith(_WIDTH)]
    return [*((_NOW + k, v) for k, vs in args.items() for v in vs), *widths]


def _named_again(
    found: type[Resource], args: Mapping[str, list[str]], refusal: Refusal
) -> ResponseReturnValue:
    """The name asked for once more, with the list as it stood."""
    context = forms.Context(db.session(), require_actor(), utcnow())
    errors = refusal.errors if isinstance(refusal, Invalid) else {refusal.field: refusal.message}
    texts = {"name": [request.form.get("name", "")[:100]]}
    shown = drawing.form_page(
        [Group("", _NAME)], context, drawing.Drawer(URL, texts, errors),
        title="保存为视图", url=f"{URL}/", cancel_url=f"/{found.name}/",
    )  # fmt: skip
    shown.hidden += [("resource", found.name), *_sent_along(args)]
    return chrome.page("form.html", key=found.name, title="保存为视图", page=shown), refusal.status


# ----- the form of a view

_NAME = entry("name", "视图名称", required=True, maxlength=SavedView.name.type.length)


def _fields(act: Act, found: type[Resource], view: SavedView) -> list[FieldSpec]:
    return [spec for group in _groups(act, found, view) for spec in group.fields]


def _groups(act: Act, found: type[Resource], view: SavedView) -> list[Group]:
    whom = [
        entry(
            "is_default",
            "打开列表时默认使用",
            "bool",
            hint="有多个默认视图时，依次以自己、角色、门店、全部人员的为准",
        )
    ]
    if view_queries.may_share(act.actor):
        whom = [
            entry("audience", "适用于", choices=Audience, required=True),
            entry("role_id", "适用角色", options=_roles(act), opens_when="audience=role"),
            entry("store_id", "适用门店", options=_stores(act), opens_when="audience=store"),
            *_for_all(view),
            *whom,
        ]
    window = [entry("window", "时间范围", options=_windows(found, view))] if found.window is not None else []
    groups = [Group("视图", _NAME, *window, *whom)]
    values = _values(found, act.actor)
    if values:
        lines: list[FieldSpec] = []
        for n in range(1, rowcolours.MOST + 1):
            lines.append(entry(f"colour{n}", f"条件 {n}", options=values))
            lines.append(entry(f"tone{n}", f"颜色 {n}", options=_TONES))
        groups.append(Group("行颜色", *lines))
    return groups


def _for_all(view: SavedView) -> list[FieldSpec]:
    """Whether it is to be everybody's, asked when it is shared for the first time."""
    if view.audience is not Audience.PERSON:
        return []
    opens = f"audience={Audience.ROLE.value}|{Audience.DEALER.value}"
    return [for_all(SavedView.__tablename__, resource_of(SavedView).label, opens_when=opens)]


def _roles(act: Act) -> tuple[Entry, ...]:
    mine = or_(StaffRole.dealer_id == act.actor.dealer_id, StaffRole.dealer_id.is_(None))
    named = select(StaffRole.id, StaffRole.label).where(mine, StaffRole.label != "").order_by(StaffRole.label)
    return tuple(Entry(str(i), label) for i, label in act.session.execute(named))


def _stores(act: Act) -> tuple[Entry, ...]:
    mine = Store.dealer_id == act.actor.dealer_id
    named = select(Store.id, Store.name).where(mine, Store.active.is_(True)).order_by(Store.name)
    return tuple(Entry(str(i), name) for i, name in act.session.execute(named))


def _windows(found: type[Resource], view: SavedView) -> tuple[Entry, ...]:
    stored = id_of((view.args.get("window") or [""])[0])
    days = sorted({*_WINDOWS, *([stored] if stored else [])})
    usual = Entry("", f"默认（近 {found.window_days()} 天）")
    return (usual, Entry("all", "全部"), *(Entry(str(n), f"近 {n} 天") for n in days))


def _values(found: type[Resource], actor: Actor) -> tuple[Entry, ...]:
    """Every field with every value by which rows are coloured."""
    entries = []
    for spec in view_rules.coloured(found, actor):
        known = {e.value: e.label for e in spec.entries(actor.dealer_id)} | {"1": "是", "0": "否"}
        for word in view_rules.values_of(spec, actor):
            value = word.partition("=")[2]
            said = "未填写" if value == EMPTY else known.get(value) or relative.label(value)
            entries.append(Entry(word, f"{spec.head}：{said}"))
    return tuple(entries)


def _preset(view: SavedView, actor: Actor) -> dict[str, Any]:
    found: dict[str, Any] = {
        FOR_ALL: actor.dealer_id is None,
        "name": view.name, "is_default": view.is_default, "audience": view.audience.value,
        "role_id": str(view.role_id or ""), "store_id": str(view.store_id or ""),
        "window": (view.args.get("window") or [""])[0],
    }  # fmt: skip
    for n, (field, value, tone) in enumerate(view.colours or (), 1):
        found |= {f"colour{n}": f"{field}={value}", f"tone{n}": tone}
    return found


def _form(
    act: Act,
    found: type[Resource],
    view: SavedView,
    texts: Mapping[str, list[str]] | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    conflict: bool = False,
) -> str:
    context = forms.Context(act.session, act.actor, act.now)
    drawer = drawing.Drawer(URL, texts, errors, None, _preset(view, act.actor))
    shown = drawing.form_page(
        _groups(act, found, view), context, drawer,
        title=f"视图设置 · {view.name}", url=f"{URL}/{view.id}", cancel_url=_opening(found, view.id),
    )  # fmt: skip
    shown.hidden.append(("version", str(view.version)))
    shown.intro = f"“{found.titled()}”列表的视图。条件、列和排序在列表上修改后，从“视图”菜单保存。"
    if view.dealer_id is None and view.audience is not Audience.PERSON:
        shown.intro += "集团通用，在所有商场显示。"
    if view.summary:
        shown.notes = [f"与默认比较：{view.summary}"]
    if conflict:
        shown.conflict = _conflict(context, found, view, texts or {})
    return chrome.page("view.html", key=found.name, title=shown.title, page=shown, view=view, base=URL)


def _conflict(
    context: forms.Context, found: type[Resource], view: SavedView, texts: Mapping[str, list[str]]
) -> list[pages.Difference]:
    """What I typed beside what somebody else saved meanwhile."""
    act = Act(context.actor, context.now, context.session)
    stored = drawing.Drawer(URL, None, None, None, _preset(view, context.actor))
    typed = drawing.Drawer(URL, texts)
    who = history.last_writer("saved_views", view.id)
    lines = []
    for spec in _fields(act, found, view):
        mine, theirs = typed.draw(spec, context), stored.draw(spec, context)
        names = {o.value: o.label for o in (*theirs.options, *mine.options)}
        if mine.value != theirs.value:
            lines.append(
                pages.Difference(
                    spec.label, names.get(mine.value, mine.value), names.get(theirs.value, theirs.value), who
                )
            )
    return lines or [pages.Difference("视图", view.name, view.name, who)]


VIEWS = [ListViewsView]
