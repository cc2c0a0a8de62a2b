"""All dictionaries and parameters of one epoch, read once per process and change.

Small tables that every form and list needs: they are held whole, so that a request costs no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.choices import Entry, provide_dictionaries
from app.engine.database import db
from models.identity.per_epoch import PerEpoch
from models.settings.catalogue import dictionaries, dictionary_def, parameter_def
from models.settings.tables import DictionaryEntry, Parameter

T = TypeVar("T")
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
        return tuple(entry for _, entry in standing(found, own, _place))


def standing(presets: Sequence[T], own: Sequence[T], place: Callable[[T], tuple[int, str, str]]) -> list[T]:
    """The entries that hold for a dealer, in their order; ``place`` gives an entry's sort, value and parent."""
    if not own:
        return list(presets)
    taken = {place(one)[1:] for one in own}
    kept = [p for p in presets if not {(place(p)[1], ""), place(p)[1:]} & taken]
    return sorted([*kept, *own], key=lambda one: place(one)[0])


def _place(pair: tuple[int, Entry]) -> tuple[int, str, str]:
    return pair[0], pair[1].value, pair[1].parent


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
    for name, dealer, value, label, tone, parent, active, sort in session.execute(
        select(*columns).order_by(table.c.sort, table.c.id)
    ):
        found[name, dealer].append((sort, Entry(value, label, tone.tone.value, parent or "", active)))
    rows = session.execute(select(Parameter.key, Parameter.dealer_id, Parameter.value))
    return Snapshot(dict(found), {(key, dealer): value for key, dealer, value in rows})


snapshot = PerEpoch(_load)
"""The settings as they are at this session's epoch."""


@lru_cache(maxsize=1)
def _names(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(d.name, d.label) for d in dictionaries())


_further: list[Callable[[int | None], tuple[Entry, ...]]] = []
_callers: list[Callable[[str], str]] = []


def name_dictionaries(
    source: Callable[[int | None], tuple[Entry, ...]], called: Callable[[str], str]
) -> None:
    """Let an upper domain name the dictionaries that it keeps for a dealer; once, at import. ``called`` is what one
    of them is called, whosever it is; empty for others."""
    _further.append(source)
    _callers.append(called)


def dictionary_label(name: str) -> str:
    """What a dictionary is called, or the name itself of one that is no more."""
    declared = dictionary_def(name)
    if declared is not None:
        return declared.label
    return next((label for called in _callers if (label := called(name))), name)


def _dictionary(name: str, dealer_id: int | None) -> tuple[Entry, ...]:
    if name == NAMES:
        return (*_names(len(dictionaries())), *(e for more in _further for e in more(dealer_id)))
    return snapshot(db.session()).dictionary(name, dealer_id)


def parameter(session: Session, key: str, dealer_id: int | None) -> Any:
    """A setting as it holds for the dealer: its own, else the group's, else the declared default."""
    default = parameter_def(key).default
    values = snapshot(session).parameters
    return values.get((key, dealer_id), values.get((key, None), default))


def inherited(session: Session, key: str, dealer_id: int | None) -> Any:
    """What would hold for the dealer without a value of its own: the group's, else the declared default."""
    default = parameter_def(key).default
    return default if dealer_id is None else snapshot(session).parameters.get((key, None), default)


provide_dictionaries(_dictionary)
