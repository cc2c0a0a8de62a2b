"""Jobs of a demo customer with their money, factory orders, measuring and contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.customers.tables import Stage
from models.customers.track import KINDS, TrackAct
from models.demo import words
from models.demo.rows import Pen, Seat, Supply

SERVICE = KINDS[TrackAct.FILED].value


@dataclass(frozen=True)
class Client:
    """The customer as his or her jobs repeat it."""

    id: int
    created: int
    stage: Stage
    phone: str
    owner: Any
    designer: Any
    seat: Seat
    lost_reason: Any


@dataclass
class Outcome:
    """What the jobs leave on the customer: yuan received, whether transmitted, points, the last moment."""

    net: int = 0
    transmitted: int = 0
    score: int = 0
    ended: int = 0


class Deals:
    """Writes the jobs of customers."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen

    def write(self, client: Client, supply: Supply) -> Outcome:
        """All jobs of a customer in accordance with the stage."""
        pen = self.pen
        outcome = Outcome(ended=client.created)
        first = int(pen.draw() * len(supply.categories))
        two = client.stage in (Stage.ORDERED, Stage.SERVED) and pen.draw() < 0.15
        for i in range(2 if two else 1):
            category, label = supply.categories[(first + i * 3) % len(supply.categories)]
            self._job(client, category, label, pen.later(client.created, 4 + i * 6, 0.15), outcome)
        return outcome

    def _job(self, client: Client, category: int, label: str, opened: int, outcome: Outcome) -> None:
        pen, null, seat = self.pen, self.pen.null, client.seat
        sheet = pen.to.service_orders
        pk, at = sheet.id(), pen.text(opened)
        code = pen.number("service_order", seat.dealer_id, opened)
        said = f"{label} {code}"
        outcome.score += pen.track(
            client.id, null, seat.dealer_id, SERVICE, TrackAct.SERVICE_ORDER, said, at, seat.owner_id
        )
        measured = pen.later(opened, 5, 0.3)
        lost = client.stage == Stage.LOST
        sold = client.stage in (Stage.ORDERED, Stage.SERVED)
        lost_at = pen.later(opened, 30, 0.8) if lost else None
        state = "lost" if lost else "done" if client.stage == Stage.SERVED else "open"
        if sold or pen.draw() < 0.5:
            self._duty(client, pk, "measure", "量尺", TrackAct.MEASURE, at, measured, outcome)
        if sold:
            signed = pen.later(measured, 8, 0.4)
            self._duty(client, pk, "contract", "签订合同", TrackAct.CONTRACT, at, signed, outcome)
            self._sale(client, pk, category, signed, outcome)
        elif not lost and pen.draw() < 0.35:
            self._money(client, pk, 1, measured, 1_000 + 500 * int(pen.draw() * 9), outcome)
        elif lost_at is not None and pen.draw() < 0.1:
            self._money(client, pk, 1, measured, 2_000, outcome)
            self._money(client, pk, -1, lost_at, 2_000, outcome)
        changed = null if lost_at is None else pen.text(lost_at)
        sheet.add((
            pk, code, client.id, client.phone, category, state, client.lost_reason if lost else null, changed,
            seat.owner_id, client.owner, client.designer, seat.dealer_id, seat.store_id, 1, at,
            changed if lost else at,
        ))  # fmt: skip

    def _duty(
        self,
        client: Client,
        order: int,
        kind: str,
        words_of: str,
        act: TrackAct,
        at: str,
        done: int,
        outcome: Outcome,
    ) -> None:
        pen, seat = self.pen, client.seat
        pen.task(words_of, kind, done, seat, at=at, finished=done, customer=client.id, order=order)
        outcome.score += pen.track(
            client.id, pen.null, seat.dealer_id, SERVICE, act, words_of, pen.text(done), seat.owner_id
        )

    def _sale(self, client: Client, order: int, category: int, signed: int, outcome: Outcome) -> None:
        """Contract money, the order at the factory, its way, and what was left to pay."""
        pen, null, seat = self.pen, self.pen.null, client.seat
        total = 12_000 + 500 * int(pen.draw() * 120)
        served = client.stage == Stage.SERVED
        self._money(client, order, 1, signed, total * 3 // 10 // 100 * 100, outcome)
        sent = pen.later(signed, 10, 0.5)
        pk = pen.to.factory_orders.id()
        number = pen.number("factory_order", seat.dealer_id, sent)
        at, created = pen.text(sent), pen.text(signed)
        price = f"{total * (0.52 + 0.1 * pen.draw()):.2f}"
        pen.to.factory_orders.add((
            pk, number, f"DD{pk:08d}", f"HT{order:08d}", order, client.id, client.phone, category, "placed", at, price,
            seat.owner_id, seat.dealer_id, seat.store_id, 1, created, at,
        ))  # fmt: skip
        outcome.transmitted = 1
        outcome.score += pen.track(
            client.id, null, seat.dealer_id, SERVICE, TrackAct.TRANSMIT, number, at, seat.owner_id
        )
        moment, steps = sent, pen.to.steps
        steps.add((steps.id(), pk, "progress", "已传单", at, at, at))
        reached = len(words.STEPS) if served else int(pen.draw() * len(words.STEPS))
        for n, name in enumerate(words.STEPS[:reached]):
            moment = pen.later(moment, 6, 0.3)
            when = pen.text(moment)
            steps.add((steps.id(), pk, "logistics" if n == 2 else "progress", name, when, when, when))
        if served or reached > 1:
            self._money(client, order, 1, moment, total * (7 if served else 4) // 10 // 100 * 100, outcome)
        if served and pen.draw() < 0.05:
            self._money(client, order, -1, moment, 300, outcome)
        outcome.ended = max(outcome.ended, moment)

    def _money(
        self, client: Client, order: int, sign: int, moment: int, amount: int, outcome: Outcome
    ) -> None:
        pen, seat = self.pen, client.seat
        sheet = pen.to.receipts
        at, paid = pen.text(moment), sign > 0
        act = TrackAct.RECEIPT if paid else TrackAct.REFUND
        pk = sheet.id()
        sheet.add((
            pk, pen.number("receipt", seat.dealer_id, moment), "receipt" if paid else "refund", amount,
            pen.calendar.day(moment).isoformat(), pen.pick(pen.values.subjects), pen.pick(pen.values.methods),
            f"SJ{pk:08d}", "valid", client.id, order, seat.owner_id, seat.dealer_id, seat.store_id, 1, at, at,
        ))  # fmt: skip
        said = f"{'收款' if paid else '退款'}¥{amount:,.2f}"
        outcome.net += sign * amount
        outcome.score += pen.track(client.id, pen.null, seat.dealer_id, SERVICE, act, said, at, seat.owner_id)
