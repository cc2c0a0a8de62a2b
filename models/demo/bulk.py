"""Writing many rows fast, on both databases, in the one transaction of the demo data.

Rows are tuples of plain values as the database stores them. A large load takes away what is cheaper to
build at once afterwards: indexes, foreign keys (PostgreSQL checks them row by row) and the name search.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, text
from sqlalchemy import func as sql
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.engine import names
from app.engine.database import Model

Rows = list[tuple[Any, ...]]
BLOCK = 20_000
"""Rows that are handed to the database at once."""

_FAST = ("journal_mode=DELETE", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-524288", "threads=2")
_USUAL = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
_FOREIGN_KEYS = text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE contype = 'f' AND conrelid::regclass::text = ANY(:tables) ORDER BY 1, 2"
)
_PG_INDEXES = text(
    "SELECT i.indexname, i.indexdef FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname "
    "WHERE i.schemaname = current_schema() AND i.tablename = ANY(:tables) AND c.oid IS NULL ORDER BY 1"
)


class Sheet:
    """Rows of one table waiting to be written; ``add`` takes a tuple in the order of ``columns``."""

    def __init__(self, name: str, columns: Sequence[str], first_id: int) -> None:
        self.table: Table = Model.metadata.tables[name]
        self.next_id = first_id
        self.columns = ["id", *columns]
        # Columns that this module does not know of get their declared constant.
        self.constants = {
            c.name: c.default.arg
            for c in self.table.c
            if c.name not in self.columns
            and not c.nullable
            and isinstance(c.default, ScalarElementColumnDefault)
        }
        self.rows: list[tuple[Any, ...]] = []
        self.add = self.rows.append

    def id(self) -> int:
        """The next primary key."""
        taken = self.next_id
        self.next_id += 1
        return taken

    @property
    def header(self) -> list[str]:
        """The columns as written."""
        return [*self.columns, *self.constants]

    def take(self) -> Rows:
        """The rows as written; the sheet is empty afterwards."""
        rows = self.rows.copy()
        self.rows.clear()
        if not self.constants:
            return rows
        more = tuple(
            int(v) if isinstance(v, bool) else getattr(v, "value", v) for v in self.constants.values()
        )
        return [row + more for row in rows]


class Writer:
    """Where sheets are emptied into. ``null`` is what stands for "no value" in a row."""

    def __init__(self, connection: Connection, *, large: bool) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self.large = large
        self.copies = large and self.dialect == "postgresql"
        self.null = "\\N" if self.copies else None
        self.sheets: list[Sheet] = []

    def sheet(self, name: str, *columns: str) -> Sheet:
        """A sheet whose keys go on after the rows that are there."""
        table = Model.metadata.tables[name]
        last = self.connection.scalar(select(sql.max(table.c.id))) or 0
        made = Sheet(name, columns, last + 1)
        self.sheets.append(made)
        return made

    def full(self) -> bool:
        """Whether it is time to write."""
        return max(len(sheet.rows) for sheet in self.sheets) >= BLOCK

    def collect(self) -> list[Rows]:
        """The rows of each sheet, in the order of the sheets; they are empty afterwards."""
        return [sheet.take() for sheet in self.sheets]

    def write(self, collected: Sequence[Rows]) -> None:
        """Write what was collected, here or elsewhere."""
        for sheet, rows in zip(self.sheets, collected, strict=True):
            if rows:
                (self._copy if self.copies else self._insert)(sheet, rows)

    def _copy(self, sheet: Sheet, rows: Rows) -> None:
        raw: Any = self.connection.connection.dbapi_connection
        line = "\t".join(["%s"] * len(sheet.header))
        statement = f"COPY {sheet.table.name} ({', '.join(sheet.header)}) FROM STDIN"
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write("\n".join([line % row for row in rows]))

    def _insert(self, sheet: Sheet, rows: Rows) -> None:
        mark = "?" if self.dialect == "sqlite" else "%s"
        marks = ", ".join([mark] * len(sheet.header))
        if self.dialect == "postgresql":
            rows = [tuple(None if v is None else str(v) for v in row) for row in rows]
        statement = f"INSERT INTO {sheet.table.name} ({', '.join(sheet.header)}) VALUES ({marks})"
        self.connection.exec_driver_sql(statement, rows)

    def finish(self) -> None:
        """Let the database's own key counters go on after the rows written."""
        if self.dialect != "postgresql":
            return
        for sheet in self.sheets:
            name = sheet.table.name
            self.connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": name, "last": max(1, sheet.next_id - 1)},
            )

    @contextmanager
    def bare(self, tables: Sequence[str]) -> Iterator[None]:
        """A large load runs on tables without indexes, foreign keys and name search, which are the same
        again afterwards; a small one on the tables as they are."""
        if not self.large:
            yield
            return
        places = [p for p in names.searched() if p.table in tables]
        self._run(names.drop_ddl(self.dialect, places))
        again = self._strip_postgresql(tables) if self.dialect == "postgresql" else self._strip_sqlite(tables)
        yield
        self._run(again)
        self._run(names.ddl(self.dialect, places))

    def _strip_sqlite(self, tables: Sequence[str]) -> list[str]:
        found = self.connection.execute(
            text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        ).all()
        mine = [(name, ddl) for table, name, ddl in found if table in tables]
        self._run([f'DROP INDEX "{name}"' for name, _ in mine])
        return [ddl for _, ddl in mine]

    def _strip_postgresql(self, tables: Sequence[str]) -> list[str]:
        self._run(["SET LOCAL maintenance_work_mem = '256MB'", "SET LOCAL synchronous_commit = off"])
        given = {"tables": list(tables)}
        keys = self.connection.execute(_FOREIGN_KEYS, given).all()
        indexes = self.connection.execute(_PG_INDEXES, given).all()
        self._run([f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name, _ in keys])
        self._run([f'DROP INDEX "{name}"' for name, _ in indexes])
        return [ddl for _, ddl in indexes] + [
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}' for table, name, definition in keys
        ]

    def _run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.connection.exec_driver_sql(statement.replace("%", "%%") if "%" in statement else statement)


@contextmanager
def loading(engine: Engine, *, large: bool) -> Iterator[Connection]:
    """A connection for the load. On SQLite a large load gives up durability, not atomicity: when the
    process dies the file's journal takes everything back."""
    with engine.connect() as connection:
        fast = large and engine.dialect.name == "sqlite"
        if fast:
            connection.detach()
            _pragmas(connection, _FAST)
        try:
            yield connection
        finally:
            if fast:
                connection.rollback()
                _pragmas(connection, _USUAL)


def _pragmas(connection: Connection, pragmas: Sequence[str]) -> None:
    raw: Any = connection.connection.dbapi_connection
    for pragma in pragmas:
        try:
            raw.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            if not pragma.startswith("journal_mode"):
                raise  # the journal stays as it is while somebody else has the file open
