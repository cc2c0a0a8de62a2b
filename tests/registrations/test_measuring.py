"""Sending designers to measure the homes of leads (E-72, E-73)."""

from __future__ import annotations

import io
import re
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.engine import files
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal
from app.engine.audit import acting
from app.engine.cells import full
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.localtime import local
from app.engine.perform import perform, remove
from app.engine.resource import resource
from models.customers.track import TrackAct, TrackEvent
from models.follow_ups.tables import Task, TaskKind, TaskState
from models.identity import presets
from models.identity.tables import Employee
from models.notifications.tables import Notification
from models.registrations import measuring, tracking
from models.registrations.tables import Measuring, MeasuringState, Progress, Registration
from tests.customers.world import PASSWORD, grant, words
from tests.plugins.people import Login
from tests.registrations.leads import given_to
from tests.registrations.world import Channel

COMPLETE = "/registration-measuring/complete"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
PDF = b"%PDF-1.7\n" + b"\0" * 64


@pytest.fixture
def world(channel: Channel) -> Channel:
    """The channel's people; the manager works with the first worker's leads."""
    channel.grant_leads("chief", "worker1")
    return channel


def soon(days: int = 2) -> datetime:
    """A time to come, as people type it: without seconds."""
    return (utcnow() + timedelta(days=days)).replace(second=0, microsecond=0)


def send(world: Channel, found: Registration, by: str = "chief", **more: Any) -> Measuring:
    """Dispatch the designer."""
    values = {"designer": world.people["drawer"].id, "planned_at": soon(), **more}
    world.act("dispatch", found, by, **values)
    return dispatches(found)[-1]


def dispatches(found: Registration) -> list[Measuring]:
    """Those of the lead, oldest first."""
    db.session.rollback()
    mine = Measuring.registration_id == found.id
    return list(db.session.scalars(select(Measuring).where(mine).order_by(Measuring.id)))


def task_of(one: Measuring) -> Task:
    """The designer's duty."""
    db.session.rollback()
    return db.session.get_one(Task, one.task_id)


def heard(world: Channel, user: str) -> list[str]:
    """What that person was told."""
    db.session.rollback()
    mine = Notification.user_id == world.people[user].id
    return list(db.session.scalars(select(Notification.title).where(mine).order_by(Notification.id)))


def kept() -> set[Path]:
    """The files that are kept."""
    return {p for p in files.folder().rglob("*") if p.is_file()}


def upload(client: FlaskClient, one: Measuring, content: bytes, name: str, **more: Any) -> Any:
    """Complete with a file."""
    data = {
        "id": str(one.id), "measured_on": local(utcnow()).date().isoformat(), "result": "三房，层高2.8米",
        "attachment": (io.BytesIO(content), name), **more,
    }  # fmt: skip
    return client.post(COMPLETE, data=data, content_type="multipart/form-data")


# ----- the dispatch


@pytest.mark.spec("E-72")
def test_a_dispatch_stands_on_the_lead_and_changes_no_progress(world: Channel, login: Login) -> None:
    found = world.lead()
    given_to(world, found)
    client = login("chief")
    listed = client.get("/registrations/").get_data(as_text=True)
    (item,) = re.findall(r'<button[^>]*data-url="([^"]*)"[^>]*data-act="dispatch"', listed)
    form = client.get(f"{item}?id={found.id}").get_data(as_text=True)
    assert "量房设计师" in form and "计划量房时间" in form
    at = soon()
    data = {
        "id": found.id, "designer": world.people["drawer"].id, "remark": "先电话联系",
        "planned_at": local(at).strftime("%Y-%m-%dT%H:%M"),
    }  # fmt: skip
    assert client.post(item, data=data).status_code == 302
    (one,) = dispatches(found)
    assert (one.designer_id, one.planned_at, one.state) == (
        world.people["drawer"].id, at, MeasuringState.WAITING,
    )  # fmt: skip
    page = words(client.get(f"/registrations/{found.id}").get_data(as_text=True))
    assert "设计师甲" in page and "待量房" in page
    lead_now = db.session.get_one(Registration, found.id)
    assert lead_now.progress == Progress.ASSIGNED
    task = task_of(one)
    assert (task.kind, task.owner_id, task.due_at, task.state) == (
        TaskKind.MEASURE, world.people["drawer"].id, at, TaskState.OPEN,
    )  # fmt: skip


@pytest.mark.spec("E-72")
def test_a_registrant_with_the_permission_sends_one_himself(world: Channel) -> None:
    found = world.lead()
    with pytest.raises(Forbidden):
        send(world, found, "typist")
    assert send(world, found, "worker1").dispatcher_id == world.people["worker1"].id


@pytest.mark.spec("E-72")
def test_without_the_right_it_is_grey_and_refused(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("typist")
    listed = client.get("/registrations/").get_data(as_text=True)
    (item,) = re.findall(r'<button[^>]*data-act="dispatch"[^>]*>', listed)
    assert 'aria-disabled="true"' in item
    assert client.get(f"/registrations/action/dispatch?id={found.id}").status_code == 403


@pytest.mark.spec("E-73")
def test_designer_and_time_to_come_are_required(world: Channel, login: Login) -> None:
    found = world.lead()
    client = login("chief")
    empty = client.post("/registrations/action/dispatch", data={"id": found.id})
    said = empty.get_data(as_text=True)
    assert empty.status_code == 400 and "请选择量房设计师" in said and "请选择计划量房时间" in said
    data = {"id": found.id, "designer": world.people["drawer"].id, "planned_at": "2020-01-01T09:00"}
    past = client.post("/registrations/action/dispatch", data=data)
    assert past.status_code == 400 and "请选择将来的时间" in past.get_data(as_text=True)
    with pytest.raises(Invalid, match="请选择将来的时间"):
        world.act("dispatch", found, "chief", designer=world.people["drawer"].id, planned_at=utcnow())
    with pytest.raises(Refusal, match="只能选择本商场的员工"):
        world.act("dispatch", found, "chief", designer=world.people["outsider"].id, planned_at=soon())
    assert dispatches(found) == []


@pytest.mark.spec("E-73")
def test_a_second_one_while_one_is_open_is_refused(world: Channel) -> None:
    found = world.lead()
    first = send(world, found)
    with pytest.raises(Refusal, match="该客户线索已有待量房的派遣"):
        send(world, found)
    world.act("cancel_measuring", first, "chief", reason="客户出差")
    assert send(world, found).id != first.id
    assert db.session.scalar(select(func.count()).select_from(Task).where(Task.state == TaskState.OPEN)) == 1


@pytest.mark.spec("E-73")
def test_two_at_the_same_moment_are_one(world: Channel, app: Flask) -> None:
    found = world.lead()
    number, actor, designer, at = found.id, world.actor("chief"), world.people["drawer"].id, soon()
    db.session.commit()
    start, said = threading.Barrier(2), []

    def press() -> None:
        with app.app_context():
            start.wait()
            try:
                perform(measuring.dispatch, [number], actor, {"designer": designer, "planned_at": at})
                said.append("")
            except Refusal as refusal:
                said.append(refusal.message)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["", "该客户线索已有待量房的派遣"]
    assert len(dispatches(found)) == 1


# ----- the designer


@pytest.mark.spec("E-73")
def test_the_designer_is_told_and_sees_what_he_needs_without_seeing_leads(
    world: Channel, login: Login
) -> None:
    found = world.lead(phone="13912345678")
    one = send(world, found, remark="带激光尺")
    when = full(local(one.planned_at))
    assert heard(world, "drawer") == [f"周经理派您为客户张女士量房：{when}"]
    assert heard(world, "worker1") == []
    client = login("drawer")
    assert client.get(f"/registrations/{found.id}").status_code == 403
    message = db.session.scalars(
        select(Notification.id).where(Notification.user_id == world.people["drawer"].id)
    ).one()
    assert client.get(f"/notifications/{message}").location == f"/measurings/{one.id}"
    page = words(client.get(f"/measurings/{one.id}").get_data(as_text=True))
    for needed in ("张女士", "13912345678", "杭州市星湖小区3栋502", "带激光尺"):
        assert needed in page
    assert "张女士" in client.get("/measurings/?scope=related").get_data(as_text=True)
    assert "张女士" in client.get("/tasks/").get_data(as_text=True)
    assert login("worker2").get(f"/measurings/{one.id}").status_code == 404


def test_the_number_goes_through_the_gate(world: Channel, login: Login) -> None:
    one = send(world, world.lead(phone="13912345678"))
    grant(world, "designer", ("guard_customer_phone", "Guards"))
    client = login("drawer")
    for url in (f"/measurings/{one.id}", "/measurings/?scope=related", f"{COMPLETE}?id={one.id}"):
        page = client.get(url).get_data(as_text=True)
        assert "139****5678" in page and "13912345678" not in page


def test_the_designer_goes_by_what_is_corrected_meanwhile(world: Channel) -> None:
    found = world.lead()
    one = send(world, found)
    world.change(found, "worker1", room="3栋520", phone="13999999999")
    (one,) = dispatches(found)
    assert (one.address, one.phone) == ("杭州市星湖小区3栋520", "13999999999")
    world.act("complete_measuring", one, "drawer", measured_on=local(utcnow()).date(), result="好")
    world.change(db.session.get_one(Registration, found.id), "worker1", room="9栋")
    assert dispatches(found)[0].address == "杭州市星湖小区3栋520"


# ----- how it ends


@pytest.mark.spec("E-73")
def test_completing_keeps_date_result_and_attachment_and_settles_the_task(
    world: Channel, login: Login
) -> None:
    found = world.lead()
    one = send(world, found)
    client = login("drawer")
    form = client.get(f"{COMPLETE}?id={one.id}").get_data(as_text=True)
    assert f'value="{local(utcnow()).date()}"' in form and 'type="file"' in form
    answer = upload(client, one, PNG, "户型 图.png")
    assert answer.location == f"/measurings/{one.id}"
    (one,) = dispatches(found)
    assert (one.state, one.result, one.measured_on) == (
        MeasuringState.DONE, "三房，层高2.8米", local(utcnow()).date(),
    )  # fmt: skip
    task = task_of(one)
    assert (task.state, task.result) == (TaskState.DONE, "三房，层高2.8米") and task.done_at is not None
    page = client.get(f"/measurings/{one.id}").get_data(as_text=True)
    (url,) = re.findall(r'href="(/registration-measuring/file[^"]*)"', page)
    got = client.get(url)
    assert got.data == PNG and "attachment" in got.headers["Content-Disposition"]
    assert got.headers["Cache-Control"] == "no-store"
    assert heard(world, "worker1") == ["设计师甲完成了客户张女士的量房"]
    assert login("worker1").get(url).data == PNG
    assert login("worker2").get(url).status_code == 404
    assert login("outsider").get(url).status_code == 403
    assert db.session.get_one(Registration, found.id).progress == Progress.REGISTERED


@pytest.mark.spec("E-73")
@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "空.png", "文件是空的"),
        (b"<script>alert(1)</script>", "图.png", "请上传照片（jpg、png、webp）或 PDF 文件"),
        (PDF + b"\0" * (10 * 1024 * 1024), "大.pdf", "文件超过 10 MB，请压缩后重试"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(
    world: Channel, login: Login, content: bytes, name: str, said: str
) -> None:
    found = world.lead()
    one, before = send(world, found), kept()
    answer = upload(login("drawer"), one, content, name)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and said in page and "三房，层高2.8米" in page
    assert dispatches(found)[0].state == MeasuringState.WAITING
    assert kept() == before


@pytest.mark.spec("E-73")
def test_a_refusal_keeps_no_file(world: Channel, login: Login) -> None:
    one, before = send(world, world.lead()), kept()
    tomorrow = (local(utcnow()) + timedelta(days=1)).date().isoformat()
    answer = upload(login("drawer"), one, PNG, "图.png", measured_on=tomorrow)
    assert answer.status_code == 400 and "量房日期不能晚于今天" in answer.get_data(as_text=True)
    assert kept() == before


def test_a_file_is_called_what_it_is(world: Channel, login: Login) -> None:
    found = world.lead()
    upload(login("drawer"), send(world, found), PDF, "../../图纸.exe")
    assert dispatches(found)[0].attachment_name == "图纸.pdf"


@pytest.mark.spec("E-73")
def test_cancelling_asks_for_the_reason_and_settles_the_task(world: Channel, login: Login) -> None:
    found = world.lead()
    one = send(world, found)
    answer = login("chief").post("/measurings/action/cancel_measuring", data={"id": one.id})
    assert answer.status_code == 400 and "请填写取消原因" in answer.get_data(as_text=True)
    world.act("cancel_measuring", one, "chief", reason="客户改期")
    (one,) = dispatches(found)
    assert (one.state, one.cancel_reason) == (MeasuringState.CANCELLED, "客户改期")
    assert task_of(one).state == TaskState.CANCELLED
    assert heard(world, "drawer")[-1] == "周经理取消了客户张女士的量房"
    for name, form in (
        ("complete_measuring", {"measured_on": local(utcnow()).date(), "result": "x"}),
        ("cancel_measuring", {"reason": "x"}),
    ):
        with pytest.raises(Refusal):
            world.act(name, one, "chief", **form)
    with pytest.raises(Refusal, match="该派遣已取消，不能修改"):
        world.change(one, "chief", remark="x")


@pytest.mark.spec("E-73")
def test_the_task_settles_the_dispatch(world: Channel) -> None:
    done, off = world.lead(), world.lead()
    one, two = send(world, done), send(world, off)
    world.act("complete", task_of(one), "drawer", result="两房")
    world.act("cancel", task_of(two), "drawer")
    (one,) = dispatches(done)
    assert (one.state, one.result, one.measured_on) == (MeasuringState.DONE, "两房", local(utcnow()).date())
    (two,) = dispatches(off)
    assert (two.state, two.cancel_reason) == (MeasuringState.CANCELLED, "任务已取消")
    assert "设计师甲完成了客户张女士的量房" in heard(world, "worker1")


def second_designer(world: Channel) -> Employee:
    """A colleague of the designer."""
    session = db.session()
    with acting(session):
        found = presets.add_person(
            session, dealer_id=world.a.id, username="drawer2", name="设计师乙", password=PASSWORD,
            roles=[presets.preset_role(session, world.a.id, "designer")], stores=[world.stores[0]],
        )  # fmt: skip
        presets.bump_epoch(session)
        session.commit()
    world.people["drawer2"] = found
    return found


@pytest.mark.spec("E-73")
def test_another_time_and_another_designer_go_to_the_task_too(world: Channel, login: Login) -> None:
    found = world.lead()
    other = second_designer(world)
    one = send(world, found)
    later = soon(5)
    world.change(one, "chief", planned_at=later)
    assert task_of(one).due_at == later
    assert heard(world, "drawer")[-1] == f"周经理将客户张女士的量房改约至{full(local(later))}"
    with pytest.raises(Invalid, match="请选择将来的时间"):
        world.change(one, "chief", planned_at=utcnow() - timedelta(days=1))
    world.change(one, "chief", designer_id=other.id)
    assert task_of(one).owner_id == other.id
    assert heard(world, "drawer")[-1] == "周经理将客户张女士的量房改派他人"
    assert heard(world, "drawer2") == [f"周经理派您为客户张女士量房：{full(local(later))}"]
    assert login("drawer").get(f"/measurings/{one.id}").status_code == 404
    assert "设计师乙" in login("drawer2").get(f"/measurings/{one.id}").get_data(as_text=True)


def test_what_changes_on_the_task_changes_here(world: Channel) -> None:
    found = world.lead()
    other = second_designer(world)
    task = task_of(send(world, found))
    later = soon(7)
    world.change(task, "drawer", due_at=later)
    assert dispatches(found)[0].planned_at == later
    report = world.act("change_owner", [task_of(dispatches(found)[0])], "boss", owner=other.id)
    assert dispatches(found)[0].designer_id == other.id
    from app.engine.undo import undo

    undo(resource("tasks"), report.deed_id, world.actor("boss"))
    assert dispatches(found)[0].designer_id == world.people["drawer"].id


def test_what_is_late_shows_as_such(world: Channel, login: Login) -> None:
    found, fresh = world.lead(name="迟来"), world.lead(name="早到")
    one = send(world, found)
    send(world, fresh)
    session = db.session()
    with deed(Act(world.actor("boss"), utcnow(), session)):
        session.get_one(Measuring, one.id).planned_at = utcnow() - timedelta(days=3, hours=1)
    client = login("worker1")
    assert "已逾期 3 天" in client.get(f"/measurings/{one.id}").get_data(as_text=True)
    late = client.get("/measurings/?view=overdue").get_data(as_text=True)
    assert "迟来" in late and "早到" not in late
    world.act("complete_measuring", one, "chief", measured_on=local(utcnow()).date(), result="量好")
    assert "已逾期 3 天" not in client.get(f"/measurings/{one.id}").get_data(as_text=True)


# ----- with the lead and the customer


def test_a_lead_somebody_is_on_the_way_to_is_not_deleted(world: Channel) -> None:
    found = world.lead()
    one = send(world, found)
    boss = world.actor("boss")
    with pytest.raises(Refusal, match="该客户线索已派遣设计师量房，请先取消派遣"):
        remove(resource("registrations"), found.id, boss)
    world.act("cancel_measuring", one, "chief", reason="不装修了")
    remove(resource("registrations"), found.id, boss)
    assert dispatches(found) == [] and task_of(one).state == TaskState.CANCELLED
    with pytest.raises(NotFound):
        remove(resource("registrations"), found.id, boss)


def test_a_measured_lead_is_not_deleted(world: Channel) -> None:
    found = world.lead()
    world.act(
        "complete_measuring", send(world, found), "chief", measured_on=local(utcnow()).date(), result="量好"
    )
    with pytest.raises(Refusal, match="该客户线索已量房，不能删除"):
        remove(resource("registrations"), found.id, world.actor("boss"))


def test_the_customers_service_track_has_the_measuring_once(world: Channel) -> None:
    found = world.lead()
    first = send(world, found)
    world.act("complete_measuring", first, "drawer", measured_on=local(utcnow()).date(), result="首次")
    customer = world.customer("seller", phone=found.phone)
    given_to(world, found, customer)
    session = db.session()
    for _ in range(2):
        with deed(Act(world.actor("keeper"), utcnow(), session)) as act:
            of = session.get_one(Registration, found.id)
            tracking.take_over(act, of, session.get_one(type(customer), customer.id))
    second = send(world, db.session.get_one(Registration, found.id))
    world.act("complete_measuring", second, "drawer", measured_on=local(utcnow()).date(), result="复尺")
    mine = (TrackEvent.customer_id == customer.id, TrackEvent.act == TrackAct.MEASURE)
    events = db.session.scalars(select(TrackEvent).where(*mine).order_by(TrackEvent.id)).all()
    assert [e.text for e in events] == ["首次", "复尺"]
    assert {e.by_id for e in events} == {world.people["drawer"].id}
