"""Permissions derived from the declarations, and their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import event, func, select

from app.engine.database import db, writing
from app.engine.guards import all_guards
from app.engine.permissions import FIELDS, FRAME, all_permissions, group_of, sync
from app.engine.resource import resources


def rows() -> int:
    """How many pairs the framework knows."""
    return db.session.scalar(select(func.count()).select_from(PermissionView)) or 0


@pytest.fixture
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that were executed."""
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_every_pair_once_with_words(app: Flask) -> None:
    found = all_permissions()
    assert len({p.pair for p in found}) == len(found)
    assert all(p.label and p.group for p in found)
    known = {p.pair: p for p in found}
    tagging = known["can_set_tags", "System"]
    assert (tagging.label, tagging.group, tagging.resource_name) == ("设置标签", FRAME, "")
    phone = known["guard_customer_phone", "Guards"]
    assert (phone.label, phone.group, phone.restricting) == ("客户电话显示加密", FIELDS, True)
    assert not known["guard_settlement_price", "Guards"].restricting
    assert {p.guard for p in found if p.guard} == set(all_guards())


def test_only_what_a_resource_can_do_is_offered(app: Flask) -> None:
    known = {p.pair for p in all_permissions()}
    for resource in resources():
        view = resource.view_name()
        assert ("can_list", view) in known
        assert (("can_add", view) in known) is bool(resource.form)
        assert (("can_delete", view) in known) is (resource.remove is not None)
        assert (("can_chart", view) in known) is bool(resource.charts)
        assert all(action.permission_on(resource) in known for action in resource.actions)
        assert group_of(resource)
    assert ("can_add", "AuditLog") not in known
    assert ("can_edit", "AuditLog") not in known


def test_sync_is_idempotent_and_writes_in_a_handful_of_statements(counted: list[str]) -> None:
    session = db.session()
    before = rows()
    with writing(session):
        del counted[:]
        assert not sync(session)
        assert len(counted) <= 4
        foreign = PermissionView(
            permission=Permission(name="can_foreign"), view_menu=ViewMenu(name="ForeignView")
        )
        session.add(foreign)
        lost = session.scalars(select(PermissionView).order_by(PermissionView.id).limit(5)).all()
        for pair in lost:
            session.delete(pair)
        session.flush()
        del counted[:]
        assert len(sync(session)) == len(lost)
        assert len(counted) <= 8
        assert rows() == before + 1
        session.rollback()
