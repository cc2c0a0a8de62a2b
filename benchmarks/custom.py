"""What added fields cost a list: twenty of them shown, three filtered, one sorted, beside the list without any.

The fields are added as an administrator adds them, and filled by one statement. Afterwards they are removed with
their indexes and values, so that whatever else is measured knows nothing of them. ``python -m benchmarks.custom
ROUNDS`` prints JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from app.engine import chrome, faces
from app.engine.audit import acting
from app.engine.database import analyse, db, utcnow, writing
from app.engine.outbox import Delivery
from app.engine.perform import create, perform
from app.engine.resource import resource
from app.engine.scopes import Actor
from benchmarks import report
from benchmarks.pages import Backend, Request
from benchmarks.product import Case, make_product
from models.identity.rights import load_actor
from models.identity.tables import Employee
from models.shaping import custom_work
from models.shaping.custom_fields import CustomField, FieldKind, Outcome, Place
from models.shaping.custom_rules import SURE

MARK = "测量"
GOAL = 2.0
BLOCKS = 3
PLAIN = Case("plain", "没有自定义字段的列表", "admin", "/customers/?scope=dealer")
KINDS = (
    *["text"] * 4, *["choice"] * 2, "choices", *["number"] * 4, *["money"] * 2, *["date"] * 4, *["bool"] * 2, "formula",
)  # fmt: skip
OPTIONS = ("水电", "木工", "油漆", "完工")
_DRAWN = "(CAST(id AS BIGINT) * (7919 + 104729 * {n}) % 1000003)"
"""A number of each record that says nothing of that of another field: as values are in life."""
_DAY = {
    "sqlite": f"date('2026-01-01', '+' || ({_DRAWN} % 300) || ' days')",
    "postgresql": f"DATE '2026-01-01' + CAST({_DRAWN} % 300 AS INTEGER)",
}


def furnish() -> dict[str, list[str]]:
    """The slots by kind, after adding and filling the fields; those of a run that came to no end go first."""
    clear()
    _add()
    _fill()
    _index()
    found: dict[str, list[str]] = {}
    for field in _mine():
        found.setdefault(field.kind.value, []).append(field.slot)
    return found


def clear() -> None:
    """Remove the fields, and what they hold as after the month that it is kept."""
    fields = _mine()
    if not fields:
        return
    remove = next(a for a in resource("custom_fields").actions if a.name == "remove_field")
    for field in sorted(
        fields, key=lambda field: field.formula is None
    ):  # a formula before what it is made of
        if field.removed_at is None:
            perform(remove, [field.id], _administrator(), {}, answers=[SURE])
    _index()
    empty = ", ".join(f"{field.slot} = NULL" for field in fields)
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE customers SET {empty}"))
    later = utcnow() + 2 * custom_work.KEPT
    db.session.rollback()
    with writing(db.session()):
        custom_work.purge(Delivery(0, "custom_fields.purge", {}, 1, later, db.session()))
        db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM FULL customers"))
        analyse(connection, "customers")


def _mine() -> list[CustomField]:
    wanted = select(CustomField).where(CustomField.label.startswith(MARK), CustomField.purged_at.is_(None))
    return list(db.session.scalars(wanted.order_by(CustomField.id)))


def _administrator() -> Actor:
    found = db.session.scalars(select(Employee.id).where(Employee.username == "admin")).one()
    actor = load_actor(db.session(), found)
    assert actor is not None
    return actor


def _add() -> None:
    actor = _administrator()
    number = ""
    for n, kind in enumerate(KINDS, 1):
        places = [Place.FORM, Place.LIST, Place.FILTER, *([Place.SORT] if kind == "number" else [])]
        values: dict[str, Any] = {
            "resource": "customers", "label": f"{MARK}{n}", "kind": FieldKind.of(kind), "section": MARK,
            "position": n, "places": places, "options": "\n".join(OPTIONS),
        }  # fmt: skip
        if kind == "formula":
            values |= {"formula": f"customers:[{number}] * 2", "result": Outcome.NUMBER}
        made, _ = create(resource("custom_fields"), values, actor)
        number = made.slot if kind == "number" else number


def _index() -> None:
    """The ways to the fields, as the product builds them; after the values, which would be put into each one."""
    delivery = Delivery(0, custom_work.INDEX, {}, 1, utcnow(), db.session())
    custom_work.index(delivery)()
    db.session.commit()


def _fill() -> None:
    """Values of many different sorts for every record of the dealer."""
    dialect, dealer_id = db.engine.dialect.name, _administrator().dealer_id
    worth = {
        "text": f"'内容' || ({_DRAWN} % 997)", "number": f"{_DRAWN} % 1000", "date": _DAY[dialect],
        "flag": f"{_DRAWN} % 2 = 0", "many": f"'|' || (CASE {_DRAWN} % 3 WHEN 0 THEN '水电|木工' ELSE '油漆' END) || '|'",
    }  # fmt: skip
    whens = " ".join(f"WHEN {at} THEN '{o}'" for at, o in enumerate(OPTIONS))
    option = f"CASE {_DRAWN} % 4 {whens} END"
    parts = []
    for n, field in enumerate(_mine(), 1):
        family = field.slot.rpartition("_")[0]
        shown = option if field.kind == FieldKind.CHOICE else worth[family]
        parts.append(f"{field.slot} = {shown.format(n=n)}")
    statement = f"UPDATE customers SET {', '.join(parts)} WHERE dealer_id = :dealer"
    with db.engine.begin() as connection:
        connection.execute(text(statement), {"dealer": dealer_id})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        analyse(connection, "customers")


def cases(slots: dict[str, list[str]]) -> list[Case]:
    """The list with all fields, filtered by a choice, a number and a mark, and sorted by another number."""
    choice, size, flag, other = slots["choice"][0], slots["number"][0], slots["bool"][0], slots["number"][1]
    many, words = slots["choices"][0], slots["text"][0]
    base = PLAIN.address
    usual = f"{choice}=水电&{size}.from=200&{size}.to=800&{flag}=1"
    rare = f"{words}=内容7&{size}.from=200&{size}.to=260&{choice}=水电"
    return [
        Case("shown", "20 个自定义字段，第一页", "admin", base),
        Case("usual", "20 个自定义字段，筛选 3 个、排序 1 个", "admin", f"{base}&{usual}&sort=-{other}"),
        Case(
            "rare",
            "20 个自定义字段，筛选 3 个（少有符合）、排序 1 个",
            "admin",
            f"{base}&{rare}&sort=-{other}",
        ),
        Case("many", "20 个自定义字段，按多选筛选、排序 1 个", "admin", f"{base}&{many}=水电&sort=-{other}"),
    ]


def measure(rounds: int) -> dict[str, Any]:
    """Medians by case, in blocks that take turns; for the plain list nobody knows of added fields."""
    product = make_product()
    with product.app_context(), acting(db.session()):
        slots = furnish()
        db.session.remove()
        backend = Backend(db.engine)
    try:
        return _medians(product, slots, backend, rounds)
    finally:
        with product.app_context(), acting(db.session()):
            clear()


def _medians(product: Flask, slots: dict[str, list[str]], backend: Backend, rounds: int) -> dict[str, Any]:
    source = faces._source[:]
    taken: dict[str, list[float]] = {}
    labels: dict[str, str] = {}
    plain, *others = [Request(product, case, backend) for case in (PLAIN, *cases(slots))]
    for _ in range(BLOCKS):
        for known, requests in (([], [plain]), (source, others)):
            faces._source[:] = known
            chrome.forget()  # what is remembered of the list is of the one without fields, or of the one with them
            for n in range(max(1, rounds // BLOCKS) + 1):
                for request in requests:
                    cpu, _, _ = request.send()
                    labels[request.case.key] = request.case.label
                    if n:
                        taken.setdefault(request.case.key, []).append(cpu)
    return {key: {"label": labels[key], "cpu": statistics.median(cpu)} for key, cpu in taken.items()}


def rows(figures: dict[str, Any]) -> list[report.Row]:
    """The rows of the table."""
    plain = figures["plain"]["cpu"]
    found = [report.Row(figures["plain"]["label"], f"{plain:.2f} ms", "1.00", "", None)]
    for key in ("shown", "usual", "rare", "many"):
        cpu = figures[key]["cpu"]
        ratio = cpu / plain
        found.append(
            report.Row(
                figures[key]["label"], f"{cpu:.2f} ms", f"{ratio:.2f} × 没有自定义字段的列表",
                f"≤ {GOAL:g} × 没有自定义字段的列表", ratio <= GOAL,
            )
        )  # fmt: skip
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1])), ensure_ascii=False))
