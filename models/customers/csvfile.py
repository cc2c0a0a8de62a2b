"""A CSV file as Excel and WPS write it: read into lines, and written back with what was wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.engine.actions import Refusal

REASON = "未导入原因"
"""The heading of the column that `write` adds; a file that has it is read without it."""

_LARGEST = 64 * 1024 * 1024
csv.field_size_limit(_LARGEST)  # an oversized cell is its line's fault, and refused with the line
_SEPARATORS = ",\t;"
_NAMED_SEPARATOR = re.compile(r"\ufeff?sep=(.)\r?\n")  # Excel's own first line
_ENCODINGS = ("utf-8-sig", "gb18030")
_EMPTY_HALVES = 50  # one empty byte in so many is no accident
_ABOVE = 5  # lines looked through for headings that stand below a title
_DONE = re.compile(r"(.+?)-未导入(-\d+)?")


@dataclass(frozen=True)
class Sheet:
    """The headings, blank ones of empty columns being left out as ``""``, and the lines with content,
    each with the number at which it begins."""

    heading: tuple[str, ...]
    lines: tuple[tuple[int, list[str]], ...]


def read(path: Path, known: Collection[str]) -> Sheet:
    """The file's lines; ``known`` are the headings it may have. Raises `Refusal` when there are none."""
    lines = list(_lines(_text(path)))
    if not lines:
        raise Refusal("文件是空的")
    number, first = lines[0]
    heading = [_heading(cell) for cell in first]
    if not set(heading) & set(known):
        _beneath_a_title(number, lines, known)
    while heading and not heading[-1]:
        heading.pop()
    for place, label in enumerate(heading):
        if not label:
            _empty(place, lines[1:])
    return Sheet(tuple(heading), tuple(lines[1:]))


def _heading(cell: str) -> str:
    """The words of a heading, without the star of a required one and what nobody sees."""
    return "".join(c for c in cell if c.isprintable()).strip("*＊ \u3000")


def _beneath_a_title(number: int, lines: Sequence[tuple[int, list[str]]], known: Collection[str]) -> None:
    for below, cells in lines[1:_ABOVE]:
        if len({_heading(cell) for cell in cells} & set(known)) > 1:
            raise Refusal(f"表头在第 {below} 行，请删除它上面的内容（第 {number} 行起），使表头成为第一行")


def _empty(place: int, lines: Iterable[tuple[int, list[str]]]) -> None:
    for number, cells in lines:
        if "".join(cells[place : place + 1]).strip():
            raise Refusal(f"第 {place + 1} 列没有表头，但第 {number} 行在此列有内容；请补上表头或清空此列")


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise Refusal(f"文件超过 {_LARGEST // 1024 // 1024} MB，请分成几个文件")
    raw = path.read_bytes()
    if raw[:2] in (b"PK", b"\xd0\xcf"):
        raise Refusal("这是电子表格文件，请另存为 CSV 文件后再导入")
    for encoding in _utf16(raw) or _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Refusal("无法识别文件编码，请将文件另存为 UTF-8 或 GBK 编码的 CSV 文件")


def _utf16(raw: bytes) -> tuple[str, ...]:
    """The encoding's name where the bytes can only be UTF-16: its mark, or the empty halves of digits and
    separators."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    high, low = raw[0::2].count(0), raw[1::2].count(0)
    if high + low < len(raw) / _EMPTY_HALVES:
        return ()
    return ("utf-16-be",) if high > low else ("utf-16-le",)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines with content, each with the number at which it begins."""
    named = _NAMED_SEPARATOR.match(text)
    first = text.partition("\n")[0]
    separator = named.group(1) if named else max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (named and begins == 1):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        where = f"从第 {begins} 行起不是正确的 CSV 格式，请检查引号是否成对"
        raise Refusal(f"{where}；没有导入任何一行") from error


# ----- the way back


def beside(path: Path) -> Path:
    """A name for the refused lines next to the file that is still free: what was corrected there by hand
    is never written over."""
    done = _DONE.fullmatch(path.stem)
    stem = done.group(1) if done else path.stem
    names = (f"{stem}-未导入{f'-{n}' if n > 1 else ''}.csv" for n in range(1, 10_000))
    return next(free for name in names if not (free := path.with_name(name)).exists())


def write(path: Path, sheet: Sheet, reasons: Mapping[int, str]) -> None:
    """Write the lines with these numbers, and why, so that Excel opens the file and `read` takes it again."""
    kept = [place for place, label in enumerate(sheet.heading) if label != REASON]
    refused = [(cells, reasons[number]) for number, cells in sheet.lines if number in reasons]
    width = max([len(sheet.heading), *(len(cells) for cells, _ in refused)])
    kept += range(len(sheet.heading), width)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([*_at(sheet.heading, kept), REASON])
        out.writerows([*_at(cells, kept), reason] for cells, reason in refused)


def _at(cells: Sequence[str], places: Iterable[int]) -> list[str]:
    return [cells[place] if place < len(cells) else "" for place in places]
