"""The duplicate policy as administrators set it: one engine for form, API and file."""

from __future__ import annotations

import pytest

from app.engine.actions import Invalid, Question, Refusal
from app.engine.perform import create
from app.engine.resource import resource
from models.customers.policy import Effect, Entrance, SameWithin, Told
from tests.customers.world import PHONE, World
from tests.plugins.people import Login


def rule(world: World, **values: object) -> None:
    """A row of the dealer's own."""
    row = {
        "entrance": Entrance.FORM,
        "within": SameWithin.DEALER,
        "effect": Effect.INSIST,
        "told": Told.OWNER,
    }
    world.make("duplicate_rules", "boss", **{**row, **values})


def test_a_dealer_may_refuse_duplicates_at_one_entrance(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    rule(world, effect=Effect.REFUSE)
    answer = login("seller").post("/customers/new", data={"name": "王先生", "phone": PHONE})
    assert answer.status_code == 400 and "此电话号码已建档，不允许重复建档" in answer.get_data(as_text=True)
    asked = login("seller").post("/api/v1/customers", json={"name": "王先生", "phone": PHONE})
    assert asked.status_code == 409
    assert asked.get_json()["question"]["heading"] == "此电话号码已建档，请选择建档标签"


def test_a_dealer_may_only_be_warned(world: World) -> None:
    world.customer(phone=PHONE)
    rule(world, effect=Effect.WARN)
    _, act = create(resource("customers"), {"name": "王先生", "phone": PHONE}, world.actor("seller"))
    assert act.warnings == ["本商场已有1位电话号码相同的客户"]


def test_a_dealer_may_look_within_the_store_only(world: World) -> None:
    world.customer(phone=PHONE)
    rule(world, within=SameWithin.STORE)
    world.customer(phone=PHONE, store_id=world.stores[1].id)
    with pytest.raises(Question) as asked:
        world.customer(phone=PHONE)
    assert "本门店已有1位" in asked.value.text


def test_a_dealer_may_tell_nothing_but_the_fact(world: World, login: Login) -> None:
    world.customer(phone=PHONE, name="钱女士")
    rule(world, told=Told.NOTHING)
    page = (
        login("seller2")
        .post("/customers/new", data={"name": "王先生", "phone": PHONE})
        .get_data(as_text=True)
    )
    assert "此电话号码已建档" in page and "钱女士" not in page


def test_one_row_per_entrance_and_the_groups_row_is_the_groups(world: World) -> None:
    from sqlalchemy import select

    from app.engine.database import db
    from models.customers.policy import DuplicateRule

    rule(world)
    with pytest.raises(Invalid, match="已有此项设置"):
        rule(world)
    preset = db.session.scalars(select(DuplicateRule).where(DuplicateRule.dealer_id.is_(None))).first()
    assert preset is not None
    with pytest.raises(Refusal, match="集团默认值不能修改"):
        world.change(preset, "boss", effect=Effect.WARN)


def test_an_edited_phone_is_checked_again(world: World) -> None:
    world.customer(phone=PHONE)
    other = world.customer()
    with pytest.raises(Question):
        world.change(other, phone=PHONE)
    world.change(other, phone=other.phone, name="未改号")
    with pytest.raises(Invalid, match="不能为空"):
        world.change(other, phone=None)
