"""Whether the database is there, and whether its tables are those of this program."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from app.engine.actions import Refusal

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_FOLLOWS = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)
_REFUSED = ("authentication failed", "does not exist", "no password supplied")


class State(Enum):
    """How the stored schema compares with the program's."""

    CURRENT = "ok"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"


@lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """The newest revisions, and all of them. Read from the files: what writes migrations takes up more memory
    than a web process has for it."""
    texts = [path.read_text(encoding="utf-8") for path in _MIGRATIONS.glob("versions/*.py")]
    followed = {found for text in texts for found in _FOLLOWS.findall(text)}
    known = {found for text in texts for found in _REVISION.findall(text)}
    return frozenset(known - followed), frozenset(known)


def stored_state(stored: set[str]) -> State:
    """What these revisions mean to this program."""
    heads, known = _known()
    if stored - known:
        return State.AHEAD
    return State.CURRENT if stored == heads else State.BEHIND


def state(engine: Engine) -> State:
    """The state of a database; raises what the driver says when it cannot be reached."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return State.EMPTY
        return stored_state(
            set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
        )


def require(engine: Engine, *allowed: State) -> None:
    """Raise `Refusal` with what to do unless the state is the current one or one of these."""
    found = state(engine)
    if found is State.CURRENT or found in allowed:
        return
    if found is State.AHEAD:
        raise Refusal("数据库由更新版本的知客建立，本程序不能使用它：请使用同样新的程序，或另设 DATABASE_URL")
    if found is State.BEHIND:
        raise Refusal("数据库需要升级，请先运行 python run.py init")
    raise Refusal("数据库尚未初始化，请先运行 python run.py init")


def wait(engine: Engine, seconds: float, say: Callable[[str], Any]) -> None:
    """Wait for a database server that is not up yet, saying so once; what it refuses is not waited for."""
    deadline = time.monotonic() + seconds
    said = False
    while True:
        try:
            engine.connect().close()
            return
        except OperationalError as error:
            if engine.dialect.name == "sqlite" or any(words in str(error.orig) for words in _REFUSED):
                raise
            if time.monotonic() > deadline:
                raise
            if not said:
                say(f"数据库暂时无法连接，最多等待 {seconds:.0f} 秒…")
                said = True
            time.sleep(1)
