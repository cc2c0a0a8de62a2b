"""Shared dashboards as configuration: whom they are for and their tiles, with nothing called by its number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import forms, perform
from app.engine.actions import Act, Invalid, Refusal
from app.engine.configured.addresses import Portable, stem
from app.engine.configured.values import Names, cleaned
from app.engine.configuring import Mark, Named, Naming, Part, Writer, configurable
from app.engine.faces import charted_by
from app.engine.fields import entry
from app.engine.scopes import SYSTEM
from app.engine.typed import Wrong
from models.shaping import dashboard_rules, dashboard_tiles
from models.shaping.dashboard_resources import Boards
from models.shaping.dashboards import ROLES_OF_BOARD, Board, Sharing

TILES = entry("tiles", "图块", "texts")
_FIELDS = ("by", "across", "at", "sum")
_NAMES = frozenset({"list", "chart", "kind", "title", "width", "own", *_FIELDS})


def _read(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(select(Board.id, Board.dealer_id, Board.layout).where(Board.id.in_(ids)))
    return {
        row.id: {TILES.name: [_out(t, Names(session, SYSTEM, row.dealer_id)) for t in row.layout]}
        for row in rows
    }


def _out(stored: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A tile without the key that is this installation's; what cannot be named elsewhere is left as it is."""
    found = {n: v for n, v in stored.items() if n in _NAMES and v not in (None, "", {})}
    try:
        place = Portable(str(stored.get("list")), names)
    except Wrong:
        return found
    for name in _FIELDS:
        if name in found:
            found[name] = place.name_out(str(found[name])) or found[name]
    if "own" in found:
        found["own"] = place.args_out(found["own"])
    return found


def _in(one: Any, names: Names) -> dict[str, Any]:
    if not isinstance(one, Mapping) or not set(one) <= _NAMES:
        raise Wrong("各项的名称不正确")
    texts = [one.get(n) for n in _NAMES - {"width", "own"}]
    if not all(t is None or isinstance(t, str) for t in texts):
        raise Wrong("格式不正确")
    place = Portable(str(one.get("list")), names)
    fields = {n: place.name_in(one[n]) for n in _FIELDS if n in one}
    return {**one, **fields, "own": place.args_in(one.get("own", []))}


def _words(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = (_said(side.get(TILES.name)) for side in (old, new))
    return [f"{TILES.label}：{before} → {after}" if old else f"{TILES.label}：{after}"] if after else []


def _said(tiles: Any) -> str:
    listed = tiles if isinstance(tiles, list) else []
    plain = [{**t, "own": {}} for t in listed if isinstance(t, Mapping)]
    return "、".join(dashboard_tiles.words(tile, None) for tile in plain)


def _named(_record: Any, tiles: Any) -> Iterator[Named]:
    for tile in tiles:
        said = (charted_by(str(tile.get("chart") or "")), *(tile.get(n) for n in _FIELDS))
        filtered = map(stem, tile.get("own") or ())
        yield from (Named(str(tile.get("list")), name) for name in (*said, *filtered) if name)


def put(act: Act, owner: int | None, record: Any, flat: Mapping[str, Any]) -> None:
    """Build a dashboard or change one, by its form and tile by tile."""
    names = Names(act.session, act.actor, owner)
    given = {n: v for n, v in flat.items() if n != TILES.name}
    context = forms.Context(act.session, act.actor, act.now, record)
    values = cleaned(KIND, given, record, names, context) if given else {}
    how: dict[str, Any] = {"source": act.source, "now": act.now, "action": act.action}
    if record is None and values.get("shared") in (None, Sharing.PERSONAL):
        raise Invalid({"shared": "配置文件只含共享的看板，请填写 roles 或 all"})
    if record is None:
        record = perform.create(Boards, values, act.actor, **how)[0]
    elif values:
        perform.update(Boards, record.id, values, act.actor, **how)
    if TILES.name in flat:
        dashboard_rules.lay(record, _tiles(act, record, flat[TILES.name], names), act)


def _tiles(act: Act, record: Any, listed: Any, names: Names) -> list[dict[str, Any]]:
    """The tiles as they are stored. One that is there already keeps its key and is not judged again."""
    if not isinstance(listed, list):
        raise Invalid({TILES.name: "应为图块的列表"})
    there = [(tile, _out(tile, names)) for tile in record.layout]
    found = []
    for n, one in enumerate(listed, 1):
        same = next((pair for pair in there if pair[1] == one), None)
        if same is not None:
            there.remove(same)
            found.append(dict(same[0]))
            continue
        try:
            found.append(dashboard_tiles.checked(_in(one, names), act))
        except Invalid as wrong:
            said = "；".join(wrong.errors.values())
            raise Invalid({TILES.name: f"第{n}个图块：{said}"}) from None
        except (Refusal, Wrong) as wrong:
            raise Invalid({TILES.name: f"第{n}个图块：{wrong.message}"}) from None
    return found


def drop(act: Act, record: Any) -> None:
    """It leaves every menu."""
    dashboard_rules.remove_board(record, act)
    act.session.delete(record)


KIND = configurable(
    Boards,
    key=(Board.name,),
    content=(Board.icon, Board.sort, Board.shared, ROLES_OF_BOARD),
    part=Part((TILES,), _read, _words, follows=(Board.layout,), ordered=True),
    personal=Mark(Board.shared, Sharing.PERSONAL),
    writer=Writer(put, drop),
    names={Board.layout.key: Naming(_named, TILES.label)},
    without="图块不再显示或按它筛选",
)
