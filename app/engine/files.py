"""Files that the product keeps for a while: uploads on their way in, results to be fetched.

They lie under the data folder, which several hosts must share (`docs/decisions/0050-files-and-jobs.md`), under
names nobody can guess; whoever fetches one is asked for its right by the record that names it.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from flask import current_app

from app.engine.actions import NotFound

_NAME = re.compile(r"\d{4}-\d{2}/[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)
LONGEST = 160
"""Characters of a file's name that are kept."""


def folder() -> Path:
    """Where they lie."""
    found = Path(current_app.config["DATA_DIR"]) / "files"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def fresh(month: str, suffix: str) -> str:
    """The name of a new file, e.g. ``2026-11/1f….xlsx``; its folder exists afterwards."""
    name = f"{month}/{secrets.token_hex(16)}.{suffix}"
    (folder() / month).mkdir(mode=0o700, exist_ok=True)
    return name


def called(name: str) -> str:
    """What a file is called, as it is kept and shown: without folders and what nobody sees, its ending kept
    where it is too long."""
    name = "".join(c for c in name if c.isprintable()).replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return name if len(name) <= LONGEST else f"{stem[: LONGEST - len(dot + ending)]}{dot}{ending}"


def path(name: str) -> Path:
    """The place of a kept file; raises `NotFound` for what is no name of one."""
    if not _NAME.fullmatch(name):
        raise NotFound
    return folder() / name


def remove(name: str | None) -> None:
    """Delete a file, if it is still there."""
    if name:
        path(name).unlink(missing_ok=True)


def publish(unfinished: Path, name: str) -> None:
    """Put a finished file in its place at once: nobody sees half of it, and a second attempt replaces it."""
    os.replace(unfinished, path(name))
