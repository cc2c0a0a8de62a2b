"""任务中心: who sees and stops what, approvals, files that only their person fetches, and only for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.engine import exports, files, outbox
from app.engine.database import db, utcnow
from app.engine.jobs import Job, JobState, expire
from models.identity import presets
from models.identity.tables import Employee
from tests.customers.world import World, grant, words
from tests.exports.files import entries, jobs, many, notices, rows, setting

Run = Callable[..., None]


@pytest.fixture
def ask(world: World, login: Any) -> Callable[..., Job]:
    """``ask("keeper")``: a job that writes out the 20 customers of the store."""
    many(world, 20, level="A")
    setting(world, "export.at_once", 0)

    def start(who: str = "keeper", query: str = "scope=store", **form: str) -> Job:
        answer = login(who).post(f"/customers/export?{query}", data=form)
        assert answer.status_code == 302, words(answer.get_data(as_text=True))
        return jobs()[-1]

    return start


def do(client: Any, job: Job, action: str, **form: str) -> str:
    """Press a button of the job's page; what is said then."""
    answer = client.post(f"/jobs/action/{action}", data={"id": str(job.id), "back": "/jobs/", **form})
    if answer.status_code == 302:
        answer = client.get(answer.headers["Location"])
    return str(words(answer.get_data(as_text=True)))


def state(job: Job) -> JobState:
    """How the job is now."""
    db.session.expire_all()
    return db.session.get_one(Job, job.id).state


def folder(job: Job) -> list[str]:
    """What lies in the folder of the job's file that bears its name."""
    place = files.path(job.payload["file"])
    return sorted(p.name for p in place.parent.glob(f"{place.name}*"))


def test_everybody_sees_own_jobs_and_the_administrator_all(ask: Any, world: World, login: Any) -> None:
    grant(world, "consultant", ("can_export", "Customers"))
    mine, other = ask("keeper"), ask("seller", "scope=mine")
    seen = {}
    for who in ("keeper", "seller", "typist", "drawer", "boss", "outsider"):
        page = login(who).get("/jobs/")
        assert page.status_code == 200, who
        seen[who] = {j.id for j in (mine, other) if f'/jobs/{j.id}"' in page.get_data(as_text=True)}
    assert seen == {
        "keeper": {mine.id}, "seller": {other.id}, "typist": set(), "drawer": set(), "boss": {mine.id, other.id},
        "outsider": set(),
    }  # fmt: skip
    assert login("seller").get(f"/jobs/{mine.id}").status_code == 404


def test_the_page_says_what_it_is_about(ask: Any, login: Any, run_outbox: Run) -> None:
    job = ask("keeper", "scope=store&level=A&q=%E5%AE%A2%E6%88%B7&window=all")
    page = words(login("keeper").get(f"/jobs/{job.id}").get_data(as_text=True))
    assert "列表：客户；范围：本店客户" in page
    assert "意向级别：A" in page
    assert "关键字：客户" in page
    assert "10列；Excel" in page
    run_outbox()
    page = words(login("keeper").get(f"/jobs/{job.id}").get_data(as_text=True))
    assert "已完成" in page
    assert "用时0秒" in page


@pytest.mark.parametrize("page", ["/jobs/", "/jobs/{id}"])
def test_the_percentage_is_told_live(ask: Any, login: Any, page: str) -> None:
    job = ask()
    db.session.execute(update(Job).where(Job.id == job.id).values(state=JobState.RUNNING, done=9))
    db.session.commit()
    client = login("keeper")
    shown = client.get(page.format(id=job.id)).get_data(as_text=True)
    assert f'data-live="{job.id}"' in shown
    assert "45%" in shown
    assert "/static/jobs.js" in shown
    told = client.get(f"/jobs/progress?id={job.id}&id=999&id=x").get_json()
    assert told == {"jobs": {str(job.id): {"open": True, "state": "进行中", "percent": 45}}}
    assert login("seller").get(f"/jobs/progress?id={job.id}").get_json() == {"jobs": {}}


def test_the_menu_counts_what_is_open(ask: Any, login: Any, app: Any) -> None:
    app.config["COUNT_TTL"] = 0
    ask()
    ask()
    menu = login("keeper").get("/profile").get_data(as_text=True)
    assert 'data-key="jobs"' in menu
    assert "<b>2</b>" in menu[menu.index('data-key="jobs"') :][:400]


# ----- approval


def test_above_the_limit_somebody_else_approves(ask: Any, world: World, login: Any, run_outbox: Run) -> None:
    setting(world, "export.approval", 19)
    job = ask()
    assert job.state == JobState.APPROVAL
    run_outbox()
    assert state(job) == JobState.APPROVAL
    assert [n.title for n in notices("boss", world)] == ["待审批：导出客户 20 行"]
    page = words(login("boss").get(f"/jobs/{job.id}").get_data(as_text=True))
    assert "店长甲" in page
    assert "范围：本店客户" in page
    assert "总数20" in page
    assert "不同意" in page
    assert "已同意" in do(login("boss"), job, "approve")
    run_outbox()
    (done,) = jobs()
    assert (done.state, done.decided_by_id) == (JobState.DONE, world.people["boss"].id)
    assert len(rows(login("keeper").get(f"/jobs/{job.id}/file").data)) == 21
    titles = [n.title for n in notices("keeper", world)]
    assert titles == ["导出客户 20 行：已通过审批", "导出客户 20 行：已完成"]
    assert "不需要审批" in do(login("boss"), job, "approve")


def test_nobody_approves_an_own_export(ask: Any, world: World, login: Any) -> None:
    setting(world, "export.approval", 19)
    job = ask("boss", "scope=dealer")
    assert "/action/approve" not in login("boss").get(f"/jobs/{job.id}").get_data(as_text=True)
    assert "不能审批自己提交的任务" in do(login("boss"), job, "approve")
    assert "不能审批自己提交的任务" in do(login("boss"), job, "refuse", reason="不")
    assert state(job) == JobState.APPROVAL


def test_refused_with_the_reason_and_asked_again(ask: Any, world: World, login: Any, run_outbox: Run) -> None:
    setting(world, "export.approval", 19)
    job = ask()
    assert "请填写不同意的理由" in do(login("boss"), job, "refuse", reason="")
    assert "已退回申请人" in do(login("boss"), job, "refuse", reason="请缩小范围")
    assert state(job) == JobState.CANCELLED
    told = notices("keeper", world)[-1]
    assert (told.title, told.text) == ("导出客户 20 行：已取消", "审批未通过（总管）：请缩小范围")
    assert "已重新提交审批" in do(login("keeper"), job, "retry")
    run_outbox()
    assert state(job) == JobState.APPROVAL
    assert entries() == []


def test_without_the_right_or_of_another_dealer_nobody_approves(ask: Any, world: World, login: Any) -> None:
    setting(world, "export.approval", 19)
    job = ask()
    answer = login("seller").post("/jobs/action/approve", data={"id": str(job.id)})
    assert answer.status_code == 403
    assert "审批导出" in answer.get_data(as_text=True)
    presets_role = presets.preset_role(db.session(), world.b.id, "admin")
    assert presets_role is not None
    grant(world, "consultant", ("can_approve", "Jobs"), world.b)
    assert login("outsider").post("/jobs/action/approve", data={"id": str(job.id)}).status_code == 404
    assert state(job) == JobState.APPROVAL


def test_more_rows_than_when_it_was_asked_need_an_approval(
    ask: Any, world: World, login: Any, run_outbox: Run
) -> None:
    setting(world, "export.approval", 20)
    job = ask()
    assert job.state == JobState.WAITING
    world.customer()
    run_outbox()
    (ended,) = jobs()
    assert (ended.state, ended.file) == (JobState.FAILED, None)
    assert ended.result == "现在共 21 行，超过 20 行需要审批，请重新导出"
    assert folder(job) == []


# ----- stopping and beginning again


def test_one_that_waits_is_stopped_at_once(ask: Any, login: Any, run_outbox: Run, world: World) -> None:
    job = ask()
    assert "任务已取消" in do(login("keeper"), job, "cancel")
    run_outbox()
    (ended,) = jobs()
    assert (ended.state, ended.result) == (JobState.CANCELLED, "已取消")
    assert folder(job) == []
    assert entries() == []
    assert notices("keeper", world) == []


def test_one_that_runs_stops_and_leaves_no_file(
    ask: Any, login: Any, run_outbox: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine import exporting

    job = ask()
    monkeypatch.setattr(exporting, "CHUNK", 5)
    rows_of, seen = exporting._Table.rows, []

    def pressing(self: Any, ids: list[int]) -> Any:
        if not seen:
            assert len(folder(job)) == 1
            with db.engine.begin() as other:
                other.execute(update(Job.__table__).where(Job.id == job.id).values(stopping=True))
        seen.append(ids)
        return rows_of(self, ids)

    monkeypatch.setattr(exporting._Table, "rows", pressing)
    run_outbox()
    assert len(seen) == 1
    (ended,) = jobs()
    assert (ended.state, ended.file, ended.stopping) == (JobState.CANCELLED, None, False)
    assert folder(job) == []
    assert entries() == []


def test_stopped_and_begun_again_it_is_done_once(ask: Any, login: Any, run_outbox: Run) -> None:
    """The row of the outbox that was stopped carries the job no longer."""
    job, client = ask(), login("keeper")
    do(client, job, "cancel")
    assert "任务已重新排队" in do(client, job, "retry")
    run_outbox()
    assert state(job) == JobState.DONE
    assert [e.record_label for e in entries()] == ["导出 20 行"]
    assert "不能重试" in do(client, job, "retry")
    assert "不能取消" in do(client, job, "cancel")


def test_others_jobs_are_stopped_by_those_who_look_after_them(ask: Any, world: World, login: Any) -> None:
    job = ask()
    grant(world, "consultant", ("can_list", "Jobs"))
    assert login("seller").post("/jobs/action/cancel", data={"id": str(job.id)}).status_code == 404
    assert "任务已取消" in do(login("boss"), job, "cancel")
    assert [n.title for n in notices("keeper", world)] == ["导出客户 20 行：已取消"]


def test_what_a_program_says_of_its_failure_is_not_told(
    ask: Any, world: World, login: Any, run_outbox: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the database may quote what others may not read: whoever looks after the queue reads it."""

    def breaks(*_: Any, **__: Any) -> None:
        raise ValueError("Key (phone)=(13800000001) already exists")

    monkeypatch.setattr(exports, "_write", breaks)
    monkeypatch.setattr(outbox, "MAX_ATTEMPTS", 1)
    ask()
    run_outbox()
    (ended,) = jobs()
    assert ended.state == JobState.FAILED
    said = login("keeper").get(f"/jobs/{ended.id}").get_data(as_text=True)
    assert "多次尝试后仍未完成" in said
    assert "already exists" not in said
    assert all("13800000001" not in repr(n.text) for n in notices("keeper", world))


# ----- the rights of the moment


def test_whoever_lost_the_permission_gets_no_file(
    ask: Any, world: World, login: Any, run_outbox: Run
) -> None:
    job = ask()
    take_away(world, ("can_export", "Customers"))
    run_outbox()
    (ended,) = jobs()
    assert (ended.state, ended.result) == (JobState.FAILED, "无权限：导出客户")
    assert folder(job) == []


def test_whoever_moved_to_another_store_asks_anew(ask: Any, world: World, run_outbox: Run) -> None:
    ask()
    move(world, "keeper", world.stores[1].id)
    run_outbox()
    (ended,) = jobs()
    assert ended.state == JobState.FAILED
    assert ended.result == "您已切换门店或部门，列表的范围与申请时不同，请重新导出"


def test_a_file_is_its_persons_alone(ask: Any, login: Any, run_outbox: Run) -> None:
    job = ask()
    run_outbox()
    answer = login("boss").get(f"/jobs/{job.id}/file")
    assert answer.status_code == 403
    assert "下载他人的结果文件" in answer.get_data(as_text=True)
    assert login("seller").get(f"/jobs/{job.id}/file").status_code == 404
    assert login("keeper").get(f"/jobs/{job.id}/file").status_code == 200


@pytest.mark.parametrize("change", ["permission", "mask", "store"])
def test_rights_are_looked_at_again_when_the_file_is_fetched(
    ask: Any, world: World, login: Any, run_outbox: Run, change: str
) -> None:
    job = ask()
    run_outbox()
    if change == "permission":
        take_away(world, ("can_export", "Customers"))
    elif change == "mask":
        grant(world, "manager", ("guard_customer_phone", "Guards"))
    else:
        move(world, "keeper", world.stores[1].id)
    answer = login("keeper").get(f"/jobs/{job.id}/file")
    assert answer.status_code == (403 if change == "permission" else 400)
    said = answer.get_data(as_text=True)
    assert ("无权限" if change == "permission" else "此文件不能再下载，请重新导出") in said


def test_files_expire(ask: Any, world: World, login: Any, run_outbox: Run) -> None:
    setting(world, "export.days", 1)
    job = ask()
    run_outbox()
    (done,) = jobs()
    assert done.expires_at is not None
    assert abs(done.expires_at - utcnow() - timedelta(days=1)) < timedelta(minutes=5)
    assert expire(db.session(), utcnow() + timedelta(hours=23)) == 0
    assert len(folder(job)) == 1
    assert expire(db.session(), utcnow() + timedelta(hours=25)) == 1
    assert folder(job) == []
    answer = login("keeper").get(f"/jobs/{job.id}/file")
    assert answer.status_code == 400
    assert "文件已过期删除，请重新执行任务" in answer.get_data(as_text=True)
    assert "（已过期）" in login("keeper").get(f"/jobs/{job.id}").get_data(as_text=True)


def test_the_clock_deletes_what_has_expired(ask: Any, run_outbox: Run) -> None:
    job = ask()
    run_outbox()
    db.session.execute(update(Job).values(expires_at=utcnow() - timedelta(minutes=1)))
    outbox.put(db.session(), "jobs.expire", {"slot": utcnow().isoformat()})
    run_outbox()
    assert folder(job) == []
    assert jobs()[0].file is None


def take_away(world: World, pair: tuple[str, str]) -> None:
    """Untick a permission of the manager."""
    from app.engine.audit import acting
    from models.identity import role_rules

    session = db.session()
    with acting(session):
        role = presets.preset_role(session, world.a.id, "manager")
        old = role_rules.rights_of(session, role.id)
        role_rules.give(session, role, role_rules.Rights(old.grants - {pair}, old.scopes))
        session.commit()


def move(world: World, who: str, store_id: int) -> None:
    """Somebody works in another store from now on."""
    from models.identity.rights import bump_epoch

    person = update(Employee.__table__).where(Employee.id == world.people[who].id).values(store_id=store_id)
    db.session.execute(person, execution_options={"audited": True})
    bump_epoch(db.session())
    db.session.commit()
