"""A real worker that hangs in the second part of a summary, after its message was written, until it is
killed. Run as a program; ``MARKER`` names the file that says it has got there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import models
from app.cli import main

models.load()
from models.follow_ups import notices  # noqa: E402 - after everything it refers to is declared

_write = notices.notify_many
_calls: list[Any] = []


def _hang(*args: Any) -> Any:
    _calls.append(_write(*args))
    if len(_calls) == 2:
        Path(os.environ["MARKER"]).touch()
        time.sleep(60)
    return _calls[-1]


notices.notify_many = _hang
main(["worker"])
