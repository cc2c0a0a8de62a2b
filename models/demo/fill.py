"""Building the demo data: one transaction, the same rows for the same number of customers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.audit import acting
from app.engine.database import db, utcnow, writing
from app.engine.scopes import SYSTEM
from models.customers import settings as customer_settings
from models.customers.dictionaries import REGIONS
from models.customers.tables import Customer
from models.customers.track import TrackPoints
from models.demo import claims, messages, organisation, words
from models.demo.bulk import Writer, loading
from models.demo.chance import Calendar, Chance, weighted
from models.demo.life import Life
from models.demo.organisation import Tenant
from models.demo.pour import Echo, pour
from models.demo.rows import Pen, Seat, Sheets, Supply, Vocabulary
from models.demo.running import Numbers
from models.identity.rights import bump_epoch
from models.registrations.tables import Registration
from models.settings.queries import snapshot

LARGE = 20_000
"""From this many customers on, tables are stripped of indexes while they are filled."""

PEOPLE = (9, 20)
"""People per store, in a small and in a large demo."""

_PERSON = (
    "version", "created_at", "updated_at", "followed", "last_follow_up_at", "last_follow_up_kind",
    "last_follow_up_text", "next_follow_up_at", "activity_score",
)  # fmt: skip
_DATED = ("created_at", "updated_at")
COLUMNS: dict[str, tuple[str, ...]] = {  # in the order in which rows refer to each other
    "customers": (
        "code", "name", "phone", "gender", "level", "kind", "source_category", "source", "stage", "province",
        "city", "district", "community", "address", "remark", "dealer_id", "store_id", "department_id",
        "filer_id", "owner_id", "designer_id", "salesperson_id", "net_received", "has_transmitted_order",
        "retained_since", "lost_reason", "contact_count", *_PERSON,
    ),
    "customer_phones": ("customer_id", "dealer_id", "phone", "tail", "position"),
    "customer_tags": ("customer_id", "tag_id"),
    "customer_helpers": ("customer_id", "user_id", "created_at"),
    "customer_interests": ("customer_id", "brand_category_id"),
    "contacts": (
        "code", "name", "gender", "source", "source_note", "outside_id", "state", "community", "dealer_id",
        "store_id", "employee_id", "customer_id", "linked_at", *_PERSON,
    ),
    "contact_tags": ("contact_id", "tag_id"),
    "service_orders": (
        "code", "customer_id", "customer_phone", "brand_category_id", "state", "lost_reason", "lost_at",
        "filer_id", "owner_id", "designer_id", "dealer_id", "store_id", "version", *_DATED,
    ),
    "follow_ups": (
        "dealer_id", "store_id", "customer_id", "contact_id", "kind", "text", "at", "next_follow_up_at",
        "writer_id", "score", *_DATED,
    ),
    "track_events": (
        "dealer_id", "customer_id", "contact_id", "kind", "act", "title", "text", "score", "at", "by_id",
    ),
    "tasks": (
        "subject", "kind", "state", "due_at", "done_at", "customer_id", "contact_id", "service_order_id",
        "owner_id", "dealer_id", "store_id", "version", *_DATED,
    ),
    "sms_messages": (
        "channel", "phone", "text", "state", "reference", "sent_at", "customer_id", "writer_id", "dealer_id",
        "store_id", *_DATED,
    ),
    "receipts": (
        "code", "kind", "amount", "paid_on", "subject", "method", "voucher_no", "state", "customer_id",
        "service_order_id", "writer_id", "dealer_id", "store_id", "version", *_DATED,
    ),
    "factory_orders": (
        "self_no", "order_no", "contract_no", "service_order_id", "customer_id", "customer_phone",
        "brand_category_id", "state", "transmitted_at", "settlement_price", "filer_id", "dealer_id",
        "store_id", "version", *_DATED,
    ),
    "order_steps": ("factory_order_id", "kind", "name", "at", *_DATED),
}  # fmt: skip


def build(app: Flask, customers: int, registrations: int | None = None, echo: Echo = print) -> bool:
    """Fill an initialised database; a fifth as many leads as customers unless their number is given, which also
    adds them where there are customers and no lead. False, with a sentence, when there is nothing to add."""
    with app.app_context():
        known = _any(Customer)
        if known and (not registrations or _any(Registration)):
            echo("数据库中已有客户，未生成演示数据")
            return False
        db.session.remove()
        started = time.monotonic()
        amounts = (0 if known else customers, customers // 5 if registrations is None else registrations)
        large = max(amounts) >= LARGE
        if large:
            db.engine.dispose()
        with loading(db.engine, large=large) as connection, Session(connection, autoflush=True) as session:
            _fill(session, connection, app.config["DEMO_PASSWORD"], amounts, large, echo)
        what = "、".join(f"{n} {unit}" for n, unit in zip(amounts, ("位客户", "条报备"), strict=True) if n)
        echo(f"已生成 {what}的演示数据，用时 {time.monotonic() - started:.0f} 秒")
    return True


def _any(model: Any) -> bool:
    return db.session.execute(select(model.id).limit(1)).first() is not None


def _fill(
    session: Session,
    connection: Connection,
    password: str,
    amounts: tuple[int, int],
    large: bool,
    echo: Echo,
) -> None:
    now = utcnow().replace(microsecond=0)
    customers, leads = amounts
    with writing(session), acting(session, Act(SYSTEM, now, session, "setup", "demo")):
        customer_settings.install(session)
        if customers:
            _customers(session, connection, password, customers, now, large, echo)
        if leads:
            claims.fill(session, connection, password, leads, now, large, echo)
        session.commit()
    if large:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _customers(
    session: Session,
    connection: Connection,
    password: str,
    customers: int,
    now: datetime,
    large: bool,
    echo: Echo,
) -> None:
    chance = Chance(customers)
    tenants = organisation.make(session, chance, password, PEOPLE[large])
    session.flush()
    bump_epoch(session)
    calendar = Calendar(now)
    running = Numbers(session, calendar, [tenant.id for tenant in tenants])
    writer = Writer(connection, large=large)
    values = _vocabulary(session, tenants[0].id)
    with writer.bare(list(COLUMNS)):
        sheets = Sheets(*(writer.sheet(name, *columns) for name, columns in COLUMNS.items()))
        pen = Pen(sheets, chance, calendar, values, running, writer.null)
        pour(_lives(Life(pen), tenants, customers), writer, running, customers, "位客户", echo)
        writer.finish()
        if large:
            echo("数据已写入，正在建立索引")
    running.save()
    messages.make(session, now)


def _lives(life: Life, tenants: Sequence[Tenant], customers: int) -> Iterator[None]:
    """Writes all customers and contacts into the sheets; stops now and then so that they can be emptied."""
    chance, now = life.pen.chance, life.pen.now
    supplies = [_supply(chance, tenant) for tenant in tenants]
    seats = _seats(tenants)
    for n, created in enumerate(chance.arrivals(customers, now), 1):
        seat = chance.pick(seats)
        life.customer(n, created, seat, supplies[seat.tenant])
        if n % 2_000 == 0:
            yield
    tags = chance.handfuls(range(len(tenants[0].tags)), (0, 0, 1, 1, 2))
    for n, created in enumerate(chance.arrivals(max(8, customers // 12), now), 1):
        seat = chance.pick(seats)
        of_dealer = tenants[seat.tenant].tags
        life.open_contact(created, seat, [of_dealer[t] for t in chance.pick(tags)])
        if n % 2_000 == 0:
            yield


def _supply(chance: Chance, tenant: Tenant) -> Supply:
    places = [
        (province, city, f"{city}{district}")
        for province, cities in REGIONS.items()
        for city, districts in cities.items()
        for district in districts
        for _ in range(9 if city == tenant.city else 1)
    ]
    return Supply(
        tags=chance.handfuls(tenant.tags, (0, 1, 1, 2, 2, 2, 3, 3, 4)),
        interests=chance.handfuls([c for c, _ in tenant.categories], (0, 0, 1, 1, 2)),
        categories=tenant.categories,
        places=places,
    )


def _seats(tenants: Sequence[Tenant]) -> list[Seat]:
    """Every consultant as often as customers go to him or her: the first stores and people have more."""
    found: list[tuple[Seat, int]] = []
    for t, tenant in enumerate(tenants):
        away = [d for team in tenant.teams for d in team.designers]
        for s, team in enumerate(tenant.teams):
            # Most customers get a designer of the own store, a few one of another store of the dealer.
            designers = [*team.designers[:1] * 10, *team.designers * 6, *away]
            helpers = [*team.consultants, *team.clerks, team.manager]
            for c, consultant in enumerate(team.consultants):
                seat = Seat(t, tenant.id, team.store_id, team.department_id, consultant, designers, helpers)
                named = (28, 16)[c] if s == 0 and c < 2 else 0
                found.append((seat, named or max(2, 10 - 4 * t - 2 * s)))
    return weighted(found)


def _vocabulary(session: Session, dealer_id: int) -> Vocabulary:
    """What stands in the dictionaries, early entries more often than late ones."""
    known = snapshot(session)

    def entries(name: str) -> list[tuple[str, str | None]]:
        found = [(e.value, e.parent or None) for e in known.dictionary(name, dealer_id) if e.active]
        return found or [(value, parent or None) for value, parent in words.DICTIONARIES[name]]

    def often(name: str) -> list[str]:
        found = entries(name)
        return weighted([(value, len(found) + 2 - n) for n, (value, _) in enumerate(found)])

    points = select(TrackPoints.act, TrackPoints.points).where(TrackPoints.dealer_id.is_(None))
    return Vocabulary(
        levels=often("customer.level"),
        kinds=often("customer.kind"),
        sources=weighted(
            [((parent, value), 10 - n % 8) for n, (value, parent) in enumerate(entries("customer.source"))]
        ),
        subjects=often("receipt.subject"),
        methods=often("receipt.method"),
        points={row.act: row.points for row in session.execute(points)},
    )
