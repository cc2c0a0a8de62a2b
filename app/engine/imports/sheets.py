"""The lines of an uploaded file: read by a child process, kept as plain text, gone through in order."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.engine.actions import Refusal

csv.field_size_limit(64 * 1024 * 1024)  # an oversized cell is its line's fault
_LOOK = 1.0  # seconds between two signs of life while the child reads
_PATIENCE = 180  # seconds of the clock; the child's own bound is of its computing time
TOO_LONG = "文件读取时间过长，请另存为新的工作簿或分成几个文件后重试"
LOOKED_THROUGH = 5
"""Lines looked through for headings that stand below a title."""
REASON = "失败原因"
"""The heading of the column that the error workbook adds; a file that has it is read without it."""
_PASSED_OVER = frozenset({REASON, "未导入原因"})


@dataclass(frozen=True)
class Sheet:
    """What reading found: how many lines follow the headings, and what the person should know."""

    rows: int
    notes: tuple[str, ...]
    template: str = ""
    """The mark of the template that the file was made of, if it was."""


def read(source: Path, target: Path, most: int, alive: Callable[[], None] = lambda: None) -> Sheet:
    """Read a file into lines, in a process of its own with bounds; raises `Refusal` with the reason.
    ``alive`` is called meanwhile, every now and then; what it raises ends the process."""
    command = [sys.executable, "-m", "app.engine.imports.reader", str(source), str(target), str(most)]
    root = Path(__file__).resolve().parents[3]
    environment = {"PYTHONPATH": str(root), "PATH": ""}
    with subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            said = _said(child, alive)
        except BaseException:
            child.kill()
            raise
    try:
        found = json.loads(said)
    except ValueError:
        # Killed by a bound, or by the file itself: its own words are no sentence for a person.
        raise Refusal(
            TOO_LONG if child.returncode < 0 else "文件无法读取，请另存为 xlsx 后重新上传"
        ) from None
    if "error" in found:
        raise Refusal(found["error"])
    return Sheet(found["ok"]["rows"], tuple(found["ok"]["notes"]), found["ok"].get("template", ""))


def _said(child: subprocess.Popen[bytes], alive: Callable[[], None]) -> bytes:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            return child.communicate(timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            alive()
    raise Refusal(TOO_LONG)


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """All lines with their row numbers, the headings first."""
    with path.open(encoding="utf-8", newline="") as file:
        for number, *cells in csv.reader(file):
            yield int(number), cells


def headings(path: Path, known: Sequence[str]) -> tuple[str, ...]:
    """The words of the headings, ``""`` for a column to be passed over; raises `Refusal` when they stand
    further below."""
    first = list(islice(lines(path), LOOKED_THROUGH))
    number, cells = first[0]
    found = [word(cell) for cell in cells]
    if not set(found) & set(known):
        for below, others in first[1:]:
            if len({word(cell) for cell in others} & set(known)) > 1:
                raise Refusal(
                    f"表头在第 {below} 行，请删除它上面的内容（第 {number} 行起），使表头成为第一行"
                )
    return tuple("" if label in _PASSED_OVER else label for label in found)


def word(cell: str) -> str:
    """The words of a heading, without the star of a required one and what nobody sees."""
    return "".join(c for c in cell if c.isprintable()).strip("*＊ \u3000")


def unnamed(path: Path, labels: Sequence[str]) -> None:
    """Raise `Refusal` for content in a column without a heading."""
    blank = [place for place, label in enumerate(labels) if not label]
    rest = lines(path)
    heading = [word(cell) for cell in next(rest)[1]]
    blank = [place for place in blank if heading[place] not in _PASSED_OVER]
    for number, cells in rest:
        for place in blank:
            if "".join(cells[place : place + 1]).strip():
                where = f"第 {place + 1} 列没有表头，但第 {number} 行在此列有内容"
                raise Refusal(f"{where}；请补上表头或清空此列")
