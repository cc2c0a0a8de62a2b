"""The steps of a handover, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.forms import Refused
from app.engine.pages.lists import ListPage
from app.engine.pages.parts import Link, Option


@dataclass(slots=True)
class Step:
    """One step of the wizard as its head shows it."""

    label: str
    state: str = ""
    """``on`` for the present one, ``past`` for those done."""


@dataclass(slots=True)
class Load:
    """What somebody holds of one kind, and what would be added."""

    before: int
    gain: int = 0

    @property
    def after(self) -> int:
        """What he or she would hold."""
        return self.before + self.gain


@dataclass(slots=True)
class Successor:
    """A colleague who can take over: what he or she holds, in the order of the headings. ``count`` is what was
    typed for how many customers."""

    id: int
    name: str
    note: str
    loads: list[Load]
    chosen: bool = False
    count: str = ""


@dataclass(slots=True)
class HandoverPage:
    """One step of handing over; ``hidden`` carries what the other steps said."""

    title: str
    step: str
    steps: list[Step]
    url: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kinds: list[Option] = field(default_factory=list)
    people: list[Option] = field(default_factory=list)
    person: str = ""
    total: int = 0
    customers: ListPage | None = None
    headings: list[str] = field(default_factory=list)
    successors: list[Successor] = field(default_factory=list)
    stays: list[Refused] = field(default_factory=list)
    """The customers that are left out, and why; ``more_stay`` of them are not named."""
    more_stay: int = 0
    words: str = ""
    confirm: str = ""
    previous_url: str = ""
    back_url: str = "/customers/"
    history_url: str = ""


@dataclass(slots=True)
class Passed:
    """One customer of a handover: who got it, and how it stands."""

    label: str
    url: str
    successor: str
    state: str


@dataclass(slots=True)
class HandoverResult:
    """What came of a handover, customer by customer; ``refresh`` seconds until the page looks again."""

    title: str
    subtitle: str
    tally: list[Link]
    refused: list[Refused]
    passed: list[Passed]
    more: int = 0
    notes: list[str] = field(default_factory=list)
    refresh: int = 0
    percent: int = 100
    retry_url: str = ""
    undo_url: str = ""
    undo_confirm: str = ""
    history_url: str = ""
