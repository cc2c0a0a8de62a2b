"""Who hears of files and of customers in other hands."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.database import db
from models.notifications.tables import Notification
from models.notifications.telling import tell
from models.notifications.topics import CUSTOMER
from tests.customers.world import World
from tests.plugins.people import Login
from tests.spec.reading import page


def told(world: World, user: str) -> list[Notification]:
    """That person's messages."""
    mine = Notification.user_id == world.people[user].id
    return list(db.session.scalars(select(Notification).where(mine).order_by(Notification.id)))


def titles(world: World, user: str) -> list[str]:
    """Their titles."""
    return [m.title for m in told(world, user)]


@pytest.mark.spec("A-38")
def test_a_file_made_for_somebody_is_told(world: World, login: Login) -> None:
    customer = world.customer("boss", name="张三", owner_id=world.people["seller"].id)
    (message,) = told(world, "seller")
    assert message.title == "总管建档了客户张三，请跟进" and titles(world, "boss") == []
    assert login("seller").get(f"/notifications/{message.id}").location == f"/customers/{customer.id}"


@pytest.mark.spec("A-56")
def test_a_batch_tells_both_people_once_each(world: World, login: Login) -> None:
    many = [world.customer(name=f"客户{n}") for n in range(37)]
    login("boss").post(
        "/customers/action/reassign", data={"id": [c.id for c in many], "owner": world.people["seller2"].id}
    )
    (given,) = told(world, "seller2")
    assert given.title == "总管将37位客户交给您" and given.amount == 37 and len(given.items or ()) == 37
    assert titles(world, "seller") == ["总管将您的37位客户转给了导购乙"]
    shown = page(login("seller2"), f"/notifications/{given.id}")
    assert f'href="/customers/{many[36].id}"' in shown and "客户36" in shown


@pytest.mark.spec("A-56")
def test_what_is_taken_back_is_told_to_both_as_well(world: World, login: Login) -> None:
    customers = [world.customer(name=f"客户{n}") for n in range(2)]
    there = world.people["seller2"].id
    batch = world.act("reassign", customers, "boss", owner=there)
    drawn = world.act("change_designer", customers, "boss", designer=world.people["drawer"].id)
    for report in (batch, drawn):
        login("boss").post(f"/customers/undo/{report.deed_id}")
    assert titles(world, "seller")[-1] == "总管将2位客户交给您"
    assert titles(world, "seller2")[-1] == "总管将您的2位客户转给了导购甲"
    assert titles(world, "drawer")[-1] == "总管将您的2位客户的设计师取消"


@pytest.mark.spec("A-56")
def test_what_was_refused_in_a_batch_is_not_told(world: World) -> None:
    """Each record has a savepoint, which takes its words along."""
    many = [world.order(world.customer(name=n)) for n in ("甲", "乙", "丙")]
    world.act("lose", many[1], reason="预算不足")
    report = world.act("finish", many, "boss")
    assert report.done == 2 and "总管完成了2个服务单" in titles(world, "seller")


def test_a_refused_deed_tells_nobody(world: World) -> None:
    from app.engine.actions import Refusal

    customer = world.customer(name="甲")
    with pytest.raises(Refusal):
        world.act("reassign", customer, "boss", owner=world.people["outsider"].id)
    assert titles(world, "seller") == [] == titles(world, "outsider")


def tell_of(act: Any, customer: Any, users: list[int], one: str, many: str) -> None:
    """Tell these people something about a customer, in these words."""
    tell(act, users, CUSTOMER, one, many, record=customer, label=customer.name, dealer_id=customer.dealer_id)


def test_a_savepoint_that_is_rolled_back_takes_its_words_along(app: Flask, world: World) -> None:
    from app.engine.actions import Act
    from app.engine.database import utcnow
    from app.engine.deeds import deed

    customer = world.customer(name="甲")
    act = Act(world.actor("boss"), utcnow(), db.session())
    users = [world.people["seller"].id]
    with deed(act):
        tell_of(act, customer, users, "一", "多{n}")
        inner = act.session.begin_nested()
        tell_of(act, customer, users, "二", "多{n}")
        inner.rollback()
    assert titles(world, "seller") == ["一"]


def test_one_deed_of_several_transactions_adds_to_its_message(app: Flask, world: World) -> None:
    from app.engine.actions import Act
    from app.engine.database import utcnow
    from app.engine.deeds import deed

    many = [world.customer(name=n) for n in "甲乙丙"]
    users = [world.people["seller"].id]
    for customer in many:
        act = Act(world.actor("boss"), utcnow(), db.session(), deed_id="0" * 32)
        with deed(act):
            tell_of(act, customer, users, f"交给您{customer.name}", "交给您{n}位")
    (message,) = told(world, "seller")
    assert (message.title, message.amount, message.resource) == ("交给您3位", 3, None)
    assert [i["id"] for i in message.items or ()] == [c.id for c in many]


@pytest.mark.spec("A-56")
def test_designer_and_salesperson_old_and_new_are_told(world: World) -> None:
    customer = world.customer(name="张三")
    world.act("change_designer", customer, "boss", designer=world.people["drawer"].id)
    world.act("change_designer", customer, "boss", designer=world.people["drawer"].id)
    world.act("change_designer", customer, "boss")
    assert titles(world, "drawer") == ["总管请您担任客户张三的设计师", "总管将客户张三的设计师取消"]
    world.act("change_salesperson", customer, "boss", salesperson=world.people["typist"].id)
    world.act("change_salesperson", customer, "boss", salesperson=world.people["keeper"].id)
    assert titles(world, "typist") == ["总管请您担任客户张三的业务员", "总管将客户张三的业务员改为店长甲"]


def test_files_read_in_from_another_system_are_no_news(world: World) -> None:
    from app.engine.perform import create
    from app.engine.resource import resource

    values = {"name": "旧客", "phone": world.next_phone(), "owner_id": world.people["seller"].id}
    create(resource("customers"), values, world.actor("boss"), source="load")
    assert titles(world, "seller") == []
