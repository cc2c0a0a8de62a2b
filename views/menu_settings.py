"""菜单设置: the menu as administrators shape it, each deed at once and with a way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.engine import chrome, history
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal
from app.engine.database import PK, db, utcnow
from app.engine.deeds import deed
from app.engine.listing import number
from app.engine.perform import find
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.shaping import menu_rules, menus
from models.shaping.menu_resources import MenuSettings
from models.shaping.menus import LINK, URL
from views import menu_drawing
from views.menu_drawing import OF_GROUP, TITLE

_DEED_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class MenuSettingsView(BaseView):  # type: ignore[misc]
    """The pages of the menu; their permissions are those of the resource `MenuSettings`."""

    route_base = URL.rstrip("/")

    @expose("/", methods=["GET", "POST"])
    def page(self) -> ResponseReturnValue:
        """The whole menu, hidden pieces too; what is done with one of them acts at once."""
        actor = _allowed("can_list")
        owner = _owner(actor)
        if request.method == "GET":
            return menu_drawing.page(actor, owner)
        _allowed("can_edit")
        wanted = request.args.get("do", "")
        if wanted == "undo":
            return _undo(actor, owner)
        if wanted == "reset-all":
            return _reset_all(actor, owner)
        if wanted not in _DEEDS:
            raise NotFound
        return _one(actor, owner, wanted)

    @expose("/edit", methods=["GET", "POST"])
    def edit(self) -> ResponseReturnValue:
        """One piece: name, icon, group, address and from whom it is hidden; from the menu itself its name alone."""
        actor = _allowed("can_edit")
        owner, key = _owner(actor), request.values.get("key", "")
        if request.method == "GET":
            return menu_drawing.form(actor, owner, key, None)
        values = _typed(key)

        def save(act: Act) -> None:
            _check_page(values)
            menu_rules.change(act, owner, key, values, _version())

        def refused(refusal: Refusal) -> str:
            return menu_drawing.form(actor, owner, key, values, refusal)

        return _done(actor, "编辑菜单项", save, f"已保存“{_words(values['label'])}”", refused)

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """An own group, or a link."""
        actor = _allowed("can_edit")
        owner, kind = _owner(actor), request.values.get("kind", "")
        if kind not in menu_drawing.KINDS:
            raise NotFound
        prefix, title = menu_drawing.KINDS[kind]
        if request.method == "GET":
            return menu_drawing.new(actor, owner, kind, {})
        names = ("label", "icon", "url", "place") if kind == "link" else ("label", "icon")
        values = {n: v for n in names if (v := request.form.get(n, "")) or n != "icon"}

        def save(act: Act) -> None:
            _check_page(values)
            menu_rules.add(act, owner, prefix, values)

        def refused(refusal: Refusal) -> str:
            return menu_drawing.new(actor, owner, kind, values, refusal)

        return _done(actor, title, save, f"已新增“{_words(values['label'])}”", refused)

    @expose(f"/{PK}", methods=["GET"])
    def record(self, pk: int) -> ResponseReturnValue:
        """Where the log of all deeds leads."""
        actor = _allowed("can_list")
        row = find(db.session(), MenuSettings, pk, actor)
        there = row.key in menus.snapshot(db.session()).layout(row.dealer_id)
        if there and actor.can(*menus.EDIT) and menu_rules.may_shape(actor, row.dealer_id):
            return redirect(
                menu_drawing.address("edit", menu_drawing.of_word(row.dealer_id, actor), key=row.key)
            )
        return redirect(URL)

    @expose(f"/{PK}/history", methods=["GET"])
    def changes(self, pk: int) -> ResponseReturnValue:
        """Who changed what of a piece (D-15)."""
        actor = _allowed("can_list")
        row = find(db.session(), MenuSettings, pk, actor)
        before = number(request.args.get("before", ""), 0) or None
        shown = history.page(MenuSettings.name, pk, actor, row.name, f"{URL}{pk}", before)
        return chrome.page("history.html", key=menus.SELF, title="修改历史", page=shown)


# ----- what is asked


def _allowed(permission: str) -> Actor:
    actor = require_actor()
    if not actor.can(permission, MenuSettings.view_name()):
        raise Forbidden(TITLE, seeing=permission == "can_list")
    return actor


def _owner(actor: Actor) -> int | None:
    """Whose menu the page is about: the own dealer's, or for those of the group also everybody's."""
    if actor.dealer_id is not None and request.values.get("of") != OF_GROUP:
        return actor.dealer_id
    if not menu_rules.may_shape(actor, None):
        raise Forbidden("集团预置菜单")
    return None


def _words(label: Any) -> str:
    return " ".join(str(label).split())


def _version() -> int | None:
    given = request.values.get("version", "")
    return number(given, 0) if given else None


def _typed(key: str) -> dict[str, Any]:
    form = request.form
    values: dict[str, Any] = {"label": form.get("label", "")}
    if form.get("icon"):
        values["icon"] = form["icon"]
    if "place" in form:
        values["place"] = form["place"]
    if "url" in form and key.startswith(LINK):
        values["url"] = form["url"]
    if "hidden" in form:
        values["hidden"] = "1" in form.getlist("hidden")
    if "roles" in form:
        values["roles"] = [r for r in form.getlist("roles") if r]
    return values


def _check_page(values: Mapping[str, Any]) -> None:
    """A path of the product leads to one of its pages."""
    path = str(values.get("url", "")).strip()
    if not path.startswith("/") or menu_rules.wrong_address(path):
        return
    try:
        current_app.url_map.bind("localhost").match(urlsplit(path).path, method="GET")
    except RequestRedirect:
        return
    except HTTPException as unknown:
        raise Invalid({"url": "本系统没有这个页面"}) from unknown


# ----- what is done


def _done(
    actor: Actor,
    name: str,
    run: Callable[[Act], None],
    said: str,
    refused: Callable[[Refusal], str],
) -> ResponseReturnValue:
    """Do it in one transaction; tell it with a way back, or show why not beside what was asked."""
    act = Act(actor, utcnow(), db.session(), entrance(), name)
    try:
        with deed(act):
            run(act)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return refused(refusal), refusal.status
    button = Markup('<button class="link" form="menutool" formaction="{}?do=undo&amp;deed={}">撤销</button>')
    flash(Markup("{} {}").format(said, button.format(URL, act.deed_id)), "good")
    return redirect(menu_drawing.back_to())


def _one(actor: Actor, owner: int | None, wanted: str) -> ResponseReturnValue:
    """A deed with one piece."""
    name, said, rule = _DEEDS[wanted]
    key = request.form.get("key", "")
    piece = menus.snapshot(db.session()).layout(owner).get(key)
    if piece is None:
        raise NotFound

    def refused(refusal: Refusal) -> str:
        return menu_drawing.page(actor, owner, {key: refusal.message})

    return _done(
        actor, name, lambda act: rule(act, owner, key, _version()), f"{said}“{piece.label}”", refused
    )


def _reset_all(actor: Actor, owner: int | None) -> ResponseReturnValue:
    def refused(refusal: Refusal) -> str:
        return menu_drawing.page(actor, owner, {"": refusal.message})

    def run(act: Act) -> None:
        menu_rules.reset_all(act, owner)

    return _done(actor, "恢复默认菜单", run, "菜单已全部恢复默认", refused)


def _undo(actor: Actor, owner: int | None) -> ResponseReturnValue:
    """撤销: what was there before."""
    deed_id = request.args.get("deed", "")
    if not _DEED_ID.fullmatch(deed_id):
        raise NotFound

    def refused(refusal: Refusal) -> str:
        return menu_drawing.page(actor, owner, {"": refusal.message})

    def run(act: Act) -> None:
        menu_rules.take_back(act, deed_id)

    return _done(actor, "撤销菜单修改", run, "已撤销", refused)


def _hide(act: Act, owner: int | None, key: str, version: int | None) -> None:
    menu_rules.change(act, owner, key, {"hidden": True}, version)


def _show(act: Act, owner: int | None, key: str, version: int | None) -> None:
    menu_rules.change(act, owner, key, {"hidden": False}, version)


def _up(act: Act, owner: int | None, key: str, version: int | None) -> None:
    menu_rules.step(act, owner, key, -1, version)


def _down(act: Act, owner: int | None, key: str, version: int | None) -> None:
    menu_rules.step(act, owner, key, 1, version)


def _move(act: Act, owner: int | None, key: str, version: int | None) -> None:
    menu_rules.move(act, owner, key, request.form.get("place", ""), request.form.get("before", ""), version)


_DEEDS: Mapping[str, tuple[str, str, Callable[[Act, int | None, str, int | None], None]]] = {
    "hide": ("隐藏菜单项", "已隐藏", _hide),
    "show": ("显示菜单项", "已显示", _show),
    "up": ("移动菜单项", "已上移", _up),
    "down": ("移动菜单项", "已下移", _down),
    "move": ("移动菜单项", "已移动", _move),
    "reset": ("恢复默认菜单项", "已恢复默认：", menu_rules.reset),
    "remove": ("删除菜单项", "已删除", menu_rules.reset),
}

VIEWS = [MenuSettingsView]
