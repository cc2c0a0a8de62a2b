"""Charts and their figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from app.engine.pages.lists import Chip
from app.engine.pages.parts import Field, Link


@dataclass(slots=True)
class Bar:
    """One bar, slice, step or point: its words on the axis and in full, its number, also as it is read, and
    the address of exactly its records. ``tone`` is the colour the value has elsewhere; ``note`` a share or
    conversion; ``place`` its place in a ranking; ``own`` says that a row is
    the reader's own."""

    label: str
    value: float
    url: str = ""
    words: str = ""
    tone: str = ""
    note: str = ""
    said: str = ""
    place: str = ""
    own: str = ""


@dataclass(slots=True)
class Cell:
    """One cell of a cross table; ``heat`` from 0 (nothing) to 5 (the fullest) is its shade."""

    value: float
    said: str
    url: str = ""
    heat: int = 0


@dataclass(slots=True)
class Line:
    """One row of a cross table with its total."""

    label: str
    cells: list[Cell]
    total: Cell
    url: str = ""


@dataclass(slots=True)
class Grid:
    """A cross table: what stands across, with addresses, the lines, and the totals of the columns with that
    of everything last."""

    across: str
    columns: list[Link]
    lines: list[Line]
    totals: list[Cell]


@dataclass(slots=True)
class ChartCard:
    """A chart with the same numbers as a table. ``heading`` names what is grouped by, ``note_heading`` the
    notes of the bars; ``remark`` says what is left out. A cross table has its ``grid`` instead of bars."""

    key: str
    title: str
    kind: str
    bars: list[Bar]
    unit: str = ""
    total: str = ""
    heading: str = ""
    note_heading: str = ""
    remark: str = ""
    grid: Grid | None = None
    reading: str = ""
    """Which rows it reads, where the page as a whole does not say it."""
    sheet_url: str = ""
    pin_url: str = ""
    """Where it is put on a dashboard, for those who build some."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        if self.grid is not None:
            return not self.grid.lines
        return not any(bar.value for bar in self.bars)

    @property
    def ranked(self) -> bool:
        """Whether its bars have places."""
        return any(bar.place for bar in self.bars)


@dataclass(slots=True)
class Figure:
    """A number on a card, also as it is read, with what has become of it since the period before."""

    name: str
    label: str
    value: str
    url: str = ""
    change: str = ""
    before: str = ""
    amount: float = 0
    unit: str = ""


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
    """The charts of one list, under the same filters and scope. ``sheet_url`` is their spreadsheet for those
    who may export."""

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
    sheet_url: str = ""


@dataclass(slots=True)
class Block:
    """The numbers of one list on a dashboard: its figures and charts, and which of its rows they read."""

    name: str
    label: str
    icon: str
    reading: str
    figures: list[Figure]
    cards: list[ChartCard]
    list_url: str = ""


@dataclass(slots=True)
class Placed:
    """A tile where its dashboard has put it: a figure or a chart, ``width`` thirds of the page wide, or why there
    is neither."""

    key: str
    title: str
    width: int
    list_label: str
    icon: str
    figure: Figure | None = None
    card: ChartCard | None = None
    missing: str = ""


@dataclass(slots=True)
class DashboardPage:
    """Figures and charts of several lists under one period, store and person: list by list, or, ``arranged``,
    where somebody has ``placed`` each."""

    title: str
    url: str
    period: PeriodBar
    blocks: list[Block]
    pickers: list[Field] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""
    sheet_url: str = ""
    arranged: bool = False
    placed: list[Placed] = field(default_factory=list)

    @property
    def runs(self) -> list[tuple[bool, list[Placed]]]:
        """The tiles in order, figures beside each other apart from the charts; true of figures."""
        return [(few, list(run)) for few, run in groupby(self.placed, key=lambda p: p.figure is not None)]

    @property
    def figures(self) -> list[Figure]:
        """The figures of all lists, in order."""
        return [figure for block in self.blocks for figure in block.figures]

    @property
    def cards(self) -> list[ChartCard]:
        """The charts of all lists, in order."""
        return [card for block in self.blocks for card in block.cards]
