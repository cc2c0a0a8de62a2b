"""Refuses addresses of package registries, downloads and paths of one machine in tracked files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "address of a download or an index": re.compile(
        r"""https?://[^\s"'<>]+(?:\.whl|\.tgz|\.tar\.gz|/simple/?)(?=[\s"'#<>)]|$)"""
    ),
    "host of a package registry": re.compile(
        "|".join(
            ("registry" + r"\.npm", r"files\.python" + "hosted", r"(?<![\w-])py" + r"pi\.(?:org|python)")
        )
    ),
    "index option": re.compile(r"--(?:extra-)?index-url[ =]\S*:|--find-links[ =]\S"),
    "home or checkout of a machine": re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/[a-z.]"),
}
EXEMPT = {"tests/tools/tracked_files.py"}


def findings() -> list[str]:
    """One line per place, ``path:line: what``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.split("\0")
    found = []
    for name in filter(None, listed):
        path = ROOT / name
        if name in EXEMPT or "/vendor/" in name or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {what}" for what, shape in FORBIDDEN.items() if shape.search(line)]
    return found


if __name__ == "__main__":
    lines = findings()
    print("\n".join(lines) or "none")
    sys.exit(1 if lines else 0)
