"""What the lives of demo customers are written with: their circumstances, the sheets, the pen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.customers.tables import FollowUpKind
from models.customers.track import TrackAct
from models.demo.bulk import Sheet
from models.demo.chance import DAY, Calendar, Chance


@dataclass(frozen=True)
class Seat:
    """A consultant with what his or her customers inherit."""

    tenant: int
    dealer_id: int
    store_id: int
    department_id: int
    owner_id: int
    designers: Sequence[int]
    helpers: Sequence[int]


@dataclass(frozen=True)
class Supply:
    """What lives of one dealer's customers are made of."""

    tags: Sequence[tuple[int, ...]]
    interests: Sequence[tuple[int, ...]]
    categories: Sequence[tuple[int, str]]
    places: Sequence[tuple[str, str, str]]
    """Province, city, district."""


@dataclass(frozen=True)
class Vocabulary:
    """Values of dictionaries, the frequent ones repeated, and the worth of acts."""

    levels: Sequence[str]
    kinds: Sequence[str]
    sources: Sequence[tuple[str | None, str]]
    subjects: Sequence[str]
    methods: Sequence[str]
    points: Mapping[TrackAct, int]


@dataclass(frozen=True)
class Sheets:
    """Where the rows go, in the order of `fill.COLUMNS`."""

    customers: Sheet
    phones: Sheet
    tags: Sheet
    helpers: Sheet
    interests: Sheet
    contacts: Sheet
    contact_tags: Sheet
    service_orders: Sheet
    follow_ups: Sheet
    track: Sheet
    tasks: Sheet
    messages: Sheet
    receipts: Sheet
    factory_orders: Sheet
    steps: Sheet


Number = Callable[[str, int, int], str]
"""The next running number: scheme, dealer, moment."""


class Pen:
    """Writes what every part of a life leaves behind: track items, tasks, messages.

    ``null`` is what stands for "no value"; moments are seconds of the calendar.
    """

    def __init__(
        self,
        sheets: Sheets,
        chance: Chance,
        calendar: Calendar,
        values: Vocabulary,
        number: Number,
        null: Any,
    ) -> None:
        self.to, self.chance, self.calendar, self.values = sheets, chance, calendar, values
        self.number, self.null = number, null
        self.draw, self.pick, self.text = chance.draw, chance.pick, calendar.text
        self.now = calendar.now
        self.due_today = [calendar.today(h) for h in (17, 18, 19, 20, 21)]
        self.points = values.points

    def track(
        self, customer: Any, contact: Any, dealer: int, kind: str, act: TrackAct, text: str, at: str, by: Any
    ) -> int:
        """One item of a track; returns its points."""
        points = self.points.get(act, 0)
        sheet = self.to.track
        sheet.add((sheet.id(), dealer, customer, contact, kind, act.value, act.label, text, points, at, by))
        return points

    def task(
        self,
        subject: str,
        kind: str,
        due: int,
        seat: Seat,
        *,
        at: str,
        finished: int | None = None,
        customer: Any = None,
        contact: Any = None,
        order: Any = None,
    ) -> None:
        """A duty of the seat's consultant: done, late or waiting, as its time says."""
        sheet, null = self.to.tasks, self.null
        done = null if finished is None else self.text(finished)
        state = "done" if finished is not None else "overdue" if due < self.now - DAY else "open"
        sheet.add((
            sheet.id(), subject, kind, state, self.text(due), done, null if customer is None else customer,
            null if contact is None else contact, null if order is None else order, seat.owner_id,
            seat.dealer_id, seat.store_id, 1, at, at if finished is None else done,
        ))  # fmt: skip

    def message(self, customer: int, seat: Seat, phone: str, kind: FollowUpKind, said: str, at: str) -> None:
        """What the built-in gateway keeps of a message or call."""
        channel = {FollowUpKind.SMS: "sms", FollowUpKind.MESSAGE: "chat"}.get(kind, "call")
        sheet = self.to.messages
        number = sheet.id()
        sheet.add((
            number, channel, phone, said, "sent", f"local-{number}", at, customer, seat.owner_id,
            seat.dealer_id, seat.store_id, at, at,
        ))  # fmt: skip

    def next_time(self, after: int) -> int:
        """When to be in touch again: some are late, some due today, most within the next weeks."""
        chance = self.draw()
        if chance < 0.05:
            return self.pick(self.due_today)
        if chance < 0.2:
            return max(self.now - DAY - int(self.draw() * 12 * DAY), after + 3_600)
        return self.chance.working_time(self.now // DAY + 1 + int(self.draw() * 25))

    def later(self, since: int, days: float, share: float) -> int:
        """A moment about so many days on, but at most that share of the way from then to now."""
        day = since // DAY + min(int(days * (0.6 + self.draw())), int((self.now - since) * share / DAY))
        if day == since // DAY:
            return since + int((self.now - since) * share)
        return min(self.chance.working_time(day), self.now - 60)
