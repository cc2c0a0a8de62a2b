"""Taking back: of every kind, in a chain, by whom it may be done, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.engine.actions import Forbidden, Refusal
from app.engine.audit import AuditEntry
from app.engine.configured import past, values
from app.engine.configured.past import Asked
from app.engine.database import db
from app.engine.perform import remove, update
from app.engine.resource import resource
from app.engine.scopes import Actor
from models.clock_rules.resources import ClockRules
from models.clock_rules.rules import SURE
from models.clock_rules.tables import ClockRule
from models.customers.tables import Tag
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry
from tests.customers.world import World
from tests.shaping.test_configuration import an_entry, change_parameter, newest
from tests.shaping.test_configuration_files import export, furnish


def mark() -> int:
    """The newest entry of the history."""
    return db.session.scalar(select(func.max(AuditEntry.id))) or 0


def unwind(actor: Actor, since: int) -> int:
    """Take back everything since, the newest change first; returns how many changes that were."""
    session = db.session()
    found = [c for c in past.changes(session, actor, Asked(), 500) if c.entry.id > since]
    for change in found:
        past.undo(session, [past.one(session, actor, change.entry.id)], actor)
    return len(found)


def test_everything_of_every_kind_is_unwound_from_its_end(world: World) -> None:
    boss = world.actor("boss")
    start, before = mark(), export(world)
    furnish(world)
    furnished = export(world)
    assert unwind(boss, start) >= 8
    assert export(world) == before
    assert furnished != before


def test_what_was_deleted_and_came_back_is_taken_back_like_before(world: World) -> None:
    boss, session = world.actor("boss"), db.session()
    tag = world.make("tags", "boss", name="急装")
    made = newest("tags")
    world.change(tag, "boss", name="缓装")
    changed = newest("tags")
    remove(resource("tags"), tag.id, boss)
    change = past.one(session, boss, changed)
    assert "已由总管于" in past.refusal(session, change, boss)
    past.undo(session, [past.one(session, boss, newest("tags"))], boss)
    past.undo(session, [change], boss)
    assert session.scalars(select(Tag.name)).all() == ["急装"]
    past.undo(session, [past.one(session, boss, made)], boss)
    assert session.scalars(select(Tag.name)).all() == []


def test_deletions_of_every_kind_come_back(world: World) -> None:
    boss = world.actor("boss")
    furnish(world)
    start, before = mark(), export(world)
    for name in ("clock_rules", "registration_grants", "registration_quotas", "tags", "roles", "positions"):
        found = resource(name)
        mine = [r for r in db.session.scalars(select(found.model)) if r.dealer_id == world.a.id]
        for record in mine:
            # what others speak of is made anew under another number
            if name not in ("roles", "tags") or getattr(record, found.title.key) in ("展厅主管", "精装"):
                remove(found, record.id, boss)
    assert export(world) != before
    unwind(boss, start)
    assert export(world) == before


def test_a_changed_rule_goes_back_without_asking_again(world: World) -> None:
    boss = world.actor("boss")
    furnish(world)
    rule = db.session.scalars(select(ClockRule).where(ClockRule.name == "本店另定")).one()
    condition = rule.condition
    update(ClockRules, rule.id, {"amount": 9, "condition": None, "at": "09:30"}, boss, answers=(SURE,))
    past.undo(db.session(), [past.one(db.session(), boss, newest("clock_rules"))], boss)
    db.session.refresh(rule)
    assert (rule.amount, rule.condition) == (3, condition)


def test_the_group_takes_back_what_a_dealer_did(world: World) -> None:
    made = an_entry(world)
    remove(Dictionaries, made.id, world.actor("boss"))
    admin = world.actor("admin")
    past.undo(db.session(), [past.one(db.session(), admin, newest("dictionary_entries"))], admin)
    again = db.session.scalars(select(DictionaryEntry).where(DictionaryEntry.value == "支票")).one()
    assert again.dealer_id == world.a.id


@pytest.mark.parametrize("lacking", ["can_edit", "can_delete", "can_add"])
def test_only_who_may_do_the_like_takes_it_back(world: World, lacking: str) -> None:
    boss = world.actor("boss")
    tag = world.make("tags", "boss", name="急装")
    if lacking == "can_edit":
        world.change(tag, "boss", name="缓装")
    if lacking == "can_add":
        remove(resource("tags"), tag.id, boss)
    other = replace(boss, permissions=boss.permissions - {(lacking, "Tags")})
    change = past.one(db.session(), other, newest("tags"))
    with pytest.raises(Forbidden):
        past.undo(db.session(), [change], other)
    assert "无权限" in past.refusal(db.session(), change, other)
    past.undo(db.session(), [change], boss)


def test_what_is_in_use_is_not_taken_away(world: World) -> None:
    boss = world.actor("boss")
    tag = world.make("tags", "boss", name="急装")
    made = newest("tags")
    world.act("tag", world.customer(), "boss", tags=[tag.id])
    with pytest.raises(Refusal, match="已用于1位客户"):
        past.undo(db.session(), [past.one(db.session(), boss, made)], boss)
    assert db.session.scalar(select(Tag.id).where(Tag.name == "急装")) == tag.id


def test_a_batch_is_taken_back_whole_or_not_at_all(world: World) -> None:
    boss, session = world.actor("boss"), db.session()
    change_parameter(world, number__customer__digits=5, number__receipt__digits=6)
    first = newest("parameters")
    found = past.batch(session, boss, past.one(session, boss, first))
    assert len(found) == 2
    change_parameter(world, number__customer__digits=7)
    before = export(world)
    with pytest.raises(Refusal, match="不能整批撤销"):
        past.undo(session, found, boss)
    assert export(world) == before
    past.undo(session, [past.one(session, boss, newest("parameters"))], boss)
    past.undo(session, found, boss)
    assert '"parameters": []' in export(world)


def test_what_is_called_like_a_secret_stays_inside() -> None:
    tree = {"url": "https://a.example.com", "api_key": "x", "then": [{"secret": 1, "text": "y"}]}
    assert values.plain(tree) == {"url": "https://a.example.com", "then": [{"text": "y"}]}
    assert values.holds_secret(tree) and not values.holds_secret(values.plain(tree))
