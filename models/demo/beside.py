"""Rows are thought up in a process beside the one that writes them, so that two cores share the work."""

from __future__ import annotations

import marshal
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

Send = Callable[[Any], None]


def stream(work: Callable[[Send], None]) -> Iterator[Any]:
    """What ``work`` sends, as it comes: plain values, tuples, lists and dictionaries of them.

    ``work`` runs in a fork of this process and must leave its files and connections alone.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(work, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        while True:
            try:
                block = ours.recv_bytes()
            except EOFError:
                break
            yield marshal.loads(block)
    finally:
        ours.close()
        child.join()
    if child.exitcode:
        raise RuntimeError("the process that makes the rows has failed")


def _run(work: Callable[[Send], None], out: Connection) -> None:
    work(lambda value: out.send_bytes(marshal.dumps(value)))
