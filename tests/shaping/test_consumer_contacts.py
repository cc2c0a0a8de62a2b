"""售服对接人: whom consumers see, and by which number (A-115)."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from app.engine.actions import Invalid
from app.engine.database import db
from app.engine.perform import create
from models.identity import contacts
from models.identity.presets import preset_role
from models.identity.resources import Roles
from models.identity.roles import RoleKind
from tests.customers.world import World, words
from tests.plugins.people import Login


def seen(dealer: Any) -> list[tuple[str, str]]:
    """What the consumers of a dealer see."""
    return [(c.name, c.number) for c in contacts.after_sales_contacts(db.session(), dealer.id)]


def appoint(world: World, *keys: str, **values: Any) -> int:
    """Give people the group's role; its number."""
    role = preset_role(db.session(), None, "service_contact").id
    for key in keys:
        world.change(world.people[key], "boss" if key != "outsider" else "admin", roles=[role], **values)
    return role


def listed(login: Login, answer: str) -> str:
    """The list of people narrowed to those whom consumers see, or do not."""
    return words(login("boss").get(f"/employees/?consumer_visible={answer}").get_data(as_text=True))


@pytest.mark.spec("A-115")
def test_only_the_role_of_the_group_makes_a_person_visible_to_consumers(world: World, login: Login) -> None:
    own, _ = create(Roles, {"label": "售服对接人"}, world.actor("boss"))
    world.change(world.people["drawer"], "boss", roles=[own.id], phone="13700000001")
    assert seen(world.a) == []
    assert "设计师甲" not in listed(login, "1")
    appoint(world, "typist", phone="13700000002")
    assert seen(world.a) == [("文员甲", "13700000002")]
    shown, others = listed(login, "1"), listed(login, "0")
    assert "文员甲" in shown and "设计师甲" not in shown
    assert "设计师甲" in others and "文员甲" not in others
    page = words(login("boss").get(f"/employees/{world.people['typist'].id}").get_data(as_text=True))
    assert "消费者可见是" in page
    page = words(login("boss").get(f"/employees/{world.people['drawer'].id}").get_data(as_text=True))
    assert "消费者可见否" in page


@pytest.mark.spec("A-115")
def test_who_leaves_drops_out_and_every_dealer_has_contacts_of_its_own(world: World) -> None:
    appoint(world, "typist", "seller", phone="13700000002")
    appoint(world, "outsider", phone="13700000003")
    assert seen(world.a) == [("导购甲", "13700000002"), ("文员甲", "13700000002")]
    assert seen(world.b) == [("导购丙", "13700000003")]
    world.act("deactivate", world.people["typist"], "boss")
    assert seen(world.a) == [("导购甲", "13700000002")]
    world.act("activate", world.people["typist"], "boss")
    assert len(seen(world.a)) == 2


@pytest.mark.spec("A-115")
def test_the_alternative_number_is_what_consumers_see_and_without_it_the_mobile_one(world: World) -> None:
    appoint(world, "typist", phone="13700000002", alternative_phone="020-12345678")
    assert seen(world.a) == [("文员甲", "020-12345678")]
    world.change(world.people["typist"], "boss", alternative_phone="")
    assert seen(world.a) == [("文员甲", "13700000002")]
    world.change(world.people["typist"], "boss", alternative_phone="（0571）8765 4321")
    assert seen(world.a) == [("文员甲", "0571-87654321")]
    with pytest.raises(Invalid, match="带区号的固定电话"):
        world.change(world.people["typist"], "boss", alternative_phone="12345678")
    assert seen(world.a) == [("文员甲", "0571-87654321")]


@pytest.mark.spec("A-115")
def test_the_page_of_the_role_shows_contacts_as_consumers_get_them(world: World, login: Login) -> None:
    role = preset_role(db.session(), None, "service_contact").id
    empty = words(login("boss").get(f"/roles/{role}/people").get_data(as_text=True))
    assert "消费者看到的售服对接人" in empty and contacts.NOBODY in empty
    appoint(world, "typist", phone="13700000002", alternative_phone="02012345678")
    appoint(world, "outsider", phone="13700000003")
    own = words(login("boss").get(f"/roles/{role}/people").get_data(as_text=True))
    assert "文员甲020-12345678" in own and "13700000003" not in own and contacts.NOBODY not in own
    everybody = words(login("admin").get(f"/roles/{role}/people").get_data(as_text=True))
    assert "文员甲020-12345678" in everybody and f"{world.b.name}导购丙13700000003" in everybody
    others = preset_role(db.session(), world.a.id, "clerk").id
    assert "消费者看到" not in login("boss").get(f"/roles/{others}/people").get_data(as_text=True)


def test_files_and_programs_read_who_is_visible(world: World, login: Login) -> None:
    appoint(world, "typist")
    client = login("boss")
    answer = client.get("/api/v1/employees/?consumer_visible=1").json
    assert [row["consumer_visible"] for row in answer["result"]] == [True]
    asked = {"consumer_visible": "1", "scope": "dealer"}
    sheet = client.post("/employees/export", query_string=asked, data={"format": "xlsx"}).get_data()
    head, *rows = openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows(values_only=True)
    said = [dict(zip(head, row, strict=True))["消费者可见"] for row in rows]
    assert [word for word in said if word is not None] == ["是"]


@pytest.mark.spec("A-115")
@pytest.mark.sqlite_only
def test_the_rule_without_database_says_the_same() -> None:
    role = SimpleNamespace(name=contacts.CONTACT_ROLE, kind=RoleKind.GROUP, dealer_id=None)
    alike = SimpleNamespace(name="7:abc", kind=RoleKind.DEALER, dealer_id=7)
    person = SimpleNamespace(active=True, departed_at=None, phone="13700000001", alternative_phone=None)
    assert contacts.is_visible(person, [alike, role])
    assert not contacts.is_visible(person, [alike])
    person.active = False
    assert not contacts.is_visible(person, [role])
