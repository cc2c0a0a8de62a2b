"""组织人员管理: accounts, their roles and their end (A-70, A-104, A-114, D-14)."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Forbidden, Invalid, NotFound, Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.perform import create, perform, update
from models.identity import accounts, passwords
from models.identity.resources import Dealers, Employees
from models.identity.tables import Employee, Membership
from tests.customers.world import PASSWORD, World, grant
from tests.identity.editor import role
from tests.plugins.people import Login


def new_person(world: World, by: str = "boss", **values: object) -> Employee:
    """Make an account as that administrator would."""
    given = {"username": "newcomer", "name": "新人", "stores": [world.stores[0].id], "roles": []} | values
    made, act = create(Employees, given, world.actor(by))
    made.told = act.told
    return made


def enter(client: object, username: str, password: str) -> int:
    """Sign in through the form."""
    return client.post("/login", data={"username": username, "password": password}).status_code  # type: ignore[attr-defined]


@pytest.mark.spec("A-114")
def test_the_administrator_makes_an_account_that_can_sign_in(world: World, login: Login, client) -> None:
    form = {
        "username": "xin.ren",
        "name": "新人",
        "phone": " 138-0000-0009 ",
        "stores": [str(world.stores[0].id), str(world.stores[1].id)],
        "roles": [str(role(world.a.id, "consultant").id)],
        "initial_password": "Rain&Tea2024",
    }
    answer = login("boss").post("/employees/new", data=form)
    assert answer.status_code == 302
    made = db.session.scalars(select(Employee).where(Employee.username == "xin.ren")).one()
    assert (made.phone, made.dealer_id, made.store_id) == ("13800000009", world.a.id, world.stores[0].id)
    assert made.password != "Rain&Tea2024"
    assert enter(client, "xin.ren", "Rain&Tea2024") == 302
    assert client.get("/customers/").status_code == 200
    assert world.actor("xin.ren").can("can_add", "Customers")


def test_without_a_password_one_is_made_up_and_told_once(world: World, client) -> None:
    made = new_person(world)
    told = re.search(r"密码为 (\S+) ，", made.told[0])
    assert told is not None and passwords.weakness(told[1]) == ""
    assert enter(client, "newcomer", told[1]) == 302
    assert told[1] not in str(db.session.execute(select(AuditEntry.changes)).all())


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"username": "SELLER"}, "username", "已存在"),
        ({"username": "有空格 的"}, "username", "登录名"),
        ({"phone": "12345"}, "phone", "手机号码格式不正确"),
        ({"initial_password": "short1A!"}, "initial_password", "至少10位"),
        ({"initial_password": "alllowercase1!"}, "initial_password", "大写字母"),
        ({"initial_password": "Newcomer-2024!"}, "initial_password", "不能包含登录名"),
    ],
)
def test_wrong_input_is_named_by_its_field(world: World, values, field: str, message: str) -> None:
    with pytest.raises(Invalid) as wrong:
        new_person(world, **values)
    assert message in wrong.value.errors[field]


def test_a_wrong_form_keeps_what_was_typed_but_no_password(world: World, login: Login) -> None:
    form = {"username": "seller", "name": "<b>同名</b>", "initial_password": "Rain&Tea2024"}
    answer = login("boss").post("/employees/new", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "登录名“seller”已存在" in page and "&lt;b&gt;同名&lt;/b&gt;" in page
    assert "Rain&amp;Tea2024" not in page and "Rain&Tea2024" not in page


@pytest.mark.parametrize("way", ["new", "reset"])
def test_a_made_up_password_is_in_no_cookie(app: Flask, world: World, login: Login, client, way: str) -> None:
    """The session is signed, not encrypted: it can be read in the browser until the next page."""
    boss = login("boss")
    if way == "new":
        answer = boss.post("/employees/new", data={"username": "newcomer", "name": "新人"})
    else:
        answer = boss.post("/employees/action/reset_password", data={"id": world.people["seller"].id})
    page = answer.get_data(as_text=True)
    told = re.search(r"密码为 (\S+) ，", html.unescape(page))
    assert answer.status_code == 200 and told is not None
    with boss.session_transaction() as session:
        assert told[1] not in str(dict(session))
    assert told[1] not in html.unescape(boss.get("/employees/").get_data(as_text=True))
    assert enter(client, "newcomer" if way == "new" else "seller", told[1]) == 302


def test_two_people_may_have_the_same_phone(world: World) -> None:
    new_person(world, phone="13800000009")
    new_person(world, username="second", phone="13800000009")
    assert db.session.scalar(select(func.count()).where(Employee.phone == "13800000009")) == 2


@pytest.mark.spec("A-114")
def test_a_change_of_roles_acts_at_the_next_click(world: World, login: Login) -> None:
    client = login("seller")
    assert client.get("/tags/").status_code == 403
    update(
        Employees, world.people["seller"].id, {"roles": [role(world.a.id, "admin").id]}, world.actor("boss")
    )
    assert client.get("/tags/").status_code == 200
    update(Employees, world.people["seller"].id, {"roles": []}, world.actor("boss"))
    assert client.get("/tags/").status_code == 403
    assert client.get("/customers/").status_code == 403


@pytest.mark.spec("A-116")
def test_the_history_names_the_roles(world: World, login: Login) -> None:
    seller = world.people["seller"]
    update(Employees, seller.id, {"roles": [role(world.a.id, "designer").id]}, world.actor("boss"))
    page = login("boss").get(f"/employees/{seller.id}/history").get_data(as_text=True)
    assert "导购" in page and "设计师" in page and "总管" in page


def test_nobody_hands_out_more_than_he_has(world: World) -> None:
    grant(world, "manager", ("can_edit", "Employees"))
    seller = world.people["seller"].id
    keeper = world.actor("keeper")
    with pytest.raises(Invalid, match="超出自己权限"):
        update(Employees, seller, {"roles": [role(world.a.id, "admin").id]}, keeper)
    update(Employees, seller, {"roles": [role(world.a.id, "designer").id]}, keeper)


def test_roles_the_group_keeps_are_not_handed_out_by_a_dealer(world: World, login: Login) -> None:
    group = role(None, "group_admin")
    with pytest.raises(Invalid, match="只能由集团分配"):
        update(Employees, world.people["seller"].id, {"roles": [group.id]}, world.actor("boss"))
    answer = login("boss").post(
        f"/employees/{world.people['seller'].id}/edit", data={"name": "导购甲", "roles": [str(group.id)]}
    )
    assert answer.status_code == 400
    update(Employees, world.people["seller"].id, {"roles": [group.id]}, world.actor("admin"))
    with pytest.raises(Refusal, match="由集团管理"):
        update(Employees, world.people["seller"].id, {"name": "改名"}, world.actor("boss"))
    with pytest.raises(Refusal, match="由集团管理"):
        perform(accounts.reset_password, [world.people["seller"].id], world.actor("boss"))


def test_a_dealer_keeps_an_administrator(world: World) -> None:
    boss = world.people["boss"].id
    with pytest.raises(Refusal, match="不能移除自己的管理权限"):
        update(Employees, boss, {"roles": []}, world.actor("boss"))
    with pytest.raises(Refusal, match="唯一能管理角色的人"):
        update(Employees, boss, {"roles": []}, world.actor("admin"))
    with pytest.raises(Refusal, match="不能停用自己"):
        perform(accounts.deactivate, [boss], world.actor("boss"))
    with pytest.raises(Refusal, match="唯一能管理角色的人"):
        perform(accounts.deactivate, [boss], world.actor("admin"))


@pytest.mark.spec("D-14")
def test_people_of_another_dealer_are_out_of_reach(world: World, login: Login) -> None:
    theirs = world.people["outsider"].id
    boss = world.actor("boss")
    client = login("boss")
    assert client.get(f"/employees/{theirs}").status_code == 404
    assert "导购丙" not in client.get("/employees/").get_data(as_text=True)
    with pytest.raises(NotFound):
        update(Employees, theirs, {"name": "改名"}, boss)
    with pytest.raises(NotFound):
        perform(accounts.reset_password, [theirs], boss)
    answer = client.post(
        "/employees/new", data={"username": "x1", "name": "甲", "stores": [str(world.stores[2].id)]}
    )
    assert answer.status_code == 400 and "请从列表中选择" in answer.get_data(as_text=True)


def test_a_reset_password_ends_what_is_signed_in_and_opens_a_locked_account(
    world: World, login: Login, client
) -> None:
    seller = world.people["seller"]
    working = login("seller")
    for _ in range(5):
        enter(client, "seller", "wrong")
    assert enter(client, "seller", PASSWORD) == 401
    report = perform(accounts.reset_password, [seller.id], world.actor("boss"), {"password": "Rain&Tea2024"})
    assert report.messages == ("密码已重置，该账号的其他登录已失效",)
    assert working.get("/customers/").status_code == 302
    assert enter(client, "seller", "Rain&Tea2024") == 302
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "reset_password")).one()
    assert entry.record_label.startswith("导购甲") and "Rain" not in str(entry.changes)
    with pytest.raises(Invalid, match="至少10位"):
        perform(accounts.reset_password, [seller.id], world.actor("boss"), {"password": "short"})


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(world: World, login: Login, client) -> None:
    seller = world.people["seller"]
    working = login("seller")
    perform(accounts.deactivate, [seller.id], world.actor("boss"))
    assert working.get("/customers/").status_code == 302
    assert enter(client, "seller", PASSWORD) == 401
    with pytest.raises(Refusal, match="已停用"):
        perform(accounts.deactivate, [seller.id], world.actor("boss"))
    perform(accounts.activate, [seller.id], world.actor("boss"))
    assert enter(client, "seller", PASSWORD) == 302


def test_the_people_of_a_closed_dealer_are_out(world: World, login: Login) -> None:
    working = login("outsider")
    assert working.get("/customers/").status_code == 200
    dealer, _ = update(Dealers, world.b.id, {"active": False}, world.actor("admin"))
    assert dealer.active is False
    assert working.get("/customers/").status_code == 302
    assert login("seller").get("/customers/").status_code == 200


def test_leaving_the_current_store_moves_the_person_to_another(world: World) -> None:
    made = new_person(world, stores=[world.stores[0].id, world.stores[1].id])
    update(Employees, made.id, {"stores": [world.stores[1].id]}, world.actor("boss"))
    db.session.expire_all()
    assert db.session.get_one(Employee, made.id).store_id == world.stores[1].id
    rows = db.session.scalars(select(Membership).where(Membership.user_id == made.id)).all()
    assert [(m.store_id, m.dealer_id) for m in rows] == [(world.stores[1].id, world.a.id)]


def test_the_page_of_people_needs_its_right(world: World, login: Login) -> None:
    assert login("seller").get("/employees/").status_code == 403
    with pytest.raises(Forbidden):
        new_person(world, by="seller")
    assert login("keeper").get("/employees/").status_code == 200
