"""The tiles of a dashboard: a chart of a list, who may see it, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.engine import listing
from app.engine.chartkinds import Chart, charted
from app.engine.charts_board import Board
from app.engine.fields import FieldSpec, describe
from app.engine.guards import may_filter
from app.engine.pages import Block, Placed
from app.engine.periods import Args
from app.engine.resource import Resource, filtered
from app.engine.scopes import PERSONAL, Actor, scopes_of


@dataclass(frozen=True, eq=False)
class Tile:
    """One chart or figure of a list, under a title of its own where the list's says too little here.

    ``chart`` is the name of a declared one, or one put together of the list's fields. ``own`` are filters of the
    list that hold for this tile alone, as they stand in an address. ``key`` tells it from the others where one
    chart may stand twice; it is ``width`` thirds of an arranged page wide. ``missing`` says why there is nothing
    to draw any more."""

    resource: type[Resource]
    chart: str | Chart
    title: str = ""
    own: Args = field(default_factory=dict)
    key: str = ""
    width: int = 1
    missing: str = ""

    def shown(self) -> Chart:
        """The chart as this dashboard shows it."""
        found = self.chart
        if isinstance(found, str):
            found = next(c for c in self.resource.charts if c.name == self.chart)
        found = replace(found, title=self.title) if self.title else found
        return replace(found, name=self.key) if self.key else found

    def narrowed_by(self) -> list[FieldSpec]:
        """The fields of its own filters."""
        names = {name.removesuffix("__text").partition(".")[0] for name in self.own}
        return [spec for spec in map(describe, map(filtered, self.resource.filters)) if spec.name in names]


def may_see(tile: Tile, actor: Actor) -> bool:
    """Whether the person may see the charts of its list, and every field it looks at or is narrowed by; of a
    tile about the own rows, whether there are such."""
    if tile.missing or not actor.can("can_chart", tile.resource.view_name()):
        return False
    own = {s for s in PERSONAL if s.value in tile.own.get("scope", ())}
    if not own <= scopes_of(tile.resource, actor):
        return False
    return all(may_filter(spec, actor) for spec in (*charted(tile.shown()), *tile.narrowed_by()))


def placed(tiles: Sequence[Tile], blocks: Sequence[Block]) -> list[Placed]:
    """Every tile in its place; one that was not counted says no more than that."""
    figures = {f.name: f for block in blocks for f in block.figures}
    cards = {c.key: c for block in blocks for c in block.cards}
    found = []
    for tile in tiles:
        made = Placed(tile.key, tile.title, tile.width, tile.resource.titled(), tile.resource.icon)
        made.figure, made.card = figures.get(tile.key), cards.get(tile.key)
        if made.figure is None and made.card is None:
            made.missing = tile.missing or "无权查看"
        found.append(made)
    return found


def own_for(tile: Tile, actor: Actor) -> Args:
    """Its own filters as they hold for this person: whoever does not see as far looks as far as may be."""
    held = {s.value for s in listing.tabs(tile.resource, actor)}
    return {k: list(v) for k, v in tile.own.items() if k != "scope" or held.intersection(v)}


def own_words(board: Board, own: Args) -> str:
    """What a tile is narrowed by, in words; of records that are referred to only how many."""
    under = board.narrowed(own)
    if under is None:
        return ""
    view = under.query.view
    scope = under.query.scope if "scope" in own else None
    found = [
        *([board.resource.scope_label(scope)] if scope else []),
        *([view.label] if view and "view" in own else []),
    ]
    for active in under.query.filters:
        if active.names[0] in own or f"{active.spec.name}.to" in own:
            several = active.spec.target is not None and not active.names[0].endswith("__text")
            amount = len(own.get(active.spec.name, ()))
            found.append(f"{active.spec.label}：指定 {amount} 项" if several else active.label)
    return "，".join(found)
