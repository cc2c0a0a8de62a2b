"""The views of each person: shared ones once per epoch and process, own ones once per own version."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.engine import savedviews
from app.engine.choices import Tone
from app.engine.database import db
from app.engine.recent import Recent
from app.engine.savedviews import RowColour
from app.engine.scopes import Actor
from app.engine.security import own_version
from models.base import OF_GROUP
from models.identity.per_epoch import PerEpoch
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Store
from models.shaping.view_tables import Audience, SavedView, ViewState

VIEW, MANAGE = "SavedViews", "can_manage_views"
_KEPT = 2000
_TONES = {t.value: t for t in Tone}
_NEAREST = {audience: n for n, audience in enumerate(Audience)}

Views = tuple[savedviews.SavedView, ...]


@dataclass(frozen=True)
class Shared:
    """All shared views of one epoch: by list, each with its place, dealer and role; roles by person."""

    views: dict[str, list[tuple[Any, savedviews.SavedView]]]
    roles: dict[int, frozenset[int]]


_own: Recent[int, tuple[int, dict[str, Views]]] = Recent(_KEPT)


def views_for(actor: Actor, resource: str) -> Views:
    """The views of that list this person may open, the nearest first."""
    session = db.session()
    return (*_own_of(session, actor).get(resource, ()), *_shared_with(session, actor, resource))


def _shared_with(session: Session, actor: Actor, resource: str) -> Views:
    shared = _all_shared(session)
    roles = shared.roles.get(actor.id, frozenset())
    return tuple(v for row, v in shared.views.get(resource, ()) if is_for(row, actor, roles))


def is_for(row: Any, actor: Actor, roles: frozenset[int]) -> bool:
    """Whether a shared view is for this person; nothing of another dealer ever is."""
    if row.dealer_id is not None and row.dealer_id != actor.dealer_id:
        return False
    if row.audience is Audience.ROLE:
        return row.role_id in roles
    return row.audience is Audience.DEALER or (row.store_id is not None and row.store_id == actor.store_id)


def _load(session: Session) -> Shared:
    rows = _rows(session, SavedView.audience != Audience.PERSON)
    rows.sort(key=lambda row: (_NEAREST[row.audience], row.dealer_id is None, row.id))
    found: defaultdict[str, list[tuple[Any, savedviews.SavedView]]] = defaultdict(list)
    for row in rows:
        found[row.resource].append((row, _as_view(row, mine=False)))
    named = {row.role_id for row in rows if row.role_id is not None}
    holders: defaultdict[int, set[int]] = defaultdict(set)
    if named:
        held = select(RoleAssignment.user_id, RoleAssignment.role_id).where(RoleAssignment.role_id.in_(named))
        for user_id, role_id in session.execute(held):
            holders[user_id].add(role_id)
    return Shared(dict(found), {user: frozenset(roles) for user, roles in holders.items()})


_all_shared = PerEpoch(_load)


def _own_of(session: Session, actor: Actor) -> dict[str, Views]:
    version, known = own_version(), _own.recall(actor.id)
    if known is not None and known[0] == version:
        return known[1]
    found: defaultdict[str, list[savedviews.SavedView]] = defaultdict(list)
    mine = (SavedView.audience == Audience.PERSON) & (SavedView.owner_id == actor.id)
    for row in sorted(_rows(session, mine), key=lambda row: row.id):
        found[row.resource].append(_as_view(row, mine=True))
    views = {name: tuple(held) for name, held in found.items()}
    if version is not None:
        _own.keep(actor.id, (version, views))
    return views


def _rows(session: Session, where: ColumnElement[bool]) -> list[Any]:
    names = (
        "id", "resource", "name", "audience", "dealer_id", "role_id", "store_id", "is_default", "version", "args",
        "columns", "colours", "widths",
    )  # fmt: skip
    statement = (
        select(*(getattr(SavedView, n) for n in names), StaffRole.label, Store.name.label("store"))
        .outerjoin(StaffRole, StaffRole.id == SavedView.role_id)
        .outerjoin(Store, Store.id == SavedView.store_id)
        .where(where, SavedView.state == ViewState.ACTIVE)
    )
    with session.no_autoflush:
        return list(session.execute(statement))


def _as_view(row: Any, *, mine: bool) -> savedviews.SavedView:
    everybody = OF_GROUP if row.dealer_id is None else Audience.DEALER.label
    named = {Audience.ROLE: row.label, Audience.STORE: row.store, Audience.DEALER: everybody}
    whom = named.get(row.audience) or row.audience.label
    return savedviews.SavedView(
        row.id, row.resource, row.name, whom, mine, row.is_default, row.version, row.dealer_id,
        {k: tuple(v) for k, v in dict(row.args or {}).items()}, tuple(row.columns or ()),
        tuple(RowColour(f, v, _TONES[t]) for f, v, t in row.colours or () if t in _TONES),
        dict(row.widths or {}),
    )  # fmt: skip


def may_share(actor: Actor) -> bool:
    """Whether this person makes views for others."""
    return actor.can(MANAGE, VIEW)


def manages(actor: Actor, dealer_id: int | None) -> bool:
    """Whether this person changes the shared views of that dealer, or of the group."""
    if dealer_id is None:
        return may_share(actor) and is_group(actor, SavedView.__tablename__)
    return may_share(actor) and dealer_id == actor.dealer_id


savedviews.provide_saved_views(views_for, lambda actor, view: view.mine or manages(actor, view.dealer_id))
