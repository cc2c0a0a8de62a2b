"""Long work in the background: it ends in words, stops when asked, and two workers never both write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import jobs, outbox
from app.engine.actions import Refusal
from app.engine.database import db, utcnow, writing
from app.engine.jobs import Finish, Job, JobState, Work

Start = Callable[..., int]
TRACE = "test.trace"


@pytest.fixture
def doing() -> Iterator[Callable[[jobs.Run], None]]:
    """``doing(function)``: what jobs of the kind "test" do."""

    def use(function: jobs.Run) -> None:
        jobs._doers["test"] = jobs.Doer("test", "试验", function)

    yield use
    jobs._doers.pop("test", None)


@pytest.fixture
def start(app: Flask, actor: Callable[[str], Any]) -> Start:
    def make(**options: Any) -> int:
        session = db.session()
        with writing(session):
            job = jobs.start(session, actor("admin"), "test", "一件长事", {"n": 3}, utcnow(), **options)
            session.commit()
        return job.id

    return make


def job(job_id: int) -> Job:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Job, job_id)


def rows() -> list[int]:
    table = outbox.OutboxRow.__table__.c
    return list(db.session.scalars(select(table.id).where(table.kind == jobs.KIND).order_by(table.id)))


def traces() -> list[int]:
    table = outbox.OutboxRow.__table__.c
    return [p["n"] for p in db.session.scalars(select(table.payload).where(table.kind == TRACE))]


def test_a_job_goes_on_to_its_end(start: Start, doing: Any, run_outbox: Callable[..., None]) -> None:
    def work(w: Work) -> Finish:
        for n in range(1, 4):
            with writing(w.session):
                w.note(n, 3, {"seen": n})
                w.session.commit()
        return Finish("共 3 件", {"more": 1})

    doing(work)
    made = start()
    run_outbox()
    found = job(made)
    assert (found.state, found.done, found.total, found.result) == (JobState.DONE, 3, 3, "共 3 件")
    assert found.counts == {"seen": 3, "more": 1}
    assert found.started_at is not None
    assert found.finished_at is not None


def test_a_refusal_is_its_end(start: Start, doing: Any, run_outbox: Callable[..., None]) -> None:
    def work(w: Work) -> Finish:
        raise Refusal("文件里没有数据")

    doing(work)
    made = start()
    run_outbox()
    assert (job(made).state, job(made).result) == (JobState.FAILED, "文件里没有数据")


def test_whoever_is_asked_to_stop_keeps_what_is_done(
    start: Start, doing: Any, run_outbox: Callable[..., None]
) -> None:
    def work(w: Work) -> Finish:
        for n in range(1, 4):
            with writing(w.session):
                outbox.put(w.session, TRACE, {"n": n}, now=utcnow())
                w.note(n)
                if n == 1:
                    db.session.get_one(Job, w.id).stopping = True
                w.session.commit()
        return Finish("做完了")

    doing(work)
    made = start()
    run_outbox()
    assert (job(made).state, job(made).done) == (JobState.CANCELLED, 1)
    assert traces() == [1]


def test_an_error_is_tried_again(start: Start, doing: Any, run_outbox: Callable[..., None]) -> None:
    tries = []

    def work(w: Work) -> Finish:
        tries.append(w.counts.get("seen", 0))
        with writing(w.session):
            w.note(1, counts={"seen": 1})
            w.session.commit()
        if len(tries) == 1:
            raise OSError("磁盘暂时不可用")
        return Finish("做完了")

    doing(work)
    made = start()
    run_outbox()
    assert job(made).state == JobState.RUNNING
    run_outbox(utcnow() + timedelta(hours=1))
    assert job(made).state == JobState.DONE
    assert tries == [0, 1]


def test_one_that_was_given_up_says_why(start: Start, doing: Any) -> None:
    def work(w: Work) -> Finish:
        raise OSError("磁盘已满")

    doing(work)
    made = start()
    moment = utcnow()
    for _ in range(outbox.MAX_ATTEMPTS):
        moment += timedelta(hours=8)
        outbox.deliver(db.session(), rows()[-1], now=moment)
    assert job(made).state == JobState.FAILED
    assert job(made).result == jobs.GIVEN_UP
    assert "磁盘已满" in str(db.session.scalars(select(outbox.OutboxRow.error)).one())


def test_a_second_worker_takes_over_and_the_first_one_writes_no_more(start: Start, doing: Any) -> None:
    seen: list[str] = []

    def work(w: Work) -> Finish:
        if seen:
            seen.append("second")
            return Finish("第二个做完了")
        seen.append("first")
        later = utcnow() + timedelta(minutes=5)
        with Session(db.engine) as other:
            assert outbox.deliver(other, w.delivery.id, now=later) is outbox.Outcome.DONE
        with writing(w.session):
            outbox.put(w.session, TRACE, {"n": 1}, now=utcnow())
            w.note(1)
            w.session.commit()
        return Finish("第一个做完了")

    doing(work)
    made = start()
    assert outbox.deliver(db.session(), rows()[-1]) is outbox.Outcome.SKIPPED
    assert seen == ["first", "second"]
    assert job(made).result == "第二个做完了"
    assert traces() == []


def test_without_its_person_it_does_nothing(
    start: Start, doing: Any, run_outbox: Callable[..., None]
) -> None:
    from models.identity.tables import Employee

    doing(lambda w: Finish("做完了"))
    made = start()
    db.session.execute(Employee.__table__.update().values(active=False), execution_options={"audited": True})
    db.session.commit()
    run_outbox()
    assert (job(made).state, job(made).result) == (JobState.FAILED, "发起人的账号已停用")


def test_what_waits_for_an_approval_does_not_begin(
    start: Start, doing: Any, run_outbox: Callable[..., None]
) -> None:
    doing(lambda w: Finish("做完了"))
    made = start(state=JobState.APPROVAL)
    run_outbox()
    assert job(made).state == JobState.APPROVAL
    assert rows() == []


def test_it_runs_in_a_real_worker(start: Start, doing: Any, drain_queue: Callable[[], None]) -> None:
    doing(lambda w: Finish("真的做完了"))
    made = start()
    drain_queue()
    assert job(made).result == "真的做完了"
