"""Where a day begins, and the search over everything."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.views import IndexView
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.engine import chrome, dashboards, filters, home, listing, presenting, reading
from app.engine.addresses import address
from app.engine.cells import ago, text
from app.engine.cells import html as cell
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec, describe, with_companions
from app.engine.localtime import local
from app.engine.pages import Appointment, HomePage, Link, Recent, SearchGroup, SearchPage
from app.engine.resource import Resource, resource, resources
from app.engine.scopes import Actor, scopes_of
from app.engine.security import require_actor
from views import announcements

HITS = 8
RECENT = 8
_WEEKDAYS = "一二三四五六日"


class HomeView(IndexView):  # type: ignore[misc]
    """The home page (待办, the own month, today by the hour, recent customers)."""

    route_base = ""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """What waits for this person today."""
        actor = require_actor()
        session = db.session()
        now = utcnow()
        here = local(now)
        customers, tasks = resource("customers"), resource("tasks")
        shown = HomePage(
            "首页",
            f"{actor.name}，{_greeting(here.hour)}",
            f"{here:%Y年%m月%d日} 星期{_WEEKDAYS[here.weekday()]}",
            home.todos(actor, now),
            _entries(actor),
            home.own_figures(actor, now),
            _appointments(session, tasks, actor, now) if tasks is not None else [],
            _address(tasks, actor, view="today") if tasks is not None else "",
            _recent(session, customers, actor) if customers is not None else [],
            "/customers/" if customers is not None and actor.can("can_list", customers.view_name()) else "",
            _numbers(session, customers, actor) if customers is not None else [],
            announcements.block(session, actor, now),
        )
        return chrome.page("home.html", key="home", title="首页", page=shown)


def _greeting(hour: int) -> str:
    ends = ((5, "夜深了"), (11, "早上好"), (13, "中午好"), (18, "下午好"))
    return next((words for end, words in ends if hour < end), "晚上好")


def _entries(actor: Actor) -> list[Link]:
    """What is begun or looked at most: new records, and the dashboards of those who have one."""
    menu = chrome.menu_of(actor)
    boards = {d.name for d in dashboards.dashboards()}
    found = [Link(c.label, c.url, c.icon, primary=i == 0) for i, c in enumerate(menu.creates)]
    return found + [Link(e.label, e.url, e.icon) for e in menu.entries if e.key in boards]


def _address(found: type[Resource], actor: Actor, **put: str) -> str:
    if not actor.can("can_list", found.view_name()):
        return ""
    return address(f"/{found.name}/", _opening(found, actor), **put)


def _appointments(session: Session, tasks: type[Resource], actor: Actor, now: datetime) -> list[Appointment]:
    """Today's duties in the order of their hours."""
    if not actor.can("can_list", tasks.view_name()):
        return []
    args = {**_opening(tasks, actor), "view": ["today"]}
    query = listing.parse(tasks, actor, args, now, session.get_bind().dialect.name)
    query.per_page = RECENT
    due, title, whose = (describe(c) for c in (tasks.sorts[0], tasks.title, tasks.subtitle[-1]))
    wanted, _ = with_companions([due, title, whose])
    found = []
    for record in reading.read(session, query, wanted).records:
        values = dict(zip((s.name for s in wanted), record.values, strict=True))
        at = values[due.name]
        note = text(whose, values[whose.name], actor.dealer_id, actor.epoch)
        url = f"/{tasks.name}/{record.id}"
        found.append(Appointment(f"{local(at):%H:%M}", str(values[title.name]), url, note, late=at < now))
    return found


def _numbers(session: Session, found: type[Resource], actor: Actor) -> list[Link]:
    """The customers' saved views with their counts; each opens exactly its rows."""
    if not actor.can("can_list", found.view_name()):
        return []
    args = _opening(found, actor)
    query = listing.parse(found, actor, args, utcnow(), session.get_bind().dialect.name)
    _, numbers = presenting.tab_counts(session, found, query)
    return [v for v in presenting.views_of(found, query, numbers) if v.count is not None]


def _opening(found: type[Resource], actor: Actor) -> dict[str, list[str]]:
    """The scope the list opens with, as it stands in the address."""
    scope = chrome.opening(found, actor, utcnow())
    return {"scope": [scope.value]} if scope is not None else {}


class SearchView(BaseView):  # type: ignore[misc]
    """The search of the top bar."""

    route_base = ""

    @expose("/search")
    def search(self) -> ResponseReturnValue:
        """Full numbers, codes and parts of names over everything the person may see; one exact hit opens."""
        actor = require_actor()
        session = db.session()
        typed = request.args.get("q", "").strip()[: filters.MAX_TEXT]
        groups = []
        if typed:
            for found in resources():
                if (
                    (found.search or found.exact)
                    and actor.can("can_list", found.view_name())
                    and found.quick_search
                ):
                    group = _group(session, found, actor, typed)
                    if group is not None:
                        groups.append(group)
        if len(groups) == 1 and len(groups[0].hits) == 1 and _is_number(typed):
            return redirect(groups[0].hits[0].url)
        return chrome.page("search.html", title="搜索", page=SearchPage(typed, groups))


def _is_number(typed: str) -> bool:
    return sum(c.isdigit() for c in typed) >= 6


def _group(session: Session, found: type[Resource], actor: Actor, typed: str) -> SearchGroup | None:
    dialect = session.get_bind().dialect.name
    query = listing.parse(found, actor, {"q": [typed], "window": ["all"]}, utcnow(), dialect)
    query.scope, query.scopes = None, scopes_of(found, actor)
    query.per_page = HITS
    rows = _hits(session, query, found, actor)
    if not rows:
        return None
    total = f"{HITS}+" if len(rows) > HITS else str(len(rows))
    widest = listing.tabs(found, actor)
    more = f"/{found.name}/?q={quote(typed)}&window=all" + (f"&scope={widest[-1].value}" if widest else "")
    return SearchGroup(chrome.titled(found, actor), found.icon, total, rows[:HITS], more)


def _recent(session: Session, found: type[Resource], actor: Actor) -> list[Recent]:
    if not actor.can("can_list", found.view_name()):
        return []
    args = _opening(found, actor)
    query = listing.parse(found, actor, args, utcnow(), session.get_bind().dialect.name)
    query.per_page = RECENT
    if found.name == "customers":
        query.scope, query.scopes = None, scopes_of(found, actor)
    return _hits(session, query, found, actor)


def _hits(session: Session, query: listing.Query, found: type[Resource], actor: Actor) -> list[Recent]:
    sources = [found.title, found.code, *found.badges, *found.subtitle]
    specs = list({describe(c).name: describe(c) for c in sources if c is not None}.values())
    specs = [s for s in specs if s.attribute is not None]
    wanted, _ = with_companions(specs)
    made = []
    for record in reading.read(session, query, wanted).records:
        values: dict[str, Any] = dict(zip((s.name for s in wanted), record.values, strict=True))
        title = str(values[describe(found.title).name] or f"#{record.id}")
        made.append(Recent(title, f"/{found.name}/{record.id}", **_about(found, values, query)))
    return made


def _about(found: type[Resource], values: dict[str, Any], query: listing.Query) -> dict[str, Any]:
    """What stands beside a record's name: its badges, a line of words, and the time."""
    actor = query.actor

    def drawn(spec: FieldSpec) -> Markup:
        beside = [values[name] for name in spec.beside]
        return cell(spec, values[spec.name], actor.dealer_id, actor.epoch, query.now, beside)

    notes = []
    at = Markup("")
    for spec in (describe(c) for c in (found.code, *found.subtitle) if c is not None):
        value = values[spec.name]
        if isinstance(value, datetime):
            at = drawn(spec) if spec.shown is not None else ago(value, query.now)
        else:
            notes.append(text(spec, value, actor.dealer_id, actor.epoch))
    badges = [drawn(spec) for spec in map(describe, found.badges) if values[spec.name]]
    return {"note": " · ".join(n for n in notes if n), "at": at, "badges": badges}
