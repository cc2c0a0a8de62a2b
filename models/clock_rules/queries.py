"""Set-based statements of the sweep, in the words of either database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import cast as type_cast
from sqlalchemy.orm import Session

from app.engine.database import insert_for, pieces
from models.clock_rules import occurrences
from models.clock_rules.book import Rule
from models.clock_rules.tables import ClockFiring, ClockSweep
from models.identity.tables import Employee

FIRINGS = cast(Table, ClockFiring.__table__)
SWEEPS = cast(Table, ClockSweep.__table__)
LISTED = 20
"""So many records stand in one person's message per rule; the rest is counted."""
_AT_ONCE = 500


def in_reach(rule: Rule, now: datetime) -> list[ColumnElement[bool]]:
    """The records a rule counts for at all: of its dealer and store, fitting, not silenced."""
    about = rule.subject
    parts = [rule.condition.compile(now)]
    if rule.dealer_id is not None:
        parts.append(about.dealer == rule.dealer_id)
    if rule.store_id is not None:
        parts.append(about.store == rule.store_id)
    if rule.nearer_dealers:
        parts.append(about.dealer.not_in(rule.nearer_dealers))
    if rule.nearer_stores:
        parts.append(about.store.not_in(rule.nearer_stores))
    if rule.silencer is not None:
        parts.append(~rule.silencer.where())
    parts.append(rule.start.column.is_not(None))
    return parts


def due_on(rule: Rule, day: date, dialect: str) -> ColumnElement[bool]:
    """Records for which a rule with a time of day is due on that day."""
    column, moments = rule.start.column, not rule.start.is_day
    parts = []
    for days in occurrences.starts_due(rule.timing, day):
        first, after = occurrences.span(days, moments=moments)
        if first == after - timedelta(days=1) and not moments:
            parts.append(column == first)
        else:
            parts.append(and_(column >= first, column < after) if first is not None else column < after)
    if not parts:
        return literal(False, Boolean)
    found = or_(*parts)
    if rule.timing.daily and rule.timing.every_days > 1:
        last = occurrences.starts_due(rule.timing, day)[0][1]
        between = _days_between(column, last, dialect, moments=moments)
        found = and_(found, between % rule.timing.every_days == 0)
    return found


def _days_between(column: Any, day: date, dialect: str, *, moments: bool) -> ColumnElement[Any]:
    """How many days of the calendar in China lie between the column and a later day."""
    if dialect == "postgresql":
        own = func.date(column + literal_column("interval '8 hours'")) if moments else column
        return type_coerce(bindparam(None, day, type_=Date), Date) - own
    shifted = func.date(column, "+8 hours") if moments else func.date(column)
    return type_cast(func.julianday(day.isoformat()) - func.julianday(shifted), Integer)


def due_between(rule: Rule, after: datetime | None, until: datetime) -> ColumnElement[bool]:
    """Records for which an exact rule is due in the span, its first end excluded."""
    column, distance = rule.start.column, rule.timing.exact
    found = column <= until - distance
    return found if after is None else and_(column > after - distance, found)


def _moved(column: Any, distance: timedelta, dialect: str) -> ColumnElement[Any]:
    """A stored moment so much later, written as the database stores it."""
    if not distance:
        return column  # type: ignore[no-any-return]
    seconds = int(distance.total_seconds())
    if dialect == "postgresql":
        return column + literal_column(f"interval '{seconds} seconds'")  # type: ignore[no-any-return]
    text = func.strftime("%Y-%m-%d %H:%M:%f", column, f"{seconds:+d} seconds") + "000"
    return type_coerce(text, column.type)


def fire(
    session: Session, rule: Rule, where: ColumnElement[bool], due: datetime | None, now: datetime
) -> int:
    """Note for which records the rule has come due, each due moment once; returns how many are new. Without
    ``due`` each record has its own moment."""
    dialect = session.get_bind().dialect.name
    moment = (
        literal(due, FIRINGS.c.due.type) if due else _moved(rule.start.column, rule.timing.exact, dialect)
    )
    chosen = select(
        literal(rule.id), rule.subject.resource.pk(), moment, literal(now, FIRINGS.c.fired_at.type)
    )
    chosen = chosen.where(*in_reach(rule, now), where)
    columns = ["rule_id", "record_id", "due", "fired_at"]
    statement = insert_for(session, FIRINGS).from_select(columns, chosen).on_conflict_do_nothing()
    done = session.connection().execute(statement, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def last_firing(session: Session) -> int:
    """The id of the newest firing; those of this run come after it."""
    return session.scalar(select(func.max(FIRINGS.c.id))) or 0


def fired(rule: Rule, above: int, dialect: str) -> Select[Any]:
    """The firings of this run as effects read them."""
    at = _moved(FIRINGS.c.due, timedelta(days=rule.timing.ahead_days), dialect).label("at")
    return select(FIRINGS.c.record_id, FIRINGS.c.due, at).where(
        FIRINGS.c.rule_id == rule.id, FIRINGS.c.id > above
    )


def by_person(
    session: Session, rule: Rule, where: ColumnElement[bool], now: datetime
) -> list[tuple[int, int | None, int, list[tuple[int, str]]]]:
    """Per person with work: user, dealer, how many records are due, and the `LISTED` ones that came due last
    as id and title. Counted in one pass, listed by the index of each person's own records."""
    about, dialect = rule.subject, session.get_bind().dialect.name
    model, pk, title = about.resource.model, about.resource.pk(), about.resource.title
    counts = (
        select(about.person.label("user"), func.count().label("amount"))
        .select_from(model)
        .where(about.person.is_not(None), *in_reach(rule, now), where)
        .group_by(about.person)
        .subquery()
    )
    told = select(counts.c.user, Employee.dealer_id, counts.c.amount).join(
        Employee, Employee.id == counts.c.user
    )
    rows = session.execute(told.where(Employee.active.is_(True)).order_by(counts.c.user)).all()
    newest = (
        select(pk.label("id"), title.label("title"))
        .where(about.person == Employee.id, *in_reach(rule, now), where)
        .order_by(rule.start.column.desc(), pk.desc())
        .limit(LISTED)
        .correlate(Employee)
        .subquery()
    )
    if dialect == "postgresql":
        gathered = func.json_agg(func.json_build_array(newest.c.id, newest.c.title))
    else:
        gathered = func.json_group_array(func.json_array(newest.c.id, newest.c.title))
    listed = select(type_coerce(gathered, String)).select_from(newest).scalar_subquery()
    items: dict[int, Any] = {}
    for some in pieces([row.user for row in rows], _AT_ONCE):
        lists = select(Employee.id, listed).where(Employee.id.in_(some))
        items |= {user: _pairs(found) for user, found in session.execute(lists)}
    return [(user, dealer, int(amount), items.get(user, [])) for user, dealer, amount in rows]


def _pairs(found: Any) -> list[tuple[int, str]]:
    data = json.loads(found) if isinstance(found, str) else found or []
    return [(int(pk), str(title)) for pk, title in data]


def until_of(session: Session) -> dict[int, datetime]:
    """Up to which moment each rule has been carried out."""
    rows = session.execute(select(SWEEPS.c.rule_id, SWEEPS.c.until)).all()
    return {row.rule_id: row.until for row in rows}


def keep_until(session: Session, rules: Sequence[int], until: datetime) -> None:
    """Note that these rules have been carried out up to that moment."""
    rows = [{"rule_id": rule, "until": until} for rule in rules]
    if rows:
        statement = insert_for(session, SWEEPS)
        statement = statement.on_conflict_do_update(index_elements=["rule_id"], set_={"until": until})
        session.connection().execute(statement, rows)


def forget(session: Session, before: datetime, rules: Sequence[int]) -> None:
    """Drop firings of these rules that are so old that no sweep looks there again."""
    session.execute(delete(FIRINGS).where(FIRINGS.c.due < before, FIRINGS.c.rule_id.in_(rules)))
