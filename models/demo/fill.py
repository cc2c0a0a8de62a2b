"""Building the demo data: one transaction, the same rows for the same number of customers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.engine import numbers
from app.engine.actions import Act
from app.engine.audit import acting
from app.engine.database import db, utcnow, writing
from app.engine.numbers import NumberCounter
from app.engine.scopes import SYSTEM
from models.customers import settings as customer_settings
from models.customers.dictionaries import REGIONS
from models.customers.tables import Customer
from models.customers.track import TrackPoints
from models.demo import beside, messages, organisation, words
from models.demo.bulk import Writer, loading
from models.demo.chance import DAY, Calendar, Chance, weighted
from models.demo.life import Life
from models.demo.organisation import Tenant
from models.demo.rows import Pen, Seat, Sheets, Supply, Vocabulary
from models.identity.rights import bump_epoch
from models.settings.queries import snapshot

LARGE = 20_000
"""From this many customers on, tables are stripped of indexes while they are filled."""

PEOPLE = (9, 20)
"""People per store, in a small and in a large demo."""

Echo = Callable[[str], Any]
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


def build(app: Flask, customers: int, echo: Echo = print) -> bool:
    """Fill an initialised database; False, with a sentence, when there are customers already."""
    with app.app_context():
        if db.session.execute(select(Customer.id).limit(1)).first() is not None:
            echo("数据库中已有客户，未生成演示数据")
            return False
        db.session.remove()
        started = time.monotonic()
        large = customers >= LARGE
        if large:
            db.engine.dispose()
        with loading(db.engine, large=large) as connection, Session(connection, autoflush=True) as session:
            _fill(session, connection, app.config["DEMO_PASSWORD"], customers, large, echo)
        echo(f"已生成 {customers} 位客户的演示数据，用时 {time.monotonic() - started:.0f} 秒")
    return True


def _fill(
    session: Session, connection: Connection, password: str, customers: int, large: bool, echo: Echo
) -> None:
    now = utcnow().replace(microsecond=0)
    with writing(session), acting(session, Act(SYSTEM, now, session, "job", "demo")):
        customer_settings.install(session)
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
            lives = _lives(Life(pen), tenants, customers)
            if large:
                _write_beside(lives, writer, running, echo, customers)
            else:
                _write_here(lives, writer)
            writer.finish()
            if large:
                echo("数据已写入，正在建立索引")
        running.save()
        messages.make(session, now)
        session.commit()
    if large:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _write_here(lives: Iterator[None], writer: Writer) -> None:
    for _ in lives:
        if writer.full():
            writer.write(writer.collect())
    writer.write(writer.collect())


def _write_beside(
    lives: Iterator[None], writer: Writer, running: Numbers, echo: Echo, customers: int
) -> None:
    """Write the rows a second process makes; keys and numbers go on from where that one stopped."""

    def work(send: beside.Send) -> None:
        for _ in lives:
            if writer.full():
                send(writer.collect())
        send(writer.collect())
        send(({n: sheet.next_id for n, sheet in enumerate(writer.sheets)}, dict(running.last)))

    done, tick = 0, max(100_000, customers // 10)
    with closing(beside.stream(work)) as stream:
        for found in stream:
            if isinstance(found, tuple):
                keys, last = found
                for n, sheet in enumerate(writer.sheets):
                    sheet.next_id = keys[n]
                running.last.update(last)
                continue
            writer.write(found)
            before, done = done, done + len(found[0])
            if done // tick > before // tick:
                echo(f"已写入 {done} 位客户")


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


class Numbers:
    """Running numbers without a statement each; the counters are brought up to date at the end."""

    def __init__(self, session: Session, calendar: Calendar, dealers: Iterable[int]) -> None:
        self.session = session
        self.last: dict[tuple[str, int, str], int] = defaultdict(int)
        self.rows: dict[tuple[str, int, str], NumberCounter] = {}
        for row in session.scalars(select(NumberCounter)):
            key = (row.scheme, row.dealer_id, row.period)
            self.rows[key], self.last[key] = row, row.value
        self.schemes: dict[tuple[str, int], tuple[numbers.Scheme, list[str]]] = {}
        for dealer_id in dealers:
            for name in numbers.SCHEMES:
                rule = numbers.scheme_of(session, name, dealer_id)
                self.schemes[name, dealer_id] = rule, [d.strftime(rule.period) for d in calendar.dates]

    def __call__(self, scheme: str, dealer_id: int, second: int) -> str:
        rule, periods = self.schemes[scheme, dealer_id]
        period = periods[second // DAY]
        key = (scheme, dealer_id, period)
        self.last[key] += 1
        return rule.write(period, self.last[key])

    def save(self) -> None:
        """Store the last numbers given out."""
        for (scheme, dealer_id, period), value in self.last.items():
            row = self.rows.get((scheme, dealer_id, period))
            if row is None:
                row = NumberCounter(scheme=scheme, dealer_id=dealer_id, period=period)
                self.session.add(row)
            row.value = value
        self.session.flush()
