"""What the history keeps of many new files: the same words as for one, written as JSON piece by piece.

Most pieces are the same in thousands of files; they are written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import bulk
from app.engine.changes import plain
from app.engine.fields import describe
from app.engine.imports.drafts import Draft
from app.engine.resource import resource_of
from models.customers.tables import CUSTOMER_TAGS, HELPERS, INTERESTS, PHONES, Customer, Stage

PLAIN = (
    "name", "gender", "level", "kind", "source_category", "source", "province", "city", "district",
    "community", "address", "remark", "designer_id", "salesperson_id",
)  # fmt: skip
COLUMNS = ("id", "code", "phone", "store_id", "department_id", "owner_id", *PLAIN)
"""What differs from one new customer to the next; `FiledHistory` reads rows in this order."""
_OWN_WORDS = frozenset({"code", "phone", "name", "community", "address", "remark"})
"""Texts that are different in nearly every line."""
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
_TARGETS: dict[str, Any] = {s.name: describe(s).target for s in (HELPERS, INTERESTS, CUSTOMER_TAGS)}
_PLACES = {name: COLUMNS.index(name) for name in _REFERENCES if name in COLUMNS}
"""Where the references stand in a row."""

_NAME = COLUMNS.index("name")
_SETS = {*_TARGETS, PHONES.name}

Entry = tuple[int, str, int | None, bulk.Json]


class FiledHistory:
    """Writes the entries of one file; names looked up once are kept."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.names: dict[tuple[Any, int], str] = {}
        self.said: list[tuple[str, bool, dict[Any, str]]] = [
            (name, name in _OWN_WORDS, {}) for name in COLUMNS[1:]
        ]

    def entries(
        self, dealer_id: int, me: int | None, rows: Sequence[tuple[Any, ...]], drafts: Sequence[Draft]
    ) -> Iterator[Entry]:
        """One entry per row: every value with, of references, its name, as of something that was not there."""
        self._know_names(dealer_id, me, rows, drafts)
        same = (("stage", Stage.FOLLOWING), ("dealer_id", dealer_id), ("filer_id", me))
        always = [self._say(name, value) for name, value in same if value is not None]
        for row, draft in zip(rows, drafts, strict=True):
            parts = always.copy()
            for (name, own, known), value in zip(self.said, row[1:], strict=False):
                if not value:
                    continue
                if own:
                    parts.append(f'"{name}":[null,{quoted(value)}]')
                else:
                    parts.append(known.get(value) or self._keep(known, name, value))
            if draft.values.keys() & _SETS:
                parts += self._members(draft.values)
            yield row[0], f"{row[_NAME]} {row[1]}", dealer_id, bulk.Json(f"{{{','.join(parts)}}}")

    def _keep(self, known: dict[Any, str], name: str, value: Any) -> str:
        found = known[value] = self._say(name, value)
        return found

    def _say(self, name: str, value: Any) -> str:
        """A value that was not there before, as the history says it."""
        target = _REFERENCES.get(name)
        kept = plain(value)
        written = quoted(kept) if isinstance(kept, str) else str(kept)
        more = "" if target is None else f',"",{quoted(self._name(target, value))}'
        return f'"{name}":[null,{written}{more}]'

    def _name(self, target: Any, record_id: int) -> str:
        return self.names.get((target, record_id), f"#{record_id}")

    def _members(self, values: Mapping[str, Any]) -> Iterator[str]:
        """The sets of the file: links with their names, further numbers."""
        for name, target in _TARGETS.items():
            if values.get(name):
                members = sorted(values[name], key=str)
                ids = ",".join(f'"{member}"' for member in members)
                named = "、".join(self._name(target, member) for member in members)
                yield f'"{name}":[[],[{ids}],"",{quoted(named)}]'
        if values.get(PHONES.name):
            yield f'"{PHONES.name}":[[],[{",".join(map(quoted, sorted(values[PHONES.name])))}]]'

    def _know_names(
        self, dealer_id: int, me: int | None, rows: Sequence[tuple[Any, ...]], drafts: Sequence[Draft]
    ) -> None:
        """Look up, once, what the references of these rows are called."""
        wanted: dict[Any, set[int]] = {t: set() for t in (*_REFERENCES.values(), *_TARGETS.values())}
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
