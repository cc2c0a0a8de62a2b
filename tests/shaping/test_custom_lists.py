"""Lists filtered and sorted by added fields: in order whatever way finds the rows, by the indexes of the fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.engine import addresses, counting, gathering, listing, paging, plans, reading, walking
from app.engine.database import analyse, db, utcnow
from app.engine.faces import faced
from app.engine.recent import Recent
from app.engine.resource import resource
from app.engine.rowwise import looked_at
from models.customers.tables import Customer
from models.shaping.custom_fields import Place
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.fields import add

pytestmark = pytest.mark.usefixtures("boss_b")
ROWS = 60


@dataclass
class Filed:
    """Many customers with values in the slots of four fields, and the address that asks for half of them."""

    args: dict[str, list[str]]
    order: str
    ids: Callable[[bool], list[int]]
    """Those that match in the order of the list, descending or not."""


def file_many(world: World, run_outbox: Callable[..., None], by: str = "boss") -> Filed:
    """Of each second one: 水电, big and marked; the order has equal values and empty ones."""
    stage = add(world, "装修阶段", "choice", by, options="水电\n木工").slot
    size, order = (add(world, label, "number", by, also=[Place.SORT]).slot for label in ("面积", "得分"))
    mark = add(world, "样板间", "bool", by).slot
    run_outbox()  # the indexes; without them the list is not offered in that order
    now, dealer = utcnow(), world.actor(by).dealer_id
    rows = [
        {
            "code": f"KF{n}-{whose}", "name": "张女士", "phone": f"139{n:08d}", "dealer_id": whose,
            "store_id": world.stores[0].id, "designer_id": world.people["drawer"].id,
            "created_at": now - timedelta(minutes=n), stage: ("水电", "木工")[n % 2], size: Decimal(n % 7 + 300),
            mark: True, order: None if n % 5 == 0 else Decimal(n * 7 % 11),
        }
        for whose in (dealer, world.b.id)
        for n in range(ROWS)
    ]  # fmt: skip
    db.session.execute(insert(Customer.__table__), rows, execution_options={"audited": True})
    db.session.commit()

    def ids(descending: bool) -> list[int]:
        mine = Customer.dealer_id == dealer, getattr(Customer, stage) == "水电"
        place = getattr(Customer, order)
        held = db.session.execute(select(Customer.id, place).where(*mine)).all()
        filled = sorted((value, row) for row, value in held if value is not None)
        empty = sorted(row for row, value in held if value is None)
        way = -1 if descending else 1
        return [row for _, row in filled[::way]] + empty[::way]

    ends = {f"{size}.from": ["300"], f"{size}.to": ["400"]}
    return Filed({stage: ["水电"], mark: ["1"], **ends}, order, ids)


def parsed(world: World, by: str, args: dict[str, list[str]]) -> listing.Query:
    """The address as that person asks it."""
    actor = world.actor(by)
    shown = faced(resource("customers"), actor.dealer_id)
    query = listing.parse(shown, actor, args, utcnow(), db.engine.dialect.name)
    assert not query.errors and not query.notices
    return query


def page(world: World, by: str, args: dict[str, list[str]], skip: int = 0) -> reading.Rows:
    query = parsed(world, by, args)
    return reading.read(db.session(), query, listing.columns(query.resource, query.actor)[:3], skip=skip)


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, values: Any, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


WAYS = {
    "gathered": (5_000, 5_000, 2_000),
    "walked": (0, 5_000, 2_000),
    "stopped and sorted": (0, 3, 2_000),
    "stopped and walked to the end": (0, 3, 5),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("by", "looks", "scope"),
    [("boss", "boss", "dealer"), ("boss", "drawer", "related"), ("admin", "admin", "group")],
)
def test_every_way_finds_the_same_pages(
    world: World,
    run_outbox: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    by: str,
    looks: str,
    scope: str,
) -> None:
    few, look, candidates = WAYS[way]
    monkeypatch.setattr(gathering, "FEW", few)
    monkeypatch.setattr(walking, "LOOK", look)
    monkeypatch.setattr(reading, "CANDIDATES", candidates)
    monkeypatch.setattr(plans, "_plans", Recent(plans.KEPT))
    filed = file_many(world, run_outbox, by)
    for descending in (False, True):
        args = {**filed.args, "scope": [scope], "sort": [f"{'-' * descending}{filed.order}"]}
        wanted = filed.ids(descending)
        assert len(wanted) == ROWS / 2
        with asked() as seen:
            first = page(world, looks, args)
        sorted_out = any("candidates" in statement for statement, _ in seen)
        narrow = scope == "related"  # all of a person's rows are read, where no index has them in this order
        assert sorted_out == (way != "walked" and not (narrow and way != "gathered"))
        assert [r.id for r in first.records] == wanted[:20] and first.has_next and not first.has_previous
        last = first.records[-1]
        further = page(world, looks, {**args, "after": [paging.encode(last.place, last.id)]})
        assert [r.id for r in further.records] == wanted[20:] and not further.has_next
        start = further.records[0]
        back = page(world, looks, {**args, "before": [paging.encode(start.place, start.id)]})
        assert [r.id for r in back.records] == wanted[:20]
        assert [r.id for r in page(world, looks, {**args, "last": ["1"]}).records] == wanted[-20:]
        assert [r.id for r in page(world, looks, args, skip=17).records] == wanted[17:37]
        amount, more = counting.count(db.session(), parsed(world, looks, args))
        assert (amount == len(wanted) and not more) or (few == 0 and more)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("looks", "scope", "led"), [("boss", "dealer", "dealer_id"), ("keeper", "store", "store_id")]
)
def test_a_walk_follows_the_order_and_gathering_the_rarest_filter(
    world: World,
    run_outbox: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    looks: str,
    scope: str,
    led: str,
) -> None:
    filed = file_many(world, run_outbox)
    rare = filed.args | {next(n for n in filed.args if n.endswith(".from")): ["306"]}
    for few, args in ((0, filed.args), (5_000, rare)):
        monkeypatch.setattr(gathering, "FEW", few)
        monkeypatch.setattr(plans, "_plans", Recent(plans.KEPT))
        with asked() as seen:
            page(world, looks, {**args, "scope": [scope], "sort": [f"-{filed.order}"]})
        inner = [plan(*found) for found in seen if "place" in found[0]][-1]
        if few:
            size = next(n for n in args if n.endswith(".to")).partition(".")[0]
            assert f"ix_customers_slot_order_dealer_id_{size}" in inner
        else:
            assert f"ix_customers_slot_order_{led}_{filed.order}" in inner
            used = re.findall(r"INDEX (\w+)", inner)
            assert used and all(name.endswith(filed.order) for name in used), inner


def plan(statement: str, values: Any) -> str:
    """The indexes a statement goes by."""
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(str(row[-1]) for row in rows if "INTEGER PRIMARY KEY" not in row[-1])


@pytest.mark.sqlite_only
def test_added_filters_ask_no_more_than_declared_ones(
    app: Flask, world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    filed = file_many(world, run_outbox)
    client = login("boss")

    def asks(args: dict[str, list[str]]) -> int:
        with asked() as seen:
            answer = client.get("/customers/", query_string=urlencode(args, doseq=True))
        assert answer.status_code == 200
        return len(seen)

    filtered: dict[str, list[str]] = {**filed.args, "scope": ["dealer"], "sort": [f"-{filed.order}"]}
    plain = {"scope": ["dealer"]}
    app.config["COUNT_TTL"] = 0
    asks(plain)
    # What the filters leave is asked for, and where they leave few that is the count as well.
    assert asks(filtered) <= asks(plain) + 1
    app.config["COUNT_TTL"] = 30
    asks(plain), asks(filtered)
    assert asks(filtered) <= asks(plain)


@pytest.mark.sqlite_only
def test_an_index_is_measured_by_as_many_rows_as_the_others(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE same (a INTEGER)"))
        connection.execute(
            text(
                "INSERT INTO same WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT 1 FROM n"
            )
        )
        connection.execute(text("CREATE INDEX temp.ix_same ON same (a)"))
        analyse(connection, "ix_same")
        measured = connection.execute(text("SELECT stat FROM temp.sqlite_stat1")).scalar_one()
        assert int(measured.split()[1]) < 1500
        connection.execute(text("DROP TABLE same"))


@pytest.mark.sqlite_only
def test_what_is_looked_at_row_by_row_keeps_its_meaning() -> None:
    known = MetaData()
    things, others = (
        Table(name, known, Column("a", Integer), Column("b", Integer)) for name in ("things", "others")
    )
    condition = (
        (things.c.a == 1) & things.c.b.in_([2]) & things.c.a.in_(select(others.c.a).where(others.c.a > 3))
    )
    looked = looked_at(condition, things, {"a"})
    written = str(looked.compile(dialect=sqlite.dialect()))
    assert written.count("+things.a") == 2 and "+others.a" not in written and "+things.b" not in written
    assert str(looked.compile(dialect=postgresql.dialect())) == str(
        condition.compile(dialect=postgresql.dialect())
    )


@pytest.mark.sqlite_only
def test_addresses_are_encoded_as_forms_are() -> None:
    pairs: Sequence[tuple[str, str]] = (("text_1", "水电 & 木工"), ("a.from", "+1/2"), ("a.from", "é?=#"))
    args = {name: [v for n, v in pairs if n == name] for name, _ in pairs}
    assert addresses.address("/x/", args, sort="-text_1") == f"/x/?{urlencode([*pairs, ('sort', '-text_1')])}"


@pytest.mark.sqlite_only
def test_a_persons_rows_are_not_sought_among_the_dealers(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    """SQLite takes the newest of a dealer's indexes for as short a way as a person's own."""
    add(world, "面积", "number", also=[Place.SORT])
    run_outbox()
    client = login("seller")
    client.get("/profile")
    with asked() as seen:
        assert client.get("/follow_ups/?scope=related&window=all").status_code == 200
        assert client.get("/customers/?scope=related&window=all").status_code == 200
    plans_of = "\n".join(plan(*found) for found in seen if "customers" in found[0])
    assert "ix_customers_slot" not in plans_of
    assert not re.search(r"customers USING (COVERING )?INDEX \w+ \(dealer_id=\?\)", plans_of)
