"""Rows are thought up in a process beside the one that writes them, so that two cores share the work."""

from __future__ import annotations

import contextlib
import marshal
import multiprocessing
import signal
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from typing import Any

Send = Callable[[Any], None]


def stream(work: Callable[[Send], None]) -> Generator[Any]:
    """What ``work`` sends, as it comes: plain values, tuples, lists and dictionaries of them.

    ``work`` runs in a fork of this process and must leave its files and connections alone. Close the
    iterator when it is not read to its end: that stops the fork.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(work, theirs, ours), daemon=True)
    child.start()
    theirs.close()
    try:
        while True:
            try:
                block = ours.recv_bytes()
            except EOFError:
                break
            yield marshal.loads(block)
    except BaseException:
        child.terminate()
        raise
    finally:
        ours.close()
        child.join()
    if child.exitcode:
        raise RuntimeError("the process that makes the rows has failed")


def _run(work: Callable[[Send], None], out: Connection, other_end: Connection) -> None:
    """With no copy of the other end open here, sending fails as soon as the parent is gone; a Ctrl-C at the
    terminal is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    other_end.close()
    with contextlib.suppress(BrokenPipeError):
        work(lambda value: out.send_bytes(marshal.dumps(value)))
