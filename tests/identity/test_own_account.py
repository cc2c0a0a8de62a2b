"""The own account: header, profile, password, store (D-01, D-03)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.perform import create, update
from models.identity.resources import Employees, Memberships, Positions
from models.identity.tables import Employee, Membership, Position
from tests.customers.world import PASSWORD, World
from tests.plugins.people import Login

NEW = "Rain&Tea2024"


def works_in(world: World, username: str, store: int, position: str = "") -> None:
    """Give a person a second place of work."""
    with acting(db.session()):
        job = None
        if position:
            job = Position(name=position, dealer_id=world.a.id)
            db.session.add(job)
            db.session.flush()
        db.session.add(
            Membership(
                user_id=world.people[username].id,
                store_id=world.stores[store].id,
                dealer_id=world.stores[store].dealer_id,
                position_id=job.id if job else None,
            )
        )
        db.session.commit()


@pytest.mark.spec("D-01")
def test_the_header_says_who_and_where(world: World, login: Login) -> None:
    with acting(db.session()):
        job = Position(name="家居顾问", dealer_id=world.a.id)
        db.session.add(job)
        db.session.flush()
        db.session.get_one(Employee, world.people["seller"].id).position_id = job.id
        db.session.commit()
    page = login("seller").get("/customers/").get_data(as_text=True)
    assert "导购甲-家居顾问 [TA11: 甲商场1店]" in page


@pytest.mark.spec("D-03")
def test_switching_the_store_changes_header_and_lists(world: World, login: Login) -> None:
    works_in(world, "keeper", 1, "驻店经理")
    here = world.customer("seller", name="一店客户")
    client = login("keeper")
    assert "切换门店" in client.get("/profile").get_data(as_text=True)
    assert here.code in client.get("/customers/?scope=store").get_data(as_text=True)
    assert "甲商场2店" in client.get("/profile/store").get_data(as_text=True)
    answer = client.post("/profile/store", data={"store": str(world.stores[1].id)}, follow_redirects=True)
    assert "已切换到 TA12: 甲商场2店" in answer.get_data(as_text=True)
    page = client.get("/customers/?scope=store").get_data(as_text=True)
    assert here.code not in page and "店长甲-驻店经理 [TA12: 甲商场2店]" in page


@pytest.mark.spec("D-03")
def test_position_and_department_are_those_of_the_store_one_is_in(world: World, login: Login) -> None:
    works_in(world, "keeper", 1, "驻店经理")
    keeper = world.people["keeper"].id
    own, _ = create(Positions, {"name": "总店长"}, world.actor("boss"))
    update(Employees, keeper, {"position_id": own.id}, world.actor("boss"))
    client = login("keeper")
    for store, position in ((1, "驻店经理"), (0, "总店长"), (1, "驻店经理")):
        client.post("/profile/store", data={"store": str(world.stores[store].id)})
        assert world.actor("keeper").position == position
    here = db.session.scalars(
        select(Membership).where(Membership.user_id == keeper, Membership.store_id == world.stores[1].id)
    ).one()
    update(Memberships, here.id, {"position_id": own.id}, world.actor("boss"))
    assert world.actor("keeper").position == "总店长"


@pytest.mark.spec("D-03")
@pytest.mark.parametrize("store", [1, 2])
def test_nobody_switches_to_a_store_he_does_not_work_in(world: World, login: Login, store: int) -> None:
    client = login("keeper")
    answer = client.post("/profile/store", data={"store": str(world.stores[store].id)})
    assert answer.status_code == 400 and "您未在该门店任职" in answer.get_data(as_text=True)
    assert client.post("/profile/store", data={"store": "x"}).status_code == 400
    assert "切换门店" not in client.get("/profile").get_data(as_text=True)
    assert db.session.get_one(Employee, world.people["keeper"].id).store_id == world.stores[0].id


def test_a_membership_of_another_dealer_is_no_way_in(world: World, login: Login) -> None:
    works_in(world, "keeper", 2)
    answer = login("keeper").post("/profile/store", data={"store": str(world.stores[2].id)})
    assert answer.status_code == 400
    assert world.actor("keeper").dealer_id == world.a.id


def change(client, old: str = PASSWORD, new: str = NEW, repeat: str | None = None):
    """Submit the form for a new password."""
    return client.post(
        "/profile/password", data={"old": old, "new": new, "repeat": new if repeat is None else repeat}
    )


def test_a_new_password_ends_other_sessions_and_keeps_this_one(world: World, login: Login, client) -> None:
    other = login("seller")
    client.post("/login", data={"username": "seller", "password": PASSWORD})
    assert change(client).status_code == 302
    assert client.get("/customers/").status_code == 200
    assert other.get("/customers/").status_code == 302
    wrong = client.post("/logout")
    assert wrong.status_code == 302
    assert client.post("/login", data={"username": "seller", "password": PASSWORD}).status_code == 401
    assert client.post("/login", data={"username": "seller", "password": NEW}).status_code == 302
    history = login("boss").get(f"/employees/{world.people['seller'].id}/history").get_data(as_text=True)
    assert "修改密码" in history and NEW not in history


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"old": "wrong"}, "原密码不正确"),
        ({"new": "short"}, "密码至少10位"),
        ({"new": "nodigitshere!A"}, "数字"),
        ({"repeat": "another"}, "两次输入的新密码不一致"),
        ({"new": PASSWORD}, "不能与原密码相同"),
    ],
)
def test_a_bad_password_is_refused_in_words(world: World, login: Login, form, message: str) -> None:
    client = login("seller")
    answer = change(client, **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and message in page
    assert PASSWORD not in page and NEW not in page
    assert client.get("/customers/").status_code == 200


def test_the_profile_names_roles_and_stores(world: World, login: Login) -> None:
    page = login("seller").get("/profile").get_data(as_text=True)
    assert all(words in page for words in ("导购甲", "seller", "甲商场", "TA11: 甲商场1店", "导购"))


@pytest.mark.parametrize("address", ["/profile", "/profile/password", "/profile/store"])
def test_nobody_signed_in_is_sent_to_the_login(client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302 and answer.location.startswith("/login")
