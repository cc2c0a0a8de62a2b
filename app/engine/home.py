"""What the home page is made of. The engine knows the places; the domains say what stands there: whose waiting
work is counted, and which figures are a person's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.engine import charts_cards, chrome, counting, filters, listing, periods
from app.engine.addresses import address
from app.engine.chartkinds import Number, charted
from app.engine.charts_board import Board
from app.engine.dashboards import Tile
from app.engine.fields import describe
from app.engine.guards import may_filter
from app.engine.localtime import local
from app.engine.pages import Figure, Todo
from app.engine.periods import Args, Period
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope, scopes_of


@dataclass(frozen=True, eq=False)
class Waiting:
    """Work that waits: the rows of a view, in the scope its list opens with; for those who have the
    ``permission`` on the list that says whose work it is."""

    resource: type[Resource]
    view: str
    label: str
    icon: str
    tone: str = ""
    permission: str = "can_list"


_waiting: list[Waiting] = []
_own: list[Tile] = []


def provide_waiting(*waiting: Waiting) -> None:
    """Cards of 待办, in their order; called once at import of a domain."""
    _waiting.extend(waiting)


def provide_own(*tiles: Tile) -> None:
    """Figures of this month's own work, in their order; called once at import of a domain."""
    _own.extend(tiles)


def todos(actor: Actor, now: datetime) -> list[Todo]:
    """The waiting work with its numbers, counted in one statement; each opens exactly its rows."""
    mine = [
        w for w in _waiting if _sees(actor, w.resource) and actor.can(w.permission, w.resource.view_name())
    ]
    scopes = {w.resource: chrome.opening(w.resource, actor, now) for w in mine}

    def count() -> list[int]:
        amounts = []
        for w in mine:
            scope, view = scopes[w.resource], w.resource.view(w.view)
            assert view is not None
            within = frozenset({scope}) if scope is not None else scopes_of(w.resource, actor)
            where = listing.of_view(w.resource, view, now)
            amounts.append(counting.amount(w.resource, within, where, chrome.COUNTED))
        return chrome.with_badges(actor, now, amounts, actor.params) if amounts else []

    numbers = chrome.remembered(("todos", actor.id, actor.epoch), count)
    found = []
    for w, n in zip(mine, numbers, strict=True):
        scope = scopes[w.resource]
        args = {"scope": [scope.value]} if scope is not None else {}
        url = address(f"/{w.resource.name}/", args, view=w.view)
        found.append(Todo(w.label, chrome.bounded(n), url, w.icon, w.tone if n else ""))
    return found


def _sees(actor: Actor, resource: type[Resource]) -> bool:
    return actor.can("can_list", resource.view_name())


def own_figures(actor: Actor, now: datetime) -> list[Figure]:
    """What this person has done this month, with the days before for comparison: the records that name him
    or her. Who may not see a list sees no figure of it."""
    found: list[Figure] = chrome.remembered(
        ("own", actor.id, actor.epoch, now.date()), lambda: _own_figures(actor, now)
    )
    return found


def _own_figures(actor: Actor, now: datetime) -> list[Figure]:
    found = []
    for tile in _own:
        chart = tile.shown()
        hidden = not all(may_filter(spec, actor) for spec in charted(chart))
        if not isinstance(chart, Number) or hidden or not _sees(actor, tile.resource):
            continue
        args = _of_mine(tile.resource, actor, now)
        if args is None:
            continue
        board = Board.of(tile.resource, actor, args, now)
        found += charts_cards.figures([chart], board, periods.of(board.query))
    return found


def _of_mine(resource: type[Resource], actor: Actor, now: datetime) -> Args | None:
    """The address of this month's records that name the person; None where a list cannot say so."""
    time = periods.column_of(resource, actor)
    tabs = listing.tabs(resource, actor)
    if time is None or resource.scopes.mine is None or not tabs:
        return None
    spec = describe(resource.scopes.mine)
    if all(f.spec.name != spec.name for f in filters.declared(resource, actor)):
        return None
    today = local(now).date()
    scope = Scope.MINE if Scope.MINE in tabs else tabs[0]
    month = Period(time, today.replace(day=1), today, today).args()
    return {"scope": [scope.value], spec.name: [str(actor.id)], **month}
