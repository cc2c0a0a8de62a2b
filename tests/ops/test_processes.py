"""What parent and child processes are built on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORM = """
import signal, time
from app.processes import Wake
wake, woken = Wake(), 0
signal.signal(signal.SIGALRM, lambda *_: wake.set())
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
end = time.monotonic() + 2
while time.monotonic() < end:
    woken += wake.wait(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
while wake.wait(0):
    pass
print(woken, wake.wait(0.01))
"""


def test_a_storm_of_signals_wakes_and_never_locks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STORM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    woken, after = done.stdout.split()
    assert int(woken) > 100
    assert after == "False"
