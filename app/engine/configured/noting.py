"""The history of parts that follow columns: what they were, exactly, so that a change can be taken back.

Declaring what a part follows is all a domain does; whatever rule writes the columns, the history has both states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.configured.values import linked
from app.engine.configuring import EXACT, Kind, following

_BEFORE = "configured.before"
Held = Mapping[str, Any]


@event.listens_for(Session, "before_flush")
def _remember(session: Session, _context: Any, _instances: Any) -> None:
    """What the parts are that this flush changes."""
    changed: list[tuple[Any, Kind, Held]] = []
    for record in (*session.new, *session.dirty, *session.deleted):
        known = following(type(record))
        if known is None or session.info.get("act") is None:
            continue
        fresh, leaving = record in session.new, record in session.deleted
        if fresh or leaving or _touched(known, record):
            changed.append((record, known, {} if fresh else _read(session, known, record)))
        if leaving:
            _note_links(session, known, record)
    if changed:
        session.info[_BEFORE] = changed


def _note_links(session: Session, known: Kind, record: Any) -> None:
    """The database takes links away together with what they hang on, without a word."""
    for spec in known.content:
        if spec.links is not None and (gone := linked(session, spec, record.id)):
            audit.note(session, record, spec.name, sorted(map(str, gone)), [])


@event.listens_for(Session, "after_flush")
def _note(session: Session, _context: Any) -> None:
    for record, known, before in session.info.pop(_BEFORE, ()):
        after = {} if record in session.deleted else _read(session, known, record)
        for name in known.parts:
            old, new = before.get(name) or [], after.get(name) or []
            if old != new:
                audit.note(session, record, EXACT + name, old, new)


def _touched(known: Kind, record: Any) -> bool:
    state = inspect(record)
    return known.part is not None and any(
        state.attrs[column.key].history.has_changes() for column in known.part.follows
    )


def _read(session: Session, known: Kind, record: Any) -> Held:
    part = known.part
    assert part is not None
    with session.no_autoflush:
        return part.read(session, [record.id]).get(record.id, {})
