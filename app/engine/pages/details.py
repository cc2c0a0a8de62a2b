"""A record: its sections, related tables, track and history."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from app.engine.pages.parts import Column, Item, Link, Row, Section


@dataclass(slots=True)
class Table:
    """Related records under a tab: headings and cells, no paging; ``more_url`` opens the full list."""

    label: str
    key: str
    columns: list[Column]
    rows: list[Row]
    more_url: str = ""
    create_url: str = ""
    create_label: str = ""
    empty: str = "暂无相关数据"
    actions: list[list[Link]] = field(default_factory=list)


@dataclass(slots=True)
class TrackingPage:
    """The tracking records of one lead, with the way to a new one for those who may."""

    title: str
    subject: str
    subject_url: str
    table: Table
    buttons: list[Link] = field(default_factory=list)
    facts: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Event:
    """One entry of the timeline."""

    icon: str
    title: str
    at: Markup
    by: str = ""
    text: str = ""
    score: str = ""
    url: str = ""
    kind: str = ""
    kind_label: str = ""
    """Named where events of several kinds stand together."""


@dataclass(slots=True)
class Timeline:
    """What happened to a record, newest first, with filters by kind and the total score."""

    kinds: list[Link]
    events: list[Event]
    score: str = ""
    more_url: str = ""


@dataclass(slots=True)
class RuleAhead:
    """What one clock rule will do to a record: its dates, or why there are none."""

    name: str
    effect: str
    dates: list[str] = field(default_factory=list)
    resets: str = ""
    silent: str = ""
    more: str = ""
    """What follows after the dates that are listed."""
    url: str = ""


@dataclass(slots=True)
class OwnershipClock:
    """What will happen next to a record, when, by which rule, and what would reset it; and all that follows."""

    at: Markup
    what: str
    resets: str
    rules: list[RuleAhead]
    span: str


@dataclass(slots=True)
class DetailPage:
    """One record: head, actions, sections, related tables, timeline."""

    name: str
    resource: str
    icon: str
    title: str
    subtitle: list[Item]
    badges: list[Markup]
    tags: Markup
    actions: list[Link]
    sections: list[Section]
    tables: list[Table]
    timeline: Timeline | None
    url: str
    list_url: str
    edit: Link | None = None
    code: str = ""
    initial: str = ""
    facts: list[Item] = field(default_factory=list)
    history_url: str = ""
    id: int = 0
    version: int = 0
    script: str = ""
    clock: OwnershipClock | None = None
    asides: list[Link] = field(default_factory=list)
    """What those who look after rights find in its menu."""
    beside: list[Link] = field(default_factory=list)
    """What stands beside its name: how it stands, and where to."""


@dataclass(slots=True)
class HistoryChange:
    """One field of an audit entry, old beside new, both through the gate."""

    label: str
    old: str
    new: str
    locked: str = ""


@dataclass(slots=True)
class HistoryEntry:
    """Who did what, when, and by which way in (web, API, import, timer)."""

    who: str
    at: str
    title: str
    source: str = ""
    changes: list[HistoryChange] = field(default_factory=list)
    fresh: bool = False
    """Nothing was there before, so only the new values are worth showing."""
    text: str = ""
    record: str = ""
    record_url: str = ""


@dataclass(slots=True)
class HistoryPage:
    """The unchangeable history of a record, newest first (D-15, A-116)."""

    title: str
    subtitle: str
    entries: list[HistoryEntry]
    back_url: str
    back_label: str = "返回"
    newer: str = ""
    older: str = ""
    total: str = ""
