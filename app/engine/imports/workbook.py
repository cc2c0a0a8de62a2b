"""The workbooks of an import: the template to fill in, and the lines that were not brought in, with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import files, picking
from app.engine.fields import FieldSpec
from app.engine.imports import columns, reader, sheets
from app.engine.imports.tables import PROBLEMS, Verdict
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor

_HINT = "第 2 行为示例，导入时会自动跳过，可以保留或删除"
_ROWS = 100_000
_OFFERED = 2_000
_WIDE = {"text": 16, "textarea": 30, "phone": 16, "phones": 24, "datetime": 18, "date": 14}
_KINDS = {
    "phone": "11 位手机号码", "phones": "多个号码用顿号隔开", "date": "日期，例如 2026-11-22",
    "datetime": "时间，例如 2026-11-22 09:30", "money": "金额，最多两位小数", "integer": "整数", "number": "数字",
    "bool": "是 或 否",
    "choice": "从列表中选择", "choices": "从列表中选择，多项用顿号隔开", "ref": "名称，或编号、登录名",
    "refs": "多项用顿号隔开",
}  # fmt: skip
_HEADING = PatternFill("solid", fgColor="E8EEF7")
_NEEDED = PatternFill("solid", fgColor="FCE8E6")
_SHEETS = {Verdict.WRONG: "失败明细", Verdict.DUPLICATE: "重复明细"}
"""The sheets of the lines that were not brought in, by what is the matter with them."""


def template(
    session: Session,
    resource: type[Resource],
    actor: Actor,
    presets: Mapping[str, Any],
    key: str,
    target: Path,
) -> None:
    """Write the template of a person: headings with a star where required, lists to choose from, an example
    row, and a page that explains every column (D-21, D-22)."""
    declared = resource.template
    assert declared is not None
    specs = [s for s in columns.offered(resource, actor, key) if s.name not in presets]
    book = Workbook()
    sheet: Any = book.active
    sheet.title = resource.label[:31]
    hidden = book.create_sheet("选项")
    for n, spec in enumerate(specs, 1):
        letter = get_column_letter(n)
        cell = sheet.cell(1, n, f"{spec.label}{'*' if _needed(spec, key) else ''}")
        cell.font, cell.alignment = Font(bold=True), Alignment(horizontal="center")
        cell.fill = _NEEDED if _needed(spec, key) else _HEADING
        cell.comment = Comment(_explained(spec, key), "知客", width=260, height=90)
        sheet.column_dimensions[letter].width = max(_WIDE.get(spec.kind, 14), 2 * len(spec.label) + 4)
        if spec.kind not in ("money", "integer", "number"):
            sheet.column_dimensions[letter].number_format = "@"
        _offer(sheet, hidden, letter, spec, _words(session, spec, actor))
        example = declared.example.get(spec.name, "")
        below = sheet.cell(2, n, f"{reader.EXAMPLE}{example}" if n == 1 else example)
        below.font, below.number_format = Font(italic=True, color="8A8A8A"), "@"
    sheet.freeze_panes = "A2"
    _explain(book.create_sheet(reader.EXPLAINED), specs, key, declared.notes, session, actor)
    marked = book.create_sheet(reader.MARKED)
    marked["A1"] = columns.mark(resource, presets)
    hidden.sheet_state = marked.sheet_state = "hidden"
    book.save(target)


def _needed(spec: FieldSpec, key: str) -> bool:
    return spec.name == key if key else spec.required


def _explained(spec: FieldSpec, key: str) -> str:
    said = ["必填" if _needed(spec, key) else "选填", _KINDS.get(spec.kind, "文字"), spec.hint]
    if spec.kind == "text" and spec.maxlength:
        said[1] = f"文字，最多 {spec.maxlength} 个字"
    return "；".join(part for part in said if part)


def _words(session: Session, spec: FieldSpec, actor: Actor) -> list[str]:
    """What may stand in the column, where that is a list."""
    if spec.kind in ("choice", "choices"):
        return list(dict.fromkeys(e.label for e in spec.entries(actor.dealer_id) if e.active))
    if spec.kind == "bool":
        return ["是", "否"]
    if spec.target is not None:
        target = resource_of(spec.target)
        statement = picking.still_used(picking.pickable(spec, actor), spec).order_by(target.title)
        found = list(session.execute(statement.limit(_OFFERED + 1), actor.params))
        return list(dict.fromkeys(str(row[1]) for row in found)) if len(found) <= _OFFERED else []
    return []


def _offer(sheet: Any, hidden: Any, letter: str, spec: FieldSpec, words: Sequence[str]) -> None:
    """A drop-down of the words, kept on the hidden sheet; several of them, or others, may be typed as well."""
    if not words:
        return
    for row, word in enumerate(words, 1):
        _write(hidden[f"{letter}{row}"], word)
    rule = DataValidation(
        type="list", formula1=f"选项!${letter}$1:${letter}${len(words)}", allow_blank=True,
        showErrorMessage=not spec.multiple and spec.target is None,
    )  # fmt: skip
    rule.errorTitle, rule.error = "请从列表中选择", f"{spec.label}只能填写列表中的内容"
    sheet.add_data_validation(rule)
    rule.add(f"{letter}3:{letter}{_ROWS}")


def _write(cell: Any, words: str) -> None:
    """Words that others have typed: a name beginning with ``=`` is a name and no formula."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", words)
    cell.data_type = "s"


def _explain(
    sheet: Any, specs: Sequence[FieldSpec], key: str, notes: Sequence[str], session: Session, actor: Actor
) -> None:
    sheet.append(["列名", "是否必填", "填写要求", "可填内容（部分）"])
    for spec in specs:
        words = _words(session, spec, actor)
        shown = "、".join(words[:20]) + ("…" if len(words) > 20 else "")
        sheet.append([spec.label, "必填" if _needed(spec, key) else "", _explained(spec, key)])
        _write(sheet.cell(sheet.max_row, 4), shown)
    sheet.append([])
    for note in (_HINT, *notes):
        sheet.append([note])
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), _HEADING
    for letter, width in zip("ABCD", (18, 10, 44, 80), strict=True):
        sheet.column_dimensions[letter].width = width


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
