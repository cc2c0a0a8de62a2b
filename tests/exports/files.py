"""Exported files opened again, by readers that are not ours."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import openpyxl
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select

from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.jobs import Job
from models.customers.tables import Customer
from models.notifications.tables import Notification
from models.settings.tables import Parameter
from tests.customers.world import World


def rows(content: bytes) -> list[list[Any]]:
    """The table of a workbook: its heading and rows, up to the first empty row; two readers agree about it."""
    read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    book = openpyxl.load_workbook(io.BytesIO(content))
    again = [[_plain(c.value) for c in row] for row in book.active.iter_rows()]  # type: ignore[union-attr]
    assert [[_plain(v) for v in row] for row in read] == again
    return read[: next(n for n, row in enumerate(read) if not any(v != "" for v in row))]


def note(content: bytes) -> str:
    """The last line of a workbook."""
    return str(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[-1][0])


def csv_rows(content: bytes) -> list[list[str]]:
    """The table of a csv file."""
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return read[: read.index([])]


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime) or hasattr(value, "isoformat"):
        return value.isoformat()[:19].removesuffix("T00:00:00")
    return float(value) if isinstance(value, int) else value


def many(world: World, amount: int, by: str = "seller", **values: Any) -> None:
    """File that many customers at once, the way an import writes them."""
    person = world.people[by]
    now = utcnow()
    made = [
        {
            "name": f"客户{n:05d}", "phone": f"137{n:08d}", "code": f"ZZ-{by}-{n:05d}", "dealer_id": world.a.id,
            "store_id": person.store_id, "owner_id": person.id, "filer_id": person.id,
            "created_at": now - timedelta(seconds=n), "updated_at": now, "version": 1, **values,
        }
        for n in range(amount)
    ]  # fmt: skip
    db.session.execute(insert(Customer.__table__), made, execution_options={"audited": True})
    db.session.commit()


def setting(world: World, key: str, value: int) -> None:
    """Set a parameter of the first dealer as its administrator would."""
    from app.engine.actions import Act
    from app.engine.deeds import deed
    from models.settings import rules

    act = Act(world.actor("boss"), utcnow(), db.session(), "web", "update")
    with deed(act):
        rules.set_parameters(act, world.a.id, {key: value})
    assert db.session.scalar(select(Parameter.value).where(Parameter.key == key)) == value


def entries() -> list[AuditEntry]:
    """What the log says of exports, oldest first."""
    db.session.rollback()
    return list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export").order_by(AuditEntry.id))
    )


def jobs() -> list[Job]:
    """All jobs, oldest first, as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Job).order_by(Job.id)))


def notices(username: str, world: World) -> list[Notification]:
    """What somebody was told, oldest first."""
    db.session.rollback()
    mine = Notification.user_id == world.people[username].id
    return list(db.session.scalars(select(Notification).where(mine).order_by(Notification.id)))
