"""The menu and the pages that are no list, record or form."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from app.engine.pages.announcements import AnnouncementBlock
from app.engine.pages.figures import Figure
from app.engine.pages.parts import Link, Section


@dataclass(slots=True)
class MenuItem:
    """An entry of the left menu; ``badge`` is the key of its count, ``name`` its label without the number. An
    ``external`` one opens beside the product; an ``own`` one is named where it is made."""

    key: str
    label: str
    url: str
    icon: str
    badge: str = ""
    name: str = ""
    external: bool = False
    own: bool = False


@dataclass(slots=True)
class MenuGroup:
    """A titled, foldable group of entries. Groups without entries are never made."""

    key: str
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
class Appointment:
    """A duty of today by its hour; ``late`` when the hour has passed."""

    hour: str
    title: str
    url: str
    note: str = ""
    late: bool = False


@dataclass(slots=True)
class HomePage:
    """Where a day begins: waiting work, the own month, today by the hour, the customers I was at lately."""

    title: str
    greeting: str
    today: str
    todos: list[Todo]
    entries: list[Link]
    figures: list[Figure]
    appointments: list[Appointment]
    appointments_url: str
    recent: list[Recent]
    recent_url: str
    views: list[Link] = field(default_factory=list)
    notices: AnnouncementBlock | None = None


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
