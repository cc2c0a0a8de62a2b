"""A small trade to test in: two dealers, their stores and people, made as a command would make them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.perform import Report, create, perform, update
from app.engine.resource import resource
from app.engine.scopes import Actor
from app.setup import actor_of
from models.customers.tables import Contact, Customer, Tag
from models.identity import presets
from models.identity.tables import Brand, BrandCategory, Category, Dealer, Employee, Store

PASSWORD = "Test-demo-2024K"
PHONE = "13800000001"

PEOPLE = (
    ("boss", "总管", "admin", 0),
    ("keeper", "店长甲", "manager", 0),
    ("seller", "导购甲", "consultant", 0),
    ("seller2", "导购乙", "consultant", 0),
    ("drawer", "设计师甲", "designer", 0),
    ("typist", "文员甲", "clerk", 0),
    ("outsider", "导购丙", "consultant", 1),
)


@dataclass
class World:
    """Everything the tests of the customer core name: ``a`` and ``b`` are dealers."""

    a: Dealer
    b: Dealer
    stores: list[Store]
    people: dict[str, Employee]
    categories: list[BrandCategory]
    phones: int = field(default=0)

    def actor(self, key: str) -> Actor:
        """A person as rules see him or her; also ``boss_b``."""
        return actor_of(key)

    def next_phone(self) -> str:
        """A number nobody has yet."""
        self.phones += 1
        return f"139{self.phones:08d}"

    def customer(
        self, by: str = "seller", answers: Iterable[str] = (), now: Any = None, **values: Any
    ) -> Any:
        """File a customer as that person would."""
        values.setdefault("name", "张女士")
        values.setdefault("phone", self.next_phone())
        record, _ = create(resource("customers"), values, self.actor(by), answers=answers, now=now)
        return record

    def contact(self, by: str = "seller", **values: Any) -> Contact:
        """File a contact as that person would."""
        values.setdefault("name", "李先生")
        record, _ = create(resource("contacts"), values, self.actor(by))
        return record

    def make(self, of: str, by: str = "seller", /, now: Any = None, **values: Any) -> Any:
        """Make a record of any resource as that person would."""
        record, _ = create(resource(of), values, self.actor(by), now=now)
        return record

    def change(self, record: Any, by: str = "seller", version: int | None = None, **values: Any) -> Any:
        """Save a form as that person would."""
        from app.engine.resource import resource_of

        changed, _ = update(resource_of(type(record)), record.id, values, self.actor(by), version=version)
        return changed

    def act(
        self, name: str, record: Any, by: str = "seller", now: datetime | None = None, **form: Any
    ) -> Report:
        """Carry out an action on one record or several as that person would, at that time."""
        from app.engine.resource import resource_of

        records = record if isinstance(record, list) else [record]
        declared = resource_of(type(records[0]))
        action = next(a for a in declared.actions if a.name == name)
        return perform(action, [r.id for r in records], self.actor(by), form, now=now)

    def tag(self, name: str, by: str = "boss") -> Tag:
        """Define a tag of the dealer."""
        return self.make("tags", by, name=name)

    def order(self, customer: Customer, category: int = 0, by: str = "seller") -> Any:
        """A service order under a customer."""
        return self.make(
            "service_orders", by, customer_id=customer.id, brand_category_id=self.categories[category].id
        )

    def receive(
        self, customer: Customer, amount: str, kind: str = "receipt", by: str = "seller", **more: Any
    ) -> Any:
        """Enter money."""
        from decimal import Decimal

        from models.orders.tables import ReceiptKind

        return self.make(
            "receipts", by, customer_id=customer.id, amount=Decimal(amount), kind=ReceiptKind(kind), **more
        )  # fmt: skip


def words(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", re.sub(r"<script.*?</script>", "", page, flags=re.S)))


def grant(world: World, role: str, permission: tuple[str, str], dealer: Dealer | None = None) -> None:
    """Tick a permission for a preset role."""
    from models.identity import role_rules

    session = db.session()
    with acting(session):
        target = presets.preset_role(session, (dealer or world.a).id, role)
        old = role_rules.rights_of(session, target.id)
        role_rules.give(session, target, role_rules.Rights(old.grants | {permission}, old.scopes))
        session.commit()


def fill() -> None:
    """Make the world in the running application's database."""
    session = db.session()
    with acting(session):
        dealers = [
            presets.make_dealer(session, "甲商场", "TA", "杭州"),
            presets.make_dealer(session, "乙商场", "TB", "苏州"),
        ]
        stores = []
        for dealer in dealers:
            for n in (1, 2):
                store = Store(dealer_id=dealer.id, code=f"{dealer.code}1{n}", name=f"{dealer.name}{n}店")
                session.add(store)
                stores.append(store)
        brand = Brand(name="甲牌")
        session.add(brand)
        session.flush()
        categories = []
        for name in ("橱柜", "衣柜", "木门"):
            category = Category(name=f"{name}·测")
            session.add(category)
            session.flush()
            pair = BrandCategory(name=f"甲牌{name}", brand_id=brand.id, category_id=category.id)
            session.add(pair)
            categories.append(pair)
        session.flush()
        for username, name, role, dealer_no in PEOPLE:
            dealer = dealers[dealer_no]
            presets.add_person(
                session,
                dealer_id=dealer.id,
                username=username,
                name=name,
                password=PASSWORD,
                roles=[presets.preset_role(session, dealer.id, role)],
                stores=[stores[dealer_no * 2]],
            )
        presets.bump_epoch(session)
        session.commit()


def found() -> World:
    """The world as it stands in the database. Rights are read anew: what a process remembers of them may be of
    another test's."""
    session = db.session()
    presets.bump_epoch(session)
    session.commit()
    dealers = session.scalars(select(Dealer).where(Dealer.code.in_(["TA", "TB"])).order_by(Dealer.code)).all()
    stores = session.scalars(
        select(Store).where(Store.code.regexp_match("^T[AB]1[12]$")).order_by(Store.code)
    )
    names = [username for username, *_ in PEOPLE]
    people = {p.username: p for p in session.scalars(select(Employee).where(Employee.username.in_(names)))}
    made = select(BrandCategory).where(BrandCategory.name.startswith("甲牌")).order_by(BrandCategory.id)
    return World(dealers[0], dealers[1], list(stores), people, list(session.scalars(made)))


def build() -> World:
    """Make it, for a test that is the only one to ask for it; the others find one that is made already."""
    fill()
    return found()


__all__ = ["PASSWORD", "PHONE", "World", "build", "fill", "found", "grant", "utcnow", "words"]
