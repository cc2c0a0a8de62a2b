"""Several choices as an added field, where other things are built of fields: conditions, automations, time rules,
charts, and fields that follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import current_app
from sqlalchemy import select

from app.engine import charts, counting, dashboards, listing
from app.engine.actions import Act, Invalid
from app.engine.conditions import Condition, Not, Op, Wrong, fields, from_json, term
from app.engine.conditionwords import parse, words
from app.engine.database import db, utcnow
from app.engine.faces import faced
from app.engine.perform import create
from app.engine.resource import resource
from models.clock_rules import book
from models.clock_rules.tables import ClockRule
from models.customers.tables import Customer
from models.shaping import dashboard_rules, dashboard_tiles
from models.shaping.dashboards import Sharing
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.automations import automation, setting, work
from tests.shaping.fields import add, file_with

pytestmark = pytest.mark.usefixtures("boss_b")
ROOMS = ("客厅", "厅", "书房", "主卧")


@pytest.fixture
def slot(world: World) -> str:
    """关注空间: an added field of the first dealer; one room's name is part of another's."""
    return add(world, "关注空间", "choices", options="\n".join(ROOMS), also=("chart",)).slot


def rooms(*amounts: int) -> Iterator[list[str]]:
    """Every choice of so many rooms."""
    for amount in amounts:
        yield from map(list, combinations(ROOMS, amount))


def customers(world: World) -> type[Any]:
    """Customers as that dealer has them."""
    return faced(resource("customers"), world.a.id)


def test_the_database_and_a_record_agree_on_what_is_held(world: World, slot: str) -> None:
    made = [file_with(world, "boss", **{slot: some}) for some in rooms(0, 1, 2, 4)]
    spec, now = fields(customers(world))[slot], utcnow()
    asked = [term(spec, op, some) for op in (Op.ANY_OF, Op.ALL_OF, Op.WITHOUT) for some in rooms(1, 2, 3)]
    asked += [term(spec, Op.EMPTY, []), term(spec, Op.FILLED, [])]
    for node in (part for one in asked for part in (one, Not(one))):
        condition = Condition(customers(world), node)
        found = set(db.session.scalars(select(Customer.id).where(condition.compile(now))))
        assert found == {c.id for c in made if condition.holds(c, now)}, node
        assert from_json(condition.to_json(), dealer_id=world.a.id).root == node
    only = Condition(customers(world), term(spec, Op.ANY_OF, ["厅"]))
    assert [only.holds(c, now) for c in made if getattr(c, slot) == ["客厅"]] == [False]


def test_words_lead_back_to_the_same_condition(world: World, slot: str) -> None:
    actor = world.actor("boss")
    for said in (
        "关注空间 包含任一 客厅、书房", "关注空间 包含全部 客厅、厅", "关注空间 不包含 主卧",
        "关注空间 为空 或者 非 关注空间 包含任一 书房",
    ):  # fmt: skip
        condition = parse(customers(world), said, actor, db.session())
        assert words(condition, actor) == said
    for said, reason in (
        ("关注空间 包含任一 厨房", "没有“厨房”这一项"),
        ("关注空间 是 客厅", "可用：包含任一"),
    ):
        with pytest.raises(Wrong, match=reason):
            parse(customers(world), said, actor, db.session())


def test_automations_and_time_rules_ask_for_them(world: World, login: Login, slot: str) -> None:
    said = "关注空间 包含全部 客厅、书房"
    condition = parse(customers(world), said, world.actor("boss"), db.session()).to_json()
    automation(world, condition=condition, **setting("remark", "大户型"))
    fits = file_with(world, "boss", **{slot: ["书房", "厅", "客厅"]})
    other = file_with(world, "boss", **{slot: ["书房"]})
    work()
    held = dict(db.session.execute(select(Customer.id, Customer.remark)).tuples().all())
    assert held[fits.id] == "大户型" and held[other.id] != "大户型"
    client = login("boss")
    offered = {t["label"]: t for t in client.get("/automation/terms?subject=customers").json}["关注空间"]
    assert offered["kind"] == "choices" and offered["values"] == list(ROOMS)
    assert offered["many"] == ["包含任一 {}", "包含全部 {}", "不包含 {}"]
    typed = {
        "name": "多选规则", "subject": "customers", "condition": said, "start": "filed", "direction": "after",
        "amount": "3", "unit": "days", "ahead_days": "0", "at": "08:00", "repeat": "none", "every_days": "1",
        "effect": "alert", "active": "1", "sort": "10", "_answer": "touch",
    }  # fmt: skip
    answer = client.post("/clock_rules/new", data=typed)
    assert answer.status_code == 302, answer.get_data(as_text=True)[-6000:]
    rule = book.rule_of(db.session.scalars(select(ClockRule).where(ClockRule.name == "多选规则")).one())
    assert rule is not None
    met = select(Customer.id).where(rule.condition.compile(utcnow()))
    assert list(db.session.scalars(met)) == [fits.id]


def opened(world: World, url: str) -> int:
    """How many records the list shows at that address."""
    session, actor = db.session(), world.actor("boss")
    asked = parse_qs(urlsplit(url).query)
    query = listing.parse(customers(world), actor, asked, utcnow(), session.get_bind().dialect.name)
    assert not query.errors
    return counting.count(session, query)[0]


def counted(bars: Sequence[Any]) -> dict[str, int]:
    """What the bars say."""
    return {bar.label: int(bar.value) for bar in bars}


def test_each_option_is_counted_by_its_records_and_opens_exactly_those(world: World, slot: str) -> None:
    for some in (["客厅"], ["客厅", "书房"], ["书房", "主卧", "客厅"], [], ["厅"]):
        file_with(world, "boss", **{slot: some})
    actor = world.actor("boss")
    for query, wanted in (
        ("window=all", {"客厅": 3, "书房": 2, "主卧": 1, "厅": 1, "未填写": 1}),
        (f"window=all&{slot}=书房", {"书房": 2}),
        (f"window=all&{slot}=书房&{slot}=-", {"书房": 2, "未填写": 1}),
    ):
        with current_app.test_request_context():
            page = charts.page(customers(world), actor, parse_qs(query), utcnow())
        card = next(c for c in page.cards if c.key == f"by_{slot}")
        assert counted(card.bars) == wanted and card.total == ""
        for bar in card.bars:
            assert opened(world, bar.url) == bar.value, bar.label


def test_dashboards_take_them_for_groups_and_not_for_cross_tables(world: World, slot: str) -> None:
    file_with(world, "boss", **{slot: ["客厅", "书房"]})
    tile = {"list": "customers", "kind": "pie", "by": slot}
    card = tile_of(world, tile, "boss")
    assert counted(card.bars) == {"客厅": 1, "书房": 1} and not any(bar.note for bar in card.bars)
    act = Act(world.actor("boss"), utcnow(), db.session())
    with pytest.raises(Invalid, match="交叉表不能按“关注空间”分组"):
        dashboard_tiles.checked({"list": "customers", "kind": "pivot", "by": slot, "across": "stage"}, act)


def test_who_sees_several_dealers_counts_the_own_field_alone(world: World) -> None:
    mine, theirs = (
        add(world, "关注空间", "choices", "admin", options="客厅").slot,
        add(world, "车型", "choices", "boss_b", options="皮卡\n客厅").slot,
    )
    assert mine == theirs
    file_with(world, "outsider", **{theirs: ["皮卡", "客厅"]})
    tile = {"list": "customers", "kind": "breakdown", "by": mine, "own": {"scope": ["group"]}}
    assert counted(tile_of(world, tile, "admin").bars) == {}


def tile_of(world: World, tile: dict[str, Any], by: str) -> Any:
    """The chart of that tile on a dashboard of that person's, of all time."""
    actor = world.actor(by)
    board, _ = create(resource("boards"), {"name": "看板", "shared": Sharing.ALL}, actor)
    board = dashboard_rules.rearrange(board.id, board.version, dashboard_rules.adding(tile), actor, "web")
    with current_app.test_request_context():
        made = dashboard_tiles.dashboard_of(board.id, board.name, board.layout, actor.dealer_id)
        return dashboards.page(made, actor, {"day": ["all"]}, utcnow()).cards[0]


def test_a_field_follows_one_of_several_choices(world: World, login: Login, slot: str) -> None:
    note = add(world, "书房要求", "text", shown_when=f"customers:{slot}=书房").slot
    client = login("boss")
    typed = {"name": "王先生", "phone": "13711110000", note: "带窗", slot: ["客厅", "书房"]}
    assert client.post("/customers/new", data=typed).status_code == 302
    without = {**typed, "name": "李女士", "phone": "13711110001", slot: ["客厅"]}
    assert client.post("/customers/new", data=without).status_code == 302
    held = dict(db.session.execute(select(Customer.name, getattr(Customer, note))).tuples().all())
    assert held == {"王先生": "带窗", "李女士": None}
    found = select(Customer.id).where(Customer.name == "王先生")
    page = client.get(f"/customers/{db.session.scalar(found)}").get_data(as_text=True)
    assert "书房要求" in page and "带窗" in page
