"""The actor and the epoch: few queries, and never yesterday's rights."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.engine.audit import acting
from app.engine.database import db
from app.engine.perform import update
from models.identity.resources import Employees
from models.identity.rights import bump_epoch, current_epoch, load_actor, stamp
from models.identity.tables import Employee, Position
from tests.customers.world import World
from tests.plugins.people import Login


class Counter:
    """Counts the statements in its block."""

    def __enter__(self) -> Counter:
        self.seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", self._note)
        return self

    def _note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            self.seen.append(statement)

    def __exit__(self, *_error: object) -> None:
        event.remove(db.engine, "before_cursor_execute", self._note)


def test_an_actor_costs_two_queries_and_a_stamp_one(world: World) -> None:
    session, boss = db.session(), world.people["boss"].id
    session.rollback()
    with Counter() as counted:
        actor = load_actor(session, boss)
    assert actor is not None and len(actor.permissions) > 50
    assert len(counted.seen) == 2
    with Counter() as counted:
        known = stamp(session, boss)
    assert known is not None and known.epoch == actor.epoch
    assert len(counted.seen) == 1
    with Counter() as counted:
        assert current_epoch(session) == actor.epoch
    assert counted.seen == []


def test_an_unknown_account_is_nobody(world: World) -> None:
    assert stamp(db.session(), 10**6) is None
    assert load_actor(db.session(), 10**6) is None


def test_signing_in_does_not_end_what_is_remembered_of_everybody(world: World, client) -> None:
    before = current_epoch(db.session())
    client.post("/login", data={"username": "seller", "password": "Test-demo-2024K"})
    client.post("/login", data={"username": "seller", "password": "wrong"})
    assert current_epoch(db.session()) == before


def test_every_change_of_rights_moves_the_epoch_and_a_rollback_moves_it_back(world: World) -> None:
    session = db.session()
    before = current_epoch(session)
    update(Employees, world.people["seller"].id, {"name": "改名"}, world.actor("boss"))
    changed = current_epoch(session)
    assert changed > before
    with acting(session):
        session.add(Position(name="临时", dealer_id=world.a.id))
        session.flush()
        assert current_epoch(session) > changed
        session.rollback()
    assert current_epoch(session) == changed


def test_two_changes_never_share_an_epoch(app) -> None:
    session = db.session()
    seen = {bump_epoch(session) for _ in range(50)}
    assert len(seen) == 50


def test_statistics_of_signing_in_are_no_change_of_rights(world: World) -> None:
    session = db.session()
    before = current_epoch(session)
    with acting(session):
        session.get_one(Employee, world.people["seller"].id).login_count = 7
        session.commit()
    assert current_epoch(session) == before


@pytest.mark.spec("A-22")
def test_another_process_sees_the_change_at_its_next_click(world: World, login: Login) -> None:
    """Each process keeps actors by epoch; the epoch comes from the database with every request."""
    client = login("seller")
    assert client.get("/customers/").status_code == 200
    from app.engine import security

    kept = dict(security._actors)
    update(Employees, world.people["seller"].id, {"roles": []}, world.actor("boss"))
    security._actors.clear()
    security._actors.update(kept)
    assert client.get("/customers/").status_code == 403
