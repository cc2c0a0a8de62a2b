"""Messages to a person."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from app.engine.pages.parts import Link


@dataclass(slots=True)
class NoticeItem:
    """One line of a summary; without ``url`` its record is out of reach."""

    title: str
    note: str = ""
    url: str = ""


@dataclass(slots=True)
class NoticeGroup:
    """Lines of one matter; ``amount`` counts also those that are not listed, ``url`` opens their list. Of a
    ``plain`` one the number of lines says nothing."""

    name: str
    amount: int
    items: list[NoticeItem]
    url: str = ""
    more: str = ""
    plain: bool = False


@dataclass(slots=True)
class Notice:
    """One message. ``open_url`` marks it as read and leads on, ``url`` is its record's page where the person
    may see it, ``gone`` a sentence where not."""

    id: int
    title: str
    text: str
    kind: str
    tone: str
    topic: str
    icon: str
    at: Markup
    read: bool
    open_url: str
    url: str = ""
    gone: str = ""
    groups: list[NoticeGroup] = field(default_factory=list)


@dataclass(slots=True)
class NoticesPage:
    """我的提醒消息: newest first, by kind and by read or not."""

    kinds: list[Link]
    states: list[Link]
    notices: list[Notice]
    unread: int
    newer: str = ""
    older: str = ""
    empty: str = "暂无提醒消息"
    empty_hint: str = ""
    back: str = "/notifications/"
