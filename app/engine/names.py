"""Finding people by a part of their name: any two characters, in any script, fast on both databases.

PostgreSQL: a GIN index over the name's pairs of characters. SQLite: a full-text table with one token per
pair, kept by triggers. Both find exactly the names that contain the text, capital and small ASCII letters
being the same. A single character is looked for in the name itself.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable
from sqlalchemy.types import Text

from app.engine import plans
from app.engine.database import db
from app.engine.resource import Resource, parted, resources

FREQUENT = 2000
LONGEST = 256  # characters of a name that are searched
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Searched:
    """A column that is found by parts of it."""

    table: str
    column: str

    @property
    def fts(self) -> str:
        """SQLite's full-text table."""
        return f"{self.table}_{self.column}_fts"

    @property
    def index(self) -> str:
        """PostgreSQL's index."""
        return f"ix_{self.table}_{self.column}_grams"[:63]

    @property
    def triggers(self) -> tuple[str, str, str]:
        """SQLite's triggers on the searched table."""
        return (f"{self.fts}_insert", f"{self.fts}_delete", f"{self.fts}_update")


def searched() -> list[Searched]:
    """Every column that some resource declares in ``search``, or filters by parts of it."""
    found: dict[tuple[str, str], Searched] = {}
    for resource in resources():
        for attribute in (*resource.search, *parted(resource)):
            owner = attribute.property.columns[0].table
            key = (owner.name, attribute.key)
            found.setdefault(key, Searched(*key))
    return list(found.values())


def folded(value: str) -> str:
    """A text as it is compared: small ASCII letters."""
    return value.translate(_LOWER)


def condition(
    resource: type[Resource], attribute: Any, value: str, dialect: str, mark: str = "q"
) -> ColumnElement[bool]:
    """Rows whose column contains the text; the scope is added by the list.

    Statements with the same `shape` differ in their `values` only; ``mark`` begins the names of these.
    """
    wanted = folded(value)[:LONGEST]
    if _known(wanted) < 2:
        return contains(attribute, value, dialect, mark)
    if dialect == "postgresql":
        pairs = _has_pairs(attribute, wanted, mark)
    else:
        pairs = resource.pk().in_(_hits(attribute, wanted, mark))
    return pairs if _known(wanted) == 2 else and_(pairs, contains(attribute, value, dialect, mark))


def shape(attribute: Any, value: str) -> tuple[str, int]:
    """What `condition` and `contains` look like without their values."""
    return (attribute.key, _known(folded(value)[:LONGEST]))


def _known(wanted: str) -> int:
    """How much the pairs know of a text: nothing below 2, everything at 2, not the whole at 3."""
    return 0 if _SEPARATOR in wanted else min(len(wanted), 3)


def values(attribute: Any, value: str, mark: str = "q") -> dict[str, Any]:
    """The named values that `condition` and `contains` carry."""
    wanted = folded(value)[:LONGEST]
    return {
        f"{mark}_{attribute.key}": folded(value),
        f"{mark}_{attribute.key}_pairs": _pairs(wanted),
        f"{mark}_{attribute.key}_match": _match(wanted),
    }


def frequent(attribute: Any, value: str, dialect: str) -> bool:
    """Whether so many names match (先生) that walking the list finds a page sooner than the index lists
    them all. PostgreSQL is asked for its estimate, SQLite for the matches up to the limit."""
    wanted = folded(value)[:LONGEST]
    if _known(wanted) < 2:
        return True
    given = values(attribute, value)
    key = ("frequent", attribute.class_, *shape(attribute, value))
    if dialect == "postgresql":
        plan = plans.run(db.session(), key, lambda: _estimate(attribute, wanted), given).scalar_one()
        return bool(plan[0]["Plan"]["Plan Rows"] > FREQUENT)

    def amount() -> Select[Any]:
        first = _hits(attribute, wanted).limit(FREQUENT + 1).subquery()
        return select(func.count()).select_from(first)

    return bool(plans.run(db.session(), key, amount, given).scalar_one() > FREQUENT)


def _estimate(attribute: Any, wanted: str) -> Any:
    asked: Any = select(literal_column("1")).select_from(attribute.class_)
    return _Explain(asked.where(_has_pairs(attribute, wanted)))


class _Explain(Executable, ClauseElement):
    """PostgreSQL's plan of a statement as JSON."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain)
def _write_explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.statement, **options))


def _pairs(wanted: str) -> list[str]:
    return sorted({wanted[i : i + 2] for i in range(len(wanted) - 1)})


def _has_pairs(attribute: Any, wanted: str, mark: str = "q") -> ColumnElement[bool]:
    """PostgreSQL: the name's pairs contain all of the text's."""
    given = bindparam(f"{mark}_{attribute.key}_pairs", _pairs(wanted), type_=ARRAY(Text))
    found: ColumnElement[bool] = func.zk_bigrams(attribute).op("@>")(given)
    return found


def _match(wanted: str) -> str:
    """SQLite: what the full-text table is asked for."""
    return " AND ".join(f"{ord(pair[0])}x{ord(pair[1])}" for pair in _pairs(wanted))


def _hits(attribute: Any, wanted: str, mark: str = "q") -> Select[Any]:
    """The rows of SQLite's full-text table that have all pairs of the text."""
    owner = attribute.property.columns[0].table
    place = Searched(owner.name, attribute.key)
    given: Any = bindparam(f"{mark}_{attribute.key}_match", _match(wanted))
    hits: Select[Any] = select(column("rowid")).select_from(table(place.fts))
    return hits.where(literal_column(place.fts).op("MATCH")(given))


def contains(attribute: Any, value: str, dialect: str, mark: str = "q") -> ColumnElement[bool]:
    """The same by looking into every row; for few rows and single characters."""
    given: Any = bindparam(f"{mark}_{attribute.key}", folded(value))
    if dialect == "postgresql":
        lowered = func.translate(attribute, string.ascii_uppercase, string.ascii_lowercase)
        return func.strpos(lowered, given) > literal(0)
    return func.instr(func.lower(attribute), given) > literal(0)


_LOWERED = f"translate(value, '{string.ascii_uppercase}', '{string.ascii_lowercase}')"
_SEPARATOR = "\x01"
_EACH_PAIR = r"'(..)|.', E'\\1\x01', 'g'"
_FUNCTION = (
    # Pairs from the first character on, then from the second one on, a last single one left out. One expression
    # of built-in functions, and not STRICT: so it is written into the statement instead of being called, which
    # takes a twentieth of the time.
    "CREATE OR REPLACE FUNCTION zk_bigrams(value text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ "
    f"SELECT array_remove(string_to_array(regexp_replace({_LOWERED}, {_EACH_PAIR}) || "
    f"regexp_replace(substr({_LOWERED}, 2), {_EACH_PAIR}), E'\\x01'), '') $$"
)
_NUMBERS = (
    "CREATE TABLE IF NOT EXISTS zk_numbers (n INTEGER PRIMARY KEY)",
    "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < "
    f"{LONGEST}) INSERT OR IGNORE INTO zk_numbers SELECT n FROM counted",
)


def ddl(dialect: str, places: Sequence[Searched] | None = None) -> list[str]:
    """Statements that prepare the search and take in the rows that are there; for migrations."""
    chosen = searched() if places is None else places
    if dialect == "postgresql":
        return [_FUNCTION, *(_gin(place) for place in chosen)]
    return [*_NUMBERS, *(statement for place in chosen for statement in _sqlite(place))]


def drop_ddl(dialect: str, places: Sequence[Searched] | None = None) -> list[str]:
    """The way back; also what a bulk load may run first (and `ddl` afterwards)."""
    chosen = searched() if places is None else places
    if dialect == "postgresql":
        return [f"DROP INDEX IF EXISTS {place.index}" for place in chosen]
    return [
        statement
        for place in chosen
        for statement in (
            *(f"DROP TRIGGER IF EXISTS {trigger}" for trigger in place.triggers),
            f"DROP TABLE IF EXISTS {place.fts}",
        )
    ]


@contextmanager
def in_bulk(connection: Any, table_name: str) -> Iterator[None]:
    """SQLite: take the rows that are inserted in this block into the search all at once at its end, which
    is ten times as fast as row by row. ``connection`` is the driver's, inside a writing transaction; the rows
    have larger keys than those before."""
    places = [place for place in searched() if place.table == table_name]
    if not places:
        yield
        return
    before = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table_name}").fetchone()[0]
    connection.execute(f"INSERT INTO zk_numbers (n) VALUES ({_IN_BULK})")
    yield
    connection.execute(f"DELETE FROM zk_numbers WHERE n = {_IN_BULK}")
    for place in places:
        connection.execute(
            f"INSERT INTO {place.fts}(rowid, words) SELECT id, {_words(place, table_name)} FROM {table_name} "
            "WHERE id > ? ORDER BY id",
            (before,),
        )


_IN_BULK = 0
"""The number that stands in `zk_numbers` while rows are inserted in bulk, by this transaction alone."""
_UNLESS_IN_BULK = f"WHEN NOT EXISTS (SELECT 1 FROM zk_numbers WHERE n = {_IN_BULK})"


def repair(connection: Connection) -> list[str]:
    """Prepare what is missing (a new searched column, triggers lost when SQLite rebuilt a table);
    returns the tables it prepared. Run after the migrations; costs two small queries otherwise."""
    dialect = connection.dialect.name
    missing = [place for place in searched() if not _complete(connection, place, dialect)]
    if missing:
        for statement in (*drop_ddl(dialect, missing), *ddl(dialect, missing)):
            connection.execute(text(statement))
    if dialect == "postgresql":
        _renew_function(connection)
    for place in searched():
        if dialect == "sqlite" and place not in missing:
            _renew_trigger(connection, place)
    return [place.table for place in missing]


def _renew_function(connection: Connection) -> None:
    """Replace the function of an older version, which finds the same pairs: indexes stay as they are."""
    stored = text("SELECT prosrc FROM pg_proc WHERE oid = 'zk_bigrams(text)'::regprocedure")
    if connection.scalar(stored) != _FUNCTION.split("$$")[1]:
        connection.execute(text(_FUNCTION))


def _renew_trigger(connection: Connection, place: Searched) -> None:
    """Replace a trigger of an older version; what is searched stays as it is."""
    name = place.triggers[0]
    wanted = next(s for s in _sqlite(place) if s.startswith(f"CREATE TRIGGER {name} "))
    stored = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name})
    if stored.scalar_one() != wanted:
        connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(wanted))


def _complete(connection: Connection, place: Searched, dialect: str) -> bool:
    if dialect == "postgresql":
        known = connection.execute(
            text("SELECT count(*) FROM pg_indexes WHERE indexname = :name"), {"name": place.index}
        )
        return bool(known.scalar_one() == 1)
    known = connection.execute(
        text("SELECT count(*) FROM sqlite_master WHERE name IN (:a, :b, :c, :d)"),
        dict(zip("abcd", (place.fts, *place.triggers), strict=True)),
    )
    return bool(known.scalar_one() == len(place.triggers) + 1)


def _gin(place: Searched) -> str:
    return (
        f"CREATE INDEX IF NOT EXISTS {place.index} ON {place.table} USING gin (zk_bigrams({place.column})) "
        "WITH (gin_pending_list_limit = 256)"
    )


def _words(place: Searched, row: str) -> str:
    """The tokens of one row: the numbers of each two neighbouring characters."""
    value = f"lower({row}.{place.column})"
    pairs = f"unicode(substr({value}, n, 1)) || 'x' || unicode(substr({value}, n + 1, 1))"
    return f"coalesce((SELECT group_concat({pairs}, ' ') FROM zk_numbers WHERE n < length({value})), '')"


def _sqlite(place: Searched) -> Iterator[str]:
    insert, delete, update = place.triggers
    fts, owner = place.fts, place.table
    add = f"INSERT INTO {fts}(rowid, words) VALUES (new.id, {_words(place, 'new')});"
    take = f"INSERT INTO {fts}({fts}, rowid, words) VALUES ('delete', old.id, {_words(place, 'old')});"
    yield f"CREATE VIRTUAL TABLE {fts} USING fts5(words, content='', tokenize='ascii', detail=none, columnsize=0)"
    yield f"INSERT INTO {fts}(rowid, words) SELECT id, {_words(place, owner)} FROM {owner}"
    yield f"CREATE TRIGGER {insert} AFTER INSERT ON {owner} {_UNLESS_IN_BULK} BEGIN {add} END"
    yield f"CREATE TRIGGER {delete} AFTER DELETE ON {owner} BEGIN {take} END"
    yield f"CREATE TRIGGER {update} AFTER UPDATE OF {place.column} ON {owner} BEGIN {take} {add} END"
