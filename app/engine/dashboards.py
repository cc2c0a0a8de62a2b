"""Dashboards: figures and charts of several lists on one page, under one period, one store and one person.

A dashboard names charts that lists declare, or that somebody has put together of their fields; everything
else is theirs: who sees them, what they count, and the rows behind each number. The page's three switches
are the lists' own filters by their time, their store and their person, so that every number opens exactly
the rows it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.engine import charts, charts_cards, chrome, filters, listing, periods
from app.engine.actions import Forbidden, NotFound
from app.engine.addresses import address
from app.engine.chartkinds import Number
from app.engine.charts_board import Board, widest
from app.engine.database import db, id_of
from app.engine.fields import FieldSpec, describe
from app.engine.localtime import local
from app.engine.pages import Block, DashboardPage, Field, Link, Option, PeriodBar
from app.engine.periods import Args, Period
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor, Scope, scopes_of, visible
from app.engine.tiles import Tile as Tile
from app.engine.tiles import may_see, own_for, own_words, placed

DAY, STORE, PERSON = "day", "store", "person"
EVER = "all"
FEW_PEOPLE = 60
"""More people than these are searched instead of listed."""
_WIDER_THAN_A_STORE = frozenset({Scope.DEALER, Scope.GROUP})
_WIDER_THAN_A_PERSON = _WIDER_THAN_A_STORE | {Scope.STORE, Scope.DEPARTMENT}


@dataclass(frozen=True, eq=False)
class Dashboard:
    """A page of tiles; the list of the first one decides about its menu entry. An ``arranged`` one shows its
    tiles where somebody has put them, also those that the reader may not see."""

    name: str
    label: str
    tiles: tuple[Tile, ...]
    base: str
    arranged: bool

    def __init__(
        self, name: str, label: str, *tiles: Tile, base: str = "/dashboards", arranged: bool = False
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "tiles", tiles)
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "arranged", arranged)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.base}/{self.name}"

    @property
    def sheet(self) -> str:
        """Where its numbers are fetched as a spreadsheet, without what says so at the end."""
        return f"{self.url}/numbers" if self.arranged else self.url

    def resources(self) -> list[type[Resource]]:
        """The lists it draws from, in the order of their first tiles."""
        return list(dict.fromkeys(tile.resource for tile in self.tiles))


_declared: dict[str, Dashboard] = {}


def declare(dashboard: Dashboard, *, group: str, icon: str, order: int) -> Dashboard:
    """Make a dashboard known and put it into the menu of those who may see its first list's charts."""
    _declared[dashboard.name] = dashboard
    permission = ("can_chart", dashboard.tiles[0].resource.view_name())
    chrome.add_entry(
        chrome.Entry(group, dashboard.name, dashboard.label, dashboard.url, icon, order, permission)
    )
    return dashboard


def dashboards() -> Iterator[Dashboard]:
    """All of them, in order of declaration."""
    return iter(tuple(_declared.values()))


def named(name: str) -> Dashboard:
    """The dashboard of that name; raises `NotFound`."""
    if name not in _declared:
        raise NotFound
    return _declared[name]


# ----- what an address asks for


@dataclass(frozen=True, slots=True)
class Asked:
    """The switches of the page, understood: days (an open end is None), store and person."""

    first: date | None
    last: date | None
    today: date
    store: int
    person: int
    error: str = ""


def understood(args: listing.Args, people: FieldSpec | None, actor: Actor, now: datetime) -> Asked:
    """What the address asks for; without days it is this month up to today. A person may be named in words
    where scripts do not search."""
    today = local(now).date()
    first, last, errors = today.replace(day=1), today, []
    if listing.first(args, DAY) == EVER:
        return Asked(None, None, today, *_who_where(args, people, actor))
    typed = [listing.first(args, f"{DAY}.{end}").strip() for end in ("from", "to")]
    if any(typed):
        ends: list[date | None] = []
        for text in typed:
            try:
                ends.append(date.fromisoformat(text[:10]) if text else None)
            except ValueError:
                errors.append(f"时间：“{text[:20]}”不是有效的日期")
                ends.append(None)
        low, high = ends
        return Asked(low, high, today, *_who_where(args, people, actor), "；".join(errors))
    return Asked(first, last, today, *_who_where(args, people, actor))


def _who_where(args: listing.Args, people: FieldSpec | None, actor: Actor) -> tuple[int, int]:
    store, person = id_of(listing.first(args, STORE)), id_of(listing.first(args, PERSON))
    said = listing.first(args, f"{PERSON}__text").strip()
    if not person and said and people is not None:
        target = resource_of(people.target)
        statement = select(target.pk()).where(target.title == said, visible(target, actor)).limit(1)
        person = db.session().scalar(statement, actor.params) or 0
    return store, person


# ----- the page


def page(
    dashboard: Dashboard, actor: Actor, args: listing.Args, now: datetime, *, out: bool = False
) -> DashboardPage:
    """The dashboard as this person may see it: tiles of lists whose charts are permitted, without those that
    look at a hidden field; ``out`` leaves those that may be taken out. Raises `Forbidden` when none is left."""
    tiles = [t for t in dashboard.tiles if may_see(t, actor) and (not out or _may_export(t.resource, actor))]
    if not tiles and (out or not dashboard.arranged):
        raise Forbidden(f"导出{dashboard.label}" if out else dashboard.label, seeing=not out)
    people, stores = _switches(tiles, actor)
    asked = understood(args, people, actor, now)
    blocks = []
    pickers = [f for f in (_stores(stores, asked, actor), _people(people, asked, actor)) if f is not None]
    said = "".join(f"，{f.label}：{_chosen(f)}" for f in pickers if _chosen(f))
    for found in dict.fromkeys(t.resource for t in tiles):
        blocks.append(_block(found, [t for t in tiles if t.resource is found], asked, said, actor, now))
    return DashboardPage(
        dashboard.label,
        dashboard.url,
        _bar(dashboard, args, asked, said),
        blocks,
        pickers,
        hidden=_days(args),
        error=asked.error,
        sheet_url=_sheet(dashboard, actor, args, tiles),
        arranged=dashboard.arranged,
        placed=placed(dashboard.tiles, blocks) if dashboard.arranged else [],
    )


def _switches(tiles: list[Tile], actor: Actor) -> tuple[FieldSpec | None, FieldSpec | None]:
    """The fields behind the switches of person and store: those of the first list."""
    if not tiles:
        return None, None
    main = tiles[0].resource
    return _filter(main, actor, person_of(main)), _filter(main, actor, store_of(main))


def _may_export(found: type[Resource], actor: Actor) -> bool:
    return actor.can("can_export", found.view_name())


def person_of(found: type[Resource]) -> Any:
    """The column that names whose work a record is."""
    return found.scopes.owned if found.scopes.owned is not None else found.scopes.mine


def store_of(found: type[Resource]) -> Any:
    """The column that names the store of a record."""
    return found.scopes.store


def _filter(found: type[Resource], actor: Actor, source: Any) -> FieldSpec | None:
    """The list's filter by that column, if this person may use it."""
    if source is None:
        return None
    names = {f.spec.name for f in filters.declared(found, actor)}
    spec = describe(source)
    return spec if spec.name in names else None


def _block(
    found: type[Resource], tiles: list[Tile], asked: Asked, said: str, actor: Actor, now: datetime
) -> Block:
    put = _put(found, asked, actor)
    query = widest(found, actor, put, now)
    board = Board.of(found, actor, periods.pinned(query), now)
    period = periods.of(board.query)
    shown = [t.shown() for t in tiles]
    own = {c.name: own_for(t, actor) for t, c in zip(tiles, shown, strict=True) if t.own}
    scope = query.scope
    within = found.scope_label(scope) if scope is not None else found.label
    words = f"，{period.spec.label} {period.words}" if period is not None else ""
    block = Block(
        found.name,
        found.titled(),
        found.icon,
        f"{within}{words}{said}",
        charts_cards.figures([c for c in shown if isinstance(c, Number)], board, period, own),
        charts_cards.cards([c for c in shown if not isinstance(c, Number)], board, own),
        board.address({}) if actor.can("can_list", found.view_name()) else "",
    )
    for card in block.cards:
        narrowed = own_words(board, own[card.key]) if card.key in own else ""
        card.remark = "；".join(part for part in (card.remark, narrowed) if part)
        card.reading = "，".join(part for part in (block.reading, narrowed) if part)
    return block


def _put(found: type[Resource], asked: Asked, actor: Actor) -> Args:
    """The switches as the list's own filters."""
    put: Args = {}
    time = periods.column_of(found, actor)
    if time is not None and (asked.first or asked.last):
        put |= Period(time, asked.first, asked.last, asked.today).args()
    elif found.window is not None:
        put["window"] = ["all"]
    for column, chosen in ((store_of(found), asked.store), (person_of(found), asked.person)):
        spec = _filter(found, actor, column)
        if chosen and spec is not None:
            put[spec.name] = [str(chosen)]
    return put


# ----- the switches


def _bar(dashboard: Dashboard, args: listing.Args, asked: Asked, said: str) -> PeriodBar:
    month = asked.today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    choices = [
        ("本月", month, asked.today),
        ("上月", before, month - timedelta(days=1)),
        *(
            (label, asked.today - timedelta(days=days), asked.today)
            for days, label in periods.LENGTHS
            if days != 180
        ),
    ]
    drop = (DAY, f"{DAY}.from", f"{DAY}.to")
    links = []
    for label, first, last in choices:
        put = {f"{DAY}.from": first.isoformat(), f"{DAY}.to": last.isoformat()}
        url = address(dashboard.url, args, drop=drop, **put)
        links.append(Link(label, url, active=(asked.first, asked.last) == (first, last)))
    everything = asked.first is None and asked.last is None
    links.append(Link("全部", address(dashboard.url, args, drop=drop, **{DAY: EVER}), active=everything))
    words = "不限" if everything else f"{asked.first or '最早'} 至 {asked.last or asked.today}"
    return PeriodBar(
        f"{words}{said}",
        links,
        DAY,
        asked.first.isoformat() if asked.first else "",
        asked.last.isoformat() if asked.last else "",
        own=not any(link.active for link in links),
        hidden=[(k, v) for k, vs in args.items() if k not in drop for v in vs if v],
    )


def _days(args: listing.Args) -> list[tuple[str, str]]:
    return [(k, v) for k in (DAY, f"{DAY}.from", f"{DAY}.to") for v in args.get(k, ()) if v]


def _stores(spec: FieldSpec | None, asked: Asked, actor: Actor) -> Field | None:
    """The stores to choose from, for those who see more than their own."""
    if spec is None or not _sees(spec, actor, _WIDER_THAN_A_STORE):
        return None
    target = resource_of(spec.target)
    statement = select(target.pk(), target.title).where(visible(target, actor)).order_by(target.title)
    rows = db.session().execute(statement, actor.params).all()
    return _select(STORE, "门店", "全部门店", [(pk, title) for pk, title in rows], asked.store)


def _people(spec: FieldSpec | None, asked: Asked, actor: Actor) -> Field | None:
    """The people to choose from, for those who see others' work: of the chosen store, or of the own where
    they see no other."""
    if spec is None or not _sees(spec, actor, _WIDER_THAN_A_PERSON):
        return None
    target = resource_of(spec.target)
    store = asked.store or (0 if _sees(spec, actor, _WIDER_THAN_A_STORE) else actor.store_id or 0)
    where = [visible(target, actor)]
    if store and target.scopes.store is not None:
        where.append(target.scopes.store == store)
    statement = select(target.pk(), target.title).where(*where).order_by(target.title).limit(FEW_PEOPLE + 1)
    rows = [(pk, title) for pk, title in db.session().execute(statement, actor.params)]
    if asked.person and asked.person not in {pk for pk, _ in rows}:
        chosen = select(target.pk(), target.title).where(target.pk() == asked.person, visible(target, actor))
        rows += [(pk, title) for pk, title in db.session().execute(chosen, actor.params)]
    if len(rows) <= FEW_PEOPLE:
        return _select(PERSON, "人员", "全部人员", rows, asked.person)
    found = _select(PERSON, "人员", "", [r for r in rows if r[0] == asked.person], asked.person)
    found.kind, found.placeholder = "ref", "全部人员，输入姓名搜索"
    found.picker_url = f"/{resource_of(spec.attribute.class_).name}/pick/{spec.name}"
    return found


def _sees(spec: FieldSpec, actor: Actor, scopes: frozenset[Scope]) -> bool:
    return bool(scopes_of(resource_of(spec.attribute.class_), actor) & scopes)


def _select(name: str, label: str, blank: str, rows: list[tuple[int, str]], chosen: int) -> Field:
    options = [Option(str(pk), str(title), selected=pk == chosen) for pk, title in rows]
    if blank:
        options = [Option("", blank, selected=not any(o.selected for o in options)), *options]
    return Field(name, label, "choice", str(chosen or ""), options=options, primary=True)


def _chosen(field: Field) -> str:
    """The words of what is chosen; what the person may not see has none."""
    return next(
        (o.label for o in field.options if o.selected and o.value), "（无权查看）" if field.value else ""
    )


def _sheet(dashboard: Dashboard, actor: Actor, args: listing.Args, tiles: list[Tile]) -> str:
    if not any(_may_export(t.resource, actor) for t in tiles):
        return ""
    return charts.sheet_address(dashboard.sheet, args)
