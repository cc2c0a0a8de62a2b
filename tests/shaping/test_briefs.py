"""Briefs of dashboards: at their time, once, to each reader with the own numbers, and left by one click."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine import clock
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.localtime import to_utc
from app.engine.outbox import Delivery
from app.engine.perform import create
from app.engine.resource import resource
from models.identity.presets import preset_role
from models.notifications.tables import Notification
from models.shaping import brief_delivery
from models.shaping.brief_tables import Brief, BriefLeaver, Cadence, Recipients
from models.shaping.dashboards import Board, Sharing
from tests.customers.world import World, words
from tests.shaping.test_dashboards import COUNT, SOURCE, board
from tests.shaping.test_templates import drop

EVENING = to_utc(datetime(2026, 11, 25, 20, 0))
MORNING = to_utc(datetime(2026, 11, 26, 8, 30))
DATA = {"cadence": "daily", "at": "08:30", "recipients": "myself"}


def brief(world: World, key: str, by: str = "boss", now: datetime = EVENING, **values: Any) -> Brief:
    """A subscription as that person makes it."""
    made, _ = create(resource("board_briefs"), {"board": key, **values}, world.actor(by), now=now)
    return made


def shared(world: World, *tiles: Any, **more: Any) -> Board:
    """A dashboard of everybody."""
    return board(world, *(tiles or ({**COUNT, "title": "新客户"}, SOURCE)), shared=Sharing.ALL, **more)


def pass_to(run_outbox: Any, *moments: datetime) -> None:
    """The clock comes to these moments, one after the other; what it starts is carried out."""
    session = db.session()
    for now in moments:
        clock.tick(session, now, {})
        run_outbox(now=now)


def messages(world: World, *people: str) -> list[Notification]:
    """The briefs these people got."""
    ids = [world.people[p].id for p in people]
    found = select(Notification).where(Notification.topic == "board.brief", Notification.user_id.in_(ids))
    return list(db.session.scalars(found.order_by(Notification.id)))


def said(message: Notification) -> str:
    """Everything a message says."""
    lines = [f"{i['title']} {i['note']}" for i in message.items or ()]
    return "\n".join([message.title, message.text, *lines])


def test_each_gets_the_own_numbers_at_the_time(world: World, run_outbox: Any) -> None:
    found = shared(world)
    for by, at in (("seller", EVENING), ("seller", EVENING), ("seller2", EVENING), ("seller", MORNING)):
        world.customer(by, now=at)
    manager = preset_role(db.session(), world.a.id, "manager").id
    brief(world, f"board-{found.id}", recipients=Recipients.ROLES, roles=[manager])
    brief(world, "manager", by="boss", cadence=Cadence.MONTHLY)
    pass_to(run_outbox, MORNING - timedelta(minutes=5))
    assert messages(world, "keeper", "boss") == []
    pass_to(run_outbox, MORNING, MORNING + timedelta(minutes=5))
    (message,) = messages(world, "keeper")
    assert message.title == "我的看板简报：昨日（2026-11-25）"
    assert "新客户 3位" in said(message) and message.kind.value == "daily"
    assert messages(world, "boss", "seller", "drawer") == [], "other roles, and not yet the month"
    assert message.groups is not None and "created_at.from=2026-11-25" in message.groups[0]["query"]
    pass_to(run_outbox, MORNING + timedelta(days=1))
    later = messages(world, "keeper")[-1]
    assert later.title.endswith("（2026-11-26）") and "新客户 1位" in said(later)


def test_a_missed_moment_is_made_up_for_once_and_never_twice(world: World, run_outbox: Any) -> None:
    found = shared(world)
    brief(world, f"board-{found.id}")
    pass_to(run_outbox, MORNING - timedelta(minutes=5), MORNING + timedelta(days=3, hours=5))
    (message,) = messages(world, "boss")
    assert message.title.endswith("（2026-11-28）"), "the newest of those that were missed"
    before = db.session.scalar(select(func.count()).select_from(Notification))
    for _ in range(2):
        with acting(db.session()):
            slot = {"slot": (MORNING + timedelta(days=3, hours=5)).isoformat()}
            brief_delivery.plan(Delivery(0, "briefs", slot, 1, utcnow(), db.session()))
            db.session.commit()
        run_outbox(now=MORNING + timedelta(days=3, hours=5))
    assert db.session.scalar(select(func.count()).select_from(Notification)) == before


def test_whoever_sees_nothing_gets_nothing(world: World, run_outbox: Any) -> None:
    found = shared(world)
    roles = [preset_role(db.session(), world.a.id, role).id for role in ("manager", "consultant")]
    brief(world, f"board-{found.id}", recipients=Recipients.ROLES, roles=roles)
    pass_to(run_outbox, MORNING - timedelta(minutes=5), MORNING)
    assert len(messages(world, "keeper")) == 1
    assert messages(world, "seller", "seller2", "outsider") == [], "consultants look at no charts"
    drop(world, "manager", ("can_chart", "Customers"))
    pass_to(run_outbox, MORNING + timedelta(days=1))
    assert len(messages(world, "keeper")) == 1
    with acting(db.session()):
        world.people["keeper"].active = False
        db.session.commit()
    pass_to(run_outbox, MORNING + timedelta(days=2))
    assert len(messages(world, "keeper")) == 1


def test_one_click_leaves_and_one_comes_back(world: World, login: Any, run_outbox: Any) -> None:
    found = shared(world)
    manager = preset_role(db.session(), world.a.id, "manager").id
    mine = brief(world, f"board-{found.id}", recipients=Recipients.ROLES, roles=[manager])
    pk = mine.id
    pass_to(run_outbox, MORNING - timedelta(minutes=5), MORNING)
    (message,) = messages(world, "keeper")
    keeper = login("keeper")
    page = keeper.get(f"/notifications/{message.id}").get_data(as_text=True)
    assert f'action="/board_briefs/{pk}/leave"' in page
    assert f'href="/boards/{found.id}?day.from=2026-11-25&amp;day.to=2026-11-25"' in page
    assert login("seller").post(f"/board_briefs/{pk}/leave").status_code == 404
    for _ in range(2):
        assert keeper.post(f"/board_briefs/{pk}/leave").status_code == 302
    assert len(db.session.scalars(select(BriefLeaver)).all()) == 1
    pass_to(run_outbox, MORNING + timedelta(days=1))
    assert len(messages(world, "keeper")) == 1
    page = keeper.get(f"/notifications/{message.id}").get_data(as_text=True)
    assert f'action="/board_briefs/{pk}/join"' in page
    assert keeper.post(f"/board_briefs/{pk}/join").status_code == 302
    assert keeper.post(f"/board_briefs/{pk}/join").status_code == 404
    pass_to(run_outbox, MORNING + timedelta(days=2))
    assert len(messages(world, "keeper")) == 2


def test_the_own_one_ends_with_a_click_and_with_its_dashboard(world: World, login: Any) -> None:
    found = shared(world)
    mine, other = (brief(world, f"board-{found.id}", by=by).id for by in ("keeper", "boss"))
    assert login("boss").post(f"/board_briefs/{mine}/leave").status_code == 404
    assert login("keeper").post(f"/board_briefs/{mine}/leave").status_code == 302
    assert [b.id for b in db.session.scalars(select(Brief))] == [other]
    assert login("boss").post(f"/boards/{found.id}/delete").status_code == 302
    assert db.session.scalars(select(Brief)).all() == []


@pytest.mark.sqlite_only
def test_it_is_asked_for_where_the_numbers_are(world: World, login: Any) -> None:
    found = shared(world, name="晨会")
    keeper = login("keeper")
    for url, key in ((f"/boards/{found.id}", f"board-{found.id}"), ("/dashboards/manager", "manager")):
        assert f"/board_briefs/new?board={key}" in keeper.get(url).get_data(as_text=True)
    form = keeper.get(f"/board_briefs/new?board=board-{found.id}").get_data(as_text=True)
    assert "晨会" in form and 'name="recipients"' not in form, "for others only with the right"
    answer = keeper.post("/board_briefs/new", data={**DATA, "board": f"board-{found.id}"})
    assert answer.status_code == 302
    made = db.session.scalars(select(Brief)).one()
    assert (made.name, made.owner_id, made.recipients) == (
        "晨会",
        world.people["keeper"].id,
        Recipients.MYSELF,
    )
    listed = words(keeper.get("/board_briefs/").get_data(as_text=True))
    assert "晨会" in listed and "每天" in listed
    page = login("boss").get("/board_briefs/new").get_data(as_text=True)
    assert 'name="recipients"' in page
    assert login("seller").get("/board_briefs/new").status_code == 403
    assert "/board_briefs/new" not in login("seller").get("/").get_data(as_text=True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"at": "25:00"}, "请填写时间，例如 08:30"),
        ({"at": ""}, "请填写时间"),
        ({"cadence": "monthly", "day": "31"}, "请从列表中选择"),
        ({"cadence": "monthly", "day": ""}, "请选择日期"),
        ({"cadence": "weekly", "weekday": ""}, "请选择星期"),
        ({"board": "board-999"}, "看板"),
        ({"recipients": "roles"}, "接收角色"),
    ],
)
def test_wrong_input_is_said_beside_the_field(
    world: World, login: Any, more: dict[str, str], sentence: str
) -> None:
    data = {**DATA, "board": "manager", **more}
    answer = login("boss").post("/board_briefs/new", data=data)
    assert answer.status_code == 400 and sentence in answer.get_data(as_text=True)
    assert db.session.scalars(select(Brief)).all() == []


@pytest.mark.sqlite_only
def test_a_personal_dashboard_is_no_brief_for_others(world: World) -> None:
    mine = board(world, SOURCE)
    manager = preset_role(db.session(), world.a.id, "manager").id
    with pytest.raises(Exception, match="该看板仅自己可见"):
        brief(world, f"board-{mine.id}", recipients=Recipients.ROLES, roles=[manager])
    with pytest.raises(Exception, match="没有这个看板"):
        brief(world, f"board-{mine.id}", by="keeper")
    with pytest.raises(Exception, match="您只能为自己订阅"):
        brief(world, "manager", by="keeper", recipients=Recipients.ROLES, roles=[manager])


@pytest.mark.sqlite_only
def test_it_can_be_looked_at_at_once(world: World, login: Any) -> None:
    world.customer(now=utcnow() - timedelta(days=1))
    made = brief(world, "manager")
    answer = login("boss").post("/board_briefs/action/send_brief", data={"id": made.id})
    assert answer.status_code == 302
    (message,) = messages(world, "boss")
    assert message.title.startswith("经理看板简报：昨日")
    page = words(login("boss").get(f"/notifications/{message.id}").get_data(as_text=True))
    assert "打开看板" in page and "退订" in page


@pytest.mark.sqlite_only
def test_a_new_time_counts_from_now(world: World, login: Any, run_outbox: Any) -> None:
    made = brief(world, "manager")
    data = {**DATA, "cadence": "weekly", "weekday": "4", "at": "09:00", "version": made.version}
    assert login("boss").post(f"/board_briefs/{made.id}/edit", data=data).status_code == 302
    db.session.refresh(made)
    assert (made.cadence, made.day) == (Cadence.WEEKLY, None)
    page = login("boss").get(f"/board_briefs/{made.id}").get_data(as_text=True)
    assert "周四" in page
    stale = login("boss").post(f"/board_briefs/{made.id}/edit", data=data)
    assert stale.status_code == 409
