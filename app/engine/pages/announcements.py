"""Announcements as people read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from app.engine.pages.parts import Link


@dataclass(slots=True)
class AnnouncementLine:
    """An announcement in a list; ``unread`` bears the red dot of this person."""

    title: str
    url: str
    at: Markup
    publisher: str = ""
    brief: str = ""
    unread: bool = False


@dataclass(slots=True)
class AnnouncementBlock:
    """The block 公告通知 of the home page: the newest announcement and the way to all of them (C-04, C-05)."""

    newest: AnnouncementLine | None
    more_url: str
    label: str = "公告通知"
    empty: str = "暂无数据"


@dataclass(slots=True)
class AnnouncementsPage:
    """The history of announcements, newest first."""

    title: str
    lines: list[AnnouncementLine]
    newer_url: str = ""
    older_url: str = ""
    buttons: list[Link] = field(default_factory=list)


@dataclass(slots=True)
class AnnouncementPage:
    """One announcement; ``id`` is sent along by its buttons, ``read_url`` is where opening it is told while it is unread."""

    id: int
    title: str
    body: Markup
    publisher: str
    at: Markup
    back_url: str
    read_url: str = ""
    buttons: list[Link] = field(default_factory=list)
