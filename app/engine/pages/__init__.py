"""What a page hands to its template: plain, already guarded values.

Templates format nothing and decide nothing. Every text in these classes has passed the gate
(`guards.py`); every `Markup` was escaped by `cells.py`; every address is complete.
"""

from __future__ import annotations

from app.engine.pages.details import (
    DetailPage,
    Event,
    HistoryChange,
    HistoryEntry,
    HistoryPage,
    Table,
    Timeline,
)
from app.engine.pages.figures import Bar, ChartCard, ChartPage, Figure, PeriodBar
from app.engine.pages.forms import Dialog, DialogButton, Difference, FormPage, Outcome, Told
from app.engine.pages.frame import (
    ErrorPage,
    HomePage,
    LoginPage,
    MenuGroup,
    MenuItem,
    ProfilePage,
    Recent,
    SearchGroup,
    SearchPage,
    Todo,
)
from app.engine.pages.imports import Heading, ImportPage, Problem, RecentImport, Tally, UploadPage
from app.engine.pages.lists import Chip, ListPage, Pager
from app.engine.pages.notices import Notice, NoticeGroup, NoticeItem, NoticesPage
from app.engine.pages.parts import Column, Field, FieldSection, Item, Link, Option, Row, Section

__all__ = [
    "Bar",
    "ChartCard",
    "ChartPage",
    "Chip",
    "Column",
    "DetailPage",
    "Dialog",
    "DialogButton",
    "Difference",
    "ErrorPage",
    "Event",
    "Field",
    "FieldSection",
    "Figure",
    "FormPage",
    "Heading",
    "HistoryChange",
    "HistoryEntry",
    "HistoryPage",
    "HomePage",
    "ImportPage",
    "Item",
    "Link",
    "ListPage",
    "LoginPage",
    "MenuGroup",
    "MenuItem",
    "Notice",
    "NoticeGroup",
    "NoticeItem",
    "NoticesPage",
    "Option",
    "Outcome",
    "Pager",
    "PeriodBar",
    "Problem",
    "ProfilePage",
    "Recent",
    "RecentImport",
    "Row",
    "SearchGroup",
    "SearchPage",
    "Section",
    "Table",
    "Tally",
    "Timeline",
    "Todo",
    "Told",
    "UploadPage",
]
