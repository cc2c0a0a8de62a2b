"""Leads in tests: filed, judged, deleted as people do it; and what of other pieces they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Barrier, Thread
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update

from app.engine.actions import Act, Refusal
from app.engine.audit import acting
from app.engine.database import db, utcnow, writing
from app.engine.deeds import deed
from app.engine.perform import create, remove
from app.engine.resource import resource
from app.engine.scopes import Actor
from models.registrations.tables import Registration
from models.settings import rules as settings
from tests.customers.world import World

DAY = datetime(2030, 1, 16, 2, 30)
"""10:30 in China."""


def values(world: World, **given: Any) -> dict[str, Any]:
    """What the form of a new lead holds; nobody's phone and nobody's home unless given."""
    phone = given.pop("phone", None) or world.next_phone()
    found = {
        "name": "张女士", "city": "杭州市", "community": "星湖小区", "room": f"{world.next_phone()}室",
        "phone": phone, "source": "自然客户", "tracking_state": "待跟踪",
    }  # fmt: skip
    return found | given


def file(world: World, by: str = "worker1", now: datetime | None = None, **given: Any) -> Registration:
    """File a lead as that person would."""
    return file_told(world, by, now, **given)[0]


def file_told(
    world: World, by: str = "worker1", now: datetime | None = None, **given: Any
) -> tuple[Registration, list[str]]:
    """The same, with what the person is told."""
    record, act = create(resource("registrations"), values(world, **given), world.actor(by), now=now)
    return record, act.warnings


def delete(world: World, lead: Registration, by: str = "boss") -> None:
    """Take a lead back."""
    remove(resource("registrations"), lead.id, world.actor(by))


def judge(lead_id: int, now: datetime) -> None:
    """A lead's first verdict, as far as the quota looks at it."""
    with writing(db.session()), acting(db.session()):
        first = update(Registration).where(Registration.id == lead_id, Registration.first_judged_at.is_(None))
        db.session.execute(first.values(first_judged_at=now), execution_options={"audited": True})
        db.session.commit()
    db.session.expire_all()


def shield(lead_id: int, until: datetime) -> None:
    """The protection that a successful verdict gives."""
    with writing(db.session()), acting(db.session()):
        mine = update(Registration).where(Registration.id == lead_id)
        db.session.execute(mine.values(protected_until=until), execution_options={"audited": True})
        db.session.commit()
    db.session.expire_all()


def set_parameters(world: World, **given: Any) -> None:
    """Settings of the dealer: ``daily_limit=3``."""
    act = Act(world.actor("boss"), utcnow(), db.session(), action="parameters")
    with deed(act):
        settings.set_parameters(act, world.a.id, {f"registration.{k}": v for k, v in given.items()})


def leads(*where: Any) -> list[Registration]:
    """What is on file, oldest first."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Registration).where(*where).order_by(Registration.id)))


def amount(*where: Any) -> int:
    """How many are on file."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Registration).where(*where)) or 0


def marks() -> list[bool]:
    """Which of them are marked as claimed more than once."""
    return [lead.duplicate for lead in leads()]


def at_once(app: Flask, *deeds: Callable[[], Any]) -> list[str]:
    """Do these in sessions of their own at the same moment; what each of them was refused, empty for done."""
    together, said = Barrier(len(deeds)), [""] * len(deeds)

    def run(number: int, what: Callable[[], Any]) -> None:
        with app.app_context():
            db.session.execute(select(1))
            db.session.rollback()
            together.wait(20)
            try:
                what()
            except Refusal as refusal:
                said[number] = refusal.message
            finally:
                db.session.remove()

    db.session.commit()
    threads = [Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.expire_all()
    return said


def filing(actor: Actor, lead: dict[str, Any]) -> Callable[[], Any]:
    """File that lead, for `at_once`."""
    return lambda: create(resource("registrations"), lead, actor)


HEADINGS: Sequence[str] = ("客户姓名", "市/县", "小区", "楼号及房间号", "联系手机号", "客户来源")


def line(world: World, **given: Any) -> list[Any]:
    """A line of a file with these headings."""
    found = values(world, **given)
    return [found[n] for n in ("name", "city", "community", "room", "phone", "source")]
