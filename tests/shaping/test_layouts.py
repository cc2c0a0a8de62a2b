"""Arranging sections and fields: pure, without anybody or anything stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.fields import FieldSpec
from app.engine.layouts import (
    FULL,
    HALF,
    Part,
    Plan,
    Spot,
    differences,
    from_json,
    needed,
    resolved,
    to_json,
)
from models.shaping.layout_edits import add_part, move_part, move_spot, remove_part, typed

pytestmark = pytest.mark.sqlite_only

BELOW = (
    Part("客户", "客户", (Spot("name"), Spot("phone"), Spot("level"))),
    Part("地址", "地址", (Spot("city"), Spot("street")), folded=True),
)
LABELS = {"name": "姓名", "phone": "电话", "level": "级别", "city": "城市", "street": "街道"}


def names(plan: Plan) -> list[tuple[str, list[str]]]:
    return [(part.title, [spot.name for spot in part.spots]) for part in plan]


def test_what_is_stored_decides_order_titles_and_sections() -> None:
    stored = (
        Part("地址", "住址", (Spot("street"), Spot("level", FULL))),
        Part("+1", "联系", (Spot("phone"),)),
        Part("客户", "", (Spot("name", hidden=True), Spot("city"))),
    )
    plan = resolved(BELOW, stored)
    assert names(plan) == [("住址", ["street", "level"]), ("联系", ["phone"]), ("客户", ["name", "city"])]
    assert plan[0].folded and not plan[1].folded and plan[2].spots[0].hidden


def test_a_new_field_stands_where_it_is_declared_and_one_that_is_gone_nowhere() -> None:
    stored = (
        Part("地址", "", (Spot("street"), Spot("removed"))),
        Part("客户", "", (Spot("level"), Spot("name"))),
        Part("撤销的分组", "", (Spot("also_removed"),)),
    )
    plan = resolved(BELOW, stored)
    assert names(plan) == [
        ("地址", ["city", "street"]),
        ("客户", ["level", "name", "phone"]),
        ("撤销的分组", []),
    ]


def test_a_new_section_stands_behind_the_one_it_is_declared_behind() -> None:
    below = (BELOW[0], Part("新的", "新的", (Spot("new"),)), BELOW[1])
    stored = (Part("地址", "", (Spot("city"), Spot("street"))), Part("客户", "", BELOW[0].spots))
    assert [part.key for part in resolved(below, stored)] == ["地址", "客户", "新的"]
    assert [part.key for part in resolved((below[1], BELOW[0]), (BELOW[0],))] == ["新的", "客户"]


def test_a_field_stored_twice_stands_once() -> None:
    stored = (Part("地址", "", (Spot("name"),)), Part("客户", "", (Spot("name"), Spot("name"))))
    assert [s.name for part in resolved(BELOW, stored) for s in part.spots].count("name") == 1


PLANS = st.lists(
    st.tuples(
        st.sampled_from(["客户", "地址", "+1", "+2", "旧"]), st.lists(st.sampled_from([*LABELS, "gone"]))
    ),
    max_size=6,
).map(lambda rows: tuple(Part(key, "", tuple(map(Spot, fields))) for key, fields in rows))


@given(PLANS)
def test_every_field_stands_exactly_once_whatever_is_stored(stored: Plan) -> None:
    plan = resolved(BELOW, stored)
    assert sorted(s.name for part in plan for s in part.spots) == sorted(LABELS)
    assert resolved(BELOW, from_json(to_json(plan, BELOW))) == plan


@given(PLANS, st.sampled_from([*LABELS]), st.sampled_from([-1, 1]))
def test_a_step_and_the_step_back_leave_the_plan_as_it_was(stored: Plan, name: str, way: int) -> None:
    plan = resolved(BELOW, stored)
    moved = move_spot(plan, name, way)
    assert sorted(s.name for part in moved for s in part.spots) == sorted(LABELS)
    assert moved == plan or move_spot(moved, name, -way) == plan


def test_beyond_the_end_of_its_section_a_field_goes_into_the_next() -> None:
    assert names(move_spot(BELOW, "city", -1)) == [
        ("客户", ["name", "phone", "level", "city"]), ("地址", ["street"]),
    ]  # fmt: skip
    assert names(move_spot(BELOW, "level", 1))[1] == ("地址", ["level", "city", "street"])
    assert move_spot(BELOW, "name", -1) == BELOW and move_spot(BELOW, "street", 1) == BELOW
    assert move_spot(BELOW, "nothing", 1) == BELOW
    assert [p.key for p in move_part(BELOW, "地址", -1)] == ["地址", "客户"]
    assert move_part(BELOW, "地址", 1) == BELOW


def test_an_added_section_is_removed_without_losing_its_fields() -> None:
    plan, key = add_part(BELOW)
    again, other = add_part(plan)
    assert (key, other) == ("+1", "+2") and [p.title for p in again[2:]] == ["新分组", "新分组2"]
    filled = move_spot(plan, "street", 1)
    assert names(filled)[1:] == [("地址", ["city"]), ("新分组", ["street"])]
    assert remove_part(filled, key) == BELOW
    assert remove_part(BELOW, "地址") == BELOW


def test_the_form_says_what_the_plan_is() -> None:
    row = ["street", "#地址", "street", "#evil", "city", "#+1", "name", "#客户", "level"]
    plan = typed(
        BELOW,
        row,
        {"+1": "我的", "evil": "x"},
        frozenset({"street"}),
        frozenset({"level"}),
        frozenset({"name"}),
    )
    assert plan == (
        Part("地址", "", (Spot("street", FULL), Spot("city"))),
        Part("+1", "我的", (Spot("name", HALF),)),
        Part("客户", "", (Spot("level", hidden=True),)),
    )


def test_what_must_be_filled_in_or_is_followed_cannot_be_hidden() -> None:
    specs = [
        FieldSpec(name="name", label="姓名", kind="text", required=True),
        FieldSpec(name="city", label="城市", kind="choice"),
        FieldSpec(name="area", label="小区", kind="ref", parent="city"),
        FieldSpec(name="why", label="原因", kind="text", needed_when="stage=lost"),
        FieldSpec(name="stage", label="阶段", kind="choice"),
        FieldSpec(name="note", label="备注", kind="textarea"),
    ]
    found = needed(specs, ["name", "city", "why", "stage", "note", "other"])
    assert found == {
        "name": "“姓名”是必填项，不能隐藏",
        "why": "“原因”是必填项，不能隐藏",
        "city": "“小区”随“城市”变化，不能只隐藏“城市”",
        "stage": "“原因”随“阶段”变化，不能只隐藏“阶段”",
    }
    assert needed(specs, ["city", "area"]) == {}


def test_the_difference_is_told_in_words_and_names_the_fewest_moves() -> None:
    plan = (
        Part("地址", "住址", (Spot("city"), Spot("phone", FULL), Spot("street"))),
        Part("客户", "客户", (Spot("level"), Spot("name", hidden=True))),
        Part("+1", "其他", ()),
    )
    assert differences(BELOW, plan, LABELS) == [
        "新增分组“其他”",
        "分组“地址”改名为“住址”",
        "分组“客户”移到“住址”之后",
        "“电话”从“客户”移到“住址”",
        "“电话”改为整行",
        "“姓名”移到“级别”之后",
        "“姓名”隐藏",
    ]
    assert differences(BELOW, BELOW, LABELS) == []
    back = differences(plan, BELOW, LABELS)
    assert "分组“其他”已移除" in back and "“姓名”恢复显示" in back and "“电话”恢复默认宽度" in back


@pytest.mark.parametrize(
    "wrong",
    [None, {}, ["客户"], [{"key": 1}], [{"key": "a", "fields": "b"}], [{"key": "a", "fields": [{"name": 3}]}],
     [{"key": "a", "fields": [{"name": "b", "width": "huge"}]}], [{"key": "a", "title": None}],
     [{"key": "a", "fields": [{"name": "b", "hidden": "yes"}]}]],
)  # fmt: skip
def test_what_is_no_layout_is_not_read_as_one(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(wrong)
