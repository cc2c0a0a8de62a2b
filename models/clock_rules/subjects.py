"""What clock rules are made of, declared by the domains that own it: subjects with their starts and silencers,
and effects. A new domain declares; rules for it are rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select

from app.engine.choices import Entry, declare_entries
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource

if TYPE_CHECKING:
    from app.engine.actions import Act
    from models.clock_rules.book import Rule

SUBJECTS, STARTS, SILENCERS, EFFECTS = (f"clock.{n}" for n in ("subjects", "starts", "silencers", "effects"))


@dataclass(frozen=True, eq=False)
class Start:
    """A moment or day of a record from which rules count: a column of its own. ``resets`` says in words what
    makes the count begin anew, empty where nothing does."""

    name: str
    label: str
    column: Any
    resets: str = ""

    @property
    def is_day(self) -> bool:
        """Whether it is a day of the calendar rather than a moment."""
        return describe(self.column).kind == "date"


@dataclass(frozen=True, eq=False)
class Silencer:
    """What keeps a rule from speaking while it lasts; ``words`` stand beside the silent rule."""

    name: str
    label: str
    where: Callable[[], ColumnElement[bool]]
    holds: Callable[[Any], bool]
    words: str


@dataclass(frozen=True, eq=False)
class Subject:
    """A kind of record that rules may be about. ``person`` is the column of whoever looks after it."""

    resource: type[Resource]
    person: Any
    starts: tuple[Start, ...]
    silencers: tuple[Silencer, ...] = ()

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.resource.name

    @property
    def store(self) -> Any:
        """The column of its store."""
        return self.resource.scopes.store

    @property
    def dealer(self) -> Any:
        """The column of its dealer."""
        return self.resource.scopes.dealer

    def starts_of(self, dealer_id: int | None) -> tuple[Start, ...]:
        """The starts for rules of that dealer: the declared ones, and the dates that administrators added."""
        added = faced(self.resource, dealer_id).added
        dated = (s for s in added if s.kind in ("date", "datetime") and s.guard is None)
        return (*self.starts, *(Start(s.name, s.label, s.attribute) for s in dated))

    def start(self, name: str, dealer_id: int | None) -> Start | None:
        """The start of that name."""
        return next((s for s in self.starts_of(dealer_id) if s.name == name), None)

    def silencer(self, name: str | None) -> Silencer | None:
        """The silencer of that name."""
        return next((s for s in self.silencers if s.name == name), None)


@dataclass(frozen=True, slots=True)
class Fired:
    """For which records a rule has come due in this run, once each: ``rows`` selects ``record_id``, ``due``
    (when it fired, UTC) and ``at`` (what it was about, ``ahead_days`` later)."""

    rule: Rule
    rows: Select[Any]
    now: datetime


Run = Callable[["Act", Fired], None]


@dataclass(frozen=True, eq=False)
class Effect:
    """What a rule does. One ``by_person`` tells each person once per run of all that is due, and its records
    need no row each; any other works on the records that have come due, set-based. A ``late`` one also takes
    those whose moment passed while the rule did not apply to them."""

    name: str
    label: str
    run: Run | None = None
    by_person: bool = False
    late: bool = False
    parameters: tuple[FieldSpec, ...] = ()
    subjects: tuple[str, ...] = ()
    """Names of the resources it works on; empty for all."""
    makes: str = "条提醒"
    """What each record it is carried out on gives, with its counting word."""


_subjects: dict[str, Subject] = {}
_effects: dict[str, Effect] = {}


def declare_subject(subject: Subject) -> None:
    """Let rules be about these records."""
    from app.engine import ownership
    from models.clock_rules import upcoming

    _subjects[subject.name] = subject
    ownership.provide(subject.name, upcoming.source)


def declare_effect(effect: Effect) -> None:
    """Let rules do this."""
    _effects[effect.name] = effect


def subjects() -> Sequence[Subject]:
    """Every subject."""
    return tuple(_subjects.values())


def subject(name: str) -> Subject | None:
    """The subject of that resource."""
    return _subjects.get(name)


def effect(name: str) -> Effect | None:
    """The effect of that name."""
    return _effects.get(name)


def effects() -> Sequence[Effect]:
    """Every effect."""
    return tuple(_effects.values())


def _subject_entries() -> tuple[Entry, ...]:
    return tuple(Entry(s.name, s.resource.label) for s in subjects())


def _start_entries(dealer_id: int | None) -> tuple[Entry, ...]:
    return tuple(Entry(t.name, t.label, parent=s.name) for s in subjects() for t in s.starts_of(dealer_id))


def _silencer_entries() -> tuple[Entry, ...]:
    return tuple(Entry(t.name, t.label, parent=s.name) for s in subjects() for t in s.silencers)


def _effect_entries() -> tuple[Entry, ...]:
    return tuple(Entry(e.name, e.label) for e in _effects.values())


declare_entries(SUBJECTS, _subject_entries)
declare_entries(STARTS, _start_entries, by_dealer=True)
declare_entries(SILENCERS, _silencer_entries)
declare_entries(EFFECTS, _effect_entries)
