"""What may happen to the menu. Each deed changes what one owner, a dealer or the group, keeps of it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from app.engine.actions import Act, Invalid, NotFound, Refusal, Stale
from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.guards import derived
from app.engine.menus import icons
from app.engine.scopes import Actor
from models.identity.rules import is_group
from models.shaping import menus
from models.shaping.menu_tables import MenuShape
from models.shaping.menus import SHAPES, STEP, Piece, Shape, names_group

LONGEST = MenuShape.label.type.length
_PATH = re.compile(r"/(?![/\\])[^\s\\]*")
_KEPT = "“菜单设置”不能隐藏，否则无法再调整菜单"


def may_shape(actor: Actor, dealer_id: int | None) -> bool:
    """Whether that menu is this person's to change: the own dealer's, or everybody's for the group."""
    if dealer_id is None:
        return is_group(actor, menus.SELF)
    return dealer_id == actor.dealer_id


class Menu:
    """One owner's menu within a deed: as it is, as it would be without the owner's changes, and the rows."""

    def __init__(self, act: Act, dealer_id: int | None) -> None:
        if not may_shape(act.actor, dealer_id):
            raise Refusal("只能调整本商场的菜单")
        self.act, self.dealer_id = act, dealer_id
        known = menus.load(act.session)
        self.below = known.below(dealer_id)
        self.shapes = dict(known.shapes.get(dealer_id, {}))
        own = MenuShape.dealer_id.is_(None) if dealer_id is None else MenuShape.dealer_id == dealer_id
        self.rows = {r.key: r for r in act.session.scalars(select(MenuShape).where(own))}

    @property
    def layout(self) -> dict[str, Piece]:
        """The menu with everything this deed has changed so far."""
        return menus.shaped(self.below, self.shapes)

    def piece(self, key: str) -> Piece:
        """A piece by its key; raises `NotFound` for one that is not there."""
        found = self.layout.get(key)
        if found is None:
            raise NotFound
        return found

    def check(self, key: str, version: int | None) -> None:
        """Raise `Stale` when somebody has changed the piece since; without version nobody asked."""
        if version is not None and version != self.shapes.get(key, Shape(key)).version:
            raise Stale

    def put(self, key: str, **values: Any) -> None:
        """Keep values of a piece; one that is as it was below is not kept."""
        below = self.below.get(key)
        if below is not None:
            values = {n: None if v == getattr(below, n) else v for n, v in values.items()}
        if key not in self.rows and not any(v is not None for v in values.values()):
            return
        shape = self.shapes[key] = replace(self.shapes.get(key, Shape(key)), **values)
        row = self.rows.get(key)
        if row is None:
            name = below.label if below is not None else shape.label
            row = self.rows[key] = MenuShape(dealer_id=self.dealer_id, key=key, name=name, gone=False)
            self.act.session.add(row)
        for name, value in values.items():
            setattr(row, name, list(value) if name == "roles" and value is not None else value)


def change(
    act: Act, dealer_id: int | None, key: str, values: Mapping[str, Any], version: int | None = None
) -> None:
    """Change label, icon, group, address or visibility of a piece; ``values`` holds only what was given."""
    menu = Menu(act, dealer_id)
    before = menu.piece(key)
    menu.check(key, version)
    given = checked(menu, before, values)
    place = given.pop("place", None)
    menu.put(key, **given)
    if place is not None and place != menus.group_of(menu.layout, key):
        _place(menu, key, place, None)
    _check_names(menu, key)
    _keep_editor(menu)
    act.session.flush()


def add(act: Act, dealer_id: int | None, kind: str, values: Mapping[str, Any]) -> str:
    """Add a group (``kind`` is `menus.OWN_GROUP`) or a link (`menus.LINK`) at the end; returns its key."""
    menu = Menu(act, dealer_id)
    key = kind + secrets.token_hex(6)
    groups = menus.ordered(menu.layout)
    last = groups[-1].group.sort if kind == menus.OWN_GROUP else 0
    blank = Piece(key, "", "folder" if kind == menus.OWN_GROUP else "link", last + STEP)
    wanted = {
        "label": "",
        "icon": blank.icon,
        **({} if kind == menus.OWN_GROUP else {"url": "", "place": ""}),
    }
    given = checked(menu, blank, {**wanted, **values})
    if kind == menus.LINK:
        held = next(o.pieces for o in groups if o.group.key == given["place"])
        blank = replace(blank, sort=(held[-1].sort if held else 0) + STEP)
    menu.put(key, sort=blank.sort, **given)
    _check_names(menu, key)
    act.session.flush()
    return key


def move(
    act: Act,
    dealer_id: int | None,
    key: str,
    place: str,
    before: str | None,
    version: int | None = None,
) -> None:
    """Put a piece before another one of that group, or at its end; a group among the groups."""
    menu = Menu(act, dealer_id)
    menu.piece(key)
    menu.check(key, version)
    _place(menu, key, place, before)
    _check_names(menu, key)
    _keep_editor(menu)
    act.session.flush()


def step(act: Act, dealer_id: int | None, key: str, way: int, version: int | None = None) -> None:
    """One place up (-1) or down (1); nothing happens at the ends."""
    menu = Menu(act, dealer_id)
    menu.piece(key)
    menu.check(key, version)
    place, row = _row(menu, key)
    at = row.index(key)
    if 0 <= at + way < len(row):
        rest = [k for k in row if k != key]
        _place(menu, key, place, rest[at + way] if at + way < len(rest) else None)
    act.session.flush()


def reset(act: Act, dealer_id: int | None, key: str, version: int | None = None) -> None:
    """A piece as it was without this owner's changes; one that was added goes."""
    menu = Menu(act, dealer_id)
    menu.piece(key)
    menu.check(key, version)
    if key not in menu.below:
        _remove(menu, key)
    else:
        menu.put(key, **dict.fromkeys(SHAPES))
        _check_names(menu, key)
    _keep_editor(menu)
    act.session.flush()


def reset_all(act: Act, dealer_id: int | None) -> None:
    """The whole menu as it was without this owner's changes."""
    menu = Menu(act, dealer_id)
    for key in menu.shapes:
        if key in menu.below:
            menu.put(key, **dict.fromkeys(SHAPES))
        else:
            menu.put(key, gone=True)
    act.session.flush()


def take_back(act: Act, deed_id: str) -> None:
    """Put back what a deed changed. What somebody has changed since stays, and is named."""
    of = select(AuditEntry).where(AuditEntry.resource == menus.SELF)
    entries = list(act.session.scalars(of.where(AuditEntry.deed_id == deed_id)))
    rows = {r.id: r for e in entries if (r := act.session.get(MenuShape, e.record_id)) is not None}
    if not rows or not all(may_shape(act.actor, r.dealer_id) for r in rows.values()):
        raise NotFound
    for entry in entries:
        fields = entry.changes["fields"]
        for later in act.session.scalars(
            of.where(AuditEntry.record_id == entry.record_id, AuditEntry.id > entry.id)
        ):
            if fields.keys() & later.changes["fields"].keys():
                raise Refusal(f"“{entry.record_label}”此后已由{later.actor_name}再次修改，不能撤销")
        row = rows[entry.record_id]
        made = "key" in fields
        if made and menus.is_own(row.key):
            row.gone = True
            continue
        for name in (*SHAPES, "gone"):
            if name in fields:
                setattr(row, name, fields[name][0] if name != "gone" else bool(fields[name][0]))
    act.session.flush()
    for dealer_id in {r.dealer_id for r in rows.values()}:
        menu = Menu(act, dealer_id)
        for row in rows.values():
            if row.key in menu.layout:
                _check_names(menu, row.key)
        _keep_editor(menu)


# ----- what holds


def checked(menu: Menu, piece: Piece, values: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, cleaned; raises `Invalid` with a sentence per field."""
    given = dict(values)
    wrong: dict[str, str] = {}
    if "label" in given:
        given["label"] = label = " ".join(str(given["label"]).split())
        if not label:
            wrong["label"] = "请填写名称"
        elif len(label) > LONGEST:
            wrong["label"] = f"名称最多{LONGEST}个字"
        elif not label.isprintable():
            wrong["label"] = "名称中有无法显示的字符"
    if "icon" in given and given["icon"] not in icons():
        wrong["icon"] = "请从列表中选择图标"
    if "url" in given:
        given["url"] = str(given["url"]).strip()
        wrong |= {"url": sentence} if (sentence := wrong_address(given["url"])) else {}
    if "place" in given:
        target = given["place"]
        if names_group(piece.key):
            wrong["place"] = "分组不能移到自己里面" if target == piece.key else "分组不能移入另一分组"
        elif target not in menu.layout or not names_group(target):
            wrong["place"] = "请选择分组"
    if "roles" in given:
        known = menus.roles_to_name(menu.act.session, menu.dealer_id)
        if any(r not in known for r in given["roles"]):
            wrong["roles"] = "请从列表中选择角色"
        given["roles"] = _roles(known, given["roles"], menu.below.get(piece.key))
    if wrong:
        raise Invalid(wrong)
    return given


def wrong_address(url: str) -> str:
    """What is wrong with the address of a link, in a sentence; empty for nothing."""
    longest = MenuShape.url.type.length
    if not url:
        return "请填写地址"
    if len(url) > longest:
        return f"地址最多{longest}个字符"
    if _PATH.fullmatch(url) and url.isprintable():
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if good and url.isprintable() and not re.search(r"[\s\\\"<>]", url):
        return ""
    return "地址应为本系统页面的路径（以 / 开头），或以 https:// 开头的网址"


def _roles(known: Mapping[str, str], chosen: Any, below: Piece | None) -> tuple[str, ...]:
    """The chosen roles; as they are below where they mean the same."""
    names = tuple(sorted(set(chosen)))
    if below is not None and set(names) == shown_roles(known, below):
        return below.roles
    return names


def shown_roles(known: Mapping[str, str], piece: Piece) -> set[str]:
    """Those of the roles from which a piece is hidden."""
    return {name for name in known if {*menus.role_names(name), name} & {*piece.roles}}


def _row(menu: Menu, key: str) -> tuple[str, list[str]]:
    """The group of a piece, or nothing for a group, and the keys of those among which it stands."""
    groups = menus.ordered(menu.layout)
    if names_group(key):
        return "", [o.group.key for o in groups]
    place = menus.group_of(menu.layout, key)
    return place, [p.key for o in groups if o.group.key == place for p in o.pieces]


def _place(menu: Menu, key: str, place: str, before: str | None) -> None:
    """Put a piece between its new neighbours. Where there is no room between them, all of the row are put in
    their order anew."""
    groups = menus.ordered(menu.layout)
    if names_group(key):
        if place:
            checked(menu, menu.piece(key), {"place": place})
        row = [o.group for o in groups if o.group.key != key]
    else:
        checked(menu, menu.piece(key), {"place": place})
        row = [p for o in groups if o.group.key == place for p in o.pieces if p.key != key]
        menu.put(key, place=place)
    keys = [p.key for p in row]
    if before and before not in keys:
        raise Refusal("目标位置已不存在，请刷新后重试")
    at = keys.index(before) if before else len(row)
    wanted = [*keys[:at], key, *keys[at:]]
    menu.put(key, sort=menu.below[key].sort if key in menu.below else menu.layout[key].sort)
    if _row(menu, key)[1] == wanted:
        return
    low = row[at - 1].sort if at else row[0].sort - 2 * STEP if row else 0
    high = row[at].sort if at < len(row) else low + 2 * STEP
    if high - low > 1:
        menu.put(key, sort=(low + high) // 2)
        return
    for n, one in enumerate(wanted):
        menu.put(one, sort=(n + 1) * STEP)


def _remove(menu: Menu, key: str) -> None:
    if names_group(key):
        held = next(o.pieces for o in menus.ordered(menu.layout) if o.group.key == key)
        if held:
            raise Refusal(f"分组中还有{len(held)}项，请先移到其他分组")
    menu.put(key, gone=True)


def check_whole(menu: Menu, key: str) -> None:
    """What must hold of a menu after a piece of it was changed."""
    if key in menu.layout:
        _check_names(menu, key)
    _keep_editor(menu)


def _check_names(menu: Menu, key: str) -> None:
    """No two of one group, and no two groups, are called the same."""
    layout = menu.layout
    piece = layout[key]
    place, row = _row(menu, key)
    if any(layout[k].label == piece.label for k in row if k != key):
        where = "已有同名的分组" if not place else f"“{layout[place].label}”中已有同名的菜单项"
        raise Invalid({"label": f"{where}：{piece.label}"})


def _keep_editor(menu: Menu) -> None:
    """Whoever shapes the menu does not lose the page for it."""
    own = menu.piece(menus.SELF)
    group = menu.piece(menus.group_of(menu.layout, menus.SELF))
    if own.hidden or own.roles:
        raise Refusal(_KEPT, "hidden" if own.hidden else "roles")
    if group.hidden or group.roles:
        raise Refusal(
            f"分组“{group.label}”中有“{own.label}”，不能隐藏", "hidden" if group.hidden else "roles"
        )


# ----- in the history


def _group_words(value: Any, actor: Actor | None) -> str:
    known = menus.snapshot(db.session()).layout(actor.dealer_id if actor is not None else None)
    piece = known.get(str(value))
    return piece.label if piece is not None else str(value or "")


def _role_words(value: Any, _actor: Actor | None) -> str:
    return menus.snapshot(db.session()).labels.get(str(value), str(value or ""))


def _rank_words(value: Any, _actor: Actor | None) -> str:
    """That it stands elsewhere; the number says nothing."""
    return "已调整" if value is not None else ""


derived["menu_rank"] = _rank_words
derived["menu_group"] = _group_words
derived["menu_role"] = _role_words
