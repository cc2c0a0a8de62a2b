"""The database session and the base of every table.

Reads run in plain transactions; whoever writes says so first (`writing()`), so that SQLite takes its
one write lock at the start instead of failing half-way, and PostgreSQL behaves the same as always.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from flask_appbuilder import Model as FrameworkModel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, func, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

T = TypeVar("T")

if TYPE_CHECKING:

    class Model(DeclarativeBase):
        """Typed stand-in for the framework's base."""

        __abstract__ = True

else:

    class Model(FrameworkModel):
        """Base of every table of the product; shares the framework's metadata."""

        __abstract__ = True


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
FrameworkModel.metadata.naming_convention = NAMING

db = SQLAlchemy(session_options={"autoflush": True, "expire_on_commit": False})
db.metadatas[None] = FrameworkModel.metadata

MAX_ID = 2**31 - 1
"""The largest id; an address with a larger number names nothing."""
PK = f"<int(max={MAX_ID}):pk>"
"""A record's id in the address of a route."""


def id_of(text: object) -> int:
    """The record's id that a text names; 0, which no record has, for anything else."""
    word = str(text or "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


_writing: ContextVar[bool] = ContextVar("zhike_writing", default=False)


_AWAY_STATES = ("08", "57P", "53")  # connection, shutting down or starting up, out of resources
_AWAY_WORDS = ("unable to open", "disk", "readonly database")


def forget_many(session: Session) -> None:
    """Let go of the records a long job has seen, once there are many; after a commit."""
    if len(session.identity_map) > _HELD_AT_MOST:
        session.expunge_all()


_HELD_AT_MOST = 2000


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached or cannot work, rather than refusing a statement."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", "")
    if state:
        return str(state).startswith(_AWAY_STATES)
    if not isinstance(error, OperationalError):
        return False
    from_sqlite = isinstance(error.orig, sqlite3.Error)
    return not from_sqlite or any(words in str(error.orig) for words in _AWAY_WORDS)


def utcnow() -> datetime:
    """The current time as stored: UTC, without zone, to the second's fraction."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def writing(session: Session) -> Iterator[None]:
    """Start a fresh transaction that takes the write lock at once; the caller commits."""
    session.rollback()
    token = _writing.set(True)
    try:
        session.connection()
        yield
    finally:
        _writing.reset(token)


def repeatable(session: Session) -> None:
    """What this transaction writes is done again when the machine fails before it is on the disk, so that nobody
    waits for the disk: the next transaction that does wait takes it along. SQLite never waits."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit = off"))


def alone(session: Session, space: int, *names: str) -> None:
    """Let nobody else pass here with one of these names until the transaction ends.

    SQLite has one writer at a time anyhow; PostgreSQL takes one advisory lock per name, in order.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for name in sorted(names):
        session.execute(select(func.pg_advisory_xact_lock(space, crc32(name.encode()) - 2**31)))


def among(session: Session, space: int, name: str, *, whole: bool = False) -> None:
    """Work beside others under this name until the transaction ends, or as the ``whole``: alone among them.
    SQLite has one writer at a time anyhow."""
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock if whole else func.pg_advisory_xact_lock_shared
        session.execute(select(lock(space, crc32(name.encode()) - 2**31)))


def pieces(things: Sequence[T], size: int = 1000) -> Iterator[Sequence[T]]:
    """The things in their order, so many at a time: as many ids as one statement may name."""
    return (things[at : at + size] for at in range(0, len(things), size))


def insert_for(session: Session, table: Any) -> Any:
    """An INSERT in the words of the session's database, which know what to do on a conflict."""
    build: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    return build(table)


def analyse(connection: Connection, name: str) -> None:
    """Let the database take stock of a table or an index. SQLite looks at as many rows as it did for all others:
    measured by more, an index would seem dearer than those beside it."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA analysis_limit = 1000"))
    connection.execute(text(f"ANALYZE {connection.dialect.identifier_preparer.quote(name)}"))


class _WithHints(SQLiteCompiler):
    """SQLite's words with those of ``Select.with_hint()``, which its compiler leaves out (``INDEXED BY``)."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def prepare_engine(engine: Engine) -> None:
    """Make one engine behave as the product expects; called once per engine by the factory."""
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _reads_anywhere)
    if engine.dialect.name != "sqlite":
        return
    engine.dialect.statement_compiler = _WithHints

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "cache_size=-1536",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def _reads_anywhere(connection: Any, _record: Any) -> None:
    """PostgreSQL plans as if a page anywhere cost four times the next one, as on turning disks, and reads whole
    tables for charts whose numbers an index holds (decision 0091)."""
    connection.execute("SET random_page_cost = 1.1")
    connection.commit()


def prepare_for_many_rows(engine: Engine) -> None:
    """Make the engine of a process that writes thousands of rows at once spare SQLite's disk: more of the changed
    pages are kept until the commit, and the log is taken into the file after 64 MiB instead of 4."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _spare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA cache_size=-16384")
        connection.execute("PRAGMA wal_autocheckpoint=16384")

    engine.dispose()
