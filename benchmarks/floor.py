"""The floor: a bare Flask route that fetches the first page of customers and writes it into 4 KB.

One statement brings the twenty rows in keyset order together with their tags; there is no login, no
permission, no frame. Whatever the product does beyond that is the price of being the product.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import Engine

from models.customers.tables import Customer, CustomerTag, Tag
from models.identity.tables import Employee, Store

PAGE = 20
TEMPLATE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>客户</title></head><body><table class="list">
{% for r in rows %}<tr id="c{{ r.id }}"><td><a href="/customers/{{ r.id }}">{{ r.code }}</a><td>{{ r.name }}\
<td class="tags">{{ r.tags }}<td>{{ r.phone }}<td>{{ r.level or "" }}<td>{{ r.stage }}<td>{{ r.owner or "" }}\
<td>{{ r.last or "" }}<td>{{ r.next or "" }}<td>{{ r.store }}</tr>
{% endfor %}</table></body></html>
"""


def statement(dealer_id: int) -> Any:
    """The first page of one dealer's customers with owner, store and tags, in one statement."""
    table = Customer.__table__.c
    page = (
        select(table.id, table.created_at)
        .where(table.dealer_id == dealer_id)
        .order_by(table.created_at.desc(), table.id.desc())
        .limit(PAGE)
        .subquery("page")
    )
    return (
        select(
            Customer.id, Customer.code, Customer.name, Customer.phone, Customer.level, Customer.stage,
            Employee.name.label("owner"), Customer.last_follow_up_text.label("last"),
            Customer.next_follow_up_at.label("next"), Store.name.label("store"), Tag.name.label("tag"),
        )
        .select_from(page)
        .join(Customer, Customer.id == page.c.id)
        .join(Store, Store.id == Customer.store_id)
        .outerjoin(Employee, Employee.id == Customer.owner_id)
        .outerjoin(CustomerTag, CustomerTag.customer_id == Customer.id)
        .outerjoin(Tag, Tag.id == CustomerTag.tag_id)
        .order_by(page.c.created_at.desc(), page.c.id.desc(), Tag.id)
    )  # fmt: skip


def rows(found: Any) -> list[dict[str, Any]]:
    """One dictionary per customer, tags joined."""
    by_id: dict[int, dict[str, Any]] = {}
    for row in found:
        kept = by_id.get(row.id)
        if kept is None:
            kept = by_id[row.id] = {**row._mapping, "stage": row.stage.label, "tags": ""}
        if row.tag:
            kept["tags"] = f"{kept['tags']} {row.tag}".strip()
    return list(by_id.values())


def make_floor(url: str, dealer_id: int = 1) -> tuple[Flask, Engine]:
    """The bare application and its engine."""
    app = Flask("floor", static_folder=None)
    engine = create_engine(url, pool_size=8)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _cached)
    query = statement(dealer_id)
    template = app.jinja_env.from_string(TEMPLATE)

    @app.get("/")
    def first_page() -> str:
        with engine.connect() as connection:
            return template.render(rows=rows(connection.execute(query)))

    return app, engine


def _cached(connection: Any, _record: Any) -> None:
    """The same cache as the product's connections."""
    connection.execute("PRAGMA cache_size=-4096")
