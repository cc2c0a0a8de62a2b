"""How the sections of a form or of a record's page are laid out, where administrators arranged them.

Arranging is pure: what is declared, what was stored, and out of both what stands where. A stored field that is
gone is passed over, and one that is not stored stands where it is declared. Hiding is no right: a field that a
form leaves out keeps its value, and gate, API and files know nothing of layouts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.engine.conditional import source_of
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Group, Resource
from app.engine.scopes import Actor

NEW, EDIT, DETAIL = "new", "edit", "detail"
FULL, HALF = "full", "half"
OWN = "+"
"""Before the key of a section that an administrator added."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A field in its place; without ``width`` it is as wide as it is declared."""

    name: str
    width: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A section. ``key`` is its declared title, whatever it is called by now."""

    key: str
    title: str
    spots: tuple[Spot, ...] = ()
    folded: bool = False


Plan = tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """A stored layout; ``made`` keeps what was worked out of it for as long as it holds itself."""

    parts: Plan
    made: dict[Any, Arranged] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Arranged:
    """The groups of a form or page in order, the fields whose width is not as declared, by name, and those that
    are left out."""

    groups: tuple[Group, ...]
    wide: Mapping[str, bool] = field(default_factory=dict)
    hidden: tuple[FieldSpec, ...] = ()

    @property
    def left_out(self) -> frozenset[str]:
        """The names of the hidden fields."""
        return frozenset(s.name for s in self.hidden)


class Source(Protocol):
    """What the domain that keeps layouts tells of them."""

    def layout(self, actor: Actor, resource_name: str, page: str) -> Layout | None:
        """The layout this person sees; None for the declared one."""

    def editor(self, actor: Actor, resource: type[Resource], page: str, record_id: int) -> str:
        """Where the person changes it; empty for those who may not."""


_source: list[Source] = []


def provide_layouts(source: Source) -> None:
    """Say who keeps layouts; once, at import."""
    _source[:] = [source]


def groups_of(resource: type[Resource], page: str) -> tuple[Group, ...]:
    """The declared groups of a form or of the record's page."""
    if page == DETAIL:
        return tuple(part for part in resource.detail if isinstance(part, Group))
    return tuple(part for part in resource.groups(page == EDIT) if isinstance(part, Group))


def arranged(resource: type[Resource], page: str, actor: Actor) -> Arranged:
    """The groups as this person sees them."""
    layout = _source[0].layout(actor, resource.name, page) if _source else None
    if layout is None:
        return Arranged(groups_of(resource, page))
    found = layout.made.get((resource, page))
    if found is None:
        found = layout.made[resource, page] = laid(resource, page, layout.parts)
    return found


def editor_url(resource: type[Resource], page: str, actor: Actor, record_id: int = 0) -> str:
    """Where this person arranges that form or page; empty for those who may not."""
    return _source[0].editor(actor, resource, page, record_id) if _source else ""


# ----- arranging


def declared(resource: type[Resource], page: str) -> Plan:
    """The plan that nobody has changed."""
    found: dict[str, Part] = {}
    for group in groups_of(resource, page):
        key = group.title
        while key in found:
            key += "·"
        spots = tuple(Spot(s.name) for s in map(describe, group.fields) if s.kind != "hidden")
        found[key] = Part(key, group.title, spots, group.folded)
    return tuple(found.values())


def resolved(below: Plan, stored: Plan) -> Plan:
    """What is declared, in the order, under the titles and in the sections that were stored."""
    folded = {part.key: part.folded for part in below}
    titles = {part.key: part.title for part in below}
    known = {spot.name for part in below for spot in part.spots}
    taken: set[str] = set()
    found: dict[str, Part] = {}
    for part in stored:
        if part.key in found:
            continue
        kept = []
        for spot in part.spots:
            if spot.name in known and spot.name not in taken:
                taken.add(spot.name)
                kept.append(spot)
        title = part.title or titles.get(part.key, "" if part.key.startswith(OWN) else part.key)
        found[part.key] = Part(part.key, title, tuple(kept), folded.get(part.key, False))
    found = _with_new_sections(below, found, taken)
    for part in below:
        for at, spot in enumerate(part.spots):
            if spot.name not in taken:
                before = {s.name for s in part.spots[:at]}
                found[part.key] = _put(found[part.key], spot, before)
    return tuple(found.values())


def _with_new_sections(below: Plan, found: dict[str, Part], taken: set[str]) -> dict[str, Part]:
    """Sections that are declared and not stored stand behind the one they are declared behind."""
    order = list(found)
    for at, part in enumerate(below):
        if part.key in found:
            continue
        after = next((p.key for p in reversed(below[:at]) if p.key in order), None)
        order.insert(order.index(after) + 1 if after is not None else 0, part.key)
    titles = {part.key: part for part in below}
    return {key: found.get(key) or replace(titles[key], spots=()) for key in order}


def _put(part: Part, spot: Spot, before: set[str]) -> Part:
    """The section with a field behind those it is declared behind."""
    at = max((n + 1 for n, s in enumerate(part.spots) if s.name in before), default=0)
    return replace(part, spots=(*part.spots[:at], spot, *part.spots[at:]))


def needed(specs: Iterable[FieldSpec], hidden: Iterable[str]) -> dict[str, str]:
    """Which of the hidden fields a form cannot do without, and why, in words: what must be filled in, and what
    other fields of the form follow."""
    by_name = {s.name: s for s in specs}
    away = set(hidden) & by_name.keys()
    found = {n: said for n in away if (said := must_stay(by_name[n]))}
    waiting = [s for s in by_name.values() if s.name not in away or s.name in found]
    while waiting:
        spec = waiting.pop()
        for name in _followed(spec) & away - found.keys():
            found[name] = f"“{spec.label}”随“{by_name[name].label}”变化，不能只隐藏“{by_name[name].label}”"
            waiting.append(by_name[name])
    return found


def must_stay(spec: FieldSpec) -> str:
    """Why a field cannot be hidden in a form, whatever else it asks; empty for one that can."""
    return f"“{spec.label}”是必填项，不能隐藏" if spec.required or spec.needed_when else ""


def _followed(spec: FieldSpec) -> set[str]:
    """The fields that one follows."""
    rules = (spec.shown_when, spec.opens_when, spec.needed_when)
    found = {source_of(rule) for rule in rules if rule}
    found |= {spec.parent} if spec.parent else set()
    return found | set(spec.aid.uses if spec.aid is not None else ())


def laid(resource: type[Resource], page: str, stored: Plan) -> Arranged:
    """The groups of the resource by a stored plan."""
    sources = {describe(s).name: s for group in groups_of(resource, page) for s in group.fields}
    plan = resolved(declared(resource, page), stored)
    away = {s.name for part in plan for s in part.spots if s.hidden}
    if page != DETAIL:
        away -= needed(map(describe, sources.values()), away).keys()
    groups = []
    for part in plan:
        shown = [sources[s.name] for s in part.spots if s.name not in away]
        if shown:
            groups.append(Group(part.title, *shown, folded=part.folded))
    unseen = [s for s in sources.values() if describe(s).kind == "hidden"]
    if unseen:
        groups.append(Group("", *unseen))
    wide = {s.name: s.width == FULL for part in plan for s in part.spots if s.width}
    return Arranged(tuple(groups), wide, tuple(describe(sources[n]) for n in sources if n in away))


# ----- as it is stored


def to_json(plan: Plan, below: Plan) -> list[dict[str, Any]]:
    """The plan as it is kept: titles as far as they are not declared."""
    titles = {part.key: part.title for part in below}
    return [
        {
            "key": part.key,
            **({"title": part.title} if part.title != titles.get(part.key) else {}),
            "fields": [_spot_to_json(spot) for spot in part.spots],
        }
        for part in plan
    ]


def _spot_to_json(spot: Spot) -> dict[str, Any]:
    width = {"width": spot.width} if spot.width else {}
    return {"name": spot.name, **width, **({"hidden": True} if spot.hidden else {})}


def from_json(stored: Any) -> Plan:
    """A plan as it was kept; raises `ValueError` for anything else."""
    if not isinstance(stored, list) or not all(isinstance(part, Mapping) for part in stored):
        raise ValueError("not a list of sections")
    return tuple(_part_from_json(part) for part in stored)


def _part_from_json(part: Mapping[str, Any]) -> Part:
    fields = part.get("fields", [])
    key, title = part.get("key"), part.get("title", "")
    if not isinstance(key, str) or not isinstance(title, str) or not isinstance(fields, list):
        raise ValueError("a section is made of key, title and fields")
    return Part(key, title, tuple(_spot_from_json(spot) for spot in fields))


def _spot_from_json(spot: Any) -> Spot:
    if not isinstance(spot, Mapping) or not isinstance(spot.get("name"), str):
        raise ValueError("a field has a name")
    width = spot.get("width", "")
    if width not in ("", FULL, HALF) or not isinstance(spot.get("hidden", False), bool):
        raise ValueError("a field is full or half, hidden or not")
    return Spot(spot["name"], width, spot.get("hidden", False))


# ----- in words


def differences(below: Plan, plan: Plan, labels: Mapping[str, str]) -> list[str]:
    """What the plan has otherwise than the one below it, in words."""
    was, now = {p.key: p for p in below}, {p.key: p for p in plan}
    said = [f"新增分组“{p.title}”" for p in plan if p.key not in was]
    said += [f"分组“{p.title}”已移除" for p in below if p.key not in now]
    said += [
        f"分组“{was[p.key].title}”改名为“{p.title}”"
        for p in plan
        if p.key in was and p.title != was[p.key].title
    ]
    order = [p.key for p in plan if p.key in was]
    for key in _moved([p.key for p in below if p.key in now], order):
        said.append(f"分组“{now[key].title}”移到{_place(order, key, {p.key: p.title for p in plan})}")
    home = {s.name: p for p in below for s in p.spots}
    spots = {s.name: s for p in below for s in p.spots}
    for part in plan:
        names = [s.name for s in part.spots if s.name in home]
        stays = [n for n in names if home[n].key == part.key]
        moved = _moved([s.name for s in home[stays[0]].spots if s.name in stays], stays) if stays else []
        for spot in part.spots:
            if spot.name not in home:
                continue
            label, old = labels.get(spot.name, spot.name), spots[spot.name]
            if home[spot.name].key != part.key:
                said.append(f"“{label}”从“{home[spot.name].title}”移到“{part.title}”")
            elif spot.name in moved:
                said.append(f"“{label}”移到{_place(names, spot.name, labels)}")
            if spot.hidden != old.hidden:
                said.append(f"“{label}”{'隐藏' if spot.hidden else '恢复显示'}")
            if spot.width != old.width:
                said.append(f"“{label}”{_WIDTHS[spot.width]}")
    return said


_WIDTHS = {FULL: "改为整行", HALF: "改为半行", "": "恢复默认宽度"}


def _place(order: Sequence[str], key: str, labels: Mapping[str, str]) -> str:
    at = order.index(key)
    return f"“{labels.get(order[at - 1], order[at - 1])}”之后" if at else "最前"


def _moved(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The fewest that must have been moved to come from one order to the other."""
    rank = {name: n for n, name in enumerate(before)}
    best: list[list[str]] = []
    for at, name in enumerate(after):
        runs: list[list[str]] = [[], *(best[n] for n in range(at) if rank[after[n]] < rank[name])]
        best.append([*max(runs, key=len), name])
    stays = max(best, key=len) if best else []
    return [name for name in after if name not in stays]
