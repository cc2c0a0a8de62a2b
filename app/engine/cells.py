"""How a gated value looks: escaped HTML for pages, plain text for dialogs, files and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from app.engine.choices import Choice, Colour, Entry
from app.engine.fields import FieldSpec
from app.engine.guards import Hidden
from app.engine.localtime import local

DASH = Markup('<span class="no">—</span>')
_MONTH = 30
FIRST_TAGS = 2


@lru_cache(maxsize=512)
def _entries(spec: FieldSpec, dealer_id: int | None, epoch: int) -> dict[str, Entry]:
    return {e.value: e for e in spec.entries(dealer_id)}


def entry_of(spec: FieldSpec, value: Any, dealer_id: int | None, epoch: int = 0) -> Entry | None:
    """The choice behind a stored value; kept per state of the dictionaries (``epoch``)."""
    return _entries(spec, dealer_id, epoch).get(str(getattr(value, "value", value)))


def text(spec: FieldSpec, value: Any, dealer_id: int | None = None, epoch: int = 0) -> str:
    """The value in words, unescaped; empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, (Hidden, str)) and not isinstance(value, Choice):
        if spec.kind in ("choice", "choices") and isinstance(value, str):
            found = entry_of(spec, value, dealer_id, epoch)
            return found.label if found else value
        return str(value)
    if isinstance(value, Choice):
        return value.label
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return local(value).isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return money(value) if spec.kind == "money" else f"{value:f}{spec.unit}"
    if isinstance(value, (list, tuple)):
        return "、".join(text(spec, v, dealer_id, epoch) for v in value)
    return f"{value}{spec.unit}"


def html(
    spec: FieldSpec,
    value: Any,
    dealer_id: int | None = None,
    epoch: int = 0,
    now: datetime | None = None,
    beside: Sequence[Any] = (),
    *,
    brief: bool = False,
) -> Markup:
    """The value as a cell of a list or detail page; ``beside`` are the gated values of its companions, and a
    ``brief`` one shows the first of many tags."""
    if isinstance(value, Hidden):
        return locked(value)
    if spec.shown is not None and now is not None:
        others = [None if isinstance(v, Hidden) else v for v in beside] if beside else ()
        value = spec.shown(value, *others, now=now)
        if isinstance(value, (Due, Said, Progress, Linked, Several)):
            return value.html(now)
    if value is None or value == "" or value == ():
        return Markup('<span class="mute">{}</span>').format(spec.blank) if spec.blank else DASH
    kind = spec.kind
    if kind in ("text", "phone", "textarea", "ref"):
        return escape(value)
    if kind == "choice":
        return choice(spec, value, dealer_id, epoch)
    if kind == "choices":
        value = _chosen(spec, value, dealer_id, epoch)
    if kind in ("refs", "choices"):
        return tags(value[:FIRST_TAGS], value[FIRST_TAGS:]) if brief else tags(value)
    if kind == "phones":
        return Markup("　").join(locked(v) if isinstance(v, Hidden) else escape(v) for v in value)
    if kind == "money" and value < 0:
        return Markup('<span class="warn">{}</span>').format(money(value))
    return escape(text(spec, value, dealer_id, epoch))


def money(amount: Decimal) -> str:
    """``¥12,345.00``; what was paid back has its minus in front."""
    return f"{'−' if amount < 0 else ''}¥{abs(amount):,.2f}"


def locked(value: Hidden) -> Markup:
    """The mask with a lock that names the permission."""
    title = f"无「{value.guard.label}」权限" if not value.guard.restricting else value.guard.label
    lock = Markup('<i class="ti ti-lock lock" role="img" title="{0}" aria-label="{0}"></i>').format(title)
    return escape(value.mask) + lock


def choice(spec: FieldSpec, value: Any, dealer_id: int | None, epoch: int) -> Markup:
    """A state as a dot with its label, a level as a chip, a colour in itself, a mere kind as its word."""
    found = entry_of(spec, value, dealer_id, epoch)
    if found is None:
        return escape(value)
    if isinstance(value, Colour):
        return tag(found.label, found.tone)
    if spec.look == "level":
        return _level(found.label, found.tone)
    return _dot(found.label, found.tone) if found.tone or _toned(spec.choices) else escape(found.label)


def _chosen(
    spec: FieldSpec, values: Sequence[str], dealer_id: int | None, epoch: int
) -> list[tuple[str, str]]:
    known = _entries(spec, dealer_id, epoch)
    found = [(value, known.get(value)) for value in values]
    return [(e.label, e.tone) if e is not None else (value, "") for value, e in found]


@lru_cache(maxsize=256)
def _toned(choices: type[Choice] | None) -> bool:
    return choices is not None and any(member.tone for member in choices)


@lru_cache(maxsize=256)
def _level(label: str, tone: str) -> Markup:
    return Markup('<span class="lv {0} {1}">{0}</span>').format(label, tone)


@lru_cache(maxsize=256)
def _dot(label: str, tone: str) -> Markup:
    return Markup('<span class="dot {1}">{0}</span>').format(label, tone)


@lru_cache(maxsize=2048)
def tag(label: str, tone: str = "") -> Markup:
    """A quiet tag."""
    return Markup('<span class="t {1}">{0}</span>').format(label, tone or "")


def tags(shown: Sequence[tuple[str, str]], rest: Sequence[tuple[str, str]] = ()) -> Markup:
    """Tags in a row; ``rest`` is counted, and read by pointing at the count."""
    return _tags(tuple(shown), tuple(rest))


@lru_cache(maxsize=2048)
def _tags(shown: tuple[tuple[str, str], ...], rest: tuple[tuple[str, str], ...]) -> Markup:
    found = Markup("").join(tag(label, tone) for label, tone in shown)
    if not rest:
        return found
    words = "、".join(label for label, _ in rest)
    return found + Markup('<span class="t more" title="{0}">+{1}<span class="sr">：{0}</span></span>').format(
        words, len(rest)
    )


@dataclass(slots=True)
class Due:
    """A moment somebody waits for; ``late`` is the word for having missed it."""

    at: datetime
    late: str = "已超时"

    def html(self, now: datetime) -> Markup:
        """In words: 今天 18:00, 明天 09:30, 已超时 4 小时, 已超时 3 天; the exact time of a late one in the title."""
        there = local(self.at)
        if self.at < now:
            return _LATE.format(full(there), self._missed(now))
        days = there.toordinal() - local(now).toordinal()
        if days == 0:
            return _TODAY.format(full(there)[_CLOCK])
        return escape(f"明天 {full(there)[_CLOCK]}" if days == 1 else full(there))

    def _missed(self, now: datetime) -> str:
        gone = now - self.at
        if gone.days:
            return f"{self.late} {gone.days} 天"
        hours, minutes = divmod(gone.seconds // 60, 60)
        return f"{self.late} {f'{hours} 小时' if hours else f'{minutes} 分钟'}"


@dataclass(slots=True)
class Said:
    """The gist of a contact: when it was, by which way, and its words."""

    at: datetime
    way: str
    words: str

    def html(self, now: datetime) -> Markup:
        """今天 09:12 · 电话 预约周末到店看样; the whole of it in the title."""
        there = local(self.at)
        whole = f"{full(there)} {self.way} {self.words}"
        return _SAID % (whole, f"{_near(there, now)} · {self.way}", self.words)


def told(value: Any) -> Any:
    """What a cell that is drawn says, for files: its moment, or its words."""
    if isinstance(value, Due):
        return value.at
    if isinstance(value, Said):
        return f"{full(local(value.at))} {value.way} {value.words}".rstrip()
    return str(value) if isinstance(value, (Progress, Linked, Several)) else value


@dataclass(slots=True)
class Linked:
    """Words that lead somewhere."""

    label: str
    url: str
    icon: str = ""

    def html(self, _now: datetime) -> Markup:
        """A link, its icon in front."""
        icon = _ICON.format(self.icon) if self.icon else ""
        return _LINKED.format(self.url, icon, self.label)

    def __str__(self) -> str:
        return self.label


@dataclass(slots=True)
class Several:
    """Words of which some lead somewhere; ``rest`` says that there are more."""

    parts: Sequence[Linked | str]
    rest: str = ""

    def html(self, now: datetime) -> Markup:
        """One after the other."""
        found = (p.html(now) if isinstance(p, Linked) else escape(p) for p in self.parts)
        return Markup("、").join(found) + escape(self.rest)

    def __str__(self) -> str:
        return "、".join(map(str, self.parts)) + self.rest


@dataclass(slots=True)
class Progress:
    """How far something is, in percent; ``live`` while it goes on, as ``key``."""

    percent: int
    key: str = ""
    live: bool = False

    def html(self, _now: datetime) -> Markup:
        """A bar and its number; the page's script moves those that are live."""
        live = Markup(' data-live="{}"').format(self.key) if self.live else ""
        return _PROGRESS.format(live, self.percent)

    def __str__(self) -> str:
        return f"{self.percent}%"


_LINKED = Markup('<a class="link" href="{}">{}{}</a>')
_ICON = Markup('<i class="ti ti-{}"></i> ')
_PROGRESS = Markup(
    '<span class="prog"{0}><progress max="100" value="{1}" aria-label="进度">{1}%</progress> <b>{1}%</b></span>'
)
_LATE = Markup('<span class="bad" title="{}">{}</span>')
_TODAY = Markup('<span class="warn">今天 {}</span>')
_SAID = Markup('<span title="%s"><span class="mute">%s</span> %s</span>')  # quicker than by `format`
_AGO = Markup('<span title="{}">{}</span>')
_CLOCK = slice(11, 16)


def full(here: datetime) -> str:
    """A time in China to the minute."""
    return here.isoformat(" ", "minutes")


def near(moment: datetime, now: datetime) -> str:
    """How long ago a stored time is: 今天 09:12, 昨天 16:40, 8 天前; the day itself after a month."""
    return _near(local(moment), now)


def _near(there: datetime, now: datetime) -> str:
    days = local(now).toordinal() - there.toordinal()
    if 1 < days <= _MONTH:
        return f"{days} 天前"
    words = full(there)
    return f"{'昨天' if days else '今天'} {words[_CLOCK]}" if days in (0, 1) else words[:10]


def ago(moment: datetime, now: datetime) -> Markup:
    """The same as a cell, with the full time in its title."""
    there = local(moment)
    return _AGO.format(full(there), _near(there, now))
