"""The history as a person may read it: every value through the gate, in words (A-116, D-15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from app.engine import faces
from app.engine.attached import called
from app.engine.audit import AuditEntry
from app.engine.changes import spec_of
from app.engine.database import db
from app.engine.fields import FILES, FieldSpec
from app.engine.guards import Hidden, derived, gate
from app.engine.localtime import local
from app.engine.pages import HistoryChange, HistoryEntry, HistoryPage
from app.engine.resource import resource
from app.engine.scopes import Actor, visible
from app.engine.slots import SLOTS

SHOWN = 50


def history(
    resource_name: str, record_id: int, actor: Actor, limit: int = SHOWN, *, before: int | None = None
) -> list[HistoryEntry]:
    """Entries of a record, newest first; a record out of the person's scope has no history."""
    return [_entry(entry, actor) for entry in _read(resource_name, record_id, actor, limit, before)]


def page(
    resource_name: str, record_id: int, actor: Actor, label: str, back_url: str, before: int | None = None
) -> HistoryPage:
    """A page of the history with the way to older entries; ``before`` is the entry it begins before."""
    found = _read(resource_name, record_id, actor, SHOWN + 1, before)
    more = len(found) > SHOWN
    found = found[:SHOWN]
    url = f"{back_url}/history"
    return HistoryPage(
        "修改历史",
        label,
        [_entry(entry, actor) for entry in found],
        back_url,
        newer=url if before is not None else "",
        older=f"{url}?before={found[-1].id}" if more else "",
    )


def _read(
    resource_name: str, record_id: int, actor: Actor, limit: int, before: int | None
) -> list[AuditEntry]:
    shown = resource(resource_name)
    if shown is None:
        return []
    session = db.session()
    known = select(shown.pk()).where(shown.pk() == record_id, visible(shown, actor))
    if session.scalar(known, actor.params) is None:
        return []
    statement = select(AuditEntry).where(_of(resource_name, record_id))
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return list(session.scalars(statement.order_by(AuditEntry.id.desc()).limit(limit)))


def last_writer(resource_name: str, record_id: int) -> str:
    """Who changed the record last, by name; empty for nobody known."""
    statement = select(AuditEntry.actor_name).where(_of(resource_name, record_id))
    return db.session.scalar(statement.order_by(AuditEntry.id.desc()).limit(1)) or ""


def _of(resource_name: str, record_id: int) -> ColumnElement[bool]:
    return and_(AuditEntry.resource == resource_name, AuditEntry.record_id == record_id)


def _entry(entry: AuditEntry, actor: Actor) -> HistoryEntry:
    changes = changes_of(entry.changes, actor, entry.dealer_id)
    return HistoryEntry(
        who=entry.actor_name,
        at=moment(entry.at),
        title=entry.action_label,
        source=entry.source.label,
        changes=changes,
        fresh=_is_fresh(changes),
        record=entry.record_label,
        record_url=f"/{entry.resource}/{entry.record_id}",
    )


def changes_of(
    changes: Mapping[str, Any], actor: Actor | None, dealer_id: int | None = None
) -> list[HistoryChange]:
    """The changed fields of an entry for this reader; fields no longer declared are left out, because
    nobody knows their guard."""
    shown = []
    for name, pair in (changes.get("fields") or {}).items():
        spec = _recorded(changes, name)
        if spec is None:
            continue
        texts = pair[2:] if len(pair) == 4 else (None, None)
        old, lock = _text(spec, pair[0], texts[0], actor, dealer_id)
        new, lock = _text(spec, pair[1], texts[1], actor, dealer_id)
        shown.append(HistoryChange(spec.label, old, new, lock))
    return shown


def _recorded(changes: Mapping[str, Any], name: str) -> FieldSpec | None:
    """The field behind a name of an entry: of a slot the one that administrators had put there then."""
    resource_name = changes.get("resource", "")
    if name not in SLOTS:
        return spec_of(resource_name, name)
    dealer_id, at = changes.get("whose") or (None, "")
    return faces.recorded(resource_name, name, dealer_id, datetime.fromisoformat(at)) if at else None


def render_changes(entry: Any, actor: Actor | None) -> str:
    """An entry's changes in one line, ``阶段：跟进中 → 失效；…``; takes an entry or its ``changes``."""
    changes = entry if isinstance(entry, Mapping) else entry.changes
    shown = changes_of(changes, actor, actor.dealer_id if actor else None)
    fresh = _is_fresh(shown)
    said = [changes["note"]] if changes.get("note") else []
    return "；".join([*said, *(_line(change, fresh) for change in shown)])


def _is_fresh(changes: Sequence[HistoryChange]) -> bool:
    """Whether nothing was there before, as when a record is made: old values are then not worth a word."""
    return not any(c.old or c.locked for c in changes)


def _line(change: HistoryChange, fresh: bool) -> str:
    if change.locked and not (change.old or change.new):
        return f"{change.label}：已修改"
    if fresh:
        return f"{change.label}：{change.new or '空'}"
    return f"{change.label}：{change.old or '空'} → {change.new or '空'}"


def _text(
    spec: FieldSpec, value: Any, named: str | None, actor: Actor | None, dealer_id: int | None
) -> tuple[str, str]:
    """The value in words, and the guard's label when the reader gets only the mask."""
    values = value if isinstance(value, list) else [value]
    gated = [gate(spec, v, actor) for v in values]
    lock = next((v.guard.label for v in gated if isinstance(v, Hidden)), "")
    if lock:
        return "、".join(str(v) for v in gated if v is not None and str(v)), lock
    if spec.kind in derived:
        return "、".join(str(v) for v in gated if v), ""
    if named is not None:
        return named, ""
    return "、".join(_word(spec, v, dealer_id) for v in values if v is not None), ""


def _word(spec: FieldSpec, value: Any, dealer_id: int | None) -> str:
    if spec.kind == "bool":
        return "是" if value else "否"
    if spec.kind in ("choice", "choices"):
        known = {e.value: e.label for e in spec.entries(dealer_id)}
        return known.get(str(value), str(value))
    if spec.kind in FILES:
        return called(value)
    if spec.kind == "datetime":
        return moment(datetime.fromisoformat(str(value)))
    if spec.kind == "date":
        return date.fromisoformat(str(value)[:10]).isoformat()
    if spec.kind == "money":
        return f"¥{Decimal(str(value)):,.2f}"
    return str(value)


def moment(at: datetime) -> str:
    """A stored time as people in Shanghai read it."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S")
