"""Many new files at once: customers with their numbers, links, track and history, each by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.engine import audit, bulk
from app.engine.actions import Act
from app.engine.changes import plain
from app.engine.events import publish
from app.engine.fields import describe
from app.engine.imports.drafts import Draft
from app.engine.numbers import next_numbers
from app.engine.resource import Resource, resource_of
from models.customers.persons import points
from models.customers.tables import (
    CUSTOMER_TAGS,
    HELPERS,
    INTERESTS,
    Customer,
    CustomerHelper,
    CustomerInterest,
    CustomerPhone,
    CustomerTag,
    Stage,
)
from models.customers.track import KINDS, TrackAct, TrackEvent
from models.identity.tables import Employee

_PLAIN = (
    "name", "gender", "level", "kind", "source_category", "source", "province", "city", "district",
    "community", "address", "remark", "designer_id", "salesperson_id",
)  # fmt: skip
_GIVEN = ("code", "phone", "store_id", "department_id", "owner_id")
_COLUMNS = ("id", *_GIVEN, "created_at", *_PLAIN)
_OWN_WORDS = frozenset({"code", "phone", "name", "community", "address", "remark"})
"""Texts that are different in nearly every line."""
_MEMBERS = ((HELPERS, CustomerHelper), (INTERESTS, CustomerInterest), (CUSTOMER_TAGS, CustomerTag))
_REFERENCES: dict[str, Any] = {
    name: describe(getattr(Customer, name)).target
    for name in (
        "dealer_id",
        "store_id",
        "department_id",
        "filer_id",
        "owner_id",
        "designer_id",
        "salesperson_id",
    )
}
_TARGETS: dict[str, Any] = {source.name: describe(source).target for source, _ in _MEMBERS}


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
        self.names: dict[tuple[Any, int], str] = {}
        self.said: dict[tuple[str, Any], Sequence[Any]] = {}
        self.worth: dict[int, int] = {}
        self.departments: dict[int, int | None] = {}

    def make(self, act: Act, dealer_id: int, drafts: Sequence[Draft]) -> None:
        """File these lines of one dealer; each draft's ``target`` is the customer it made."""
        ids = bulk.take_ids(act.session, _table(Customer), len(drafts))
        codes = next_numbers(act.session, "customer", dealer_id, act.now, len(drafts))
        self._know_departments(d.values.get("owner_id") or act.actor.id for d in drafts)
        me, now = act.actor.id or None, act.now
        rows, phones = [], []
        members: dict[str, list[tuple[Any, ...]]] = {source.name: [] for source, _ in _MEMBERS}
        for record_id, code, draft in zip(ids, codes, drafts, strict=True):
            values = draft.values
            owner = values.get("owner_id") or me
            created = values.get("created_at") or now
            numbers = numbers_of(draft)
            read = values.get
            rows.append((
                record_id, code, numbers[0], draft.place.store_id, self.departments.get(owner or 0), owner, created,
                *[read(name) for name in _PLAIN],
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
        bulk.insert(act.session, _table(Customer), _COLUMNS, rows, same)
        columns = ("customer_id", "phone", "tail", "position")
        bulk.insert(act.session, _table(CustomerPhone), columns, phones, {"dealer_id": dealer_id})
        for source, model in _MEMBERS:
            copies = (copy.key for copy, _ in source.copies)
            keys = (source.left.key, source.right.key, *copies)
            bulk.insert(act.session, _table(model), keys, members[source.name])
        self._track(act, dealer_id, ids, score)
        audit.record_many(act, self.resource, self._entries(dealer_id, me, rows, drafts))
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

    # ----- the history

    def _entries(
        self, dealer_id: int, me: int | None, rows: Sequence[tuple[Any, ...]], drafts: Sequence[Draft]
    ) -> Iterator[tuple[int, str, int | None, Mapping[str, Sequence[Any]]]]:
        """What the form's own history would say: every value with, of references, its name."""
        self._know_names(dealer_id, me, rows, drafts)
        same = [("stage", Stage.FOLLOWING), ("dealer_id", dealer_id), ("filer_id", me)]
        always = {name: self._say(name, value) for name, value in same if value is not None}
        names = (*_GIVEN, "", *_PLAIN)
        said = self.said
        for row, draft in zip(rows, drafts, strict=True):
            fields = dict(always)
            for name, value in zip(names, row[1:], strict=True):
                if not value or not name:
                    continue
                if name in _OWN_WORDS:
                    fields[name] = (None, value)
                else:
                    fields[name] = said.get((name, value)) or self._say(name, value)
            self._add_members(fields, draft.values)
            yield row[0], f"{draft.values.get('name')} {row[1]}", dealer_id, fields

    def _say(self, name: str, value: Any) -> Sequence[Any]:
        """A value that was not there before, as the history says it."""
        target = _REFERENCES.get(name)
        more = () if target is None else ("", self.names.get((target, value), f"#{value}"))
        known = self.said[name, value] = (None, plain(value), *more)
        return known

    def _add_members(self, fields: dict[str, Sequence[Any]], values: Mapping[str, Any]) -> None:
        for source, _ in _MEMBERS:
            if values.get(source.name):
                members = sorted(map(str, values[source.name]))
                named = (self.names.get((_TARGETS[source.name], int(m)), f"#{m}") for m in members)
                fields[source.name] = ([], members, "", "、".join(named))
        if values.get("phones"):
            fields["phones"] = ([], sorted(values["phones"]))

    def _know_names(
        self, dealer_id: int, me: int | None, rows: Sequence[tuple[Any, ...]], drafts: Sequence[Draft]
    ) -> None:
        """Look up, once, what the references of these rows are called."""
        wanted: dict[Any, set[int]] = {
            target: set() for target in (*_REFERENCES.values(), *_TARGETS.values())
        }
        wanted[_REFERENCES["dealer_id"]].add(dealer_id)
        wanted[_REFERENCES["filer_id"]].add(me or 0)
        for name, place in _PLACES.items():
            wanted[_REFERENCES[name]].update(row[place] or 0 for row in rows)
        for name, target in _TARGETS.items():
            for draft in drafts:
                wanted[target].update(draft.values.get(name) or ())
        for target, ids in wanted.items():
            fresh = {i for i in ids if i and (target, i) not in self.names}
            if fresh:
                shown = resource_of(target)
                found = select(shown.pk(), shown.title).where(shown.pk().in_(sorted(fresh)))
                self.names |= {(target, row[0]): str(row[1]) for row in self.session.execute(found)}


_PLACES = {name: _COLUMNS.index(name) for name in _REFERENCES if name in _COLUMNS}
"""Where the references stand in a row."""


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)
