"""What a changed duplicate policy comes to, said before it is saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Question
from app.engine.database import db
from app.engine.perform import create, update
from app.engine.resource import resource
from models.customers import policy_effects
from models.customers.policy import DuplicateRule, Effect, Entrance, SameWithin
from models.identity.tables import Employee
from tests.customers.world import World, grant, words
from tests.plugins.databases import statements
from tests.plugins.people import Login

SAME, FAR = "13800138000", "13900139000"


@pytest.fixture
def repeated(world: World) -> World:
    """Two customers of one store with one number, two of different stores with another, one alone."""
    again = ("go_on:", "insist:")
    for phone in (SAME, SAME, FAR):
        world.customer(phone=phone, answers=[a + phone for a in again], name="客户甲")
    seller2 = db.session.get_one(Employee, world.people["seller2"].id)
    world.change(seller2, "boss", stores=[world.stores[1].id])
    other = world.customer("seller2", phone=FAR, answers=[a + FAR for a in again], name="客户乙")
    assert other.store_id == world.stores[1].id
    world.customer()
    return world


def rule(world: World, **values: Any) -> DuplicateRule:
    """The dealer's own rule for forms, made with the answer to its question."""
    given = {"entrance": Entrance.FORM, "within": SameWithin.DEALER, "effect": Effect.REFUSE, **values}
    found = resource("duplicate_rules")
    made: DuplicateRule = create(found, given, world.actor("boss"), answers=[policy_effects.SURE])[0]
    return made


def test_the_counts_before_and_after_are_told_and_nothing_is_saved_yet(repeated: World) -> None:
    own = rule(repeated)
    with pytest.raises(Question) as asked:
        update(resource("duplicate_rules"), own.id, {"within": SameWithin.STORE}, repeated.actor("boss"))
    assert "按“本门店”查重，有 2 位客户与其他客户号码相同（按原来的“本商场”为 4 位）" in asked.value.heading
    assert [row[2] for row in asked.value.rows] == [SAME, SAME]
    assert all(re.fullmatch(r"/customers/\d+", link) for link in asked.value.links)
    db.session.expire_all()
    assert own.within is SameWithin.DEALER
    sure = [policy_effects.SURE]
    update(
        resource("duplicate_rules"),
        own.id,
        {"within": SameWithin.STORE},
        repeated.actor("boss"),
        answers=sure,
    )
    assert own.within is SameWithin.STORE


@pytest.mark.sqlite_only
def test_what_finds_nobody_or_changes_nothing_asks_nothing(world: World, repeated: World) -> None:
    own = rule(repeated)
    boss = repeated.actor("boss")
    update(resource("duplicate_rules"), own.id, {"told": own.told, "within": own.within}, boss)
    assert policy_effects.count(db.session(), world.b.id) == policy_effects.Shared(0, 0, False)


@pytest.mark.sqlite_only
def test_where_nobody_shares_a_number_that_is_said(world: World, login: Login) -> None:
    form = {"entrance": "form", "within": "store", "effect": "refuse", "told": "owner"}
    page = login("boss").post("/duplicate_rules/new", data=form, follow_redirects=True)
    assert "目前没有客户与其他客户号码相同" in page.get_data(as_text=True)


@pytest.mark.sqlite_only
def test_a_rule_of_ones_own_is_compared_with_the_groups_on_the_page(repeated: World, login: Login) -> None:
    boss = login("boss")
    form = {"entrance": "form", "within": "dealer", "effect": "refuse", "told": "owner"}
    page = boss.post("/duplicate_rules/new", data=form).get_data(as_text=True)
    said = words(page)
    assert "按“本商场”查重，有4位客户与其他客户号码相同（人数不变）" in said and "一律不允许建档" in said
    assert SAME in page and "客户乙" in page
    own = select(DuplicateRule.id).where(DuplicateRule.dealer_id == repeated.a.id)
    assert db.session.scalar(own) is None
    saved = boss.post("/duplicate_rules/new", data=form | {"_answer": policy_effects.SURE})
    assert saved.status_code == 302 and db.session.scalar(own) is not None


@pytest.mark.sqlite_only
def test_examples_keep_to_scope_and_mask(repeated: World) -> None:
    grant(repeated, "admin", ("guard_customer_phone", "Guards"))
    shown = policy_effects.examples(db.session(), repeated.actor("boss"), repeated.a.id, SameWithin.DEALER)
    assert {row[3] for row in shown} == {"138****8000", "139****9000"}
    own = policy_effects.examples(db.session(), repeated.actor("seller2"), repeated.a.id, SameWithin.DEALER)
    assert [row[1] for row in own] == ["客户乙"]


def test_the_count_is_one_statement_and_bounded(repeated: World, monkeypatch: Any) -> None:
    dealer_id, session = repeated.a.id, db.session()
    seen = statements(db.engine)
    found = policy_effects.count(session, dealer_id)
    assert len([s for s in seen if "customer_phones" in s]) == 1
    assert (found.dealer, found.store, found.bounded) == (4, 2, False)
    monkeypatch.setattr(policy_effects, "MOST_NUMBERS", 1)
    assert policy_effects.count(db.session(), None).bounded
