"""From rows to the list page: headings, cells, tabs and the pager."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache, partial
from itertools import zip_longest
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.engine import (
    asides,
    buttons,
    chrome,
    counting,
    faces,
    filters,
    listing,
    paging,
    reading,
    rowcolours,
    savedviews,
    viewmenu,
)
from app.engine.addresses import DOING, PAGING, address
from app.engine.cells import html
from app.engine.fields import FieldSpec, Look, describe, with_companions
from app.engine.filterbar import chips, filter_bar, kept
from app.engine.guards import may_filter
from app.engine.listing import Query
from app.engine.pages import Column, ExportForm, Link, ListPage, Option, Pager, Row
from app.engine.resource import Resource, View
from app.engine.scopes import Actor

_PLAIN = {"scope", "sort", "per_page", DOING, savedviews.STANDS, savedviews.COLUMNS, *PAGING}
_CLEARED = frozenset({"scope", "view", "per_page", DOING, savedviews.STANDS, savedviews.COLUMNS})


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
    keep = partial(chrome.remembered, ("amounts", query.scopes, *_narrowed(query)))
    if query.last and not more and total % query.per_page:
        per_page, query.per_page = query.per_page, total % query.per_page
        rows = reading.read(session, query, wanted, keep=keep)
        query.per_page = per_page
    else:
        rows = reading.read(session, query, wanted, skip=skip, keep=keep)
    if not query.last:
        total, more = (rows.total, rows.more) if rows.total is not None else _total(session, query, rows)
    elif not more:
        query.page = max(1, -(-total // query.per_page))
    headings = _headings(resource, actor, query, specs, base)
    bar = filter_bar(session, resource, actor, query)
    in_scopes, in_views = tab_counts(session, resource, query)
    shown = _rows(rows.records, specs, beside, headings, query, base)
    conditions = chips(query, base, bar)
    batch, many, doing = buttons.batch(resource, actor, args)
    return ListPage(
        resource.name, resource.titled(), resource.icon, base,
        _scopes(resource, query, base, in_scopes),
        viewmenu.tabs(query, base, views_of(resource, query, in_views)),
        bar, [*kept(query), *viewmenu.steering(query)], conditions, headings, shown,
        _pager(query, walking, rows, base, total, more), batch, buttons.of_list(resource, actor, base, query),
        buttons.row_menu(resource, actor),
        resource.empty, _empty_hint(resource, query),
        all_columns=_all_columns(resource, specs),
        columns_url=_columns_url(query, base),
        select_all=urlencode([(k, v) for k, vs in walking.items() if k not in PAGING for v in vs]),
        notice="；".join((*query.saved.notices, *query.notices)), error="；".join(query.errors),
        standing=resource.standing(actor, session, query.now),
        clear_url=address(base, {k: v for k, v in args.items() if k in _CLEARED}),
        batch_menu=buttons.batch_menu(resource, actor, query), batch_many=many, doing=doing,
        stop_url=address(base, args, (DOING,)),
        export=export_form(resource, actor, base, walking, total, more), script=resource.script,
        toolbar=buttons.toolbar(resource, actor), select_first=select_first(resource),
        find_label=resource.find_label, asides=asides.of_list(actor, resource),
        adding_url=faces.adding_url(resource, actor), saved=viewmenu.menu(query, base, specs, conditions),
    )  # fmt: skip


def _columns_url(query: Query, base: str) -> str:
    """Where the choice of columns goes; on a view it changes the address."""
    standing = {k: v for k, v in query.args.items() if k not in PAGING}
    return address(f"{base}columns", standing if query.saved.view is not None else {})


def select_first(resource: type[Resource]) -> str:
    """What is said to somebody who has selected no row, or several."""
    return f"请先选择一{resource.unit[:1]}{resource.label}"


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


def _rows(
    records: Sequence[reading.Record],
    specs: Sequence[FieldSpec],
    beside: Sequence[tuple[int, ...]],
    headings: Sequence[Column],
    query: Query,
    base: str,
) -> list[Row]:
    dealer_id, epoch, now = query.actor.dealer_id, query.actor.epoch, query.now
    opened = [_opened(h.role) for h in headings]
    first = (query.page - 1) * query.per_page + 1
    view = query.saved.view
    paint = rowcolours.painter(view.colours, specs, query.actor, now) if view and view.colours else None
    found = []
    for number, record in enumerate(records, first):
        parts: list[str] = []
        values = record.values
        for spec, start, value, places in zip(specs, opened, values, beside, strict=False):
            others = [values[n] for n in places] if places else ()
            parts += (start, html(spec, value, dealer_id, epoch, now, others, brief=True), _CLOSED)
        edge = paint(values) if paint is not None else ""
        row = Row(record.id, f"{base}{record.id}", [], record.version, number, Markup("".join(parts)), edge)
        found.append(row)
    return found


@cache
def _opened(role: str) -> Markup:
    return Markup('<td class="{}">').format(role)


_CLOSED = Markup("</td>")


def _total(session: Session, query: Query, rows: reading.Rows) -> tuple[int, bool]:
    """The number of matches: known from a page that shows all, else counted."""
    if not rows.has_next and query.after is None and query.before is None and query.page == 1:
        return len(rows.records), False
    return _counted(session, query)


def _counted(session: Session, query: Query) -> tuple[int, bool]:
    """The number of matches, kept for a moment: turning pages does not count again."""
    key = ("count", *_narrowed(query))
    found: tuple[int, bool] = chrome.remembered(key, lambda: counting.count(session, query))
    return found


def _narrowed(query: Query) -> tuple[Hashable, ...]:
    """What decides how many rows match: for whom, and all of the address but place and order."""
    args = tuple(
        (k, tuple(v)) for k, v in sorted(query.args.items()) if k not in (*PAGING, "sort", "per_page")
    )
    return (query.resource.name, query.actor.id, query.actor.epoch, query.now.date(), args)


def tab_counts(
    session: Session, resource: type[Resource], query: Query
) -> tuple[Sequence[int], Sequence[int]]:
    """How many rows each scope tab and each view of this scope opens, in one statement. A scope tab keeps
    the filters, so its number is told only where there are none; children seen through their parents
    would cost too much to count."""
    shown = listing.tabs(resource, query.actor)
    plain = resource.scopes.through is None and query.args.keys() <= _PLAIN
    scopes = shown if len(shown) > 1 and plain else []
    views = _tabs_of(resource, query)
    if not scopes and not views:
        return [], []

    def ask() -> list[int]:
        usual = listing.usual(resource, query.now)
        wanted = [(frozenset({s}), usual) for s in scopes]
        wanted += [(query.scopes, listing.of_view(resource, v, query.now)) for v in views]
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
    shown = _tabs_of(resource, query)
    if not shown:
        return []
    keep = {k: v for k, v in query.args.items() if k in ("scope", "per_page", DOING)}
    found = [Link("全部", address(base, keep), active=query.view is None)]
    for view, n in zip(shown, numbers, strict=True):
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


def _headings(
    resource: type[Resource], actor: Actor, query: Query, specs: Sequence[FieldSpec], base: str
) -> list[Column]:
    sortable = {describe(c).name for c in resource.sorts}
    widths = query.saved.view.widths if query.saved.view is not None else {}
    found = []
    for spec in specs:
        heading = Column(spec.name, spec.head, kind=spec.kind, role=role(resource, spec))
        heading.who_url = asides.of_field(actor, resource, spec)
        heading.width = widths.get(spec.name, 0)
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
    kinds = {
        "phone": "ph",
        "refs": "tg",
        "money": "num",
        "integer": "num",
        "number": "num",
        "datetime": "tm",
        "date": "tm",
    }
    return kinds.get(spec.kind) or ("tx" if spec.wide or spec.kind == "textarea" else "")


def _all_columns(resource: type[Resource], specs: Sequence[FieldSpec]) -> list[Column]:
    shown = {s.name for s in specs}
    rest = [describe(c) for c in (*resource.columns, *resource.more_columns)]
    return [Column(s.name, s.head) for s in specs] + [
        Column(s.name, s.head, hidden=True) for s in rest if s.name not in shown
    ]


def _empty_hint(resource: type[Resource], query: Query) -> str:
    if query.text:
        within = f"（可搜索{resource.search_hint}）" if resource.search_hint else ""
        said = f"没有找到“{query.text}”{within}。"
    elif any(not f.default for f in query.filters):
        said = "没有同时符合这些条件的记录。"
    else:
        said = ""
    if any(f.default and f.names == ("window",) for f in query.filters):
        days = filters.window_days(resource, query.args)
        said += f"默认仅显示{days}天内创建的数据，可展开高级搜索调整创建时间"
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
