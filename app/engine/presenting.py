"""From rows to the list page: headings, cells, chips, tabs and addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from flask import current_app
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.engine import chrome, counting, drawing, filters, forms, listing, paging, reading
from app.engine.actions import Action
from app.engine.cells import html
from app.engine.fields import FieldSpec, Look, describe, with_companions
from app.engine.guards import may_filter
from app.engine.listing import Query, first
from app.engine.pages import Chip, Column, ExportForm, Field, Link, ListPage, Option, Pager, Row
from app.engine.resource import Resource, View
from app.engine.scopes import Actor

PRIMARY = 4
FEW_IN_FILTER = 12
"""Longer pick lists are searched, so that a page does not carry the staff five times."""
_PAGING = ("page", "after", "before", "last")
DOING = "do"
"""The parameter of a list that names the function its ticks are for (A-48)."""
_PLAIN = {"scope", "sort", "per_page", DOING, *_PAGING}


def address(base: str, args: listing.Args, drop: Sequence[str] = (), **put: str) -> str:
    """The list's address with some parameters changed; paging starts anew."""
    gone = {*_PAGING, *drop, *put}
    pairs = [(k, v) for k, values in args.items() if k not in gone for v in values if v]
    pairs += [(k, v) for k, v in put.items() if v]
    return f"{base}?{urlencode(pairs)}" if pairs else base


def list_page(
    session: Session, resource: type[Resource], actor: Actor, query: Query, chosen: Sequence[str]
) -> ListPage:
    """Read one page and put everything a list shows around it."""
    base = f"/{resource.name}/"
    args = query.args
    # What a walk or a batch began with stays, whatever scope the list opens with meanwhile.
    walking = args if query.scope is None else {**args, "scope": [query.scope.value]}
    specs = listing.columns(resource, actor, chosen)
    wanted, beside = with_companions(specs)
    skip = 0
    if query.after is None and query.before is None and not query.last and query.page > 1:
        skip = _skipped(session, query)
    total, more = _counted(session, query) if query.last else (0, False)
    if query.last and not more and total % query.per_page:
        per_page, query.per_page = query.per_page, total % query.per_page
        rows = reading.read(session, query, wanted)
        query.per_page = per_page
    else:
        rows = reading.read(session, query, wanted, skip=skip)
    if not query.last:
        total, more = (rows.total, rows.more) if rows.total is not None else _total(session, query, rows)
    elif not more:
        query.page = max(1, -(-total // query.per_page))
    headings = _headings(resource, actor, query, specs, base)
    bar = filter_bar(session, resource, actor, query)
    in_scopes, in_views = tab_counts(session, resource, query)
    shown = _rows(rows.records, specs, beside, headings, query, base)
    actions = offered_actions(resource, actor)
    batch = [action_link(resource, a, actor) for a in actions if a.batch]
    if not any(b.enabled for b in batch):
        batch = []
    doing = next((b for b in batch if b.enabled and b.name == first(args, DOING)), None)
    if doing is not None:
        batch = [doing]
    many = sorted((b for b in batch if b is not doing and b.name in resource.batch_menu), key=_in(resource))
    batch = [b for b in batch if b not in many]
    return ListPage(
        resource.name, titled(resource), resource.icon, base,
        _scopes(resource, query, base, in_scopes), views_of(resource, query, in_views),
        bar, kept(query), chips(query, base, bar), headings, shown,
        _pager(query, walking, rows, base, total, more), batch, _buttons(resource, actor, base, query),
        row_menu(resource, actor),
        resource.empty, _empty_hint(resource, query),
        all_columns=_all_columns(resource, specs),
        columns_url=f"{base}columns",
        select_all=urlencode([(k, v) for k, vs in walking.items() if k not in _PAGING for v in vs]),
        notice="；".join(query.notices), error="；".join(query.errors),
        clear_url=address(base, {k: v for k, v in args.items() if k in ("scope", "view", "per_page", DOING)}),
        batch_menu=_batch_menu(resource, actor, query), batch_many=many, doing=doing, stop_url=address(base, args, (DOING,)),
        export=export_form(resource, actor, base, walking, total, more), script=resource.script,
    )  # fmt: skip


def export_form(
    resource: type[Resource], actor: Actor, base: str, args: listing.Args, total: int, more: bool
) -> ExportForm | None:
    """The form that writes out the list as it stands, for those who may."""
    if not actor.can("can_export", resource.view_name()):
        return None
    formats = [Option("xlsx", "Excel 工作簿", selected=True), Option("csv", "CSV 文本")]
    return ExportForm(address(f"{base}export", args), formats, f"{total}{'+' if more else ''} 条")


def _skipped(session: Session, query: Query) -> int:
    """The rows before the page that was asked for by number; beyond the last page the list starts anew."""
    skip = (query.page - 1) * query.per_page
    total, more = _counted(session, query) if skip <= reading.MAX_OFFSET else (0, False)
    if more or skip < total:
        return skip
    query.page = 1
    query.notices.append("页码超出范围，已显示第1页")
    return 0


def titled(resource: type[Resource]) -> str:
    """A list and its tab are called as its menu entry is (D-07)."""
    return (resource.menu.label if resource.menu is not None else "") or resource.label


def _rows(
    records: Sequence[reading.Record],
    specs: Sequence[FieldSpec],
    beside: Sequence[tuple[int, ...]],
    headings: Sequence[Column],
    query: Query,
    base: str,
) -> list[Row]:
    dealer_id, epoch, now = query.actor.dealer_id, query.actor.epoch, query.now
    opened = [Markup('<td class="{}">').format(h.role) for h in headings]
    first = (query.page - 1) * query.per_page + 1
    found = []
    for number, record in enumerate(records, first):
        parts: list[str] = []
        values = record.values
        for spec, start, value, places in zip(specs, opened, values, beside, strict=False):
            others = [values[n] for n in places] if places else ()
            parts += (start, html(spec, value, dealer_id, epoch, now, others, brief=True), _CLOSED)
        row = Row(record.id, f"{base}{record.id}", [], record.version, number, Markup("".join(parts)))
        found.append(row)
    return found


_CLOSED = Markup("</td>")


def _total(session: Session, query: Query, rows: reading.Rows) -> tuple[int, bool]:
    """The number of matches: known from a page that shows all, else counted."""
    if not rows.has_next and query.after is None and query.before is None and query.page == 1:
        return len(rows.records), False
    return _counted(session, query)


def _counted(session: Session, query: Query) -> tuple[int, bool]:
    """The number of matches, kept for a moment: turning pages does not count again."""
    args = tuple(
        (k, tuple(v)) for k, v in sorted(query.args.items()) if k not in (*_PAGING, "sort", "per_page")
    )
    key = ("count", query.resource.name, query.actor.id, query.actor.epoch, query.now.date(), args)
    found: tuple[int, bool] = chrome.remembered(key, lambda: counting.count(session, query))
    return found


def tab_counts(
    session: Session, resource: type[Resource], query: Query
) -> tuple[Sequence[int], Sequence[int]]:
    """How many rows each scope tab and each view of this scope opens, in one statement. A scope tab keeps
    the filters, so its number is told only where there are none; children seen through their parents
    would cost too much to count."""
    shown = listing.tabs(resource, query.actor)
    plain = resource.scopes.through is None and query.args.keys() <= _PLAIN
    scopes = shown if len(shown) > 1 and plain else []
    if not scopes and not resource.views:
        return [], []

    def ask() -> list[int]:
        usual = listing.usual(resource, query.now)
        wanted = [(frozenset({s}), usual) for s in scopes]
        wanted += [(query.scopes, listing.of_view(resource, v, query.now)) for v in _tabs_of(resource, query)]
        amounts = [counting.amount(resource, s, where, chrome.COUNTED) for s, where in wanted]
        return chrome.with_badges(query.actor, query.now, amounts, query.params)

    beside = query.view.name if query.view is not None and not query.view.tab else ""
    key = ("tabs", resource.name, query.actor.id, query.actor.epoch, query.scope, bool(scopes), beside)
    numbers: list[int] = chrome.remembered(key, ask)
    return numbers[: len(scopes)], numbers[len(scopes) :]


def _scopes(resource: type[Resource], query: Query, base: str, numbers: Sequence[int]) -> list[Link]:
    shown = listing.tabs(resource, query.actor)
    if len(shown) < 2:
        return []
    return [
        Link(
            resource.scope_label(s),
            address(base, query.args, scope=s.value),
            active=s is query.scope,
            name=s.value,
            count=chrome.bounded(n) if n is not None else None,
        )
        for s, n in zip_longest(shown, numbers)
    ]


def _tabs_of(resource: type[Resource], query: Query) -> list[View]:
    """The views shown as tabs: those declared so, and the one that is open."""
    return [v for v in resource.views if v.tab or v is query.view]


def views_of(resource: type[Resource], query: Query, numbers: Sequence[int]) -> list[Link]:
    """The saved views as tabs with their counts."""
    base = f"/{resource.name}/"
    if not resource.views:
        return []
    keep = {k: v for k, v in query.args.items() if k in ("scope", "per_page", DOING)}
    found = [Link("全部", address(base, keep), active=query.view is None)]
    for view, n in zip(_tabs_of(resource, query), numbers, strict=True):
        found.append(
            Link(
                view.label,
                address(base, keep, view=view.name),
                active=view is query.view,
                count=chrome.bounded(n),
                tone="hot" if view.hot and n else "",
            )
        )
    return found


def kept(query: Query) -> list[tuple[str, str]]:
    """What the filter bar sends along unseen."""
    return [
        (name, first(query.args, name))
        for name in ("scope", "view", "sort", "per_page", DOING)
        if first(query.args, name)
    ]


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


def _headings(
    resource: type[Resource], actor: Actor, query: Query, specs: Sequence[FieldSpec], base: str
) -> list[Column]:
    sortable = {describe(c).name for c in resource.sorts}
    found = []
    for spec in specs:
        heading = Column(spec.name, spec.label, kind=spec.kind, role=role(resource, spec))
        if spec.name in sortable and may_filter(spec, actor):
            now = spec.name == query.sort.name
            heading.sorted = ("desc" if query.descending else "asc") if now else ""
            down = not (now and query.descending)
            heading.sort_url = address(base, query.args, sort=f"-{spec.name}" if down else spec.name)
        found.append(heading)
    return found


_LOOKS: dict[Look, str] = {"due": "due", "level": "gr", "said": "tx"}


def role(resource: type[Resource], spec: FieldSpec) -> str:
    """The part a column plays on the page, which decides its look."""
    known_by = resource.title if resource.known_by is None else resource.known_by
    if known_by is not None and spec is describe(known_by):
        return "nm"
    if resource.code is not None and spec is describe(resource.code):
        return "cd"
    if spec.look:
        return _LOOKS[spec.look]
    if spec.choices is not None:
        return "st"
    kinds = {"phone": "ph", "refs": "tg", "money": "num", "integer": "num", "datetime": "tm", "date": "tm"}
    return kinds.get(spec.kind) or ("tx" if spec.wide or spec.kind == "textarea" else "")


def _all_columns(resource: type[Resource], specs: Sequence[FieldSpec]) -> list[Column]:
    shown = {s.name for s in specs}
    rest = [describe(c) for c in (*resource.columns, *resource.more_columns)]
    return [Column(s.name, s.label) for s in specs] + [
        Column(s.name, s.label, hidden=True) for s in rest if s.name not in shown
    ]


def filter_bar(session: Session, resource: type[Resource], actor: Actor, query: Query) -> list[Field]:
    """The search box and the declared filters with what was asked; without values they are kept for a
    moment, because their options cost a statement each."""
    names = {f.spec.name for f in filters.declared(resource, actor)}
    if query.text or any(k.partition(".")[0] in names for k in query.args):
        return _filters(session, resource, actor, query)
    key = ("filters", resource.name, actor.id, actor.epoch)
    kept: list[Field] = chrome.remembered(key, lambda: _filters(session, resource, actor, query))
    return kept


def _filters(session: Session, resource: type[Resource], actor: Actor, query: Query) -> list[Field]:
    found: list[Field] = []
    if resource.search or resource.exact or resource.tail:
        words = resource.search_hint or "关键字"
        found.append(Field("q", "关键字", "text", query.text, placeholder=words, primary=True, maxlength=64))
    context = forms.Context(session, actor, query.now)
    typed = {k: list(v) for k, v in query.args.items()}
    drawer = drawing.Drawer(
        f"/{resource.name}", texts=typed, few=FEW_IN_FILTER, picks=_picks(resource, actor, context)
    )
    for position, declared in enumerate(filters.declared(resource, actor)):
        spec = declared.spec
        if declared.ranged:
            made = Field(
                spec.name, spec.label, "date_range" if spec.kind in ("date", "datetime") else "number_range",
                value=first(query.args, f"{spec.name}.from"), value_to=first(query.args, f"{spec.name}.to"),
            )  # fmt: skip
        else:
            made = drawer.draw(spec, context)
            made.required, made.error, made.locked, made.hint = False, "", "", ""
            made.placeholder = ""
            made.values = list(query.args.get(spec.name, ()))
            made.value = first(query.args, spec.name)
            if spec.kind == "ref" and made.options and not _is_long(made):
                made.kind = "choice"
        made.primary = position < PRIMARY
        found.append(made)
    return found


def _picks(resource: type[Resource], actor: Actor, context: forms.Context) -> Any:
    """The short pick lists of the bar, kept for a moment whatever is filtered by."""
    specs = [d.spec for d in filters.declared(resource, actor) if not d.ranged]
    key = ("picks", resource.name, actor.id, actor.epoch)
    return chrome.remembered(key, lambda: forms.short_lists(specs, context, FEW_IN_FILTER))


def _is_long(made: Field) -> bool:
    return all(o.selected for o in made.options)


def _buttons(resource: type[Resource], actor: Actor, base: str, query: Query) -> list[Link]:
    found = []
    if resource.charts and actor.can("can_chart", resource.view_name()):
        found.append(Link("图表", _charts(f"{base}charts", query), "chart-bar", keep=True))
    if resource.template is not None and actor.can("can_import", resource.view_name()):
        found.append(Link("导入", f"{base}import", "upload"))
    if resource.form and actor.can("can_add", resource.view_name()):
        label = resource.create_label or f"新增{resource.label}"
        found.append(Link(label, f"{base}new", "plus", primary=True))
    return found


def _charts(base: str, query: Query) -> str:
    """The charts of the list as it stands. A list just opened says nothing about the scope meant, so
    its charts open as wide as the person may see."""
    narrowed = any(name not in (*_PAGING, "sort", "per_page") for name in query.args)
    scope = query.scope.value if narrowed and query.scope is not None else ""
    return address(base, query.args, scope=scope)


def offered_actions(resource: type[Resource], actor: Actor) -> list[Action]:
    """The actions whose buttons this person sees: the permitted ones, and those that stay visible grey."""
    return [a for a in resource.actions if a.greyed or a.allowed(resource, actor)]


def _in(resource: type[Resource]) -> Callable[[Link], int]:
    return lambda link: resource.batch_menu.index(link.name)


def _batch_menu(resource: type[Resource], actor: Actor, query: Query) -> list[Link]:
    """The functions this person may use on many records, in the order of the declaration (A-48). Each leads to
    its own page, or to the list whose ticks are for it."""
    named = {a.name: a for a in resource.actions if a.allowed(resource, actor)}
    return [
        Link(
            a.label, a.page or address(f"/{resource.name}/", query.args, **{DOING: a.name}), a.icon,
            name=a.name, tone=a.tone,
        )
        for a in (named[name] for name in resource.batch_menu if name in named)
    ]  # fmt: skip


def row_menu(resource: type[Resource], actor: Actor) -> Markup:
    """What a row offers, drawn once for a while: it is the same on every page of a list."""

    def draw() -> Markup:
        items = _row_links(resource, actor)
        template = current_app.jinja_env.get_template("_rowmenu.html")
        return Markup(template.render(items=items) if items else "")

    drawn: Markup = chrome.remembered(("rowmenu", resource.name, actor.id, actor.epoch), draw)
    return drawn


def _row_links(resource: type[Resource], actor: Actor) -> list[Link]:
    """Its page, its form, and the actions that make sense on nearly every row."""
    base = f"/{resource.name}/"
    found = []
    if resource.detail:
        found.append(Link("打开整页", f"{base}{{id}}", "external-link", name="open"))
    if resource.groups(True) and actor.can("can_edit", resource.view_name()):
        found.append(Link("编辑", f"{base}{{id}}/edit", "pencil", name="edit"))
    offered = offered_actions(resource, actor)
    return found + [action_link(resource, a, actor) for a in offered if a.row or a.menu]


def action_link(resource: type[Resource], action: Action, actor: Actor, ids: str = "") -> Link:
    """A button for the action; without the permission it is grey and says what is missing."""
    allowed = action.allowed(resource, actor)
    return Link(
        action.label, f"{action.page or f'/{resource.name}/action/{action.name}'}{ids}", action.icon,
        enabled=allowed, reason="" if allowed else f"没有权限：{action.permission_label or action.label}",
        name=action.name, primary=action.primary, confirm=action.confirm,
        has_form=bool(action.fields) or action.before is not None, batch=action.batch, row=action.row,
        tone=action.tone,
    )  # fmt: skip


def _empty_hint(resource: type[Resource], query: Query) -> str:
    if query.text:
        within = f"（可搜索{resource.search_hint}）" if resource.search_hint else ""
        said = f"没有找到“{query.text}”{within}。"
    elif any(not f.default for f in query.filters):
        said = "没有同时符合这些条件的记录。"
    else:
        said = ""
    if any(f.default and f.names == ("window",) for f in query.filters):
        said += f"默认仅显示{resource.window_days()}天内创建的数据，可展开高级搜索调整创建时间"
    return said or resource.empty_hint


def _pager(query: Query, args: listing.Args, rows: reading.Rows, base: str, total: int, more: bool) -> Pager:
    per_page = query.per_page
    pages_total = max(1, -(-total // per_page))
    words = f"{total}{'+' if more else ''}条记录 {query.page}/{pages_total}{'+' if more else ''} 页"
    found = Pager(words, matching=f"{total}{'+' if more else ''}")
    if not total:
        found.total = "0条记录"
        return found
    if rows.has_previous:
        found.first = address(base, args)
    records = rows.records
    if rows.has_previous and records:
        cursor = paging.encode(records[0].place, records[0].id)
        found.previous = (
            address(base, args)
            if query.page == 2
            else address(base, args, before=cursor, page=str(max(1, query.page - 1)))
        )
    if rows.has_next and records:
        cursor = paging.encode(records[-1].place, records[-1].id)
        found.next = address(base, args, after=cursor, page=str(query.page + 1))
        found.last = address(base, args, last="1", page=str(pages_total))
    last_number = min(pages_total, reading.MAX_OFFSET // per_page)
    start = max(1, min(query.page - 2, last_number - 4))
    found.pages = [
        Link(str(n), address(base, args, page=str(n)), active=n == query.page)
        for n in range(start, min(last_number, start + 4) + 1)
    ]
    found.per_page = [
        Link(str(n), address(base, args, per_page=str(n)), active=n == per_page) for n in listing.PAGE_SIZES
    ]
    return found


def arguments(pairs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The address's parameters, bounded in number and length; no database takes a zero byte."""
    return {
        k.replace("\0", ""): [v[:200].replace("\0", "") for v in list(values)[:60]]
        for k, values in list(pairs.items())[:80]
    }
