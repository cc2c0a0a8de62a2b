"""A dealer does without an automation or a time rule of the group, or has its own in place of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine.actions import Invalid, Refusal
from app.engine.configured import past
from app.engine.configured.past import Asked
from app.engine.database import db
from app.engine.perform import remove, update
from app.engine.resource import resource
from models.clock_rules.book import rules_in_force
from models.clock_rules.tables import ClockRule
from models.identity import presets
from models.shaping.automation_tables import Automation
from tests.customers.world import PASSWORD, World, grant
from tests.plugins.people import Login
from tests.shaping.automations import SURE, automation, runs, setting, work
from tests.shaping.test_configuration_files import bring_in, export

pytestmark = pytest.mark.usefixtures("boss_b", "chief")


@pytest.fixture
def chief(world: World) -> None:
    """Somebody of the group, of no dealer."""
    session = db.session()
    presets.add_person(
        session, dealer_id=None, username="chief", name="集团", password=PASSWORD,
        roles=[presets.preset_role(session, None, "group_admin")],
    )  # fmt: skip
    session.commit()


def of_group(world: World, **values: Any) -> Automation:
    return automation(world, "chief", name="集团通用", **setting("address", "待补"), **values)


def filed(world: World, by: str) -> str | None:
    """The address of a new customer, once everything has followed."""
    customer = world.customer(by)
    work()
    db.session.refresh(customer)
    return customer.address  # type: ignore[no-any-return]


def own() -> Automation | None:
    found = select(Automation).where(Automation.dealer_id.is_not(None)).order_by(Automation.id)
    return db.session.scalars(found.execution_options(populate_existing=True)).first()


def test_a_dealer_does_without_and_takes_it_back(world: World, login: Login) -> None:
    made = of_group(world)
    page = login("boss").get(f"/automations/{made.id}").get_data(as_text=True)
    assert "在本商场停用" in page and "在本商场恢复" not in page and "action/pause" not in page
    assert "在本商场停用" not in login("chief").get(f"/automations/{made.id}").get_data(as_text=True)
    world.act("leave", made, "boss")
    assert (filed(world, "seller"), filed(world, "outsider")) == (None, "待补")
    page = login("boss").get(f"/automations/{made.id}").get_data(as_text=True)
    assert "在本商场恢复" in page and "在本商场停用" not in page
    with pytest.raises(Refusal, match="在本商场已停用"):
        world.act("leave", made, "boss")
    db.session.rollback()
    world.act("come_back", made, "boss")
    assert own() is None and filed(world, "seller") == "待补"


@pytest.mark.sqlite_only
def test_an_own_one_of_the_same_name_is_said_to_be_in_the_way(world: World) -> None:
    mine, made = automation(world, name="集团通用", **setting("remark", "甲")), of_group(world)
    with pytest.raises(Refusal, match="本商场已有同名的“集团通用”，请先修改它的名称"):
        world.act("leave", made, "boss")
    db.session.rollback()
    update(resource("automations"), mine.id, {"name": "本商场的"}, world.actor("boss"), answers=SURE)
    world.act("leave", made, "boss")
    assert filed(world, "seller") is None


def test_what_waits_is_not_done_any_more(world: World) -> None:
    made = of_group(world)
    customer = world.customer()
    world.act("leave", made, "boss")
    work()
    db.session.refresh(customer)
    assert customer.address is None
    assert runs() == [("skipped", "本商场已停用或替代此自动化")]


def test_an_own_one_takes_its_place_as_long_as_the_group_lets_it(world: World, login: Login) -> None:
    made = of_group(world)
    form = login("boss").get(f"/automations/new?copy={made.id}").get_data(as_text=True)
    assert 'value="待补"' in form and re.search(rf'name="replaces_id" value="{made.id}" checked', form)
    assert 'name="optional"' not in form
    assert 'name="optional"' in login("chief").get("/automations/new").get_data(as_text=True)
    mine = automation(world, name="本商场的", replaces_id=made.id, **setting("address", "本市"))
    assert (filed(world, "seller"), filed(world, "outsider")) == ("本市", "待补")
    with pytest.raises(Refusal, match="本商场以“本商场的”替代“集团通用”"):
        world.act("come_back", made, "boss")
    db.session.rollback()
    update(resource("automations"), made.id, {"optional": False}, world.actor("chief"), answers=SURE)
    assert filed(world, "seller") == "待补"
    with pytest.raises(Refusal, match="集团不允许商场停用“集团通用”"):
        world.act("leave", made, "boss")
    db.session.rollback()
    update(resource("automations"), made.id, {"optional": True}, world.actor("chief"), answers=SURE)
    world.act("leave", made, "boss")
    db.session.refresh(mine)
    assert not mine.active and filed(world, "seller") is None
    remove(resource("automations"), made.id, world.actor("chief"))
    db.session.refresh(mine)
    assert mine.replaces_id is None


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replaces_id": "mine"}, "只能由商场的自动化替代集团的自动化"),
        ({"replaces_id": "group", "subject": "contacts"}, "只能替代同一种对象的自动化"),
        ({"replaces_id": "kept"}, "集团不允许商场替代“必须”"),
        ({"replaces_id": "taken"}, "本商场已有替代它的自动化“占用”，请直接修改"),
    ],
)
def test_what_cannot_be_replaced_is_said_beside_the_field(
    world: World, values: dict[str, Any], sentence: str
) -> None:
    known = {"mine": automation(world, name="自己", **setting("remark", "甲")), "group": of_group(world)}
    for name, label, optional in (("kept", "必须", False), ("taken", "常用", True)):
        known[name] = automation(world, "chief", name=label, optional=optional, **setting("remark", "乙"))
    automation(world, name="占用", replaces_id=known["taken"].id, **setting("remark", "丙"))
    asked = {**values, "replaces_id": known[values["replaces_id"]].id}
    with pytest.raises(Invalid) as refused:
        automation(world, name="新的", **setting("remark", "丁"), **asked)
    assert refused.value.errors["replaces_id"] == sentence


@pytest.mark.sqlite_only
def test_only_a_dealer_does_without_one_of_the_group(world: World) -> None:
    made, mine = of_group(world), automation(world, name="自己", **setting("remark", "甲"))
    for by, row in (("chief", made), ("boss", mine)):
        with pytest.raises(Refusal, match="请直接停用或启用"):
            world.act("leave", row, by)
        db.session.rollback()
    with pytest.raises(Refusal, match="没有停用"):
        world.act("come_back", made, "boss")


def test_it_is_configuration_that_is_taken_back_and_travels(world: World) -> None:
    made, boss, session = of_group(world), world.actor("boss"), db.session()
    before = export(world)
    world.act("leave", made, "boss")
    text = export(world)
    assert '"of": "group"' in text and text != before
    past.undo(session, past.changes(session, boss, Asked(kind="automations"), 1), boss)
    assert export(world) == before and filed(world, "seller") == "待补"
    bring_in(world, text)
    assert export(world) == text and filed(world, "seller") is None


@pytest.mark.sqlite_only
def test_a_dealer_does_without_a_time_rule(world: World, login: Login) -> None:
    rule = db.session.scalars(
        select(ClockRule).where(ClockRule.active, ClockRule.dealer_id.is_(None))
    ).first()
    assert rule is not None
    assert "在本商场停用" in login("boss").get(f"/clock_rules/{rule.id}").get_data(as_text=True)

    def held() -> list[int]:
        return [d for r in rules_in_force(db.session()) if r.id == rule.id for d in r.nearer_dealers]

    world.act("leave", rule, "boss")
    assert held() == [world.a.id]
    stands = db.session.scalars(select(ClockRule).where(ClockRule.replaces_id == rule.id)).one()
    assert (stands.active, stands.code, stands.name) == (False, None, rule.name)
    world.act("come_back", rule, "boss")
    assert held() == []
    assert not db.session.scalar(select(func.count()).where(ClockRule.replaces_id == rule.id))


@pytest.mark.sqlite_only
def test_doing_without_needs_no_right_to_do_it(world: World) -> None:
    """What is off is judged when it is switched on."""
    for permission in ("can_list", "can_add", "can_edit"):
        grant(world, "consultant", (permission, "Automations"))
    made = of_group(world)
    does = {"replaces_id": made.id, "do_1": "hook", "url_1": "https://example.com/a"}
    with pytest.raises(Invalid, match="不能超出保存人的权限"):
        automation(world, "seller", name="不用", **does)
    automation(world, "seller", name="不用", active=False, **does)
    assert filed(world, "seller") is None
