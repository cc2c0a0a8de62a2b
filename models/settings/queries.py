"""All dictionaries and parameters of one epoch, read once per process and change.

Small tables that every form and list needs: they are held whole, so that a request costs no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.choices import Entry, provide_dictionaries
from app.engine.database import db
from models.identity.rights import current_epoch
from models.settings.catalogue import dictionaries, parameter_def
from models.settings.tables import DictionaryEntry, Parameter

NAMES = "dictionaries"
"""The dictionary of dictionaries, for the administrators' own screen."""


@dataclass
class Snapshot:
    """Entries by dictionary and dealer, parameters by key and dealer; ``None`` stands for the group."""

    entries: dict[tuple[str, int | None], list[tuple[int, Entry]]] = field(default_factory=dict)
    parameters: dict[tuple[str, int | None], Any] = field(default_factory=dict)

    def dictionary(self, name: str, dealer_id: int | None) -> tuple[Entry, ...]:
        """A dealer's own entry stands in for the group's preset of the same value under the same parent; one
        without parent for all of them."""
        found = self.entries.get((name, None), [])
        own = self.entries.get((name, dealer_id), []) if dealer_id is not None else []
        if own:
            taken = {(entry.value, entry.parent) for _, entry in own}
            kept = [p for p in found if not {(p[1].value, ""), (p[1].value, p[1].parent)} & taken]
            found = sorted([*kept, *own], key=lambda pair: pair[0])
        return tuple(entry for _, entry in found)


_kept: list[tuple[int, Snapshot]] = []


def snapshot(session: Session) -> Snapshot:
    """The settings as they are at this session's epoch."""
    epoch = current_epoch(session)
    for known, kept in _kept:
        if known == epoch:
            return kept
    fresh = _load(session)
    if epoch:
        _kept[:] = [(epoch, fresh)]
    return fresh


def _load(session: Session) -> Snapshot:
    table: Any = DictionaryEntry.__table__
    columns = (
        DictionaryEntry.dictionary,
        DictionaryEntry.dealer_id,
        DictionaryEntry.value,
        DictionaryEntry.label,
        DictionaryEntry.tone,
        DictionaryEntry.parent,
        DictionaryEntry.active,
        DictionaryEntry.sort,
    )
    found: defaultdict[tuple[str, int | None], list[tuple[int, Entry]]] = defaultdict(list)
    with session.no_autoflush:
        for name, dealer, value, label, tone, parent, active, sort in session.execute(
            select(*columns).order_by(table.c.sort, table.c.id)
        ):
            found[name, dealer].append((sort, Entry(value, label, tone.tone.value, parent or "", active)))
        rows = session.execute(select(Parameter.key, Parameter.dealer_id, Parameter.value))
        return Snapshot(dict(found), {(key, dealer): value for key, dealer, value in rows})


@lru_cache(maxsize=1)
def _names(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(d.name, d.label) for d in dictionaries())


_further: list[Callable[[int | None], tuple[Entry, ...]]] = []


def name_dictionaries(source: Callable[[int | None], tuple[Entry, ...]]) -> None:
    """Let an upper domain name the dictionaries that it keeps for a dealer; once, at import."""
    _further.append(source)


def _dictionary(name: str, dealer_id: int | None) -> tuple[Entry, ...]:
    if name == NAMES:
        return (*_names(len(dictionaries())), *(e for more in _further for e in more(dealer_id)))
    return snapshot(db.session()).dictionary(name, dealer_id)


def parameter(session: Session, key: str, dealer_id: int | None) -> Any:
    """A setting as it holds for the dealer: its own, else the group's, else the declared default."""
    default = parameter_def(key).default
    values = snapshot(session).parameters
    return values.get((key, dealer_id), values.get((key, None), default))


provide_dictionaries(_dictionary)
