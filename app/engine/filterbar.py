"""The bar above a list: its filters with what was asked, and the chips that take a filter away again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from app.engine import chrome, drawing, filters, forms, relative, savedviews
from app.engine.addresses import DOING, address
from app.engine.listing import Query, first
from app.engine.pages import Chip, Field, Option
from app.engine.resource import Resource
from app.engine.scopes import Actor

PRIMARY = 4
FEW_IN_FILTER = 12
"""Longer pick lists are searched, so that a page does not carry the staff five times."""


def filter_bar(session: Session, resource: type[Resource], actor: Actor, query: Query) -> list[Field]:
    """The search box and the declared filters with what was asked. Those that nothing was asked of are kept for a
    moment, drawn: their options cost a statement each."""
    key = ("filters", resource.name, actor.id, actor.epoch)
    kept: list[Field] = chrome.remembered(key, lambda: _unasked(session, resource, actor, query))
    asked = {name.partition(".")[0].removesuffix("__text") for name in query.args}
    declared = {d.spec.name: d for d in filters.declared(resource, actor)}
    if not query.text and asked.isdisjoint(declared):
        return kept
    context = forms.Context(session, actor, query.now)
    drawer = _drawer(resource, actor, context, {k: list(v) for k, v in query.args.items()})
    return [
        _search(resource, query.text) if field.name == "q"
        else field if field.name not in asked
        else _input(declared[field.name], query, drawer, context, primary=field.primary)
        for field in kept
    ]  # fmt: skip


def _unasked(session: Session, resource: type[Resource], actor: Actor, query: Query) -> list[Field]:
    context = forms.Context(session, actor, query.now)
    nothing = replace(query, args={})
    drawer = _drawer(resource, actor, context, {})
    found = [_search(resource, "")] if resource.search or resource.exact or resource.tail else []
    for position, declared in enumerate(filters.declared(resource, actor)):
        found.append(_input(declared, nothing, drawer, context, primary=position < PRIMARY))
    parts: Any = current_app.jinja_env.get_template("_parts.html").module
    for field in found:
        field.drawn = parts.filter(field) if field.primary else parts.filter(field, "不限")
    return found


def _search(resource: type[Resource], text: str) -> Field:
    words = resource.search_hint or "关键字"
    return Field("q", "关键字", "text", text, placeholder=words, primary=True, maxlength=64)


def _drawer(
    resource: type[Resource], actor: Actor, context: forms.Context, typed: dict[str, list[str]]
) -> drawing.Drawer:
    picks = _picks(resource, actor, context)
    return drawing.Drawer(f"/{resource.name}", texts=typed, few=FEW_IN_FILTER, picks=picks)


def _input(
    declared: filters.FilterSpec,
    query: Query,
    drawer: drawing.Drawer,
    context: forms.Context,
    *,
    primary: bool,
) -> Field:
    spec = declared.spec
    if declared.ranged:
        made = Field(
            spec.name, spec.label, "date_range" if spec.kind in ("date", "datetime") else "number_range",
            value=first(query.args, f"{spec.name}.from"), value_to=first(query.args, f"{spec.name}.to"),
        )  # fmt: skip
        if made.kind == "date_range":
            made.options = _periods(first(query.args, f"{spec.name}.{filters.PERIOD}"))
    else:
        made = drawer.draw(spec, context)
        made.required, made.error, made.locked, made.hint = False, "", "", ""
        made.placeholder, made.asks, made.aid = "", "", ""
        if declared.ticked:
            made.kind = "ticks"
        elif (drawer.picks or {}).get(spec.target):  # a short list, whatever of it is chosen
            made.kind = "choices" if spec.kind == "refs" else "choice"
        made.values = list(query.args.get(spec.name, ()))
        made.value = first(query.args, spec.name)
    made.primary = primary
    return made


def _periods(asked: str) -> list[Option]:
    """The periods that move with the day, that which was asked for among them."""
    more = () if asked in relative.OFFERED or not relative.label(asked) else (asked,)
    return [Option(w, relative.label(w), selected=w == asked) for w in (*more, *relative.OFFERED)]


def _picks(resource: type[Resource], actor: Actor, context: forms.Context) -> Any:
    """The short pick lists of the bar, kept for a moment whatever is filtered by."""
    specs = [d.spec for d in filters.declared(resource, actor) if not d.ranged]
    key = ("picks", resource.name, actor.id, actor.epoch)
    return chrome.remembered(key, lambda: forms.short_lists(specs, context, FEW_IN_FILTER))


def kept(query: Query) -> list[tuple[str, str]]:
    """What the filter bar sends along unseen."""
    found = [
        (name, first(query.args, name))
        for name in ("scope", "view", "sort", "per_page", DOING, savedviews.STANDS)
        if first(query.args, name)
    ]
    return found + [(savedviews.COLUMNS, name) for name in query.args.get(savedviews.COLUMNS, ())]


def chips(query: Query, base: str, bar: Sequence[Field]) -> list[Chip]:
    """The filters in force; following one takes it away."""
    inputs = {f.name: f for f in bar}
    found = []
    for f in query.filters:
        if f.default:
            put = {"window": "all"} if f.names == ("window",) else {"include": "all"}
            found.append(Chip(f.label, address(base, query.args, **put)))
        else:
            found.append(
                Chip(_chip_words(query, f, inputs.get(f.spec.name)), address(base, query.args, drop=f.names))
            )
    if query.text:
        found.append(Chip(f"关键字：{query.text}", address(base, query.args, drop=("q",))))
    return found


def _chip_words(query: Query, active: filters.Active, drawn: Field | None) -> str:
    """Filters by another record read its name, as far as the person may see it, not its number."""
    if active.spec.kind not in ("ref", "refs") or active.names[0].endswith("__text") or drawn is None:
        return active.label
    named = {o.value: o.label for o in drawn.options}
    values = [v for v in query.args.get(active.spec.name, ()) if v]
    labels = ["未填写" if v == filters.EMPTY else named.get(v, "（无权查看）") for v in values]
    return f"{active.spec.label}：{'、'.join(labels)}"
