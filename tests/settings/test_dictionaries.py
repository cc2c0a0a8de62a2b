"""数据字典: presets of the group, a dealer's own entries, linked lists (D-13)."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Act, Invalid, NotFound, Refusal
from app.engine.choices import Entry, dictionary
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.perform import create, remove, update
from app.engine.scopes import SYSTEM
from app.setup import install
from models.identity import presets
from models.identity.rights import bump_epoch
from models.settings import catalogue, rules
from models.settings.catalogue import dictionaries
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry, EntryTone
from tests.customers.world import World
from tests.identity.test_rights import Counter
from tests.plugins.people import Login
from tests.spec.reading import at_once


def add(
    world: World, label: str, name: str = "customer.kind", by: str = "boss", **values: object
) -> DictionaryEntry:
    """Add an entry as that administrator would."""
    made, _ = create(Dictionaries, {"dictionary": name, "label": label} | values, world.actor(by))
    return made


def labels(name: str, dealer_id: int | None) -> list[str]:
    """What people of the dealer are offered."""
    return [e.label for e in dictionary(name, dealer_id) if e.active]


def preset(name: str, value: str) -> DictionaryEntry:
    """The group's entry."""
    return db.session.scalars(
        select(DictionaryEntry).where(DictionaryEntry.dictionary == name, DictionaryEntry.value == value)
    ).first()


def test_an_own_entry_is_offered_at_once_in_this_dealer_only(world: World, login: Login) -> None:
    client = login("seller")
    assert "老带新客户" not in client.get("/customers/new").get_data(as_text=True)
    add(world, "老带新客户", sort=1)
    assert labels("customer.kind", world.a.id)[0] == "老带新客户"
    assert "老带新客户" in client.get("/customers/new").get_data(as_text=True)
    assert "老带新客户" not in labels("customer.kind", world.b.id)
    assert "老带新客户" not in login("outsider").get("/customers/new").get_data(as_text=True)


def test_an_own_entry_stands_in_for_the_preset_of_the_same_value(world: World) -> None:
    add(world, "高意向", "customer.level", value="H", tone=EntryTone.BAD)
    own = {e.value: e.label for e in dictionary("customer.level", world.a.id)}
    assert own["H"] == "高意向" and own["A"] == "A"
    assert {e.value: e.label for e in dictionary("customer.level", world.b.id)}["H"] == "H"
    add(world, "D", "customer.level", value="D", active=False)
    assert "D" not in labels("customer.level", world.a.id)


def test_presets_are_changed_by_the_group_alone(world: World) -> None:
    row = preset("customer.kind", "潜在客户")
    with pytest.raises(Refusal, match="集团预置项只能由集团修改"):
        update(Dictionaries, row.id, {"label": "改名"}, world.actor("boss"))
    with pytest.raises(Refusal, match="集团预置项"):
        remove(Dictionaries, row.id, world.actor("boss"))
    update(Dictionaries, row.id, {"label": "潜在"}, world.actor("admin"))
    assert "潜在" in labels("customer.kind", world.b.id)


def test_entries_of_another_dealer_are_out_of_reach(world: World, login: Login) -> None:
    made = add(world, "甲商场自有")
    assert login("outsider").get("/dictionary_entries/").status_code == 403
    theirs = add(world, "另一条")
    person = presets.add_person(
        db.session(), dealer_id=world.b.id, username="boss_b", name="总管乙", password="Test-demo-2024K",
        roles=[presets.preset_role(db.session(), world.b.id, "admin")],
    )  # fmt: skip
    bump_epoch(db.session())
    db.session.commit()
    assert person.id
    for row in (made, theirs):
        with pytest.raises(NotFound):
            update(Dictionaries, row.id, {"label": "改名"}, world.actor("boss_b"))


def test_the_same_value_twice_is_refused(world: World) -> None:
    add(world, "老带新客户")
    with pytest.raises(Invalid, match="已存在"):
        add(world, "老带新客户")


@pytest.mark.spec("D-13")
def test_an_entry_of_a_linked_list_names_its_parent(world: World) -> None:
    with pytest.raises(Invalid, match="上级字典"):
        add(world, "小程序留资", "customer.source", parent="没有这个")
    add(world, "小程序留资", "customer.source", parent="线上")
    found = {e.value: e.parent for e in dictionary("customer.source", world.a.id)}
    assert found["小程序留资"] == "线上"
    with pytest.raises(Invalid, match="没有上级字典"):
        add(world, "另一类", "customer.kind", parent="线上")


@pytest.mark.spec("D-13")
def test_an_entry_without_parent_fits_everywhere(world: World, login: Login) -> None:
    client = login("boss")
    made = {"dictionary": "customer.source", "label": "朋友圈", "sort": "200", "active": "1"}
    assert client.post("/dictionary_entries/new", data=made).status_code == 302
    form = {"name": "张女士", "source": "朋友圈"}
    for number, category in enumerate(("到店", "线上")):
        sent = form | {"source_category": category, "phone": f"1380000000{number}"}
        assert client.post("/customers/new", data=sent).status_code == 302
    assert client.post("/dictionary_entries/new", data=made).status_code == 400


@pytest.mark.spec("D-13")
def test_a_source_may_belong_to_several_categories(world: World, login: Login) -> None:
    client = login("boss")
    made = {
        "dictionary": "customer.source",
        "label": "官网留言",
        "parent": "渠道",
        "sort": "200",
        "active": "1",
    }
    assert client.post("/dictionary_entries/new", data=made).status_code == 302
    again = client.post("/dictionary_entries/new", data=made)
    assert again.status_code == 400 and "“官网留言”已存在" in again.get_data(as_text=True)
    page = client.get("/customers/new").get_data(as_text=True)
    (parents,) = re.findall(r'data-of="([^"]*)">官网留言<', page)
    assert set(parents.split(",")) == {"线上", "渠道"}
    form = {"name": "张女士", "source": "官网留言"}
    for number, (category, status) in enumerate((("渠道", 302), ("线上", 302), ("到店", 400))):
        sent = form | {"source_category": category, "phone": f"1380000000{number}"}
        assert client.post("/customers/new", data=sent).status_code == status, category
    other = add(world, "官网留言", "customer.source", parent="到店")
    with pytest.raises(Invalid, match="已在此上级下"):
        update(Dictionaries, other.id, {"parent": "渠道"}, world.actor("boss"))
    assert "官网留言" in login("outsider").get("/customers/new").get_data(as_text=True)
    theirs = [e.parent for e in dictionary("customer.source", world.b.id) if e.value == "官网留言"]
    assert theirs == ["线上"]


def test_an_own_entry_stands_in_where_the_preset_stands(world: World) -> None:
    add(world, "官网留言", "customer.source", value="官网留言", parent="线上", active=False)
    assert "官网留言" not in labels("customer.source", world.a.id)
    add(world, "网站", "customer.source", value="电商平台")
    own = [(e.label, e.parent) for e in dictionary("customer.source", world.a.id) if e.value == "电商平台"]
    assert own == [("网站", "")]


def test_a_dictionary_must_be_a_declared_one(world: World, login: Login) -> None:
    answer = login("boss").post("/dictionary_entries/new", data={"dictionary": "made.up", "label": "甲"})
    assert answer.status_code == 400 and "请从列表中选择" in answer.get_data(as_text=True)
    page = login("boss").get("/dictionary_entries/new").get_data(as_text=True)
    assert "意向级别" in page and "客户来源" in page


def test_installing_again_adds_nothing_and_keeps_what_was_renamed(world: World) -> None:
    row = preset("customer.kind", "潜在客户")
    update(Dictionaries, row.id, {"label": "潜在"}, world.actor("admin"))
    before = len(db.session.scalars(select(DictionaryEntry.id)).all())
    rules.install(db.session())
    db.session.commit()
    assert len(db.session.scalars(select(DictionaryEntry.id)).all()) == before
    assert "潜在" in labels("customer.kind", None)


def test_reading_a_dictionary_costs_no_query_once_it_is_known(world: World) -> None:
    for declared in dictionaries():
        dictionary(declared.name, world.a.id)
    with Counter() as counted:
        for declared in dictionaries():
            assert dictionary(declared.name, world.a.id)
    assert counted.seen == []


def test_two_installations_at_once_leave_each_preset_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = catalogue._dictionaries["receipt.method"]
    more = replace(declared, presets=(*declared.presets, Entry("支票", "支票")))
    monkeypatch.setitem(catalogue._dictionaries, "receipt.method", more)
    both, real = threading.Barrier(2, timeout=1), rules.install

    def slowly(session: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait()
        real(session)

    monkeypatch.setattr(rules, "install", slowly)

    def work() -> bool:
        with app.app_context():
            install()
            db.session.remove()
        return True

    db.session.remove()
    assert at_once([work, work]) == [True, True]
    statement = select(func.count()).where(
        DictionaryEntry.dictionary == "receipt.method", DictionaryEntry.value == "支票"
    )
    assert db.session.scalar(statement) == 1


def test_a_preset_of_everybody_exists_once(app: Flask) -> None:
    session = db.session()
    preset = session.scalars(
        select(DictionaryEntry)
        .where(DictionaryEntry.dealer_id.is_(None), DictionaryEntry.parent.is_(None))
        .limit(1)
    ).one()
    act = Act(SYSTEM, utcnow(), session)
    with pytest.raises(Refusal, match="冲突"), deed(act):
        session.add(DictionaryEntry(dictionary=preset.dictionary, value=preset.value, label="又一个", sort=1))


def test_presets_say_whose_they_are(world: World, login: Login) -> None:
    for name in ("dictionary_entries", "duplicate_rules", "track_points"):
        assert '<span class="mute">集团通用</span>' in login("boss").get(f"/{name}/").get_data(as_text=True)
