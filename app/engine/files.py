"""Files that the product keeps for a while: uploads on their way in, results to be fetched.

They lie under the data folder, which several hosts must share (`docs/decisions/0050-files-and-jobs.md`), under
names nobody can guess; whoever fetches one is asked for its right by the record that names it.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import IO

from flask import current_app

from app.engine.actions import NotFound, Refusal

_NAME = re.compile(r"\d{4}-\d{2}/[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)
_PAPERS = (
    (re.compile(rb"\xff\xd8\xff"), ("jpg", "jpeg")),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), ("png",)),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), ("webp",)),
    (re.compile(rb"%PDF-"), ("pdf",)),
)
"""How pictures and documents begin, and how their names end."""
PAPERS = tuple(ending for _, endings in _PAPERS for ending in endings)
_PART = 1 << 20
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


def receive(stream: IO[bytes], file_name: str, month: str, largest: int) -> tuple[str, str]:
    """Keep an uploaded picture or PDF: its name here, and what it is called, with the ending of what it is.
    Raises `Refusal` for anything else, for an empty one and for one of more than ``largest`` bytes."""
    part = stream.read(_PART)
    endings = next((found for begins, found in _PAPERS if begins.match(part)), ())
    if not part:
        raise Refusal("文件是空的")
    if not endings:
        raise Refusal("请上传照片（jpg、png、webp）或 PDF 文件")
    name = fresh(month, endings[0])
    size = 0
    try:
        with path(name).open("wb") as out:
            while part:
                size += len(part)
                if size > largest:
                    raise Refusal(f"文件超过 {largest // 1024 // 1024} MB，请压缩后重试")
                out.write(part)
                part = stream.read(_PART)
    except BaseException:
        remove(name)
        raise
    stem, dot, ending = called(file_name).rpartition(".")
    right = dot and ending.lower() in endings
    return name, called(file_name) if right else called(f"{stem or ending}.{endings[0]}")


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
