"""Turns one uploaded file into lines of plain text; runs as a process of its own.

    python -m app.engine.imports.reader FILE LINES ROWS

Whoever made the file is not trusted: the process has bounds of memory, of time and of what it writes, reads nothing
but the file and writes nothing but the lines (CSV, UTF-8, the first cell of each being its row number) and, on its
standard output, one JSON object: ``{"ok": {"rows", "notes", "template"}}`` or ``{"error": sentence}``.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

MEMORY = 1536 * 1024 * 1024
SECONDS = 90
WRITTEN = 256 * 1024 * 1024
"""So much may the lines hold: a short workbook can name one long text in each of its cells."""
UNPACKED = 600 * 1024 * 1024
"""So much may a packed workbook hold; a real one of 100,000 rows holds a tenth."""
RATIO = 300
WIDEST = 200
_CELL = 32_767  # characters, as a spreadsheet allows
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SEPARATORS = ",\t;"
_NAMED_SEPARATOR = re.compile(r"\ufeff?sep=(.)\r?\n")  # a spreadsheet program's own first line
_FIRST = 2  # the row below the headings
_EMPTY_HALVES = 50  # one empty byte in so many is no accident
_ENCODINGS = ("utf-8-sig", "gb18030")


class Unreadable(Exception):
    """Why the file cannot be used, as a sentence."""


Line = tuple[int, Sequence[str]]


SIGNED = "导出人："
"""With this the last line of our own exports begins; a file that was exported may come in again."""
MARKED = "知客模板"
"""The hidden sheet of our own templates; its first cell says of what."""


EXAMPLE = "示例："
"""With this the first cell of a template's example row begins, which is the one below the headings."""
EXPLAINED = "填写说明"
"""The sheet of our own templates that explains the columns."""


def read(path: Path, target: Path, most: int) -> dict[str, Any]:
    """Write the lines with content to ``target``; how many there are, and what is to be said of them."""
    said: dict[str, Any] = {"notes": []}
    lines = _lines(path, said)
    rows = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        for number, cells in lines:
            if cells[0].startswith(SIGNED) or (number == _FIRST and cells[0].startswith(EXAMPLE)):
                continue
            rows += 1
            if rows > most + 1:
                raise Unreadable(f"文件超过 {most:,} 行数据，请分成几个文件")
            writer.writerow([number, *cells])
    if not rows:
        raise Unreadable("文件是空的")
    if rows == 1:
        raise Unreadable("文件只有表头，没有数据行")
    return {"rows": rows - 1, **said}


def _lines(path: Path, said: dict[str, Any]) -> Iterator[Line]:
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise Unreadable("文件是空的")
    if head == _OLE:
        return _workbook(path, said)
    if head[:2] == b"PK":
        _look_inside(path, said["notes"])
        return _workbook(path, said)
    return _text(path)


# ----- workbooks


def _look_inside(path: Path, notes: list[str]) -> None:
    """Refuse what is no plain workbook before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as packed:
            infos = packed.infolist()
            if any(info.flag_bits & 1 for info in infos):
                raise Unreadable("文件已加密，请取消密码后重新上传")
            total = sum(info.file_size for info in infos)
            small = max(1, sum(info.compress_size for info in infos))
            if total > UNPACKED or (total > 50 * 1024 * 1024 and total / small > RATIO):
                raise Unreadable("文件解压后过大，请另存为新的工作簿后重试")
            names = {info.filename.lower() for info in infos}
            if any(name.endswith("vbaproject.bin") for name in names):
                raise Unreadable("文件含有宏，请另存为不含宏的工作簿（.xlsx）后重试")
            if "xl/workbook.xml" not in names and "xl/workbook.bin" not in names:
                raise Unreadable("这不是电子表格文件，请上传 xlsx、xls 或 csv 文件")
            _remark(packed, infos, notes)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise Unreadable("文件已损坏，无法打开，请重新保存后上传") from None


def _remark(packed: zipfile.ZipFile, infos: Iterable[zipfile.ZipInfo], notes: list[str]) -> None:
    """What a person should know of the sheet: formulas are read as what they last showed."""
    sheets = [i for i in infos if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", i.filename)]
    for info in sheets[:1]:
        with packed.open(info) as file:
            tail = b""
            while chunk := file.read(1 << 20):
                seen = tail + chunk
                if b"<f>" in seen or b"<f " in seen:
                    notes.append("文件含有公式，已按公式当前显示的结果读取")
                    return
                tail = chunk[-8:]


def _workbook(path: Path, said: dict[str, Any]) -> Iterator[Line]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_path(str(path))
        shown = [m.name for m in book.sheets_metadata if m.visible == SheetVisibleEnum.Visible]
        visible = [name for name in shown if name != EXPLAINED or MARKED not in book.sheet_names]
        if not visible:
            raise Unreadable("文件里没有可见的工作表")
        sheet = book.get_sheet_by_name(visible[0])
        merged = sheet.merged_cell_ranges or []
        if MARKED in book.sheet_names:
            marks = book.get_sheet_by_name(MARKED).to_python(nrows=1)
            said["template"] = str(marks[0][0]) if marks and marks[0] else ""
    except PasswordError:
        raise Unreadable("文件已加密，请取消密码后重新上传") from None
    except (CalamineError, OSError, ValueError) as error:
        if "password" in str(error).lower() or "encrypt" in str(error).lower():
            raise Unreadable("文件已加密，请取消密码后重新上传") from None
        raise Unreadable("文件已损坏或不是电子表格，请另存为 xlsx 后重新上传") from None
    if merged:
        row, column = merged[0][0]
        raise Unreadable(
            f"工作表有合并单元格（从第 {row + 1} 行第 {column + 1} 列起），请取消合并、每行填写完整后重新上传"
        )
    if len(visible) > 1:
        said["notes"].append(f"文件有 {len(visible)} 个工作表，读取的是第一个“{visible[0]}”")
    if sheet.width > WIDEST:
        raise Unreadable(f"工作表有 {sheet.width} 列，最多 {WIDEST} 列")
    return _cells(sheet)


def _cells(sheet: Any) -> Iterator[Line]:
    # The rows come from the first one of the sheet on, the cells of each from the first one used.
    left = [""] * (sheet.start[1] if sheet.start else 0)
    words: dict[type, Callable[[Any], str]] = _WORDS
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = left + [c if c.__class__ is str else words[c.__class__](c) for c in row]
        while cells and not cells[-1]:
            cells.pop()
        if any(c and not c.isspace() for c in cells):
            yield number, [c if len(c) <= _CELL else c[:_CELL] for c in cells]


def _number(value: float) -> str:
    """Whole numbers without a point: a phone kept as a number is a phone again."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _moment(value: datetime) -> str:
    if value.time() == time():
        return value.date().isoformat()
    return value.strftime("%Y-%m-%d %H:%M" if not value.second else "%Y-%m-%d %H:%M:%S")


_WORDS: dict[type, Callable[[Any], str]] = {
    int: str,
    float: _number,
    bool: lambda value: "是" if value else "否",
    datetime: _moment,
    date: lambda value: value.isoformat(),
    time: lambda value: value.strftime("%H:%M"),
    timedelta: str,
    type(None): lambda value: "",
}


# ----- text


def _text(path: Path) -> Iterator[Line]:
    raw = path.read_bytes()
    for encoding in _utf16(raw) or _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return _separated(text)
    raise Unreadable("无法识别文件，请上传 xlsx、xls，或 UTF-8、GBK 编码的 csv 文件")


def _utf16(raw: bytes) -> tuple[str, ...]:
    """The encoding's name where the bytes can only be UTF-16: its mark, or the empty halves of digits and
    separators."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    high, low = raw[0::2].count(0), raw[1::2].count(0)
    if high + low < len(raw) / _EMPTY_HALVES:
        return ()
    return ("utf-16-be",) if high > low else ("utf-16-le",)


def _separated(text: str) -> Iterator[Line]:
    """The lines with content, each with the number at which it begins."""
    named = _NAMED_SEPARATOR.match(text)
    first = text.partition("\n")[0]
    separator = named.group(1) if named else max(_SEPARATORS, key=first.count)
    csv.field_size_limit(64 * 1024 * 1024)  # an oversized cell is its line's fault, refused with the line
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (named and begins == 1):
                if len(cells) > WIDEST:
                    raise Unreadable(f"第 {begins} 行有 {len(cells)} 列，最多 {WIDEST} 列")
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error:
        raise Unreadable(f"从第 {begins} 行起不是正确的 CSV 格式，请检查引号是否成对") from None


def main(argv: Sequence[str]) -> None:
    """Read one file within the bounds and say what came of it."""
    source, target, most = Path(argv[0]), Path(argv[1]), int(argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    try:
        found = {"ok": read(source, target, most)}
    except Unreadable as reason:
        found = {"error": str(reason)}  # type: ignore[dict-item]
    except MemoryError:
        found = {"error": "文件过大，内存不足以读取，请分成几个文件"}  # type: ignore[dict-item]
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        found = {"error": "文件内容过多，请分成几个文件"}  # type: ignore[dict-item]
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
