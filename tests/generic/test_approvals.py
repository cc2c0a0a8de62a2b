"""Edits of every kind of record that has to wait: nothing changes until the word is given, then it does, and nobody
reads in a request what the record would not show."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine import approving
from app.engine.approving import EDIT
from app.engine.audit import acting
from app.engine.changes import plain
from app.engine.database import db
from app.engine.fields import FieldSpec
from app.engine.forms import asked, editable
from app.engine.perform import perform
from app.engine.resource import Resource, resource
from app.engine.scopes import Actor
from models.identity.rights import load_actor
from models.identity.roles import StaffRole
from models.shaping.approval_rules import Verdict
from models.shaping.approval_tables import ApprovalFlow, ApprovalRequest, RequestState
from tests.generic.test_forms import typed
from tests.generic.world import HERE, MASKED, SEES, World, declared

EDITS = [pytest.param(r, id=r.name) for r in approving.candidates() if EDIT in approving.deeds_of(r)]
FEW = 4
"""So many fields of each kind of record are tried, the guarded ones first."""
CLOSED = frozenset({"operating_rights", "board_briefs", "registration_assignments"})
"""Those of which the world holds none that this person could change otherwise."""


def wait(world: World, found: type[Resource]) -> None:
    """Let edits of these records wait for the person who reads everything masked, by a role as dealers have them."""
    session = db.session()
    with acting(session):
        role = session.scalars(select(StaffRole).where(StaffRole.name == f"generic:{MASKED}")).one()
        role.name = f"{world.dealers[HERE]}:{MASKED}"
        session.add(
            ApprovalFlow(
                name="编辑审批", subject=found.name, deed=f"{found.name}/{EDIT}", dealer_id=world.dealers[HERE],
                steps=[{"who": f"role:{MASKED}", "named": f"角色{MASKED}"}],
            )
        )  # fmt: skip
        session.commit()


def state(found: type[Resource], number: int) -> dict[str, Any]:
    """What the record holds in its declared columns."""
    db.session.rollback()
    db.session.expire_all()
    record = db.session.get_one(found.model, number)
    return {s.name: plain(getattr(record, s.name)) for s in declared(found.model)}


def changes(found: type[Resource], world: World) -> list[tuple[FieldSpec, str]]:
    """Fields that one fills in by typing, each with a new value."""
    specs = [s for s in asked(editable(found, editing=True), Actor(0)) if s.attribute is not None]
    made = [(s, typed(s, world, 8)) for s in specs if s.target is None and s.kind not in ("bool", "choices")]
    made.sort(key=lambda one: one[0].guard is None)
    return [(spec, value) for spec, value in made if value][:FEW]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("found", EDITS)
def test_an_edit_waits_and_shows_no_more_than_the_record(
    app: Flask, world: World, clients: Any, found: type[Resource]
) -> None:
    number, client = world.id(found, HERE), clients(SEES)
    wait(world, found)
    decide = next(a for a in resource("approval_requests").actions if a.name == "decide")
    waited = []
    for spec, value in changes(found, world):
        before = state(found, number)
        body = {"version": before.get("version"), spec.name: value}
        sent = client.patch(f"/api/v1/{found.name}/{number}", json=body)
        assert sent.status_code >= 202 or state(found, number) == before, f"{spec.name} has slipped past"
        assert state(found, number) == before
        if sent.status_code != 202:
            continue
        request = db.session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.id.desc())).first()
        page = clients(MASKED).get(f"/approval_requests/{request.id}").get_data(as_text=True)
        if spec.guard is not None and not spec.guard.restricting:
            assert value not in page, f"{spec.name} is read in a request"
        perform(
            decide, [request.id], load_actor(db.session(), world.people[MASKED]), {"verdict": Verdict.AGREE}
        )
        after, request = state(found, number), db.session.get_one(ApprovalRequest, request.id)
        done = request.state is RequestState.DONE
        assert (after[spec.name] != before[spec.name]) is done, request.result
        waited.append(spec.name)
    assert bool(waited) is (found.name not in CLOSED), "no field could be tried"
