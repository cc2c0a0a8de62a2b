"""Which rows of the catalogues in ``docs/spec`` are proven by a test of the last run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypedDict

CATALOGUES = {"A": 119, "B": 71, "C": 143, "D": 243, "E": 94}
RESULTS = "spec-results.json"
_ROW = re.compile(r"^\|\s*([A-E]-\d+)\s*\|", re.MULTILINE)


class Row(TypedDict):
    """How often a row was tested, and whether all those tests passed."""

    tests: int
    passing: bool


def rows(folder: Path) -> list[str]:
    """All row ids in the order of the catalogues; raises `ValueError` when a catalogue is incomplete."""
    found: list[str] = []
    for letter, expected in CATALOGUES.items():
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"source-{letter}-*.md"))]
        ids = list(dict.fromkeys(row for text in texts for row in _ROW.findall(text) if row[0] == letter))
        if len(ids) != expected:
            raise ValueError(f"catalogue {letter} has {len(ids)} rows instead of {expected}")
        found += ids
    return found


def load(folder: Path, results: Path) -> dict[str, Row]:
    """Every row with its count of tests; rows no test names, and all before the first run, have none."""
    recorded = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    return {row: recorded.get(row, {"tests": 0, "passing": False}) for row in rows(folder)}


def report(results: dict[str, Row]) -> str:
    """One paragraph per catalogue: proven, failing, without test."""
    lines: list[str] = []
    for letter in CATALOGUES:
        mine = {row: entry for row, entry in results.items() if row[0] == letter}
        passing = [row for row, entry in mine.items() if entry["passing"]]
        failing = [row for row, entry in mine.items() if entry["tests"] and not entry["passing"]]
        without = [row for row, entry in mine.items() if not entry["tests"]]
        lines.append(f"目录 {letter}：共 {len(mine)} 行，已验证 {len(passing)} 行")
        lines += [f"  {name}：{' '.join(some)}" for name, some in (
            ("已验证", passing), ("测试未通过", failing), ("尚无测试", without)) if some]  # fmt: skip
    return "\n".join(lines)
