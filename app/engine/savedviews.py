"""Saved views: the columns, conditions, order and colours of a list, put together by people themselves.

A view is nothing but an address: opening one writes its conditions out, and the list understands them as it
understands whatever else is typed there. So scope and gate hold, and what leaves the list (files, charts,
"select all") follows without knowing of views. ``saved_view`` opens a view; from then on ``on_view`` says
whose columns and colours hold, and the conditions stand in the address, where they can be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.engine.actions import NotFound
from app.engine.choices import Tone
from app.engine.database import id_of
from app.engine.fields import describe
from app.engine.filters import declared
from app.engine.guards import CALLABLE, may_filter
from app.engine.resource import Resource
from app.engine.scopes import Actor

OPENS, STANDS, COLUMNS = "saved_view", "on_view", "cols"
NONE = "-"
"""On no view, though one would open by itself."""
STEERS = frozenset({"q", "view", "scope", "sort", "window", "include"})
"""What a view keeps of an address besides the filters."""
_PLACE = frozenset({OPENS, STANDS, "page", "after", "before", "last", "per_page", "do"})
_OPENING = frozenset({"per_page", "do"})

Args = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class RowColour:
    """Rows whose field has that value bear the tone at their edge; of a date, a period that moves."""

    field: str
    value: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class SavedView:
    """One view as it holds for those it is for."""

    id: int
    resource: str
    name: str
    whom: str
    """For whom it is, in words."""
    mine: bool
    """Whether it is for its owner alone, who asks."""
    default: bool
    version: int
    dealer_id: int | None = None
    args: Args = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    colours: tuple[RowColour, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    """Of columns, in pixels, where they are not as wide as it comes."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a list stands on: the view, its conditions as far as they hold for this person, all views there
    are, and what had to be left out."""

    view: SavedView | None
    own: Args = field(default_factory=dict)
    views: tuple[SavedView, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def by_default(self) -> SavedView | None:
        """The view that the list opens with."""
        return next((v for v in self.views if v.default), None)

    def changed(self, args: Args) -> bool:
        """Whether the address asks for something else than the view."""
        asked = {k: v for k, v in args.items() if k != "scope" or "scope" in self.own}
        columns = asked.pop(COLUMNS, ())
        other = bool(columns) and self.view is not None and tuple(columns) != tuple(self.view.columns)
        return other or significant(asked) != significant(self.own)


NOTHING = Opened(None)

Source = Callable[[Actor, str], tuple[SavedView, ...]]
Changer = Callable[[Actor, SavedView], bool]
_source: list[Source] = []
_changer: list[Changer] = []


def provide_saved_views(source: Source, changer: Changer) -> None:
    """Install the functions that give a person's views of a list, the nearest first and without a query, and
    that say who may change one; the domain that keeps them calls this."""
    _source[:], _changer[:] = [source], [changer]


def views_for(resource: type[Resource], actor: Actor) -> tuple[SavedView, ...]:
    """The views this person may open on that list, the nearest first."""
    return _source[0](actor, resource.name) if _source else ()


def may_change(actor: Actor, view: SavedView) -> bool:
    """Whether this person may change that view."""
    return _changer[0](actor, view)


def significant(args: Args) -> dict[str, list[str]]:
    """What of an address belongs to a view: all but the place in the list."""
    found = {k: [v for v in values if v] for k, values in args.items() if k not in _PLACE}
    return {k: sorted(v) if k != COLUMNS else v for k, v in found.items() if v}


def opened(
    resource: type[Resource], actor: Actor, args: Args, *, by_itself: bool = False
) -> tuple[Args, Opened]:
    """The address with the view it names written out. ``by_itself`` is the list's own page, which opens with
    the nearest default where nothing is asked for. Raises `NotFound` for a view that is not for this person."""
    views = views_for(resource, actor)
    asked, standing = _first(args, OPENS), _first(args, STANDS)
    if not (views or asked or standing):
        return args, NOTHING
    if asked and asked != NONE:
        view = _named(views, asked)
        if view is None:
            raise NotFound
        return _written_out(resource, actor, args, view, views)
    if asked == NONE:
        standing, args = NONE, {**{k: v for k, v in args.items() if k != OPENS}, STANDS: [NONE]}
    if standing and standing != NONE:
        view = _named(views, standing)
        if view is not None:
            own, _ = for_person(resource, actor, view)
            return args, Opened(view, own, views)
        rest = {k: v for k, v in args.items() if k != STANDS}
        return rest, Opened(None, {}, views, ("此视图已不存在，条件仍按原样显示",))
    if by_itself and not standing and args.keys() <= _OPENING:
        view = next((v for v in views if v.default), None)
        if view is not None:
            return _written_out(resource, actor, args, view, views)
    return args, Opened(None, {}, views)


def _written_out(
    resource: type[Resource], actor: Actor, args: Args, view: SavedView, views: tuple[SavedView, ...]
) -> tuple[Args, Opened]:
    own, lost = for_person(resource, actor, view)
    given = {k: v for k, v in args.items() if k not in (OPENS, STANDS)}
    said = {_stem(k) for k in given}
    found = {k: v for k, v in own.items() if _stem(k) not in said}
    notices = (f"视图“{view.name}”中有{lost}个条件已不存在或您无权使用，未应用",) if lost else ()
    return {**found, **given, STANDS: [str(view.id)]}, Opened(view, own, views, notices)


def for_person(resource: type[Resource], actor: Actor, view: SavedView) -> tuple[dict[str, list[str]], int]:
    """The view's conditions that hold for this person, and how many do not.

    Not even a full number is taken over where its field is guarded: it would be read in the chip by
    somebody who did not know it.
    """
    usable = {d.spec.name for d in declared(resource, actor) if may_filter(d.spec, actor)}
    found: dict[str, list[str]] = {}
    lost = set()
    for name, values in view.args.items():
        if _holds(resource, actor, view, name, values, usable):
            found[name] = list(values)
        else:
            lost.add(_stem(name))
    return found, len(lost)


def _holds(
    resource: type[Resource],
    actor: Actor,
    view: SavedView,
    name: str,
    values: Sequence[str],
    usable: set[str],
) -> bool:
    value = values[0] if values else ""
    match name:
        case "q":
            return view.mine or not CALLABLE.search(value)
        case "view":
            return resource.view(value) is not None
        case "sort":
            sorts = {describe(c).name: describe(c) for c in resource.sorts}
            spec = sorts.get(value.removeprefix("-"))
            return spec is not None and may_filter(spec, actor)
    return name in STEERS or _stem(name) in usable


def _stem(name: str) -> str:
    """The field that a parameter is about."""
    return name.partition(".")[0].removesuffix("__text")


def _named(views: Sequence[SavedView], text: str) -> SavedView | None:
    wanted = id_of(text)
    return next((v for v in views if v.id == wanted), None) if wanted else None


def _first(args: Args, name: str) -> str:
    found = args.get(name)
    return found[0] if found else ""
