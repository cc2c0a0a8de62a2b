"""The page of a list's charts: all that the person may see, under the list's own scope and filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from app.engine import charts_cards, listing, periods
from app.engine.actions import Forbidden, NotFound
from app.engine.addresses import address
from app.engine.chartkinds import Chart, Number, charted
from app.engine.charts_board import NOTHING, Board, widest
from app.engine.database import db
from app.engine.filterbar import chips, filter_bar, kept
from app.engine.guards import may_filter
from app.engine.listing import Query
from app.engine.pages import ChartPage, Chip, Link
from app.engine.resource import Resource
from app.engine.scopes import Actor

__all__ = ["NOTHING", "allowed", "one_of", "page", "provide_pin", "sheet_address"]

Pin = Callable[[Actor, type[Resource], listing.Args, str], str]
_pins: list[Pin] = []


def provide_pin(pin: Pin) -> None:
    """Install the function that says where a chart under an address is put on a dashboard, empty for whoever
    builds none; once, at import of the domain of what administrators build."""
    _pins[:] = [pin]


def allowed(resource: type[Resource], actor: Actor) -> list[Chart]:
    """The charts this person may see: none that looks at a field he or she may not read."""
    return [c for c in resource.charts if all(may_filter(spec, actor) for spec in charted(c))]


def one_of(resource: type[Resource], actor: Actor, name: str) -> Chart:
    """The chart of that name. Raises `Forbidden` with the guard's name where the person may not read what it
    looks at, `NotFound` where there is none."""
    chart = next((c for c in resource.charts if c.name == name), None)
    if chart is None:
        raise NotFound
    for spec in charted(chart):
        if not may_filter(spec, actor):
            raise Forbidden(f"图表“{chart.title}”：{spec.label}")
    return chart


def page(resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> ChartPage:
    """All charts of a list that this person may see, under the conditions of the address; with ``chart`` in
    it that one alone.

    Without a scope in it the page opens as wide as the person may see: charts are looked at for the whole.
    """
    chosen = listing.first(args, "chart")
    args = {k: v for k, v in args.items() if k != "chart"}
    asked = widest(resource, actor, args, now)
    board = Board.of(resource, actor, periods.pinned(asked), now)
    period = periods.of(board.query)
    shown: Sequence[Any] = [one_of(resource, actor, chosen)] if chosen else allowed(resource, actor)
    base = f"/{resource.name}/charts"
    fields = filter_bar(db.session(), resource, actor, asked)
    found = ChartPage(
        f"{resource.label}图表", resource.name, base, board.address({}), _scopes(asked, base),
        periods.bar(asked, period, base),
        charts_cards.cards([c for c in shown if not isinstance(c, Number)], board),
        charts_cards.figures([c for c in shown if isinstance(c, Number)], board, period),
        filters=fields, chips=[*_view_chip(asked, base), *chips(asked, base, fields)],
        hidden=kept(asked) + [(k, v) for k in ("window", "include") for v in args.get(k, ())],
        clear_url=address(base, {k: v for k, v in args.items() if k == "scope"}),
        error="；".join(asked.errors),
    )  # fmt: skip
    for card in found.cards:
        card.pin_url = next((pin(actor, resource, args, card.key) for pin in _pins), "")
    if actor.can("can_export", resource.view_name()):
        found.sheet_url = sheet_address(base, asked.args)
        for card in found.cards:
            card.sheet_url = sheet_address(base, asked.args, chart=card.key)
    return found


def sheet_address(base: str, args: listing.Args, **put: str) -> str:
    """Where the same numbers are fetched as a spreadsheet."""
    return address(f"{base}.xlsx", args, **put)


def _scopes(asked: Query, base: str) -> list[Link]:
    return [
        Link(
            asked.resource.scope_label(scope),
            address(base, asked.args, scope=scope.value),
            active=scope is asked.scope,
        )
        for scope in listing.tabs(asked.resource, asked.actor)
    ]


def _view_chip(asked: Query, base: str) -> list[Chip]:
    """The list shows its view as a tab; here it is one of the conditions."""
    if asked.view is None:
        return []
    return [Chip(f"视图：{asked.view.label}", address(base, asked.args, drop=("view",)))]
