"""The channel people of the demo dealers: who registers leads, who looks after them, where they sit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.demo.chance import Chance
from models.demo.organisation import ensure
from models.identity import passwords, presets
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import (
    BrandCategory,
    Dealer,
    Department,
    Employee,
    Membership,
    Position,
    Store,
    StoreKind,
)
from models.registrations.tables import PartnerDesigner, RegistrationGrant, RegistrationQuota

WORKER, MANAGER = ("渠道业务员", "channel_worker", "qd"), ("渠道经理", "channel_manager", "qj")
NAMED = {
    ("D001-04", "qd"): ("channel1", "channel2"),
    ("D001-04", "qj"): ("channelmanager1",),
    ("D002-01", "qd"): ("channel2d",),
    ("D002-01", "qj"): ("channelmanager2d",),
}
"""Accounts people are told about, by store and job."""
STAFF = (4, 20)
"""Registrants per outlet, in a small and in a large demo."""
DAILY = 10
COMPANIES = ("安居装饰", "美家工坊", "筑梦空间", "木语整装", "清和设计")


@dataclass(frozen=True)
class Desk:
    """A registrant with what his or her leads inherit; ``designers`` are partners': name, company, phone."""

    dealer_id: int
    outlet_id: int
    registrant_id: int
    manager_id: int
    city: str
    showrooms: Sequence[int]
    types: Sequence[tuple[int, int]]
    """What may be ordered: brand and category, and the category alone."""
    designers: Sequence[tuple[str, str, str]]


def make(session: Session, chance: Chance, password: str, *, large: bool) -> list[Desk]:
    """People at every outlet, at a dealer's first store where there is none; those who are there stay."""
    hashed = passwords.hashed(password)
    found = []
    for dealer in session.scalars(select(Dealer).order_by(Dealer.id)):
        stores = session.scalars(select(Store).where(Store.dealer_id == dealer.id).order_by(Store.id)).all()
        outlets = [s for s in stores if s.kind == StoreKind.OUTLET] or stores[:1]
        types: list[tuple[int, int]] = [
            (pk, category)
            for pk, category in session.execute(
                select(BrandCategory.id, BrandCategory.category_id)
                .where(BrandCategory.dealer_id == dealer.id)
                .order_by(BrandCategory.id)
            )
        ]
        if not types:
            continue
        manager = _hire(session, chance, outlets[0], MANAGER, 1, hashed)
        showrooms = [s.id for s in stores if s.kind != StoreKind.OUTLET]
        designers = _designers(session, chance, dealer)
        for outlet in [*outlets, *(s for s in stores if large and s not in outlets)]:
            for n in range(1, STAFF[large] + 1):
                person = _hire(session, chance, outlet, WORKER, n, hashed)
                if n < STAFF[large]:
                    ensure(
                        session, RegistrationGrant, {"manager_id": manager, "registrant_id": person},
                        dealer_id=dealer.id,
                    )  # fmt: skip
                city = f"{(dealer.city or '杭州').removesuffix('市')}市"
                found.append(Desk(dealer.id, outlet.id, person, manager, city, showrooms, types, designers))
        ensure(
            session, RegistrationQuota, {"employee_id": found[-1].registrant_id}, daily_limit=DAILY,
            dealer_id=dealer.id,
        )  # fmt: skip
    session.flush()
    return found


def _hire(
    session: Session, chance: Chance, store: Store, job: tuple[str, str, str], number: int, hashed: str
) -> int:
    label, key, letters = job
    told = NAMED.get((store.code, letters), ())
    usual = f"{store.code.lower().replace('-', '')}{letters}{number}"
    username = told[number - 1] if number <= len(told) else usual
    known = session.scalar(select(Employee.id).where(Employee.username == username))
    if known is not None:
        return int(known)
    place = ensure(
        session, Department, {"dealer_id": store.dealer_id, "store_id": store.id, "name": "渠道部"}
    )
    position = session.scalar(select(Position.id).where(Position.name == label, Position.dealer_id.is_(None)))
    name = chance.full_name()
    person = Employee(
        username=username, name=name, first_name="", last_name=name, email=f"{username}@localhost.invalid",
        password=hashed, active=True, phone=chance.staff_phone(), dealer_id=store.dealer_id, store_id=store.id,
        department_id=place.id, position_id=position,
    )  # fmt: skip
    session.add(person)
    session.flush()
    role = session.scalar(
        select(StaffRole.id).where(StaffRole.name == presets.role_key(store.dealer_id, key))
    )
    if role is not None:
        session.add(RoleAssignment(user_id=person.id, role_id=role))
    session.add(
        Membership(
            user_id=person.id, store_id=store.id, dealer_id=store.dealer_id, department_id=place.id,
            position_id=position,
        )
    )  # fmt: skip
    return int(person.id)


def _designers(session: Session, chance: Chance, dealer: Dealer) -> list[tuple[str, str, str]]:
    found = []
    for n, company in enumerate(COMPANIES):
        phone = str(13_500_000_000 + dealer.id * 100 + n)
        one = ensure(
            session, PartnerDesigner, {"dealer_id": dealer.id, "phone": phone}, name=chance.full_name(),
            company=company,
        )  # fmt: skip
        found.append((one.name, company, phone))
    return found
