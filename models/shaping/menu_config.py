"""The shaped menu as configuration: what an owner changed of each piece, under the piece's key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine import forms
from app.engine.actions import Act, Invalid, Refusal
from app.engine.configured.values import Coder, Names, coders, said
from app.engine.configuring import Mark, Writer, configurable
from app.engine.fields import FieldSpec, describe
from app.engine.menus import entries
from app.engine.typed import Wrong
from models.identity.roles import StaffRole
from models.identity.templates import DEALER_ROLES
from models.shaping import menu_rules, menus
from models.shaping.menu_resources import MenuSettings
from models.shaping.menu_tables import MenuShape
from models.shaping.menus import SHAPES

_PRESETS = {menus.EVERYWHERE + t.key: t.label for t in DEALER_ROLES}


def _roles_out(value: Any, names: Names) -> Any:
    """Presets by their key for all dealers, roles by name; what is no more hides nothing."""
    listed = [str(one) for one in value or ()]
    rows = names.session.execute(select(StaffRole.name, StaffRole.id).where(StaffRole.name.in_(listed)))
    ids = dict(tuple(row) for row in rows)
    return [
        one if one in _PRESETS else names.of(StaffRole, ids[one])
        for one in listed
        if one in _PRESETS or one in ids
    ]


def _roles_in(_spec: FieldSpec, value: Any, _context: forms.Context | None, names: Names) -> Any:
    if not isinstance(value, list):
        raise Wrong("应为角色的列表")
    found = []
    for one in value:
        if isinstance(one, str) and one in _PRESETS:
            found.append(one)
            continue
        role = names.find(StaffRole, one) if isinstance(one, Mapping) else None
        if role is None:
            raise Wrong(f"本系统中没有角色“{said(one)}”")
        found.append(names.session.scalars(select(StaffRole.name).where(StaffRole.id == role)).one())
    return found


coders["menu_role"] = Coder(_roles_out, _roles_in, names=True)


def put(act: Act, owner: int | None, record: Any, flat: Mapping[str, Any]) -> None:
    """Shape a piece as a file says; a group or link that is not there yet is added under its key."""
    menu = menu_rules.Menu(act, owner)
    key = record.key if record is not None else str(flat["key"])
    given = {n: flat[n] for n in SHAPES if n in flat}
    if key not in menu.layout and not menus.is_own(key):
        raise Refusal(f"本系统中没有菜单项“{key[:40]}”", "key")
    if menus.is_own(key) and key not in menu.layout:
        _check_new(key, given)
    if given.get("roles") is not None:
        names = Names(act.session, act.actor, owner)
        given["roles"] = _coded(given["roles"], names)
    _check_plain(given)
    piece = menu.layout.get(key) or menus.Piece(key, "", "", 0)
    said_now = {n: v for n, v in given.items() if v is not None and n not in ("sort", "hidden")}
    kept = menu_rules.checked(menu, piece, said_now)
    menu.put(key, **{**given, **kept})
    if key in menu.rows:
        menu.rows[key].gone = False
    act.session.flush()
    menu_rules.check_whole(menu_rules.Menu(act, owner), key)


def _coded(value: Any, names: Names) -> list[str]:
    try:
        return list(_roles_in(describe(MenuShape.roles), value, None, names))
    except Wrong as wrong:
        raise Invalid({"roles": wrong.message}) from None


def _check_new(key: str, given: Mapping[str, Any]) -> None:
    """What stands nowhere below needs everything of its own."""
    needed = ("label", "sort") if menus.names_group(key) else ("label", "sort", "place", "url")
    for name in needed:
        if given.get(name) is None:
            raise Invalid({name: "请填写此项"})


def _check_plain(given: Mapping[str, Any]) -> None:
    sort, hidden = given.get("sort"), given.get("hidden")
    if sort is not None and (isinstance(sort, bool) or not isinstance(sort, int) or abs(sort) >= 2**31):
        raise Invalid({"sort": "请输入整数"})
    if hidden is not None and not isinstance(hidden, bool):
        raise Invalid({"hidden": "应为 true 或 false"})
    for name in ("label", "icon", "place", "url"):
        if given.get(name) is not None and not isinstance(given[name], str):
            raise Invalid({name: "格式不正确"})


def drop(act: Act, record: Any) -> None:
    """The piece as it is without its owner's changes."""
    menu_rules.reset(act, record.dealer_id, record.key)


def back(act: Act, record: Any) -> None:
    """A removed group or link where it stood."""
    record.gone = False
    act.session.flush()
    menu_rules.check_whole(menu_rules.Menu(act, record.dealer_id), record.key)


def _depends(session: Session, record: Any) -> str:
    """What stands in a group that somebody added."""
    if not menus.names_group(record.key) or not menus.is_own(record.key):
        return ""
    layout = menus.load(session).layout(record.dealer_id)
    held = next((o.pieces for o in menus.ordered(layout) if o.group.key == record.key), ())
    return f"分组中还有{len(held)}项，请先移到其他分组" if held else ""


def _words(flat: Mapping[str, Any]) -> str:
    """What the piece is called by the product, or by whoever added it."""
    key = str(flat.get("key") or "")
    piece = menus.declared(entries()).get(key)
    return piece.label if piece is not None else str(flat.get("name") or flat.get("label") or key)


configurable(
    MenuSettings,
    key=(MenuShape.key,),
    content=tuple(getattr(MenuShape, name) for name in SHAPES),
    where=or_(*(getattr(MenuShape, name).is_not(None) for name in SHAPES)),
    there=Mark(MenuShape.gone, False),
    writer=Writer(put, drop, back),
    depends=_depends,
    words=_words,
)
