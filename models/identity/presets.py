"""What a new installation and a new dealer begin with: positions, roles, a first store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import audit, permissions
from app.engine.actions import Act, Invalid
from models.identity import passwords, role_rules
from models.identity.rights import bump_epoch
from models.identity.roles import RoleAssignment, RoleKind, StaffRole
from models.identity.rules import DEALER_CODE, unique
from models.identity.tables import Dealer, Employee, Membership, Position, Store
from models.identity.templates import DEALER_ROLES, GROUP_ROLES, Template

POSITIONS = ("系统管理员", "店长", "导购", "设计师", "渠道文员", "销售顾问", "客服专员", "售服对接人")


def install(session: Session) -> None:
    """Bring permissions, positions and preset roles up to date. Idempotent; the caller commits.

    Roles an administrator may have changed are left alone; the administrators' own roles get the
    permissions that came with a new version, because every other grant starts from them (A-113).
    """
    with audit.acting(session):
        permissions.sync(session)
        known = set(session.scalars(select(Position.name).where(Position.dealer_id.is_(None))))
        session.add_all(
            Position(name=name, sort=(n + 1) * 10) for n, name in enumerate(POSITIONS) if name not in known
        )
        for template in GROUP_ROLES:
            _role(session, template, None)
        for dealer in session.scalars(select(Dealer).order_by(Dealer.id)):
            furnish(session, dealer)
        bump_epoch(session)
        session.flush()


def make_dealer(session: Session, name: str, code: str, city: str | None = None) -> Dealer:
    """A dealer with its roles and a first store 总店; the caller commits."""
    with audit.acting(session):
        dealer = Dealer(name=name, code=code, city=city)
        session.add(dealer)
        session.flush()
        furnish(session, dealer)
    return dealer


def furnish(session: Session, dealer: Dealer) -> None:
    """Give a dealer the preset roles and a store where it lacks them; needs the permissions' rows."""
    for template in DEALER_ROLES:
        _role(session, template, dealer)
    if session.scalar(select(Store.id).where(Store.dealer_id == dealer.id).limit(1)) is None:
        session.add(Store(dealer_id=dealer.id, code=f"{dealer.code}-01", name="总店", city=dealer.city))
    session.flush()


def role_key(dealer_id: int | None, key: str) -> str:
    """The stable name of a preset role."""
    return f"{dealer_id or 'group'}:{key}"


def preset_role(session: Session, dealer_id: int | None, key: str) -> StaffRole:
    """A preset role of a dealer, or of the group when ``dealer_id`` is None; it must exist."""
    return session.scalars(select(StaffRole).where(StaffRole.name == role_key(dealer_id, key))).one()


def _role(session: Session, template: Template, dealer: Dealer | None) -> None:
    name = role_key(dealer.id if dealer else None, template.key)
    role = session.scalar(select(StaffRole).where(StaffRole.name == name))
    fresh = role is None
    if role is None:
        role = StaffRole(
            name=name,
            label=template.label,
            kind=RoleKind.GROUP if dealer is None else RoleKind.DEALER,
            dealer_id=dealer.id if dealer else None,
            assignable=template.key != "group_admin",
        )
        session.add(role)
        session.flush()
    if fresh or template.key in ("admin", "group_admin"):
        old = role_rules.rights_of(session, role.id)
        wanted = template.rights()
        role_rules.give(
            session, role, role_rules.Rights(old.grants | wanted.grants, old.scopes | wanted.scopes)
        )


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
