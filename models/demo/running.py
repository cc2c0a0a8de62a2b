"""Running numbers of demo records, without a statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import numbers
from app.engine.numbers import NumberCounter
from models.demo.chance import DAY, Calendar


class Numbers:
    """Running numbers without a statement each; the counters are brought up to date at the end."""

    def __init__(self, session: Session, calendar: Calendar, dealers: Iterable[int]) -> None:
        self.session = session
        self.last: dict[tuple[str, int, str], int] = defaultdict(int)
        self.rows: dict[tuple[str, int, str], NumberCounter] = {}
        for row in session.scalars(select(NumberCounter)):
            key = (row.scheme, row.dealer_id, row.period)
            self.rows[key], self.last[key] = row, row.value
        self.schemes: dict[tuple[str, int], tuple[numbers.Scheme, list[str]]] = {}
        for dealer_id in dealers:
            for name in numbers.SCHEMES:
                rule = numbers.scheme_of(session, name, dealer_id)
                self.schemes[name, dealer_id] = rule, [d.strftime(rule.period) for d in calendar.dates]

    def __call__(self, scheme: str, dealer_id: int, second: int) -> str:
        rule, periods = self.schemes[scheme, dealer_id]
        period = periods[second // DAY]
        key = (scheme, dealer_id, period)
        self.last[key] += 1
        return rule.write(period, self.last[key])

    def save(self) -> None:
        """Store the last numbers given out."""
        for (scheme, dealer_id, period), value in self.last.items():
            row = self.rows.get((scheme, dealer_id, period))
            if row is None:
                row = NumberCounter(scheme=scheme, dealer_id=dealer_id, period=period)
                self.session.add(row)
            row.value = value
        self.session.flush()
