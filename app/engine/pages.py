"""What a page hands to its template: plain, already guarded values.

Templates format nothing and decide nothing. Every text in these classes has passed the gate
(`guards.py`); every `Markup` was escaped by `cells.py`; every address is complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup

from app.engine.fields import ask_for


@dataclass(slots=True)
class Link:
    """Something to click. ``reason`` says why it is disabled (permission name in words); ``keep`` leaves
    it in the head of the page on a phone."""

    label: str
    url: str
    icon: str = ""
    active: bool = False
    enabled: bool = True
    reason: str = ""
    count: str | None = None
    tone: str = ""
    name: str = ""
    primary: bool = False
    confirm: str = ""
    has_form: bool = True
    batch: bool = False
    row: bool = False
    key: str = ""
    keep: bool = False


@dataclass(slots=True)
class Option:
    """One choice of a select, already translated."""

    value: str
    label: str
    tone: str = ""
    selected: bool = False
    parent: str = ""
    group: str = ""


@dataclass(slots=True)
class Field:
    """One input. ``kind``: text, textarea, texts, phone, phones, money, number, integer, date, datetime,
    bool, choice, choices, ref, refs, password, readonly; in filters also date_range, number_range.

    A choice among ``swatches`` shows each option in its colour. A ``ref`` with options beside the chosen
    one is drawn as a plain select; otherwise it is searched remotely, and ``text`` holds words that were
    typed but name nothing yet. A ``future`` time is one to come: tomorrow, in three days, next week are one
    click away.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    values: list[str] = field(default_factory=list)
    value_to: str = ""
    required: bool = False
    readonly: bool = False
    hint: str = ""
    error: str = ""
    placeholder: str = ""
    options: list[Option] = field(default_factory=list)
    picker_url: str = ""
    check_url: str = ""
    maxlength: int | None = None
    locked: str = ""
    parent: str = ""
    primary: bool = False
    wide: bool = False
    shown_when: str = ""
    unit: str = ""
    text: str = ""
    sole: bool = False
    swatches: bool = False
    future: bool = False

    @property
    def ask(self) -> str:
        """What is said when it stays empty though it is required."""
        return ask_for(self.kind, self.label)

    @property
    def grouped(self) -> list[tuple[str, list[Option]]]:
        """The options under their headings, in order."""
        return [(name, list(found)) for name, found in groupby(self.options, key=lambda o: o.group)]


@dataclass(slots=True)
class FieldSection:
    """A titled group of inputs, ``folded`` under its title unless ``opened``."""

    title: str
    fields: list[Field]
    folded: bool = False
    opened: bool = False


@dataclass(slots=True)
class Column:
    """A heading of a list."""

    name: str
    label: str
    sort_url: str = ""
    sorted: str = ""
    kind: str = "text"
    role: str = ""
    hidden: bool = False


@dataclass(slots=True)
class Row:
    """One record of a list. ``cells`` run parallel to the shown columns; ``html`` are the same cells as
    table cells in one piece, because a list page is mostly that."""

    id: int
    url: str
    cells: list[Markup]
    version: int = 0
    number: int = 0
    html: Markup = field(default_factory=Markup)


@dataclass(slots=True)
class Chip:
    """An active filter; following ``url`` removes it."""

    label: str
    url: str


@dataclass(slots=True)
class Pager:
    """``total`` reads like ``128条记录 1/13 页``; addresses are empty where there is no such page."""

    total: str
    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""
    per_page: list[Link] = field(default_factory=list)
    pages: list[Link] = field(default_factory=list)
    matching: str = ""


@dataclass(slots=True)
class ListPage:
    """A list with its filter bar, tabs, rows and batch bar."""

    name: str
    title: str
    icon: str
    url: str
    scopes: list[Link]
    views: list[Link]
    filters: list[Field]
    hidden: list[tuple[str, str]]
    chips: list[Chip]
    columns: list[Column]
    rows: list[Row]
    pager: Pager
    batch: list[Link]
    buttons: list[Link]
    row_menu: Markup
    """What can be done with one row, drawn: links with ``{id}`` in their addresses, or of actions; those with
    ``row`` stand in the row itself."""
    empty: str
    empty_hint: str
    all_columns: list[Column] = field(default_factory=list)
    columns_url: str = ""
    select_all: str = ""
    notice: str = ""
    error: str = ""
    clear_url: str = ""


@dataclass(slots=True)
class Item:
    """A label and its value. ``locked`` names the permission that would show it."""

    label: str
    html: Markup
    locked: str = ""
    wide: bool = False
    name: str = ""


@dataclass(slots=True)
class Section:
    """A titled group of values."""

    title: str
    items: list[Item]


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


@dataclass(slots=True)
class Difference:
    """One line of a conflict: what I typed beside what somebody saved meanwhile."""

    label: str
    mine: str
    theirs: str
    by: str = ""


@dataclass(slots=True)
class Dialog:
    """A question the server puts before it goes on; buttons submit ``name=value`` with the form. ``links`` run
    parallel to ``rows``: the page of the record in that row, or empty."""

    heading: str
    text: str
    buttons: list[DialogButton]
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DialogButton:
    """A submit button (``name``/``value``) or, with ``url``, a link."""

    label: str
    name: str = ""
    value: str = ""
    url: str = ""
    primary: bool = False


@dataclass(slots=True)
class FormPage:
    """A form to create, edit or act; everything typed is in it again after an error. ``facts`` are what one
    wants to know of the one record it is about; a ``fresh`` one begins at its first empty input."""

    title: str
    url: str
    sections: list[FieldSection]
    submit: str
    cancel_url: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialog: Dialog | None = None
    conflict: list[Difference] = field(default_factory=list)
    intro: str = ""
    subjects: list[str] = field(default_factory=list)
    draft_key: str = ""
    resource: str = ""
    tone: str = ""
    more_submits: list[DialogButton] = field(default_factory=list)
    cancel_label: str = "取消"
    facts: list[Item] = field(default_factory=list)
    fresh: bool = False


@dataclass(slots=True)
class Told:
    """What is shown on the answer itself and kept nowhere: a password that was made up."""

    title: str
    said: list[str]
    told: list[str]
    back_url: str


@dataclass(slots=True)
class Outcome:
    """Result of a batch for the screen: how many done, and who was refused why."""

    title: str
    done: int
    refused: list[tuple[str, str]]
    back_url: str


@dataclass(slots=True)
class Bar:
    """One bar, slice, step or point: its words on the axis and in full, its number, and the address of
    exactly its records. ``tone`` is the colour the value has elsewhere; ``note`` a share or conversion."""

    label: str
    value: float
    url: str = ""
    words: str = ""
    tone: str = ""
    note: str = ""


@dataclass(slots=True)
class ChartCard:
    """A chart with the same numbers as a table. ``heading`` names what is grouped by, ``note_heading`` the
    notes of the bars; ``remark`` says what is left out."""

    key: str
    title: str
    kind: str
    bars: list[Bar]
    unit: str = ""
    total: str = ""
    heading: str = ""
    note_heading: str = ""
    remark: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.value for bar in self.bars)


@dataclass(slots=True)
class Figure:
    """A number on a card with what has become of it since the period before."""

    name: str
    label: str
    value: str
    url: str = ""
    change: str = ""
    before: str = ""


@dataclass(slots=True)
class PeriodBar:
    """The choice of a period: quick ones, and two days of one's own. ``words`` says in full which rows
    the page reads."""

    words: str
    links: list[Link]
    name: str = ""
    first: str = ""
    last: str = ""
    own: bool = False
    hidden: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ChartPage:
    """The charts of one list, under the same filters and scope."""

    title: str
    name: str
    url: str
    list_url: str
    scopes: list[Link]
    period: PeriodBar
    cards: list[ChartCard]
    figures: list[Figure]
    filters: list[Field] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    clear_url: str = ""
    error: str = ""


@dataclass(slots=True)
class MenuItem:
    """An entry of the left menu; ``badge`` is the key of its count."""

    key: str
    label: str
    url: str
    icon: str
    badge: str = ""


@dataclass(slots=True)
class MenuGroup:
    """A titled, foldable group of entries. Groups without entries are never made."""

    label: str
    icon: str
    items: list[MenuItem]


@dataclass(slots=True)
class LoginPage:
    """The way in. ``hidden`` carries what the server wants back; ``next`` is where to go afterwards."""

    url: str = "/login"
    username: str = ""
    error: str = ""
    notice: str = ""
    next: str = ""
    hidden: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ErrorPage:
    """What went wrong in words, and what to do now; without words the template has those of the code.
    ``framed`` keeps menu and top bar around it; a 500 is never framed, because the frame may be what
    failed."""

    code: int
    heading: str = ""
    text: str = ""
    actions: list[Link] = field(default_factory=list)
    reference: str = ""
    framed: bool = False


@dataclass(slots=True)
class ProfilePage:
    """The own account: what the system knows about me, and what I may change."""

    name: str
    initial: str
    subtitle: str
    sections: list[Section]
    actions: list[Link] = field(default_factory=list)


@dataclass(slots=True)
class Todo:
    """A card of waiting work on the home page; ``url`` opens exactly the counted records (D-05)."""

    label: str
    count: str
    url: str
    icon: str = ""
    tone: str = ""
    hint: str = ""


@dataclass(slots=True)
class Recent:
    """A record touched lately: ``title`` and ``note`` have passed the gate."""

    title: str
    url: str
    note: str = ""
    at: Markup = field(default_factory=Markup)
    badges: list[Markup] = field(default_factory=list)


@dataclass(slots=True)
class HomePage:
    """Where a day begins: waiting work, quick entries, the customers I was at lately."""

    title: str
    greeting: str
    today: str
    todos: list[Todo]
    entries: list[Link]
    recent: list[Recent]
    recent_label: str = "最近的客户"
    recent_url: str = ""
    upcoming: list[Recent] = field(default_factory=list)
    upcoming_label: str = "接下来的跟进"
    upcoming_url: str = ""
    numbers: list[Link] = field(default_factory=list)


@dataclass(slots=True)
class SearchGroup:
    """The hits of one resource, best first; ``more_url`` opens its list with the same words."""

    label: str
    icon: str
    total: str
    hits: list[Recent]
    more_url: str = ""


@dataclass(slots=True)
class SearchPage:
    """The answer of the search in the top bar, grouped by resource."""

    q: str
    groups: list[SearchGroup]
    url: str = "/search"
    hint: str = "手机号、服务号、订单号请输入完整，姓名输入前几个字即可"


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
