"""Many new files at once: customers with their numbers, links, track and history, each by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.engine import audit, bulk
from app.engine.actions import Act
from app.engine.events import publish
from app.engine.faces import faced, worked_out
from app.engine.imports.drafts import Draft
from app.engine.imports.history import NewHistory
from app.engine.keys import take
from app.engine.numbers import next_numbers
from app.engine.resource import Resource
from models.customers.persons import points
from models.customers.tables import (
    CUSTOMER_TAGS,
    HELPERS,
    INTERESTS,
    PHONES,
    Customer,
    CustomerHelper,
    CustomerInterest,
    CustomerPhone,
    CustomerTag,
    Stage,
)
from models.customers.track import KINDS, TrackAct, TrackEvent
from models.identity.tables import Employee

PLAIN = (
    "name", "gender", "level", "kind", "source_category", "source", "province", "city", "district",
    "community", "address", "remark", "designer_id", "salesperson_id",
)  # fmt: skip
COLUMNS = ("id", "code", "phone", "store_id", "department_id", "owner_id", *PLAIN)
"""What differs from one new customer to the next."""
_OWN_WORDS = frozenset({"code", "phone", "name", "community", "address", "remark"})
_SAME = ("stage", "dealer_id", "filer_id")
_MEMBERS = ((HELPERS, CustomerHelper), (INTERESTS, CustomerInterest), (CUSTOMER_TAGS, CustomerTag))


def numbers_of(draft: Draft) -> list[str]:
    """All numbers of the line, the main one first, each once."""
    first, more = draft.values.get("phone"), draft.values.get("phones")
    if not more:
        return [first] if first else []
    return list(dict.fromkeys(p for p in (first, *more) if p))


class Maker:
    """Makes customers of judged lines; what it has looked up once it keeps for the whole file."""

    def __init__(self, session: Session, resource: type[Resource]) -> None:
        self.session, self.resource = session, resource
        sets = (HELPERS, INTERESTS, CUSTOMER_TAGS, PHONES)
        self.added = resource.added
        self.columns = (*COLUMNS, *(spec.name for spec in self.added))
        self.history = NewHistory(session, resource, self.columns[1:], _OWN_WORDS, _SAME, sets)
        self.worth: dict[int, int] = {}
        self.departments: dict[int, int | None] = {}

    def make(self, act: Act, dealer_id: int, drafts: Sequence[Draft]) -> None:
        """File these lines of one dealer; each draft's ``target`` is the customer it made."""
        ids = take(act.session, Customer, len(drafts))
        codes = next_numbers(act.session, "customer", dealer_id, act.now, len(drafts))
        self._know_departments(d.values.get("owner_id") or act.actor.id for d in drafts)
        me, now = act.actor.id or None, act.now
        face = faced(self.resource, dealer_id, self.session)
        own = [spec.name if spec.dealer in (None, dealer_id) else "" for spec in self.added]
        rows, phones, times = [], [], []
        members: dict[str, list[tuple[Any, ...]]] = {source.name: [] for source, _ in _MEMBERS}
        for record_id, code, draft in zip(ids, codes, drafts, strict=True):
            values = draft.values
            owner = values.get("owner_id") or me
            created = values.get("created_at") or now
            times.append(created)
            numbers = numbers_of(draft)
            read = values.get
            values |= worked_out(face, values.get)
            rows.append((
                record_id, code, numbers[0], draft.place.store_id, self.departments.get(owner or 0), owner,
                *[read(name) for name in PLAIN], *[_single(read(name)) for name in own],
            ))  # fmt: skip
            for n, number in enumerate(numbers):
                phones.append((record_id, number, number[-4:], n))
            for source, _ in _MEMBERS:
                for member in read(source.name) or ():
                    members[source.name].append((record_id, member, *((created,) if source.copies else ())))
            draft.target = record_id
        score = self._worth(dealer_id)
        same = {
            "dealer_id": dealer_id, "filer_id": me, "stage": Stage.FOLLOWING, "activity_score": score, "updated_at": now,
        }  # fmt: skip
        told = self.history.entries(dealer_id, same, rows, drafts)
        dated: bulk.Rows = ((*row, time) for row, time in zip(rows, times, strict=True))
        told = bulk.insert(act.session, _table(Customer), (*self.columns, "created_at"), dated, same, told)
        columns = ("customer_id", "phone", "tail", "position")
        bulk.insert(act.session, _table(CustomerPhone), columns, phones, {"dealer_id": dealer_id})
        for source, model in _MEMBERS:
            copies = (copy.key for copy, _ in source.copies)
            keys = (source.left.key, source.right.key, *copies)
            bulk.insert(act.session, _table(model), keys, members[source.name])
        self._track(act, dealer_id, ids, score)
        audit.record_many(act, self.resource, told)
        filed = [
            (row[0], row[1], draft.values["name"], row[5]) for row, draft in zip(rows, drafts, strict=True)
        ]
        publish(act, "customers.filed", filed, dealer_id=dealer_id)

    def _track(self, act: Act, dealer_id: int, ids: Iterable[int], score: int) -> None:
        same = {
            "dealer_id": dealer_id, "kind": KINDS[TrackAct.FILED], "act": TrackAct.FILED,
            "title": TrackAct.FILED.label, "score": score, "at": act.now, "by_id": act.actor.id or None,
        }  # fmt: skip
        bulk.insert(act.session, _table(TrackEvent), ("customer_id",), [(i,) for i in ids], same)

    def _worth(self, dealer_id: int) -> int:
        if dealer_id not in self.worth:
            self.worth[dealer_id] = points(self.session, dealer_id, TrackAct.FILED)
        return self.worth[dealer_id]

    def _know_departments(self, owners: Iterable[int | None]) -> None:
        fresh = {owner for owner in owners if owner} - self.departments.keys()
        if fresh:
            found = select(Employee.id, Employee.department_id).where(Employee.id.in_(fresh))
            self.departments |= {row[0]: row[1] for row in self.session.execute(found)}


def _single(value: Any) -> Any:
    """Several chosen values as one that can be looked up."""
    return tuple(value) if isinstance(value, list) else value


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)
