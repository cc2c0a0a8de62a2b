"""Eight people at once, each with other filters and rights: everybody sees only his or her own rows."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.engine.actions import Act
from app.engine.audit import acting
from app.engine.database import db, utcnow, writing
from app.engine.scopes import SYSTEM
from models.customers.tables import Customer, Stage
from tests.generic.leaks import found_in
from tests.generic.world import AWAY, FOREIGN, HERE, MASKED, OWN, SEES, STORE, THERE, World

PER_PERSON = 25
LEVELS = ("H", "A", "B")
STAGES = (Stage.FOLLOWING, Stage.ORDERED, Stage.LOST)
WORKERS = (SEES, MASKED, OWN, STORE, FOREIGN, SEES, OWN, FOREIGN)


def file_many(world: World) -> list[dict[str, Any]]:
    """Sixty customers in three places, of three levels and stages."""
    session, made = db.session(), []
    owners = {HERE: SEES, THERE: OWN, AWAY: FOREIGN}
    with writing(session), acting(session, Act(SYSTEM, utcnow(), session, "job", "init")):
        for n in range(60):
            place = (HERE, THERE, AWAY)[n % 3]
            filer = world.people[owners[place]]
            customer = Customer(
                code=f"T-{n:04d}", name=f"线程{n}", phone=f"136{n:04d}7391"[:11], level=LEVELS[n // 3 % 3],
                stage=STAGES[n // 9 % 3], dealer_id=world.dealers[place], store_id=world.stores[place],
                filer_id=filer, owner_id=filer,
            )  # fmt: skip
            session.add(customer)
            session.flush()
            made.append(
                {"id": customer.id, "place": place, "level": customer.level, "stage": customer.stage.value}
            )
        session.commit()
    return made


def reach(person: str) -> tuple[str, ...]:
    """The places whose rows the person sees."""
    return {OWN: (THERE,), STORE: (THERE,), FOREIGN: (AWAY,)}.get(person, (HERE, THERE))


@pytest.mark.slow
def test_eight_people_see_only_their_own(app: Flask, world: World, login: Any) -> None:
    rows = file_many(world)
    cookie = app.config["SESSION_COOKIE_NAME"]
    keys = {name: login(name).get_cookie(cookie).value for name in set(WORKERS)}
    ours = {r["id"] for r in rows}
    db.session.remove()

    def work(number: int) -> list[str]:
        person, chance, wrong = WORKERS[number], random.Random(number), []
        client = FlaskClient(app, app.response_class)
        client.set_cookie(cookie, keys[person])
        scope = {OWN: "mine", STORE: "store"}.get(person, "dealer")
        for _ in range(PER_PERSON):
            level, stage = chance.choice(LEVELS), chance.choice(STAGES).value
            path = f"/customers/?scope={scope}&level={level}&stage={stage}&per_page=100&window=all"
            page = client.get(path).get_data(as_text=True)
            shown = {int(i) for i in re.findall(r"/customers/(\d+)\"", page)} & ours
            expected = {
                r["id"] for r in rows
                if r["place"] in reach(person) and r["level"] == level and r["stage"] == stage
            }  # fmt: skip
            if shown != expected:
                wrong.append(f"{person} {path}: {sorted(shown ^ expected)}")
            if f"员工{person}" not in page:
                wrong.append(f"{person} got the frame of somebody else")
            if person == MASKED and found_in(page, world.phones()):
                wrong.append("a masked person read a number")
        return wrong

    with ThreadPoolExecutor(len(WORKERS)) as pool:
        wrong = [w for found in pool.map(work, range(len(WORKERS))) for w in found]
    assert wrong == []


def test_one_number_is_filed_once_by_many_at_once(app: Flask, world: World, login: Any) -> None:
    """Eight clicks on the same form at the same moment: one record."""
    cookie = app.config["SESSION_COOKIE_NAME"]
    key = login(SEES).get_cookie(cookie).value
    db.session.remove()

    def click(_number: int) -> int:
        client = FlaskClient(app, app.response_class)
        client.set_cookie(cookie, key)
        data = {"name": "同时", "phone": "13955557777", "_once": "one-form"}
        return client.post("/customers/new", data=data).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(click, range(8)))
    assert db.session.scalar(text("SELECT count(*) FROM customers WHERE phone = '13955557777'")) == 1
    assert set(codes) <= {200, 302, 400}, codes


def at_once(app: Flask, key: str, calls: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """The status of each form, all sent at the same moment by the same person."""

    def send(call: tuple[str, dict[str, Any]]) -> int:
        client = FlaskClient(app, app.response_class)
        client.set_cookie(app.config["SESSION_COOKIE_NAME"], key)
        return client.post(call[0], data=call[1]).status_code

    db.session.remove()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(send, calls))


@pytest.mark.spec("D-15")
def test_of_many_saves_at_once_one_wins(app: Flask, world: World, login: Any) -> None:
    """Eight people save the same version of one record: one is stored, seven are told."""
    key = login(SEES).get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    pk = world.records["customers", HERE]
    version = db.session.scalar(text("SELECT version FROM customers WHERE id = :id"), {"id": pk})
    calls = [
        (f"/customers/{pk}/edit", {"name": f"第{n}位", "phone": "13900001111", "version": version})
        for n in range(8)
    ]
    codes = at_once(app, key, calls)
    assert sorted(codes) == [302, *[409] * 7]
    assert db.session.scalar(text("SELECT version FROM customers WHERE id = :id"), {"id": pk}) == version + 1


def test_many_new_files_at_once_have_numbers_of_their_own(app: Flask, world: World, login: Any) -> None:
    key = login(SEES).get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    calls = [("/customers/new", {"name": f"新{n}", "phone": f"1390000222{n}"}) for n in range(8)]
    assert at_once(app, key, calls) == [302] * 8
    codes = list(db.session.scalars(text("SELECT code FROM customers WHERE phone LIKE '1390000222%'")))
    assert len(set(codes)) == 8


@pytest.mark.spec("A-119")
def test_refunds_at_once_never_exceed_what_was_received(app: Flask, world: World, login: Any) -> None:
    """Eight refunds of the whole amount at the same moment: one is paid."""
    key = login(SEES).get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    pk = world.records["customers", HERE]
    db.session.execute(text("UPDATE receipts SET state = 'void' WHERE customer_id = :id"), {"id": pk})
    db.session.execute(text("UPDATE customers SET net_received = 0 WHERE id = :id"), {"id": pk})
    db.session.commit()
    money = {"customer_id": pk, "amount": "100", "paid_on": "2026-11-20"}
    assert at_once(app, key, [("/receipts/new", {**money, "kind": "receipt"})]) == [302]
    codes = at_once(app, key, [("/receipts/new", {**money, "kind": "refund"}) for _ in range(8)])
    assert sorted(codes) == [302, *[400] * 7]
    paid = text(
        "SELECT count(*) FROM receipts WHERE kind = 'refund' AND customer_id = :id AND state = 'valid'"
    )
    assert db.session.scalar(paid, {"id": pk}) == 1


@pytest.mark.spec("A-09")
def test_one_number_typed_by_many_at_once_asks_all_but_one(app: Flask, world: World, login: Any) -> None:
    """The duplicate policy holds under a lock: without an answer nobody files the number twice."""
    key = login(SEES).get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    calls = [("/customers/new", {"name": f"撞号{n}", "phone": "13900003333"}) for n in range(8)]
    codes = at_once(app, key, calls)
    assert sorted(codes) == [*[200] * 7, 302]
    assert db.session.scalar(text("SELECT count(*) FROM customers WHERE phone = '13900003333'")) == 1
