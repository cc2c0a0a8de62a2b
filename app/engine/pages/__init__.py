"""What a page hands to its template: plain, already guarded values.

Templates format nothing and decide nothing. Every text in these classes has passed the gate
(`guards.py`); every `Markup` was escaped by `cells.py`; every address is complete.
"""

from __future__ import annotations

from app.engine.pages.announcements import (
    AnnouncementBlock,
    AnnouncementLine,
    AnnouncementPage,
    AnnouncementsPage,
)
from app.engine.pages.backlog import (
    BacklogLine,
    ParkedLine,
    QueuePage,
    WorkerLine,
)
from app.engine.pages.details import (
    DetailPage,
    Event,
    HistoryChange,
    HistoryEntry,
    HistoryPage,
    OwnershipClock,
    RuleAhead,
    Table,
    Timeline,
)
from app.engine.pages.figures import (
    Bar,
    ChartCard,
    ChartPage,
    Figure,
    PeriodBar,
)
from app.engine.pages.forms import (
    Dialog,
    DialogButton,
    Difference,
    FormPage,
    Outcome,
    Refused,
    Told,
)
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
from app.engine.pages.handovers import (
    HandoverPage,
    HandoverResult,
    Load,
    Passed,
    Step,
    Successor,
)
from app.engine.pages.imports import (
    Heading,
    ImportPage,
    Problem,
    RecentImport,
    Tally,
    UploadPage,
)
from app.engine.pages.lists import (
    Chip,
    ExportForm,
    ListPage,
    Pager,
)
from app.engine.pages.notices import (
    Notice,
    NoticeGroup,
    NoticeItem,
    NoticesPage,
)
from app.engine.pages.parts import (
    Column,
    Field,
    FieldSection,
    Item,
    Link,
    Option,
    Row,
    Section,
)

__all__ = [
    "AnnouncementBlock",
    "AnnouncementLine",
    "AnnouncementPage",
    "AnnouncementsPage",
    "BacklogLine",
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
    "ExportForm",
    "Field",
    "FieldSection",
    "Figure",
    "FormPage",
    "HandoverPage",
    "HandoverResult",
    "Heading",
    "HistoryChange",
    "HistoryEntry",
    "HistoryPage",
    "HomePage",
    "ImportPage",
    "Item",
    "Link",
    "ListPage",
    "Load",
    "LoginPage",
    "MenuGroup",
    "MenuItem",
    "Notice",
    "NoticeGroup",
    "NoticeItem",
    "NoticesPage",
    "Option",
    "Outcome",
    "OwnershipClock",
    "Pager",
    "ParkedLine",
    "Passed",
    "PeriodBar",
    "Problem",
    "ProfilePage",
    "QueuePage",
    "Recent",
    "RecentImport",
    "Refused",
    "Row",
    "RuleAhead",
    "SearchGroup",
    "SearchPage",
    "Section",
    "Step",
    "Successor",
    "Table",
    "Tally",
    "Timeline",
    "Todo",
    "Told",
    "UploadPage",
    "WorkerLine",
]
