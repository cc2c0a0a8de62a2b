"""A small believable dealer for browser tests: two stores, five people, a few customers, leads and orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.engine import audit
from app.engine.actions import Action
from app.engine.database import db, utcnow
from app.engine.perform import create, perform
from app.engine.resource import resource
from app.engine.scopes import Actor
from app.engine.security import sign_in
from models.identity import presets
from models.identity.tables import Dealer, Employee, Store

PASSWORD = "Test-demo-2024K"
PEOPLE = (
    ("manager1", "方远", "manager", "店长", 0),
    ("consultant1", "林一", "consultant", "导购", 0),
    ("consultant2", "陈朵", "consultant", "导购", 1),
    ("designer1", "苏木", "designer", "设计师", 0),
    ("clerk1", "何文", "clerk", "渠道文员", 1),
)
CUSTOMERS = (
    ("周敏", "13800000471", "H", "到店", "自然到店", ("橱柜", "老客户推荐"), "预约周末到店看样"),
    ("张晓云", "13900000065", "A", "线上", "短视频平台", ("精装房",), "已发报价，等家人商量"),
    ("陈国栋", "18600002208", "A", "转介绍", "老客户推荐", ("全屋",), ""),
    ("李文静", "13700009913", "B", "到店", "活动到店", ("橱柜",), "量尺图已上传"),
    ("吴海燕", "15800003347", "B", "线上", "官网留言", (), "无人接听，已发短信"),
    ("赵立新", "13500007720", "C", "渠道", "小区拓展", ("价格敏感",), "明年开春装修"),
    ("郑宏", "15000006619", "C", "线上", "电商平台", (), ""),
    ("何雨桐", "13300005502", "D", "到店", "自然到店", (), "只了解，不着急"),
)
TAGS = (("橱柜", "a"), ("老客户推荐", "b"), ("精装房", "c"), ("全屋", "a"), ("价格敏感", "b"))


class World:
    """What the tests know about: ids by name."""

    def __init__(self) -> None:
        self.stores: list[int] = []
        self.people: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        self.contacts: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.brand_categories: dict[str, int] = {}
        self.service_order = self.factory_order = self.stranger = 0

    def actor(self, username: str) -> Actor:
        """That person as rules see him or her."""
        signed = sign_in(self.people[username])
        assert signed is not None
        return signed.actor


def build() -> World:
    """Fill an initialised database; everything but accounts goes in the way users put it in."""
    world = World()
    _people(world)
    admin, consultant = world.actor("admin"), world.actor("consultant1")
    for name, tone in TAGS:
        world.tags[name] = make("tags", {"name": name, "tone": tone}, admin)
    _catalogue(world, admin)
    started = utcnow() - timedelta(days=20)
    for n, (name, phone, level, category, source, tags, words) in enumerate(CUSTOMERS):
        at = started + timedelta(days=2 * n, hours=n)
        who = world.actor("consultant2") if n >= 6 else consultant
        values = {"name": name, "phone": phone, "level": level, "source_category": category, "source": source}
        if name in ("陈国栋", "李文静"):
            values["designer_id"] = world.people["designer1"]
        one = world.customers[name] = make("customers", values, who, at)
        if tags:
            picked = [world.tags[t] for t in tags]
            do("customers", "tag", [one], admin, tags=picked)
        if words:
            do("customers", "write_follow_up", [one], who, at + timedelta(hours=3), text=words,
               next_follow_up_at=utcnow() + timedelta(days=n, hours=2))  # fmt: skip
    for n, name in enumerate(("王先生", "小鹿妈妈", "山茶花")):
        world.contacts[name] = make("contacts", {"name": name}, consultant, started + timedelta(days=n))
    _orders(world, admin)
    db.session.commit()
    return world


def _people(world: World) -> None:
    session = db.session()
    dealer = session.scalars(select(Dealer).where(Dealer.code == "D001")).one()
    first = session.scalars(select(Store).where(Store.dealer_id == dealer.id)).first()
    assert first is not None
    with audit.acting(session):
        first.name = "示范一店"
        second = Store(dealer_id=dealer.id, code="D001-02", name="示范二店", city="杭州")
        session.add(second)
        session.flush()
    stores = [first, second]
    world.stores = [s.id for s in stores]
    for username, name, role, position, place in PEOPLE:
        person = presets.add_person(
            session,
            dealer_id=dealer.id,
            username=username,
            name=name,
            password=PASSWORD,
            roles=[presets.preset_role(session, dealer.id, role)],
            stores=[stores[place]],
            position=position,
        )
        world.people[username] = person.id
    world.people["admin"] = session.scalars(select(Employee.id).where(Employee.username == "admin")).one()
    other = presets.make_dealer(session, "另一商场", "D002", "南京")
    there = session.scalars(select(Store).where(Store.dealer_id == other.id)).one()
    stranger = presets.add_person(
        session,
        dealer_id=other.id,
        username="stranger1",
        name="外人",
        password=PASSWORD,
        roles=[presets.preset_role(session, other.id, "consultant")],
        stores=[there],
        position="导购",
    )
    world.people["stranger1"] = stranger.id
    session.commit()
    values = {"name": "他店客户", "phone": "13100000001"}
    world.stranger = make("customers", values, world.actor("stranger1"))


def _catalogue(world: World, admin: Actor) -> None:
    line = make("business_lines", {"name": "衣柜事业线"}, admin)
    brand = make("brands", {"name": "知家"}, admin)
    for name in ("橱柜", "衣柜"):
        category = make("categories", {"name": name}, admin)
        values = {"brand_id": brand, "category_id": category, "business_line_id": line}
        world.brand_categories[name] = make("brand_categories", values, admin)


def _orders(world: World, admin: Actor) -> None:
    customer = world.customers["李文静"]
    values = {"customer_id": customer, "brand_category_id": world.brand_categories["橱柜"]}
    world.service_order = make("service_orders", values, admin)
    values = {"service_order_id": world.service_order}
    world.factory_order = make("factory_orders", values, admin)
    do("factory_orders", "set_settlement_price", [world.factory_order], admin, price="18888.00")


def make(name: str, values: dict[str, Any], actor: Actor, now: datetime | None = None) -> int:
    """Create one record the way its form does; returns its id."""
    found = resource(name)
    assert found is not None, f"no resource {name}"
    record, _ = create(found, values, actor, now=now)
    return int(record.id)


def do(
    name: str, action: str, ids: list[int], actor: Actor, now: datetime | None = None, **form: Any
) -> None:
    """Perform an action; every record must go through."""
    report = perform(_action(name, action), ids, actor, form, now=now)
    assert not report.refused, report.refused


def _action(name: str, action: str) -> Action:
    found = resource(name)
    assert found is not None
    return next(a for a in found.actions if a.name == action)
