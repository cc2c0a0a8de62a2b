"""The rows of a list as the cells of a file: all pages, in the list's order, each value through the gate.

Everything is read from one state of the database, so that no row is doubled or lost while others write. First
come the ids, four bytes each; then the rows, some at a time and column by column, so that memory stays the
same however long the list is. What a column's values need is worked out once, not per cell.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Select, String, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from app.engine import cells
from app.engine.actions import Refusal
from app.engine.fields import FieldSpec, with_companions
from app.engine.guards import derived, gate, hidden, projection
from app.engine.listing import Query
from app.engine.localtime import local
from app.engine.projecting import linked, one_of
from app.engine.resource import resource_of
from app.engine.workbooks import MAX_ROWS, WRITERS, About, Heading, Writer

CHUNK = 1000
_NAMES = 50_000  # names of references that are remembered at most
_WIDTHS = {
    "datetime": 17, "date": 12, "money": 13, "integer": 10, "number": 10, "phone": 14, "choice": 11, "bool": 8, "ref": 13,
    "refs": 22, "phones": 22, "textarea": 40, "changes": 60,
}  # fmt: skip
_WIDEST = 60

Told = Callable[[int, int], None]


def count(session: Session, query: Query) -> int:
    """How many rows the list has over all its pages."""
    rows = select(query.resource.pk()).where(query.condition).subquery()
    return session.scalar(select(func.count()).select_from(rows), query.params) or 0


def write(
    session: Session,
    query: Query,
    specs: Sequence[FieldSpec],
    kind: str,
    file: IO[bytes],
    about: About,
    note: Callable[[int], str],
    told: Told | None = None,
) -> int:
    """Write the list into the file; returns the number of rows. ``note(rows)`` stands below the table;
    ``told(done, rows)`` is called after each piece. Raises `Refusal` for more rows than a worksheet has."""
    with snapshot(session) as reader:
        ids = _ids(reader, query)
        if kind == "xlsx" and len(ids) > MAX_ROWS:
            raise Refusal(f"共 {len(ids)} 行，超过一张工作表可容纳的 {MAX_ROWS} 行，请缩小范围或改用 CSV")
        writer = WRITERS[kind](file, about, [_heading(s) for s in specs])
        table = _Table(reader, query, specs, writer)
        for start in range(0, len(ids), CHUNK):
            writer.rows(table.rows(ids[start : start + CHUNK].tolist()))
            if told is not None:
                told(min(start + CHUNK, len(ids)), len(ids))
        writer.close(note(len(ids)))
    return len(ids)


@contextmanager
def snapshot(session: Session) -> Iterator[Session]:
    """A session of its own that sees one state of the database, however long it reads."""
    engine: Any = session.get_bind()
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection) as reader:
            yield reader


def _ids(reader: Session, query: Query) -> array[int]:
    """The ids of all rows in the list's order: filled sort values first, as its pages have them."""
    pk, column = query.resource.pk(), query.sort.attribute
    keys = [column, pk] if column is not pk else [pk]
    order = [k.desc() if query.descending else k.asc() for k in keys]
    if column.property.columns[0].nullable:
        order.insert(0, column.is_(None))
    statement = select(pk).where(query.condition).order_by(*order)
    found = reader.connection().execute(statement, query.params, execution_options={"yield_per": 10_000})
    ids = array("i")
    for part in found.scalars().partitions():
        ids.extend(part)
    return ids


def _heading(spec: FieldSpec) -> Heading:
    label = (
        f"{spec.head}（{spec.unit}）"
        if spec.unit and spec.kind in ("integer", "money", "number")
        else spec.head
    )
    usual = _WIDTHS.get(spec.kind, 36 if spec.wide else 16)
    return Heading(label, max(usual, min(2 * len(label) + 4, _WIDEST)))


class _Table:
    """The rows of a list, some at a time, as a writer's cells."""

    def __init__(self, reader: Session, query: Query, specs: Sequence[FieldSpec], writer: Writer) -> None:
        self._reader, self._query, self._writer = reader, query, writer
        self._dialect = reader.get_bind().dialect.name
        self._specs, self._beside = with_companions([_bare(s) for s in specs])
        self._asked_beside = {name for spec in self._specs for name in spec.beside}
        self._columns = [self._column(s) for s in self._specs[: len(specs)]]
        self._names: dict[Any, dict[Any, str]] = {}
        self._statement = self._rows_of()

    def rows(self, ids: list[int]) -> Iterator[tuple[str, ...]]:
        """The cells of these records."""
        found = self._reader.connection().execute(self._statement, {"ids": ids})
        by_id = {row[0]: row for row in found}
        read = iter(list(zip(*(by_id[i] for i in ids), strict=True))[1:])
        values = [next(read) if spec.attribute is not None else () for spec in self._specs]
        columns = []
        for column, found_values, places in zip(self._columns, values, self._beside, strict=False):
            columns.append(column(ids, found_values, [values[n] for n in places]))
        return zip(*columns, strict=True)

    def _rows_of(self) -> Select[Any]:
        pk = self._query.resource.pk()
        chosen = [
            self._chosen(s).label(f"v{n}") for n, s in enumerate(self._specs) if s.attribute is not None
        ]
        return select(pk, *chosen).where(one_of(self._dialect, pk, "ids"))

    def _chosen(self, spec: FieldSpec) -> Any:
        """What is selected for a field: itself, a reference's id, or what the gate leaves of it."""
        selected = projection(spec, self._query.actor)
        if selected is None:
            return literal(None)
        as_stored = spec.kind == "choice" and spec.shown is None and spec.name not in self._asked_beside
        return type_coerce(selected, String) if as_stored else selected

    def _column(self, spec: FieldSpec) -> Callable[..., Sequence[str]]:
        """How a piece of this column becomes cells: ``column(ids, values, companions)``."""
        if spec.attribute is None:
            return lambda ids, _values, _beside: self._linked(spec, ids)
        if spec.kind == "ref" and hidden(spec, self._query.actor) is None:
            return lambda _ids, values, _beside: self._named(spec, values)
        if spec.shown is not None and hidden(spec, self._query.actor) is None:
            seen = self._shown(spec)
            return lambda _ids, values, beside: list(map(seen, values, *beside))
        cell = self._cell(spec)
        return lambda _ids, values, _beside: ["" if v is None else cell(v) for v in values]

    def _linked(self, spec: FieldSpec, ids: list[int]) -> list[str]:
        held = linked(self._reader, spec, ids, self._query.actor)
        word, text = self._writer.word, self._writer.text
        if spec.links is not None:
            said = {i: word("、".join(name for name, _tone in members)) for i, members in held.items()}
        else:
            said = {i: text("、".join(str(v) for v in members if v)) for i, members in held.items()}
        return [said.get(i, "") for i in ids]

    def _named(self, spec: FieldSpec, values: Sequence[Any]) -> list[str]:
        """References by their names; each is looked up once."""
        known = self._names.setdefault(spec.target, {None: ""})
        missing = list({v for v in values if v not in known})
        if missing:
            if len(known) > _NAMES:
                known.clear()
                known[None] = ""
                missing = list({v for v in values if v is not None})
            target = resource_of(spec.target)
            named = select(target.pk(), target.title).where(one_of(self._dialect, target.pk(), "ids"))
            for target_id, title in self._reader.execute(named, {"ids": missing}):
                known[target_id] = self._writer.word(str(title or ""))
        return [known.get(v, "") for v in values]

    def _cell(self, spec: FieldSpec) -> Callable[[Any], str]:
        """The cell of one value that is not empty."""
        writer, actor = self._writer, self._query.actor
        if spec.kind in derived or hidden(spec, actor) is not None:
            return lambda v: writer.text(cells.text(spec, gate(spec, v, actor, projected=True)))
        if spec.kind in ("choice", "bool"):
            return self._kept(lambda v: writer.word(cells.text(spec, v, actor.dealer_id, actor.epoch)))
        if spec.kind == "choices":
            return lambda v: writer.word(cells.text(spec, v, actor.dealer_id, actor.epoch))
        if spec.kind == "datetime":
            return lambda v: writer.moment(local(v))
        typed: dict[str, Callable[[Any], str]] = {
            "date": writer.day, "integer": writer.number, "number": writer.number, "money": writer.money,
        }  # fmt: skip
        if spec.kind in typed:
            return typed[spec.kind]
        return lambda v: writer.text(v if isinstance(v, str) else cells.text(spec, v))

    @staticmethod
    def _kept(make: Callable[[Any], str]) -> Callable[[Any], str]:
        known: dict[Any, str] = {}

        def cell(value: Any) -> str:
            found = known.get(value)
            if found is None:
                found = known[value] = make(value)
            return found

        return cell

    def _shown(self, spec: FieldSpec) -> Callable[..., str]:
        """What pages show in place of the value, as a cell; companions as far as the person may have them."""
        writer, actor, now = self._writer, self._query.actor, self._query.now
        dark = [hidden(s, actor) is not None for s in self._companions(spec)]
        shown: Any = spec.shown

        def cell(value: Any, *beside: Any) -> str:
            others = [None if unseen else v for v, unseen in zip(beside, dark, strict=True)]
            seen = cells.told(shown(value, *others, now=now))
            if isinstance(seen, datetime):
                return writer.moment(local(seen))
            return writer.text(cells.text(spec, seen, actor.dealer_id, actor.epoch))

        return cell

    def _companions(self, spec: FieldSpec) -> list[FieldSpec]:
        by_name = {s.name: s for s in self._specs}
        return [by_name[name] for name in spec.beside]


def _bare(spec: FieldSpec) -> FieldSpec:
    """A time is written as itself, however pages put it into words."""
    return (
        replace(spec, shown=None, beside=()) if spec.kind == "datetime" and spec.shown is not None else spec
    )


def about(query: Query, at: datetime) -> About:
    """What the file of a list says of itself."""
    return About(query.resource.titled(), query.actor.called, local(at))
