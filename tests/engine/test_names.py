"""Two characters of a name find everything that contains them, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from app.engine import names
from app.engine.database import db, writing
from app.engine.resource import resource
from models.customers.tables import Contact
from tests.customers.world import World

LETTERS = st.characters(exclude_characters="\0", exclude_categories=("Cs",)) | st.sampled_from(
    "张王李三丰先生女士%_'\"\\*-: d1AaBbZz0😀👨‍👩𠮷éÉ（）·"
)


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people, read and written over fresh connections."""
    made = trade
    db.session.remove()
    db.engine.dispose()
    return made


def found(part: str) -> set[int]:
    """The ids of the contacts whose name contains the text."""
    contacts: Any = resource("contacts")
    dialect = db.session().get_bind().dialect.name
    where = names.condition(contacts, Contact.name, part, dialect)
    return set(db.session.scalars(select(Contact.id).where(where)))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_part_finds_what_a_naive_search_finds(world: World, data: Any) -> None:
    written = data.draw(st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=6))
    source = data.draw(st.sampled_from(written))
    start = data.draw(st.integers(0, max(0, len(source) - 1)))
    cut = source[start : start + data.draw(st.integers(1, 5))]
    part = data.draw(st.sampled_from([cut or "x", data.draw(st.text(LETTERS, min_size=1, max_size=3))]))
    table: Any = Contact.__table__
    with writing(db.session()):
        said = {"audited": True}
        db.session.execute(table.delete(), execution_options=said)
        rows = [
            {"code": f"T{n}", "name": "旧名", "dealer_id": world.a.id, "store_id": world.stores[0].id}
            for n in range(len(written))
        ]
        db.session.execute(table.insert(), rows, execution_options=said)
        ids = list(db.session.scalars(select(Contact.id).order_by(Contact.id)))
        for record_id, name in zip(ids, written, strict=True):
            statement = update(table).where(table.c.id == record_id).values(name=name)
            db.session.execute(statement, execution_options=said)
        wanted = {i for i, n in zip(ids, written, strict=True) if names.folded(part) in names.folded(n)}
        assert found(part) == wanted
        db.session.rollback()


@pytest.mark.spec("D-08")
def test_names_follow_changes_and_deletions(world: World) -> None:
    contact = world.contact(name="欧阳娜娜")
    assert found("阳娜") == {contact.id}
    world.change(contact, name="欧阳夏丹")
    assert found("阳娜") == set()
    assert found("夏丹") == {contact.id}
    table: Any = Contact.__table__
    statement = delete(table).where(table.c.id == contact.id)
    db.session.execute(statement, execution_options={"audited": True})
    assert found("夏丹") == set()
    db.session.rollback()


def test_frequent_names_are_found_by_looking_at_the_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {world.contact(name=f"{letter}先生").id for letter in "赵钱孙李"}
    monkeypatch.setattr(names, "FREQUENT", 2)
    assert found("先生") == ids
    assert len(found("钱先")) == 1


def test_repair_prepares_what_is_missing_and_nothing_twice(world: World) -> None:
    world.contact(name="司马相如")
    with db.engine.begin() as connection:
        assert names.repair(connection) == []
        for statement in names.drop_ddl(connection.dialect.name):
            connection.execute(text(statement))
        assert "contacts" in names.repair(connection)
        assert names.repair(connection) == []
    assert len(found("马相")) == 1
    world.contact(name="司马光")
    assert len(found("司马")) == 2


def test_repair_renews_what_an_older_version_made(world: World) -> None:
    trigger = "contacts_name_fts_insert"
    older = {
        "postgresql": (
            "CREATE OR REPLACE FUNCTION zk_bigrams(value text) RETURNS text[] LANGUAGE sql IMMUTABLE AS "
            "$$ SELECT ARRAY[value] $$",
        ),
        "sqlite": (
            f"DROP TRIGGER {trigger}",
            f"CREATE TRIGGER {trigger} AFTER INSERT ON contacts BEGIN SELECT 1; END",
        ),
    }
    with db.engine.begin() as connection:
        for statement in older[connection.dialect.name]:
            connection.execute(text(statement))
        names.repair(connection)
    world.contact(name="诸葛孔明")
    assert len(found("葛孔")) == 1
