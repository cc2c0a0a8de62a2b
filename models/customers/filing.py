"""Files of customers on their way in, a thousand lines at once: the same policy and the same deed as the form
(A-01…A-10, D-19…D-25)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from app.engine import bulk, deeds, perform
from app.engine.actions import Act, NotFound, Refusal
from app.engine.fields import FieldSpec, describe
from app.engine.imports.drafts import Draft
from app.engine.imports.filing import Filing
from app.engine.imports.singles import Singles
from app.engine.imports.tables import Verdict
from app.engine.scopes import Scope, scopes_of
from models.customers import duplicates, queries
from models.customers.absorbing import absorb
from models.customers.making import Maker, numbers_of
from models.customers.policy import Effect, Entrance, SameWithin
from models.customers.tables import Contact, Customer, CustomerPhone, Stage
from models.customers.tags import tag_contact, tag_customer
from models.customers.track import TrackAct, TrackEvent

ON_FILE = "手机号码 {phone} 已建档"

_Met = dict[str, list[tuple[int, int, Stage]]]
"""Customers by a number of theirs: id, store and stage, newest first."""


class CustomerFiling(Filing):
    """Judges by the duplicate policy of the import entrance; files by sets."""

    own_traces = (TrackEvent.customer_id,)

    @classmethod
    def trace(cls, source: Any) -> ColumnElement[bool]:
        """A file that was only made has nothing but that on its track."""
        return TrackEvent.act == TrackAct.FILED

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: dict[str, int] = {}
        self.policies: dict[int, duplicates.Policy] = {}
        self.maker = Maker(self.session, self.resource)
        self.singles = Singles(self.session, self.resource)
        self.sees_own = bool(scopes_of(self.resource, self.actor) & {Scope.MINE, Scope.DEALER, Scope.GROUP})
        self.per_owner: Counter[int] = Counter()

    # ----- judging

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Existing ones by the chosen key; of the new ones, whose number is on file or in a line above."""
        for draft in drafts:
            if draft.good and draft.place.store_id is None:
                self.wrong(draft, self._store, f"{self._store.label}：请选择门店")
            created = draft.values.get("created_at")
            if draft.good and created is not None and created > self.now:
                self.wrong(draft, describe(Customer.created_at), "创建时间：不能晚于现在")
        super().judge(drafts)
        fresh = [d for d in drafts if d.good and d.target is None]
        for draft in fresh:
            phones = numbers_of(draft)
            draft.values["phones"] = phones[1:]
            above = next((self.seen[p] for p in phones if p in self.seen), 0)
            if above:
                number = next(p for p in phones if p in self.seen)
                draft.refuse(Verdict.DUPLICATE, f"手机号码 {number} 与本文件第 {above} 行重复")
            else:
                self.seen |= dict.fromkeys(phones, draft.number)
        self._by_policy(fresh)
        self.singles.judge(fresh)
        for draft in fresh:
            if draft.verdict is Verdict.NEW:
                owner = draft.values.get("owner_id")
                if owner and owner != self.actor.id:
                    self.per_owner[owner] += 1

    def one(self, act: Act, draft: Draft) -> None:
        """Line by line: a known customer, or somebody without a number, who becomes a contact (A-08)."""
        tags = draft.values.pop("tags", None) or []
        draft.values.pop("created_at", None)
        if draft.target is not None or not tags:
            super().one(act, draft)
        if not tags or draft.verdict in (Verdict.WRONG, Verdict.DUPLICATE):
            return
        try:
            with act.session.begin_nested():
                self._tag(act, draft, tags)
        except Refusal as refusal:
            draft.errors = {"tags": f"标签：{refusal.message}"}
            draft.refuse(Verdict.WRONG, draft.errors["tags"])

    def _tag(self, act: Act, draft: Draft, tags: Sequence[int]) -> None:
        chosen = {"tags": list(tags)}
        if draft.target is not None:
            perform.perform(tag_customer, [draft.target], self.actor, chosen, source=act.source, now=act.now)
            if draft.verdict is Verdict.UNCHANGED:
                draft.verdict = Verdict.UPDATED
            return
        made, _ = perform.create(self.resource, draft.values, self.actor, source=act.source, now=act.now)
        action = tag_contact if isinstance(made, Contact) else tag_customer
        try:
            perform.perform(action, [made.id], self.actor, chosen, source=act.source, now=act.now)
        except NotFound as unseen:
            raise Refusal("无权限查看该门店的客户，不能打标签") from unseen

    @property
    def _store(self) -> FieldSpec:
        return describe(Customer.store_id)

    def _by_policy(self, drafts: Sequence[Draft]) -> None:
        """What the policy says of numbers that are on file."""
        fresh = [d for d in drafts if d.good and d.target is None]
        for dealer_id in {d.place.dealer_id for d in fresh}:
            assert dealer_id is not None
            own = [d for d in fresh if d.place.dealer_id == dealer_id]
            met = self._met(dealer_id, [p for d in own for p in numbers_of(d)])
            for draft in own if met else ():
                self._apply_policy(draft, met, self._policy(dealer_id))

    def _apply_policy(self, draft: Draft, met: _Met, rule: duplicates.Policy) -> None:
        for phone in numbers_of(draft):
            found = met.get(phone, ())
            if rule.within == SameWithin.STORE:
                found = [m for m in found if m[1] == draft.place.store_id]
            if not found:
                continue
            if rule.effect == Effect.ABSORB:
                draft.verdict, draft.target = Verdict.ABSORBED, found[0][0]
                draft.reason = f"{ON_FILE.format(phone=phone)}，已登记并安排当日回访"
            elif rule.effect == Effect.REFUSE or not (rule.effect == Effect.WARN or self.options.insists):
                draft.refuse(Verdict.DUPLICATE, self._told(draft, phone))
            return

    def _told(self, draft: Draft, phone: str) -> str:
        place = draft.place
        told = duplicates.told(
            self.session, self.actor, [phone], place.dealer_id, place.store_id, Entrance.IMPORT.value
        )
        return told or ON_FILE.format(phone=phone)

    def _policy(self, dealer_id: int) -> duplicates.Policy:
        if dealer_id not in self.policies:
            self.policies[dealer_id] = duplicates.policy(self.session, Entrance.IMPORT, dealer_id)
        return self.policies[dealer_id]

    def _met(self, dealer_id: int, phones: Sequence[str]) -> _Met:
        if not phones:
            return {}
        statement = (
            select(CustomerPhone.phone, Customer.id, Customer.store_id, Customer.stage)
            .join(Customer, Customer.id == CustomerPhone.customer_id)
            .where(
                bulk.among(self.session, CustomerPhone.phone, phones), CustomerPhone.dealer_id == dealer_id
            )
            .order_by(Customer.id.desc())
        )
        found: _Met = {}
        for phone, record_id, store_id, stage in self.session.execute(statement):
            found.setdefault(phone, []).append((record_id, store_id, stage))
        return found

    # ----- filing

    def file(self, act: Act, drafts: Sequence[Draft]) -> None:
        """New ones by sets under the lock of all numbers, known ones as the form changes them."""
        for dealer_id in sorted({d.place.dealer_id or 0 for d in drafts if d.good}):
            queries.lock_all_phones(act.session, dealer_id)
        self._by_policy(drafts)
        self._absorb(act, [d for d in drafts if d.verdict is Verdict.ABSORBED])
        self.singles.claim(drafts)
        by_line = self.waits(act)
        fresh = [d for d in drafts if d.verdict is Verdict.NEW and not by_line and self._by_set(d)]
        by_set = {id(d) for d in fresh}
        for draft in drafts:
            if draft.verdict in (Verdict.NEW, Verdict.UPDATED) and id(draft) not in by_set:
                self.one(act, draft)
        for dealer_id in sorted({d.place.dealer_id or 0 for d in fresh}):
            self.maker.make(act, dealer_id, [d for d in fresh if d.place.dealer_id == dealer_id])

    def _by_set(self, draft: Draft) -> bool:
        """Whether the line makes a customer, and one that this person sees afterwards if it is to be tagged."""
        if draft.values.get("tags") and not self.sees_own:
            return False
        return bool(numbers_of(draft))

    def _absorb(self, act: Act, drafts: Sequence[Draft]) -> None:
        ids = [d.target for d in drafts if d.target is not None]
        if not ids:
            return
        known = {c.id: c for c in deeds.lock(act.session, self.resource, ids)}
        met = [
            (known[d.target], numbers_of(d)[0], d.values.get("name"))
            for d in drafts
            if d.target is not None and d.target in known
        ]
        absorb(act, met, Entrance.IMPORT)

    def effects(self, counts: Mapping[Verdict, int]) -> list[str]:
        """What arises beside the files themselves (the user's day, step 1)."""
        found = []
        if counts.get(Verdict.ABSORBED):
            found.append(f"{counts[Verdict.ABSORBED]} 条重复登记，并为已有客户安排当日回访")
        if self.per_owner:
            found.append(f"{len(self.per_owner)} 位导购将收到新客户的提醒")
        return found
