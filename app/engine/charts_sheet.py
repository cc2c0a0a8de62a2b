"""Charts as a spreadsheet: the numbers of the page as numbers, and who took them out when.

Every text is written as a text, so that a name beginning with ``=`` is a name and no formula.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from flask.typing import ResponseReturnValue

from app.engine import measures
from app.engine.actions import Refusal
from app.engine.audit import AuditEntry
from app.engine.database import db, writing
from app.engine.localtime import local
from app.engine.pages import ChartCard, ChartPage, DashboardPage, Figure, Grid
from app.engine.scopes import Actor
from app.engine.security import entrance
from app.engine.viewbase import download

_MONEY, _COUNT = "#,##0.00", "#,##0.######"
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31
_WIDEST = 40
_BLANK_LEAD = 4
"""So many lines say what the table is before it begins."""


class _Book:
    """A workbook being written; each chart has a sheet of its own."""

    def __init__(self, reading: str, actor: Actor, now: datetime) -> None:
        self.file = io.BytesIO()
        self.book: Any = xlsxwriter.Workbook(self.file, {"in_memory": True})
        self.reading = reading
        self.mark = f"导出人：{actor.header or actor.username}　导出时间：{local(now):%Y-%m-%d %H:%M:%S}"
        self.names: set[str] = set()
        self.titled = self.book.add_format({"bold": True, "font_size": 13})
        self.quiet = self.book.add_format({"font_color": "#5f6879"})
        self.heading = self.book.add_format({"bold": True, "bottom": 1, "bg_color": "#e6f2ee"})
        self.formats = {
            unit: self.book.add_format({"num_format": _MONEY if unit == measures.YUAN else _COUNT})
            for unit in (measures.YUAN, "")
        }

    def sheet(self, title: str, headings: Sequence[str], reading: str = "") -> _Sheet:
        """A new sheet with its title, what it reads, and who took it out."""
        made = _Sheet(self, self.book.add_worksheet(self._name(title)))
        made.text(0, 0, title, self.titled)
        made.text(1, 0, f"统计范围：{reading or self.reading}", self.quiet)
        made.text(2, 0, self.mark, self.quiet)
        for n, words in enumerate(headings):
            made.text(_BLANK_LEAD, n, words, self.heading)
        made.sheet.freeze_panes(_BLANK_LEAD + 1, 1)
        made.row = _BLANK_LEAD + 1
        return made

    def _name(self, title: str) -> str:
        base = _NOT_IN_NAMES.sub(" ", title).strip()[:_LONGEST_NAME] or "图表"
        name, n = base, 2
        while name.lower() in self.names:
            name, n = f"{base[: _LONGEST_NAME - 4]} {n}", n + 1
        self.names.add(name.lower())
        return name

    def done(self) -> bytes:
        """The file."""
        self.book.close()
        return self.file.getvalue()


class _Sheet:
    """One sheet, written line by line."""

    def __init__(self, book: _Book, sheet: Any) -> None:
        self.book, self.sheet, self.row = book, sheet, 0
        self.widths: dict[int, int] = {}

    def text(self, row: int, column: int, words: str, look: Any = None) -> None:
        """A text, whatever it looks like."""
        self.sheet.write_string(row, column, words, look)
        if row >= _BLANK_LEAD:
            width = sum(1 if c < "\u2e80" else 2 for c in words) + 2
            self.widths[column] = max(self.widths.get(column, 10), min(width, _WIDEST))
            self.sheet.set_column(column, column, self.widths[column])

    def line(self, cells: Sequence[str | float], unit: str) -> None:
        """One line: texts as texts, numbers as numbers."""
        look = self.book.formats[measures.YUAN if unit == measures.YUAN else ""]
        for n, cell in enumerate(cells):
            if isinstance(cell, str):
                self.text(self.row, n, cell)
            else:
                self.sheet.write_number(self.row, n, cell, look)
        self.row += 1


def book(
    title: str,
    reading: str,
    figures: Sequence[Figure],
    cards: Sequence[ChartCard],
    actor: Actor,
    now: datetime,
) -> bytes:
    """The workbook of a page of charts: its figures on the first sheet, each chart on one of its own."""
    made = _Book(reading, actor, now)
    if figures or not cards:
        sheet = made.sheet(title, ("项目", "数值", "较上期", "上期"))
        for figure in figures:
            sheet.line((figure.label, figure.amount, figure.change, figure.before), figure.unit)
    for card in cards:
        if card.grid is not None:
            _cross(made, card, card.grid)
        else:
            _bars(made, card)
    return made.done()


def _bars(made: _Book, card: ChartCard) -> None:
    ranked = card.ranked
    headings = [*(["名次"] if ranked else []), card.heading, card.unit or "数量"]
    sheet = made.sheet(
        card.title, [*headings, *([card.note_heading] if card.note_heading else [])], card.reading
    )
    for bar in card.bars:
        cells: list[str | float] = [*([bar.place] if ranked else []), bar.words or bar.label, bar.value]
        sheet.line([*cells, *([bar.note] if card.note_heading else [])], card.unit)


def _cross(made: _Book, card: ChartCard, grid: Grid) -> None:
    headings = [f"{card.heading} \\ {grid.across}", *(c.label for c in grid.columns), "合计"]
    sheet = made.sheet(card.title, headings, card.reading)
    for line in grid.lines:
        sheet.line([line.label, *(c.value for c in line.cells), line.total.value], card.unit)
    sheet.line(["合计", *(c.value for c in grid.totals)], card.unit)


def answer(
    resource: str, label: str, shown: ChartPage | DashboardPage, actor: Actor, now: datetime
) -> ResponseReturnValue:
    """The page's numbers as a file to be kept, noted in the history. Raises `Refusal` for conditions that
    could not be read: a file would not show that they were left out."""
    if shown.error:
        raise Refusal(shown.error)
    cards = [c for c in shown.cards if not c.empty]
    reading = shown.period.words
    file = book(shown.title, reading, shown.figures, cards, actor, now)
    log(resource, label, shown.title, reading, len(cards), actor, now)
    name = f"{shown.title} {local(now):%Y%m%d-%H%M}.xlsx"
    return download(io.BytesIO(file), name)


def log(
    resource: str, label: str, title: str, reading: str, amount: int, actor: Actor, now: datetime
) -> None:
    """Keep in the history that somebody took these numbers out: of which list, under which conditions, and
    how many charts."""
    session = db.session()
    with writing(session):
        session.add(
            AuditEntry(
                at=now, actor_id=actor.id, actor_name=actor.called[:64],
                dealer_id=actor.dealer_id, resource=resource, record_id=0, kind_label=label[:32],
                record_label=f"{title}，{amount} 张表：{reading}"[:160], action="export_charts",
                action_label="导出图表", source=entrance(), changes={},
            )
        )  # fmt: skip
        session.commit()
