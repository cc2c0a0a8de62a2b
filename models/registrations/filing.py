"""Files of leads on their way in, thousands of lines at once: the quota, the mark of duplicates and the history as
of leads that are typed in (E-39…E-45)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table

from app.engine import audit, bulk
from app.engine.actions import Act, Refusal
from app.engine.fields import describe
from app.engine.imports.drafts import Draft
from app.engine.imports.filing import Filing
from app.engine.imports.history import NewHistory
from app.engine.imports.tables import Verdict
from app.engine.keys import take
from app.engine.localtime import local
from app.engine.numbers import next_numbers
from models.registrations import duplicates, quota
from models.registrations.addresses import joined
from models.registrations.settings import FOLLOW_UP_DAYS
from models.registrations.tables import Registration
from models.settings.queries import parameter

NO_OUTLET = "您还没有任职门店，不能报备"
_PLAIN = (
    "name", "city", "district", "community", "room", "phone", "telephone", "source", "brand_category_id",
    "member_card", "estimated_amount", "company", "designer", "designer_phone", "referrer_name",
    "referrer_phone", "referrer_card", "staff_referrer_id", "budget",
)  # fmt: skip
_COLUMNS = ("id", "code", "duplicate", "address", "address_key", *_PLAIN)
"""What differs from one new lead to the next."""
_OWN_WORDS = frozenset({
    "code", "address", "address_key", "name", "community", "room", "phone", "telephone", "member_card",
    "referrer_name", "referrer_phone", "budget",
})  # fmt: skip
_SAME = (
    "progress", "audit_status", "tracking_state", "next_tracking_on", "outlet_id", "registrant_id",
    "registered_at", "dealer_id",
)  # fmt: skip


class RegistrationFiling(Filing):
    """Judges lines as the form does; files them by sets, as leads of whoever brings the file."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.history = NewHistory(self.session, self.resource, _COLUMNS[1:], _OWN_WORDS, _SAME)
        self.met = self.shielded = 0

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Say of which line a reason is, and how many of the good ones are claimed already."""
        super().judge(drafts)
        phone = describe(Registration.phone)
        for draft in drafts:
            if draft.errors.get(phone.name, "").endswith(phone.wrong):
                draft.errors[phone.name] = phone.wrong
            if draft.verdict is Verdict.WRONG:
                draft.reason = f"第{draft.number}行：{'；'.join(draft.errors.values())}"
        fresh = [_identity(d) for d in drafts if d.good]
        if fresh and self.actor.dealer_id is not None:
            met = duplicates.meet(self.session, self.actor.dealer_id, fresh, self.actor.id, self.now)
            self.met += sum(met.claimed)
            self.shielded += met.shielded

    def effects(self, counts: Mapping[Verdict, int]) -> list[str]:
        """Which of the lines are marked, and nothing of the claims they meet (E-29)."""
        found = []
        if self.met:
            found.append(f"{self.met:,} 条可能已被报备，将标记为重报")
        if self.shielded:
            found.append(f"{self.shielded:,} 条的客户在他人的保护期内")
        return found

    def admit(self, lines: int, act: Act | None = None) -> None:
        """The whole file, or nothing of it, fits into the person's day (E-45)."""
        actor = self.actor
        if actor.store_id is None or actor.dealer_id is None:
            raise Refusal(NO_OUTLET)
        if act is not None:
            quota.take(act, actor.id, actor.dealer_id, lines, whole=True)
            return
        rest = quota.left(self.session, actor.id, actor.dealer_id, self.now)
        if rest is not None and lines > rest:
            raise Refusal(quota.LEFT.format(rest))

    def file(self, act: Act, drafts: Sequence[Draft]) -> None:
        """File the good lines, each with its own number, in the order of the file."""
        fresh = [draft for draft in drafts if draft.good]
        dealer_id = self.actor.dealer_id
        if not fresh or dealer_id is None:
            return
        if self.waits(act):
            super().file(act, fresh)
            return
        found = [_identity(draft) for draft in fresh]
        claimed = duplicates.check_many(act, dealer_id, found, self.actor.id)
        ids = take(act.session, Registration, len(fresh))
        codes = next_numbers(act.session, "registration", dealer_id, act.now, len(fresh))
        rows = []
        for record_id, code, duplicate, one, draft in zip(ids, codes, claimed, found, fresh, strict=True):
            read = draft.values.get
            address = joined(read("city"), read("district"), read("community"), read("room"))
            rows.append((record_id, code, duplicate, address, one.home, *map(read, _PLAIN)))
            draft.target = record_id
        days = parameter(act.session, FOLLOW_UP_DAYS, dealer_id)
        same = {
            "tracking_state": describe(Registration.tracking_state).default,
            "next_tracking_on": local(act.now).date() + timedelta(days=days),
            "progress": describe(Registration.progress).default,
            "audit_status": describe(Registration.audit_status).default,
            "outlet_id": self.actor.store_id, "registrant_id": self.actor.id, "dealer_id": dealer_id,
            "registered_at": act.now, "created_at": act.now, "updated_at": act.now,
        }  # fmt: skip
        told = self.history.entries(dealer_id, same, rows, fresh)
        told = bulk.insert(act.session, cast(Table, Registration.__table__), _COLUMNS, rows, same, told)
        audit.record_many(act, self.resource, told)


def _identity(draft: Draft) -> duplicates.Identity:
    read = draft.values.get
    return duplicates.Identity.of(read("phone"), read("city"), read("community"), read("room"))
