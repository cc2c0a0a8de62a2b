"""An office whose people file leads and two showrooms that get them, in the small trade."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.audit import acting
from app.engine.database import db
from app.engine.perform import Report
from models.identity import presets
from models.identity.tables import Brand, BrandCategory, Store, StoreKind
from models.notifications.tables import Notification
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from models.settings.tables import Parameter
from tests.customers.world import PASSWORD, World

CABINET, WARDROBE, DOOR, OTHER_WARDROBE = range(4)
TODAY = date(2026, 11, 20)


@dataclass
class Showrooms:
    """``office`` files (worker, worker2), ``east`` (seller, seller2) and ``west`` (westie) get; the boss assigns,
    and so may the chief. The double works in the west and files and manages leads as well."""

    world: World
    office: Store
    east: Store
    west: Store
    types: list[BrandCategory]

    def lead(self, by: str = "worker", now: datetime | None = None, **values: Any) -> Registration:
        """File a lead as that person would."""
        given = {
            "name": "章若", "city": "杭州市", "community": "星湖小区", "room": "3栋502", "source": "自然客户",
            "phone": self.world.next_phone(),
        }  # fmt: skip
        lead: Registration = self.world.make("registrations", by, now=now, **(given | values))
        return lead

    def assign(
        self, lead: Registration, store: Store | None = None, of: int = CABINET, by: str = "boss", **more: Any
    ) -> Assignment:
        """Assign it, to the eastern showroom unless another is named."""
        place = store or self.east
        self.world.act("assign", lead, by, showroom=place.id, brand_category=self.types[of].id, **more)
        newest = (
            select(Assignment).where(Assignment.registration_id == lead.id).order_by(Assignment.id.desc())
        )
        return db.session.scalars(newest.limit(1)).one()

    def pay(
        self, assignment: Assignment, by: str = "seller", amount: str = "5000", on: date = TODAY, **more: Any
    ) -> Report:
        """Take the deposit."""
        return self.world.act("deposit", assignment, by, amount=Decimal(amount), deposit_on=on, **more)

    def judge(self, assignment: Assignment, verdict: AuditStatus) -> None:
        """Judge it, or judge it anew."""
        name = "judge" if assignment.verdict == AuditStatus.PENDING else "judge_again"
        self.world.act(name, assignment, "boss", verdict=verdict.value, remark="已核对")

    def set(self, key: str, value: Any) -> None:
        """Change a parameter of the dealer."""
        with acting(db.session()):
            own = select(Parameter).where(Parameter.key == key, Parameter.dealer_id == self.world.a.id)
            row = db.session.scalar(own) or Parameter(key=key, dealer_id=self.world.a.id)
            row.value = value
            db.session.add(row)
            db.session.commit()

    def told(self, username: str) -> list[str]:
        """What that person was told, newest last."""
        mine = Notification.user_id == self.world.people[username].id
        return list(db.session.scalars(select(Notification.title).where(mine).order_by(Notification.id)))


def standing(lead: Registration) -> tuple[Progress, AuditStatus]:
    """Where a lead stands now."""
    db.session.refresh(lead)
    return lead.progress, lead.audit_status


def refused(function: Any, *args: Any, **kwargs: Any) -> str:
    """The sentence with which it was refused; empty when it was done."""
    try:
        function(*args, **kwargs)
    except Refusal as refusal:
        db.session.rollback()
        return refusal.message
    return ""


def furnish(world: World) -> Showrooms:
    """Put the office, its person, a person of the western showroom and another brand's wardrobe in."""
    session = db.session()
    east, west = world.stores[0], world.stores[1]
    with acting(session):
        office = Store(dealer_id=world.a.id, code="TA19", name="办公室", kind=StoreKind.OUTLET)
        brand = Brand(name="乙牌")
        session.add_all((office, brand))
        session.flush()
        other = BrandCategory(
            name="乙牌衣柜", brand_id=brand.id, category_id=world.categories[WARDROBE].category_id
        )
        session.add(other)
        for username, name, store, roles in (
            ("worker", "林一", office, ["channel_worker"]),
            ("worker2", "林二", office, ["channel_worker"]),
            ("chief", "周经理", office, ["channel_manager"]),
            ("westie", "西店导购", west, ["consultant"]),
            ("double", "西店双职", west, ["consultant", "channel_manager"]),
        ):
            world.people[username] = presets.add_person(
                session, dealer_id=world.a.id, username=username, name=name, password=PASSWORD,
                roles=[presets.preset_role(session, world.a.id, role) for role in roles], stores=[store],
            )  # fmt: skip
        presets.bump_epoch(session)
        session.commit()
    return Showrooms(world, office, east, west, [*world.categories, other])


def at_once(app: Flask, login: Any, calls: list[tuple[str, str, dict[str, Any]]]) -> list[int]:
    """The status of each form of (person, address, data), all sent at the same moment."""
    cookie = app.config["SESSION_COOKIE_NAME"]
    keys = {who: login(who).get_cookie(cookie).value for who, _, _ in calls}
    db.session.remove()

    def send(call: tuple[str, str, dict[str, Any]]) -> int:
        client = FlaskClient(app, app.response_class)
        client.set_cookie(cookie, keys[call[0]])
        return client.post(call[1], data=call[2]).status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(send, calls))
