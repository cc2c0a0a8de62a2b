"""Fixed choices that live in code, and dictionaries that administrators edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Self

from sqlalchemy import String
from sqlalchemy.types import TypeDecorator


class Tone(StrEnum):
    """How a state looks: the quiet colour of its dot."""

    ACTIVE = "i"
    INFO = "a"
    GOOD = "g"
    WARN = "w"
    BAD = "r"
    MUTED = ""


class Choice(str, Enum):  # noqa: UP042 - members carry more than their text
    """A closed set of states or kinds: stored value, Chinese label, tone."""

    label: str
    tone: Tone

    def __new__(cls, value: str, label: str, tone: Tone = Tone.MUTED) -> Choice:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tone = tone
        return member

    @classmethod
    def of(cls, value: str) -> Self:
        """The member stored as ``value``; raises `ValueError` for an unknown one."""
        return cls(value)  # type: ignore[call-arg]

    def __str__(self) -> str:
        return self.label


class Colour(Choice):
    """Choices that are colours: always shown in the colour they name, so that it need not be imagined."""

    @property
    def paint(self) -> str:
        """Its class in the style sheet."""
        return self.tone.value or "n"


class ChoiceType(TypeDecorator[Choice]):
    """Stores a `Choice` by its value; an unknown value in the database is an error, not a guess."""

    impl = String(24)
    cache_ok = True

    def __init__(self, choices: type[Choice]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else self.choices.of(value).value

    def process_result_value(self, value: Any, dialect: Any) -> Choice | None:
        return None if value is None else self.choices.of(value)


@dataclass(frozen=True, slots=True)
class Entry:
    """One choice as offered: what is stored, what is read, its tone and the parent it belongs to."""

    value: str
    label: str
    tone: str = ""
    parent: str = ""
    active: bool = True


def entries_of(choices: type[Choice]) -> tuple[Entry, ...]:
    """The members of a `Choice` as entries, in the order of declaration."""
    return tuple(Entry(c.value, c.label, c.paint if isinstance(c, Colour) else c.tone.value) for c in choices)


DictionarySource = Callable[[str, int | None], tuple[Entry, ...]]
_source: list[DictionarySource] = []


def provide_dictionaries(source: DictionarySource) -> None:
    """Install the function that reads a dictionary of a dealer; the settings domain calls this."""
    _source[:] = [source]


_declared: dict[str, Callable[[int | None], tuple[Entry, ...]]] = {}


def declare_entries(name: str, entries: Callable[[], tuple[Entry, ...]]) -> None:
    """A dictionary whose entries are declared in code by several domains and that nobody edits."""
    _declared[name] = lambda _dealer: entries()


def declare_entries_of(name: str, entries: Callable[[int | None], tuple[Entry, ...]]) -> None:
    """The same with entries that differ by dealer: records of another kind that a form offers by their names."""
    _declared[name] = entries


def dictionary(name: str, dealer_id: int | None) -> tuple[Entry, ...]:
    """Entries of an administrators' dictionary for one dealer, in their order; inactive ones included."""
    if name in _declared:
        return _declared[name](dealer_id)
    return _source[0](name, dealer_id) if _source else ()
