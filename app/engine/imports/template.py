"""The workbook that is filled in for an import. Its library is large and needed for nothing else: whoever writes a
template loads this module then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy.orm import Session

from app.engine import picking
from app.engine.fields import FieldSpec
from app.engine.imports import columns, reader
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
