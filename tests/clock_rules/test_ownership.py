"""The ownership clock: what will happen next to a record, when, by which rule, and what would reset it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.engine.database import db, utcnow
from app.engine.localtime import local
from models.clock_rules import upcoming
from models.customers.resources import Customers
from tests.clock_rules.conftest import Times, at
from tests.customers.world import World, words
from tests.generic.test_queries import counted

Rule = Callable[..., Any]


def test_the_next_event_stands_in_the_head(world: World, login: Any) -> None:
    customer = world.customer(now=utcnow() - timedelta(days=1))
    for path in (f"/customers/{customer.id}", f"/customers/{customer.id}/panel"):
        page = login("seller").get(path).get_data(as_text=True)
        due = local(customer.created_at).date() + timedelta(days=7)
        assert f"下一个自动事项{due}08:00默认提醒·建档满7天未跟进写下新的跟进后重新计算" in words(page)
        assert f"{due + timedelta(days=1)} 08:00" in page and "之后每天一次" in page


def test_a_time_set_by_hand_silences_the_default(world: World, login: Any) -> None:
    customer = world.customer(now=utcnow() - timedelta(days=1))
    planned = (utcnow() + timedelta(days=20)).replace(second=0, microsecond=0)
    world.act("write_follow_up", customer, text="约", next_follow_up_at=planned)
    said = words(login("seller").get(f"/customers/{customer.id}").get_data(as_text=True))
    assert f"下一个自动事项{local(planned):%Y-%m-%d%H:%M}强提醒·约定的跟进时间到" in said
    assert "写下新的跟进之前，默认提醒暂停" in said


def test_after_an_unanswered_time_it_says_why_nothing_comes(world: World, login: Any) -> None:
    customer = world.customer(now=utcnow() - timedelta(days=9))
    world.act(
        "write_follow_up", customer, text="约", now=utcnow() - timedelta(days=8),
        next_follow_up_at=utcnow() - timedelta(days=2),
    )  # fmt: skip
    said = words(login("seller").get(f"/customers/{customer.id}").get_data(as_text=True))
    assert "下一个自动事项暂无已约定下次跟进时间" in said


def test_nothing_lies_ahead_of_an_invalid_customer(world: World, login: Any) -> None:
    customer = world.customer()
    world.act("invalidate", customer)
    assert "下一个自动事项" not in login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)


def test_rules_are_links_for_those_who_may_open_them(world: World, login: Any) -> None:
    customer = world.customer()
    assert 'href="/clock_rules/' in login("boss").get(f"/customers/{customer.id}").get_data(as_text=True)
    assert 'href="/clock_rules/' not in login("seller").get(f"/customers/{customer.id}").get_data(
        as_text=True
    )


def test_it_costs_no_statement(world: World, login: Any, rule: Rule) -> None:
    """The rules are remembered per state of the settings, however many there are."""
    customer, client = world.customer(), login("boss")
    client.get(f"/customers/{customer.id}")
    with counted() as few:
        client.get(f"/customers/{customer.id}")
    for n in range(6):
        rule(name=f"规则{n}", amount=n + 1, at="09:00", effect="alert")
    client.get(f"/customers/{customer.id}")
    with counted() as many:
        page = client.get(f"/customers/{customer.id}").get_data(as_text=True)
    assert "规则5" in page and len(many) == len(few)
    assert not any("clock_rules" in statement for statement in many)


def test_a_changed_rule_shows_at_once(world: World, login: Any, rule: Rule) -> None:
    customer, client = world.customer(), login("boss")
    client.get(f"/customers/{customer.id}")
    rule(name="明早回访", amount=1, at="07:00", effect="alert")
    assert "明早回访" in client.get(f"/customers/{customer.id}").get_data(as_text=True)


def test_what_is_foretold_is_what_happens(world: World, times: Times, reminded: Any) -> None:
    times.tick("2026-03-01 07:00")
    customer = world.customer(now=at("2026-03-01 09:00"))
    found = upcoming.ahead(db.session(), Customers, customer, at("2026-03-01 09:00"), days=12)
    foretold = [f"{local(m):%m-%d %H:%M}" for a in found for m in a.moments]
    times.days("2026-03-02", "2026-03-13")
    assert foretold == reminded(customer) and foretold
