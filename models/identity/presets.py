"""What a new installation and a new dealer begin with: positions, roles, a first store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.engine import audit, permissions
from app.engine.actions import Act, Invalid
from app.engine.audit import AuditEntry
from app.engine.scopes import SYSTEM
from models.identity import passwords, role_rules
from models.identity.rights import bump_epoch
from models.identity.roles import RoleAssignment, RoleKind, StaffRole
from models.identity.rules import DEALER_CODE, unique
from models.identity.tables import Dealer, Employee, Membership, Position, Store
from models.identity.templates import DEALER_ROLES, GROUP_ROLES, Template

log = logging.getLogger(__name__)
POSITIONS = ("系统管理员", "店长", "导购", "设计师", "渠道文员", "销售顾问", "客服专员", "售服对接人")


ADMINISTRATORS = frozenset({"admin", "group_admin"})
"""Preset roles that get what a new version brings in any case: every other grant starts from them (A-113)."""


@dataclass(frozen=True)
class Version:
    """What bringing preset roles up to date goes by: the permissions that are new in this database, the roles
    that somebody has changed, and dealer and label of every role there ever was."""

    permissions: frozenset[tuple[str, str]]
    changed: frozenset[int]
    known: frozenset[tuple[int | None, str]]


def install(session: Session) -> None:
    """Bring permissions, positions and preset roles up to date. Idempotent; the caller commits.

    A preset role that nobody has touched follows its preset. One that somebody has changed keeps that
    choice and gets nothing by itself, which the log says once; one that was deleted stays away.
    """
    with audit.acting(session):
        version = _version(session)
        known = set(session.scalars(select(Position.name).where(Position.dealer_id.is_(None))))
        session.add_all(
            Position(name=name, sort=(n + 1) * 10) for n, name in enumerate(POSITIONS) if name not in known
        )
        for template in GROUP_ROLES:
            _role(session, template, None, version)
        for dealer in session.scalars(select(Dealer).order_by(Dealer.id)):
            furnish(session, dealer, version)
        bump_epoch(session)
        session.flush()


def _version(session: Session) -> Version:
    """Whether a person has changed a role, or deleted it, its unchangeable history says."""
    entry = AuditEntry
    of_roles = entry.resource == "roles"
    changed = select(entry.record_id).where(of_roles, entry.actor_id != SYSTEM.id, entry.action != "create")
    known = select(entry.dealer_id, entry.record_label).where(of_roles).distinct()
    return Version(
        permissions.sync(session),
        frozenset(session.scalars(changed.distinct())),
        frozenset((dealer_id, label) for dealer_id, label in session.execute(known)),
    )


def make_dealer(session: Session, name: str, code: str, city: str | None = None) -> Dealer:
    """A dealer with its roles and a first store 总店; the caller commits."""
    with audit.acting(session):
        dealer = Dealer(name=name, code=code, city=city)
        session.add(dealer)
        session.flush()
        furnish(session, dealer)
    return dealer


def furnish(session: Session, dealer: Dealer, version: Version | None = None) -> None:
    """Give a dealer the preset roles and a store where it lacks them; needs the permissions' rows."""
    for template in DEALER_ROLES:
        _role(session, template, dealer, version)
    if session.scalar(select(Store.id).where(Store.dealer_id == dealer.id).limit(1)) is None:
        session.add(Store(dealer_id=dealer.id, code=f"{dealer.code}-01", name="总店", city=dealer.city))
    session.flush()


def role_key(dealer_id: int | None, key: str) -> str:
    """The stable name of a preset role."""
    return f"{dealer_id or 'group'}:{key}"


def preset_role(session: Session, dealer_id: int | None, key: str) -> StaffRole:
    """A preset role of a dealer, or of the group when ``dealer_id`` is None; it must exist."""
    return session.scalars(select(StaffRole).where(StaffRole.name == role_key(dealer_id, key))).one()


def _role(session: Session, template: Template, dealer: Dealer | None, version: Version | None) -> None:
    """A preset role as it shall be: made where there was none, else brought up to that version."""
    dealer_id = dealer.id if dealer else None
    name = role_key(dealer_id, template.key)
    role = session.scalar(select(StaffRole).where(StaffRole.name == name))
    if role is None:
        if version is not None and (dealer_id, template.label) in version.known:
            return
        role = StaffRole(
            name=name,
            label=template.label,
            kind=RoleKind.GROUP if dealer is None else RoleKind.DEALER,
            dealer_id=dealer_id,
            assignable=template.key != "group_admin",
        )
        session.add(role)
        session.flush()
        role_rules.give(session, role, template.rights())
    elif version is not None:
        _follow(session, role, template, version, dealer.name if dealer else "集团")


def _follow(session: Session, role: StaffRole, template: Template, version: Version, place: str) -> None:
    held, preset = role_rules.rights_of(session, role.id), template.rights()
    if template.key in ADMINISTRATORS:
        wanted = role_rules.Rights(held.grants | preset.grants, held.scopes | preset.scopes)
    elif role.id not in version.changed:
        wanted = role_rules.beyond_declared(held, preset)
    else:
        offered = preset.grants & version.permissions - held.grants
        if offered:
            wanted = role_rules.Rights(held.grants | offered, held.scopes)
            news = role_rules.difference(held, wanted, session)
            log.warning(
                "%s的角色“%s”已被修改过，新版本的权限未自动授予，可在角色管理中勾选：%s",
                place, role.label, "、".join(change.text for change in news),
            )  # fmt: skip
        return
    changes = role_rules.give(session, role, wanted)
    if changes:
        role_rules.note(session, role, changes, held, wanted)
        flag_modified(role, "name")  # its version moves, so that nobody saves what was open before


def add_person(
    session: Session,
    *,
    dealer_id: int,
    username: str,
    name: str,
    password: str,
    roles: Iterable[StaffRole] = (),
    stores: Iterable[Store] = (),
    position: str = "",
    phone: str | None = None,
    department_id: int | None = None,
) -> Employee:
    """An account made by a command: demo data, ``user add``. ``position`` is a preset's name; the caller
    commits and has checked the password."""
    places = list(stores)
    with audit.acting(session):
        job = (
            session.scalar(
                select(Position.id).where(Position.name == position, Position.dealer_id.is_(None)).limit(1)
            )
            if position
            else None
        )
        person = Employee(
            username=username,
            name=name,
            first_name="",
            last_name=name,
            email=f"{username.lower()}@localhost.invalid",
            password=passwords.hashed(password),
            active=True,
            phone=phone,
            dealer_id=dealer_id,
            store_id=places[0].id if places else None,
            department_id=department_id,
            position_id=job,
        )
        session.add(person)
        session.flush()
        session.add_all(Membership(user_id=person.id, store_id=s.id, dealer_id=dealer_id) for s in places)
        session.add_all(RoleAssignment(user_id=person.id, role_id=r.id) for r in roles)
        session.flush()
    return person


# ----- the group's own screen of dealers


def create_dealer(dealer: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A new tenant with its roles and a first store."""
    _check_dealer(dealer, act, dealer.code)
    if dealer.active is None:
        dealer.active = True
    act.session.add(dealer)
    act.session.flush()
    furnish(act.session, dealer)


def update_dealer(dealer: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Code and name stay unique; closing a dealer signs its people out at their next click."""
    if "code" in values:
        _check_dealer(dealer, act, values["code"])
    if "name" in values:
        unique(act, dealer, Dealer.name, values["name"])


def _check_dealer(dealer: Any, act: Act, code: str) -> None:
    if not DEALER_CODE.fullmatch(code or ""):
        raise Invalid({"code": "最多12位，只能使用大写字母、数字和短横线"})
    unique(act, dealer, Dealer.code, code)
    unique(act, dealer, Dealer.name, dealer.name)
