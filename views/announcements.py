"""公告: what everybody reads. Publishing and withdrawing are the generated pages of the administrators."""

from __future__ import annotations

import re
from datetime import datetime

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from app.engine import chrome, listing, reach
from app.engine.actions import Act
from app.engine.buttons import action_link
from app.engine.cells import ago
from app.engine.database import PK, db, utcnow
from app.engine.deeds import deed
from app.engine.pages import AnnouncementBlock, AnnouncementLine, AnnouncementPage, AnnouncementsPage, Link
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.announcements import queries, rules
from models.announcements.resources import Announcements
from models.announcements.tables import Announcement

URL = "/notices"
ALL = f"{URL}/"
MANAGE = "/announcements"
"""The generated pages of whoever publishes."""
SHOWN = 20
_MOST_PAGES = 500
_ADDRESS = re.compile(r"https?://[^\s<>\"'，。；、）】》]+")


class AnnouncementsView(BaseView):  # type: ignore[misc]
    """Reading announcements, for everybody signed in (C-04…C-06)."""

    route_base = URL

    @expose("/", methods=["GET"])
    def history(self) -> ResponseReturnValue:
        """All of them, newest first (C-05)."""
        actor = require_actor()
        page = min(listing.number(request.args.get("page", ""), 1), _MOST_PAGES)
        now = utcnow()
        found = queries.newest(db.session(), actor, SHOWN + 1, (page - 1) * SHOWN)
        shown = AnnouncementsPage(
            "公告通知",
            [_line(n, now) for n in found[:SHOWN]],
            newer_url=f"{ALL}?page={page - 1}" if page > 1 else "",
            older_url=f"{ALL}?page={page + 1}" if len(found) > SHOWN else "",
            buttons=_ways(actor),
        )
        return chrome.page("announcements.html", key=Announcements.name, title=shown.title, page=shown)

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """One of them. Reading changes nothing; the page itself tells that it was opened."""
        actor = require_actor()
        found = queries.one(db.session(), actor, pk)
        shown = AnnouncementPage(
            pk,
            found.title,
            linked(found.body),
            found.publisher,
            ago(found.published_at, utcnow()),
            ALL,
            f"{URL}/{pk}/read" if found.unread else "",
            _buttons(actor, pk),
        )
        return chrome.page("announcement.html", key=Announcements.name, title=shown.title, page=shown)

    @expose(f"/{PK}/read", methods=["POST"])
    def read(self, pk: int) -> ResponseReturnValue:
        """This person has opened it: the red dot goes away for nobody else (C-06)."""
        actor = require_actor()
        session = db.session()
        queries.one(session, actor, pk)
        act = Act(actor, utcnow(), session, entrance(), "read")
        with deed(act):
            rules.read(session, actor.id, pk, act)
        return redirect(f"{URL}/{pk}")


def block(session: Session, actor: Actor, now: datetime) -> AnnouncementBlock:
    """公告通知 on the home page: the newest one (C-04)."""
    found = queries.newest(session, actor, 1)
    return AnnouncementBlock(_line(found[0], now) if found else None, ALL)


def linked(body: str) -> Markup:
    """Plain text with its addresses as links; its line breaks are kept by the style."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(body):
        parts += [escape(body[at : found.start()]), _LINK.format(found.group(), found.group())]
        at = found.end()
    return Markup("").join([*parts, escape(body[at:])])


_LINK = Markup('<a class="link" href="{}" rel="noopener noreferrer" target="_blank">{}</a>')


def _line(found: queries.Notice, now: datetime) -> AnnouncementLine:
    brief = " ".join(found.body.split())[:80]
    return AnnouncementLine(
        found.title, f"{URL}/{found.id}", ago(found.published_at, now), found.publisher, brief, found.unread
    )


def _ways(actor: Actor) -> list[Link]:
    """What an administrator may do from the history."""
    view = Announcements.view_name()
    found = []
    if actor.can("can_list", view):
        found.append(Link("公告管理", f"{MANAGE}/", "settings"))
    if actor.can("can_add", view):
        found.append(Link(Announcements.create_label, f"{MANAGE}/new", "plus", primary=True))
    return found


def _buttons(actor: Actor, pk: int) -> list[Link]:
    view = Announcements.view_name()
    found = (
        [Link("编辑", f"{MANAGE}/{pk}/edit", "pencil", has_form=True)] if actor.can("can_edit", view) else []
    )
    if rules.withdraw.allowed(Announcements, actor):
        found.append(action_link(Announcements, rules.withdraw, actor))
    return found


reach.opened_at(Announcements, f"{URL}/{{}}", where=Announcement.withdrawn_at.is_(None), everybody=True)

VIEWS = [AnnouncementsView]
