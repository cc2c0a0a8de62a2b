"""What a list shows of saved views: their tabs and their menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.engine import listing, savedviews
from app.engine.addresses import DOING, PAGING, address
from app.engine.fields import FieldSpec
from app.engine.listing import Query
from app.engine.pages import Chip, Link, ViewMenu
from app.engine.savedviews import NONE, OPENS, STANDS, SavedView

TABS = 4
"""So many views stand as tabs beside the declared ones, the nearest first; all are in the menu."""
MAKES = "/list_views"
"""Where views are made and changed."""
_KEEPS = ("scope", "per_page", DOING)


def tabs(query: Query, base: str, others: Sequence[Link]) -> list[Link]:
    """The tabs of the list with those of its saved views. Where one opens by itself, the way to all rows
    says that none is meant."""
    saved = query.saved
    if not saved.views:
        return list(others)
    keep = {k: v for k, v in query.args.items() if k in _KEEPS}
    found = list(others) or [Link("全部", address(base, keep), active=True)]
    if saved.by_default is not None:
        found[0].url = address(base, keep, **{STANDS: NONE})
    if saved.view is not None:
        for link in found:
            link.active = False
    first = list(saved.views[:TABS])
    if saved.view is not None and saved.view not in first:
        first.append(saved.view)
    return [*found, *(_link(query, base, view) for view in first)]


def _link(query: Query, base: str, view: SavedView) -> Link:
    keep = {k: v for k, v in query.args.items() if k in ("per_page", DOING)}
    url = address(base, keep, **{OPENS: str(view.id)})
    return Link(view.name, url, active=query.saved.view is view)


def menu(query: Query, base: str, specs: Sequence[FieldSpec], chips: Sequence[Chip]) -> ViewMenu:
    """The menu 视图."""
    saved = query.saved
    links = []
    for offered in saved.views:
        link = _link(query, base, offered)
        link.reason = offered.whom + ("，默认" if offered is saved.by_default else "")
        links.append(link)
    kept = [("resource", query.resource.name)]
    kept += [("now." + k, v) for k, vs in query.args.items() if k not in _DROPPED for v in vs if v]
    if ("sort" not in query.args) and _sorted_otherwise(query):
        kept.append(("now.sort", _sort(query)))
    kept += [("now." + savedviews.COLUMNS, s.name) for s in specs]
    found = ViewMenu(links, f"{MAKES}/", kept)
    if saved.view is None:
        return found
    view = saved.view
    found.id, found.name, found.whom, found.version = view.id, view.name, view.whom, view.version
    found.may_change = savedviews.may_change(query.actor, view)
    found.changed = saved.changed(query.args)
    found.differences = differences(query, specs, chips)
    found.save_url, found.edit_url = f"{MAKES}/{view.id}/conditions", f"{MAKES}/{view.id}"
    found.copy_url = f"{MAKES}/{view.id}/copy"
    found.reset_url = address(base, {}, **{OPENS: str(view.id)})
    return found


_DROPPED = frozenset({*PAGING, "per_page", DOING, STANDS, OPENS, savedviews.COLUMNS})


def _sort(query: Query) -> str:
    return f"-{query.sort.name}" if query.descending else query.sort.name


def _sorted_otherwise(query: Query) -> bool:
    usual, descending = listing.order(query.resource, query.actor, "")
    return (usual.name, descending) != (query.sort.name, query.descending)


def differences(query: Query, specs: Sequence[FieldSpec], chips: Sequence[Chip]) -> list[str]:
    """What the list shows otherwise than by default, in words."""
    found = []
    conditions = [c.label for c, f in zip(chips, query.filters, strict=False) if not f.default]
    conditions += [c.label for c in chips[len(query.filters) :]]
    if query.view is not None:
        conditions.insert(0, query.view.label)
    if conditions:
        found.append(f"条件：{'；'.join(conditions)}")
    usual = listing.columns(query.resource, query.actor)
    found += _columns(usual, specs)
    if _sorted_otherwise(query):
        found.append(f"排序：按{query.sort.label}{'降序' if query.descending else '升序'}")
    window = listing.first(query.args, "window")
    if query.resource.window is not None and window:
        found.append("时间范围：全部" if window == "all" else f"时间范围：近 {window} 天")
    if query.saved.view is not None:
        found += of_widths(query.saved.view.widths, specs)
    if query.saved.view is not None and query.saved.view.colours:
        found.append(f"行颜色：{len(query.saved.view.colours)} 条规则")
    return found


def of_widths(widths: Mapping[str, int], shown: Sequence[FieldSpec]) -> list[str]:
    """Which columns have a width of their own, in words."""
    wide = [s.head for s in shown if s.name in widths]
    return [f"列宽：{'、'.join(wide)}"] if wide else []


def _columns(usual: Sequence[FieldSpec], shown: Sequence[FieldSpec]) -> list[str]:
    before, now = [s.name for s in usual], [s.name for s in shown]
    more = [s.head for s in shown if s.name not in before]
    less = [s.head for s in usual if s.name not in now]
    found = [f"增加列：{'、'.join(more)}"] if more else []
    found += [f"减少列：{'、'.join(less)}"] if less else []
    stay = [n for n in now if n in before]
    if stay != [n for n in before if n in now]:
        found.append("列的顺序不同")
    return found


def steering(query: Query) -> list[tuple[str, str]]:
    """What the filter bar sends along of an open view, so that asking for more does not end its window."""
    if STANDS not in query.args:
        return []
    names = ("window", "include")
    return [(name, listing.first(query.args, name)) for name in names if listing.first(query.args, name)]
