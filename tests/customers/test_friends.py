"""The friend relation follows the file a day later (A-51)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.engine import clock, outbox
from app.engine.database import db, utcnow, writing
from models.customers.friends import FriendRelation, FriendState
from tests.customers.trade import many
from tests.customers.world import World, words
from tests.plugins.people import Login


def tick(at: datetime) -> None:
    """The clock comes to that moment and its work is done."""
    session = db.session()
    with writing(session):
        outbox.put(session, "friends.effective", {"slot": at.isoformat()}, now=at)
        session.commit()
    for row_id in session.scalars(
        select(outbox.OutboxRow.id).where(outbox.OutboxRow.done_at.is_(None))
    ).all():
        outbox.deliver(session, row_id, now=at)
    session.expire_all()


def relations(customer: Any) -> list[tuple[FriendState, int | None, int]]:
    """State, former and new friend of every change, oldest first."""
    mine = select(FriendRelation).where(FriendRelation.customer_id == customer.id).order_by(FriendRelation.id)
    return [(r.state, r.former_id, r.employee_id) for r in db.session.scalars(mine)]


@pytest.mark.spec("A-51")
def test_the_file_moves_at_once_and_the_friend_after_24_hours(world: World, login: Login) -> None:
    customer, now = world.customer(), utcnow()
    seller, other = world.people["seller"].id, world.people["seller2"].id
    world.act("hand_over", customer, by="boss", now=now, owner=other)
    assert customer.owner_id == other
    assert relations(customer) == [(FriendState.PENDING, seller, other)]
    page = words(login("boss").get(f"/customers/{customer.id}").text)
    assert "好友关系" in page and "待生效" in page
    tick(now + timedelta(hours=23, minutes=59))
    assert relations(customer) == [(FriendState.PENDING, seller, other)]
    tick(now + timedelta(hours=24))
    assert relations(customer) == [(FriendState.EFFECTIVE, seller, other)]
    tick(now + timedelta(hours=24))
    assert "已生效" in words(login("boss").get(f"/customers/{customer.id}").text)


@pytest.mark.spec("A-51")
def test_a_second_change_within_the_day_begins_with_the_friend_of_now(world: World) -> None:
    customer = world.customer()
    seller, other, drawer = (world.people[k].id for k in ("seller", "seller2", "drawer"))
    world.act("reassign", customer, by="boss", owner=other)
    world.act("reassign", customer, by="boss", owner=drawer)
    cancelled = (FriendState.CANCELLED, seller, other)
    assert relations(customer) == [cancelled, (FriendState.PENDING, seller, drawer)]
    world.act("reassign", customer, by="boss", owner=seller)
    assert relations(customer) == [cancelled, (FriendState.CANCELLED, seller, drawer)]


@pytest.mark.spec("A-51", "A-56")
def test_taken_back_in_time_it_never_takes_effect_and_later_it_takes_another_day(
    world: World, login: Login
) -> None:
    first, second = world.customer(), world.customer()
    now = utcnow()
    seller, other = world.people["seller"].id, world.people["seller2"].id
    early = world.act("reassign", first, by="boss", owner=other)
    login("boss").post(f"/customers/undo/{early.deed_id}")
    assert relations(first) == [(FriendState.CANCELLED, seller, other)]
    late = world.act("reassign", second, by="boss", now=now, owner=other)
    tick(now + timedelta(hours=25))
    login("boss").post(f"/customers/undo/{late.deed_id}")
    assert relations(second) == [(FriendState.EFFECTIVE, seller, other), (FriendState.PENDING, other, seller)]


def test_it_is_looked_at_every_five_minutes(world: World) -> None:
    assert clock.schedules()["friends.effective"] == clock.Every(5)
    many(world, 1)
    tick(utcnow())
    assert db.session.scalars(select(FriendRelation)).all() == []


def test_friends_are_seen_with_their_customer_only(world: World, login: Login) -> None:
    customer = world.customer()
    world.act("reassign", customer, by="boss", owner=world.people["seller2"].id)
    relation = db.session.scalar(select(FriendRelation.id))
    assert login("outsider").get(f"/friend_relations/{relation}").status_code in (403, 404)
    assert login("boss").get(f"/friend_relations/{relation}").status_code == 200
