"""What follows from added fields after the commit: the list's ways to them, and the end of removed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Connection, bindparam, inspect, or_, select, text, update
from sqlalchemy.orm import Session

from app.engine import audit, outbox
from app.engine.actions import Act
from app.engine.clock import At, scheduled
from app.engine.clock import deed as by_clock
from app.engine.database import analyse
from app.engine.faces import extendable, faced, worked_out
from app.engine.formulas import Formula
from app.engine.outbox import Delivery
from app.engine.resource import Resource, resource, resources
from models.identity.tables import Dealer
from models.shaping.custom_fields import FILED, CustomField
from models.shaping.custom_rules import INDEX, KEPT, WORK_OUT

PIECE = 5000
"""So many records are worked out in one transaction."""
_MARK, _WALKED = "slot", "order"
"""Stand in the names of indexes over slots, which come and go with the fields."""
_LONG = 4000
"""More rows than `analyse()` looks at."""


def _wanted(fields: Iterable[Any]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The indexes by name, with their table and columns: a filter gathers what it leaves within the dealer; an
    order is walked along in each of the wide scopes, where rows beyond what the list shows by itself (its window,
    what it leaves out) are passed without a look at them."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for field in fields:
        declared = resource(field.resource)
        if declared is None:
            continue
        scopes = declared.scopes
        wide = (scopes.dealer, scopes.store, scopes.mine) if field.in_sort else (scopes.dealer,)
        table = declared.model.__tablename__
        usual = [c.key for c, _ in declared.leaves_out]
        usual += [declared.window.column.key] if declared.window is not None else []
        mark, held = (f"{_MARK}_{_WALKED}", usual) if field.in_sort else (_MARK, [])
        for source in wide:
            if source is not None:
                columns = dict.fromkeys((source.key, field.slot, "id", *held))
                found[f"ix_{table}_{mark}_{source.key}_{field.slot}"] = (table, tuple(columns))
    return found


@outbox.handler(INDEX, seconds=900, outside=True, label="自定义字段的索引")
def index(delivery: Delivery) -> Callable[[], None]:
    """Make the indexes as the fields want them; only then lists are sorted by them. Those nobody wants any more
    would only make every write dearer and go. PostgreSQL does both while others write."""
    session = delivery.session
    looked_up = CustomField.in_filter | CustomField.in_sort | CustomField.once
    filed = CustomField.kind.in_(FILED)  # uploads that nobody saved are looked for
    live = or_(CustomField.removed_at.is_(None) & looked_up, CustomField.purged_at.is_(None) & filed)
    fields = session.scalars(select(CustomField).where(live)).all()
    wanted, ready = _wanted(fields), [field.id for field in fields]
    session.rollback()
    _build(session.get_bind(), wanted)

    def note() -> None:
        act = Act(by_clock(delivery, "index").actor, delivery.now, session, "job", "update")
        with audit.acting(session, act):
            waiting = CustomField.id.in_(ready), CustomField.indexed_at.is_(None)
            for field in session.scalars(select(CustomField).where(*waiting)):
                field.indexed_at = delivery.now
            session.flush()

    return note


def _build(engine: Any, wanted: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    postgresql = engine.dialect.name == "postgresql"
    quote = engine.dialect.identifier_preparer.quote
    alone = engine.connect().execution_options(isolation_level="AUTOCOMMIT") if postgresql else engine.begin()
    with alone as connection:
        known = set(_there(connection))
        beside = "CONCURRENTLY " if postgresql else ""
        for name in known - wanted.keys():
            connection.execute(text(f"DROP INDEX {beside}IF EXISTS {quote(name)}"))
        for name in wanted.keys() - known:
            table, columns = wanted[name]
            listed = ", ".join(map(quote, columns))
            connection.execute(
                text(f"CREATE INDEX {beside}IF NOT EXISTS {quote(name)} ON {quote(table)} ({listed})")
            )
            if not postgresql:
                analyse(connection, name)
                _last_resort(connection, table, name)


def _last_resort(connection: Connection, table: str, name: str) -> None:
    """Have SQLite think that a dealer has more rows in this index than in any other. It takes all indexes of the
    dealer for equally short and of these the newest, which would be no way to a person's customers."""
    place = {"name": name, "table": table}
    stat = (
        connection.scalar(text("SELECT stat FROM sqlite_stat1 WHERE idx = :name"), place) or "1000000 1 1 1"
    )
    total, _, *rest = stat.split()
    connection.execute(text("DELETE FROM sqlite_stat1 WHERE idx = :name"), place)
    connection.execute(
        text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :name, :stat)"),
        {**place, "stat": f"{total} {_LONG} {' '.join(rest)}"},
    )
    connection.execute(text("ANALYZE sqlite_schema"))


def _there(connection: Connection) -> Iterator[str]:
    """The indexes over slots that there are."""
    for found in filter(extendable, resources()):
        table = found.model.__tablename__
        for known in inspect(connection).get_indexes(table):
            if str(known["name"]).startswith(f"ix_{table}_{_MARK}_"):
                yield str(known["name"])


@outbox.handler(WORK_OUT, seconds=300, label="计算公式字段")
def work_out(delivery: Delivery) -> None:
    """Give records that are there already what the formulas of a resource come to: a piece of them, dealer by
    dealer; the next one is handed on."""
    session, payload = delivery.session, delivery.payload
    field = session.get(CustomField, payload["field"])
    declared = resource(field.resource) if field is not None and field.removed_at is None else None
    if field is None or declared is None:
        return
    dealer_id = field.dealer_id or payload.get("dealer") or _next_dealer(session, 0)
    if dealer_id is None:
        return
    last = _piece(session, faced(declared, dealer_id, session), dealer_id, payload.get("after", 0))
    if last is None and field.dealer_id is None:
        last, dealer_id = 0, _next_dealer(session, dealer_id)
    if last is not None and dealer_id is not None:
        rest = {"field": field.id, "dealer": dealer_id, "after": last}
        outbox.put(session, WORK_OUT, rest, now=delivery.now)


def _next_dealer(session: Session, after: int) -> int | None:
    return session.scalar(select(Dealer.id).where(Dealer.id > after).order_by(Dealer.id).limit(1))


def _piece(session: Session, face: type[Resource], dealer_id: int, after: int) -> int | None:
    """Work out the next records after that one; returns the last of them, None at the end. What is worked out is
    nobody's change: the history keeps what it derives from."""
    formulas = [spec for spec in face.added if spec.formula is not None]
    table: Any = face.model.__table__
    names = sorted({name for s in formulas for name in (s.name, *cast(Formula, s.formula).sources())})
    if not names:
        return None
    mine = (face.scopes.dealer == dealer_id, face.pk() > after)
    columns = [getattr(face.model, name) for name in names]
    rows = session.execute(
        select(face.pk(), *columns).where(*mine).order_by(face.pk()).limit(PIECE).with_for_update()
    ).all()
    changed = []
    for record_id, *held in rows:
        values = dict(zip(names, held, strict=True))
        found = worked_out(face, values.get)
        if any(found[s.name] != values[s.name] for s in formulas):
            changed.append({"record": record_id, **{f"v_{n}": value for n, value in found.items()}})
    if changed:
        setting = {s.name: bindparam(f"v_{s.name}", type_=table.c[s.name].type) for s in formulas}
        if "updated_at" in table.c:
            setting["updated_at"] = table.c.updated_at
        statement = update(table).where(table.c.id == bindparam("record")).values(setting)
        session.connection().execute(statement, changed)
    return int(rows[-1][0]) if len(rows) == PIECE else None


@scheduled("custom_fields.purge", At("02:40"), seconds=900, label="清除已删除字段的数据")
def purge(delivery: Delivery) -> None:
    """Clear what fields held that were removed long enough ago; their slots are free again. The indexes are made as
    they are wanted, which another version of the product may see otherwise."""
    session = delivery.session
    over = CustomField.purged_at.is_(None), CustomField.removed_at <= delivery.now - KEPT
    with audit.acting(session, by_clock(delivery, "清除字段数据")):
        for field in session.scalars(select(CustomField).where(*over)):
            _clear(session, field)
            field.purged_at = delivery.now
        session.flush()
    outbox.put(session, INDEX, {}, now=delivery.now)


def _clear(session: Session, field: CustomField) -> None:
    declared = resource(field.resource)
    if declared is None:
        return
    slot, dealer = getattr(declared.model, field.slot), declared.scopes.dealer
    filled = update(declared.model).where(slot.is_not(None)).values({field.slot: None})
    if field.dealer_id is not None:
        filled = filled.where(dealer == field.dealer_id)
    session.execute(filled, execution_options={"audited": True, "synchronize_session": False})
