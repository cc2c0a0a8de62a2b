"""Indexes follow from scopes and orders, and the databases use them."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import insert, select, text

from app.engine import indexes
from app.engine.database import Model, db, utcnow
from app.engine.resource import resources
from models.customers.tables import Customer
from tests.customers.world import build

DECLARED = {
    "ix_customers_dealer_id_stage_created_at",
    "ix_customers_with_contacts",
    "ix_customers_silent",
    "ix_customers_unfollowed",
}
"""Those of customers that the table names itself."""


def led(table: str, *, partial: bool = True) -> set[tuple[str, ...]]:
    """The columns of every index of a table, or of those over all its rows."""
    found = Model.metadata.tables[table].indexes
    whole = [i for i in found if i.dialect_options["sqlite"].get("where") is None and not i.unique]
    return {tuple(c.name for c in i.columns) for i in (found if partial else whole)}


def test_each_scope_of_customers_has_its_way_through_the_order(app: Flask) -> None:
    found = led("customers")
    for scope in ("store_id", "owner_id", "filer_id", "department_id", "designer_id"):
        assert (scope, "created_at", "id") in found
    narrowed = ("store_id", "owner_id", "stage", "net_received")  # by which charts are narrowed, and summed
    assert ("dealer_id", "created_at", "id", *narrowed) in found
    assert ("created_at", "id") in found
    assert ("store_id", "next_follow_up_at", "id") in found
    assert ("user_id", "created_at", "customer_id") in led("customer_helpers")
    assert ("customer_id", "created_at", "id") in led("service_orders")


def test_empty_related_columns_are_left_out(app: Flask) -> None:
    index = next(i for i in Customer.__table__.indexes if i.name == "ix_customers_designer_id_created_at")
    for dialect in ("sqlite", "postgresql"):
        assert str(index.dialect_options[dialect]["where"]) == "customers.designer_id IS NOT NULL"


def test_no_index_of_one_column_is_the_beginning_of_another_one(app: Flask) -> None:
    assert ("phone",) in led("customer_phones")
    for table in Model.metadata.tables:
        whole = led(table, partial=False)
        firsts = {columns[0] for columns in whole if len(columns) > 1}
        assert not {columns[0] for columns in whole if len(columns) == 1} & firsts, table


def test_names_are_unique_short_and_given_again_to_the_same_columns(app: Flask) -> None:
    names = [i.name for t in Model.metadata.tables.values() for i in t.indexes]
    assert all(name and len(name) <= 63 for name in names)
    assert len(names) == len(set(names))
    table = Customer.__table__
    derived = [
        i
        for i in table.indexes
        if i.name not in DECLARED and i.columns[0].name.endswith("_id") and len(i.columns) > 1
    ]
    assert len(derived) > 6
    before = {(i.name, tuple(c.name for c in i.columns)) for i in derived}
    for index in derived:
        table.indexes.discard(index)
    added = [i for i in indexes.derive() if i.table is table]
    assert {(i.name, tuple(c.name for c in i.columns)) for i in added} == before
    assert indexes.derive() == []


def test_every_scope_of_every_list_is_served(app: Flask) -> None:
    for shown in resources():
        order = shown.sorts[0].key if shown.sorts else "id"
        for column in (shown.scopes.dealer, shown.scopes.store, shown.scopes.owned, shown.scopes.mine):
            if column is not None:
                table = column.property.columns[0].table
                wanted = tuple(dict.fromkeys((column.key, order, "id")))
                key = tuple(c.name for c in table.primary_key.columns)
                unique = {
                    tuple(c.name for c in u.columns) for u in table.constraints if hasattr(u, "columns")
                }
                every = led(table.name) | unique | {key}
                assert any(columns[: len(wanted)] == wanted for columns in every), (shown.name, wanted)


def test_the_database_walks_the_index_of_the_scope(app: Flask) -> None:
    """With a store's worth of customers, and nothing said to the planner."""
    world = build()
    now = utcnow()
    rows = [
        {
            "code": f"KF{n}", "name": "张女士", "phone": f"139{n:08d}", "dealer_id": world.a.id,
            "store_id": world.stores[n % 20 > 0].id, "created_at": now - timedelta(minutes=n),
        }
        for n in range(3000)
    ]  # fmt: skip
    db.session.execute(insert(Customer.__table__), rows, execution_options={"audited": True})
    db.session.execute(text("ANALYZE customers"))
    statement = (
        select(Customer.id)
        .where(Customer.store_id == world.stores[0].id)
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(20)
    )
    written = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "

    def plan() -> str:
        return "\n".join(str(row) for row in db.session.execute(text(explain + written)))

    walked = plan()
    assert "ix_customers_store_id_created_at" in walked
    assert not any(word in walked for word in ("TEMP B-TREE", "Sort", "Seq Scan", "Filter"))
    db.session.rollback()
