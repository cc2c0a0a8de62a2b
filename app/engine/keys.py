"""Keys of records are given out once.

SQLite gives the key of a deleted last row to the next one, which would inherit its history, its messages and
the links to it. The history knows which keys there have been.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from sqlalchemy import Table, event, func, select, text
from sqlalchemy.orm import Session

from app.engine.audit import Audited, AuditEntry
from app.engine.resource import has_resource, resource_of

_SPACE = -3


def take(session: Session, model: type[Any], count: int) -> range:
    """``count`` keys of new records that nobody else gets. On SQLite the transaction must hold the write lock,
    which `writing()` takes."""
    if not count:
        return range(0)
    if _remembers(session):
        # Numbers of one block: the sequence is set forward once, under a lock that ends with the transaction.
        table = model.__tablename__
        name = session.scalar(select(func.pg_get_serial_sequence(table, "id")))
        session.execute(select(func.pg_advisory_xact_lock(_SPACE, func.hashtext(table))))
        last = session.scalar(text(f"SELECT setval('{name}', nextval('{name}') + {count - 1})"))
        return range(int(last or 0) - count + 1, int(last or 0) + 1)
    after = max(_last(session, model)) + 1
    return range(after, after + count)


def _remembers(session: Session) -> bool:
    """Whether the database itself gives out no key twice."""
    return session.get_bind().dialect.name == "postgresql"


def _last(session: Session, model: type[Any]) -> tuple[int, int]:
    """The highest key that is there, and the highest that the history knows."""
    table, entries = cast(Table, model.__table__), AuditEntry.__table__.c
    name = resource_of(model).name if has_resource(model) else model.__tablename__
    there = select(func.max(table.c.id)).scalar_subquery()
    known = select(func.max(entries.record_id)).where(entries.resource == name).scalar_subquery()
    row = session.connection().execute(select(func.coalesce(there, 0), func.coalesce(known, 0))).one()
    return row[0], row[1]


@event.listens_for(Session, "before_flush")
def _pass_over_deleted(session: Session, _context: Any, _instances: Any) -> None:
    if _remembers(session):
        return
    new: defaultdict[type[Any], list[Any]] = defaultdict(list)
    for record in session.new:
        if isinstance(record, Audited) and record.__dict__.get("id") is None:
            new[type(record)].append(record)
    for model, records in new.items():
        there, known = _last(session, model)
        if known > there:
            for record_id, record in enumerate(records, known + 1):
                record.id = record_id
