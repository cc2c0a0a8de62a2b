"""Messages as a way out: role × guarded field, in the app and by every channel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine import reach
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.resource import resources
from models.notifications.rules import notify
from models.notifications.tables import NoticeDelivery, NoticeEvent, NoticeKind, Notification
from models.registrations.tables import Assignment
from tests.generic.leaks import everything, found_in
from tests.generic.world import AWAY, HERE, MASKED, NOBODY, OWN, PLACES, SEES, THERE, World

EVERYBODY = (SEES, MASKED, OWN, NOBODY, "consultant1", "designer1", "clerk1")


def deeds(world: World, client: Any) -> None:
    """Deeds that are told, by somebody who sees everything in the clear, on records full of secrets."""
    customer, task = world.records["customers", HERE], world.records["tasks", HERE]
    order, receipt = world.records["factory_orders", HERE], world.records["receipts", HERE]
    others = [world.people[n] for n in (MASKED, OWN)]
    for owner in others:
        client.post("/customers/action/reassign", data={"id": customer, "owner": owner})
        client.post("/customers/action/change_designer", data={"id": customer, "designer": owner})
        client.post("/tasks/action/change_owner", data={"id": task, "owner": owner})
    client.post("/factory_orders/action/transmit", data={"id": order})
    client.post("/factory_orders/action/set_settlement_price", data={"id": order, "price": "7351.98"})
    client.post("/factory_orders/action/add_step", data={"id": order, "kind": "progress", "step": "开料"})
    with acting(db.session()):  # one that no lead's deposit stands on
        for assignment in db.session.scalars(select(Assignment).where(Assignment.receipt_id == receipt)):
            assignment.receipt_id = None
        for assignment in db.session.scalars(select(Assignment).where(Assignment.refund_id == receipt)):
            assignment.refund_id = None
        db.session.commit()
    client.post("/receipts/action/void", data={"id": receipt, "reason": "测试"})


def add_alert(world: World, client: Any) -> None:
    """A rule that asks for a guarded column, and a strong reminder about whom it finds."""
    phone = world.secrets["customers", "phone", HERE]
    rule = {
        "name": "回访", "subject": "customers", "condition": f"手机号码 是 {phone}", "start": "filed", "amount": "7",
        "unit": "days", "direction": "after", "ahead_days": "0", "at": "08:00", "repeat": "none",
        "every_days": "1", "effect": "alert", "parameters": "提醒标题：回访", "active": "1", "sort": "5",
        "_answer": "touch",
    }  # fmt: skip
    assert client.post("/clock_rules/new", data=rule).status_code == 302


def test_no_message_holds_a_guarded_value(app: Flask, world: World, clients: Any, run_outbox: Any) -> None:
    from app.engine import outbox
    from tests.settings.test_parameters import form

    channels = {"notice.channels": ["email"]}
    assert clients("admin").post("/parameters/", data=form() | channels).status_code == 302
    deeds(world, clients(SEES))
    slot = (utcnow() + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    for kind in ("notices.daily", "notices.hourly"):
        outbox.put(db.session(), kind, {"slot": slot.isoformat()})
    add_alert(world, clients(SEES))
    morning = (utcnow() + timedelta(days=8)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )  # 08:00 in China
    outbox.put(db.session(), "clock_rules.sweep", {"slot": morning.isoformat()})
    run_outbox()
    assert set(db.session.scalars(select(Notification.kind))) == set(NoticeKind)
    secrets = [*world.phones(), *world.prices(), "7351"]
    for model in (Notification, NoticeEvent, NoticeDelivery):
        for row in db.session.execute(select(model.__table__)):
            told = [repr(value) for value in row if not isinstance(value, datetime)]  # a clock has digits too
            assert found_in("\n".join(told), secrets) == []
    found = []
    for person in EVERYBODY:
        client = clients(person)
        for path in ("/notifications/", "/notifications/newest", "/notifications/unread"):
            found += found_in(everything(app, client.get(path)), secrets)
        mine = select(Notification.id).where(Notification.user_id == world.people[person])
        for pk in db.session.scalars(mine).all():
            found += found_in(everything(app, client.get(f"/notifications/{pk}")), secrets)
    assert found == []


@pytest.mark.sqlite_only
@pytest.mark.parametrize("person", EVERYBODY)
def test_a_message_links_exactly_what_its_reader_may_open(
    app: Flask, world: World, clients: Any, person: str
) -> None:
    """Of every kind of record, in every place: by the link or without it, never a way round the scope."""
    client = clients(person)
    shown = [r for r in resources() if r.columns]
    for place in PLACES:
        items = [
            {"group": r.label, "title": r.name, "resource": r.name, "id": world.id(r, place)} for r in shown
        ]
        (pk,) = notify(
            db.session(), users=[world.people[person]], kind=NoticeKind.HOURLY, topic="order", title="小结",
            now=utcnow(), items=items,
        )  # fmt: skip
        page = client.get(f"/notifications/{pk}").get_data(as_text=True)
        wrong = []
        for r in shown:
            address = reach.address((r.name, world.id(r, place)))
            may = client.get(address, follow_redirects=True).status_code == 200
            if (f'href="{address}"' in page) != may:
                wrong.append((address, may))
        assert wrong == []


def test_everybody_reads_the_own_messages_alone(app: Flask, world: World, clients: Any) -> None:
    for place, reader in ((HERE, SEES), (THERE, OWN), (AWAY, "sees2")):
        mine = select(Notification.id).where(Notification.user_id == world.people[reader])
        (pk,) = db.session.scalars(mine.limit(1)).all()
        for person in (*EVERYBODY, "sees2", "admin"):
            code = clients(person).get(f"/notifications/{pk}").status_code
            assert code == (200 if person == reader else 404), (place, person)
