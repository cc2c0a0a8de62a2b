"""What the history keeps of many new records: the same words as for one, written as JSON piece by piece.

Most pieces are the same in thousands of records; they are written once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import bulk
from app.engine.changes import plain
from app.engine.fields import describe
from app.engine.imports.drafts import Draft
from app.engine.resource import Resource, resource_of

Entry = tuple[int, str, int | None, bulk.Json]


class NewHistory:
    """Writes the entries of one file; names looked up once are kept.

    Rows hold their id and then ``columns``; ``own`` are texts that are different in nearly every line, ``same``
    columns that hold one value in all rows of a dealer, ``sets`` the links and value sets of the lines.
    """

    def __init__(
        self,
        session: Session,
        resource: type[Resource],
        columns: Sequence[str],
        own: frozenset[str],
        same: Sequence[str],
        sets: Sequence[Any] = (),
    ) -> None:
        self.session, self.same = session, same
        self.names: dict[tuple[Any, int], str] = {}
        self.said: list[tuple[str, bool, dict[Any, str]]] = [(n, n in own, {}) for n in columns]
        targets = {name: describe(getattr(resource.model, name)).target for name in (*columns, *same)}
        targets |= {spec.name: spec.target for spec in resource.added}
        self.references: dict[str, Any] = {name: target for name, target in targets.items() if target}
        self.places = {n: columns.index(n) + 1 for n in self.references if n in columns}
        self.label = tuple(columns.index(describe(c).name) + 1 for c in (resource.title, resource.code))
        specs = [describe(source) for source in sets]
        self.links: dict[str, Any] = {s.name: s.target for s in specs if s.links is not None}
        self.values = [s.name for s in specs if s.values is not None]
        self.sets = {s.name for s in specs}

    def entries(
        self,
        dealer_id: int,
        same: Mapping[str, Any],
        rows: Sequence[tuple[Any, ...]],
        drafts: Sequence[Draft],
    ) -> Iterable[Entry]:
        """One entry per row: every value with, of references, its name, as of something that was not there. The
        names are looked up at once, the entries made as they are taken."""
        self._know_names(same, rows, drafts)
        return self._entries(dealer_id, same, rows, drafts)

    def _entries(
        self,
        dealer_id: int,
        same: Mapping[str, Any],
        rows: Sequence[tuple[Any, ...]],
        drafts: Sequence[Draft],
    ) -> Iterator[Entry]:
        always = [self._say(n, same[n]) for n in self.same if same[n] is not None]
        title, code = self.label
        for row, draft in zip(rows, drafts, strict=True):
            parts = always.copy()
            for (name, own, known), value in zip(self.said, row[1:], strict=False):
                if not value:
                    continue
                if own:
                    parts.append(f'"{name}":[null,{quoted(value)}]')
                else:
                    parts.append(known.get(value) or self._keep(known, name, value))
            if draft.values.keys() & self.sets:
                parts += self._members(draft.values)
            yield row[0], f"{row[title]} {row[code]}", dealer_id, bulk.Json(f"{{{','.join(parts)}}}")

    def _keep(self, known: dict[Any, str], name: str, value: Any) -> str:
        found = known[value] = self._say(name, value)
        return found

    def _say(self, name: str, value: Any) -> str:
        """A value that was not there before, as the history says it."""
        target = self.references.get(name)
        kept = plain(value)
        written = quoted(kept) if isinstance(kept, str) else json.dumps(kept)
        more = "" if target is None else f',"",{quoted(self._name(target, value))}'
        return f'"{name}":[null,{written}{more}]'

    def _name(self, target: Any, record_id: int) -> str:
        return self.names.get((target, record_id), f"#{record_id}")

    def _members(self, values: Mapping[str, Any]) -> Iterator[str]:
        """The sets of the record: links with their names, further values."""
        for name, target in self.links.items():
            if values.get(name):
                members = sorted(values[name], key=str)
                ids = ",".join(f'"{member}"' for member in members)
                named = "、".join(self._name(target, member) for member in members)
                yield f'"{name}":[[],[{ids}],"",{quoted(named)}]'
        for name in self.values:
            if values.get(name):
                yield f'"{name}":[[],[{",".join(map(quoted, sorted(values[name])))}]]'

    def _know_names(
        self, same: Mapping[str, Any], rows: Sequence[tuple[Any, ...]], drafts: Sequence[Draft]
    ) -> None:
        """Look up, once, what the references of these rows are called."""
        wanted: dict[Any, set[int]] = {t: set() for t in (*self.references.values(), *self.links.values())}
        for name, target in self.references.items():
            if name in self.places:
                place = self.places[name]
                wanted[target].update(row[place] or 0 for row in rows)
            else:
                wanted[target].add(same[name] or 0)
        for name, target in self.links.items():
            for draft in drafts:
                wanted[target].update(draft.values.get(name) or ())
        for target, ids in wanted.items():
            fresh = {i for i in ids if i and (target, i) not in self.names}
            if fresh:
                shown = resource_of(target)
                found = select(shown.pk(), shown.title).where(shown.pk().in_(sorted(fresh)))
                self.names |= {(target, row[0]): str(row[1]) for row in self.session.execute(found)}
