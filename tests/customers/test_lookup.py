"""Numbers are looked up in the table of all numbers; the main number has no index of its own."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import event

from app.engine.database import db
from app.engine.indexes import derive
from models.customers.tables import Customer, CustomerPhone
from tests.customers.world import World


def test_a_filter_by_the_main_number_finds_it_and_not_a_further_one(world: World, login: Any) -> None:
    world.customer(name="甲一", phone="13800000001")
    second = world.customer(name="乙二", phone="13800000002")
    db.session.add(
        CustomerPhone(customer_id=second.id, dealer_id=second.dealer_id, phone="13800000001", position=1)
    )
    db.session.commit()
    page = login("seller").get("/customers/?phone=13800000001&window=all").get_data(as_text=True)
    assert "甲一" in page and "乙二" not in page


def test_the_filter_walks_the_index_of_all_numbers(app: Flask, world: World, login: Any) -> None:
    seen: list[tuple[str, Any]] = []
    client = login("seller")
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    assert client.get("/customers/?phone=13800000001&window=all").status_code == 200
    asked = [(s, p) for s, p in seen if "customer_phones.phone = " in s]
    assert asked
    if db.engine.dialect.name == "sqlite":
        plan = str(
            db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1]).all()
        )
        assert "ix_customer_phones_phone" in plan


def test_no_index_of_the_main_number_is_kept() -> None:
    assert derive() == []
    columns = [[c.name for c in i.columns] for i in Customer.__table__.indexes]
    assert ["phone"] not in columns
