"""What comes of a handover: piece by piece, cut off, at once with another, taken back (A-50, A-56)."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.engine import outbox
from app.engine.actions import Act
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow, writing
from app.engine.deeds import deed
from models.customers import handover, handover_run
from models.customers.handover_tables import Handover, HandoverKind, HandoverState, ItemState
from models.customers.tables import Customer, Stage
from models.follow_ups.tables import Task
from tests.customers.test_handover import URL, owned, states, submit
from tests.customers.trade import many
from tests.customers.world import PASSWORD, World, words
from tests.plugins.people import Login

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.spec("A-56")
def test_what_cannot_go_is_listed_with_the_reason_and_tried_again(world: World, login: Login) -> None:
    ids = many(world, 4)
    client = login("boss")
    world.act("reassign", db.session.get(Customer, ids[1]), by="boss", owner=world.people["drawer"].id)
    world.act("reassign", db.session.get(Customer, ids[2]), by="boss", owner=world.people["seller2"].id)
    item = {"kind": "staying", "person": world.people["seller"].id}
    session = db.session()
    actor = world.actor("boss")
    given = dict.fromkeys(ids, world.people["seller2"].id)  # as it was when the wizard was opened
    with deed(Act(actor, utcnow(), session, "web", "在职继承")) as act:
        made = handover.submit(act, HandoverKind.STAYING, item["person"], given)
    with acting(session):
        db.session.get(Customer, ids[3]).stage = Stage.INVALID
        session.commit()
    while handover_run.piece(session, made.id, utcnow(), "web"):
        pass
    page = client.get(f"/handovers/{made.id}").text
    assert "导购已改为设计师甲，未交接" in page and "该客户已失效，不交接" in page
    assert f'<a class="link" href="/customers/{ids[1]}">' in page
    assert states() == {ItemState.DONE: 1, ItemState.UNCHANGED: 1, ItemState.REFUSED: 2}
    world.act("reassign", db.session.get(Customer, ids[1]), by="boss", owner=world.people["seller"].id)
    client.post(f"/handovers/{made.id}/again")
    assert states() == {ItemState.DONE: 2, ItemState.UNCHANGED: 1, ItemState.REFUSED: 1}


@pytest.mark.spec("A-50", "A-56")
def test_what_a_killed_process_left_goes_on_without_doing_anything_twice(
    world: World, login: Login, run_outbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover_run, "PIECE", 10)
    many(world, 45, tasks=True)
    given, real = 0, handover_run.give

    def killed(*args: Any) -> bool:
        nonlocal given
        given += 1
        if given == 17:
            raise MemoryError("killed")
        return real(*args)

    monkeypatch.setattr(handover_run, "give", killed)
    assert submit(login("boss"), world).status_code == 500
    assert owned(world.people["seller2"]) == 10
    monkeypatch.setattr(handover_run, "give", real)
    run_outbox()
    assert owned(world.people["seller2"]) == 45
    assert states() == {ItemState.DONE: 45}
    logged = select(func.count()).where(AuditEntry.action == "在职继承")
    assert db.session.scalar(logged.where(AuditEntry.resource == "customers")) == 45
    assert db.session.scalar(logged.where(AuditEntry.resource == "tasks")) == 45
    assert db.session.scalars(
        select(AuditEntry.deed_id).where(AuditEntry.action == "在职继承").distinct()
    ).all() == [db.session.scalar(select(Handover.deed_id))]
    run_outbox()
    assert db.session.scalar(select(Handover.state)) is HandoverState.DONE


@pytest.mark.slow
@pytest.mark.spec("A-50")
def test_thousands_go_on_in_the_background_while_the_person_has_the_answer(
    world: World, login: Login, drain_queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover_run, "PIECE", 250)
    many(world, 1200)
    client = login("boss")
    answer = submit(client, world)
    page = client.get(answer.location).text
    assert owned(world.people["seller2"]) == 500
    assert "已完成 41%" in page and 'http-equiv="refresh"' in page
    drain_queue()
    assert owned(world.people["seller2"]) == 1200
    page = client.get(answer.location).text
    assert "已交接1200" in words(page) and 'http-equiv="refresh"' not in page


@pytest.mark.slow
@pytest.mark.spec("A-50", "A-56")
def test_a_worker_killed_again_and_again_gives_every_customer_once(
    app: Flask, world: World, redis_url: str, restorer: Any, tmp_path: Path
) -> None:
    many(world, 240)
    session, to = db.session(), world.people["seller2"]
    ids = handover.theirs(session, world.actor("boss"), world.people["seller"].id)
    with deed(Act(world.actor("boss"), utcnow(), session, "web", "在职继承")) as act:
        handover.submit(act, HandoverKind.STAYING, world.people["seller"].id, dict.fromkeys(ids, to.id))
    row_id = session.scalar(select(outbox.OutboxRow.id).where(outbox.OutboxRow.kind == handover.RUN))
    code = (
        "from models.customers import handover_run; handover_run.PIECE = 20\n"
        "from app.factory import create_app; from app.engine import outbox; from app.engine.database import db\n"
        "app = create_app(); app.app_context().push()\n"
        f"outbox.deliver(db.session(), {row_id})"
    )
    environ = {
        "PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path), "SECRET_KEY": app.config["SECRET_KEY"],
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"], "REDIS_URL": redis_url,
    }  # fmt: skip
    done = 0
    for _ in range(2):
        worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ)
        until = time.monotonic() + 60
        while (now := _owned_now(to.id)) <= done and time.monotonic() < until:
            assert worker.poll() in (None, 0), "the worker could not begin"
            time.sleep(0.02)
        worker.kill()
        worker.wait()
        done = now
        restorer.touch_all()
        with writing(session):  # ten minutes later: the lease of the killed one has ended
            session.execute(update(outbox.OutboxRow).values(leased_until=None))
            session.commit()
    assert 0 < done <= 240
    outbox.deliver(session, row_id)
    session.expire_all()
    assert owned(to) == 240 and states() == {ItemState.DONE: 240}
    logged = select(AuditEntry.record_id).where(
        AuditEntry.action == "在职继承", AuditEntry.resource == "customers"
    )
    assert sorted(session.scalars(logged)) == sorted(ids)


def _owned_now(person_id: int) -> int:
    """How many customers somebody has, as other transactions have left it."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Customer.owner_id == person_id)) or 0


@pytest.mark.slow
def test_two_administrators_at_the_same_moment_give_every_customer_once(
    app: Flask, world: World, login: Login
) -> None:
    ids = many(world, 40)
    with acting(db.session()):
        from models.identity import presets

        presets.add_person(
            db.session(), dealer_id=world.a.id, username="boss2", name="副总管", password=PASSWORD,
            roles=[presets.preset_role(db.session(), world.a.id, "admin")], stores=[world.stores[0]],
        )  # fmt: skip
        presets.bump_epoch(db.session())
        db.session.commit()
    cookie = app.config["SESSION_COOKIE_NAME"]
    keys = {name: login(name).get_cookie(cookie).value for name in ("boss", "boss2")}
    to = {"boss": world.people["seller2"].id, "boss2": world.people["drawer"].id}
    person = world.people["seller"].id
    db.session.remove()

    def hand_over(name: str) -> int:
        client = FlaskClient(app, app.response_class)
        client.set_cookie(cookie, keys[name])
        data = {"kind": "staying", "person": person, "ids": ",".join(map(str, ids)), "to": to[name]}
        return client.post(URL, data=data | {"step": "submit"}).status_code

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(hand_over, to))
    assert set(codes) <= {302, 400}
    db.session.rollback()
    owners = db.session.execute(
        select(Customer.owner_id, func.count()).where(Customer.id.in_(ids)).group_by(Customer.owner_id)
    ).all()
    assert sum(n for _, n in owners) == 40 and {o for o, _ in owners} <= set(to.values())
    logged = select(AuditEntry.record_id).where(
        AuditEntry.action == "在职继承", AuditEntry.resource == "customers"
    )
    assert sorted(db.session.scalars(logged)) == sorted(ids)


# ----- taking back


@pytest.mark.spec("A-56")
def test_a_handover_is_taken_back_except_where_somebody_has_worked_since(world: World, login: Login) -> None:
    ids = many(world, 5, tasks=True)
    client, new = login("boss"), world.people["seller2"]
    place = submit(client, world, kind="departed").location
    assert owned(new) == 5
    task = db.session.scalars(select(Task).where(Task.customer_id == ids[0])).one()
    world.act("complete", task, by="seller2", result="已联系")
    world.change(db.session.get(Customer, ids[1]), "seller2", remark="新的情况")
    world.act("write_follow_up", db.session.get(Customer, ids[2]), by="seller2", text="电话沟通")
    page = client.post(f"{place}/back", follow_redirects=True).text
    assert "已撤销2" in words(page) and "未撤销3" in words(page)
    assert "交接后导购乙已处理（完成），未撤销" in page and "交接后导购乙已处理（编辑），未撤销" in page
    assert (owned(world.people["seller"]), owned(new)) == (2, 3)
    waiting = select(Task.owner_id).where(Task.customer_id.in_(ids[3:])).distinct()
    assert db.session.scalars(waiting).all() == [world.people["seller"].id]
    db.session.refresh(world.people["seller"])
    assert world.people["seller"].active
    assert "撤销交接" not in client.get(place).text
    again = words(client.post(f"{place}/back", follow_redirects=True).text)
    assert "离职继承已撤销，不能撤销" in again
    assert owned(world.people["seller"]) == 2
