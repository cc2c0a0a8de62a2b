"""The forms that fill a built dashboard: a chart of a list's page, and a tile put together of its fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.engine import charts, chrome, dashboards, drawing, forms, history, listing, perform
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.addresses import address, arguments
from app.engine.chartkinds import overlapping
from app.engine.choices import Entry
from app.engine.colliding import THEIRS, WAS, compared, marks, take
from app.engine.database import db, id_of, utcnow
from app.engine.faces import faced
from app.engine.fields import FieldSpec, entry
from app.engine.filterbar import chips, filter_bar
from app.engine.guards import may_filter
from app.engine.pages import DialogButton, Difference, Field, FieldSection, Link, Option
from app.engine.resource import Group, Resource, resource
from app.engine.scopes import Actor, visible
from app.engine.security import entrance
from models.identity.rules import is_group
from models.shaping import dashboard_rules, dashboard_sides, dashboard_tiles
from models.shaping.dashboard_queries import Known
from models.shaping.dashboard_resources import Boards
from models.shaping.dashboard_tiles import BASE, Kind
from models.shaping.dashboards import Board

NEW = "new"
_CONDITIONS = "_own"
"""By what the other one's conditions of a tile are asked for."""
_WIDTH = entry(
    "_width", "宽度", default="1", options=tuple(Entry(str(n), f"{n} 列") for n in dashboard_tiles.WIDTHS),
    hint="整页共 3 列；数值总是并排显示",
)  # fmt: skip
_TITLE = entry("_title", "标题", maxlength=dashboard_tiles.LONGEST_TITLE, hint="不填写则按内容命名")


def removed(pk: int, actor: Actor) -> str:
    """What was taken off last, while it can be put back."""
    kept = perform.find(db.session(), Boards, pk, actor).removed
    return dashboard_tiles.words(kept["tile"], actor.dealer_id) if kept else ""


# ----- 加到看板


def pin(actor: Actor) -> ResponseReturnValue:
    """The form that puts a chart of a list's page on a dashboard, and what it does."""
    texts = _texts()
    found, chart = _list(texts, actor), listing.first(texts, "_chart")
    title = charts.one_of(found, actor, chart).title
    spec = _boards(actor)
    name = entry("_name", "新看板名称", maxlength=24, required=True, shown_when=f"_board={NEW}")
    group = Group("", spec, name, _TITLE, _WIDTH)
    context = forms.Context(db.session(), actor, utcnow())
    if request.method == "GET":
        return _pinning(group, context, texts, title, found)
    try:
        values = forms.clean(group.fields, texts, context)
        tile = {**_own(texts), "list": found.name, "chart": chart, "title": values["_title"] or "",
                "width": int(values["_width"] or 1)}  # fmt: skip
        if values["_board"] == NEW:
            board = dashboard_rules.build(values["_name"], [tile], actor, entrance())
        else:
            pk = id_of(values["_board"])
            version = perform.find(db.session(), Boards, pk, actor).version
            board = dashboard_rules.rearrange(pk, version, dashboard_rules.adding(tile), actor, entrance())
    except (Forbidden, NotFound):
        raise
    except Refusal as refusal:
        errors = {{"name": "_name", "title": "_title"}.get(k, k): v for k, v in _errors(refusal).items()}
        return _pinning(group, context, texts, title, found, errors), refusal.status
    flash(f"已加到看板“{board.name}”", "good")
    return redirect(f"{BASE}/{board.id}#t-{board.layout[-1]['key']}")


def _pinning(
    group: Group, context: forms.Context, texts: Mapping[str, list[str]], title: str, found: type[Resource],
    errors: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    board: FieldSpec = group.fields[0]
    drawer = drawing.Drawer(
        BASE, texts if errors else None, errors, None,
        {"_board": board.options[0].value, "_name": "我的看板", "_title": title, "_width": "1"},
    )  # fmt: skip
    back = address(f"/{found.name}/charts", {k: v for k, v in texts.items() if not k.startswith("_")})
    page = drawing.form_page(
        [group], context, drawer, title=f"加到看板：{title}", url=f"{BASE}/add", cancel_url=back
    )
    page.hidden += [(k, v) for k, vs in _own(texts)["own"].items() for v in vs]
    page.hidden += [("_of", found.name), ("_chart", listing.first(texts, "_chart"))]
    page.notes = ["图表保留当前的筛选条件与数据范围；时间跟随看板的时间。每个人看到的是自己权限内的数据。"]
    return chrome.page("form.html", key=found.name, title=page.title, page=page)


def _boards(actor: Actor) -> FieldSpec:
    """The dashboards this person may add to, the own first, and a new one."""
    view, options = Boards.view_name(), []
    if actor.can("can_edit", view):
        statement = select(Board.id, Board.name).where(visible(Boards, actor))
        if not is_group(actor, Boards.name):
            statement = statement.where(Board.dealer_id.is_not(None))
        statement = statement.order_by(Board.owner_id != actor.id, Board.sort, Board.id).limit(200)
        rows = db.session().execute(statement, actor.params)
        options = [Entry(str(pk), name) for pk, name in rows]
    if actor.can("can_add", view):
        options.append(Entry(NEW, "新建看板"))
    if not options:
        raise Forbidden(f"编辑{Boards.label}")
    return entry("_board", "看板", required=True, options=tuple(options))


# ----- 添加图块


def choose(actor: Actor, board: Known) -> str:
    """All charts there are, list by list."""
    url = f"{BASE}/{board.id}/compose"
    sections = []
    for found in dashboard_tiles.lists(actor):
        links = [
            Link(
                c.title,
                address(url, {}, _of=found.name, _chart=c.name),
                _ICONS.get(type(c).__name__, "chart-bar"),
            )
            for c in charts.allowed(found, actor)
        ]
        own = Link("自己组合", address(url, {}, _of=found.name), "plus")
        sections.append((found.titled(), found.icon, links, own))
    return chrome.page(
        "board_add.html", key=board.key, title=f"添加图块：{board.name}", sections=sections,
        back=f"{BASE}/{board.id}?edit=1", full=len(board.layout) >= dashboard_tiles.MOST,
        said=dashboard_rules.FULL,
    )  # fmt: skip


_ICONS = {
    "Number": "id", "Breakdown": "chart-bar", "Trend": "chart-line", "Ranking": "trophy", "Pivot": "table",
    "Funnel": "chart-funnel",
}  # fmt: skip


def compose(actor: Actor, board: Known) -> ResponseReturnValue:
    """The form of one tile, new or there already (``_key``), with a look at it before it is saved."""
    texts = _texts()
    key = listing.first(texts, "_key")
    stored = next((t for t in board.layout if t["key"] == key), None)
    if key and stored is None:
        raise Refusal(dashboard_rules.GONE)
    if stored is not None:
        texts = {**texts, "_of": [stored["list"]], "_chart": [str(stored.get("chart") or "")]}
    found = _list(texts, actor)
    chart = listing.first(texts, "_chart")
    label = charts.one_of(found, actor, chart).title if chart else ""
    specs = ((*_parts(found, actor),) if not chart else ()) + (_TITLE, _WIDTH)
    context = forms.Context(db.session(), actor, utcnow())
    if request.method == "GET":
        return _composing(board, found, specs, context, stored, texts, label)
    if THEIRS in texts and stored is not None:
        texts = _taken(texts, specs, context, stored)
        return _composing(board, found, specs, context, stored, texts, label, late=True)
    tile = _tile(texts, found, chart)
    try:
        if request.form.get("step") == "preview":
            act = Act(actor, context.now, context.session, entrance())
            checked = dashboard_tiles.checked({**tile, "key": "preview"}, act)
            return _composing(board, found, specs, context, stored, texts, label, seen=checked)
        change = dashboard_rules.replacing(key, tile) if key else dashboard_rules.adding(tile)
        version = listing.number(listing.first(texts, "_version"), 0)
        still = dashboard_sides.same_tile(key, listing.first(texts, "_was")) if key else lambda layout: True
        made = dashboard_rules.rearrange(board.id, version, change, actor, entrance(), still)
    except (Forbidden, NotFound):
        raise
    except Stale:
        return _composing(board, found, specs, context, stored, texts, label, late=True), 409
    except Refusal as refusal:
        errors = {
            f"_{k}" if f"_{k}" in {s.name for s in specs} else k: v for k, v in _errors(refusal).items()
        }
        return _composing(board, found, specs, context, stored, texts, label, errors), refusal.status
    flash("已保存图块" if key else "已添加图块", "good")
    return redirect(f"{BASE}/{board.id}?edit=1#t-{key or made.layout[-1]['key']}")


def _tile(texts: Mapping[str, list[str]], found: type[Resource], chart: str) -> dict[str, Any]:
    """What was typed, as a tile; what its kind does not ask for is left out."""
    said = {n: listing.first(texts, f"_{n}") for n in ("kind", "by", "across", "at", "sum", "title")}
    asked = {"by": said["kind"] not in ("number", "trend"), "across": said["kind"] == "pivot",
             "at": said["kind"] == "trend"}  # fmt: skip
    parts = {n: v for n, v in said.items() if asked.get(n, True)}
    width = listing.first(texts, "_width")
    parts |= {"list": found.name, "width": int(width) if width in ("1", "2", "3") else width or 1}
    return {**parts, **_own(texts), **({"chart": chart} if chart else {})}


def _parts(found: type[Resource], actor: Actor) -> list[FieldSpec]:
    """What one chooses of a chart that is put together."""

    def offered(specs: Mapping[str, FieldSpec], fit: Any = None) -> tuple[Entry, ...]:
        chosen = (s for s in specs.values() if may_filter(s, actor) and (fit is None or fit(s)))
        return tuple(Entry(s.name, s.label) for s in chosen)

    groups = dashboard_tiles.groups(found)
    known = dashboard_tiles.fields(found)
    sums = tuple(
        Entry(name, f"{words}合计") for name, (words, _) in dashboard_tiles.measures(found).items()
        if name not in known or may_filter(known[name], actor)
    )  # fmt: skip
    when = "|".join(k.value for k in Kind if k not in (Kind.NUMBER, Kind.TREND))
    return [
        entry("_kind", "图表", required=True, choices=Kind),
        entry("_sum", "统计值", options=(Entry("", f"{found.label}数量"), *sums)),
        entry("_by", "分组项", required=True, options=offered(groups) or (Entry("", "无"),),
              shown_when=f"_kind={when}", hint="排行只能按人员、门店等分组"),
        entry("_across", "横向分组项", required=True, shown_when="_kind=pivot",
              options=offered(groups, lambda s: not overlapping(s)) or (Entry("", "无"),)),
        entry("_at", "时间", required=True, options=offered(dashboard_tiles.times(found)) or (Entry("", "无"),),
              shown_when="_kind=trend"),
    ]  # fmt: skip


def _composing(
    board: Known, found: type[Resource], specs: tuple[FieldSpec, ...], context: forms.Context,
    stored: Mapping[str, Any] | None, texts: Mapping[str, list[str]], label: str,
    errors: Mapping[str, str] | None = None, seen: Mapping[str, Any] | None = None, *, late: bool = False,
) -> str:  # fmt: skip
    typed = request.method == "POST"
    preset = _preset(stored or {})
    if stored is None:
        preset |= {"_kind": Kind.BARS.value, "_title": label}
    theirs = drawing.Drawer(BASE, preset=preset)
    both: list[Difference] = []
    if late and stored is not None:
        both, texts = _both(board, found, specs, context, stored, texts, theirs)
    drawer = drawing.Drawer(BASE, texts if typed else None, errors, None, preset)
    key = listing.first(texts, "_key")
    page = drawing.form_page(
        [Group("图块", *specs)], context, drawer, url=f"{BASE}/{board.id}/compose",
        title=f"{'编辑' if key else '添加'}图块：{label or found.titled()}",
        cancel_url=f"{BASE}/{board.id}?edit=1",
    )  # fmt: skip
    own = _own(texts)["own"] if typed else dict((stored or {}).get("own") or {})
    page.sections.append(FieldSection("只统计", _filters(found, own, context, errors or {})))
    page.hidden += [(k, v) for k in ("view", "scope", "include") for v in own.get(k, ())]
    page.hidden += [("_of", found.name), ("_chart", listing.first(texts, "_chart")), ("_key", key)]
    if typed and not late:
        opened = [(n, vs[0]) for n, vs in texts.items() if n in ("_version", "_was") or n.startswith(WAS)]
    else:
        opened = [("_version", str(board.version)), *marks(specs, theirs, context)]
        opened += [("_was", dashboard_sides.opened_with(stored))] if stored is not None else []
    page.hidden += opened
    page.conflict = both
    if both:
        page.url = address(page.url, {}, _key=key)
    page.more_submits.append(DialogButton("预览", "step", "preview"))
    return chrome.page(
        "board_tile.html", key=board.key, title=page.title, page=page, look=_look(seen, context)
    )


def _both(
    board: Known, found: type[Resource], specs: Sequence[FieldSpec], context: forms.Context,
    stored: Mapping[str, Any], texts: Mapping[str, list[str]], theirs: drawing.Drawer,
) -> tuple[list[Difference], dict[str, list[str]]]:  # fmt: skip
    """What the two have made of one tile, and the form with what only the other one has changed."""
    by = history.last_writer(Boards.name, board.id)
    both, merged = compared(specs, texts, theirs, context, by)
    own = [dict(_own(texts)["own"]), dict(stored.get("own") or {})]
    if own[0] != own[1]:
        both.append(
            Difference("只统计", *(_conditions(found, o, context) or "全部" for o in own), by, _CONDITIONS)
        )
    return both, merged


def _taken(
    texts: Mapping[str, list[str]],
    specs: Sequence[FieldSpec],
    context: forms.Context,
    stored: Mapping[str, Any],
) -> dict[str, list[str]]:
    """What was typed, with the other one's version of what was chosen."""
    chosen = texts[THEIRS]
    theirs = drawing.Drawer(BASE, preset=_preset(stored))
    kept = {name: list(values) for name, values in texts.items() if name != THEIRS}
    for spec in specs:
        if spec.name in chosen:
            take(kept, spec, theirs, context)
    if _CONDITIONS in chosen:
        own = _own(kept)["own"]
        kept = {n: v for n, v in kept.items() if n not in own} | dict(stored.get("own") or {})
    return kept


def _preset(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A tile as the form asks for it."""
    return {f"_{n}": v for n, v in stored.items()} | {"_width": str(stored.get("width", 1))}


def _conditions(found: type[Resource], own: listing.Args, context: forms.Context) -> str:
    """What a tile counts, in words."""
    dialect = context.session.get_bind().dialect.name
    query = listing.parse(found, context.actor, own, context.now, dialect)
    shown = chips(query, "", filter_bar(context.session, found, context.actor, query))
    said = [c.label for c, f in zip(shown, query.filters, strict=False) if not f.default]
    return "；".join([*said, *(c.label for c in shown[len(query.filters) :])])


def _look(seen: Mapping[str, Any] | None, context: forms.Context) -> Any:
    """The tile as the person who builds it will see it, for this month."""
    if seen is None:
        return None
    shown = dashboard_tiles.dashboard_of(0, "预览", [seen], context.actor.dealer_id)
    return dashboards.page(shown, context.actor, {}, context.now)


def _filters(
    found: type[Resource], own: listing.Args, context: forms.Context, errors: Mapping[str, str]
) -> list[Field]:
    """The list's filters as inputs of the form; its own time is the dashboard's."""
    session, actor = context.session, context.actor
    dialect = session.get_bind().dialect.name
    query = listing.parse(found, actor, own, context.now, dialect)
    follows = dashboards.periods.column_of(found, actor)
    guarded = {s.name for s in dashboard_tiles.fields(found).values() if s.guard is not None}
    left_out = {"q", *guarded, *([follows.name] if follows is not None else [])}
    made = []
    for drawn in filter_bar(session, found, actor, query):
        if drawn.name in left_out:
            continue
        drawn = dataclasses.replace(drawn, error=errors.get(drawn.name, ""), parent="", swatches=False)
        if drawn.kind == "bool":
            drawn.options = [
                Option("1", "是", selected="1" in drawn.values),
                Option("0", "否", selected="0" in drawn.values),
            ]
        if drawn.kind in ("choice", "bool", "ticks"):
            drawn.kind = "choices"
            drawn.options = [
                dataclasses.replace(o, selected=o.value in drawn.values) for o in drawn.options if o.value
            ]
        made.append(drawn)
    return made


# ----- what was sent


def _texts() -> dict[str, list[str]]:
    return arguments(request.values.to_dict(flat=False))


def _list(texts: Mapping[str, list[str]], actor: Actor) -> type[Resource]:
    found = resource(listing.first(texts, "_of"))
    if found is None or not found.charts:
        raise NotFound
    found = faced(found, actor.dealer_id)
    if found not in dashboard_tiles.lists(actor):
        raise Forbidden(f"{found.label}图表", seeing=True)
    return found


def _own(texts: Mapping[str, list[str]]) -> dict[str, Any]:
    """What stands in the address of the list; the form's own names begin with a line."""
    names = [k for k in texts if not k.startswith(("_", WAS)) and k not in ("csrf_token", "step")]
    return {"own": {k: [v for v in texts[k] if v] for k in names if any(texts[k])}}


def _errors(refusal: Refusal) -> dict[str, str]:
    return dict(refusal.errors) if isinstance(refusal, Invalid) else {refusal.field: refusal.message}
