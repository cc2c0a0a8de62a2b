"""Two people at one dashboard: what still is as one of them saw it, and what each has made of it, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.engine.colliding import mark
from app.engine.pages import Difference
from models.shaping import dashboard_tiles
from models.shaping.dashboard_rules import Layout, Still


def opened_with(tile: Mapping[str, Any]) -> str:
    """What the page remembers of a tile."""
    return mark([json.dumps(tile, sort_keys=True, ensure_ascii=False)])


def same_tile(key: str, was: str) -> Still:
    """The tile is as it was when the page was opened, whatever became of the others."""

    def still(layout: Layout) -> bool:
        return any(tile["key"] == key and opened_with(tile) == was for tile in layout)

    return still


def same_order(began: Sequence[str]) -> Still:
    """The tiles stand in the order in which they were shown, whatever came or went."""

    def still(layout: Layout) -> bool:
        keys = [tile["key"] for tile in layout]
        return [k for k in keys if k in began] == [k for k in began if k in keys]

    return still


def compared(mine: Layout, theirs: Layout, dealer_id: int | None, by: str) -> list[Difference]:
    """What differs between the dashboard as this person wants it and as it is."""
    wanted, stored = {t["key"]: t for t in mine}, {t["key"]: t for t in theirs}
    titles = {key: dashboard_tiles.words(tile, dealer_id) for key, tile in {**wanted, **stored}.items()}
    found = []
    for key, tile in stored.items():
        if key not in wanted:
            found.append(Difference(titles[key], "移除", f"保留，{tile['width']} 列宽", by))
        elif wanted[key]["width"] != tile["width"]:
            widths = f"{wanted[key]['width']} 列", f"{tile['width']} 列"
            found.append(Difference(f"{titles[key]} · 宽度", *widths, by))
    mine_order, their_order = ([k for k in side if k in wanted and k in stored] for side in (wanted, stored))
    if mine_order != their_order:
        said = "、".join(titles[k] for k in mine_order), "、".join(titles[k] for k in their_order)
        found.append(Difference("顺序", *said, by))
    return found
