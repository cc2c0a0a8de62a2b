"""The frame around every page: menu, badges, quick create, who is signed in.

The menu's markup is rendered once per person and state of the rights; a request only puts in the counts
and marks the active item.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from flask import current_app, get_flashed_messages, render_template, request, session
from markupsafe import Markup
from sqlalchemy import select

from app.engine import counting, listing, menus
from app.engine.database import db, utcnow
from app.engine.menus import Entry as Entry
from app.engine.menus import Section
from app.engine.menus import add_entry as add_entry
from app.engine.menus import entries as entries
from app.engine.menus import group_icon as group_icon
from app.engine.menus import provide_entries as provide_entries
from app.engine.pages import Link, MenuGroup, MenuItem
from app.engine.recent import Recent
from app.engine.resource import Resource, resources
from app.engine.scopes import PERSONAL, Actor, Scope, scopes_of
from app.engine.security import current_actor

COUNTED = 1000
"""Counts on tabs and menu items stop here."""
_KEPT = 2000


@dataclass(frozen=True)
class Me:
    """The signed-in person as the frame shows it."""

    name: str
    position: str
    header: str
    initial: str
    store_name: str
    key: str
    """Whose the things are that the browser keeps: the person's id and the store worked in."""
    profile_url: str = "/profile"
    logout_url: str = "/logout"


@dataclass(frozen=True)
class Bell:
    """The bell of the top bar: where it leads, and the bounded count of what has not been read, to be
    selected beside the counts of the menu."""

    url: str
    amount: Callable[[Actor], Any]


class Menu(NamedTuple):
    """What the frame keeps of a person's menu: the markup, the pages he or she may open, what can be made
    anew, the groups as they stand, and where entries are changed, for those who may."""

    markup: str
    entries: tuple[Entry, ...]
    creates: list[Link]
    sections: tuple[Section, ...]
    editor: str


_numbers: list[Callable[[str, int | None], str]] = [lambda _key, _dealer: ""]
_BELL = "bell:"
_bells: list[Bell] = []
_menus: Recent[tuple[int, int], Menu] = Recent(_KEPT)
_counts: Recent[tuple[Any, ...], tuple[float, Any]] = Recent(_KEPT)


def provide_bell(url: str, amount: Callable[[Actor], Any]) -> None:
    """Hang up the bell; once, at import of the domain of messages."""
    _bells[:] = [Bell(url, amount)]


def provide_numbers(number: Callable[[str, int | None], str]) -> None:
    """Install the function that gives a page's number in the menu, by its key and the dealer; empty for none.
    The settings domain calls this: administrators change the numbers (E-94)."""
    _numbers[:] = [number]


def _numbered(entry: Entry, label: str, actor: Actor) -> str:
    """How the page of a menu entry is called there and on its tab."""
    number = _numbers[0](entry.key, actor.dealer_id)
    return f"{number}:{label}" if number else label


def counted_anew() -> None:
    """The person's counts are asked again at the next page: something of the own has changed."""
    session["w"] = (session.get("w", 0) + 1) % 100_000


def menu_of(actor: Actor) -> Menu:
    """The person's menu, kept until rights change."""
    key = (actor.id, actor.epoch)
    known = _menus.recall(key)
    if known is not None:
        return known
    found = menus.arranged(actor)
    groups = [MenuGroup(s.key, s.label, s.icon, [_item(e, actor) for e in s.entries]) for s in found.sections]
    template = current_app.jinja_env.get_template("_menu.html")
    markup = template.render(groups=groups, editor=found.editor)
    creates = [
        Link(r.create_label or f"新增{r.label}", f"/{r.name}/new", r.icon)
        for r in resources()
        if r.quick and r.form and actor.can("can_add", r.view_name())
    ]
    return _menus.keep(key, Menu(markup, found.entries, creates, found.sections, found.editor))


def _item(e: Entry, actor: Actor) -> MenuItem:
    return MenuItem(
        e.key,
        _numbered(e, e.label, actor),
        e.url,
        e.icon,
        e.key if e.badge else "",
        e.label,
        e.external,
        e.own,
    )


def remembered(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """A count kept for a short time per person. The person's own changes alter the key, so that they
    show at once; those of others after at most ``COUNT_TTL`` seconds."""
    whole = (*key, session.get("w", 0))
    known = _known(whole)
    if known is not None:
        return known[1]
    value = make()
    ttl = current_app.config.get("COUNT_TTL", 30)
    if ttl:
        _counts.keep(whole, (time.monotonic() + ttl, value))
    else:
        _of_this_request()[whole] = (0.0, value)
    return value


def _known(whole: tuple[Any, ...]) -> tuple[float, Any] | None:
    if not current_app.config.get("COUNT_TTL", 30):
        return _of_this_request().get(whole)
    known = _counts.recall(whole)
    return known if known is not None and known[0] > time.monotonic() else None


def _of_this_request() -> dict[tuple[Any, ...], tuple[float, Any]]:
    """Where nothing is kept for longer, one request still asks everything only once."""
    found: dict[tuple[Any, ...], tuple[float, Any]] = request.environ.setdefault("zhike.counts", {})
    return found


def forget() -> None:
    """Empty the caches, for tests that replace the database."""
    _menus.clear()
    _counts.clear()


def badges(actor: Actor, mine: Sequence[Entry], now: datetime) -> dict[str, int]:
    """Counts of waiting work by menu item, and of unread messages, in one statement (D-06)."""
    if not _with_badge(mine) and not _bells:
        return {}

    def ask() -> dict[str, int]:
        wanted = _counted(actor, mine, now)
        return dict(zip(wanted, _asked(list(wanted.values()), actor.params), strict=True))

    known: dict[str, int] = remembered(("badges", actor.id, actor.epoch), ask)
    return known


def with_badges(actor: Actor, now: datetime, amounts: Sequence[Any], params: Mapping[str, Any]) -> list[int]:
    """Some counts of a page in one statement, and in the same one those of the menu when they are due."""
    key = ("badges", actor.id, actor.epoch)
    known = _known((*key, session.get("w", 0))) is not None
    due = {} if known else _counted(actor, menu_of(actor)[1], now)
    found = _asked([*amounts, *due.values()], params)
    if due:
        numbers = found[len(amounts) :]
        remembered(key, lambda: dict(zip(due, numbers, strict=True)))
    return list(found[: len(amounts)])


def _asked(amounts: Sequence[Any], params: Mapping[str, Any]) -> Sequence[int]:
    return db.session().execute(select(*amounts), params).one()


def _counted(actor: Actor, mine: Sequence[Entry], now: datetime) -> dict[str, Any]:
    """What the frame counts, as columns to select, by menu item."""
    found = {e.key: _waiting(e, actor, now) for e in _with_badge(mine)}
    for bell in _bells:
        found[_BELL] = bell.amount(actor)
    return found


def _with_badge(mine: Sequence[Entry]) -> list[Entry]:
    return [e for e in mine if e.badge is not None and e.resource is not None]


def _waiting(entry: Entry, actor: Actor, now: datetime) -> Any:
    found = entry.resource
    assert found is not None
    assert entry.badge is not None
    view = found.view(entry.badge.view)
    assert view is not None
    scope = _opening(found, actor, now, lambda held: _asked(held, actor.params))
    scopes = frozenset({scope}) if scope is not None else scopes_of(found, actor)
    return counting.amount(found, scopes, listing.of_view(found, view, now), COUNTED)


def opening(resource: type[Resource], actor: Actor, now: datetime) -> Scope | None:
    """The scope tab a list opens with and its badge counts in: where this person's work lies.

    Who sees a whole store or department has it to look after (D-06); others begin with the first of their
    own tabs that holds rows. None where there are no tabs.
    """
    return _opening(resource, actor, now, lambda held: with_badges(actor, now, held, actor.params))


def _opening(
    resource: type[Resource], actor: Actor, now: datetime, run: Callable[[list[Any]], Sequence[int]]
) -> Scope | None:
    shown = listing.tabs(resource, actor)
    if len(shown) < 2 or shown[0] not in PERSONAL:
        return shown[0] if shown else None
    badge = resource.menu.badge if resource.menu is not None else None
    if badge is not None and badge.scope in shown:
        return badge.scope
    places = {Scope.STORE: actor.store_id, Scope.DEPARTMENT: actor.department_id}
    place = next((s for s in places if s in shown and places[s] is not None), None)
    if place is not None:
        return place

    def ask() -> Scope:
        usual = listing.usual(resource, now)
        held = [counting.amount(resource, frozenset({s}), usual, 1) for s in shown]
        return next((s for s, n in zip(shown, run(held), strict=True) if n), shown[0])

    found: Scope = remembered(("opening", resource.name, actor.id, actor.epoch), ask)
    return found


def titled(found: type[Resource], actor: Actor) -> str:
    """What a list is called wherever this person reads it: as in the menu."""
    return next((e.label for e in menu_of(actor).entries if e.key == found.name), found.titled())


def menu_markup(actor: Actor, active: str) -> Markup:
    """The menu with counts and the active item marked."""
    menu = menu_of(actor)
    markup = menu.markup
    numbers = badges(actor, menu.entries, utcnow())
    for section in menu.sections:
        total, hot = 0, False
        for e in section.entries:
            if e.badge is None:
                continue
            n = numbers.get(e.key, 0)
            markup = markup.replace(f"<!--badge:{e.key}-->", _badge(n, e.badge.hot), 1)
            total, hot = total + n, hot or e.badge.hot
        if total:
            markup = markup.replace(f"<!--badge:group:{section.key}-->", _badge(total, hot), 1)
    if active:
        markup = markup.replace(
            f'data-key="{active}"', f'data-key="{active}" aria-current="page" class="on"', 1
        )
    return Markup(markup)


def bounded(n: int) -> str:
    """A count that stopped at `COUNTED`, in words."""
    return f"{COUNTED - 1}+" if n >= COUNTED else str(n)


def _badge(n: int, hot: bool) -> str:
    if not n:
        return ""
    words = bounded(n)
    return f'<b class="hot">{words}</b>' if hot else f"<b>{words}</b>"


_assets: dict[str, str] = {}


def asset(name: str) -> str:
    """The address of a file under static/, with its content's hash, so that it may be kept for ever."""
    known = _assets.get(name)
    if known is None:
        path = Path(str(current_app.static_folder)) / name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        known = _assets[name] = f"{current_app.static_url_path}/{name}?v={digest}"
    return known


_mes: Recent[tuple[int, int], Me] = Recent(_KEPT)


def context() -> Mapping[str, Any]:
    """What every template may use; see the names in `base.html`."""
    actor = current_actor()
    shown: dict[str, Any] = {
        "asset": asset,
        "theme": request.cookies.get("zk_theme", "auto"),
        "flashes": _Flashes(),
        "me": None,
        "menu": Markup(""),
        "menu_editor": "",
        "creates": (),
        "unread": "",
        "crumb_key": "",
        "reminders_url": "",
        "preview": actor.preview if actor is not None else "",
        "rows_from": actor.rows_from if actor is not None else "",
    }
    if actor is None:
        return shown
    key = (actor.id, actor.epoch)
    shown["me"] = _mes.recall(key) or _mes.keep(
        key,
        Me(actor.name, actor.position, actor.header, actor.name[:1] or "客", actor.store_name,
           f"{actor.id}@{actor.store_id or ''}"),
    )  # fmt: skip
    menu = menu_of(actor)
    shown["creates"], shown["menu_editor"] = menu.creates, menu.editor
    return shown


class _Flashes:
    """Messages of the last request, taken from the session only when a page shows them."""

    def __iter__(self) -> Any:
        if "_flashes" not in session:
            return iter(())
        return iter(get_flashed_messages(with_categories=True))


def page(template: str, *, key: str = "", title: str = "", **values: Any) -> str:
    """Render a page inside the frame; ``key`` names the active menu item and the opened tab."""
    actor = current_actor()
    frame: dict[str, Any] = {"menu": Markup(""), "crumb_key": key, "title": title}
    if actor is not None:
        frame["menu"] = menu_markup(actor, key)
        own = next((e for e in menu_of(actor).entries if e.key == key and e.url == request.path), None)
        if own is not None and title and own.declared == title:
            frame["title"] = title = own.label
            _retitle(values.get("page"), own)
        frame["tab"] = _numbered(own, title, actor) if own is not None else title
        for bell in _bells:
            unread = badges(actor, menu_of(actor)[1], utcnow()).get(_BELL, 0)
            frame |= {"reminders_url": bell.url, "unread": unread_words(unread)}
    return render_template(template, **frame, **values)


def _retitle(shown: Any, entry: Entry) -> None:
    """The heading of a page that is called like its menu entry follows the name it was given."""
    if getattr(shown, "title", "") == entry.declared:
        shown.title = entry.label


def unread_words(n: int) -> str:
    """The number at the bell; nothing for none."""
    return "99+" if n > 99 else str(n) if n else ""
