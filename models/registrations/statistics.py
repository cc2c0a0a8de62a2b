"""客户报备统计: what became of the leads of a period, per outlet and registrant (E-83…E-92).

The unit is a lead nobody was assigned to, or an assignment that was not withdrawn; a lead at two showrooms
counts twice. Who sees a lead's registration has its assignments counted, whoever holds them.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import replacement_traverse

from app.engine.listing import Query
from models.identity.tables import Employee, Store
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration

START, END = "registered_at.from", "registered_at.to"
"""The period in an address, as the list's filter has it."""
LATE = "截止时间不能早于开始时间"
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Counts:
    """The six counts of 报备分布: by progress, and by verdict."""

    registered: int = 0
    assigned: int = 0
    deposit: int = 0
    passed: int = 0
    failed: int = 0
    pending: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    @property
    def total(self) -> int:
        """总报备数 (E-89)."""
        return self.registered + self.assigned + self.deposit

    @property
    def deposit_rate(self) -> str:
        """付定比 (E-90)."""
        return percent(self.deposit, self.total)

    @property
    def success_rate(self) -> str:
        """报备成功比 (E-91)."""
        return percent(self.passed, self.total)

    @property
    def failure_rate(self) -> str:
        """报备失败比 (E-92)."""
        return percent(self.failed, self.total)


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one registrant at one outlet."""

    outlet_id: int
    outlet: str
    registrant_id: int
    registrant: str
    counts: Counts


def percent(part: int, whole: int) -> str:
    """A share of a hundred with up to two decimals, without zeros at the end; of nothing it is 0%."""
    exact = Decimal(100 * part) / whole if whole else Decimal(0)
    return f"{exact.quantize(_CENT, ROUND_HALF_UP).normalize():f}%"


def of_one(progress: Progress, verdict: AuditStatus, amount: int = 1) -> Counts:
    """So many units that stand there and were judged so."""
    by_progress = {
        Progress.REGISTERED: "registered",
        Progress.ASSIGNED: "assigned",
        Progress.DEPOSIT: "deposit",
    }
    by_verdict = {AuditStatus.PASSED: "passed", AuditStatus.FAILED: "failed", AuditStatus.PENDING: "pending"}
    return Counts(**{by_progress[progress]: amount, by_verdict[verdict]: amount})


def summed(rows: Iterable[Row]) -> Counts:
    """The sum row: its rates are those of the sums (E-93)."""
    return sum((row.counts for row in rows), Counts())


# ----- the period


@dataclass(frozen=True, slots=True)
class Span:
    """The days asked for, both included; an open end is None. ``errors`` by the name of the field."""

    first: date | None
    last: date | None
    errors: Mapping[str, str]

    @property
    def args(self) -> dict[str, list[str]]:
        """As the list's filter by 报备时间 reads it."""
        ends = {START: self.first, END: self.last}
        return {name: [day.isoformat()] for name, day in ends.items() if day is not None}


def last_month(today: date) -> Span:
    """The day of the month before up to today: on the 25th, from the 25th to the 25th (E-83)."""
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return Span(date(year, month, min(today.day, monthrange(year, month)[1])), today, {})


def span(args: Mapping[str, Sequence[str]], today: date) -> Span:
    """What the address asks for; without days it is the last month."""
    if START not in args and END not in args:
        return last_month(today)
    ends: list[date | None] = []
    errors = {}
    for name in (START, END):
        typed = (args.get(name) or ("",))[0].strip()
        try:
            ends.append(date.fromisoformat(typed) if typed else None)
        except ValueError:
            ends.append(None)
            errors[name] = f"“{typed[:20]}”不是有效的日期"
    first, last = ends
    if first is not None and last is not None and last < first:
        errors[END] = LATE
    return Span(first, last, errors)


# ----- counting


def rows(session: Session, query: Query) -> list[Row]:
    """The rows of a list of leads, by outlet and registrant; the list may be narrowed by what assignments repeat
    of their lead (`_COPIED`). Two walks along indexes that hold all they look at, without reading a row."""
    units = union_all(_unassigned(query), _assigned(query)).subquery("units")
    statement = (
        select(units.c.outlet_id, Store.name, units.c.registrant_id, Employee.name, units.c.progress,
               units.c.verdict, units.c.amount)
        .join(Store, Store.id == units.c.outlet_id)
        .join(Employee, Employee.id == units.c.registrant_id)
    )  # fmt: skip
    found: defaultdict[tuple[str, int, str, int], Counts] = defaultdict(Counts)
    for outlet_id, outlet, registrant_id, registrant, progress, verdict, amount in session.execute(
        statement, query.params
    ):
        found[outlet, outlet_id, registrant, registrant_id] += of_one(progress, verdict, amount)
    return [
        Row(outlet_id, outlet, registrant_id, registrant, counts)
        for (outlet, outlet_id, registrant, registrant_id), counts in sorted(
            found.items(), key=lambda f: f[0]
        )
    ]


def _unassigned(query: Query) -> Select[Any]:
    lead = Registration
    chosen: tuple[Any, ...] = (
        lead.outlet_id, lead.registrant_id,
        literal(Progress.REGISTERED, lead.progress.type).label("progress"),
        literal(AuditStatus.PENDING, lead.audit_status.type).label("verdict"),
        func.count().label("amount"),
    )  # fmt: skip
    return (
        select(*chosen)
        .where(query.condition, unassigned())
        .group_by(lead.dealer_id, lead.registrant_id, lead.outlet_id)
        .with_hint(lead, "INDEXED BY ix_registrations_unassigned", "sqlite")
    )


def unassigned() -> ColumnElement[bool]:
    """Leads without assignment, in the very words of the index over them."""
    stored = bindparam(None, Progress.REGISTERED, type_=Registration.progress.type, literal_execute=True)
    return Registration.progress == stored


def _assigned(query: Query) -> Select[Any]:
    one = Assignment
    chosen: tuple[Any, ...] = (
        one.outlet_id, one.registrant_id, one.progress.label("progress"), one.verdict.label("verdict"),
        func.count().label("amount"),
    )  # fmt: skip
    return (
        select(*chosen)
        .where(of_assignments(query.condition), one.withdrawn_at.is_(None))
        .group_by(one.dealer_id, one.registrant_id, one.outlet_id, one.progress, one.verdict)
        .with_hint(one, "INDEXED BY ix_registration_assignments_counted", "sqlite")
    )  # fmt: skip


_COPIED = {
    name: getattr(Assignment.__table__.c, name)
    for name in ("dealer_id", "outlet_id", "registrant_id", "registered_at")
}


def of_assignments(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition on leads, said of their assignments, which repeat the columns it looks at. Raises
    `KeyError` for a condition on any other: nothing is counted that the lead's own list would not show."""

    def copied(element: Any, **_: Any) -> Any:
        if isinstance(element, Column) and element.table.name == Registration.__tablename__:
            return _COPIED[element.name]
        return None

    return replacement_traverse(condition, {}, copied)
