"""The daily quota: counted anew each day, freed by verdicts, never exceeded (E-55…E-59)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.engine.actions import Invalid, Refusal
from app.engine.database import db, utcnow
from app.engine.resource import resource
from models.registrations import quota
from models.registrations.tables import Registration
from tests.customers.world import World, words
from tests.registrations.filed import (
    DAY,
    amount,
    at_once,
    delete,
    file,
    filing,
    judge,
    set_parameters,
    values,
)

Login = Callable[[str], FlaskClient]


def left(world: World, who: str = "worker1", now: datetime | None = None) -> int | None:
    """What that person may still file."""
    db.session.rollback()
    return quota.left(db.session(), world.people[who].id, world.a.id, now or utcnow())


@pytest.mark.spec("E-55", "E-56")
def test_the_fourth_of_three_is_refused_and_stays_in_the_form(world: World, login: Login) -> None:
    set_parameters(world, daily_limit=3)
    client = login("worker1")
    for _ in range(3):
        assert client.post("/registrations/new", data=values(world)).status_code == 302
    refused = client.post("/registrations/new", data=values(world, name="第四位"))
    page = refused.get_data(as_text=True)
    assert refused.status_code == 400
    assert quota.FULL in page and "第四位" in page
    assert amount() == 3
    assert login("worker2").post("/registrations/new", data=values(world)).status_code == 302


@pytest.mark.spec("E-55")
def test_a_person_has_a_limit_of_his_own(world: World) -> None:
    set_parameters(world, daily_limit=3)
    mine = world.make("registration_quotas", "boss", employee_id=world.people["worker1"].id, daily_limit=1)
    assert mine.dealer_id == world.a.id
    assert (left(world), left(world, "worker2")) == (1, 3)
    for unlimited in (0, None):
        world.change(mine, "boss", daily_limit=unlimited)
        assert left(world) is None
    world.change(mine, "boss", daily_limit=2)
    assert left(world) == 2


@pytest.mark.spec("E-55")
@pytest.mark.parametrize("limit", [0, None])
def test_no_limit(world: World, limit: int | None) -> None:
    set_parameters(world, daily_limit=limit)
    assert left(world) is None
    for _ in range(3):
        file(world)
    assert left(world) is None


@pytest.mark.spec("E-57")
def test_a_first_verdict_frees_a_slot(world: World) -> None:
    set_parameters(world, daily_limit=3)
    found = [file(world, now=DAY) for _ in range(3)]
    judge(found[0].id, DAY + timedelta(minutes=1))
    file(world, now=DAY + timedelta(minutes=2))
    with pytest.raises(Refusal, match=quota.FULL):
        file(world, now=DAY + timedelta(minutes=3))
    judge(found[0].id, DAY + timedelta(minutes=4))
    assert left(world, now=DAY + timedelta(minutes=5)) == 0


@pytest.mark.spec("E-57")
def test_a_lead_of_an_earlier_day_frees_one_too(world: World) -> None:
    set_parameters(world, daily_limit=1)
    old = file(world, now=DAY)
    later = DAY + timedelta(days=5)
    judge(old.id, later)
    file(world, now=later)
    file(world, now=later)
    assert left(world, now=later) == 0
    assert left(world, now=later + timedelta(days=1)) == 1


@pytest.mark.spec("E-58")
def test_the_day_is_that_of_the_company(world: World) -> None:
    set_parameters(world, daily_limit=2)
    last_minute = datetime(2030, 1, 16, 15, 59, 30)
    midnight = datetime(2030, 1, 16, 16)
    for _ in range(2):
        file(world, now=last_minute)
    with pytest.raises(Refusal):
        file(world, now=last_minute)
    assert left(world, now=midnight) == 2
    file(world, now=midnight)
    assert left(world, now=midnight) == 1


@pytest.mark.spec("E-59")
def test_deletion_gives_the_slot_back(world: World) -> None:
    set_parameters(world, daily_limit=1)
    lead = file(world)
    assert left(world) == 0
    delete(world, lead)
    assert left(world) == 1
    file(world)


@pytest.mark.spec("E-59")
@pytest.mark.parametrize("round_", range(3))
def test_of_two_at_once_exactly_one_gets_the_last_slot(app: Flask, world: World, round_: int) -> None:
    set_parameters(world, daily_limit=1)
    actor = world.actor("worker1")
    said = at_once(app, *(filing(actor, values(world)) for _ in range(3)))
    assert sorted(said) == ["", quota.FULL, quota.FULL]
    assert amount() == 1


@pytest.mark.spec("E-59")
def test_what_is_left_is_on_the_pages(world: World, login: Login) -> None:
    client = login("worker1")
    pages = ("/registrations/", "/registrations/new")
    assert all("今日剩余容量" not in client.get(url).get_data(as_text=True) for url in pages)
    set_parameters(world, daily_limit=2)
    file(world)
    for url in pages:
        assert "今日剩余容量：1条" in words(client.get(url).get_data(as_text=True))
    assert client.post("/registrations/new", data=values(world)).status_code == 302
    for url in pages:
        assert f"今日剩余容量：0条。{quota.FULL}" in words(client.get(url).get_data(as_text=True))


def test_quotas_are_set_once_for_people_of_the_dealer(world: World) -> None:
    person = world.people["worker1"].id
    world.make("registration_quotas", "boss", employee_id=person, daily_limit=1)
    with pytest.raises(Invalid, match="该员工已另设报备容量，请修改已有的一条"):
        world.make("registration_quotas", "boss", employee_id=person, daily_limit=2)
    other = world.make("registration_quotas", "boss", employee_id=world.people["chief"].id, daily_limit=2)
    with pytest.raises(Invalid, match="该员工已另设报备容量"):
        world.change(other, "boss", employee_id=person)


def test_quotas_of_another_dealer_are_not_set(world: World, login: Login) -> None:
    outsider = str(world.people["outsider"].id)
    answer = login("boss").post(
        "/registration_quotas/new", data={"employee_id": outsider, "daily_limit": "1"}
    )
    assert answer.status_code == 400


@pytest.mark.spec("E-03")
def test_grants_name_two_people_of_one_dealer_once(world: World) -> None:
    people = world.people
    pair = {"manager_id": people["chief"].id, "registrant_id": people["worker1"].id}
    grant = world.make("registration_grants", "boss", **pair)
    assert grant.dealer_id == world.a.id
    with pytest.raises(Invalid, match="已授权该经理管理此业务员的线索"):
        world.make("registration_grants", "boss", **pair)
    with pytest.raises(Invalid, match="经理本人的线索不需要授权"):
        world.make(
            "registration_grants", "boss", manager_id=people["worker1"].id, registrant_id=people["worker1"].id
        )
    again = world.make(
        "registration_grants", "boss", manager_id=people["chief"].id, registrant_id=people["worker2"].id
    )
    with pytest.raises(Invalid, match="已授权该经理管理此业务员的线索"):
        world.change(again, "boss", registrant_id=people["worker1"].id)


@pytest.mark.spec("E-30")
def test_the_twenty_seventh_lead_of_a_day(world: World) -> None:
    codes = [file(world, now=DAY).code for _ in range(27)]
    assert codes[0] == "KH203001160001"
    assert codes[-1] == "KH203001160027"
    assert file(world, now=datetime(2030, 1, 16, 16)).code == "KH203001170001"


@pytest.mark.spec("E-30")
def test_a_number_is_not_given_again(world: World) -> None:
    lead = file(world, now=DAY)
    assert lead.code == "KH203001160001"
    delete(world, lead)
    assert file(world, now=DAY).code == "KH203001160002"


@pytest.mark.spec("E-30")
def test_numbers_of_leads_saved_at_once_differ(app: Flask, world: World) -> None:
    people = ("worker1", "worker2", "chief", "boss")
    said = at_once(app, *(filing(world.actor(who), values(world)) for who in people))
    assert said == ["", "", "", ""]
    found = set(db.session.scalars(db.select(Registration.code)))
    assert len(found) == 4
    assert resource("registrations") is not None


@pytest.mark.spec("E-57", "E-59")
def test_a_verdict_at_the_same_moment_frees_one_slot_for_one(app: Flask, world: World) -> None:
    set_parameters(world, daily_limit=1)
    first = file(world)
    actor = world.actor("worker1")
    said = at_once(
        app,
        lambda: judge(first.id, utcnow()),
        *(filing(actor, values(world)) for _ in range(3)),
    )
    assert said.count("") <= 2
    assert amount() == said.count("")
    with suppress(Refusal):
        file(world)
    assert amount() == 2
    assert left(world) == 0


@pytest.mark.spec("E-59", "E-60")
def test_a_quick_filed_lead_counts_like_any_other(world: World, login: Login) -> None:
    set_parameters(world, daily_limit=1)
    lead = file(world)
    page = login("worker1").get(f"/registrations/new?copy={lead.id}").get_data(as_text=True)
    assert f"今日剩余容量：0条。{quota.FULL}" in words(page)
    answer = login("worker1").post("/registrations/new", data={**values(world), "copy": str(lead.id)})
    assert answer.status_code == 400 and quota.FULL in answer.get_data(as_text=True)
    assert amount() == 1
