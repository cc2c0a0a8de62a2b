"""Charts and their figures."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.lists import Chip
from app.engine.pages.parts import Field, Link


@dataclass(slots=True)
class Bar:
    """One bar, slice, step or point: its words on the axis and in full, its number, and the address of
    exactly its records. ``tone`` is the colour the value has elsewhere; ``note`` a share or conversion."""

    label: str
    value: float
    url: str = ""
    words: str = ""
    tone: str = ""
    note: str = ""


@dataclass(slots=True)
class ChartCard:
    """A chart with the same numbers as a table. ``heading`` names what is grouped by, ``note_heading`` the
    notes of the bars; ``remark`` says what is left out."""

    key: str
    title: str
    kind: str
    bars: list[Bar]
    unit: str = ""
    total: str = ""
    heading: str = ""
    note_heading: str = ""
    remark: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.value for bar in self.bars)


@dataclass(slots=True)
class Figure:
    """A number on a card with what has become of it since the period before."""

    name: str
    label: str
    value: str
    url: str = ""
    change: str = ""
    before: str = ""


@dataclass(slots=True)
class PeriodBar:
    """The choice of a period: quick ones, and two days of one's own. ``words`` says in full which rows
    the page reads."""

    words: str
    links: list[Link]
    name: str = ""
    first: str = ""
    last: str = ""
    own: bool = False
    hidden: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ChartPage:
    """The charts of one list, under the same filters and scope."""

    title: str
    name: str
    url: str
    list_url: str
    scopes: list[Link]
    period: PeriodBar
    cards: list[ChartCard]
    figures: list[Figure]
    filters: list[Field] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    clear_url: str = ""
    error: str = ""
