"""The claims an auditor is shown: which, what each of its two lines says, and who else claims the customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    union,
)
from sqlalchemy.orm import Session, aliased

from app.engine import listing, names, plans, reading, throttle
from app.engine.fields import FieldSpec, describe, is_mobile, normalise_phone, with_companions
from app.engine.filters import MAX_TEXT, Active
from app.engine.guards import gate, hidden, may_filter
from app.engine.listing import Query
from app.engine.projecting import one_of, projected
from app.engine.scopes import Actor, Scope, scopes_of, visible
from models.identity.tables import Employee, Store
from models.registrations import comparing
from models.registrations.resources import Assignments, Registrations
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration

PER_PAGE = 20
_MOST_CLAIMS = 400
"""Claims shown on one page beside its entries; more of one customer are on the leads' own list."""
STATE = {
    spec.name: spec
    for spec in map(
        describe,
        (
            Assignment.progress, Assignment.verdict, Assignment.audit_remark, Assignment.auditor_id,
            Assignment.judged_at, Assignment.store_id,
        ),
    )
}  # fmt: skip
"""What is shown of an entry besides what is compared."""
LEAD = {
    spec.name: spec
    for spec in map(
        describe,
        (
            Registration.registrant_id, Registration.registered_at, Registration.progress,
            Registration.audit_status, Registration.phone,
        ),
    )
}  # fmt: skip
"""What is shown of a lead as a whole, and asked about it."""
_FILED = (LEAD["registrant_id"], LEAD["registered_at"])


@dataclass(frozen=True)
class Asked:
    """The conditions of the page; an address that names none asks for what waits: paid and not judged."""

    paid: bool = True
    verdicts: frozenset[AuditStatus] = frozenset({AuditStatus.PENDING})
    differing: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    """Parts of texts by the name of their condition (`CONDITIONS`)."""


CONDITIONS = {
    "name": "报备客户名称",
    "address": "报备客户地址",
    "phone": "报备客户手机",
    "outlet": "报备网点",
    "company": "报备家装公司",
    "designer": "家装设计师",
}
WHOLE_NUMBER = "请输入完整的手机号码"


class Claim(NamedTuple):
    """One registration of a customer whom several claim, as evidence (E-53)."""

    id: int
    code: str
    registrant: str
    at: datetime
    progress: Progress
    audit_status: AuditStatus
    tracks: int
    last_text: str


@dataclass
class Claims:
    """All that claim the same customer within the reader's scope; ``hidden`` when there are others."""

    shown: list[Claim] = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True)
class Entry:
    """One assignment to judge: gated values by field, above as registered and below as the showroom holds
    them, and which of them differ."""

    id: int
    version: int
    lead_id: int
    own: bool
    state: Mapping[str, Any]
    filed: Mapping[str, Any]
    held: Mapping[str, Any]
    differs: frozenset[str]
    claims: Claims | None = None


@dataclass(frozen=True)
class Page:
    """Some entries, and the cursors of the pages beside them."""

    entries: Sequence[Entry]
    previous: tuple[Any, int] | None
    next: tuple[Any, int] | None


def query(
    session: Session, actor: Actor, asked: Asked, place: listing.Args, now: datetime, *, only: int = 0
) -> Query:
    """The list of assignments narrowed to what is asked, within the person's scope on them and on their leads;
    ``place`` holds the cursor, ``only`` names one entry. What of the words means nothing is in ``errors``."""
    dialect = session.get_bind().dialect.name
    given: dict[str, Sequence[str]] = {name: place.get(name, ()) for name in ("after", "before")}
    numbered = is_mobile(normalise_phone(asked.words.get("phone", "")))
    waiting = asked.paid and asked.verdicts == {AuditStatus.PENDING} and not numbered
    if not waiting:
        given["progress"] = [Progress.DEPOSIT.value] if asked.paid else []
        given["verdict"] = sorted(v.value for v in asked.verdicts)
    found = listing.parse(Assignments, actor, given, now, dialect)
    found.scope, found.scopes, found.per_page = None, scopes_of(Assignments, actor), PER_PAGE
    live = _waiting() if waiting else Assignment.withdrawn_at.is_(None)
    leads = _of_leads(actor)
    own = [_filter("live", lambda: live, waiting, default=True), *leads]
    if only:
        alone = Assignment.id == bindparam("only_id")
        own.append(_filter("only", lambda: alone, params={"only_id": only}, selective=True))
    if asked.differing:
        own.append(_filter("differing", comparing.differing))
    for name, text in asked.words.items():
        own += _containing(found, name, text.strip()[:MAX_TEXT], dialect)
    found.filters += own
    if waiting and not leads:  # what waits has an index in the order of the page, and is looked at row by row
        found.filters = [replace(f, default=True) for f in found.filters]
    for active in own:
        found.params |= active.params
    return found


def _waiting() -> ColumnElement[bool]:
    """`WAITING` with its values in the statement, so that its index is recognised."""
    return and_(
        Assignment.withdrawn_at.is_(None),
        Assignment.verdict == literal_column(f"'{AuditStatus.PENDING.value}'"),
        Assignment.progress == literal_column(f"'{Progress.DEPOSIT.value}'"),
    )


def _filter(name: str, make: Callable[[], ColumnElement[bool]], *key: Any, **more: Any) -> Active:
    more.setdefault("params", {})
    return Active(
        describe(Assignment.registration_id), name, (name,), ("audit", name, *key), make=make, **more
    )


def _of_leads(actor: Actor) -> list[Active]:
    """What the grants of leads leave of the assignments (E-03); nothing to ask of who sees a whole dealer.
    Of each row its lead is asked: a manager's leads are too many to be gathered for a page."""
    scopes = scopes_of(Registrations, actor)
    if scopes & {Scope.DEALER, Scope.GROUP}:
        return []
    return [_filter("leads", partial(_lead, visible(Registrations, actor)), scopes)]


def _leads(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Assignment.registration_id.in_(select(Registration.id).where(condition))


def _lead(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same asked of the lead of a row at hand."""
    pair = Registration.id == Assignment.registration_id
    found = select(literal(1)).where(pair, condition).correlate(Assignment)
    return found.scalar_subquery().is_not(None)


def _containing(found: Query, name: str, text: str, dialect: str) -> list[Active]:
    """The filter for a part of a text of the registration; parts of a number only for who may read it."""
    if not text:
        return []
    if name in ("name", "address"):
        column = getattr(Registration, name)
        indexed = partial(names.condition, Registrations, column, text, dialect)
        row = partial(names.contains, column, text, dialect)
        return [
            _filter(
                name, lambda: _leads(indexed()), names.shape(column, text),
                params=names.values(column, text), seen=lambda: _lead(row()),
            )
        ]  # fmt: skip
    if name == "phone":
        return _of_phone(found, text)
    column = Store.name if name == "outlet" else getattr(Registration, name)
    params = {f"part_{name}": f"%{_escaped(text)}%"}
    part = func.lower(column).like(bindparam(f"part_{name}"), escape="/")
    if name == "outlet":
        outlets = select(Store.id).where(part)
        return [_filter(name, lambda: Assignment.outlet_id.in_(outlets), params=params)]
    filled = column.is_not(None)  # what the index of these columns holds
    return [_filter(name, lambda: _leads(filled & part), params=params, seen=lambda: _lead(part))]


def _of_phone(found: Query, text: str) -> list[Active]:
    spec, digits = LEAD["phone"], normalise_phone(text)
    if is_mobile(digits):
        throttle.look_up(spec, found.actor, [digits])
        same = Registration.phone == bindparam("whole_phone")
        return [
            _filter("phone", lambda: _leads(same), "whole", params={"whole_phone": digits}, selective=True)
        ]
    if not may_filter(spec, found.actor):
        found.errors.append(WHOLE_NUMBER)
        return [_filter("phone", lambda: Assignment.id < 0, "nothing", selective=True)]
    part = Registration.phone.like(bindparam("part_phone", type_=Registration.name.type), escape="/")
    params = {"part_phone": f"%{_escaped(digits)}%"}
    return [_filter("phone", lambda: _leads(part), "part", params=params, seen=lambda: _lead(part))]


def _escaped(text: str) -> str:
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return text.lower()


def page(session: Session, found: Query) -> Page:
    """The entries of one page, with what they are compared with and who else claims their customers."""
    specs, _ = with_companions([*comparing.corrected(), *STATE.values()])
    rows = reading.read(session, found, specs)
    filed = _registered(session, [r.id for r in rows.records], found.actor)
    claims = claims_of(session, {lead for lead, *_ in filed.values()}, found.actor)
    entries = []
    for record in rows.records:
        values = dict(zip((s.name for s in specs), record.values, strict=True))
        held = {name: values.pop(name) for name in comparing.FIELDS}
        lead, own, differs, above = filed[record.id]
        entries.append(
            Entry(record.id, record.version, lead, own, values, above, held, differs, claims.get(lead))
        )
    ends = [(r.place, r.id) for r in rows.records]
    return Page(
        entries, ends[0] if rows.has_previous and ends else None, ends[-1] if rows.has_next and ends else None
    )


_Filed = tuple[int, bool, frozenset[str], dict[str, Any]]


def _registered(session: Session, ids: Sequence[int], actor: Actor) -> dict[int, _Filed]:
    """By assignment: its lead, whether that is the reader's own, the fields that differ, and what was filed."""
    if not ids:
        return {}
    specs = [*comparing.registered(), *_FILED]
    readable = tuple(hidden(s, actor) is None for s in specs)
    build = partial(_beside, specs, actor, session.get_bind().dialect.name)
    found: dict[int, _Filed] = {}
    rows: Iterable[Any] = plans.run(session, ("filed", readable), build, {"entries": ids})
    for pk, lead, registrant, *rest in rows:
        flags, values = rest[: len(comparing.FIELDS)], rest[len(comparing.FIELDS) :]
        differs = frozenset(name for name, flag in zip(comparing.FIELDS, flags, strict=True) if flag)
        gated = {s.name: gate(s, v, actor, projected=True) for s, v in zip(specs, values, strict=True)}
        found[pk] = (lead, registrant == actor.id, differs, gated)
    return found


def _beside(specs: Sequence[FieldSpec], actor: Actor, dialect: str) -> Select[Any]:
    chosen, joins = projected(Registrations, actor, specs)
    flags: Iterable[Any] = comparing.differences().values()
    statement = select(
        Assignment.id, Assignment.registration_id, Assignment.registrant_id, *flags, *chosen
    ).join(Registration, Registration.id == Assignment.registration_id)  # fmt: skip
    for other, on in joins:
        statement = statement.outerjoin(other, on)
    return statement.where(one_of(dialect, Assignment.id, "entries"))


def claims_of(session: Session, leads: Iterable[int], actor: Actor) -> Mapping[int, Claims]:
    """By lead: all registrations of the same number or address, its own among them, in the order in which they
    are believed (E-53): tracked ones first, the more often tracked, then the earlier. Leads that nobody else
    claims are left out; of others' claims out of scope only that they exist is told (E-29)."""
    wanted = sorted(leads)
    if not wanted:
        return {}
    build = partial(_same, actor, session.get_bind().dialect.name)
    found: defaultdict[int, Claims] = defaultdict(Claims)
    amounts: defaultdict[int, int] = defaultdict(int)
    key = ("claims", scopes_of(Registrations, actor))
    for row in plans.run(session, key, build, {**actor.params, "leads": wanted}):
        amounts[row.lead] += 1
        if not row.seen:
            found[row.lead].hidden = True
            continue
        found[row.lead].shown.append(Claim._make(row[2:]))
    return {lead_id: found[lead_id] for lead_id, n in amounts.items() if n > 1}


def _same(actor: Actor, dialect: str) -> Select[Any]:
    lead = aliased(Registration)
    same = [
        select(lead.id.label("lead"), Registration.id.label("other"))
        .join(
            Registration, (Registration.dealer_id == lead.dealer_id) & (column == getattr(lead, column.key))
        )
        .where(one_of(dialect, lead.id, "leads"), func.length(column) > 0)
        for column in (Registration.phone, Registration.address_key)
    ]
    pairs = union(*same).subquery()
    proof = case((Registration.track_count > 0, 0), else_=1)
    columns = (
        Registration.id, Registration.code, func.coalesce(Employee.name, ""), Registration.registered_at, Registration.progress,
        Registration.audit_status, Registration.track_count, func.coalesce(Registration.last_tracking_text, ""),
    )  # fmt: skip
    return (
        select(pairs.c.lead, visible(Registrations, actor).label("seen"), *columns)
        .join(Registration, Registration.id == pairs.c.other)
        .outerjoin(Employee, Employee.id == Registration.registrant_id)
        .order_by(proof, Registration.track_count.desc(), Registration.registered_at, Registration.id)
        .limit(_MOST_CLAIMS)
    )
