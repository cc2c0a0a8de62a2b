"""What a chart stands on: a list's address, understood, and the way from each of its numbers to the rows.

What a bar, a point or a figure counts is what the list understands from the address behind it: both come
from the same arguments, so that following one shows exactly the rows that were counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from app.engine import filters, listing
from app.engine.addresses import address
from app.engine.cells import entry_of
from app.engine.cells import text as words
from app.engine.chartkinds import Chosen
from app.engine.database import db
from app.engine.fields import FieldSpec, describe
from app.engine.listing import Query
from app.engine.periods import Args
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope

NOTHING = "未填写"
PLAIN = "n"
"""The tone of a value without one among values that have theirs."""
_REPLACED = frozenset({"scope", "view", "include"})
_WIDE = (Scope.GROUP, Scope.DEALER, Scope.STORE, Scope.DEPARTMENT)


@dataclass(slots=True)
class Board:
    """A list's address, understood; everything a chart counts is counted under it."""

    query: Query
    dialect: str

    @classmethod
    def of(cls, resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> Board:
        """The board of an address."""
        dialect = db.session().get_bind().dialect.name
        return cls(listing.parse(resource, actor, args, now, dialect), dialect)

    @property
    def resource(self) -> type[Resource]:
        """Whose rows are counted."""
        return self.query.resource

    @property
    def actor(self) -> Actor:
        """For whom."""
        return self.query.actor

    def run(self, statement: Select[Any]) -> list[Any]:
        """All rows of a statement under the list's parameters."""
        return list(db.session.execute(statement, self.query.params))

    def under(self, put: Mapping[str, Sequence[str]]) -> Board:
        """The board of the same address with some arguments replaced."""
        if not put:
            return self
        args = {**self.query.args, **{name: list(values) for name, values in put.items()}}
        return Board.of(self.resource, self.actor, args, self.query.now)

    def narrowed(self, own: Mapping[str, Sequence[str]]) -> Board | None:
        """The board with further filters in force; None when the page's own exclude them. A scope or a view
        stands in for that of the page."""
        put: Args = {}
        for name, values in own.items():
            given = [] if name in _REPLACED else [v for v in self.query.args.get(name, ()) if v]
            put[name] = [v for v in values if not given or v in given]
            if not put[name]:
                return None
        return self.under(put)

    def within(self, only: Chosen) -> Board | None:
        """The board with these values of filters alone; None when the page's own filters exclude them."""
        put: Args = {}
        for column, values in only:
            spec = describe(column)
            put[spec.name] = self.open_values(spec, values)
            if not put[spec.name]:
                return None
        return self.under(put)

    def open_values(self, spec: FieldSpec, values: Sequence[Any]) -> list[str]:
        """Those of the values that the page's own filter by the field leaves, as filters read them."""
        given = [v for v in self.query.args.get(spec.name, ()) if v]
        written = [self.written(spec, value) for value in values]
        return [w for w in written if w is not None and (not given or w in given)]

    # ----- the way to the rows

    def address(self, put: Mapping[str, Sequence[str]]) -> str:
        """The list's address, some of its arguments replaced."""
        args = {**self.query.args, **{name: list(values) for name, values in put.items()}}
        return address(f"/{self.resource.name}/", args)

    def rows(self, *chosen: tuple[FieldSpec, Sequence[Any]]) -> str:
        """The address of exactly the rows with these values; empty where the list has no words for one."""
        known = {f.spec.name for f in filters.declared(self.resource, self.actor)}
        put: Args = {}
        for spec, values in chosen:
            written = [self.written(spec, value) for value in values]
            said = [w for w in written if w is not None]
            if spec.name not in known or len(said) < len(written) or len(said) > filters.MAX_VALUES:
                return ""
            put[spec.name] = said
        return self.address(put)

    def span(self, spec: FieldSpec, first: str, last: str) -> str:
        """The address of the rows of some days."""
        known = any(f.spec.name == spec.name for f in filters.declared(self.resource, self.actor))
        return self.address({f"{spec.name}.from": [first], f"{spec.name}.to": [last]}) if known else ""

    def written(self, spec: FieldSpec, value: Any) -> str | None:
        """The value as the list's filter reads it; None when it cannot."""
        if value is None:
            return filters.EMPTY
        if spec.kind == "bool":
            return "1" if value else "0"
        if spec.kind in ("ref", "refs", "integer"):
            return str(value)
        if spec.kind in ("choice", "choices"):
            known = entry_of(spec, value, self.actor.dealer_id, self.actor.epoch)
            return known.value if known is not None else None
        return None

    # ----- words

    def label(self, spec: FieldSpec, value: Any, named: str | None = None) -> str:
        """A group in words; ``named`` is the name of the record it refers to."""
        if value is None or value == "":
            return NOTHING
        if spec.target is not None:
            return named if named is not None else f"#{value}"
        return words(spec, value, self.actor.dealer_id, self.actor.epoch)

    def tone(self, spec: FieldSpec, value: Any) -> str:
        """The colour a value has elsewhere; none where its kind has no colours."""
        if not any(e.tone for e in spec.entries(self.actor.dealer_id)):
            return ""
        known = entry_of(spec, value, self.actor.dealer_id, self.actor.epoch)
        return (known.tone if known is not None else "") or PLAIN

    def place(self, spec: FieldSpec, value: Any) -> int:
        """Where a value stands among the entries of its choice, whatever is not among them last."""
        order = [e.value for e in spec.entries(self.actor.dealer_id)]
        written = self.written(spec, value)
        return order.index(written) if written in order else len(order)


def widest(resource: type[Resource], actor: Actor, args: listing.Args, now: datetime) -> Query:
    """The address understood, as wide as the person may see unless it names a scope: charts are looked at
    for the whole. A full number is looked for in all scopes anyhow."""
    query = Board.of(resource, actor, args, now).query
    tabs = listing.tabs(resource, actor)
    named = listing.first(args, "scope") in {s.value for s in tabs}
    wide = next((s for s in _WIDE if s in tabs), query.scope)
    if named or query.scope is None or wide is None or wide is query.scope:
        return query
    return Board.of(resource, actor, {**args, "scope": [wide.value]}, now).query
