"""The list query: what an address asks for, understood and checked. `reading.py` fetches the rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, true

from app.engine import filters, paging, plans, searching
from app.engine.database import id_of
from app.engine.fields import FieldSpec, describe
from app.engine.filters import WINDOW, Active
from app.engine.guards import may_filter
from app.engine.paging import Cursor
from app.engine.plans import Named
from app.engine.resource import Resource, View
from app.engine.savedviews import NOTHING, Opened
from app.engine.scopes import Actor, Scope, condition, offered, scopes_of
from app.engine.searching import Search
from app.engine.slots import SLOTS

PAGE_SIZES = (20, 50, 100)

Args = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Query:
    """One request of a list, understood: scope, view, filters, order and place."""

    resource: type[Resource]
    actor: Actor
    now: datetime
    args: Args
    scope: Scope | None
    scopes: frozenset[Scope]
    view: View | None
    narrowed: Named | None
    """The view's condition at this moment."""
    filters: list[Active]
    errors: list[str]
    notices: list[str]
    """What of the address was not understood, and what is shown instead."""
    text: str
    search: Search | None
    sort: FieldSpec
    descending: bool
    per_page: int
    page: int
    after: Cursor | None
    before: Cursor | None
    last: bool
    params: dict[str, Any]
    rare: bool = False
    """Whether a part of a text is asked for that few rows have."""
    saved: Opened = NOTHING
    """The saved view the list stands on, and those it could."""
    many_parents: bool | None = None
    """Whether the scopes hold many parents of these children, once somebody has looked (`walking`)."""
    gathered: tuple[Active | None, int] | None = None
    """The filter by which the matches are gathered, if one leaves few rows, and how many, once somebody has
    looked (`gathering`)."""

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Everything but the scope, as it is looked at on a walk along the list."""
        return self._conditions(walking=True)

    def others(self, but: Active | None = None) -> list[ColumnElement[bool]]:
        """Everything but the scope and that filter, as matches are gathered by it."""
        return self._conditions(walking=False, but=but)

    def _conditions(self, *, walking: bool, but: Active | None = None) -> list[ColumnElement[bool]]:
        # The slots stand at a record's end: SQLite reads less of those that something else leaves out already.
        sooner = sorted(self.filters, key=lambda f: f.spec.name in SLOTS)
        parts = [f.walk() if walking else f.make() for f in sooner if f is not but]
        if self.search is not None:
            parts.append(self.search.walk() if walking else self.search.make())
        if self.narrowed is not None:
            parts.append(self.narrowed.make())
        return parts

    @property
    def shape(self) -> tuple[Hashable, ...] | None:
        """What the conditions look like without their values; None when they cannot be shared."""
        if self.search is not None and self.search.key is None:
            return None
        searched = self.search.key if self.search is not None else None
        viewed = self.narrowed.key if self.narrowed is not None else None
        return (self.resource.name, self.scopes, searched, viewed, *(f.key for f in self.filters))

    @property
    def follows_index(self) -> bool:
        """Whether nearly every row of the index matches: no filter but a range of the sort column itself and
        what the list leaves out by default."""
        return (
            self.view is None
            and self.search is None
            and all(f.default or f.spec.name == self.sort.name for f in self.filters)
        )

    @property
    def beside_window(self) -> bool:
        """Whether the list's window is over another column than its order: of what stands first, all may lie
        outside."""
        return any(f.key == WINDOW and f.spec.name != self.sort.name for f in self.filters)

    @property
    def condition(self) -> ColumnElement[bool]:
        """Scope and filters as one condition, for charts and "select all"; execute with ``params``."""
        return and_(condition(self.resource, self.scopes), *self.others())

    @property
    def selective(self) -> bool:
        """Whether a filter is expected to leave few rows."""
        searched = self.search is not None and not self.search.frequent
        return self.rare or searched or any(f.selective for f in self.filters)


def first(args: Args, name: str) -> str:
    """The first value of a parameter, or an empty text."""
    found = args.get(name)
    return found[0] if found else ""


def number(text: str, fallback: int) -> int:
    """A positive number of at most nine digits, or the fallback: nonsense in an address is no error."""
    return id_of(text) or fallback


def tabs(resource: type[Resource], actor: Actor) -> list[Scope]:
    """The scope tabs of this person on this list, in the order of the declaration."""
    allowed = scopes_of(resource, actor)
    order = resource.scope_tabs or tuple(s for s in Scope if s in offered(resource))
    return [s for s in order if s in allowed]


def usual(resource: type[Resource], now: datetime) -> ColumnElement[bool]:
    """What a list shows of a scope when nothing is asked: its window without what it leaves out."""
    parts = [filters.without(column, values) for column, values in resource.leaves_out]
    return and_(true(), *_recent(resource, now), *parts)


def of_view(resource: type[Resource], view: View, now: datetime) -> ColumnElement[bool]:
    """What a view's tab shows when it is clicked: the list's window holds there too."""
    return and_(view.where(now), *([] if view.ignores_window else _recent(resource, now)))


def _recent(resource: type[Resource], now: datetime) -> list[ColumnElement[bool]]:
    window = filters.window(resource, {}, (), now)
    if window is None or resource.window is None:
        return []
    return [resource.window.column >= window.params["window_from"]]


def parse(
    resource: type[Resource],
    actor: Actor,
    args: Args,
    now: datetime,
    dialect: str,
    opening: Callable[[], Scope | None] | None = None,
) -> Query:
    """Understand an address. Unknown columns, pages and sizes fall back and are named in ``notices``, wrong
    filter values in ``errors``; nothing here raises for what a person typed. ``opening`` gives the scope of
    an address that names none; without it that is the first tab."""
    shown = tabs(resource, actor)
    asked = first(args, "scope")
    view = resource.view(first(args, "view"))
    in_force, errors = filters.active(resource, actor, args, dialect, now)
    text = first(args, "q").strip()[: filters.MAX_TEXT]
    search = searching.keyword(resource, text, actor, dialect)
    query_is_exact = (search is not None and search.exact) or any(f.selective for f in in_force)
    if not (view is not None and view.ignores_window) and not query_is_exact:
        default = filters.window(resource, args, in_force, now)
        if default is not None:
            in_force.append(default)
    in_force += _defaults(resource, args, view, in_force, query_is_exact)
    scope = next((s for s in shown if s.value == asked), None)
    wherever = query_is_exact and not asked and len(shown) > 1  # a full number is looked for in every scope
    if scope is None and shown and not wherever:
        scope = (opening() if opening is not None else None) or shown[0]
    scopes = frozenset({scope}) if scope is not None else scopes_of(resource, actor)
    sort, descending = order(resource, actor, first(args, "sort") or (view.sort if view else ""))
    per_page = number(first(args, "per_page"), PAGE_SIZES[0])
    after, before = paging.decode(first(args, "after"), sort), paging.decode(first(args, "before"), sort)
    params: dict[str, Any] = dict(actor.params)
    for active in in_force:
        params |= active.params
    if search is not None:
        params |= search.params
    narrowed = plans.named(view.where(now), f"view_{view.name}") if view is not None else None
    if narrowed is not None:
        params |= narrowed.params
    cursor = before or after
    if cursor is not None:
        params |= {"cursor_value": cursor.value, "cursor_id": cursor.id}
    found = Query(
        resource, actor, now, args, scope, scopes, view, narrowed, in_force, errors, [], text, search, sort,
        descending,
        per_page if per_page in PAGE_SIZES else PAGE_SIZES[0],
        number(first(args, "page"), 1), after, before, first(args, "last") == "1", params,
    )  # fmt: skip
    found.notices = _not_understood(found, args)
    found.rare = not found.selective and filters.rare(in_force, dialect)
    return found


def _not_understood(query: Query, args: Args) -> list[str]:
    """A sentence for each part of the address that means nothing to this person. What is guarded reads like
    what does not exist."""
    asked = {name: first(args, name) for name in _CHECKED if first(args, name)}
    if not asked:
        return []
    resource, said = query.resource, {n: text[:_QUOTED] for n, text in asked.items()}
    found = []
    if "scope" in asked and (query.scope is None or query.scope.value != asked["scope"]):
        instead = f"，已显示{resource.scope_label(query.scope)}" if query.scope is not None else ""
        found.append(f"没有“{said['scope']}”这个数据范围，或您无权查看{instead}")
    if "view" in asked and query.view is None:
        found.append(f"没有“{said['view']}”这个视图，已显示全部")
    if "sort" in asked and query.sort.name != asked["sort"].removeprefix("-"):
        found.append(f"没有“{said['sort'].removeprefix('-')}”这个排序，已按{query.sort.label}排列")
    if "per_page" in asked and str(query.per_page) != asked["per_page"]:
        sizes = "、".join(map(str, PAGE_SIZES))
        found.append(f"每页可显示{sizes}条，已按每页{query.per_page}条显示")
    if "page" in asked and str(query.page) != asked["page"]:
        found.append(f"“{said['page']}”不是有效的页码，已显示第1页")
    if ("after" in asked and query.after is None) or ("before" in asked and query.before is None):
        found.append("翻页位置无效，已从头显示")
    return found


_CHECKED = ("scope", "view", "sort", "per_page", "page", "after", "before")
_QUOTED = 20


def _defaults(
    resource: type[Resource], args: Args, view: View | None, active: list[filters.Active], exact: bool
) -> list[filters.Active]:
    """What a list leaves out unless asked for it, e.g. invalid customers (A-63)."""
    if exact or view is not None or first(args, "include") == "all":
        return []
    given = {f.spec.name for f in active}
    found = []
    for column, values in resource.leaves_out:
        spec = describe(column)
        if spec.name not in given:
            words = "、".join(getattr(v, "label", str(v)) for v in values)
            found.append(
                filters.Active(
                    spec, f"{spec.label}：不含{words}", ("include",), ("without", spec.name), {},
                    partial(filters.without, column, values), default=True,
                )
            )  # fmt: skip
    return found


def order(resource: type[Resource], actor: Actor, asked: str) -> tuple[FieldSpec, bool]:
    """The column and direction that an address asks for, or those of the declaration."""
    specs = [describe(c) for c in resource.sorts]
    if not specs:
        return describe(resource.pk()), resource.descending
    name = asked.removeprefix("-")
    for spec in specs:
        if spec.name == name and may_filter(spec, actor):
            return spec, asked.startswith("-")
    return specs[0], resource.descending


def columns(resource: type[Resource], actor: Actor, chosen: Sequence[str] = ()) -> list[FieldSpec]:
    """The columns of the list for this person: the chosen ones in their order, else the declared ones."""
    specs = [describe(c) for c in resource.columns]
    if not chosen:
        return specs
    by_name = {s.name: s for s in [*specs, *(describe(c) for c in resource.more_columns)]}
    chosen = list(dict.fromkeys(chosen))
    return [by_name[n] for n in chosen if n in by_name] or specs
