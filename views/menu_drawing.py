"""How the pages of the menu's editor are drawn: every piece with what differs from its default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import flash, request
from sqlalchemy import select

from app.engine import chrome, history
from app.engine.actions import Invalid, NotFound, Refusal, Stale
from app.engine.audit import LOGS
from app.engine.database import db
from app.engine.listing import number
from app.engine.menupages import MenuBlock, MenuForm, MenuLine, MenuPage
from app.engine.menus import group_icon, icons
from app.engine.pages import Difference, Link, Option
from app.engine.scopes import Actor
from models.identity.menu_groups import BASICS, ORGANISATION, SHAPING
from models.registrations.resources import MENU as CHANNEL
from models.shaping import menu_rules, menus
from models.shaping.menu_resources import MenuSettings
from models.shaping.menu_tables import MenuShape
from models.shaping.menus import LINK, OWN_GROUP, URL, Piece, Shape

TITLE = MenuSettings.titled()
OF_GROUP = "group"
KINDS = {"group": (OWN_GROUP, "新增分组"), "link": (LINK, "新增链接")}
GROUPS = {
    "获客": "users-plus",
    "经营": "briefcase",
    CHANNEL: "share",
    ORGANISATION: "sitemap",
    BASICS: "database",
    SHAPING: "settings",
    LOGS: "list-search",
}
"""The icons of the product's own groups."""
_BLANK = re.compile(r"[\s\\]")


def of_word(owner: int | None, actor: Actor) -> str:
    """What addresses say for everybody's menu; nothing for that of the own dealer."""
    return OF_GROUP if owner is None and actor.dealer_id is not None else ""


def back_to() -> str:
    """The page of this product where the wish arose."""
    came = (request.form.get("back") or request.referrer or "").removeprefix(request.host_url.rstrip("/"))
    good = came.startswith("/") and not came.startswith("//") and not _BLANK.search(came)
    return came if good else URL


def address(page: str, of: str, **given: str) -> str:
    """The address of a page of the editor."""
    pairs = [(n, v) for n, v in {**given, "of": of}.items() if v]
    return f"{URL}{page}?{urlencode(pairs)}" if pairs else f"{URL}{page}"


def page(actor: Actor, owner: int | None, errors: Mapping[str, str] | None = None) -> str:
    """The whole menu of an owner; ``errors`` by the key of the piece."""
    session = db.session()
    known = menus.snapshot(session)
    below, layout = known.below(owner), known.layout(owner)
    shapes = known.shapes.get(owner, {})
    roles = menus.roles_to_name(session, owner)
    declared = menus.declared(chrome.entries())
    of = of_word(owner, actor)
    may = actor.can(*menus.EDIT) and menu_rules.may_shape(actor, owner)

    def line(piece: Piece) -> MenuLine:
        was, shape = below.get(piece.key), shapes.get(piece.key, Shape(piece.key))
        marks = _marks(piece, was, shape, layout, below, roles)
        if not marks and was is not None and was != declared.get(piece.key):
            marks = [("集团预置", "i")]
        changed = was is not None and piece != was
        return MenuLine(
            piece.key, piece.label, piece.icon, shape.version, piece.url, address("edit", of, key=piece.key),
            marks, piece.hidden, was is None, changed, piece.key == menus.SELF, (errors or {}).get(piece.key, ""),
        )  # fmt: skip

    blocks = [MenuBlock(line(o.group), [line(p) for p in o.pieces]) for o in menus.ordered(layout)]
    lines = [one for b in blocks for one in (b.group, *b.lines)]
    shown = MenuPage(
        TITLE, URL, of, _intro(owner), blocks, may=may, changed=sum(x.changed or x.own for x in lines)
    )
    if actor.dealer_id is not None and menu_rules.may_shape(actor, None):
        shown.owners = [
            Link("本商场", URL, active=owner is not None),
            Link("集团预置", address("", OF_GROUP), active=owner is None),
        ]
    if may:
        icon = {"group": "folder-plus", "link": "link-plus"}
        shown.adds = [Link(t, address("new", of, kind=k), icon[k]) for k, (_, t) in KINDS.items()]
    if errors and errors.get(""):
        flash(errors[""], "danger")
    return chrome.page("menu_settings.html", key=menus.SELF, title=TITLE, page=shown)


def _intro(owner: int | None) -> str:
    if owner is None:
        return "集团预置对所有商场生效，商场自己的修改优先。隐藏只影响菜单，不影响权限。"
    return "修改立即对本商场所有人生效。隐藏只影响菜单，不影响权限。"


def _marks(
    piece: Piece,
    was: Piece | None,
    shape: Shape,
    layout: menus.Layout,
    below: menus.Layout,
    roles: Mapping[str, str],
) -> list[tuple[str, str]]:
    """What is otherwise than by default, in words."""
    found: list[tuple[str, str]] = []
    if was is None:
        found.append(("自建", "i"))
    elif piece.label != was.label:
        found.append((f"原名：{was.label}", "w"))
    if was is not None and piece.place != was.place:
        found.append((f"原在：{below[was.place].label}" if was.place in below else "已移动", "w"))
    elif was is not None and shape.sort is not None:
        found.append(("已移动", "w"))
    if was is not None and piece.icon != was.icon:
        found.append(("图标已改", "w"))
    if was is not None and piece.url != was.url:
        found.append(("地址已改", "w"))
    if piece.hidden:
        found.append(("已隐藏", "r"))
    elif was is not None and was.hidden:
        found.append(("已改为显示", "w"))
    names = [label for name, label in roles.items() if name in menu_rules.shown_roles(roles, piece)]
    if names:
        found.append((f"对{'、'.join(names)}隐藏", "r"))
    elif was is not None and was.roles and not piece.roles:
        found.append(("对所有角色显示", "w"))
    return found


def form(
    actor: Actor,
    owner: int | None,
    key: str,
    values: Mapping[str, Any] | None,
    refusal: Refusal | None = None,
) -> str:
    """One piece as it is, or as it was typed."""
    session = db.session()
    known = menus.snapshot(session)
    layout, below = known.layout(owner), known.below(owner)
    piece = layout.get(key)
    if piece is None:
        raise NotFound
    given, of = dict(values or {}), of_word(owner, actor)
    given_version = request.values.get("version", "")
    version = known.shapes.get(owner, {}).get(key, Shape(key)).version
    roles = menus.roles_to_name(session, owner)
    ticked = set(given.get("roles", menu_rules.shown_roles(roles, piece)))
    group, icon = menus.names_group(key), given.get("icon", piece.icon)
    was = below.get(key)
    shown = MenuForm(
        f"{'分组' if group else '链接' if key.startswith(LINK) else '菜单项'} · {piece.label}",
        f"{URL}edit", of, key, "link" if key.startswith(LINK) else "group" if group else "entry",
        str(given.get("label", piece.label)), icon, address("", of), back_to(),
        version=version if refusal is None or isinstance(refusal, Stale) else number(given_version, version),
        longest=menu_rules.LONGEST,
        default=was.label if was is not None and was.label != piece.label else "",
        address=str(given.get("url", piece.url)), icons=_icons(icon),
        hidden=bool(given.get("hidden", piece.hidden)), hides=key != menus.SELF,
        roles=[Option(name, label, selected=name in ticked) for name, label in roles.items()],
        errors={} if isinstance(refusal, Stale) else _errors(refusal),
    )  # fmt: skip
    if not group:
        shown.places = _places(layout, given.get("place") or menus.group_of(layout, key))
    if isinstance(refusal, Stale):
        shown.theirs_url = address("edit", of, key=key)
        shown.conflict = _both(
            given, piece, menus.group_of(layout, key) if not group else "", layout, roles, owner
        )
    return chrome.page("menu_entry.html", key=menus.SELF, title=TITLE, page=shown)


def _both(
    given: Mapping[str, Any],
    piece: Piece,
    place: str,
    layout: menus.Layout,
    roles: Mapping[str, str],
    owner: int | None,
) -> list[Difference]:
    """What was typed beside what somebody else has made of the piece."""

    def named(keys: Iterable[str]) -> str:
        return "、".join(label for name, label in roles.items() if name in keys)

    def group(key: str) -> str:
        return layout[key].label if key in layout else ""

    hidden = menu_rules.shown_roles(roles, piece)
    pairs = {
        "label": ("名称", str(given.get("label", "")), piece.label),
        "icon": ("图标", str(given.get("icon", "")), piece.icon),
        "place": ("所在分组", group(str(given.get("place", ""))), group(place)),
        "url": ("地址", str(given.get("url", "")), piece.url),
        "hidden": ("隐藏", "是" if given.get("hidden") else "否", "是" if piece.hidden else "否"),
        "roles": ("对角色隐藏", named(given.get("roles", ())), named(hidden)),
    }
    row = db.session().scalar(
        select(MenuShape.id).where(MenuShape.key == piece.key, MenuShape.dealer_id == owner)
    )
    by = history.last_writer(MenuSettings.name, row) if row is not None else ""
    found = [
        Difference(label, mine, theirs, by)
        for n, (label, mine, theirs) in pairs.items()
        if n in given and mine != theirs
    ]
    return found or [Difference("全部内容", "与对方的相同", "与我的相同", by)]


def new(
    actor: Actor, owner: int | None, kind: str, values: Mapping[str, Any], refusal: Refusal | None = None
) -> str:
    """A group or a link that is to be added."""
    layout, of = menus.snapshot(db.session()).layout(owner), of_word(owner, actor)
    icon = values.get("icon") or ("folder" if kind == "group" else "link")
    shown = MenuForm(
        KINDS[kind][1], f"{URL}new", of, "", kind, str(values.get("label", "")), icon, address("", of),
        address("", of), "新增", longest=menu_rules.LONGEST, address=str(values.get("url", "")), icons=_icons(icon),
        hides=False, errors=_errors(refusal),
    )  # fmt: skip
    if kind == "link":
        groups = [o.group.key for o in menus.ordered(layout)]
        shown.places = _places(layout, values.get("place") or groups[0])
    return chrome.page("menu_entry.html", key=menus.SELF, title=KINDS[kind][1], page=shown)


def _places(layout: menus.Layout, chosen: str) -> list[Option]:
    return [Option(o.group.key, o.group.label, selected=o.group.key == chosen) for o in menus.ordered(layout)]


def _icons(chosen: str) -> tuple[str, ...]:
    """All icons to choose from, the present one first."""
    return (chosen, *(name for name in icons() if name != chosen))


def _errors(refusal: Refusal | None) -> dict[str, str]:
    if refusal is None:
        return {}
    return dict(refusal.errors) if isinstance(refusal, Invalid) else {refusal.field: refusal.message}


for _group, _icon in GROUPS.items():
    group_icon(_group, _icon)
