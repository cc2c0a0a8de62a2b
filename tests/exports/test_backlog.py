"""后台队列: numbers and reasons for those who look after the product, never what a row holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.engine import backlog, jobs, outbox, queue
from app.engine.database import db, utcnow, writing
from app.engine.jobs import Job, JobState
from jobs import worker
from tests.customers.world import World, words
from tests.ops import handlers

__all__ = ["handlers"]
TABLE = outbox.ROWS.c
SECRET = "13912345678"


def put(kind: str, **options: Any) -> int:
    """One committed row with something personal in it."""
    row_id = outbox.put(db.session(), kind, {"phone": SECRET}, **options)
    db.session.commit()
    assert row_id is not None
    return row_id


def park(row_id: int, reason: str) -> None:
    """Give a row up."""
    now = utcnow()
    change = update(outbox.ROWS).where(TABLE.id == row_id)
    db.session.execute(change.values(parked_at=now, error=reason, attempts=8))
    db.session.commit()


def test_numbers_by_kind_and_reasons(app: Flask, world: World, login: Any) -> None:
    now = utcnow()
    put("sms.deliver")
    put("sms.deliver", at=now + timedelta(hours=3))
    running, lost = put("test.note"), put("sms.deliver")
    held = update(outbox.ROWS).where(TABLE.id == running).values(leased_until=now + timedelta(minutes=1))
    db.session.execute(held)
    park(lost, f"OperationalError: 网关没有应答 Key (phone)=({SECRET})\n[parameters: {SECRET}]")
    by_kind = {a.kind: a for a in backlog.amounts(db.session(), utcnow())}
    sms, note = by_kind["sms.deliver"], by_kind["test.note"]
    assert (sms.label, sms.waiting, sms.later, sms.running, sms.parked) == ("发送短信", 1, 1, 0, 1)
    assert (note.waiting, note.running) == (0, 1)
    page = login("boss").get("/queue/").get_data(as_text=True)
    assert "发送短信" in page
    assert "网关没有应答" in page
    assert SECRET not in page


def test_whatever_waits_is_called_by_a_chinese_name(app: Flask) -> None:
    own = {kind for kind in outbox.kinds() if not kind.startswith("test.")}
    assert {"job.run", "notices.deliver", "clock_rules.sweep"} <= own
    assert [kind for kind in sorted(own) if not re.match(r"[\u4e00-\u9fff]", outbox.label_of(kind))] == []


def test_only_for_those_who_look_after_it(world: World, login: Any) -> None:
    for who in ("keeper", "seller", "typist"):
        client = login(who)
        assert client.get("/queue/").status_code == 403
        assert client.post("/queue/again", data={"id": "1"}).status_code == 403
        assert "/queue/" not in client.get("/profile").get_data(as_text=True)
    assert "/queue/" in login("boss").get("/profile").get_data(as_text=True)


def test_a_parked_row_is_taken_up_again(
    app: Flask, world: World, login: Any, run_outbox: Callable[..., None]
) -> None:
    lost = put("test.note")
    park(lost, "坏了")
    client = login("boss")
    answer = client.post("/queue/again", data={"id": str(lost)})
    assert answer.status_code == 302
    assert "已重新排队" in client.get("/queue/").get_data(as_text=True)
    run_outbox()
    row = db.session.execute(select(outbox.ROWS).where(TABLE.id == lost)).one()
    assert (row.parked_at, row.error, row.attempts) == (None, None, 1)
    assert row.done_at is not None
    again = client.post("/queue/again", data={"id": str(lost)})
    assert again.status_code == 400
    assert "已不在失败列表中" in words(again.get_data(as_text=True))


def test_a_parked_job_waits_again_unless_its_person_was_faster(app: Flask, world: World) -> None:
    session = db.session()
    with writing(session):
        job = jobs.start(session, world.actor("keeper"), "export", "导出", {}, utcnow())
        session.commit()
    job_id, row_id = job.id, session.scalar(select(Job.row_id).where(Job.id == job.id))
    assert row_id is not None
    park(row_id, "磁盘已满")
    session.execute(update(Job).values(state=JobState.FAILED, result="磁盘已满"))
    session.commit()
    assert backlog.again(session, row_id, utcnow())
    session.expire_all()
    assert session.get_one(Job, job_id).state == JobState.WAITING
    park(row_id, "磁盘已满")
    with writing(session):
        jobs.hand_over(session, job_id, utcnow())
        session.commit()
    assert not backlog.again(session, row_id, utcnow())


@pytest.mark.sqlite_only
def test_with_redis_the_workers_are_named_and_without_it_a_sentence(
    app: Flask, world: World, login: Any, redis_url: str
) -> None:
    from redis import Redis
    from rq.worker import SimpleWorker

    before = queue.current()
    app.config["REDIS_URL"] = redis_url
    worker.connect(app)
    alive = SimpleWorker(["zhike-long", "zhike"], connection=Redis.from_url(redis_url), name="host-1")
    alive.register_birth()
    try:
        page = words(login("boss").get("/queue/").get_data(as_text=True))
        assert "host-1长任务、普通" in page
        app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
        worker.connect(app)
        answer = login("boss").get("/queue/")
        assert answer.status_code == 200
        assert "Redis暂时无法连接。待办事项保存在数据库中" in words(answer.get_data(as_text=True))
    finally:
        alive.register_death()
        queue.connect(app, before)
