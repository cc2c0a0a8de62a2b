"""Clones the project, types `make run` as a newcomer does, waits until it is ready, stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from app.redis_embedded import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0  # seconds for everything, downloads included


def answers(port: int) -> bool:
    """Whether the product is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main(scratch: Path) -> int:
    """The exit status; says how long the first page took."""
    clone, port = scratch / "clone", free_port()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "PORT": str(port)}
    began = time.monotonic()
    process = subprocess.Popen(["make", "run"], cwd=clone, env=environ, start_new_session=True)
    try:
        while not answers(port):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                print("make run did not start the product")
                return 1
            time.sleep(0.5)
        print(f"ready after {time.monotonic() - began:.0f} s")
        time.sleep(2)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)
    tracked = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout
    if tracked:
        print(f"running leaves untracked or changed files:\n{tracked}")
    return 1 if tracked else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
