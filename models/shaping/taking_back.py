"""Taking back what one deed did to the options of dictionaries, as long as nobody has changed the same since."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import deeds
from app.engine.actions import Act, NotFound, Refusal
from app.engine.audit import AuditEntry
from app.engine.changes import plain, typed
from app.engine.fields import describe
from models.settings import rules
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry
from models.shaping.options import editable

_DEED = re.compile(r"[0-9a-f]{32}", re.ASCII)


def entries_of(session: Session, deed_id: str) -> list[AuditEntry]:
    """What that deed did to options, the last first."""
    if not _DEED.fullmatch(deed_id):
        raise NotFound
    statement = select(AuditEntry).where(
        AuditEntry.deed_id == deed_id, AuditEntry.resource == Dictionaries.name
    )
    return list(session.scalars(statement.order_by(AuditEntry.id.desc())))


def take_back(act: Act, deed_id: str) -> str:
    """Undo a deed of the own dealer as a whole; returns the dictionary's name. Inside a running deed; raises
    `Refusal` where somebody has changed one of the options since, or an added one is in use by now."""
    editable(act.actor)
    entries = entries_of(act.session, deed_id)
    if not entries:
        raise NotFound
    name = ""
    there = {r.id: r for r in deeds.lock(act.session, Dictionaries, [e.record_id for e in entries])}
    for entry in entries:
        row = there.get(entry.record_id)
        if (row.dealer_id if row is not None else entry.dealer_id) != act.actor.dealer_id:
            raise NotFound
        name = _put_back(act, entry, row) or name
    act.session.flush()
    return name


def _put_back(act: Act, entry: AuditEntry, row: DictionaryEntry | None) -> str:
    fields: dict[str, list[Any]] = entry.changes.get("fields") or {}
    made, gone = (fields.get("dictionary", [None, None])[side] for side in (1, 0))
    if gone is not None:
        if row is not None:
            raise Refusal(f"“{entry.record_label}”已由他人恢复")
        values = {n: typed(describe(getattr(DictionaryEntry, n)), pair[0]) for n, pair in fields.items()}
        act.session.add(DictionaryEntry(**values))
        act.session.flush()
        return str(gone)
    if row is None or any(plain(getattr(row, n)) != pair[1] for n, pair in fields.items()):
        raise Refusal(f"“{entry.record_label}”此后又被修改，不能撤销")
    if made is not None:
        if not _offered_elsewhere(act.session, row):
            rules.remove_entry(row, act)
        act.session.delete(row)
        act.session.flush()
        return str(made)
    for n, pair in fields.items():
        setattr(row, n, typed(describe(getattr(DictionaryEntry, n)), pair[0]))
    return row.dictionary


def _offered_elsewhere(session: Session, row: DictionaryEntry) -> bool:
    """Whether another entry keeps the value's name: the records that hold it lose nothing with this one."""
    others = select(DictionaryEntry.id).where(
        DictionaryEntry.id != row.id,
        DictionaryEntry.dictionary == row.dictionary,
        DictionaryEntry.value == row.value,
        DictionaryEntry.dealer_id.is_(None) | (DictionaryEntry.dealer_id == row.dealer_id),
    )
    return session.scalar(others.limit(1)) is not None
