"""The options of an added field on its page, and the way from there to where they are named and coloured."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import case

from app.engine.cells import tags
from app.engine.choices import dictionary
from app.engine.database import db
from app.engine.detail import provide_link
from app.engine.fields import reckoned
from app.engine.pages import Link
from app.engine.resource import Resource
from app.engine.scopes import Actor
from app.engine.security import current_actor
from models.settings.resources import Dictionaries
from models.shaping.custom_fields import CHOSEN, CustomField, dictionary_of
from models.shaping.custom_queries import snapshot

_OFF = Markup('<span class="mute">已停用：{}</span>')


def _field(field_id: int) -> Any:
    """The field, if it is one with options."""
    rows = snapshot(db.session()).rows
    return next((row for row in rows if row.id == field_id and row.kind in CHOSEN), None)


def _drawn(field_id: int | None, *, now: datetime) -> Markup | None:
    """The options in force in their colours, in the order in which they are offered, then those that are off."""
    field = _field(field_id) if field_id is not None else None
    if field is None:
        return None
    reader = current_actor()
    dealer_id = field.dealer_id or (reader.dealer_id if reader is not None else None)
    found = dictionary(dictionary_of(field.id), dealer_id)
    shown = tags([(e.label, e.tone) for e in found if e.active])
    off = [e.label for e in found if not e.active]
    return Markup(" ").join(filter(None, (shown, _OFF.format("、".join(off)) if off else None)))


OPTIONS = reckoned(
    "options", "选项", "text", case((CustomField.kind.in_(CHOSEN), CustomField.id)),
    shown_when="kind=choice|choices", shown=_drawn, wide=True,
)  # fmt: skip


def _to_options(actor: Actor, shown: type[Resource], pk: int) -> Link | None:
    if shown.model is not CustomField or not actor.can("can_list", Dictionaries.view_name()):
        return None
    field = _field(pk)
    if field is None or field.removed_at is not None:
        return None
    asked = urlencode({"dictionary": dictionary_of(pk), "scope": "dealer"})
    return Link("选项字典", f"/{Dictionaries.name}/?{asked}", Dictionaries.icon)


provide_link(_to_options)
