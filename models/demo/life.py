"""The life of one customer: filed, followed up, ordered, served or lost. Rows only, no database.

Whatever is repeated elsewhere (scores, last follow-up, net received amount, numbers) is written from the
same values, so that demo data satisfies the rules of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.customers.tables import ContactSource, ContactState, FollowUpKind, Stage
from models.customers.track import KINDS, TrackAct
from models.demo import words
from models.demo.chance import DAY, weighted
from models.demo.deals import SERVICE, Client, Deals, Outcome
from models.demo.rows import Pen, Seat, Supply

FOLLOW_UPS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8)
GAPS = (1, 2, 2, 3, 3, 4, 5, 7, 7, 10, 14, 21)
_WRITTEN = FollowUpKind.MANUAL
_KINDS = weighted([
    ((_WRITTEN, TrackAct.WRITTEN, words.FOLLOW_UP_TEXTS), 10),
    ((FollowUpKind.CALL, TrackAct.CALL, words.CALL_TEXTS), 6),
    ((FollowUpKind.SMS, TrackAct.SMS, words.SHORT_TEXTS), 2),
    ((FollowUpKind.MESSAGE, TrackAct.MESSAGE, words.SHORT_TEXTS), 2),
])  # fmt: skip
_OLD = weighted([
    (Stage.FOLLOWING, 70), (Stage.ORDERED, 6), (Stage.SERVED, 9), (Stage.LOST, 10), (Stage.INVALID, 5),
])  # fmt: skip
_NEW = weighted([(Stage.FOLLOWING, 91), (Stage.ORDERED, 4), (Stage.LOST, 3), (Stage.INVALID, 2)])
_FOLLOW_UP = KINDS[TrackAct.CALL].value
_WAYS = (
    (ContactSource.SELF_FILED, (TrackAct.VISIT, TrackAct.VISIT)),
    (ContactSource.WORK_CHAT, (TrackAct.ADD_FRIEND, TrackAct.CHAT, TrackAct.CHAT, TrackAct.BROWSE)),
    (ContactSource.WORK_CHAT, (TrackAct.ADD_FRIEND, TrackAct.BROWSE, TrackAct.BOOKMARK, TrackAct.CHAT)),
    (ContactSource.CAMERA, (TrackAct.VISIT, TrackAct.VISIT)),
    (ContactSource.VISITOR, (TrackAct.BROWSE, TrackAct.BROWSE, TrackAct.BOOKMARK, TrackAct.SIGN_UP)),
    (ContactSource.VISITOR, (TrackAct.BROWSE, TrackAct.SIGN_UP, TrackAct.BUY_COUPON)),
)


class Life:
    """Writes whole lives, one after the other."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.deals = Deals(pen)
        self.nobody: tuple[Any, Any, Any] = (pen.null, pen.null, pen.null)

    def customer(self, n: int, created: int, seat: Seat, supply: Supply) -> None:
        """The n-th customer's whole life."""
        pen, to, null = self.pen, self.pen.to, self.pen.null
        draw, pick = pen.draw, pen.pick
        pk, at = to.customers.id(), pen.text(created)
        age = pen.now - created
        stage = pick(_OLD if age > 45 * DAY else _NEW)
        name, gender = pen.chance.name()
        phone = pen.chance.phone(n)
        sold = stage is Stage.ORDERED or stage is Stage.SERVED
        waiting = stage is Stage.FOLLOWING and draw() < 0.015
        owner: Any = null if waiting else seat.owner_id
        filer = seat.owner_id if draw() < 0.85 else pick(seat.helpers)
        designer: Any = pick(seat.designers) if sold or draw() < 0.4 else null
        salesperson: Any = pick(seat.helpers) if draw() < 0.08 else null

        score = pen.track(pk, null, seat.dealer_id, SERVICE, TrackAct.FILED, "", at, filer)
        last, next_at = self.nobody, null
        times = 0 if waiting else pick(FOLLOW_UPS)
        if times:
            active = stage is Stage.FOLLOWING and (age < 120 * DAY or draw() < 0.12)
            last, next_at, points = self._follow_ups(pk, created, times, active, seat, name, phone)
            score += points
        linked = draw() < 0.04
        if linked:
            score += self._contact(seat, max(0, created - int(draw() * 20 * DAY) - 600), name, gender, pk, at)
        reason: Any = pick(words.LOST_REASONS) if stage is Stage.LOST else null
        outcome = Outcome()
        if sold or stage is Stage.LOST or (stage is Stage.FOLLOWING and not waiting and draw() < 0.1):
            outcome = self.deals.write(
                Client(pk, created, stage, phone, owner, designer, seat, reason), supply
            )
            score += outcome.score

        province, city, district = pick(supply.places)
        community: Any = null
        address: Any = null
        if draw() < 0.8:
            community = pick(words.COMMUNITIES)
            address = f"{int(draw() * 28) + 1}幢{int(draw() * 3) + 1}单元{int(draw() * 24) + 1}0{int(draw() * 4) + 1}室"
        category, source = pick(pen.values.sources)
        to.customers.add((
            pk, pen.number("customer", seat.dealer_id, created), name, phone, gender,
            pick(pen.values.levels) if draw() < 0.92 else null, pick(pen.values.kinds),
            null if category is None else category, source, stage.value, province, city, district, community,
            address, pick(words.REMARKS) if draw() < 0.15 else null, seat.dealer_id, seat.store_id,
            null if waiting else seat.department_id, filer, owner, designer, salesperson, outcome.net,
            outcome.transmitted,
            pen.calendar.day(outcome.ended).isoformat() if stage is Stage.SERVED else null,
            reason, int(linked), 1, at, at if last[0] is null else last[0],
            int(last[0] is not null), last[0], last[1], last[2], next_at, score,
        ))  # fmt: skip
        self._attachments(n, pk, at, phone, seat, supply)

    def _attachments(self, n: int, pk: int, at: str, phone: str, seat: Seat, supply: Supply) -> None:
        pen, to = self.pen, self.pen.to
        draw, pick = pen.draw, pen.pick
        to.phones.add((to.phones.id(), pk, seat.dealer_id, phone, phone[-4:], 0))
        if draw() < 0.12:
            further = pen.chance.phone(n, second=True)
            to.phones.add((to.phones.id(), pk, seat.dealer_id, further, further[-4:], 1))
        for tag in pick(supply.tags):
            to.tags.add((to.tags.id(), pk, tag))
        for wanted in pick(supply.interests):
            to.interests.add((to.interests.id(), pk, wanted))
        if draw() < 0.04:
            to.helpers.add((to.helpers.id(), pk, pick(seat.helpers), at))

    def _follow_ups(
        self, pk: int, created: int, times: int, active: bool, seat: Seat, name: str, phone: str
    ) -> tuple[tuple[Any, Any, Any], Any, int]:
        """The last one (time, kind, words), the next time, and the points."""
        pen, to, null = self.pen, self.pen.to, self.pen.null
        draw, pick, text, now = pen.draw, pen.pick, pen.text, pen.now
        dealer, store, writer = seat.dealer_id, seat.store_id, seat.owner_id
        moments: list[int] = []
        moment = created + 1_800 + int(draw() * 40_000)
        while moment < now and len(moments) < times:
            moments.append(moment)
            moment += pick(GAPS) * DAY - int(draw() * 20_000)
        if not moments:
            return self.nobody, null, 0
        due = pen.next_time(moments[-1]) if active else None
        score, final = 0, len(moments) - 1
        at, said, kind = "", "", _WRITTEN
        for i, moment in enumerate(moments):
            kind, act, texts = pick(_KINDS)
            said = pick(texts)
            points = pen.points.get(act, 0)
            score += points
            at = text(moment)
            planned: Any = null
            if i < final:
                planned = text(moments[i + 1])
            elif due is not None:
                planned = text(due)
            to.follow_ups.add(
                (
                    to.follow_ups.id(),
                    dealer,
                    store,
                    pk,
                    null,
                    kind.value,
                    said,
                    at,
                    planned,
                    writer,
                    points,
                    at,
                    at,
                )
            )
            to.track.add(
                (to.track.id(), dealer, pk, null, _FOLLOW_UP, act.value, act.label, said, points, at, writer)
            )
            if kind is not _WRITTEN and now - moment < 30 * DAY and draw() < 0.3:
                pen.message(pk, seat, phone, kind, said, at)
        if final and draw() < 0.15:
            pen.task(
                f"跟进{name}",
                "follow_up",
                moments[-1],
                seat,
                at=text(moments[-2]),
                finished=moments[-1],
                customer=pk,
            )
        if due is not None:
            pen.task(f"跟进{name}", "follow_up", due, seat, at=at, customer=pk)
        return (at, kind.value, in_short(kind, said)), null if due is None else text(due), score

    # ----- people without a phone

    def open_contact(self, created: int, seat: Seat, tags: Sequence[int]) -> None:
        """A contact that still waits for its number."""
        name, gender = self.pen.chance.name()
        to = self.pen.to
        pk = to.contacts.next_id
        self._contact(seat, created, name, gender)
        for tag in tags:
            to.contact_tags.add((to.contact_tags.id(), pk, tag))

    def _contact(
        self,
        seat: Seat,
        met: int,
        name: str,
        gender: str,
        customer: int | None = None,
        linked: str | None = None,
    ) -> int:
        """A contact with its track, of one customer or of nobody yet; returns the points of the track."""
        pen, null, text = self.pen, self.pen.null, self.pen.text
        draw, pick = pen.draw, pen.pick
        pk, at = pen.to.contacts.id(), text(met)
        source, acts = pick(_WAYS)
        whose: Any = null if customer is None else customer
        score, moment = 0, met
        for act in acts[: 1 + int(draw() * len(acts))]:
            if moment >= pen.now:
                break
            score += pen.track(whose, pk, seat.dealer_id, KINDS[act].value, act, "", text(moment), null)
            moment += int(draw() * 3 * DAY) + 600
        last, next_at = self.nobody, null
        if customer is None and moment < pen.now and draw() < 0.35:
            last, next_at, points = self._follow_up_contact(pk, moment, seat, name)
            score += points
        own = source is ContactSource.SELF_FILED
        state = ContactState.OPEN if customer is None else ContactState.LINKED
        pen.to.contacts.add((
            pk, pen.number("contact", seat.dealer_id, met), name, gender, source.value,
            null if own else pick(words.SOURCE_NOTES), null if own else f"demo-{pk}", state.value,
            pick(words.COMMUNITIES) if draw() < 0.3 else null, seat.dealer_id, seat.store_id, seat.owner_id,
            whose, null if linked is None else linked, 1, at, at, int(last[0] is not null), *last, next_at, score,
        ))  # fmt: skip
        return score

    def _follow_up_contact(
        self, pk: int, moment: int, seat: Seat, name: str
    ) -> tuple[tuple[Any, Any, Any], Any, int]:
        pen, null = self.pen, self.pen.null
        said, at = pen.pick(words.FOLLOW_UP_TEXTS), pen.text(moment)
        next_at: Any = null
        if pen.now - moment < 60 * DAY:
            due = pen.next_time(moment)
            next_at = pen.text(due)
            pen.task(f"跟进{name}", "follow_up", due, seat, at=at, contact=pk)
        points = pen.track(null, pk, seat.dealer_id, _FOLLOW_UP, TrackAct.WRITTEN, said, at, seat.owner_id)
        sheet = pen.to.follow_ups
        sheet.add((
            sheet.id(), seat.dealer_id, seat.store_id, null, pk, _WRITTEN.value, said, at, next_at,
            seat.owner_id, points, at, at,
        ))  # fmt: skip
        return (at, _WRITTEN.value, in_short(_WRITTEN, said)), next_at, points


def in_short(kind: FollowUpKind, said: str) -> str:
    """The last follow-up as it stands in the list."""
    return f"{kind.label} · {said}" if said else kind.label
