"""Added fields where other things are built of fields: dashboards and time rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from app.engine import dashboards
from app.engine.actions import Act, Invalid, Refusal
from app.engine.database import db, utcnow
from app.engine.perform import create
from app.engine.resource import resource
from models.clock_rules import book
from models.clock_rules.tables import ClockRule
from models.customers.tables import Customer
from models.shaping import dashboard_rules, dashboard_tiles
from models.shaping.dashboards import Board, Sharing
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.fields import act, add, file_with

pytestmark = pytest.mark.usefixtures("boss_b")


def board(world: World, *tiles: Any, by: str = "boss") -> Board:
    """A shared dashboard with these tiles."""
    made, _ = create(resource("boards"), {"name": "看板", "shared": Sharing.ALL}, world.actor(by))
    for tile in tiles:
        change = dashboard_rules.adding(tile)
        made = dashboard_rules.rearrange(made.id, made.version, change, world.actor(by), "web")
    return made  # type: ignore[no-any-return]


def shown(found: Board, actor: Any) -> Any:
    """The dashboard of all time as that person sees it."""
    with current_app.test_request_context():
        made = dashboard_tiles.dashboard_of(found.id, found.name, found.layout, actor.dealer_id)
        return dashboards.page(made, actor, {"day": ["all"]}, utcnow())


def test_dashboards_group_and_sum_by_added_fields(world: World, login: Login) -> None:
    stage = add(world, "装修阶段", "choice", options="水电\n木工").slot
    area, start = add(world, "面积", "number", unit="㎡").slot, add(world, "开工", "date").slot
    for name, word, size in (("甲", "水电", 80), ("乙", "水电", 100), ("丙", "木工", 90)):
        values = {stage: word, area: Decimal(size), start: date(2026, 3, 1)}
        file_with(world, "boss", name=name, **values)
    theirs = add(world, "楼层", "number", "boss_b").slot
    file_with(world, "outsider", **{theirs: Decimal(7)})
    kinds = (
        {"kind": "breakdown", "by": stage}, {"kind": "number", "sum": area},
        {"kind": "pivot", "by": stage, "across": "stage", "sum": area}, {"kind": "trend", "at": start},
    )  # fmt: skip
    found = board(world, *({"list": "customers", **kind} for kind in kinds))
    actor = world.actor("boss")
    page = shown(found, actor)
    assert [bool(p.figure or p.card) for p in page.placed] == [True] * 4
    bars = {bar.label: bar for bar in page.cards[0].bars}
    assert {label: bar.value for label, bar in bars.items()} == {"水电": 2, "木工": 1}
    text = login("boss").get(bars["水电"].url).get_data(as_text=True)
    assert "甲" in text and "乙" in text and "2条记录" in text
    assert (page.figures[0].amount, page.figures[0].unit) == (Decimal(270), "㎡")
    assert "装修阶段分布" in page.placed[0].card.title


def test_who_sees_several_dealers_counts_an_added_field_in_its_own(world: World) -> None:
    mine, theirs = add(world, "面积", "number", "admin").slot, add(world, "楼层", "number", "boss_b").slot
    kind, other = (
        add(world, "级", "choice", "admin", options="甲级"),
        add(world, "层", "choice", "boss_b", options="低层"),
    )
    assert (mine, kind.slot) == (theirs, other.slot)
    file_with(world, "outsider", **{theirs: Decimal(7), other.slot: "低层"})
    tiles = ({"list": "customers", "kind": "number", "sum": mine, "own": {"scope": ["group"]}},
             {"list": "customers", "kind": "breakdown", "by": kind.slot, "own": {"scope": ["group"]}})  # fmt: skip
    page = shown(board(world, *tiles, by="admin"), world.actor("admin"))
    assert page.figures[0].amount == 0
    assert "低层" not in str([bar.label for bar in page.cards[0].bars])


def test_what_only_some_may_see_is_in_nobody_elses_chart(world: World) -> None:
    slot = add(world, "底价", "number", guarded=True).slot
    stage = add(world, "密级", "choice", options="甲\n乙", guarded=True).slot
    file_with(world, "boss", **{slot: Decimal(12345), stage: "乙"})
    tiles = (
        {"list": "customers", "kind": "number", "sum": slot},
        {"list": "customers", "kind": "pie", "by": stage},
    )
    found = board(world, *tiles)
    assert all(p.figure or p.card for p in shown(found, world.actor("boss")).placed)
    assert {p.missing for p in shown(found, world.actor("keeper")).placed} == {"无权查看"}
    with pytest.raises(Invalid):
        dashboard_tiles.checked(tiles[1], Act(world.actor("keeper"), utcnow(), db.session()))


def test_time_rules_count_from_added_dates_and_ask_for_added_fields(world: World, login: Login) -> None:
    area, start = add(world, "面积", "number"), add(world, "开工日期", "date")
    stage = add(world, "装修阶段", "choice", options="水电\n木工")
    client = login("boss")
    typed = {
        "name": "开工提醒", "subject": "customers", "condition": "面积 不小于 80\n装修阶段 是 水电", "start": start.slot,
        "direction": "before", "amount": "3", "unit": "days", "ahead_days": "0", "at": "08:00", "repeat": "none",
        "every_days": "1", "effect": "alert", "active": "1", "sort": "10", "_answer": "touch",
    }  # fmt: skip
    form = client.get("/clock_rules/new").get_data(as_text=True)
    assert "开工日期" in form
    answer = client.post("/clock_rules/new", data=typed)
    assert answer.status_code == 302, answer.get_data(as_text=True)[-4000:]
    rule = db.session.scalars(select(ClockRule).where(ClockRule.name == "开工提醒")).one()
    working = book.rule_of(rule)
    assert working is not None and working.start.is_day and working.start.label == "开工日期"
    fits = file_with(
        world, name="甲", **{area.slot: Decimal(90), stage.slot: "水电", start.slot: date(2026, 3, 9)}
    )
    file_with(world, name="乙", **{area.slot: Decimal(90), stage.slot: "木工"})
    met = select(Customer.id).where(working.condition.compile(utcnow()))
    assert list(db.session.scalars(met)) == [fits.id] and working.condition.holds(fits, utcnow())
    page = client.get(f"/clock_rules/{rule.id}").get_data(as_text=True)
    assert "装修阶段 是 水电" in page and "开工日期" in page
    for field, by in ((start, "起算时间"), (stage, "适用条件")):
        with pytest.raises(Refusal, match=f"时间规则“开工提醒”的{by}引用了此字段"):
            act(world, "remove_field", field)
        db.session.rollback()
    assert "开工日期" not in login("boss_b").get("/clock_rules/new").get_data(as_text=True)
