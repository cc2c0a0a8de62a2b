"""How a gated value looks: escaped HTML for pages, plain text for dialogs, files and charts."""

from __future__ import annotations

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
_NARROW_LEVELS = 2


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
        if spec.kind == "choice" and isinstance(value, str):
            found = entry_of(spec, value, dealer_id, epoch)
            return found.label if found else value
        return str(value)
    if isinstance(value, Choice):
        return value.label
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return local(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return money(value) if spec.kind == "money" else f"{value:f}"
    if isinstance(value, (list, tuple)):
        return "、".join(text(spec, v, dealer_id, epoch) for v in value)
    return f"{value}{spec.unit}"


def html(
    spec: FieldSpec, value: Any, dealer_id: int | None = None, epoch: int = 0, now: datetime | None = None
) -> Markup:
    """The value as a cell of a list or detail page."""
    if isinstance(value, Hidden):
        return locked(value)
    if value is None or value == "" or value == ():
        return Markup('<span class="mute">{}</span>').format(spec.blank) if spec.blank else DASH
    kind = spec.kind
    if kind in ("text", "phone", "textarea", "ref"):
        return escape(value)
    if kind == "choice":
        return choice(spec, value, dealer_id, epoch)
    if kind == "datetime" and now is not None and spec.name.startswith(("next_", "due")):
        return due(value, now)
    if kind == "refs":
        return Markup("").join(tag(label, tone) for label, tone in value)
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
    """A state as a dot with its label, a one-letter level as a chip, a colour in itself, a mere kind as
    its word."""
    found = entry_of(spec, value, dealer_id, epoch)
    if found is None:
        return escape(value)
    if isinstance(value, Colour):
        return tag(found.label, found.tone)
    if len(found.label) < _NARROW_LEVELS:
        return _level(found.label, found.tone)
    return _dot(found.label, found.tone) if found.tone or _toned(spec.choices) else escape(found.label)


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


def due(moment: datetime, now: datetime) -> Markup:
    """A date somebody waits for, in words: 今天, 明天, 已超时 N 天."""
    there, here = local(moment), local(now)
    days = (there.date() - here.date()).days
    if moment < now:
        late = (here - there).days
        return Markup('<span class="bad">已超时 {}</span>').format(f"{late} 天" if late else "")
    if days == 0:
        return Markup('<span class="warn">今天 {}</span>').format(there.strftime("%H:%M"))
    if days == 1:
        return Markup("明天 {}").format(there.strftime("%H:%M"))
    return escape(there.strftime("%Y-%m-%d %H:%M"))
