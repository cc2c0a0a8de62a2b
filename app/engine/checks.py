"""Start-up checks of the declarations: what would only show itself to a user later, named with a code.

``python run.py check`` prints them; a test keeps them empty.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, UniqueConstraint

from app.engine import configuring
from app.engine.chartkinds import grouped_by
from app.engine.conditional import source_of
from app.engine.fields import FieldSpec, Links, describe
from app.engine.permissions import all_permissions
from app.engine.resource import (
    Breakdown,
    Funnel,
    Group,
    Number,
    Pivot,
    Ranking,
    Related,
    Resource,
    Trend,
    charted,
    fields_of,
    filtered,
    has_resource,
    looked_up,
    parted,
    resource_of,
    resources,
)

TAKEN = frozenset({
    "id", "ids", "all", "back", "version", "answers", "token", "act", "record", "_once", "_answer",
    "csrf_token",
})  # fmt: skip
"""Names that pages, the API and rules use themselves."""

_LENGTH_OF_PERMISSION = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: E for an error, W for a remark; ``where`` names the declaration."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}：{self.message}"


Check = Callable[[type[Resource]], Iterator[Problem]]
_checks: list[Check] = []


def _check(function: Check) -> Check:
    _checks.append(function)
    return function


def run_checks() -> list[Problem]:
    """All findings of all resources, in the order of declaration."""
    found = [problem for resource in resources() for check in _checks for problem in check(resource)]
    return [*found, *_permissions()]


def _specs(resource: type[Resource]) -> dict[str, list[FieldSpec]]:
    """The fields of a resource by the place where they are named."""
    ranges = [filtered(f) for f in resource.filters]
    groups = [f for g in resource.detail if isinstance(g, Group) for f in g.fields]
    single = [s for s in (resource.title, resource.code, resource.tags, *resource.pick_note) if s is not None]
    places: dict[str, tuple[Any, ...] | list[Any]] = {
        "columns": (*resource.columns, *resource.more_columns),
        "filters": ranges,
        "sorts": resource.sorts,
        "search": resource.search,
        "exact": resource.exact,
        "tail": resource.tail,
        "detail": groups,
        "head": [*single, *resource.badges, *resource.subtitle, *resource.facts],
    }
    found = {place: [describe(s) for s in sources] for place, sources in places.items()}
    found["form"] = fields_of(resource.groups(editing=False))
    found["edit_form"] = fields_of(resource.groups(editing=True))
    for action in resource.actions:
        found[f"actions.{action.name}"] = list(action.fields)
    return found


def _where(resource: type[Resource], place: str, spec: FieldSpec | None = None) -> str:
    return f"{resource.view_name()}.{place}" + (f" {spec.name}" if spec is not None else "")


@_check
def _lookups_are_indexed(resource: type[Resource]) -> Iterator[Problem]:
    """E101: a full value is looked up in a column that leads no index."""
    places = _specs(resource)
    by_parts = [s for s in map(describe, parted(resource)) if s.guard is None]
    whole = [s for s in places["filters"] if s.kind in ("phone", "phones", "text") and s not in by_parts]
    for place, specs in (("exact", places["exact"]), ("tail", places["tail"]), ("filters", whole)):
        for spec in specs:
            source = looked_up(resource, spec)
            if source is not None and not _indexed(source.property.columns[0]):
                yield Problem("E101", _where(resource, place, spec), "按整值查找的列没有索引")


def _indexed(column: Column[Any]) -> bool:
    table: Any = column.table
    if column.primary_key or column.unique:
        return True
    sets = [list(i.columns) for i in table.indexes]
    sets += [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    leads = any(columns and columns[0] is column for columns in sets)
    return leads or any(len(c) > 1 and c[0].name == "dealer_id" and c[1] is column for c in sets)


@_check
def _guards_hold(resource: type[Resource]) -> Iterator[Problem]:
    """E103, E107: a guarded column names records, sorts, is searched by parts or is charted."""
    places = _specs(resource)
    named = [describe(s) for s in (resource.title, resource.code, *resource.pick_note) if s is not None]
    for place, specs in (("title", named), ("sorts", places["sorts"]), ("search", places["search"])):
        for spec in specs:
            if spec.guard is not None:
                message = f"受“{spec.guard.label}”保护的列不能用于名称、排序或部分查找"
                yield Problem("E103", _where(resource, place, spec), message)
    for chart in resource.charts:
        if any(spec.guard is not None for spec in charted(chart)):
            yield Problem("E107", _where(resource, f"charts.{chart.name}"), "图表不能使用受保护的列")


@_check
def _everything_has_words(resource: type[Resource]) -> Iterator[Problem]:
    """E104: something on the screen has no Chinese label."""
    if not resource.label:
        yield Problem("E104", resource.view_name(), "没有名称（label）")
    for place, specs in _specs(resource).items():
        for spec in specs:
            key = spec.stored and spec.attribute.property.columns[0].primary_key
            if not key and (not spec.label or spec.label == spec.name):
                yield Problem("E104", _where(resource, place, spec), "没有中文名称")
    for view in resource.views:
        if not view.label:
            yield Problem("E104", _where(resource, f"views.{view.name}"), "没有名称")


@_check
def _references_have_names(resource: type[Resource]) -> Iterator[Problem]:
    """E105: a reference points to something without screens or without a title."""
    for place, specs in _specs(resource).items():
        for spec in specs:
            if spec.kind in ("ref", "refs") and spec.target is not None:
                if not has_resource(spec.target):
                    yield Problem(
                        "E105", _where(resource, place, spec), f"{spec.target.__name__} 没有声明页面"
                    )
                elif resource_of(spec.target).title is None:
                    yield Problem("E105", _where(resource, place, spec), "所指对象没有名称列（title）")
    if resource.title is None and resource.columns:
        yield Problem("E105", resource.view_name(), "没有名称列（title）")


@_check
def _forms_fit(resource: type[Resource]) -> Iterator[Problem]:
    """E106, E112: a form asks for what the record does not have, or names a field that is not there."""
    for place in ("form", "edit_form"):
        specs = _specs(resource)[place]
        names = {s.name for s in specs}
        kept = resource.model if place == "edit_form" else None  # what a form does not ask, the record knows
        if len(names) < len(specs):
            yield Problem("E106", _where(resource, place), "同一字段出现两次")
        for spec in specs:
            if spec.attribute is not None and not hasattr(resource.model, spec.name):
                yield Problem("E106", _where(resource, place, spec), "对象没有此列")
            for rule in (spec.shown_when, spec.opens_when, spec.needed_when):
                if rule and source_of(rule) not in names and not hasattr(kept, source_of(rule)):
                    said = f"显示条件所指的 {source_of(rule)} 不在表单中"
                    yield Problem("E112", _where(resource, place, spec), said)
            if spec.parent and spec.parent not in names:
                yield Problem("E112", _where(resource, place, spec), f"上级 {spec.parent} 不在表单中")
            if spec.parent and spec.kind == "ref" and not hasattr(spec.target, spec.parent):
                yield Problem("E112", _where(resource, place, spec), f"所指对象没有上级列 {spec.parent}")


@_check
def _scopes_have_borders(resource: type[Resource]) -> Iterator[Problem]:
    """E108: rows could be seen from another dealer."""
    s = resource.scopes
    inner = (
        any(x is not None and x != () for x in (s.mine, s.owned, s.related, s.department, s.store)) or s.open
    )
    if inner and s.dealer is None and s.through is None:
        yield Problem("E108", resource.view_name(), "有数据范围却没有商场列（dealer），会越过商场边界")
    if "dealer_id" in resource.model.__table__.c and s.dealer is None and s.through is None:
        yield Problem("E108", resource.view_name(), "记录属于商场，但数据范围没有声明 dealer")
    for source in s.related:
        if not isinstance(source, Links) and describe(source).target is None:
            yield Problem("E108", _where(resource, "scopes.related"), "关联人列不是外键")


@_check
def _actions_fit(resource: type[Resource]) -> Iterator[Problem]:
    """E109, E110, E117: an action's form uses reserved names, its rule does not take its fields, or the list
    names an action that is none."""
    names = [a.name for a in resource.actions]
    for name in {n for n in names if names.count(n) > 1}:
        yield Problem("E109", _where(resource, f"actions.{name}"), "两个操作同名")
    for action in resource.actions:
        place = _where(resource, f"actions.{action.name}")
        fields = [f.name for f in action.fields]
        for name in fields:
            if name in TAKEN or name.startswith("_"):
                yield Problem("E109", f"{place} {name}", "字段名已被页面或接口占用")
        if len(set(fields)) < len(fields):
            yield Problem("E109", place, "表单中有同名字段")
        if not issubclass(resource.model, action.model):
            yield Problem("E109", place, f"操作属于 {action.model.__name__}，不属于本对象")
        if action.sets and action.moves is not None:
            yield Problem("E117", place, "只设置字段的操作（sets）不能同时改变状态（moves）")
        yield from _rule_takes(place, action.rule, fields)
    for name in sorted(set(resource.batch_menu) - set(names)):
        yield Problem("E117", _where(resource, "batch_menu"), f"没有名为 {name} 的操作")


def _rule_takes(place: str, rule: Callable[..., Any], fields: list[str]) -> Iterator[Problem]:
    parameters = inspect.signature(rule).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    taken = {p.name for p in list(parameters)[2:]}
    needed = {p.name for p in list(parameters)[2:] if p.default is p.empty}
    for name in sorted(set(fields) - taken):
        yield Problem("E110", f"{place} {name}", "规则不接收此字段")
    for name in sorted(needed - set(fields)):
        yield Problem("E110", f"{place} {name}", "规则需要此字段，但表单没有")


@_check
def _charts_open_rows(resource: type[Resource]) -> Iterator[Problem]:
    """E111, E113: a bar or figure cannot open its rows, because the list has no such filter or view; equal
    names."""
    filtered = {s.name for s in _specs(resource)["filters"]}
    names = [c.name for c in resource.charts]
    for chart in resource.charts:
        place = _where(resource, f"charts.{chart.name}")
        if names.count(chart.name) > 1:
            yield Problem("E113", place, "两个图表同名")
        grouped = chart.at if isinstance(chart, Trend) else getattr(chart, "by", None)
        across = getattr(chart, "across", None)
        for source in (grouped, across, *(column for column, _ in chart.only)):
            if source is not None and describe(source).name not in filtered:
                label = describe(source).label
                yield Problem("E111", place, f"列表没有按“{label}”的筛选，点击图表无法打开对应记录")
        kinds = ("choice", "choices", "ref", "refs", "bool")
        if isinstance(chart, Breakdown | Funnel) and describe(chart.by).kind not in kinds:
            yield Problem("E111", place, "只能按选项、引用、标签或是否分组")
        if isinstance(chart, Ranking) and describe(chart.by).kind != "ref":
            yield Problem("E111", place, "排行只能按人员、门店等引用分组")
        if isinstance(chart, Pivot) and not {s.kind for s in grouped_by(chart)} <= set(kinds) - {
            "refs",
            "choices",
        }:
            yield Problem("E111", place, "交叉表只能按选项、引用或是否分组")
        if isinstance(chart, Number) and chart.view not in ("", *(v.name for v in resource.views)):
            yield Problem("E111", place, f"列表没有名为 {chart.view} 的视图，点击数字无法打开对应记录")


@_check
def _lists_fit(resource: type[Resource]) -> Iterator[Problem]:
    """E113, E115: equal names, a default window that nobody can widen, or a badge that counts nothing."""
    places = _specs(resource)
    for place in ("columns", "filters", "sorts"):
        names = [s.name for s in places[place]]
        for name in sorted({n for n in names if names.count(n) > 1}):
            yield Problem("E113", _where(resource, place), f"{name} 出现两次")
    views = [v.name for v in resource.views]
    for name in sorted({n for n in views if views.count(n) > 1}):
        yield Problem("E113", _where(resource, f"views.{name}"), "两个视图同名")
    if resource.window is not None:
        name = describe(resource.window.column).name
        if name not in {s.name for s in places["filters"]}:
            yield Problem("E115", _where(resource, "window"), "默认时间范围的列不在筛选中，无法放宽")
    sorts = {s.name for s in places["sorts"]}
    for view in resource.views:
        if view.sort and view.sort.removeprefix("-") not in sorts:
            yield Problem("E115", _where(resource, f"views.{view.name}"), "视图的排序列不在 sorts 中")
    badge = resource.menu.badge if resource.menu is not None else None
    if badge is not None and badge.view not in views:
        yield Problem("E115", _where(resource, "menu"), f"角标所指的视图“{badge.view}”不存在")


@_check
def _tabs_are_seen(resource: type[Resource]) -> Iterator[Problem]:
    """E116: a tab shows records of a model without screens."""
    for part in resource.detail:
        if isinstance(part, Related) and not has_resource(part.by.class_):
            yield Problem("E116", _where(resource, "detail"), f"{part.by.class_.__name__} 没有声明页面")


@_check
def _entries_have_names(resource: type[Resource]) -> Iterator[Problem]:
    """E118: entries of the configuration refer to what has no name across installations."""
    kind = configuring.kind(resource.name)
    for name in configuring.nameless(kind) if kind is not None else ():
        yield Problem("E118", f"{resource.view_name()} {name}", "配置文件中无法按名称引用所指的记录")


def _permissions() -> Iterator[Problem]:
    """E102: one permission with two meanings, or one whose name the framework cannot store."""
    labels: dict[tuple[str, str], set[str]] = {}
    for resource in resources():
        for action in resource.actions:
            pair = action.permission_on(resource)
            labels.setdefault(pair, set()).add(action.permission_label or action.label)
    for (permission, view), words in labels.items():
        if len(words) > 1:
            yield Problem("E102", f"{permission} {view}", "同一权限有不同名称：" + "、".join(sorted(words)))
    for declared in all_permissions():
        if len(declared.permission) > _LENGTH_OF_PERMISSION:
            yield Problem("E102", declared.permission, "权限名过长")
