"""Two administrators at one layout: what each has made of it, side by side, and what goes together without asking.

The editor remembers the plan with which it was opened. What only one of the two has touched is kept from that one;
what both have touched is shown with both versions. Pure, like the steps of the editor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine.colliding import UNTOUCHED
from app.engine.layouts import FULL, HALF, OWN, Part, Plan, Spot

TITLE, HOME, WIDTH, HIDDEN, ORDER, SECTIONS = "title", "home", "width", "hidden", "order", "sections"
_WIDTHS = {FULL: "整行", HALF: "半行", "": "默认宽度"}
_GONE = "（没有此分组）"


@dataclass(frozen=True)
class Side:
    """Something of a layout that the two have made differently. ``name`` is by what the other one's version of it
    is asked for, empty where only one has touched it."""

    label: str
    mine: str
    theirs: str
    name: str = ""


class _Plan:
    """A plan by what may be different in it."""

    def __init__(self, plan: Plan) -> None:
        self.parts = {part.key: part for part in plan}
        self.spots = {spot.name: spot for part in plan for spot in part.spots}
        self.homes = {spot.name: part.key for part in plan for spot in part.spots}

    def held(self, key: str) -> list[str]:
        """The fields of a section, in order."""
        return [spot.name for spot in self.parts[key].spots] if key in self.parts else []


def settle(
    began: Plan | None, mine: Plan, theirs: Plan, labels: Mapping[str, str]
) -> tuple[Plan, list[Side]]:
    """What two people have made of a layout put together, and what of it differs. Without what the page ``began``
    with everything that differs counts as touched by both."""
    if began is not None:
        mine = _apart(began, mine, theirs)
    was = _Plan(began) if began is not None else None
    one, other = _Plan(mine), _Plan(theirs)
    taken, sides = set(), []
    for name in _differing(one, other):
        together = (one, other, was) if was is not None else (one, other)
        values = [_value(plan, name, together) for plan in together]
        side = _side(name, one, other, labels)
        if was is None or values[2] not in values[:2]:
            sides.append(replace(side, name=name))
        elif values[2] == values[0]:
            taken.add(name)
            sides.append(replace(side, mine=UNTOUCHED))
        elif values[2] == values[1]:
            sides.append(replace(side, theirs=UNTOUCHED))
    return _together(one, other, taken), sides


def take(
    mine: Plan, theirs: Plan, chosen: Collection[str], asked: Sequence[str], labels: Mapping[str, str]
) -> tuple[Plan, list[Side]]:
    """The plan with the other one's version of what was chosen, and what is still to be chosen of what was asked.
    Both are names of sides."""
    one, other = _Plan(mine), _Plan(theirs)
    differing = set(_differing(one, other))
    left = [name for name in dict.fromkeys(asked) if name in differing and name not in chosen]
    sides = [replace(_side(name, one, other, labels), name=name) for name in left]
    return _together(one, other, differing & set(chosen)), sides


def _apart(began: Plan, mine: Plan, theirs: Plan) -> Plan:
    """The own plan whose added sections bear other keys than those that were added meanwhile."""
    known = {part.key for part in began}
    added = {part.key: part.title for part in theirs if part.key not in known}
    used = known | added.keys() | {part.key for part in mine}
    found = []
    for part in mine:
        if part.key in added and part.key not in known and part.title != added[part.key]:
            key = next(k for n in range(1, len(used) + 2) if (k := f"{OWN}{n}") not in used)
            used.add(key)
            part = replace(part, key=key)
        found.append(part)
    return tuple(found)


def _differing(one: _Plan, other: _Plan) -> Iterator[str]:
    """By name what of the two plans is not the same."""
    keys = dict.fromkeys([*one.parts, *other.parts])
    fields = [name for name in one.spots if name in other.spots]
    names = [f"{TITLE}.{key}" for key in keys] + [f"{SECTIONS}."]
    names += [f"{what}.{name}" for name in fields for what in (HOME, HIDDEN, WIDTH)]
    names += [f"{ORDER}.{key}" for key in keys]
    both = (one, other)
    return (name for name in names if _value(one, name, both) != _value(other, name, both))


def _value(plan: _Plan, name: str, together: Sequence[_Plan]) -> Any:
    """What a plan has there. Orders are compared as far as all of them hold the same."""
    what, _, about = name.partition(".")
    if what == TITLE:
        return plan.parts[about].title if about in plan.parts else None
    if what == SECTIONS:
        return [key for key in plan.parts if all(key in each.parts for each in together)]
    if what == ORDER:
        return [n for n in plan.held(about) if all(n in each.held(about) for each in together)]
    if what == HOME:
        return plan.homes.get(about)
    spot = plan.spots.get(about)
    return spot and getattr(spot, what)


def _together(one: _Plan, other: _Plan, taken: Collection[str]) -> Plan:
    """The plan ``one`` with what was ``taken`` of the ``other``."""

    def of(name: str) -> tuple[_Plan, _Plan]:
        return (other, one) if name in taken else (one, other)

    titles = {}
    for key in {**one.parts, **other.parts}:
        title = _value(of(f"{TITLE}.{key}")[0], f"{TITLE}.{key}", ())
        if title is not None:
            titles[key] = str(title)
    homes, spots = {}, {}
    for name, spot in one.spots.items():
        first, second = of(f"{HOME}.{name}")
        homes[name] = next((p.homes[name] for p in (first, second) if p.homes.get(name) in titles), "")
        wide, away = (of(f"{what}.{name}")[0].spots.get(name, spot) for what in (WIDTH, HIDDEN))
        spots[name] = Spot(name, wide.width, away.hidden)
    first, second = of(f"{SECTIONS}.")
    order = [key for key in _woven(list(first.parts), list(second.parts)) if key in titles]
    parts = []
    for key in order:
        first, second = of(f"{ORDER}.{key}")
        held = [n for n in _woven(first.held(key), second.held(key)) if homes.get(n) == key]
        parts.append(Part(key, titles[key], tuple(spots[n] for n in held)))
    return tuple(parts)


def _woven(order: Sequence[str], more: Sequence[str]) -> list[str]:
    """One order with what only another one has, each behind what it stands behind there."""
    found = list(order)
    for at, name in enumerate(more):
        if name not in found:
            before = next((n for n in reversed(more[:at]) if n in found), None)
            found.insert(found.index(before) + 1 if before is not None else 0, name)
    return found


# ----- in words


def _side(name: str, one: _Plan, other: _Plan, labels: Mapping[str, str]) -> Side:
    """What differs, in words; without a name it cannot be asked for."""
    what, _, about = name.partition(".")
    label, say = _SAID[what](about, one, other, labels)
    both = (one, other)
    return Side(label, say(one, _value(one, name, both)), say(other, _value(other, name, both)))


Say = Callable[[_Plan, Any], str]


def _called(key: str, *plans: _Plan) -> str:
    """The title of a section in the first of the plans that has it."""
    part = next((p.parts[key] for p in plans if key in p.parts), None)
    return (part.title if part is not None else "") or "（无标题）"


def _title(key: str, one: _Plan, other: _Plan, _labels: Mapping[str, str]) -> tuple[str, Say]:
    return f"分组“{_called(key, other, one)}”", lambda _, title: _GONE if title is None else title


def _home(name: str, _one: _Plan, _other: _Plan, labels: Mapping[str, str]) -> tuple[str, Say]:
    return f"{labels.get(name, name)} · 所在分组", lambda plan, key: _called(key, plan)


def _hidden(name: str, _one: _Plan, _other: _Plan, labels: Mapping[str, str]) -> tuple[str, Say]:
    return f"{labels.get(name, name)} · 显示", lambda _, hidden: "隐藏" if hidden else "显示"


def _width(name: str, _one: _Plan, _other: _Plan, labels: Mapping[str, str]) -> tuple[str, Say]:
    return f"{labels.get(name, name)} · 宽度", lambda _, width: _WIDTHS[width]


def _order(key: str, one: _Plan, other: _Plan, labels: Mapping[str, str]) -> tuple[str, Say]:
    names = f"{_called(key, one, other)} · 字段顺序"
    return names, lambda _, order: "、".join(labels.get(n, n) for n in order)


def _sections(_about: str, _one: _Plan, _other: _Plan, _labels: Mapping[str, str]) -> tuple[str, Say]:
    return "分组顺序", lambda plan, order: "、".join(_called(key, plan) for key in order)


_SAID = {
    TITLE: _title, HOME: _home, HIDDEN: _hidden, WIDTH: _width, ORDER: _order, SECTIONS: _sections,
}  # fmt: skip
