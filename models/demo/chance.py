"""Seeded chance: names, numbers and moments that are the same for the same number of customers."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

from app.engine.localtime import local, to_utc
from models.demo import words

T = TypeVar("T")
SEED = 20_240_501
DAYS = 730
DAY = 86_400
_OPEN = 3_600  # 09:00 in China, in seconds of a UTC day
_WORKED = 12 * 3_600


class Calendar:
    """Moments as seconds since the start of the demo's first day, written as both databases store them."""

    def __init__(self, now: datetime) -> None:
        self.first = (now - timedelta(days=DAYS)).date()
        self.start = datetime(self.first.year, self.first.month, self.first.day)
        self.now = int((now - self.start).total_seconds())
        self.dates = [self.first + timedelta(days=n) for n in range(DAYS * 2)]
        self._days = [f"{d.isoformat()} " for d in self.dates]
        self._clock = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.000000" for s in range(DAY)]

    def text(self, second: int) -> str:
        """The moment as stored."""
        return self._days[second // DAY] + self._clock[second % DAY]

    def day(self, second: int) -> date:
        """The day of the moment."""
        return self.dates[second // DAY]

    def today(self, hour: int) -> int:
        """That full hour of today in China."""
        here = local(self.start + timedelta(seconds=self.now))
        there = to_utc(datetime(here.year, here.month, here.day, hour))
        return int((there - self.start).total_seconds())


class Chance:
    """One stream of chance for everything, so that the order of drawing decides and nothing else."""

    def __init__(self, customers: int) -> None:
        self.random = Random(SEED + customers)
        self.draw = self.random.random
        # 138 0000 xxxx for few customers, 138 0xxx xxxx for many: nobody's numbers, and all different.
        self.digits = 10_000 if customers <= 4_000 else 10_000_000
        self._staff = 0
        self._names = self._many_names(20_000)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.draw() * len(options))]

    def phone(self, n: int, *, second: bool = False) -> str:
        """The n-th customer's number."""
        start = 13_900_000_000 if second else 13_800_000_000
        return str(start + n * 7_919 % self.digits)

    def staff_phone(self) -> str:
        """The next employee's number."""
        self._staff += 1
        return str(13_700_000_000 + self._staff * 37)

    def full_name(self) -> str:
        """A whole name, as an employee has it."""
        name, _ = self.name()
        return name if name[-1] not in "生士" else self.full_name()

    def name(self) -> tuple[str, str]:
        """A name as a customer gives it, with ``male`` or ``female``."""
        return self._names[int(self.draw() * len(self._names))]

    def _many_names(self, amount: int) -> list[tuple[str, str]]:
        found = []
        # Surnames stand in the order of their frequency; the first ones carry most people.
        weights = list(accumulate(1 / (n + 4) for n in range(len(words.SURNAMES))))
        for _ in range(amount):
            surname = words.SURNAMES[bisect(weights, self.draw() * weights[-1])]
            male = self.draw() < 0.5
            letters = words.GIVEN_MALE if male else words.GIVEN_FEMALE
            shape = self.draw()
            if shape < 0.06:
                given = "先生" if male else "女士"
            elif shape < 0.4:
                given = self.pick(letters)
            else:
                given = self.pick(letters) + self.pick(letters)
            found.append((surname + given, "male" if male else "female"))
        return found

    def working_time(self, day: int) -> int:
        """A moment of that day between nine and nine in China."""
        return day * DAY + _OPEN + int(self.draw() * _WORKED)

    def arrivals(self, amount: int, now: int) -> list[int]:
        """When customers were filed, in order: two years with more of them toward the end."""
        draw = self.draw
        latest = now - 60
        found = []
        for _ in range(amount):
            moment = self.working_time(int((DAYS + 1) * draw() ** 0.6))
            found.append(moment if moment < latest else latest - int(draw() * 7_200))
        return sorted(found)

    def handfuls(self, options: Sequence[T], sizes: Sequence[int], amount: int = 400) -> list[tuple[T, ...]]:
        """Many small sets of options, to pick from."""
        return [tuple(self.random.sample(options, self.pick(sizes))) for _ in range(amount)]


def weighted(pairs: Sequence[tuple[T, int]]) -> list[T]:
    """Each option as often as its weight, for `Chance.pick`."""
    return [option for option, weight in pairs for _ in range(weight)]
