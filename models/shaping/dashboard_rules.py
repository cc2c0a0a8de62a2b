"""Building dashboards: what they are called, whom they are shared with, and what happens to their tiles."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count
from typing import Any

from sqlalchemy import select

from app.engine import audit, perform
from app.engine.actions import Act, Invalid, Refusal, Stale
from app.engine.database import db, utcnow
from app.engine.events import publish
from app.engine.fields import describe
from app.engine.resource import resource_of
from app.engine.scopes import Actor, Scope, scopes_of
from app.engine.storing import set_members
from models.identity.for_all import keep_for_all, refusal, settle_owner
from models.identity.rights import bump_epoch
from models.identity.rules import is_group, own_dealer, unique
from models.shaping import dashboard_tiles
from models.shaping.dashboards import ROLES_OF_BOARD, Board, Sharing

_SHARERS = frozenset({Scope.DEALER, Scope.GROUP})
FULL = f"一个看板最多放{dashboard_tiles.MOST}个图块，请先移除不用的图块"
GONE = "该图块已不在看板上，请刷新后重试"


# ----- the dashboard itself


def create_board(board: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A dashboard of the own dealer, or a shared one of the group for everybody."""
    board.owner_id = act.actor.id
    board.shared = board.shared or Sharing.PERSONAL
    if board.shared is not Sharing.PERSONAL:
        settle_owner(board, act, values)
    elif act.actor.dealer_id is not None or not is_group(act.actor, "boards"):
        own_dealer(board, act)
    keep_for_all(act, board, values)
    _check_sharing(board, act, board.shared)
    _check_name(board, act, board.name, board.shared)


def update_board(board: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Its name, its place and whom it is shared with; acts at the next click of everybody."""
    keep_groups(board, act)
    keep_for_all(act, board, values)
    shared = values.get("shared", board.shared)
    if board.shared is Sharing.PERSONAL and shared is not Sharing.PERSONAL:
        _keep_tiles_for_all(board, board.layout, act)
    if shared is not board.shared or "roles" in values:
        _check_sharing(board, act, shared)
    if "name" in values or shared is not board.shared:
        _check_name(board, act, values.get("name", board.name), shared)
    if shared is not Sharing.ROLES and board.shared is Sharing.ROLES:
        set_members(act.session, board, describe(ROLES_OF_BOARD), ())
    bump_epoch(act.session)  # the roles stand in a table of their own


def remove_board(board: Any, act: Act) -> None:
    """It leaves every menu at once, and its briefs end; the lists it drew from stay as they are."""
    keep_groups(board, act)
    publish(act, "board_removed", board)


def keep_groups(board: Any, act: Act) -> None:
    """Raise `Refusal` when somebody of a dealer touches what the group has built."""
    if board.dealer_id is None and not is_group(act.actor, "boards"):
        raise Refusal("集团看板只能由集团修改；可以先复制一份")


def may_share(actor: Actor) -> bool:
    """Whether the person builds dashboards for others too."""
    return actor.system or bool(scopes_of(resource_of(Board), actor) & _SHARERS)


def _check_sharing(board: Any, act: Act, shared: Sharing) -> None:
    if shared is not Sharing.PERSONAL and not may_share(act.actor):
        raise Refusal("您只能保存自己使用的看板，共享请联系商场系统管理员", "shared")


def _check_name(board: Any, act: Act, name: str, shared: Sharing) -> None:
    if not name or not name.strip():
        raise Invalid({"name": "请填写看板名称"})
    if shared is Sharing.PERSONAL:
        near = (Board.shared == Sharing.PERSONAL, Board.owner_id == board.owner_id)
    else:
        near = (Board.shared != Sharing.PERSONAL, Board.dealer_id.is_not_distinct_from(board.dealer_id))
    unique(act, board, Board.name, name, *near)


def build(name: str, layout: Sequence[Mapping[str, Any]], actor: Actor, source: str) -> Board:
    """A new dashboard of one's own with these tiles, in one transaction."""
    act = Act(actor, utcnow(), db.session(), source, "create")
    with perform.deed(act):
        board: Board = perform.create(resource_of(Board), {"name": name}, actor, source=source)[0]
        lay(board, [dashboard_tiles.checked(tile, act) for tile in layout], act)
    return board


def duplicate(label: str, layout: Sequence[dict[str, Any]], actor: Actor, source: str) -> Board:
    """A dashboard of one's own with the same tiles, as they are: whoever may not see one sees that."""
    fresh = [{**tile, "key": secrets.token_hex(4)} for tile in layout]
    mine = select(Board.name).where(Board.owner_id == actor.id, Board.shared == Sharing.PERSONAL)
    names = set(db.session().scalars(mine))
    base = f"{label[:16]} 副本"
    name = next(n for n in chain([base], (f"{base}{i}" for i in count(2))) if n not in names)
    act = Act(actor, utcnow(), db.session(), source, "create")
    with perform.deed(act):
        board: Board = perform.create(resource_of(Board), {"name": name}, actor, source=source)[0]
        lay(board, fresh, act)
    return board


# ----- its tiles

Layout = list[dict[str, Any]]
Change = Callable[[Layout, Act], Layout]
Still = Callable[[Layout], bool]


def rearrange(
    board_id: int, version: int, change: Change, actor: Actor, source: str, still: Still | None = None
) -> Board:
    """Change the tiles of a dashboard that is as the person saw it, or ``still`` is where it matters; raises
    `Stale` when somebody has changed it since."""
    found = resource_of(Board)
    perform.require(actor, ("can_edit", found.view_name()), f"编辑{found.label}")
    session = db.session()
    act = Act(actor, utcnow(), session, source, "update")
    with perform.deed(act):
        board: Board = perform.find(session, found, board_id, actor, lock=True)
        keep_groups(board, act)
        if board.version != version and not (still is not None and still(board.layout)):
            raise Stale
        lay(board, change([dict(tile) for tile in board.layout], act), act)
    return board


def lay(board: Board, wanted: Layout, act: Act) -> None:
    """Put the tiles down, note in the history what came, went and moved, and keep the one that went."""
    if len(wanted) > dashboard_tiles.MOST:
        raise Refusal(FULL)
    before, after = {t["key"]: t for t in board.layout}, {t["key"]: t for t in wanted}
    gone = [key for key in before if key not in after]
    at = {key: n for n, key in enumerate(before)}
    board.removed = {"tile": before[gone[-1]], "at": at[gone[-1]]} if gone else None
    if list(board.layout) == wanted:
        return
    if board.shared is not Sharing.PERSONAL:
        _keep_tiles_for_all(board, [tile for tile in wanted if tile not in board.layout], act)
    old = [dashboard_tiles.words(t, act.actor.dealer_id) for t in board.layout]
    board.layout = wanted
    audit.note(
        act.session, board, "tiles", old, [dashboard_tiles.words(t, act.actor.dealer_id) for t in wanted]
    )
    act.session.flush()


def _keep_tiles_for_all(board: Any, fresh: Layout, act: Act) -> None:
    """Raise `Refusal` where new tiles of one of the group's would show what only one dealer has."""
    if board.dealer_id is not None:
        return
    try:
        keep_for_all(act, board, {"layout": fresh})
    except Invalid as wrong:
        raise Refusal(wrong.message) from wrong
    said = next(filter(None, (dashboard_tiles.of_one_dealer(tile, act) for tile in fresh)), "")
    if said:
        raise Refusal(refusal(said, resource_of(Board).label))


def adding(tile: Mapping[str, Any]) -> Change:
    """Put a tile at the end."""

    def change(layout: Layout, act: Act) -> Layout:
        return [*layout, dashboard_tiles.checked({**tile, "key": ""}, act)]

    return change


def replacing(key: str, tile: Mapping[str, Any]) -> Change:
    """Put a tile in the place of another."""

    def change(layout: Layout, act: Act) -> Layout:
        at = _place(layout, key)
        layout[at] = dashboard_tiles.checked({**tile, "key": key}, act)
        return layout

    return change


def removing(key: str) -> Change:
    """Take a tile off."""

    def change(layout: Layout, act: Act) -> Layout:
        del layout[_place(layout, key)]
        return layout

    return change


def moving(key: str, by: int) -> Change:
    """Move a tile some places; not past the ends."""

    def change(layout: Layout, act: Act) -> Layout:
        at = _place(layout, key)
        tile = layout.pop(at)
        layout.insert(max(0, min(at + by, len(layout))), tile)
        return layout

    return change


def widening(key: str, width: int) -> Change:
    """Make a tile so many thirds of the page wide."""

    def change(layout: Layout, act: Act) -> Layout:
        if width not in dashboard_tiles.WIDTHS:
            raise Refusal("宽度为1至3列")
        layout[_place(layout, key)]["width"] = width
        return layout

    return change


def ordering(keys: Sequence[str]) -> Change:
    """Put the tiles into this order; those that came meanwhile stay at the end."""

    def change(layout: Layout, act: Act) -> Layout:
        by_key = {tile["key"]: tile for tile in layout}
        named = [key for key in dict.fromkeys(keys) if key in by_key]
        if not named:
            raise Refusal(GONE)
        return [by_key[key] for key in [*named, *(key for key in by_key if key not in named)]]

    return change


def restore(board_id: int, version: int, actor: Actor, source: str) -> Board:
    """Put back the tile that was taken off last, where it stood."""
    found = resource_of(Board)
    removed = perform.find(db.session(), found, board_id, actor).removed
    if not removed:
        raise Refusal("没有可以撤销的移除")

    def change(layout: Layout, act: Act) -> Layout:
        layout.insert(removed["at"], removed["tile"])
        return layout

    return rearrange(board_id, version, change, actor, source)


def _place(layout: Layout, key: str) -> int:
    at = next((n for n, tile in enumerate(layout) if tile["key"] == key), None)
    if at is None:
        raise Refusal(GONE)
    return at
