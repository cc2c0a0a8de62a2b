"""The built dashboards of one epoch, read once per process and change: menus and pages ask for no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine.chrome import Entry, provide_entries
from app.engine.database import db
from app.engine.recent import Recent
from app.engine.scopes import Actor
from models.identity.per_epoch import PerEpoch
from models.identity.roles import RoleAssignment, StaffRole
from models.shaping.dashboard_tiles import BASE
from models.shaping.dashboards import Board, BoardRole, Sharing

GROUP = "经营"
_ORDER = 196
_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Known:
    """A dashboard as it stands."""

    id: int
    name: str
    icon: str
    sort: int
    shared: Sharing
    owner_id: int
    dealer_id: int | None
    layout: Sequence[dict[str, Any]]
    version: int
    roles: frozenset[int]

    @property
    def key(self) -> str:
        """Its page's key in the menu."""
        return f"board-{self.id}"


_roles: Recent[tuple[int, int], frozenset[int]] = Recent(_KEPT)


def _load(session: Session) -> dict[int, Known]:
    shared: defaultdict[int, set[int]] = defaultdict(set)
    columns = (Board.id, Board.name, Board.icon, Board.sort, Board.shared, Board.owner_id, Board.dealer_id)
    statement = select(*columns, Board.layout, Board.version).order_by(Board.sort, Board.id)
    rows = session.execute(statement).all()
    if rows:
        for board, role in session.execute(select(BoardRole.board_id, BoardRole.role_id)):
            shared[board].add(role)
    return {
        row.id: Known(
            row.id, row.name, row.icon.value, row.sort, row.shared, row.owner_id, row.dealer_id, row.layout,
            row.version, frozenset(shared[row.id]),
        )
        for row in rows
    }  # fmt: skip


boards = PerEpoch(_load)
"""All dashboards in the order of the menu, by id."""


def _roles_of(session: Session, actor: Actor) -> frozenset[int]:
    """The roles of a person that have an effect."""
    key = (actor.id, actor.epoch)
    known = _roles.recall(key)
    if known is not None:
        return known
    held = select(RoleAssignment.role_id).join(StaffRole, StaffRole.id == RoleAssignment.role_id)
    effective = or_(StaffRole.dealer_id.is_(None), StaffRole.dealer_id == actor.dealer_id)
    with session.no_autoflush:
        found = session.scalars(held.where(RoleAssignment.user_id == actor.id, effective))
        return _roles.keep(key, frozenset(found))


def in_menu(session: Session, actor: Actor) -> list[Known]:
    """The dashboards this person has in the menu: the own ones, and those that are shared with them."""
    near = [b for b in boards(session).values() if b.dealer_id in (None, actor.dealer_id)]
    found = []
    for board in near:
        if board.shared is Sharing.PERSONAL:
            mine = board.owner_id == actor.id
        else:
            mine = board.shared is Sharing.ALL or not board.roles.isdisjoint(_roles_of(session, actor))
        if mine:
            found.append(board)
    return found


def _entries(actor: Actor) -> list[Entry]:
    return [
        Entry(GROUP, b.key, b.name, f"{BASE}/{b.id}", b.icon, _ORDER, ("can_list", "Boards"), own=True)
        for b in in_menu(db.session(), actor)
    ]


provide_entries(_entries)
