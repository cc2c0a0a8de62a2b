"""Imports as a way out: what the check, the report of faulty lines, the job, the message and the way back say of
records that the file only names."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from app.engine.audit import acting
from app.engine.database import db
from app.engine.imports.tables import ImportRun
from models.customers.policy import DuplicateRule, Effect, Entrance, SameWithin, Told
from models.customers.tables import Customer
from tests.generic.leaks import WORKBOOK, found_in, workbook
from tests.generic.test_guards import secrets
from tests.generic.world import AWAY, FOREIGN, HERE, MASKED, PLACES, SEES, STORE, THERE, World

NOWHERE = "KF000000000000"
FRESH = "18900000001"
Bring = Callable[..., str]
_TOKEN = re.compile(r'(value|content)="[\w.\-]{60,}"')


def heard(answer: Any) -> str:
    """What an answer says, without the token of its forms."""
    body = workbook(answer.data) if answer.mimetype == WORKBOOK else answer.get_data(as_text=True)
    return html.unescape(_TOKEN.sub("", body))


@dataclass
class Known:
    """What stands in each place, as somebody might guess or know it."""

    codes: dict[str, str]
    names: dict[str, str]


@pytest.fixture
def known(app: Flask, world: World) -> Known:
    """The customer of each place."""
    made = {p: db.session.get_one(Customer, world.records["customers", p]) for p in PLACES}
    return Known({p: c.code for p, c in made.items()}, {p: c.name for p, c in made.items()})


@pytest.fixture
def bring(app: Flask, clients: Any, run_outbox: Callable[..., None]) -> Bring:
    """``bring(person, rows, **fields)``: everything that is said while these lines come in and are taken back."""

    def said(person: str, rows: Sequence[Sequence[str]], resource: str = "customers", **fields: str) -> str:
        client, text = clients(person), io.StringIO()
        csv.writer(text).writerows(rows)
        data = {"file": (io.BytesIO(text.getvalue().encode()), "表.csv"), **fields}
        answer = client.post(f"/{resource}/import", data=data, content_type="multipart/form-data")
        assert answer.status_code == 302, answer.get_data(as_text=True)
        import_id = int(answer.headers["Location"].rpartition("/")[2])
        found = []
        for button in ("", "start", "undo"):
            if button:
                client.post(f"/imports/{import_id}/{button}")
            run_outbox()
            run = db.session.get_one(ImportRun, import_id)
            for path in ("", "/progress", "/problems"):
                found.append(heard(client.get(f"/imports/{import_id}{path}")))
            for path in (f"/jobs/{run.job_id}", f"/jobs/{run.job_id}/file", "/notifications/"):
                found.append(heard(client.get(path)))
        found.append(heard(client.get(f"/{resource}/import")))
        found.append(heard(client.get(f"/{resource}/import/template?mode=both")))
        return "\n".join(found)

    return said


def policies() -> list[Any]:
    """Every way of dealing with a number that is on file."""
    ways = [(e, t) for e in Effect for t in Told]
    return [pytest.param(e, t, id=f"{e.value}-{t.value}") for e, t in ways]


def use(effect: Effect, told: Told) -> None:
    """Let this be the policy of imports, everywhere."""
    with acting(db.session()):
        for rule in db.session.query(DuplicateRule).filter_by(entrance=Entrance.IMPORT):
            db.session.delete(rule)
        db.session.flush()
        values = {"within": SameWithin.DEALER, "effect": effect, "told": told}
        db.session.add(DuplicateRule(entrance=Entrance.IMPORT, dealer_id=None, **values))
        db.session.commit()


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("effect", "told"), policies())
def test_a_masked_person_learns_no_other_number(
    world: World, known: Known, bring: Bring, effect: Effect, told: Told
) -> None:
    """Of a customer whose one number the file names, and of those it names by their codes."""
    use(effect, told)
    typed = world.secrets["customers", "phone", HERE]
    others = [s for s in secrets(world) if s != typed]
    said = bring(MASKED, [["客户姓名", "手机号码"], ["某", typed], ["某", FRESH], ["某", "137"]])
    assert found_in(said, others) == []
    rows = [["服务号", "备注"], *[[code, "新"] for code in known.codes.values()]]
    said = bring(MASKED, rows, mode="update", key="code")
    assert found_in(said, secrets(world)) == []
    rows = [["手机号码", "备注"], [typed, "旧"], ["137****0001", "x"]]
    said = bring(MASKED, rows, mode="update", key="phone")
    assert found_in(said, others) == []


def test_the_control(world: World, known: Known, bring: Bring, clients: Any) -> None:
    """Whoever reads numbers is told of them, so that the test above can fail."""
    typed = world.secrets["customers", "phone", HERE]
    use(Effect.REFUSE, Told.OWNER)
    said = bring(SEES, [["客户姓名", "手机号码"], ["某", typed]])
    assert f"手机号码 {typed} 已建档（服务号 {known.codes[HERE]}" in said


@pytest.mark.parametrize(("effect", "told"), policies())
@pytest.mark.parametrize(
    ("person", "place"),
    [pytest.param(FOREIGN, HERE, id="dealer"), pytest.param(SEES, AWAY, id="other-dealer")],
)
def test_another_dealers_numbers_are_fresh_ones(
    world: World, known: Known, bring: Bring, effect: Effect, told: Told, person: str, place: str
) -> None:
    use(effect, told)
    phone = world.secrets["customers", "phone", place]
    said = bring(person, [["客户姓名", "手机号码"], ["某", phone]])
    assert f"{phone} 已建档" not in said
    assert known.codes[place] not in said
    assert known.names[place] not in said


@pytest.mark.parametrize(
    ("person", "place"),
    [
        pytest.param(FOREIGN, HERE, id="dealer"),
        pytest.param(SEES, AWAY, id="other-dealer"),
        pytest.param(STORE, HERE, id="store"),
    ],
)
@pytest.mark.parametrize("key", ["code", "phone"])
def test_what_one_does_not_see_is_as_what_is_not_there(
    world: World, known: Known, bring: Bring, person: str, place: str, key: str
) -> None:
    """By its code or its number: the same sentence, nothing changed, nothing told."""
    head, there, nowhere = {
        "code": ("服务号", known.codes[place], NOWHERE),
        "phone": ("手机号码", world.secrets["customers", "phone", place], FRESH),
    }[key]
    said = [
        bring(person, [[head, "客户姓名"], [text, "走私"]], mode="update", key=key)
        for text in (there, nowhere)
    ]
    assert f"没有{head}为“{there}”的记录，或您无权查看" in said[0]
    assert known.names[place] not in said[0]
    assert _alike(said[0], there) == _alike(said[1], nowhere)
    db.session.expire_all()
    assert db.session.get_one(Customer, world.records["customers", place]).name == known.names[place]


def _alike(said: str, text: str) -> set[str]:
    """The sentences about the line, without what stands in it and without numbers of records."""
    found = re.findall(r"[^<>\n]*[一-鿿][^<>\n]*", said.replace(text, "…"))
    return {re.sub(r"\d+", "0", sentence).strip() for sentence in found if "前" not in sentence}


@pytest.mark.sqlite_only
def test_others_see_nothing_of_what_a_file_holds(world: World, bring: Bring, clients: Any) -> None:
    """The job and its log are read by administrators; what stands in the file is not in them."""
    bring(SEES, [["客户姓名", "手机号码"], ["某某某", FRESH], ["某某某", "137"]])
    for person in (MASKED, STORE):
        for path in ("/jobs/?window=all&scope=dealer", "/api/v1/jobs?scope=dealer", "/audit_entries/?q=导入"):
            said = heard(clients(person).get(path))
            assert found_in(said, [FRESH]) == [], path
    run = db.session.query(ImportRun).one()
    assert clients(MASKED).get(f"/imports/{run.id}/problems").status_code == 404
    assert clients(MASKED).get(f"/jobs/{run.job_id}/file").status_code == 403
    assert THERE in world.stores
