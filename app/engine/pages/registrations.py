"""The pages of numbers about leads: the statistics, and a registrant's own."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.parts import Field, Link


@dataclass(slots=True)
class Counted:
    """A number and the address of exactly its rows, where one list can show them."""

    said: str
    url: str = ""


@dataclass(slots=True)
class StatisticsLine:
    """One registrant at one outlet: the total, the six counts, the three rates."""

    outlet: str
    registrant: str
    total: Counted
    counts: list[Counted]
    rates: list[str]


@dataclass(slots=True)
class StatisticsPage:
    """客户报备统计. ``groups`` are the columns: heading, and the headings under it."""

    title: str
    url: str
    span: Field
    pickers: list[Field]
    groups: list[tuple[str, list[str]]]
    lines: list[StatisticsLine]
    sums: StatisticsLine
    reading: str
    errors: dict[str, str] = field(default_factory=dict)
    error: str = ""
    sheet_url: str = ""

    @property
    def wrong(self) -> bool:
        """Whether nothing could be counted."""
        return bool(self.errors or self.error)


@dataclass(slots=True)
class Advice:
    """One thing that would help, and the rows it is about."""

    words: str
    url: str
    label: str
    icon: str
    tone: str = ""


@dataclass(slots=True)
class StandingLine:
    """A lead in a short list: its name, what is said of it, and beside it a number or day."""

    title: str
    url: str
    note: str = ""
    beside: str = ""
    tone: str = ""


@dataclass(slots=True)
class StandingPage:
    """我的报备: what became of one's own leads, what is left today, what would help."""

    title: str
    reading: str
    figures: list[tuple[str, str, str, str]]
    """Label, value, remark, address."""
    advice: list[Advice]
    protected: list[StandingLine]
    failed: list[StandingLine]
    buttons: list[Link]
    protected_url: str = ""
    failed_url: str = ""
