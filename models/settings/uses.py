"""Where the entries of a dictionary are used: every column that takes its values from it, of every list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, inspect, select
from sqlalchemy.orm import Session

from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, resource_of, resources
from app.engine.scopes import Actor, Scope, visible
from app.engine.slots import contains
from models.settings.tables import OF_FIELDS, DictionaryEntry

MOST_COUNTED = 200_000
"""Records of one list that the editor looks at for its numbers."""


@dataclass(frozen=True)
class Use:
    """A column of a list that holds values of a dictionary."""

    resource: type[Resource]
    spec: FieldSpec

    @property
    def label(self) -> str:
        """The column in words, with its list."""
        return f"{self.resource.label} · {self.spec.label}"

    def holds(self, value: str) -> ColumnElement[bool]:
        """That a record holds the value, alone or among others."""
        column = self.spec.attribute
        found: ColumnElement[bool] = (
            contains(column, value) if self.spec.kind == "choices" else column == value
        )
        return found


_further: list[Callable[[str], Sequence[Use]]] = []


def provide_columns(source: Callable[[str], Sequence[Use]]) -> None:
    """Let an upper domain name the columns of the dictionaries that it keeps; once, at import."""
    _further.append(source)


@dataclass(frozen=True)
class Reach:
    """Whose rows are meant: a dealer's, or for the group's presets those of every dealer that has not put an
    entry of its own in their place."""

    dictionary: str
    dealer_id: int | None

    def rows(self, found: type[Resource], value: str | None = None) -> ColumnElement[bool]:
        """The condition on that list's rows; execute with `params`. ``value`` is the preset meant."""
        actor = Actor(0, system=self.dealer_id is None, scopes={found.name: frozenset({Scope.DEALER})})
        rows = visible(found, actor)
        if self.dealer_id is not None or value is None or found.scopes.dealer is None:
            return rows
        own = select(DictionaryEntry.dealer_id).where(
            DictionaryEntry.dictionary == self.dictionary,
            DictionaryEntry.value == value,
            DictionaryEntry.dealer_id.is_not(None),
        )
        return and_(rows, found.scopes.dealer.not_in(own))

    @property
    def params(self) -> dict[str, int | None]:
        """The values of the bind parameters in `rows`."""
        return replace(Actor(0), dealer_id=self.dealer_id).params


def columns_of(name: str) -> list[Use]:
    """Every column that takes its values from that dictionary, in the order of the lists."""
    found = []
    for shown in resources():
        if not shown.columns or resource_of(shown.model) is not shown:
            continue
        for attribute in inspect(shown.model).column_attrs:
            meta = attribute.columns[0].info.get("zk")
            if meta is not None and meta.dictionary == name:
                found.append(Use(shown, describe(getattr(shown.model, attribute.key))))
    return [*found, *(use for more in _further for use in more(name))]


@dataclass(frozen=True)
class Counted:
    """How many records hold each value. Where a list has more of them than are looked at, the numbers are what
    was found by then."""

    amounts: Counter[str]
    whole: bool

    def word(self, value: str) -> str:
        """The number as it is shown."""
        return f"{self.amounts[value]:,}{'' if self.whole else '+'}"


def counts(session: Session, reach: Reach) -> Counted:
    """The numbers of the editor; one grouped statement per column, over so many records at most."""
    found: Counter[str] = Counter()
    whole = True
    for use in columns_of(reach.dictionary):
        column = use.spec.attribute
        some = select(column.label("value")).where(reach.rows(use.resource), column.is_not(None))
        looked = some.limit(MOST_COUNTED).subquery()
        grouped = select(looked.c.value, func.count()).group_by(looked.c.value)
        amounts: dict[str, int] = dict(session.execute(grouped, reach.params).tuples().all())
        whole = whole and sum(amounts.values()) < MOST_COUNTED
        found.update(amounts)
    return Counted(found, whole)


def amounts(session: Session, reach: Reach, value: str) -> list[tuple[Use, int]]:
    """How many records hold that value, by column; only those with any."""
    found = []
    for use in columns_of(reach.dictionary):
        where = use.holds(value), reach.rows(use.resource, value)
        counted = select(func.count()).select_from(use.resource.model).where(*where)
        amount = session.scalar(counted, reach.params) or 0
        if amount:
            found.append((use, amount))
    return found


def said(found: type[Resource], amount: int) -> str:
    """So many records of that list, in words."""
    return f"{amount:,} {found.unit}{'' if found.label in found.unit else found.label}"


def in_words(found: Sequence[tuple[Use, int]]) -> str:
    """The lists with their amounts, as sentences name them."""
    total: Counter[type[Resource]] = Counter()
    for use, amount in found:
        total[use.resource] += amount
    return "、".join(said(shown, amount) for shown, amount in total.items())


def held_back(session: Session, reach: Reach, value: str) -> str:
    """Why an entry cannot be deleted: the records that hold its value; empty for none."""
    found = amounts(session, reach, value)
    merge = "" if reach.dictionary.startswith(OF_FIELDS) else "，或合并到另一项"
    return f"正被 {in_words(found)}使用，不能删除；可以停用{merge}" if found else ""


def rows_of(session: Session, use: Use, reach: Reach, value: str, after: int, most: int) -> list[int]:
    """The next records that hold the value, by id."""
    pk: Any = use.resource.pk()
    statement = (
        select(pk)
        .where(use.holds(value), reach.rows(use.resource, value), pk > after)
        .order_by(pk)
        .limit(most)
    )
    return list(session.scalars(statement, reach.params))
