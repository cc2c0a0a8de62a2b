"""Two dealers, six stores, their people and what they sell: made through the tables' own classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.database import Model
from models.customers.tables import Tag, TagTone
from models.demo import words
from models.demo.chance import Chance
from models.identity import passwords, presets
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import (
    Brand,
    BrandCategory,
    BusinessLine,
    Category,
    Channel,
    Dealer,
    Department,
    Employee,
    Membership,
    OperatingRight,
    PhysicalStore,
    Position,
    Store,
    StoreKind,
)
from models.settings.tables import DictionaryEntry


@dataclass(frozen=True)
class Job:
    """What somebody does in a demo store: position, preset role, department, login letters."""

    position: str
    role: str
    department: str
    letters: str


ADMINISTRATOR = Job("系统管理员", "admin", "", "gl")
MANAGER = Job("店长", "manager", "销售部", "dz")
CONSULTANT = Job("导购", "consultant", "销售部", "dg")
DESIGNER = Job("设计师", "designer", "设计部", "sj")
CLERK = Job("渠道文员", "clerk", "渠道部", "wy")
DEPARTMENTS = ("销售部", "设计部", "渠道部")

NAMED = {
    ("D001-01", MANAGER): ("manager1",),
    ("D001-01", CONSULTANT): ("consultant1", "consultant2"),
    ("D001-01", DESIGNER): ("designer1",),
    ("D001-01", CLERK): ("clerk1",),
    ("D002-01", MANAGER): ("manager2d",),
    ("D002-01", CONSULTANT): ("consultant2d",),
    ("D002-01", DESIGNER): ("designer2d",),
}
"""Accounts people are told about, by store and job."""

ADMINISTRATORS = {"D001": ("dealeradmin1", "顾敏"), "D002": ("dealeradmin2d", "沈悦")}
"""Who shapes the product for a dealer: no part of a store's team."""

TONES = {tone.value: tone for tone in TagTone}

DEALERS = (
    ("D001", "示范商场", "杭州", "浙江省", "杭州市", (
        ("D001-02", "滨江展厅", StoreKind.SHOWROOM), ("D001-03", "城北门店", StoreKind.SHOP),
        ("D001-04", "临平报备网点", StoreKind.OUTLET),
    )),
    ("D002", "样板家居商场", "苏州", "江苏省", "苏州市", (("D002-02", "园区展厅", StoreKind.SHOWROOM),)),
)  # fmt: skip


@dataclass
class Team:
    """The people of one store, by what they do (ids)."""

    store_id: int
    department_id: int
    manager: int = 0
    consultants: list[int] = field(default_factory=list)
    designers: list[int] = field(default_factory=list)
    clerks: list[int] = field(default_factory=list)


@dataclass
class Tenant:
    """One dealer as the customers' lives need it."""

    id: int
    province: str
    city: str
    teams: list[Team]
    tags: list[int]
    categories: list[tuple[int, str]]


def ensure(session: Session, model: type[Model], keys: dict[str, Any], **values: Any) -> Any:
    """The row with these keys, made when it is not there."""
    found = session.scalars(select(model).filter_by(**keys)).first()
    if found is None:
        found = model(**keys, **values)
        session.add(found)
        session.flush()
    return found


def make(session: Session, chance: Chance, password: str, staff: int) -> list[Tenant]:
    """Both dealers with their stores; ``staff`` is the number of people per store."""
    _dictionaries(session)
    hashed = passwords.hashed(password)
    first = session.scalars(select(Dealer).order_by(Dealer.id)).first()
    tenants = []
    for n, (code, name, city, province, town, further) in enumerate(DEALERS):
        dealer = first if n == 0 else session.scalars(select(Dealer).filter_by(code=code)).first()
        dealer = dealer or presets.make_dealer(session, name, code, city)
        categories = _assortment(session, dealer)
        for place, label, kind in further:
            ensure(session, Store, {"dealer_id": dealer.id, "code": place}, name=label, kind=kind, city=city)
        stores = session.scalars(select(Store).where(Store.dealer_id == dealer.id).order_by(Store.id)).all()
        teams = []
        for number, store in enumerate(stores):
            _physical(session, dealer, store, categories, number)
            teams.append(_team(session, chance, dealer, store, staff, hashed))
        tags = [
            ensure(session, Tag, {"dealer_id": dealer.id, "name": tag}, group_name=group, tone=TONES[tone]).id
            for group, found in words.TAGS
            for tag, tone in found
        ]
        _administrator(session, chance, stores[0], ADMINISTRATORS[code], hashed)
        tenants.append(Tenant(dealer.id, province, town, teams, tags, [(c.id, c.name) for c in categories]))
    return tenants


def _dictionaries(session: Session) -> None:
    """Entries of the group for every dictionary that has none yet."""
    known = set(session.scalars(select(DictionaryEntry.dictionary).distinct()))
    for name, entries in words.DICTIONARIES.items():
        if name not in known:
            session.add_all(
                DictionaryEntry(dictionary=name, value=value, label=value, parent=parent or None, sort=n * 10)
                for n, (value, parent) in enumerate(entries, 1)
            )
    session.flush()


def _assortment(session: Session, dealer: Dealer) -> list[BrandCategory]:
    lines = [ensure(session, BusinessLine, {"dealer_id": dealer.id, "name": n}) for n in words.BUSINESS_LINES]
    brands = [ensure(session, Brand, {"dealer_id": dealer.id, "name": n}) for n in words.BRANDS]
    kinds = [ensure(session, Category, {"dealer_id": dealer.id, "name": n}) for n in words.CATEGORIES]
    return [
        ensure(
            session, BrandCategory, {"dealer_id": dealer.id, "brand_id": brand.id, "category_id": kind.id},
            name=f"{brand.name}{kind.name}", business_line_id=lines[min(k, len(lines) - 1)].id,
        )
        for b, brand in enumerate(brands)
        for k, kind in enumerate(kinds)
        if (b + k) % 3 != 2
    ]  # fmt: skip


def _physical(
    session: Session, dealer: Dealer, store: Store, categories: Sequence[BrandCategory], number: int
) -> None:
    """The place behind the store and what it may sell through which channel (A-111)."""
    street = words.STREETS[(dealer.id * 3 + number) % len(words.STREETS)]
    place = ensure(
        session, PhysicalStore, {"dealer_id": dealer.id, "code": f"ST{store.code.replace('-', '')}"},
        name=f"{store.name}实体店", city=dealer.city, address=f"{street}{number * 18 + 6}号",
    )  # fmt: skip
    if store.physical_store_id is None:
        store.physical_store_id = place.id
    channels = (Channel.REGULAR, Channel.WHOLE_HOUSE, Channel.A_MODE)
    for k, category in enumerate(categories):
        if (k + number) % 4:
            channel = channels[(k + number) % len(channels)]
            ensure(
                session, OperatingRight, {"physical_store_id": place.id, "brand_category_id": category.id},
                name=f"{place.name} {category.name}"[:64], channel=channel, dealer_id=dealer.id,
            )  # fmt: skip


def _team(session: Session, chance: Chance, dealer: Dealer, store: Store, staff: int, hashed: str) -> Team:
    places = {
        name: ensure(session, Department, {"dealer_id": dealer.id, "store_id": store.id, "name": name}).id
        for name in DEPARTMENTS
    }
    positions = {p.name: p.id for p in session.scalars(select(Position).where(Position.dealer_id.is_(None)))}
    roles = {
        j.role: presets.preset_role(session, dealer.id, j.role)
        for j in (MANAGER, CONSULTANT, DESIGNER, CLERK)
    }
    designers = max(2, staff // 5)
    jobs = [MANAGER, CLERK, *[DESIGNER] * designers, *[CONSULTANT] * max(2, staff - 2 - designers)]
    team = Team(store.id, places["销售部"])
    hired: list[tuple[Employee, Job]] = []
    counted: dict[str, int] = {}
    for job in jobs:
        counted[job.letters] = n = counted.get(job.letters, 0) + 1
        told = NAMED.get((store.code, job), ())
        username = told[n - 1] if n <= len(told) else f"{store.code.lower().replace('-', '')}{job.letters}{n}"
        name = chance.full_name()
        person = session.scalars(select(Employee).filter_by(username=username)).first() or Employee(
            username=username, name=name, first_name="", last_name=name, email=f"{username}@localhost.invalid",
            password=hashed, active=True, phone=chance.staff_phone(), dealer_id=dealer.id, store_id=store.id,
            department_id=places[job.department], position_id=positions.get(job.position),
        )  # fmt: skip
        hired.append((person, job))
    fresh = [(person, job) for person, job in hired if person.id is None]
    session.add_all(person for person, _ in fresh)
    session.flush()
    _employ(session, store, fresh, roles)
    for person, job in hired:
        if job is MANAGER:
            team.manager = person.id
        else:
            group = {CONSULTANT: team.consultants, DESIGNER: team.designers, CLERK: team.clerks}[job]
            group.append(person.id)
    for person, job in fresh:
        if job is CONSULTANT:
            person.backup_contact_id = team.manager
    session.flush()
    return team


def _administrator(session: Session, chance: Chance, store: Store, who: tuple[str, str], hashed: str) -> None:
    username, name = who
    if session.scalars(select(Employee.id).filter_by(username=username)).first() is not None:
        return
    position = select(Position.id).where(
        Position.dealer_id.is_(None), Position.name == ADMINISTRATOR.position
    )
    person = Employee(
        username=username, name=name, first_name="", last_name=name, email=f"{username}@localhost.invalid",
        password=hashed, active=True, phone=chance.staff_phone(), dealer_id=store.dealer_id, store_id=store.id,
        position_id=session.scalar(position),
    )  # fmt: skip
    session.add(person)
    session.flush()
    role = presets.preset_role(session, store.dealer_id, ADMINISTRATOR.role)
    _employ(session, store, [(person, ADMINISTRATOR)], {ADMINISTRATOR.role: role})


def _employ(
    session: Session, store: Store, people: Sequence[tuple[Employee, Job]], roles: dict[str, StaffRole]
) -> None:
    for person, job in people:
        session.add(RoleAssignment(user_id=person.id, role_id=roles[job.role].id))
        session.add(
            Membership(
                user_id=person.id, store_id=store.id, dealer_id=store.dealer_id,
                department_id=person.department_id, position_id=person.position_id,
            )
        )  # fmt: skip
    session.flush()
