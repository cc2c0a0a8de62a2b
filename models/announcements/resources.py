"""The screens by which administrators publish; everybody reads on the pages of `views/announcements.py`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, false

from app.engine.resource import Between, Group, Menu, Resource, View
from app.engine.scopes import Scopes
from models.announcements import rules
from models.announcements.tables import Announcement
from models.identity.menu_groups import BASICS


def _shown(_now: datetime) -> ColumnElement[bool]:
    return Announcement.withdrawn_at.is_(None)


def _withdrawn(_now: datetime) -> ColumnElement[bool]:
    return Announcement.withdrawn_at.is_not(None)


class Announcements(Resource, model=Announcement):
    """公告管理: publishing and withdrawing is the administrator's (C-03)."""

    label = "公告"
    unit = "条公告"
    icon = "speakerphone"
    menu = Menu(BASICS, label="公告管理", icon="speakerphone", order=910)
    create_label = "发布公告"
    scopes = Scopes(dealer=Announcement.dealer_id, open=True)
    title = Announcement.title
    columns = (
        Announcement.title,
        Announcement.publisher_id,
        Announcement.published_at,
        Announcement.withdrawn_at,
    )
    filters = (Announcement.publisher_id, Between(Announcement.published_at))
    search = (Announcement.title,)
    search_hint = "标题"
    sorts = (Announcement.published_at,)
    views = (View("shown", "发布中", _shown), View("withdrawn", "已撤回", _withdrawn))
    detail = (Group("公告", *columns, Announcement.body),)
    form = (Group("公告", Announcement.title, Announcement.body),)
    create = staticmethod(rules.publish)
    update = staticmethod(rules.edit)
    actions = (rules.withdraw,)
    empty_hint = "发布后，本商场所有员工的首页都会显示最新一条公告"
    pick_where = staticmethod(lambda actor: false())
