"""Indexes follow from scopes and orders, and the databases use them."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import inspect, select, text

from app.engine import indexes
from app.engine.database import Model, db
from app.engine.resource import resource, resources
from models.customers.tables import Customer


def led(table: str) -> set[tuple[str, ...]]:
    """The columns of every index of a table."""
    return {tuple(c.name for c in i.columns) for i in Model.metadata.tables[table].indexes}


def test_each_scope_of_customers_has_its_way_through_the_order(app: Flask) -> None:
    found = led("customers")
    for scope in ("dealer_id", "store_id", "owner_id", "filer_id", "department_id", "designer_id"):
        assert (scope, "created_at", "id") in found
    assert ("created_at", "id") in found
    assert ("store_id", "next_follow_up_at", "id") in found
    assert ("user_id", "created_at", "customer_id") in led("customer_helpers")
    assert ("customer_id", "created_at", "id") in led("service_orders")


def test_empty_related_columns_are_left_out(app: Flask) -> None:
    index = next(i for i in Customer.__table__.indexes if i.name == "ix_customers_designer_id_created_at")
    for dialect in ("sqlite", "postgresql"):
        assert str(index.dialect_options[dialect]["where"]) == "customers.designer_id IS NOT NULL"


def test_no_index_is_the_beginning_of_another_one(app: Flask) -> None:
    found = led("customers")
    assert ("created_at",) not in found
    assert ("phone",) in found


def test_names_are_stable_unique_and_short_and_a_second_run_adds_nothing(app: Flask) -> None:
    assert indexes.derive() == []
    names = [i.name for t in Model.metadata.tables.values() for i in t.indexes]
    assert all(name and len(name) <= 63 for name in names)
    assert len(names) == len(set(names))


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
    customers = resource("customers")
    assert customers is not None
    known = {i["name"] for i in inspect(db.engine).get_indexes("customers")}
    assert "ix_customers_store_id_created_at" in known
    statement = (
        select(Customer.id)
        .where(Customer.store_id == 1)
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(20)
    )
    written = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        db.session.execute(text("SET LOCAL enable_sort = off"))
    plan = "\n".join(str(row) for row in db.session.execute(text(explain + written)))
    assert "ix_customers_store_id_created_at" in plan
    assert "TEMP B-TREE" not in plan
    db.session.rollback()
