"""What automations are made of, declared by the domains that own it: what they may be about, what may happen to
it, and what may follow. A new domain declares; automations are rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.engine import automating, conditions, forms
from app.engine.actions import Act, Action
from app.engine.automating import CHANGED, CREATED
from app.engine.choices import Entry, declare_entries
from app.engine.events import Happening
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource
from app.engine.scopes import Actor

if TYPE_CHECKING:
    from models.shaping.automation_book import Rule

SUBJECTS, EVENTS, DOINGS = (f"automation.{n}" for n in ("subjects", "events", "doings"))
WATCHED, SETTABLE = "automation.watched", "automation.settable"
ANY = "*"
"""Stands for any value of a field that a doing sets."""
_UNWATCHED = frozenset({"dealer_id", "filer_id"})
_UNSETTABLE = frozenset({"refs", "choices", "phones", "texts", "password", "file", "image", "hidden"})


@dataclass(frozen=True, eq=False)
class Subject:
    """A kind of record that automations may be about. ``person`` is the column of whoever looks after it and
    ``assign`` the action that gives it to somebody else, by its first field."""

    resource: type[Resource]
    person: Any
    assign: Action | None = None

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.resource.name

    def face(self, dealer_id: int | None) -> type[Resource]:
        """The resource as people of that dealer have it."""
        return faced(self.resource, dealer_id)

    def watched(self, dealer_id: int | None) -> dict[str, FieldSpec]:
        """The fields whose change may start an automation, by name."""
        asked = conditions.fields(self.face(dealer_id))
        found = {n: s for n, s in asked.items() if n not in _UNWATCHED}
        if self.resource.tags is not None:
            tags = describe(self.resource.tags)
            found[tags.name] = tags
        return found

    def settable(self, dealer_id: int | None) -> dict[str, FieldSpec]:
        """The fields that an automation may fill in: single ones of the form, whose value everybody may read who
        reads the automation."""
        asked = forms.editable(self.face(dealer_id), editing=True)
        single = [s for s in asked if s.kind not in _UNSETTABLE and s.attribute is not None]
        return {s.name: s for s in single if s.guard is None}


@dataclass(frozen=True, eq=False)
class Event:
    """What may happen to a record: ``fields`` are those whose change it is, empty for a declared happening."""

    name: str
    label: str
    subject: str
    fields: frozenset[str] = frozenset()


Touched = tuple[str, str, str, Any]
"""What a doing causes: the resource, the event, the field and its new value (`ANY` for whichever)."""


@dataclass(frozen=True, eq=False)
class Step:
    """One doing being carried out for one record: ``given`` holds its inputs, ``key`` is the same whenever the same
    event is worked on."""

    act: Act
    rule: Rule
    subject: Subject
    record: Any
    given: Mapping[str, Any]
    key: str

    @property
    def session(self) -> Session:
        """The open transaction."""
        return self.act.session

    @property
    def actor(self) -> Actor:
        """Who acts: the system, with no more rights than whoever saved the automation."""
        return self.act.actor

    @property
    def person_id(self) -> int | None:
        """Who looks after the record."""
        found: int | None = getattr(self.record, self.subject.person.key)
        return found


def _nothing(*_: Any) -> Sequence[Touched]:
    return ()


def _fine(*_: Any) -> str:
    return ""


def _no_errors(*_: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, eq=False)
class Doing:
    """What may follow. ``inputs`` are those it takes and ``needs`` those it cannot do without.

    ``run(step)`` does it and says what it did; ``lacks(subject, given, actor)`` names the right that somebody lacks
    for it, empty for none; ``wrong(subject, given, act)`` gives sentences by input; ``touches(subject, given)``
    is what it causes, and ``words(said)`` how it reads, ``said`` being its inputs in words.
    """

    name: str
    label: str
    run: Callable[[Step], str]
    inputs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    fits: Callable[[Subject], bool] = field(default=lambda _subject: True)
    lacks: Callable[[Subject, Mapping[str, Any], Actor], str] = _fine
    wrong: Callable[[Subject, Mapping[str, Any], Act], dict[str, str]] = _no_errors
    touches: Callable[[Subject, Mapping[str, Any]], Sequence[Touched]] = _nothing
    words: Callable[[Mapping[str, str]], str] = field(default=lambda _said: "")


_subjects: dict[str, Subject] = {}
_events: dict[tuple[str, str], Event] = {}
_doings: dict[str, Doing] = {}
_followers: list[Callable[[], None]] = []


def declare_subject(subject: Subject, **changes: tuple[str, str]) -> None:
    """Let automations be about these records. ``changes`` are changes of one field with a name of their own:
    ``stage=("stage", "阶段变化")``."""
    _subjects[subject.name] = subject
    for name, label in ((CREATED, "新建"), (CHANGED, "字段变化")):
        declare_event(Event(name, label, subject.name))
    for name, (changed, label) in changes.items():
        declare_event(Event(name, label, subject.name, frozenset({changed})))


def declare_event(event: Event) -> None:
    """Let this start automations."""
    _events[event.subject, event.name] = event


def declare_happening(
    event: str, name: str, label: str, resource: type[Resource], of: Callable[[Happening], Any]
) -> None:
    """Let what a domain publishes start automations of the record that ``of`` names."""
    declare_event(Event(name, label, resource.name))
    automating.happening(event, name, resource, of)


def declare_doing(doing: Doing) -> None:
    """Let this follow."""
    _doings[doing.name] = doing
    for follower in _followers:
        follower()


def follow_doings(follower: Callable[[], None]) -> None:
    """Call this now and whenever something more may follow."""
    _followers.append(follower)
    follower()


def subject(name: str | None) -> Subject | None:
    """The subject of that resource."""
    return _subjects.get(name or "")


def event(subject_name: str, name: str) -> Event | None:
    """The event of that subject."""
    return _events.get((subject_name, name))


def doing(name: str | None) -> Doing | None:
    """The doing of that name."""
    return _doings.get(name or "")


def doings() -> Sequence[Doing]:
    """Every doing."""
    return tuple(_doings.values())


def taking(name: str, *, needed: bool = False) -> list[str]:
    """The doings that take this input, or that cannot do without it."""
    return [d.name for d in doings() if name in (d.needs if needed else d.inputs)]


declare_entries(SUBJECTS, lambda: tuple(Entry(s.name, s.resource.label) for s in _subjects.values()))
declare_entries(EVENTS, lambda: tuple(Entry(e.name, e.label, parent=e.subject) for e in _events.values()))
declare_entries(
    DOINGS,
    lambda: tuple(
        Entry(d.name, d.label, parent=s.name)
        for d in _doings.values()
        for s in _subjects.values()
        if d.fits(s)
    ),
)


def _fields_of(which: Callable[[Subject, int | None], Mapping[str, FieldSpec]]) -> Any:
    def entries(dealer_id: int | None) -> tuple[Entry, ...]:
        return tuple(
            Entry(spec.name, spec.label, parent=s.name)
            for s in _subjects.values()
            for spec in which(s, dealer_id).values()
        )

    return entries


declare_entries(WATCHED, _fields_of(Subject.watched), by_dealer=True)
declare_entries(SETTABLE, _fields_of(Subject.settable), by_dealer=True)
