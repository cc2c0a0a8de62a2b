"""Leads of the demo: registered, tracked, assigned, paid for, judged. Rows only, like the lives of customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from models.demo import channel, words
from models.demo.bulk import Sheet, Writer
from models.demo.chance import DAY, Calendar, Chance, weighted
from models.demo.channel import Desk
from models.demo.paying import Home, Paid, Pools, pools
from models.demo.pour import Echo, pour
from models.demo.running import Numbers
from models.identity.rights import bump_epoch
from models.registrations.addresses import address_key, joined
from models.registrations.settings import FOLLOW_UP_DAYS, PROTECTION_DAYS
from models.registrations.tables import SOURCES, AuditStatus, Progress
from models.settings.catalogue import parameter_def

_HOME = ("name", "city", "district", "community", "room", "address")
COLUMNS: dict[str, tuple[str, ...]] = {
    "registrations": (
        "code", *_HOME, "phone", "source", "brand_category_id", "estimated_amount", "company", "designer",
        "designer_phone", "tracking_state", "next_tracking_on", "last_tracked_at", "last_tracking_text",
        "track_count", "outlet_id", "registrant_id", "registered_at", "budget", "progress", "audit_status",
        "first_judged_at", "address_key", "duplicate", "protected_until", "dealer_id", "version", "created_at",
        "updated_at",
    ),
    "registration_assignments": (
        "registration_id", "brand_category_id", "used_type", *_HOME, "phone", "company", "designer", "assigner_id",
        "progress", "deposit_amount", "deposit_on", "receipt_id", "customer_id", "verdict", "audit_remark", "auditor_id",
        "judged_at", "withdrawn_at", "withdrawn_by_id", "withdraw_reason", "registrant_id", "outlet_id",
        "registered_at", "store_id", "dealer_id", "version", "created_at", "updated_at",
    ),
    "registration_tracks": (
        "registration_id", "kind", "at", "state", "next_tracking_on", "phone", "text", "writer_id", "dealer_id",
        "created_at", "updated_at",
    ),
}  # fmt: skip
"""In the order in which rows refer to each other."""

_SOURCES = weighted(list(zip(SOURCES, (6, 5, 8, 5, 5, 2, 1), strict=True)))
_COMPANY, _DESIGNER = SOURCES[3:5]
_ASSIGNMENTS = weighted([(0, 30), (1, 52), (2, 15), (3, 3)])
_TRACKS = (0, 0, 1, 1, 1, 2, 2, 3)
_STATES = ("继续跟踪", "继续跟踪", "跟进", "已约到店", "暂无意向")
_GOOD = ("资料相符，审核通过", "客户确认由该业务员介绍", "与展厅资料一致")
_BAD = (
    "号码是空号，联系不上客户",
    "地址与客户实际住址不符",
    "客户表示没有登记过",
    "该客户已由其他同事跟踪到店",
)
_WITHDRAWN = ("展厅选错", "客户改选其他品类")
_PAYS, _SOON = 0.3, 25
"""How many leads become a customer of the demo, and within how many days."""
_PAIRED, _TWIN = 0.015, 0.03
"""How often a colleague will register the same customer, and how soon he does."""


@dataclass(frozen=True)
class _Lead:
    """A lead as its assignments and tracks repeat it; ``partner`` are company and designer."""

    id: int
    home: Home
    desk: Desk
    at: int
    partner: tuple[Any, ...]


@dataclass
class _Verdict:
    """What an auditor has said of one assignment."""

    status: AuditStatus = AuditStatus.PENDING
    at: int = 0


def fill(
    session: Session,
    connection: Connection,
    password: str,
    amount: int,
    now: datetime,
    large: bool,
    echo: Echo,
) -> None:
    """Write that many leads with everything that hangs on them; the caller commits."""
    chance = Chance(amount)
    desks = channel.make(session, chance, password, large=large)
    bump_epoch(session)
    calendar = Calendar(now)
    running = Numbers(session, calendar, {desk.dealer_id for desk in desks})
    writer = Writer(connection, large=large)
    with writer.bare(list(COLUMNS)):
        leads, assignments, tracks = (writer.sheet(name, *columns) for name, columns in COLUMNS.items())
        paying = pools(connection, calendar)
        pen = Leads(leads, assignments, tracks, chance, calendar, running, paying, writer.null)
        pour(pen.write(desks, amount), writer, running, amount, "条报备", echo)
        writer.finish()
    running.save()


class Leads:
    """Writes one lead after the other. Moments are seconds of the calendar; ``null`` stands for no value."""

    def __init__(
        self,
        leads: Sheet,
        assignments: Sheet,
        tracks: Sheet,
        chance: Chance,
        calendar: Calendar,
        number: Callable[[str, int, int], str],
        paying: Pools,
        null: Any,
    ) -> None:
        self.leads, self.assignments, self.tracks = leads, assignments, tracks
        self.chance, self.calendar, self.number, self.null = chance, calendar, number, null
        self.paying = paying
        self.draw, self.pick, self.text = chance.draw, chance.pick, calendar.text
        self.shield = parameter_def(PROTECTION_DAYS).default
        self.soon = parameter_def(FOLLOW_UP_DAYS).default
        self.waiting: list[tuple[Home, Desk]] = []
        self.districts = {
            city: [f"{city}{d}" for d in found] for cities in words.REGIONS.values() for city, found in cities.items()
        }  # fmt: skip

    def write(self, desks: list[Desk], amount: int) -> Iterator[None]:
        """All of them in the order of their time; stops now and then so that the sheets can be emptied."""
        for n, at in enumerate(self.chance.arrivals(amount, self.calendar.now), 1):
            left = amount - n
            if self.waiting and (self.draw() < _TWIN or left < len(self.waiting)):
                home, first = self.waiting.pop(0)
                others = [d for d in desks if d.dealer_id == first.dealer_id and d is not first]
                self._lead(home, self.pick(others), at, duplicate=True)
            else:
                desk = self.pick(desks)
                paid = self._paid(desk, at)
                twin = paid is None and len(self.waiting) < left and self.draw() < _PAIRED
                home = self._home(n, desk) if paid is None else paid.home
                if twin:
                    self.waiting.append((home, desk))
                self._lead(home, desk, at, duplicate=twin, paid=paid)
            if n % 2_000 == 0:
                yield

    def _paid(self, desk: Desk, at: int) -> Paid | None:
        """Now and then the customer of the dealer who is filed next and will pay."""
        pool = self.paying.get(desk.dealer_id)
        while pool and pool[0].created <= at + DAY:
            pool.popleft()
        if not pool or pool[0].created > at + _SOON * DAY or self.draw() > _PAYS:
            return None
        return pool.popleft()

    def _home(self, n: int, desk: Desk) -> Home:
        """A customer nobody has registered before."""
        name, _ = self.chance.name()
        district = self.pick(self.districts.get(desk.city) or [""])
        room = f"{int(self.draw() * 28) + 1}栋{int(self.draw() * 24) + 1}0{int(self.draw() * 4) + 1}"
        phone = str(13_600_000_000 + n * 7_919 % self.chance.digits)
        return Home(name, phone, desk.city, district, self.pick(words.COMMUNITIES), room)

    def _lead(self, home: Home, desk: Desk, at: int, *, duplicate: bool, paid: Paid | None = None) -> None:
        null, text = self.null, self.text
        pk, filed = self.leads.id(), text(at)
        source = self.pick(_SOURCES)
        designer, company, phone = self.pick(desk.designers)
        by_designer = source == _DESIGNER
        given = (
            company if by_designer or source == _COMPANY else null, designer if by_designer else null,
            phone if by_designer else null,
        )  # fmt: skip
        first = int(self.draw() * len(desk.types))
        lead = _Lead(pk, home, desk, at, given[:2])
        progress, verdicts = self._assignments(lead, first, paid)
        judged = [v for v in verdicts if v.status is not AuditStatus.PENDING]
        good = [v.at for v in judged if v.status is AuditStatus.PASSED]
        status = AuditStatus.PENDING
        if good:
            status = AuditStatus.PASSED
        elif judged and len(judged) == len(verdicts):
            status = AuditStatus.FAILED
        until: Any = text(max(good) + self.shield * DAY) if good else null
        last = self._tracks(lead, settled=status is not AuditStatus.PENDING)
        self.leads.add((
            pk, self.number("registration", desk.dealer_id, at), *self._address(home), home.phone, source,
            desk.types[first][0] if self.draw() < 0.8 else null,
            f"{5_000 * (1 + int(self.draw() * 24))}.00" if self.draw() < 0.5 else null, *given, *last,
            desk.outlet_id, desk.registrant_id, filed, self.pick(words.REMARKS) if self.draw() < 0.2 else null,
            progress.value, status.value, text(min(v.at for v in judged)) if judged else null,
            address_key(home.city, home.community, home.room), int(duplicate), until, desk.dealer_id, 1,
            filed, filed,
        ))  # fmt: skip

    def _address(self, home: Home) -> tuple[Any, ...]:
        whole = joined(home.city, home.district, home.community, home.room)
        return home.name, home.city, home.district or self.null, home.community, home.room, whole

    def _assignments(self, lead: _Lead, first: int, paid: Paid | None) -> tuple[Progress, list[_Verdict]]:
        """The showrooms it went to, each for a category of its own; the furthest progress and the verdicts."""
        used: set[int] = set()
        furthest, verdicts = Progress.REGISTERED, []
        moment = self._later(lead.at, 2)
        for n in range(max(self.pick(_ASSIGNMENTS), paid is not None)):
            kind, category = lead.desk.types[(first + n * 5) % len(lead.desk.types)]
            if category in used:
                continue
            if (n or paid is None) and self.draw() < 0.03:
                self._assign(lead, moment, kind, category, withdrawn=True)
                continue
            used.add(category)
            progress, verdict = self._assign(lead, moment, kind, category, None if n else paid)
            verdicts.append(verdict)
            if furthest is not Progress.DEPOSIT:
                furthest = progress
        return furthest, verdicts

    def _assign(
        self,
        lead: _Lead,
        moment: int,
        kind: int,
        category: int,
        paid: Paid | None = None,
        *,
        withdrawn: bool = False,
    ) -> tuple[Progress, _Verdict]:
        """One assignment. Where the dealer has no customers who pay, deposits stand without one."""
        null, text, desk = self.null, self.text, lead.desk
        if paid is not None:
            moment = min(moment, paid.created - 60)
        deposit: tuple[Any, ...] = (null, null, null, null)
        at = 0
        if paid is not None:
            at, deposit = paid.at, (paid.amount, paid.day, paid.receipt_id, paid.customer_id)
        elif not withdrawn and not self.paying.get(desk.dealer_id) and self.draw() < 0.38:
            at = self._later(moment, 9)
            amount = f"{1_000 + 500 * int(self.draw() * 9)}.00"
            deposit = (amount, self.calendar.day(at).isoformat(), null, null)
        verdict, remark = (_Verdict(), null) if withdrawn else self._verdict(moment, at)
        progress = Progress.DEPOSIT if at else Progress.ASSIGNED
        gone: tuple[Any, ...] = (null, null, null)
        if withdrawn:
            gone = (text(self._later(moment, 1)), desk.manager_id, self.pick(_WITHDRAWN))
        self.assignments.add((
            self.assignments.id(), lead.id, kind, str(category), *self._address(self._found(lead.home)),
            lead.home.phone, *lead.partner, desk.manager_id, progress.value, *deposit, verdict.status.value, remark,
            desk.manager_id if verdict.at else null, text(verdict.at) if verdict.at else null, *gone,
            desk.registrant_id, desk.outlet_id, text(lead.at),
            paid.store_id if paid is not None else self.pick(desk.showrooms), desk.dealer_id, 1, text(moment),
            text(max(moment, at, verdict.at)),
        ))  # fmt: skip
        return progress, verdict

    def _verdict(self, moment: int, paid: int) -> tuple[_Verdict, Any]:
        """What the manager has said by now, mostly of those that paid; his remark."""
        if self.draw() > (0.7 if paid else 0.08):
            return _Verdict(), self.null
        good = self.draw() < (0.8 if paid else 0.15)
        status = AuditStatus.PASSED if good else AuditStatus.FAILED
        return _Verdict(status, self._later(paid or moment, 5)), self.pick(_GOOD if good else _BAD)

    def _found(self, home: Home) -> Home:
        """The same customer as the showroom knows him, now and then more exactly."""
        if self.draw() > 0.12:
            return home
        room = home.room.removesuffix("室") if home.room.endswith("室") else f"{home.room}室"
        return replace(home, room=room)

    def _tracks(self, lead: _Lead, *, settled: bool) -> tuple[Any, ...]:
        """The tracking records; what the lead repeats of the last one: state, next day, time, words, number."""
        null, moment, written = self.null, lead.at, 0
        state, following, last, said = "待跟踪", null, null, null
        for _ in range(self.pick(_TRACKS)):
            moment += 1_800 + int(self.draw() * 9 * DAY)
            if moment >= self.calendar.now - 60:
                break
            state, said, last = self.pick(_STATES), self.pick(words.FOLLOW_UP_TEXTS), self.text(moment)
            following, written = self._next(moment), written + 1
            self.tracks.add((
                self.tracks.id(), lead.id, "note", last, state, following, lead.home.phone, said,
                lead.desk.registrant_id, lead.desk.dealer_id, last, last,
            ))  # fmt: skip
        recent = self.calendar.now - lead.at < 60 * DAY
        shown = following if not settled and recent else null
        return state, shown, last, said, written

    def _next(self, moment: int) -> Any:
        if self.draw() < 0.3:
            return self.null
        return self.calendar.day(moment + (self.soon + int(self.draw() * 12)) * DAY).isoformat()

    def _later(self, since: int, most: float) -> int:
        """A moment within so many days on, before now."""
        return min(since + 600 + int(self.draw() * most * DAY), max(since + 1, self.calendar.now - 60))
