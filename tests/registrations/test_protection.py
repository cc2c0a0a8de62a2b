"""The days in which a successful claim shields its customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.engine.database import db, utcnow
from models.registrations import duplicates
from models.registrations.protection import countdown, ends
from tests.customers.world import World, words
from tests.imports.conftest import Importer
from tests.registrations.filed import (
    DAY,
    HEADINGS,
    file,
    file_told,
    line,
    marks,
    set_parameters,
    shield,
)

Login = Callable[[str], FlaskClient]
PHONE = "19900000001"
UNTIL = datetime(2030, 2, 15, 15, 59, 59)


def test_somebody_elses_filing_is_warned_and_marked(world: World) -> None:
    first = file(world, "worker1", phone=PHONE, name="钱女士", now=DAY)
    shield(first.id, UNTIL)
    _, told = file_told(world, "worker2", now=DAY + timedelta(days=1), phone=PHONE)
    assert told == [duplicates.MET, "该客户在保护期内，至 2030-02-15"]
    assert marks() == [True, True]


def test_after_the_last_day_nobody_is_shielded(world: World) -> None:
    first = file(world, "worker1", phone=PHONE, now=DAY)
    shield(first.id, UNTIL)
    assert len(file_told(world, "worker2", now=UNTIL, phone=world.next_phone(), room=first.room)[1]) == 1
    assert file_told(world, "worker2", now=UNTIL + timedelta(seconds=1), phone=PHONE)[1] == [duplicates.MET]


def test_the_holder_himself_is_not_warned_of_his_own(world: World) -> None:
    first = file(world, "worker1", phone=PHONE, now=DAY)
    shield(first.id, UNTIL)
    _, told = file_told(world, "worker1", now=DAY, phone=PHONE)
    assert len(told) == 1 and "保护期" not in told[0]


def test_while_typing_and_in_a_file(world: World, login: Login, importer: Callable[[str], Importer]) -> None:
    first = file(world, "worker1", phone=PHONE, name="钱女士")
    shield(first.id, utcnow() + timedelta(days=20))
    answer = login("worker2").get("/registrations/check/phone", query_string={"value": PHONE})
    assert "该客户在保护期内，至 " in answer.json["message"] and "钱女士" not in answer.json["message"]
    run = importer("chief").upload([list(HEADINGS), line(world, phone=PHONE)])
    assert run.effects == ["1 条可能已被报备，将标记为重报", "1 条的客户在他人的保护期内"]


def test_the_holder_sees_the_days_that_are_left(world: World, login: Login) -> None:
    lead = file(world, "worker1")
    shield(lead.id, utcnow() + timedelta(days=12))
    page = words(login("worker1").get(f"/registrations/{lead.id}").get_data(as_text=True))
    assert "剩12天" in page


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2030, 2, 3, 1), "2030-02-15（剩 13 天）"),
        (datetime(2030, 2, 14, 15, 59), "2030-02-15（剩 2 天）"),
        (datetime(2030, 2, 14, 16), "2030-02-15（今天结束）"),
        (datetime(2030, 2, 15, 16), "2030-02-15（已结束）"),
    ],
)
def test_the_countdown(now: datetime, said: str) -> None:
    assert countdown(UNTIL, now=now) == said
    assert countdown(None, now=now) is None


def test_how_long_a_verdict_protects(world: World) -> None:
    until = ends(db.session(), world.a.id, DAY)
    assert until == UNTIL
    set_parameters(world, protection_days=0)
    assert ends(db.session(), world.a.id, DAY) is None
