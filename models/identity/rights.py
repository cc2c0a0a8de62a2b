"""Who may do what: the actor of an account, and the epoch that says when remembered actors are stale.

The epoch is a time in microseconds rather than a counter, so that no two states of two databases, or of
one database after a rollback, ever share a value.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)
from sqlalchemy import (
    Select,
    and_,
    bindparam,
    case,
    delete,
    event,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import InstanceState, Session

from app.engine.database import utcnow
from app.engine.scopes import Actor, Scope
from app.engine.security import Stamp, provide_identity
from models.base import Steering
from models.identity.roles import EndedSession, RightsEpoch, RoleScope, StaffRole
from models.identity.tables import Dealer, Employee, Position, Store

_EPOCH = RightsEpoch.__table__
_USER = Employee.__table__
_ROLE = StaffRole.__table__
_SEEN = "rights_epoch"
_SCOPES = {scope.value: scope for scope in Scope}

_stamp: Select[Any] = select(
    and_(_USER.c.active, ~exists().where(EndedSession.key == bindparam("login"))),
    _USER.c.session_version,
    func.coalesce(select(_EPOCH.c.value).where(_EPOCH.c.id == 1).scalar_subquery(), 0),
    _USER.c.views_version,
).where(_USER.c.id == bindparam("user_id"))

_person: Any = (
    select(
        Employee.id,
        Employee.username,
        Employee.name,
        Employee.active,
        Employee.department_id,
        Position.name.label("position"),
        Employee.dealer_id,
        Dealer.name.label("dealer_name"),
        Dealer.active.label("dealer_active"),
        Employee.store_id,
        Store.code.label("store_code"),
        Store.name.label("store_name"),
        func.coalesce(select(_EPOCH.c.value).where(_EPOCH.c.id == 1).scalar_subquery(), 0).label("epoch"),
    )
    .select_from(Employee)
    .outerjoin(Dealer, Dealer.id == Employee.dealer_id)
    .outerjoin(Store, Store.id == Employee.store_id)
    .outerjoin(Position, Position.id == Employee.position_id)
)


def _rights(user_id: int) -> Any:
    """Permissions and scopes of all roles of a person in one statement. A role of another dealer has no
    effect, whatever the link table says (A-115)."""
    mine = (
        select(_ROLE.c.id)
        .join(assoc_user_role, assoc_user_role.c.role_id == _ROLE.c.id)
        .join(_USER, _USER.c.id == assoc_user_role.c.user_id)
        .where(_USER.c.id == user_id)
        .where(or_(_ROLE.c.dealer_id.is_(None), _ROLE.c.dealer_id == _USER.c.dealer_id))
    ).cte("my_roles")
    grants = (
        select(literal("p").label("kind"), Permission.name.label("a"), ViewMenu.name.label("b"))
        .select_from(assoc_permissionview_role)
        .join(mine, mine.c.id == assoc_permissionview_role.c.role_id)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
    )
    table = RoleScope.__table__
    opened = select(literal("s"), table.c.resource, table.c.scope).join(mine, mine.c.id == table.c.role_id)
    return union_all(grants, opened)


def stamp(session: Session, user_id: int, login: str = "") -> Stamp | None:
    """What a request of that session must know afresh, in one light query; None for an unknown account."""
    row = session.connection().execute(_stamp, {"user_id": user_id, "login": login}).first()
    if row is None:
        return None
    session.info[_SEEN] = row[2]
    return Stamp(active=bool(row[0]), session_version=row[1], epoch=row[2], own=row[3])


def load_actor(session: Session, user_id: int) -> Actor | None:
    """The actor of an account with everything it may do, in two queries; None for an account that is
    unknown, inactive or of a closed dealer."""
    row = session.execute(_person.where(Employee.id == user_id)).first()
    if row is None or not row.active or row.dealer_active is False:
        return None
    session.info[_SEEN] = row.epoch
    permissions: set[tuple[str, str]] = set()
    scopes: defaultdict[str, set[Scope]] = defaultdict(set)
    for kind, first, second in session.execute(_rights(user_id)):
        if kind == "p":
            permissions.add((first, second))
        else:
            scopes[first].add(_SCOPES[second])
    return Actor(
        id=row.id,
        username=row.username,
        name=row.name or row.username,
        position=row.position or "",
        dealer_id=row.dealer_id,
        dealer_name=row.dealer_name or "",
        store_id=row.store_id,
        store_code=row.store_code or "",
        store_name=row.store_name or "",
        department_id=row.department_id,
        permissions=frozenset(permissions),
        scopes={name: frozenset(found) for name, found in scopes.items()},
        epoch=row.epoch,
    )


def current_epoch(session: Session) -> int:
    """The epoch as this session last saw it; asks once per transaction at most."""
    known: int | None = session.info.get(_SEEN)
    if known is None:
        known = session.scalar(select(_EPOCH.c.value).where(_EPOCH.c.id == 1)) or 0
        session.info[_SEEN] = known
    return known


def bump_epoch(session: Session) -> int:
    """Make every process load its actors, dictionaries and parameters anew at its next request (A-22)."""
    moment = time.time_ns() // 1000
    connection = session.connection()
    value = _EPOCH.c.value
    later = case((value >= moment, value + 1), else_=moment)
    changed = connection.execute(update(RightsEpoch).where(_EPOCH.c.id == 1).values(value=later))
    if not changed.rowcount:
        connection.execute(insert(RightsEpoch).values(id=1, value=moment))
    epoch: int = connection.execute(select(value).where(_EPOCH.c.id == 1)).scalar_one()
    session.info[_SEEN] = epoch
    return epoch


@event.listens_for(Session, "before_flush")
def _bump_on_change(session: Session, _context: Any, _instances: Any) -> None:
    """No rule can forget the epoch: whatever changes through the ORM moves it."""
    if any(isinstance(r, Steering) for r in (*session.new, *session.deleted)) or any(
        isinstance(r, Steering) and _steers(r) for r in session.dirty
    ):
        bump_epoch(session)


def _steers(record: Steering) -> bool:
    state: InstanceState[Any] = state_of(record)
    return any(
        state.attrs[a.key].history.has_changes()
        for a in state.mapper.column_attrs
        if a.key not in record.__quiet__
    )


@event.listens_for(Session, "after_soft_rollback")
def _forget_undone_epoch(session: Session, _previous: Any) -> None:
    session.info.pop(_SEEN, None)


@event.listens_for(Session, "after_transaction_end")
def _forget_epoch(session: Session, transaction: Any) -> None:
    """What a transaction saw holds for that transaction."""
    if transaction.parent is None:
        session.info.pop(_SEEN, None)


@dataclass(frozen=True)
class Rights:
    """What roles grant: ``(permission, view)`` pairs and ``(resource, scope)`` pairs."""

    grants: frozenset[tuple[str, str]] = frozenset()
    scopes: frozenset[tuple[str, Scope]] = frozenset()


def rights_of(session: Session, *role_ids: int) -> Rights:
    """What these roles grant together now."""
    table = assoc_permissionview_role
    grants = session.execute(
        select(Permission.name, ViewMenu.name)
        .select_from(table)
        .join(PermissionView, PermissionView.id == table.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(table.c.role_id.in_(role_ids))
    )
    scopes = session.execute(
        select(RoleScope.resource, RoleScope.scope).where(RoleScope.role_id.in_(role_ids))
    )
    return Rights(frozenset((p, v) for p, v in grants), frozenset((r, s) for r, s in scopes))


def role_ids_with(permission: str, view: str) -> Select[tuple[int]]:
    """The roles that grant a permission, as a statement to build on."""
    table = assoc_permissionview_role
    return (
        select(table.c.role_id)
        .join(PermissionView, PermissionView.id == table.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(and_(Permission.name == permission, ViewMenu.name == view))
    )


class _Identity:
    """What the engine's security manager asks this domain."""

    def stamp(self, session: Session, user_id: int, login: str) -> Stamp | None:
        return stamp(session, user_id, login)

    def load(self, session: Session, user_id: int) -> Actor | None:
        return load_actor(session, user_id)

    def end(self, session: Session, login: str, until: datetime) -> None:
        session.execute(delete(EndedSession).where(EndedSession.until < utcnow()))
        session.merge(EndedSession(key=login, until=until))


provide_identity(_Identity())
