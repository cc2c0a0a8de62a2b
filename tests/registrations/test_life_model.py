"""Random lives of leads, led by several people, against a reference of a few lines (E-62…E-70, E-82)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.database import db
from models.customers.policy import Effect, SameWithin
from models.customers.tables import Customer
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from tests.registrations.showrooms import OTHER_WARDROBE, TODAY, WARDROBE, Showrooms, standing
from tests.registrations.test_deposits import policy

PEOPLE = ("boss", "seller", "westie", "worker")
EAST, WEST = 0, 1
_WORKS_AT = {"seller": EAST, "westie": WEST}
_CATEGORY = {OTHER_WARDROBE: WARDROBE}
_JUDGED = (AuditStatus.PASSED, AuditStatus.FAILED)


@dataclass
class Claim:
    """An assignment as the reference knows it."""

    store: int
    type: int
    live: bool = True
    paid: bool = False
    refunded: bool = False
    verdict: AuditStatus = AuditStatus.PENDING

    @property
    def pending(self) -> bool:
        """Whether nobody has judged it."""
        return self.verdict is AuditStatus.PENDING

    def run_by(self, who: str) -> bool:
        """Whether it is that person's to work on."""
        return who == "boss" or _WORKS_AT.get(who) == self.store


@dataclass
class Reference:
    """What must hold, said once more in the plainest way."""

    claims: list[Claim] = field(default_factory=list)
    money: int = 0

    @property
    def live(self) -> list[Claim]:
        """Those that count."""
        return [c for c in self.claims if c.live]

    def used(self, besides: Claim | None = None) -> set[int]:
        """The categories taken by live ones."""
        return {_CATEGORY.get(c.type, c.type) for c in self.live if c is not besides}

    @property
    def standing(self) -> tuple[Progress, AuditStatus]:
        """Progress and audit status of the lead."""
        progress = Progress.REGISTERED
        if self.live:
            progress = Progress.DEPOSIT if any(c.paid for c in self.live) else Progress.ASSIGNED
        found = [c.verdict for c in self.live]
        if AuditStatus.PASSED in found:
            return progress, AuditStatus.PASSED
        all_failed = bool(found) and all(v is AuditStatus.FAILED for v in found)
        return progress, AuditStatus.FAILED if all_failed else AuditStatus.PENDING

    # Each deed says whether it goes through, and if so does it.

    def assign(self, who: str, store: int, of: int) -> bool:
        if who != "boss" or _CATEGORY.get(of, of) in self.used():
            return False
        self.claims.append(Claim(store, of))
        return True

    def deposit(self, who: str, claim: Claim) -> bool:
        if not (claim.live and claim.run_by(who)) or claim.paid:
            return False
        claim.paid, claim.refunded = True, False
        self.money += 100
        return True

    def refund(self, who: str, claim: Claim) -> bool:
        if not (claim.live and claim.paid and claim.run_by(who)) or claim.refunded:
            return False
        claim.refunded, claim.paid = True, not claim.pending
        self.money -= 100
        return True

    def void(self, who: str, claim: Claim) -> bool:
        if who != "boss" or not (claim.live and claim.paid and claim.pending):
            return False
        claim.paid = False
        self.money -= 100
        return True

    def withdraw(self, who: str, claim: Claim) -> bool:
        if who != "boss" or not (claim.live and claim.pending) or claim.paid:
            return False
        claim.live = False
        return True

    def judge(self, claim: Claim, verdict: AuditStatus) -> bool:
        claim.verdict = verdict
        return True

    def correct(self, who: str, claim: Claim, of: int) -> bool:
        if not (claim.live and claim.pending and claim.run_by(who)):
            return False
        if of != claim.type and _CATEGORY.get(of, of) in self.used(besides=claim):
            return False
        claim.type = of
        return True

    def edit(self, who: str) -> bool:
        return who in ("boss", "worker") and not self.live


_who = st.sampled_from(PEOPLE)
_which = st.integers(0, 3)
_type = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.sampled_from(("boss", "boss", "worker")), st.integers(0, 1), _type),
        st.tuples(st.just("assign"), st.just("boss"), st.integers(0, 1), _type),
        st.tuples(st.just("deposit"), _who, _which),
        st.tuples(st.just("refund"), _who, _which),
        st.tuples(st.just("void"), _who, _which),
        st.tuples(st.just("withdraw"), _who, _which),
        st.tuples(st.just("judge"), _which, st.sampled_from(_JUDGED)),
        st.tuples(st.just("correct"), _who, _which, _type),
        st.tuples(st.just("edit"), _who),
    ),
    min_size=4,
    max_size=14,
)


class Life:
    """The same deeds on the product."""

    def __init__(self, showrooms: Showrooms) -> None:
        self.showrooms, self.world = showrooms, showrooms.world
        self.lead: Registration = showrooms.lead()
        self.made: list[int] = []

    def assign(self, who: str, store: int, of: int) -> None:
        place = (self.showrooms.east, self.showrooms.west)[store]
        self.made.append(self.showrooms.assign(self.lead, place, of, who).id)

    def one(self, index: int) -> Assignment:
        return db.session.get_one(Assignment, self.made[index])

    def deposit(self, who: str, index: int) -> None:
        self.showrooms.pay(self.one(index), who, "100")

    def refund(self, who: str, index: int) -> None:
        self.world.act("refund_deposit", self.one(index), who, refunded_on=TODAY)

    def void(self, who: str, index: int) -> None:
        self.world.act("void_deposit", self.one(index), who, reason="误")

    def withdraw(self, who: str, index: int) -> None:
        self.world.act("withdraw", self.one(index), who, reason="撤")

    def judge(self, index: int, verdict: AuditStatus) -> None:
        self.showrooms.judge(self.one(index), verdict)

    def correct(self, who: str, index: int, of: int) -> None:
        self.world.change(self.one(index), who, brand_category_id=self.showrooms.types[of].id)

    def edit(self, who: str) -> None:
        self.world.change(self.lead, who, room=f"{self.lead.version}栋")


def done(function: Callable[..., None], *args: Any) -> bool:
    """Whether it went through."""
    try:
        function(*args)
    except Refusal:
        db.session.rollback()
        return False
    return True


@pytest.mark.slow
@pytest.mark.spec("E-64", "E-65", "E-66", "E-67", "E-68", "E-70")
def test_every_life_is_as_the_reference_says(showrooms: Showrooms) -> None:
    policy(showrooms, Effect.INSIST, SameWithin.STORE)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def live(steps: list[tuple[Any, ...]]) -> None:
        life, known = Life(showrooms), Reference()
        for name, *args in steps:
            wanted = list(args)
            if name not in ("assign", "edit"):
                at = 0 if name == "judge" else 1
                if args[at] >= len(known.claims):
                    continue
                wanted[at] = known.claims[args[at]]
                if name == "judge" and not wanted[at].live:
                    continue
            expected = getattr(known, name)(*wanted)
            assert done(getattr(life, name), *args) is expected, (name, args)
            assert standing(life.lead) == known.standing, (name, args)
        mine = Assignment.registration_id == life.lead.id
        rows = db.session.scalars(select(Assignment).where(mine).order_by(Assignment.id)).all()
        stored = [(a.withdrawn_at is None, a.progress == Progress.DEPOSIT, a.verdict) for a in rows]
        assert stored == [(c.live, c.paid, c.verdict) for c in known.claims]
        keys = [a.used_type for a in rows if a.withdrawn_at is None]
        assert len(set(keys)) == len(keys) == len(known.live)
        phone = Customer.phone == life.lead.phone
        net = sum(db.session.scalars(select(Customer.net_received).where(phone)), Decimal(0))
        assert net == known.money

    live()
