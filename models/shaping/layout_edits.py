"""Steps by which a plan is changed in the editor, before it is kept. Pure: each gives another plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.engine.layouts import FULL, HALF, OWN, Part, Plan, Spot

SECTION = "#"
"""Before the key of a section, where sections and fields stand in one row."""
_OWN_KEY = re.compile(r"\+\d{1,4}", re.ASCII)
_TITLE = "新分组"


def typed(
    below: Plan,
    row: Sequence[str],
    titles: Mapping[str, str],
    full: frozenset[str],
    hidden: frozenset[str],
    wide: frozenset[str],
) -> Plan:
    """The plan out of the editor's form: sections and fields in one row. Of the fields that are declared
    ``wide`` those that are not ``full`` are half a row; of the others the ``full`` ones are a whole."""
    known = {part.key for part in below}
    parts: list[Part] = []
    for word in row:
        if word.startswith(SECTION):
            key = word.removeprefix(SECTION)
            if key in known or _OWN_KEY.fullmatch(key):
                parts.append(Part(key, titles.get(key, "")))
        elif parts:
            is_full = word in full
            width = "" if is_full is (word in wide) else FULL if is_full else HALF
            parts[-1] = replace(parts[-1], spots=(*parts[-1].spots, Spot(word, width, word in hidden)))
    return tuple(parts)


def move_part(plan: Plan, key: str, way: int) -> Plan:
    """A section one place up (-1) or down (1)."""
    keys = [part.key for part in plan]
    if key not in keys or not 0 <= keys.index(key) + way < len(plan):
        return plan
    at = keys.index(key)
    parts = list(plan)
    parts.insert(at + way, parts.pop(at))
    return tuple(parts)


def move_spot(plan: Plan, name: str, way: int) -> Plan:
    """A field one place up or down; beyond the ends of its section into the next one."""
    found = [(n, i) for n, part in enumerate(plan) for i, spot in enumerate(part.spots) if spot.name == name]
    if not found:
        return plan
    (at, i), parts = found[0], list(plan)
    spots = list(parts[at].spots)
    spot = spots.pop(i)
    if 0 <= i + way <= len(spots):
        spots.insert(i + way, spot)
        parts[at] = replace(parts[at], spots=tuple(spots))
    elif 0 <= at + way < len(parts):
        parts[at] = replace(parts[at], spots=tuple(spots))
        near = parts[at + way].spots
        parts[at + way] = replace(parts[at + way], spots=(*near, spot) if way < 0 else (spot, *near))
    return tuple(parts)


def add_part(plan: Plan) -> tuple[Plan, str]:
    """A new section at the end, and its key."""
    keys, titles = {part.key for part in plan}, {part.title for part in plan}
    key = next(k for n in range(1, len(plan) + 2) if (k := f"{OWN}{n}") not in keys)
    names = (_TITLE, *(f"{_TITLE}{n}" for n in range(2, len(plan) + 3)))
    return (*plan, Part(key, next(n for n in names if n not in titles))), key


def remove_part(plan: Plan, key: str) -> Plan:
    """Without that added section; its fields go to the end of the one before it, or to the start of the next."""
    at = next((n for n, part in enumerate(plan) if part.key == key and key.startswith(OWN)), None)
    if at is None or len(plan) < 2:
        return plan
    parts = list(plan)
    gone = parts.pop(at)
    near = parts[max(at - 1, 0)]
    spots = (*near.spots, *gone.spots) if at else (*gone.spots, *near.spots)
    parts[max(at - 1, 0)] = replace(near, spots=spots)
    return tuple(parts)
