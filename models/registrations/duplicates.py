"""Which leads claim the same customer: the same mobile, or the same home in whatever spelling (E-28, E-29, E-53).

A claim is filed all the same and marked, and so are those it meets; a mark goes with the last claim beside it.
Of somebody else's claim nothing is told but that there is one, unless the person sees it anyway. The marks of
others are no deed of whoever files: their history would name him.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, inspect, or_, select, union, update
from sqlalchemy.orm import Session, aliased

from app.engine import bulk
from app.engine.actions import Act, Stale
from app.engine.database import alone, among
from app.engine.events import subscribe
from app.engine.fields import is_mobile, normalise_phone
from app.engine.localtime import local
from app.engine.resource import CheckResult, resource_of
from app.engine.scopes import visible
from models.identity.tables import Employee
from models.registrations.addresses import address_key
from models.registrations.tables import WRONG_PHONE, Registration

MET = "该客户可能已被报备"
SHIELDED = "该客户在保护期内，至 {:%Y-%m-%d}"
_SPACE = -22
_TRIES = 3
_NAMED = 3
"""So many of the others are named to somebody who sees them."""
_Claim = Row[int, str, str, bool, int, datetime | None]
_SILENT = {"audited": True, "synchronize_session": "fetch"}


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two leads of a dealer the same customer's."""

    phone: str
    home: str

    @classmethod
    def of(cls, phone: str | None, city: str | None, community: str | None, room: str | None) -> Identity:
        """As it is compared."""
        return cls(normalise_phone(phone or ""), address_key(city, community, room))

    @property
    def names(self) -> tuple[str, str]:
        """What nobody else files or leaves meanwhile."""
        return f"phone {self.phone}", f"home {self.home}"


@dataclass(slots=True)
class Met:
    """What a file of leads meets: which of its identities are claimed already, and how many of them by
    somebody whose claim is protected."""

    claimed: list[bool]
    shielded: int = 0
    unmarked: set[int] = field(default_factory=set)


def identity(lead: Registration, values: Mapping[str, Any] = MappingProxyType({})) -> Identity:
    """A lead's own, as it will be with these values."""
    named = ("phone", "city", "community", "room")
    return Identity.of(*(values.get(name, getattr(lead, name)) for name in named))


def claims_on(session: Session, lead: Registration) -> list[Registration]:
    """All claims on the same customer, this one among them: those with tracking first, then by the number of
    records, then the earlier one (E-53)."""
    ids = [claim.id for claim in _claims(session, lead.dealer_id, [identity(lead)])]
    order = (Registration.track_count.desc(), Registration.registered_at, Registration.id)
    return list(session.scalars(select(Registration).where(Registration.id.in_(ids)).order_by(*order)))


# ----- one lead


def check(act: Act, lead: Registration, values: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Mark a lead that is filed, or is about to be changed to ``values``, and those it meets; those it no
    longer meets lose their mark with the last of them. Warns of the fact."""
    session = act.session
    becomes, was = identity(lead, values), _stored(session, lead)
    if becomes == was:
        return
    both = [becomes] if was is None else [becomes, was]
    held = _hold(session, lead.dealer_id, both, but=lead.id)
    met = [claim for claim in held if claim.phone == becomes.phone or claim.address_key == becomes.home]
    lead.duplicate = bool(met)
    _mark(session, [claim.id for claim in met if not claim.duplicate])
    if was is not None:
        _unmark(session, lead.dealer_id, [was], but=(lead.id,), stay=[claim.id for claim in met])
    if met:
        act.warn(f"{MET}{_named(act, [claim.id for claim in met])}")
    until = _shield(met, lead.registrant_id, act.now)
    if until is not None:
        act.warn(SHIELDED.format(local(until)))


def leave(act: Act, lead: Registration) -> None:
    """A lead is about to be deleted: whom it leaves alone is marked no longer."""
    was = [_stored(act.session, lead) or identity(lead)]
    _hold(act.session, lead.dealer_id, was, but=lead.id)
    _unmark(act.session, lead.dealer_id, was, but=(lead.id,))


def check_phone(text: str, act: Act) -> CheckResult:
    """The answer while a mobile is typed: the fact, and nothing else."""
    phone = normalise_phone(text)
    if not phone or act.actor.dealer_id is None:
        return CheckResult(True)
    if not is_mobile(phone):
        return CheckResult(False, WRONG_PHONE)
    met = _claims(act.session, act.actor.dealer_id, [Identity(phone, "")])
    until = _shield(met, act.actor.id, act.now)
    said = [MET] if met else []
    if until is not None:
        said.append(SHIELDED.format(local(until)))
    return CheckResult(True, "；".join(said))


def _stored(session: Session, lead: Registration) -> Identity | None:
    """A lead's own as the database has it; None of a new one."""
    if not inspect(lead).persistent:
        return None
    with session.no_autoflush:
        row = session.execute(
            select(Registration.phone, Registration.address_key).where(Registration.id == lead.id)
        ).one_or_none()
    return None if row is None else Identity(*row)


def _shield(met: Sequence[_Claim], registrant_id: int, now: datetime) -> datetime | None:
    """Until when the customer is somebody else's by a successful claim."""
    ends = [c.protected_until for c in met if c.registrant_id != registrant_id and c.protected_until]
    return max((end for end in ends if end > now), default=None)


def _named(act: Act, ids: Sequence[int]) -> str:
    """Whose claims they are, as far as the person sees them."""
    seen = (
        select(Registration.name, Employee.name, Registration.registered_at)
        .join(Employee, Employee.id == Registration.registrant_id)
        .where(Registration.id.in_(ids), visible(resource_of(Registration), act.actor))
        .order_by(Registration.registered_at, Registration.id)
        .limit(_NAMED)
    )
    with act.session.no_autoflush:
        found = [
            f"{name}（{who} {local(at):%Y-%m-%d %H:%M} 报备）"
            for name, who, at in act.session.execute(seen, act.actor.params)
        ]
    return f"：{'、'.join(found)}" if found else ""


# ----- many leads


def meet(
    session: Session, dealer_id: int, identities: Sequence[Identity], registrant_id: int, now: datetime
) -> Met:
    """What these new leads meet among those on file, and among each other."""
    return _met(_claims(session, dealer_id, identities), identities, registrant_id, now)


def check_many(act: Act, dealer_id: int, identities: Sequence[Identity], registrant_id: int) -> list[bool]:
    """The same as `check` for many leads that are about to be filed: which of them are duplicates."""
    held = _hold(act.session, dealer_id, identities, whole=True)
    met = _met(held, identities, registrant_id, act.now)
    _mark(act.session, met.unmarked)
    return met.claimed


def _met(claims: Sequence[_Claim], identities: Sequence[Identity], registrant_id: int, now: datetime) -> Met:
    phones, homes = Counter(i.phone for i in identities), Counter(i.home for i in identities)
    by_phone: dict[str, bool] = {}
    by_home: dict[str, bool] = {}
    found = Met([])
    for claim in claims:
        shields = _shield([claim], registrant_id, now) is not None
        by_phone[claim.phone] = shields or by_phone.get(claim.phone, False)
        by_home[claim.address_key] = shields or by_home.get(claim.address_key, False)
        if not claim.duplicate:
            found.unmarked.add(claim.id)
    for one in identities:
        there = one.phone in by_phone or one.home in by_home
        found.claimed.append(there or phones[one.phone] > 1 or homes[one.home] > 1)
        found.shielded += by_phone.get(one.phone, False) or by_home.get(one.home, False)
    return found


@subscribe("registrations.taken_back")
def _taken_back(act: Act, entries: Sequence[Any]) -> None:
    """Leads of a file are gone again: whom they leave alone is marked no longer."""
    values = [{name: pair[1] for name, pair in entry.changes["fields"].items()} for entry in entries]
    gone = [Identity(v["phone"], v["address_key"]) for v in values if v.get("phone") and v.get("address_key")]
    if gone and act.actor.dealer_id is not None:
        _hold(act.session, act.actor.dealer_id, gone, whole=True)
        _unmark(act.session, act.actor.dealer_id, gone)


# ----- in the database


def _claims(
    session: Session, dealer_id: int, identities: Iterable[Identity], but: int | None = None
) -> Sequence[_Claim]:
    """Leads that have one of these mobiles or homes, each looked for by its own index."""
    given = list(identities)
    phones, homes = {i.phone for i in given if i.phone}, {i.home for i in given if i.home}
    here = (Registration.dealer_id == dealer_id, Registration.id != (but or 0))
    columns = (
        Registration.id,
        Registration.phone,
        Registration.address_key,
        Registration.duplicate,
        Registration.registrant_id,
        Registration.protected_until,
    )
    by_phone = select(*columns).where(bulk.among(session, Registration.phone, phones), *here)
    by_home = select(*columns).where(bulk.among(session, Registration.address_key, homes), *here)
    with session.no_autoflush:
        return session.execute(union(by_phone, by_home)).all()


class _Others(Exception):
    """There are leads by now that were not locked before the rest was."""


def _lock(session: Session, ids: Collection[int]) -> None:
    if not ids:
        return
    rows = select(Registration.id).where(bulk.among(session, Registration.id, sorted(ids)))
    with session.no_autoflush:
        session.execute(rows.order_by(Registration.id).with_for_update(key_share=True))


def _hold(
    session: Session,
    dealer_id: int,
    identities: Sequence[Identity],
    *,
    but: int | None = None,
    whole: bool = False,
) -> Sequence[_Claim]:
    """Let nobody else file or leave these until the transaction ends; returns the leads they meet.

    Those are locked first: somebody who changes one of them has locked it before he comes here. When there
    are others by then, the locks are given back and taken anew.
    """
    names = {f"{dealer_id} {name}" for one in identities for name in one.names}
    for _ in range(_TRIES):
        with suppress(_Others), session.begin_nested():
            locked = {claim.id for claim in _claims(session, dealer_id, identities, but)}
            _lock(session, locked)
            among(session, _SPACE, str(dealer_id), whole=whole)
            if not whole:
                alone(session, _SPACE, *names)
            met = _claims(session, dealer_id, identities, but)
            if {claim.id for claim in met} - locked:
                raise _Others
            return met
    raise Stale


def _mark(session: Session, ids: Collection[int]) -> None:
    if ids:
        _set(session, bulk.among(session, Registration.id, sorted(ids)), marked=True)


def _unmark(
    session: Session,
    dealer_id: int,
    identities: Sequence[Identity],
    *,
    but: Sequence[int] = (),
    stay: Sequence[int] = (),
) -> None:
    """Take the mark from those of these leads that no other one meets, not counting ``but``."""
    marked = {claim.id for claim in _claims(session, dealer_id, identities) if claim.duplicate}
    ids = marked - {*but, *stay}
    if not ids:
        return
    other = aliased(Registration)
    beside = (
        other.id != Registration.id,
        other.id.not_in(but),
        other.dealer_id == Registration.dealer_id,
    )
    met = or_(
        exists().where(other.phone == Registration.phone, *beside),
        exists().where(other.address_key == Registration.address_key, *beside),
    )
    _set(session, bulk.among(session, Registration.id, sorted(ids)) & ~met, marked=False)


def _set(session: Session, mine: ColumnElement[bool], *, marked: bool) -> None:
    statement = (
        update(Registration)
        .where(mine)
        .values(duplicate=marked, updated_at=Registration.updated_at)
        .execution_options(**_SILENT)
    )
    with session.no_autoflush:
        session.execute(statement)
