"""What stands on a built dashboard: from what is stored of a tile to the chart it draws, and what of a list may
be charted at all.

A tile is a chart that its list declares, or one put together from fields the list can be filtered by, so that
each of its numbers opens exactly its rows. It is stored by names; names that mean nothing any more leave a
tile that says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.engine import filters, listing, periods
from app.engine.actions import Act, Invalid
from app.engine.chartkinds import Breakdown, Chart, Net, Number, Pivot, Ranking, Trend, charted, overlapping
from app.engine.choices import Choice
from app.engine.dashboards import Dashboard, Tile
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.guards import may_filter
from app.engine.periods import Args
from app.engine.resource import Group, Resource, filtered, has_resource, resource, resources
from app.engine.scopes import Actor
from models.identity import for_all

MOST = 24
"""So many tiles stand on one dashboard at most."""
WIDTHS = (1, 2, 3)
LONGEST_TITLE = 24
BASE = "/boards"
Stored = Mapping[str, Any]
_GROUPS = ("choice", "choices", "bool", "ref", "refs")
_AMOUNTS = ("money", "integer", "number", "decimal")
_LAST = 10_000
_KEPT = ("view", "scope", "include")


class Kind(Choice):
    """The kinds of charts one can put together."""

    NUMBER = "number", "数值"
    BARS = "breakdown", "分布（柱形）"
    PIE = "pie", "占比（环形）"
    TREND = "trend", "趋势"
    RANKING = "ranking", "排行"
    PIVOT = "pivot", "交叉表"


# ----- what of a list may be charted


def lists(actor: Actor) -> list[type[Resource]]:
    """The lists whose charts this person may see, in the order of the menu; what has no place there last."""
    found = [
        faced(r, actor.dealer_id) for r in resources() if r.charts and actor.can("can_chart", r.view_name())
    ]
    return sorted(found, key=lambda r: r.menu.order if r.menu is not None else _LAST)


def fields(found: type[Resource]) -> dict[str, FieldSpec]:
    """Every field the list shows or is filtered by, by name."""
    groups = (f for part in found.detail if isinstance(part, Group) for f in part.fields)
    sources = (*map(filtered, found.filters), *found.columns, *found.more_columns, *groups)
    return {spec.name: spec for spec in map(describe, reversed(sources))}


def _filters(found: type[Resource]) -> Iterator[FieldSpec]:
    return (describe(filtered(source)) for source in found.filters)


def groups(found: type[Resource]) -> dict[str, FieldSpec]:
    """The fields one may group by: those whose every value the list can be filtered by."""
    wanted = (s for s in _filters(found) if s.kind in _GROUPS and (s.stored or s.links is not None))
    return {s.name: s for s in wanted if s.target is None or has_resource(s.target)}


def times(found: type[Resource]) -> dict[str, FieldSpec]:
    """The times a trend may follow."""
    wanted = (s for s in _filters(found) if s.kind in ("date", "datetime") and s.attribute is not None)
    return {s.name: s for s in wanted if s.guard is None or s not in found.added}


def measures(found: type[Resource]) -> dict[str, tuple[str, Any]]:
    """What may be summed, by the column's name: its words and how it is measured. Where the list itself counts
    some rows against the sum, it is summed that way alone."""
    sums = [(chart.title, getattr(chart, "sum", None)) for chart in found.charts]
    made = {describe(s.column).name: (title, s) for title, s in sums if isinstance(s, Net)}
    for spec in fields(found).values():
        own = spec.stored and spec.attribute.class_ is found.model
        if own and spec.kind in _AMOUNTS and spec.target is None and spec.signed is None:
            made.setdefault(spec.name, (spec.label, _source(found, spec)))
    return made


def _source(found: type[Resource], spec: FieldSpec) -> Any:
    """What a chart is given: the column, or of an added field what it is here."""
    if spec.links is not None:
        return spec.links
    return spec if spec in found.added else spec.attribute


# ----- from what is stored to the chart


def chart_of(found: type[Resource], stored: Stored) -> Chart:
    """The chart that is put together; raises `Invalid` with a sentence for each part that does not fit."""
    wrong: dict[str, str] = {}
    kind = next((k for k in Kind if k.value == stored.get("kind")), None)
    measure = _one(found, stored, "sum", measures(found), wrong) if stored.get("sum") else None
    summed = measure[1] if measure is not None else None
    by = across = at = None
    if kind is None:
        wrong["kind"] = "请选择图表类型"
    elif kind is Kind.TREND:
        at = _one(found, stored, "at", times(found), wrong)
    elif kind is not Kind.NUMBER:
        by = _one(found, stored, "by", groups(found), wrong)
    if kind is Kind.PIVOT:
        across = _one(found, stored, "across", groups(found), wrong)
    if kind is Kind.RANKING and by is not None and (by.target is None or by.links is not None):
        wrong["by"] = f"“{by.label}”不能排名次，排行只能按人员、门店等分组"
    for name, spec in (("by", by), ("across", across)):
        if kind is Kind.PIVOT and spec is not None and overlapping(spec):
            wrong[name] = f"交叉表不能按“{spec.label}”分组"
    if by is not None and by is across:
        wrong["across"] = "请选择与分组项不同的项目"
    if by is not None and by.links is not None and isinstance(summed, Net):
        wrong["sum"] = f"按“{by.label}”分组时只能计数"
    if wrong:
        raise Invalid(wrong)
    return _made(found, kind, by, across, at, summed, measure[0] if measure is not None else "")


def _made(found: type[Resource], kind: Any, by: Any, across: Any, at: Any, summed: Any, said: str) -> Chart:
    of = f"{said}：" if said else ""
    if kind is Kind.NUMBER:
        return Number("new", said or f"{found.label}数", sum=summed, unit="" if said else found.unit)
    if kind is Kind.TREND:
        own = ((at.attribute.class_.dealer_id, (at.dealer,)),) if at.dealer is not None else ()
        return Trend("new", f"{of}{at.label}趋势", at.attribute, sum=summed, only=own)
    if kind is Kind.RANKING:
        return Ranking("new", f"{of}{by.label}排行", _source(found, by), sum=summed)
    if kind is Kind.PIVOT:
        title = f"{of}{by.label}与{across.label}"
        return Pivot("new", title, _source(found, by), _source(found, across), sum=summed)
    return Breakdown(
        "new", f"{of}{by.label}分布", _source(found, by), "pie" if kind is Kind.PIE else "bar", sum=summed
    )


_ASKED = {"by": "分组项", "across": "横向分组项", "at": "时间", "sum": "统计值"}
_UNFIT = {
    "by": "不能用来分组，只能按选项、人员、门店、标签或是否分组",
    "across": "不能用来分组，只能按选项、人员、门店或是否分组",
    "at": "不是时间，不能作趋势",
    "sum": "不是数值，不能求和",
}


def _one(
    found: type[Resource], stored: Stored, part: str, offered: Mapping[str, Any], wrong: dict[str, str]
) -> Any:
    name = str(stored.get(part) or "")
    if name in offered:
        return offered[name]
    known = fields(found).get(name)
    if known is not None:
        wrong[part] = f"“{known.label}”{_UNFIT[part]}"
    else:
        wrong[part] = f"没有“{name[:20]}”这一项" if name else f"请选择{_ASKED[part]}"
    return None


def declared(found: type[Resource], stored: Stored) -> Chart:
    """The chart of a tile: the one the list declares under that name, or the one put together. Raises
    `Invalid`."""
    name = stored.get("chart")
    if not name:
        return chart_of(found, stored)
    chart = next((c for c in found.charts if c.name == name), None)
    if chart is None:
        raise Invalid({"chart": "没有这个图表"})
    return chart


def _list(stored: Stored, dealer_id: int | None) -> type[Resource] | None:
    found = resource(str(stored.get("list")))
    return faced(found, dealer_id) if found is not None else None


def tile_of(stored: Stored, dealer_id: int | None) -> Tile | None:
    """The tile as dashboards draw it for people of that dealer; None when its list is gone."""
    found = _list(stored, dealer_id)
    if found is None:
        return None
    title, width, own = str(stored.get("title") or ""), stored.get("width"), dict(stored.get("own") or {})
    key = str(stored.get("key") or "")
    try:
        chart = declared(found, stored)
    except Invalid:
        return Tile(found, "", title or "图表", own, key, width or 1, "所用的图表或项目已不存在")
    return Tile(found, chart, title or chart.title, own, key, width if width in WIDTHS else 1)


def dashboard_of(board_id: int, name: str, layout: Iterable[Stored], dealer_id: int | None) -> Dashboard:
    """A built dashboard as the engine shows it to people of that dealer."""
    tiles = (tile_of(stored, dealer_id) for stored in layout)
    return Dashboard(str(board_id), name, *(t for t in tiles if t is not None), base=BASE, arranged=True)


# ----- from what somebody asks for to what is stored


def checked(stored: Stored, act: Act) -> dict[str, Any]:
    """A tile as it is stored, of names and an address; raises `Invalid` for what is not there, does not fit, or
    is not this person's to see."""
    actor, found = act.actor, _list(stored, act.actor.dealer_id)
    if found is None or found not in lists(actor):
        raise Invalid({"list": "没有此列表的图表，或您无权查看"})
    chart = declared(found, stored)
    hidden = next((s for s in charted(chart) if not may_filter(s, actor)), None)
    if hidden is not None:
        raise Invalid({"by": f"“{hidden.label}”受保护，您无权按它统计"})
    title = " ".join(str(stored.get("title") or "").split())
    if len(title) > LONGEST_TITLE:
        raise Invalid({"title": f"标题最多{LONGEST_TITLE}个字"})
    width = stored.get("width") or 1
    if width not in WIDTHS:
        raise Invalid({"width": "宽度为1至3列"})
    parts = ("chart",) if stored.get("chart") else ("kind", "by", "across", "at", "sum")
    kept = {name: stored[name] for name in parts if stored.get(name)}
    own = own_filters(found, stored.get("own") or {}, act)
    key = str(stored.get("key") or "") or secrets.token_hex(4)
    return {"key": key, "list": found.name, **kept, "title": title, "width": width, "own": own}


def own_filters(found: type[Resource], args: listing.Args, act: Act) -> Args:
    """The filters of an address that a tile keeps. Its days are the dashboard's, and what is typed to find one
    record is no filter of a chart. Raises `Invalid` for what cannot be read or is guarded."""
    actor = act.actor
    if listing.first(args, "q").strip():
        raise Invalid({"q": "带关键字的图表不能加到看板，请先清除关键字"})
    follows = periods.column_of(found, actor)
    known = {f.spec.name: f.spec for f in filters.declared(found, actor)}
    kept: Args = {}
    for name, values in args.items():
        field = name.removesuffix("__text").partition(".")[0]
        given = [str(v) for v in values if v][: filters.MAX_VALUES]
        if not given or (field not in known and name not in _KEPT):
            continue
        if field in known and known[field].guard is not None:
            raise Invalid({field: f"“{known[field].label}”受保护，不能用作看板的条件"})
        if follows is None or field != follows.name:
            kept[name] = given
    dialect = act.session.get_bind().dialect.name
    query = listing.parse(found, actor, kept, act.now, dialect)
    if query.errors or query.notices:
        raise Invalid({"own": "；".join([*query.errors, *query.notices])})
    return kept


def of_one_dealer(stored: Stored, act: Act) -> str:
    """What the filters of a tile name that only one dealer has, in words; empty for nothing."""
    found = _list(stored, act.actor.dealer_id)
    known = fields(found) if found is not None else {}
    return for_all.filter_of_one_dealer(act.session, known, stored.get("own") or {}, act.actor.dealer_id)


def copied(tiles: Sequence[Tile]) -> list[dict[str, Any]]:
    """A declared dashboard's tiles as those of a built one; what is read along its width gets all of it."""
    return [
        {"key": secrets.token_hex(4), "list": t.resource.name, "chart": t.chart, "title": t.title,
         "width": 3 if isinstance(t.shown(), Trend | Pivot) else 1, "own": {}}
        for t in tiles
    ]  # fmt: skip


def words(stored: Stored, dealer_id: int | None) -> str:
    """A tile in the history."""
    tile = tile_of(stored, dealer_id)
    return f"{tile.resource.label}·{tile.title}" if tile is not None else str(stored.get("title"))
