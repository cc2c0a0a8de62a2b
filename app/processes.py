"""What parent and child processes agree on: a child does not outlive its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def follow_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when its parent ends, however the parent ends."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        os.kill(os.getpid(), number)


def following(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """The same for `Popen(preexec_fn=…)`. Start such children from the main thread: the kernel means the
    thread that forked, not the process."""
    parent = os.getpid()
    return lambda: follow_parent(parent, number)


class Wake:
    """Lets a signal handler wake the waiting main thread.

    `threading.Event` must not serve for that: a handler runs between any two steps of the main thread,
    and while that one holds the event's own lock, the handler would wait for it for ever.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def set(self) -> None:
        """Wake whoever waits, now or next; safe in a signal handler."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes as well
            os.write(self._write, b".")

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether it was woken. Being woken is used up by this call."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        return bool(ready) and bool(os.read(self._read, 4096))
