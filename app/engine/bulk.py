"""Writing many rows at once, set-based, in the open transaction: COPY on PostgreSQL, one prepared statement
on SQLite. Keys are given out beforehand (`keys.take`), so that rows of several tables can name each other.

What passes the session by passes the audit by: whoever writes rows of an audited table here keeps the history
with `audit.record_many` in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Table, any_, literal
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import JSON

from app.engine import names as names_search

Convert = Callable[[Any], Any]
Rows = Iterable[tuple[Any, ...]]
T = TypeVar("T")


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """The rows whose column holds one of many values: one array on PostgreSQL, where thousands of parameters
    cost more than what they find."""
    given = list(values)
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = column == any_(literal(given, ARRAY(column.type)))
        return found
    return column.in_(given)  # type: ignore[no-any-return]


def insert(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Rows,
    same: Mapping[str, Any] | None = None,
    meanwhile: Iterable[T] = (),
) -> Iterable[T]:
    """Insert rows given as tuples in the order of ``columns``, in Python's own types; ``same`` are columns
    that hold one value in all of them. Declared constant defaults of columns that are not named are filled
    in. Names that can be searched by their parts are taken into the search. Rows that are made one by one are
    made while the database takes in those before; after the first one they must not ask it for anything.
    Nor must ``meanwhile``, which is returned: on PostgreSQL, another process, it is made in the same time."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return meanwhile
    given = chain((first,), waiting)
    dialect = session.get_bind().dialect
    constants = {**_constants(table), **(same or {})}
    constants = {name: value for name, value in constants.items() if name not in columns}
    names = (*columns, *constants)
    more = _converted_row(tuple(constants.values()), _converters(table, tuple(constants), dialect))
    ready = _converted(given, more, _converters(table, tuple(columns), dialect))
    raw: Any = session.connection().connection.dbapi_connection
    if dialect.name == "postgresql":
        statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
        if meanwhile == ():
            _copy(raw, statement, ready)
            return ()
        with ThreadPoolExecutor(1) as pool:
            copied = pool.submit(_copy, raw, statement, ready)
            made = list(meanwhile)
            copied.result()
        return made
    marks = ", ".join("?" * len(names))
    with names_search.in_bulk(raw, table.name):
        raw.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", ready)
    return meanwhile


def _copy(raw: Any, statement: str, rows: Iterable[Any]) -> None:
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _converted(
    rows: Rows, more: list[Any], converters: tuple[tuple[int, Convert], ...]
) -> Iterator[list[Any]]:
    """The rows as the driver takes them; a column without a converter is passed on as it is."""
    for row in rows:
        values = [*row, *more]
        for place, convert in converters:
            value = values[place]
            if value is not None:
                values[place] = convert(value)
        yield values


def _converted_row(row: tuple[Any, ...], converters: tuple[tuple[int, Convert], ...]) -> list[Any]:
    return next(_converted([row], [], converters))


class Json(str):
    """A value that is written as JSON already."""

    __slots__ = ()


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _as_json(value: Any) -> str:
    return value if value.__class__ is Json else _encode(value)


@cache
def _constants(table: Table) -> dict[str, Any]:
    return {
        c.name: c.default.arg
        for c in table.c
        if not c.primary_key and isinstance(c.default, ScalarElementColumnDefault)
    }


@cache
def _converters(table: Table, names: tuple[str, ...], dialect: Any) -> tuple[tuple[int, Convert], ...]:
    found: list[tuple[int, Convert]] = []
    for place, name in enumerate(names):
        kind = table.c[name].type.dialect_impl(dialect)
        convert: Any = kind.bind_processor(dialect)
        if isinstance(table.c[name].type, JSON):
            convert = _as_json
        if convert is not None:
            found.append((place, convert))
    return tuple(found)
