"""系统参数: one page, checked values, each dealer its own."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.actions import Act, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.perform import update
from models.settings import rules
from models.settings.catalogue import parameters
from models.settings.resources import Parameters
from models.settings.tables import Parameter
from tests.customers.world import World
from tests.plugins.people import Login
from tests.spec.reading import at_once


def form(**changes: str) -> dict[str, Any]:
    """The whole page as submitted, with changes."""
    defaults = {p.key: p.default for p in parameters()}
    usual = {k: v if isinstance(v, list) else "" if v is None else str(v) for k, v in defaults.items()}
    return usual | {k.replace("__", "."): v for k, v in changes.items()}


def test_a_dealers_own_prefix_holds_for_new_customers_of_that_dealer(world: World, login: Login) -> None:
    answer = login("boss").post(
        "/parameters/", data=form(number__customer__prefix="HX", number__customer__digits="6"),
        follow_redirects=True,
    )  # fmt: skip
    assert "已保存，2 项参数有改动" in answer.get_data(as_text=True)
    first, second = world.customer(), world.customer()
    assert first.code.startswith("HX") and first.code.endswith("-000001") and second.code.endswith("-000002")
    assert world.customer("outsider").code.startswith("KF")
    assert 'value="HX"' in login("boss").get("/parameters/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number__customer__prefix": "中文"}, "前缀为1至6位"),
        ({"number__customer__prefix": ""}, "请填写"),
        ({"number__customer__digits": "99"}, "位数为3至8"),
        ({"number__customer__digits": "many"}, "请输入整数"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_saved(
    world: World, login: Login, changes, message: str
) -> None:
    answer = login("boss").post("/parameters/", data=form(number__receipt__prefix="XX", **changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and message in page and 'value="XX"' in page
    assert db.session.scalar(select(Parameter.id)) is None


def test_a_change_is_in_the_history_with_old_and_new(world: World, login: Login) -> None:
    client = login("boss")
    client.post("/parameters/", data=form(number__customer__prefix="HX"))
    client.post("/parameters/", data=form(number__customer__prefix="HY"))
    kept = select(AuditEntry).where(AuditEntry.resource == "parameters").order_by(AuditEntry.id)
    entries = db.session.scalars(kept).all()
    assert len(entries) == 2 and all(e.record_label == "number.customer.prefix" for e in entries)
    assert entries[-1].changes["fields"]["value"] == ["HX", "HY"]
    before = len(db.session.scalars(select(AuditEntry.id)).all())
    assert "没有改动" in client.post(
        "/parameters/", data=form(number__customer__prefix="HY"), follow_redirects=True
    ).get_data(as_text=True)
    assert len(db.session.scalars(select(AuditEntry.id)).all()) == before


def test_the_page_needs_its_right_and_rows_are_not_changed_elsewhere(world: World, login: Login) -> None:
    assert login("seller").get("/parameters/").status_code == 403
    assert login("seller").post("/parameters/", data=form()).status_code == 403
    login("boss").post("/parameters/", data=form(number__customer__prefix="HX"))
    row = db.session.scalars(select(Parameter)).one()
    with pytest.raises(Refusal, match="系统参数"):
        update(Parameters, row.id, {"key": "x"}, world.actor("boss"))
    act = Act(world.actor("boss"), utcnow(), db.session(), "web", "update")
    with pytest.raises(Refusal, match="本商场"):
        rules.set_parameters(act, world.b.id, {"number.customer.prefix": "ZZ"})


def test_of_two_administrators_saving_at_once_the_later_is_told(
    app: Flask, world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = login("boss")
    client.post("/parameters/", data=form(number__customer__digits="5"))
    inside, go_on = threading.Event(), threading.Event()
    real = rules.bump_epoch

    def slowly(session: Any) -> None:
        inside.set()
        go_on.wait(1)
        real(session)

    def save(digits: str) -> int:
        other = FlaskClient(app, app.response_class)
        name = app.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        assert cookie is not None
        other.set_cookie(name, cookie.value)
        return other.post("/parameters/", data=form(number__customer__digits=digits)).status_code

    def first() -> int:
        monkeypatch.setattr(rules, "bump_epoch", slowly)
        return save("6")

    def second() -> int:
        assert inside.wait(5)
        monkeypatch.setattr(rules, "bump_epoch", real)
        code = save("7")
        go_on.set()
        return code

    db.session.remove()
    codes = at_once([first, second])
    assert sorted(codes) in ([302, 302], [302, 409])
    stored = db.session.scalars(
        select(Parameter.value).where(Parameter.key == "number.customer.digits")
    ).all()
    assert stored in ([6], [7])
