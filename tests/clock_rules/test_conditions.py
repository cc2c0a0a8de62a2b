"""A stored condition gives the same answer to the database and for a record at hand; bad ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.engine.audit import acting
from app.engine.conditions import All, Any_, Condition, Node, Not, Op, Term, Wrong, fields, from_json, term
from app.engine.conditionwords import ALWAYS, parse, words
from app.engine.database import db
from app.engine.guards import CUSTOMER_PHONE
from app.engine.scopes import SYSTEM
from models.customers.resources import Customers
from models.customers.tables import Customer, Gender, Stage
from tests.clock_rules.conftest import at
from tests.customers.world import World, grant

NOW = at("2026-03-10 00:30")  # still the ninth in UTC
SPECS = fields(Customers)


@pytest.fixture
def crowd(world: World) -> Iterator[list[Customer]]:
    """Customers of all sorts, with and without everything that may be empty."""
    session = db.session()
    made = []
    with acting(session):
        for n in range(24):
            days = timedelta(days=n - 12, hours=n % 5)
            made.append(
                Customer(
                    code=f"T{n}", name=f"客户{n % 3}", phone=f"1390000{n:04d}", level=(None, "A", "B")[n % 3],
                    gender=(None, *Gender)[n % 3], stage=list(Stage)[n % 5], remark=(None, "", "备注")[n % 3],
                    dealer_id=world.a.id, store_id=world.stores[n % 2].id,
                    owner_id=(None, world.people["seller"].id)[n % 2], net_received=Decimal(n) * 100,
                    retained_since=None if n % 4 == 0 else date(2026, 3, 10) + timedelta(days=n - 12),
                    next_follow_up_at=None if n % 3 == 0 else NOW + days, created_at=NOW + days,
                    activity_score=n - 5, followed=n % 2 == 0,
                )
            )  # fmt: skip
        session.add_all(made)
        session.commit()
    yield made
    session.rollback()


def terms() -> st.SearchStrategy[Term]:
    """Comparisons of every kind with values that some have and some have not."""

    def days(name: str) -> st.SearchStrategy[Term]:
        spec, day = SPECS[name], st.dates(date(2026, 3, 1), date(2026, 3, 20))
        return st.one_of(
            st.builds(lambda op, d: term(spec, op, [d]), st.sampled_from([Op.SINCE, Op.UNTIL]), day),
            st.builds(lambda a, b: term(spec, Op.BETWEEN, sorted([a, b])), day, day),
            st.builds(
                lambda op, n: term(spec, op, [n]), st.sampled_from([Op.WITHIN, Op.OLDER, Op.COMING]),
                st.integers(0, 15),
            ),
            st.sampled_from([term(spec, Op.EMPTY, []), term(spec, Op.FILLED, [])]),
        )  # fmt: skip

    def equal(name: str, values: list[Any]) -> st.SearchStrategy[Term]:
        spec = SPECS[name]
        return st.one_of(
            st.builds(lambda op, v: term(spec, op, [v]), st.sampled_from([Op.IS, Op.IS_NOT]), st.sampled_from(values)),
            st.builds(
                lambda op, v: term(spec, op, v), st.sampled_from([Op.ONE_OF, Op.NONE_OF]),
                st.lists(st.sampled_from(values), min_size=1, max_size=3),
            ),
            st.sampled_from([term(spec, Op.EMPTY, []), term(spec, Op.FILLED, [])]),
        )  # fmt: skip

    def numbers(name: str, low: int, high: int) -> st.SearchStrategy[Term]:
        spec, number = SPECS[name], st.integers(low, high)
        one = st.sampled_from([Op.IS, Op.IS_NOT, Op.AT_LEAST, Op.AT_MOST])
        return st.one_of(
            st.builds(lambda op, n: term(spec, op, [n]), one, number),
            st.builds(lambda a, b: term(spec, Op.BETWEEN, sorted([a, b])), number, number),
        )

    return st.one_of(
        days("created_at"), days("next_follow_up_at"), days("retained_since"), numbers("activity_score", -6, 20),
        numbers("net_received", 0, 2400), equal("level", ["A", "B", "D"]), equal("stage", [s.value for s in Stage]),
        equal("gender", [g.value for g in Gender]), equal("name", ["客户0", "客户1", "没有"]),
        equal("owner_id", [1, 2, 3, 4, 5]),
        st.sampled_from([term(SPECS["followed"], Op.IS, [v]) for v in (True, False)]),
        st.sampled_from([term(SPECS["remark"], op, []) for op in (Op.EMPTY, Op.FILLED)]),
    )  # fmt: skip


TREES: st.SearchStrategy[Node] = st.recursive(
    terms(),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: Any_(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


def test_database_and_record_agree(crowd: list[Customer]) -> None:
    """Whatever the tree, both give the same customers; and its stored form means the same."""
    ids = {c.id for c in crowd}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(root=TREES)
    def agree(root: Node) -> None:
        condition = Condition(Customers, root)
        found = db.session.scalars(select(Customer.id).where(condition.compile(NOW), Customer.id.in_(ids)))
        assert set(found) == {c.id for c in crowd if condition.holds(c, NOW)}
        assert from_json(condition.to_json()) == condition

    agree()


def test_the_negation_is_the_rest(crowd: list[Customer]) -> None:
    ids = {c.id for c in crowd}
    for part in (term(SPECS["level"], Op.IS, ["A"]), term(SPECS["next_follow_up_at"], Op.OLDER, [3])):
        both = [
            set(db.session.scalars(select(Customer.id).where(c.compile(NOW), Customer.id.in_(ids))))
            for c in (Condition(Customers, part), Condition(Customers, Not(part)))
        ]
        assert both[0] | both[1] == ids and not both[0] & both[1] and both[0]


@pytest.mark.parametrize(
    "said",
    [
        "阶段 属于 跟进中、订单客户",
        "意向级别 是 A 或者 活跃度分值 不小于 20",
        "非 意向级别 为空",
        "创建时间 在最近 7 天内\n下次跟进时间 早于 3 天前",
        "已收净额 介于 100.00 至 5000.00\n已跟进 是 否",
        "导购 是 导购甲",
        "创建时间 介于 2026-01-01 至 2026-02-01",
    ],
)
def test_words_lead_back_to_the_same_condition(world: World, said: str) -> None:
    actor = world.actor("boss")
    condition = parse(Customers, said, actor, db.session())
    assert words(condition, actor) == said
    assert from_json(condition.to_json()) == condition


def test_as_many_negations_as_are_kept_are_read_again(world: World) -> None:
    """Within alternatives, which is the deepest place; blanks in a row mean one."""
    said = "意向级别  为空   或者 非 非 非 非   意向级别 是 A"
    condition = parse(Customers, said, world.actor("boss"), db.session())
    assert from_json(condition.to_json()) == condition


def test_no_words_mean_every_record(world: World) -> None:
    condition = parse(Customers, " \n", world.actor("boss"), db.session())
    assert condition.root == All() and words(condition, None) == ALWAYS


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("年龄 是 3", "没有以客户的某一项开头"),
        ("阶段 早于 3 天前", "无法识别；“阶段”可用"),
        ("阶段 是 不存在", "没有“不存在”这一项"),
        ("创建时间 在最近 很多 天内", "天数请填写"),
        ("创建时间 不早于 昨天", "不能用来比较"),
        ("创建时间 介于 2026-02-01 至 2026-01-01", "起止颠倒"),
        ("导购 是 导购丙", "没有“导购丙”"),  # of another dealer
        ("非 非 非 非 非 意向级别 为空", "的“非”过多"),
        ("活跃度分值 不小于 99999999999999999999", "不能用来比较"),
    ],
)
def test_what_cannot_be_understood_is_said(world: World, said: str, reason: str) -> None:
    with pytest.raises(Wrong, match=reason):
        parse(Customers, said, world.actor("boss"), db.session())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "没有指明对象"),
        ({"of": "nothing"}, "没有指明对象"),
        ({"of": "customers", "where": []}, ""),
        ({"of": "customers", "where": {"field": "nothing", "is": "is"}}, "没有“nothing”这一项"),
        (
            {"of": "customers", "where": {"field": "level", "is": "like", "value": ["A"]}},
            "比较方式“like”不存在",
        ),
        ({"of": "customers", "where": {"field": "level", "is": "at_least", "value": ["A"]}}, "不能这样比较"),
        ({"of": "customers", "where": {"field": "stage", "is": "is", "value": ["x"]}}, "不能用来比较"),
        ({"of": "customers", "where": {"field": "stage", "is": "is", "value": []}}, "值不完整"),
        ({"of": "customers", "where": {"field": "stage", "is": "one_of", "value": []}}, "1至50个值"),
        ({"of": "customers", "where": {"any": []}}, "结构不正确"),
        ({"of": "customers", "where": {"all": "x"}}, "结构不正确"),
        ({"of": "customers", "where": {"not": "x"}}, "结构不正确"),
        ({"of": "customers", "where": {"field": "version", "is": "is", "value": [1]}}, "没有“version”这一项"),
    ],
)
def test_a_stored_form_is_checked(app: Flask, data: Any, reason: str) -> None:
    if not reason:
        assert from_json(data).root == All()
        return
    with pytest.raises(Wrong, match=reason):
        from_json(data)


def test_a_tree_has_a_limit(app: Flask) -> None:
    deep: Any = {"field": "level", "is": "empty"}
    for _ in range(9):
        deep = {"not": deep}
    wide = {"all": [{"field": "level", "is": "empty"}] * 41}
    for where in (deep, wide):
        with pytest.raises(Wrong):
            from_json({"of": "customers", "where": where})


def test_a_record_of_another_dealer_is_refused(world: World) -> None:
    foreign = {"field": "store_id", "is": "one_of", "value": [world.stores[0].id, world.stores[2].id]}
    with pytest.raises(Wrong, match="不属于本商场"):
        from_json({"of": "customers", "where": foreign}, actor=world.actor("boss"), session=db.session())
    assert from_json({"of": "customers", "where": foreign}, actor=SYSTEM, session=db.session())


def test_a_column_one_may_not_read_is_refused_and_not_told(world: World) -> None:
    """A condition could find a hidden number by trying; its words show it to those alone who may read it."""
    grant(world, "admin", CUSTOMER_PHONE.permission)
    masked, clear = world.actor("boss"), world.actor("seller")
    condition = parse(Customers, "手机号码 是 13900000001", clear, db.session())
    with pytest.raises(Wrong, match="客户电话显示加密"):
        parse(Customers, "手机号码 是 13900000001", masked, db.session())
    assert "13900000001" in words(condition, clear)
    assert "0001" not in words(condition, masked) and "手机号码" in words(condition, masked)


def test_days_are_those_of_china(crowd: list[Customer]) -> None:
    """Half past midnight in China: what was made an hour before was made yesterday."""
    today = Condition(Customers, term(SPECS["created_at"], Op.WITHIN, [0]))
    made = crowd[0]
    made.created_at = NOW - timedelta(hours=1)
    assert not today.holds(made, NOW)
    made.created_at = NOW - timedelta(minutes=20)
    assert today.holds(made, NOW)
    assert isinstance(NOW, datetime)
