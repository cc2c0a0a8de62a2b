"""看板: the dashboards somebody has built, looked at, arranged, and filled from the lists' charts."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import charts_sheet, chrome, dashboards, history, listing, perform
from app.engine.actions import Act, Forbidden, NotFound, Refusal, Stale
from app.engine.addresses import arguments
from app.engine.database import PK, db, utcnow
from app.engine.pages import FormPage, Link
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.identity.rules import is_group
from models.shaping import dashboard_queries, dashboard_rules, dashboard_sides, dashboard_tiles
from models.shaping.brief_resources import Briefs
from models.shaping.dashboard_queries import Known
from models.shaping.dashboard_resources import Boards
from models.shaping.dashboard_rules import Change, Still
from models.shaping.dashboard_tiles import BASE
from views import board_forms

VIEW = Boards.view_name()


class BoardView(BaseView):  # type: ignore[misc]
    """The pages of one built dashboard; who sees what of it follows from the lists it draws from."""

    route_base = BASE

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """The dashboard for a period, a store and a person; with ``edit`` as it is arranged."""
        actor, args = require_actor(), _arguments()
        board, mine = reached(actor, pk)
        return _page(actor, board, args, mine=mine, editing=mine and listing.first(args, "edit") == "1")

    @expose(f"/{PK}/panel", methods=["GET"])
    def panel(self, pk: int) -> ResponseReturnValue:
        """Too much for a side sheet: the page itself."""
        reached(require_actor(), pk)
        return redirect(f"{BASE}/{pk}")

    @expose(f"/{PK}/numbers.xlsx", methods=["POST"])
    def sheet(self, pk: int) -> ResponseReturnValue:
        """The same numbers as a spreadsheet, of the lists that may be taken out; the history keeps it."""
        actor, now = require_actor(), utcnow()
        board, _ = reached(actor, pk)
        found = dashboard_tiles.dashboard_of(board.id, board.name, board.layout, actor.dealer_id)
        shown = dashboards.page(found, actor, _arguments(), now, out=True)
        return charts_sheet.answer(Boards.name, board.name, shown, actor, now)

    @expose(f"/{PK}/copy", methods=["POST"])
    def copy(self, pk: int) -> ResponseReturnValue:
        """A dashboard of one's own with the same tiles."""
        actor = require_actor()
        board, _ = reached(actor, pk)
        return _copied(dashboard_rules.duplicate(board.name, board.layout, actor, entrance()))

    @expose("/copy/<name>", methods=["POST"])
    def begin(self, name: str) -> ResponseReturnValue:
        """A dashboard of one's own that begins as a declared one."""
        actor, found = require_actor(), dashboards.named(name)
        layout = dashboard_tiles.copied(found.tiles)
        return _copied(dashboard_rules.duplicate(found.label, layout, actor, entrance()))

    # ----- arranging

    @expose(f"/{PK}/tiles/<key>", methods=["POST"])
    def tile(self, pk: int, key: str) -> ResponseReturnValue:
        """Move, resize or take off a tile."""
        actor, do = require_actor(), request.form.get("do", "")
        changes = {
            "back": dashboard_rules.moving(key, -1),
            "on": dashboard_rules.moving(key, 1),
            "remove": dashboard_rules.removing(key),
            **{f"w{n}": dashboard_rules.widening(key, n) for n in dashboard_tiles.WIDTHS},
        }
        if do not in changes:
            raise Refusal("没有此操作")
        still = (
            _as_shown()
            if do in ("back", "on")
            else dashboard_sides.same_tile(key, request.form.get("was", ""))
        )
        return _arranged(actor, pk, changes[do], still, f"{_editing(pk)}#t-{key}", [("do", do)])

    @expose(f"/{PK}/order", methods=["POST"])
    def order(self, pk: int) -> ResponseReturnValue:
        """The tiles in the order in which they were dragged."""
        keys = [k for k in request.form.get("keys", "").split(",") if k][: dashboard_tiles.MOST]
        change, sent = dashboard_rules.ordering(keys), [("keys", ",".join(keys))]
        return _arranged(require_actor(), pk, change, _as_shown(), _editing(pk), sent)

    @expose(f"/{PK}/restore", methods=["POST"])
    def restore(self, pk: int) -> ResponseReturnValue:
        """撤销: the tile that was taken off last is back."""
        try:
            dashboard_rules.restore(pk, _version(), require_actor(), entrance())
        except Stale as stale:
            flash(stale.message, "bad")
        else:
            flash("已撤销移除", "good")
        return redirect(_editing(pk))

    # ----- filling

    @expose("/add", methods=["GET", "POST"])
    def pin(self) -> ResponseReturnValue:
        """加到看板: a chart as it stands on its list's page, put on a dashboard there is or on a new one."""
        return board_forms.pin(require_actor())

    @expose(f"/{PK}/add", methods=["GET"])
    def choose(self, pk: int) -> ResponseReturnValue:
        """添加图块: the charts of all lists, and where one puts one together."""
        actor = _editor(pk)
        return board_forms.choose(actor, dashboard_queries.boards(db.session())[pk])

    @expose(f"/{PK}/compose", methods=["GET", "POST"])
    def compose(self, pk: int) -> ResponseReturnValue:
        """A tile: what it counts, by what, of which rows, and how it stands there."""
        actor = _editor(pk)
        return board_forms.compose(actor, dashboard_queries.boards(db.session())[pk])


# ----- drawing, and what is done with the tiles


def _page(
    actor: Actor,
    board: Known,
    args: dict[str, list[str]],
    *,
    mine: bool,
    editing: bool,
    conflict: FormPage | None = None,
) -> str:
    shown = dashboards.page(
        dashboard_tiles.dashboard_of(board.id, board.name, board.layout, actor.dealer_id),
        actor,
        args,
        utcnow(),
    )
    removed = board_forms.removed(board.id, actor) if editing else ""
    opened = {t["key"]: dashboard_sides.opened_with(t) for t in board.layout} if editing else {}
    return chrome.page(
        "board.html", key=board.key, title=board.name, page=shown, board=board, editing=editing,
        removed=removed, links=_links(actor, board, mine, editing), most=dashboard_tiles.MOST,
        opened=opened, conflict=conflict,
    )  # fmt: skip


def _as_shown() -> Still:
    """The order is the one with which the page was opened, as far as it says so."""
    began = [k for k in request.form.get("began", "").split(",") if k]
    return dashboard_sides.same_order(began) if began else lambda layout: False


def _arranged(
    actor: Actor, pk: int, change: Change, still: Still, done: str, sent: list[tuple[str, str]]
) -> ResponseReturnValue:
    """Change the tiles; where somebody else has changed the same, show both versions with what was ``sent``."""
    try:
        dashboard_rules.rearrange(pk, _version(), change, actor, entrance(), still)
    except Stale:
        board, mine = reached(actor, pk)
        wanted = change([dict(t) for t in board.layout], Act(actor, utcnow(), db.session(), entrance()))
        by = history.last_writer(Boards.name, pk)
        both = dashboard_sides.compared(wanted, board.layout, actor.dealer_id, by)
        if both:
            form = FormPage(board.name, request.path, [], "", _editing(pk), hidden=sent, conflict=both)
            return _page(actor, board, {}, mine=mine, editing=mine, conflict=form), 409
    return redirect(done)


def reached(actor: Actor, pk: int) -> tuple[Known, bool]:
    """The dashboard, if it is in the person's menu or among those he or she looks after, and whether it may be
    changed. Raises `NotFound`."""
    session = db.session()
    looks_after = False
    if actor.can("can_list", VIEW):
        try:
            perform.find(session, Boards, pk, actor)
            looks_after = True
        except NotFound:
            pass
    board = dashboard_queries.boards(session).get(pk)
    if board is None or not (looks_after or pk in {b.id for b in dashboard_queries.in_menu(session, actor)}):
        raise NotFound
    own = board.dealer_id is not None or is_group(actor, Boards.name)
    return board, looks_after and own and actor.can("can_edit", VIEW)


def _editor(pk: int) -> Actor:
    actor = require_actor()
    _, mine = reached(actor, pk)
    if not mine:
        raise Forbidden(f"编辑{Boards.label}")
    return actor


def _links(actor: Actor, board: Known, mine: bool, editing: bool) -> list[Link]:
    url = f"{BASE}/{board.id}"
    if editing:
        found = [
            Link("添加图块", f"{url}/add", "plus", primary=True, keep=True),
            Link("名称与共享", f"{url}/edit", "share", keep=True),
        ]
        if actor.can("can_delete", VIEW):
            sure = f"确认删除看板“{board.name}”？"
            found.append(Link("删除", f"{url}/delete", "trash", tone="r", confirm=sure, has_form=False))
        return [*found, Link("完成", url, "check", keep=True)]
    found = [Link("编辑看板", _editing(board.id), "layout-grid", keep=True)] if mine else []
    if actor.can("can_add", VIEW):
        found.append(Link("复制", f"{url}/copy", "copy", has_form=False))
    return [*found, *subscribing(actor, board.key)]


def subscribing(actor: Actor, key: str) -> list[Link]:
    """Where a dashboard's numbers are asked for as a brief, for those who may."""
    if not actor.can("can_add", Briefs.view_name()):
        return []
    return [Link("订阅简报", f"/{Briefs.name}/new?board={key}", "mail-opened", keep=True)]


def _copied(board: Any) -> ResponseReturnValue:
    flash(f"已复制为“{board.name}”，只有您自己可见", "good")
    return redirect(_editing(board.id))


def _editing(pk: int) -> str:
    return f"{BASE}/{pk}?edit=1"


def _version() -> int:
    return listing.number(request.form.get("version", ""), 0)


def _arguments() -> dict[str, list[str]]:
    return arguments(request.args.to_dict(flat=False))


VIEWS = [BoardView]
