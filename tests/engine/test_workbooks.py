"""Files of tables: every cell keeps its type and its words, whatever they are."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from app.engine.workbooks import LONGEST, WRITERS, About, Heading, column_name

pytestmark = pytest.mark.sqlite_only
ABOUT = About("客户/明细:[2026]?*", "张<三>&", datetime(2026, 11, 26, 9, 0))
NASTY = [
    "=1+1", "+86", "-1", "@x", "\t=1", "<b>&amp;\"'", "_x0041_", "前\n后", "  两端有空格  ", "𠮷😀", "00123",
    "13800000000", "1E5", "TRUE", "]]>", "%s{}#",
]  # fmt: skip


def written(values: list[str], kind: str = "xlsx") -> bytes:
    """A file with one column of texts."""
    file = io.BytesIO()
    writer = WRITERS[kind](file, ABOUT, [Heading("文字"), Heading("空")])
    writer.rows([[writer.text(v), ""] for v in values])
    writer.rows([[writer.word(v), ""] for v in values])
    writer.close("完")
    return file.getvalue()


def test_texts_come_back_as_they_are() -> None:
    read = CalamineWorkbook.from_filelike(io.BytesIO(written(NASTY))).get_sheet_by_index(0).to_python()
    assert [row[0] for row in read] == ["文字", *NASTY, *NASTY, "", "完"]
    sheet: Any = openpyxl.load_workbook(io.BytesIO(written(NASTY))).active
    assert {c.data_type for row in sheet.iter_rows(max_col=1) for c in row if c.value} == {"s"}
    assert [c.value for (c,) in sheet.iter_rows(min_row=2, max_row=7, max_col=1)] == NASTY[:6]


@pytest.mark.parametrize("text", ["\x00a", "a\x0bb", "\ud800", "\uffff", "\x1b[0m"])
def test_what_no_file_may_hold_is_left_out(text: str) -> None:
    read = CalamineWorkbook.from_filelike(io.BytesIO(written([text]))).get_sheet_by_index(0).to_python()
    assert read[1][0] == "".join(c for c in text if c.isprintable())


def test_a_cell_holds_only_so_much() -> None:
    read = (
        CalamineWorkbook.from_filelike(io.BytesIO(written(["长" * 40_000]))).get_sheet_by_index(0).to_python()
    )
    assert len(read[1][0]) == LONGEST


def test_numbers_dates_and_times() -> None:
    file = io.BytesIO()
    writer = WRITERS["xlsx"](file, ABOUT, [Heading(str(n)) for n in range(4)])
    moment = datetime(2026, 2, 28, 23, 59, 59)
    row = [
        writer.money(Decimal("-1234567.05")),
        writer.day(date(2024, 2, 29)),
        writer.moment(moment),
        writer.number(7),
    ]
    writer.rows([row])
    writer.close("")
    found = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_index(0).to_python()[1]
    assert found == [-1234567.05, date(2024, 2, 29), moment, 7]
    book = openpyxl.load_workbook(io.BytesIO(file.getvalue()))
    formats = [c.number_format for c in book.active[2]]  # type: ignore[index]
    assert formats == ["#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "General"]
    assert book.properties.creator == "张<三>&"
    assert book.sheetnames == ["客户 明细  2026"]


def test_more_different_words_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.engine import workbooks

    monkeypatch.setattr(workbooks, "_WORDS", 3)
    values = [f"词{n}" for n in range(6)]
    read = CalamineWorkbook.from_filelike(io.BytesIO(written(values))).get_sheet_by_index(0).to_python()
    assert [row[0] for row in read[7:13]] == values


def test_without_rows_it_is_still_a_file() -> None:
    assert len(openpyxl.load_workbook(io.BytesIO(written([]))).active["A"]) == 3  # type: ignore[index]


def test_csv_keeps_formulas_away() -> None:
    lines = written(NASTY, "csv").decode("utf-8-sig")
    assert lines.startswith("文字,空\r\n'=1+1,\r\n'+86,\r\n'-1,\r\n'@x,\r\n'\t=1,\r\n")
    assert '"前\n后",' in lines
    assert lines.endswith("\r\n\r\n完\r\n")


def test_names_of_columns() -> None:
    assert [column_name(n) for n in (0, 25, 26, 51, 701, 702)] == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]
