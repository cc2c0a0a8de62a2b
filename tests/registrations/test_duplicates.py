"""Claims on the same customer: marked on both sides, told as a fact, ordered by their evidence (E-28, E-29, E-53)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.engine.audit import AuditEntry, acting
from app.engine.database import db, writing
from models.registrations import duplicates
from models.registrations.tables import WRONG_PHONE, Registration
from tests.customers.world import World, grant, words
from tests.registrations.filed import (
    DAY,
    amount,
    at_once,
    delete,
    file,
    file_told,
    filing,
    leads,
    marks,
    values,
)

Login = Callable[[str], FlaskClient]
PHONE = "19900000001"
HOME = {"community": "星湖小区", "room": "3栋502"}


@pytest.mark.spec("E-28")
def test_the_same_mobile_is_saved_warned_of_and_marked_on_both(world: World, login: Login) -> None:
    file(world, "worker1", phone=PHONE)
    assert marks() == [False]
    answer = login("worker2").post(
        "/registrations/new", data=values(world, phone="199 0000-0001"), follow_redirects=True
    )
    assert duplicates.MET in answer.get_data(as_text=True)
    assert marks() == [True, True]


@pytest.mark.spec("E-28")
@pytest.mark.parametrize(
    "written",
    [HOME, {"community": "星湖 小区", "room": "３栋５０２"}, {"community": " 星湖小区", "room": "3 栋 502"}],
)
def test_the_same_home_in_another_spelling(world: World, written: dict[str, str]) -> None:
    file(world, "worker1", **HOME)
    _, told = file_told(world, "worker2", **written, district="杭州市西湖区")
    assert told == [duplicates.MET]
    assert marks() == [True, True]


@pytest.mark.spec("E-28")
def test_small_and_capital_letters_are_one(world: World) -> None:
    file(world, room="a座1", community="星湖小区")
    file(world, room="A座1", community="星湖小区")
    file(world, room="B座1", community="星湖小区")
    assert marks() == [True, True, False]


def test_another_dealers_claim_is_none(world: World) -> None:
    grant(world, "consultant", ("can_add", "Registrations"), world.b)
    file(world, "outsider", phone=PHONE)
    assert file_told(world, "worker1", phone=PHONE)[1] == []
    assert marks() == [False, False]


@pytest.mark.spec("E-29")
def test_of_a_colleagues_claim_only_the_fact_is_told(world: World, login: Login) -> None:
    first = file(world, "worker1", phone=PHONE, name="钱女士", **HOME)
    page = (
        login("worker2")
        .post("/registrations/new", data=values(world, phone=PHONE), follow_redirects=True)
        .get_data(as_text=True)
    )
    assert duplicates.MET in page
    secrets = ("钱女士", "林一", HOME["room"], first.code)
    assert not [secret for secret in secrets if secret in page]
    mine = leads()[1]
    for url in (f"/registrations/{mine.id}", f"/registrations/{mine.id}/history"):
        shown = login("worker2").get(url).get_data(as_text=True)
        assert not [secret for secret in secrets if secret in shown], url


@pytest.mark.spec("E-29")
def test_the_first_does_not_learn_from_its_history_who_was_second(world: World, login: Login) -> None:
    first = file(world, "worker1", phone=PHONE)
    version = first.version
    file(world, "worker2", phone=PHONE)
    first = leads()[0]
    assert first.duplicate and first.version == version
    page = login("worker1").get(f"/registrations/{first.id}/history").get_data(as_text=True)
    assert "林二" not in page
    entries = select(AuditEntry).where(
        AuditEntry.record_id == first.id, AuditEntry.resource == "registrations"
    )
    assert len(db.session.scalars(entries).all()) == 1


@pytest.mark.spec("E-29")
def test_whoever_sees_both_is_told_whose_it_is(world: World) -> None:
    file(world, "worker1", phone=PHONE, name="钱女士", now=DAY)
    world.grant_leads("chief", "worker1")
    _, told = file_told(world, "chief", phone=PHONE)
    assert told == [f"{duplicates.MET}：钱女士（林一 2030-01-16 10:30 报备）"]


@pytest.mark.spec("E-61")
def test_a_copy_of_the_same_registrant_is_a_soft_duplicate(world: World) -> None:
    file(world, phone=PHONE)
    _, told = file_told(world, phone=PHONE)
    assert told[0].startswith(duplicates.MET)
    assert amount() == 2 and marks() == [True, True]


@pytest.mark.spec("E-36")
def test_an_edit_is_compared_again(world: World) -> None:
    file(world, "worker1", phone=PHONE)
    second = file(world, "worker2")
    world.change(second, "worker2", phone=PHONE)
    assert marks() == [True, True]
    world.change(leads()[1], "worker2", phone=world.next_phone())
    assert marks() == [False, False]
    world.change(leads()[1], "worker2", name="改名")
    assert marks() == [False, False]


def test_an_edit_keeps_a_mark_that_has_another_reason(world: World) -> None:
    file(world, "worker1", phone=PHONE, **HOME)
    second = file(world, "worker2", phone=PHONE, **HOME)
    world.change(second, "worker2", phone=world.next_phone())
    assert marks() == [True, True]
    world.change(leads()[1], "worker2", room="3栋520")
    assert marks() == [False, False]


def test_an_edit_moves_a_mark_from_one_to_another(world: World) -> None:
    file(world, "worker1", phone=PHONE)
    other = file(world, "chief")
    moved = file(world, "worker2", phone=PHONE)
    assert marks() == [True, False, True]
    world.change(moved, "worker2", phone=other.phone)
    assert marks() == [False, True, True]


def test_the_last_partner_takes_the_mark_along(world: World) -> None:
    three = [file(world, who, phone=PHONE) for who in ("worker1", "worker2", "chief")]
    assert marks() == [True, True, True]
    delete(world, three[2])
    assert marks() == [True, True]
    delete(world, three[0])
    assert marks() == [False]


@pytest.mark.parametrize("round_", range(3))
def test_two_at_once_are_both_marked(app: Flask, world: World, round_: int) -> None:
    both = [filing(world.actor(who), values(world, phone=PHONE)) for who in ("worker1", "worker2")]
    assert at_once(app, *both) == ["", ""]
    assert marks() == [True, True]


@pytest.mark.parametrize("round_", range(3))
def test_an_edit_and_a_filing_at_once(app: Flask, world: World, round_: int) -> None:
    """Whichever comes first, the marks fit what is on file in the end."""
    first = file(world, "worker1", phone=PHONE)
    fresh = world.next_phone()
    filing_it = filing(world.actor("worker2"), values(world, phone=PHONE))
    said = at_once(app, filing_it, lambda: world.change(first, "worker1", phone=fresh))
    assert said == ["", ""]
    assert marks() == [False, False]


@pytest.mark.parametrize("round_", range(3))
def test_a_deletion_and_a_filing_at_once(app: Flask, world: World, round_: int) -> None:
    first = file(world, "worker1", phone=PHONE)
    filing_it = filing(world.actor("worker2"), values(world, phone=PHONE))
    assert at_once(app, filing_it, lambda: delete(world, first)) == ["", ""]
    assert marks() == [False]


@pytest.mark.spec("E-29")
def test_while_a_mobile_is_typed(world: World, login: Login) -> None:
    file(world, "worker1", phone=PHONE, name="钱女士")
    client = login("worker2")

    def check(text: str) -> dict[str, object]:
        found: dict[str, object] = client.get("/registrations/check/phone", query_string={"value": text}).json
        return found

    assert check("199-0000-0001") == {"ok": True, "message": duplicates.MET, "html": ""}
    assert check("19900000009") == {"ok": True, "message": "", "html": ""}
    assert check("1990000") == {"ok": False, "message": WRONG_PHONE, "html": ""}


@pytest.mark.spec("E-53")
def test_claims_in_the_order_of_their_evidence(world: World) -> None:
    names = ("worker1", "worker2", "chief", "boss")
    found = [file(world, who, now=DAY + timedelta(minutes=n), phone=PHONE) for n, who in enumerate(names)]
    other = file(world, "boss")
    with writing(db.session()), acting(db.session()):
        for lead, tracks in zip(found, (0, 1, 3, 1), strict=True):
            mine = update(Registration).where(Registration.id == lead.id)
            db.session.execute(mine.values(track_count=tracks), execution_options={"audited": True})
        db.session.commit()
    db.session.expire_all()
    ordered = duplicates.claims_on(db.session(), db.session.get_one(Registration, found[0].id))
    assert [lead.id for lead in ordered] == [found[n].id for n in (2, 1, 3, 0)]
    assert [lead.id for lead in duplicates.claims_on(db.session(), other)] == [other.id]


def test_the_claims_on_a_customer_are_a_tab(world: World, login: Login) -> None:
    world.grant_leads("chief", "worker1", "worker2")
    mine = file(world, "worker1", phone=PHONE, now=DAY)
    file(world, "worker2", phone=PHONE)
    file(world, "worker2", name="别人")
    page = words(login("chief").get(f"/registrations/{mine.id}").get_data(as_text=True))
    assert "同一客户的报备" in page and "林二" in page
    page = words(login("worker1").get(f"/registrations/{mine.id}").get_data(as_text=True))
    assert "同一客户的报备" in page and "林二" not in page
