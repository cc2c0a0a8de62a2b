"""The workbook of the lines that an import did not bring in, with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import files
from app.engine.imports import sheets
from app.engine.imports.tables import PROBLEMS, Verdict

_SHEETS = {Verdict.WRONG: "失败明细", Verdict.DUPLICATE: "重复明细"}
"""The sheets of the lines that were not brought in, by what is the matter with them."""


def problems(session: Session, run: Any, target: Path) -> None:
    """Write the lines that were not brought in, as they were in the file: the faulty cells red, the reason in
    a column of its own. What is faulty stands on the first sheet, so that the workbook can be corrected and
    imported again; what is on file already stands on one of its own (D-25)."""
    place = {name: n for n, name in enumerate(run.mapping or ()) if name}
    heading = list(run.headings or ())
    there = set(session.scalars(select(PROBLEMS.c.verdict).where(PROBLEMS.c.import_id == run.id).distinct()))
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_formulas": False,
                                             "strings_to_urls": False, "strings_to_numbers": False})  # fmt: skip
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF7"})
    red = book.add_format({"bg_color": "#FADBD8", "font_color": "#922B21"})
    pages = {v: book.add_worksheet(label) for v, label in _SHEETS.items() if v in there}
    for sheet in pages.values():
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heading), 16)
        sheet.set_column(len(heading), len(heading), 60)
        sheet.write_row(0, 0, [*heading, sheets.REASON], bold)
    written: Counter[Verdict] = Counter()
    for verdict, cells, reason, wrong in _lines(session, run):
        sheet = pages[verdict]
        written[verdict] += 1
        faulty = {place[name] for name in wrong if name in place}
        for n, text in enumerate(cells[: len(heading)]):
            sheet.write_string(written[verdict], n, text, red if n in faulty else None)
        sheet.write_string(written[verdict], len(heading), reason, red)
    book.close()


def _lines(session: Session, run: Any) -> Iterator[tuple[Verdict, list[str], str, Mapping[str, str]]]:
    """The lines that were not brought in with their reasons, in the order of the file."""
    found = iter(
        session.execute(
            select(PROBLEMS.c.line, PROBLEMS.c.verdict, PROBLEMS.c.reason, PROBLEMS.c.cells)
            .where(PROBLEMS.c.import_id == run.id)
            .order_by(PROBLEMS.c.line)
            .execution_options(yield_per=1000)
        )
    )
    wanted = next(found, None)
    for number, cells in islice(sheets.lines(files.path(run.lines)), 1, None):
        if wanted is None:
            return
        if number == wanted.line:
            whole = [*cells, *[""] * (len(run.headings or ()) - len(cells))]
            yield wanted.verdict, whole, wanted.reason, wanted.cells or {}
            wanted = next(found, None)
