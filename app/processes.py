"""What parent and child processes agree on: a child does not outlive its parent."""

from __future__ import annotations

import ctypes
import os
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
