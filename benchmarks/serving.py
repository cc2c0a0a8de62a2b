"""What only a running server shows: requests per second, memory of a worker, time to the first answer."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import config
from benchmarks.databases import environment

_PATIENCE = 60  # seconds a server may take to answer at all


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int, path: str) -> bool:
    """Whether the server says 200 there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()


@contextmanager
def running(command: list[str], url: str, path: str) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A server, its port, and the seconds until its first 200."""
    port = free_port()
    figures = tempfile.mkdtemp(prefix="zhike-bench-")
    environ = environment(url) | {"PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": figures}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command], env=environ, cwd=config.ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while not answers(port, path):
            if process.poll() is not None or time.monotonic() - started > _PATIENCE:
                raise SystemExit(f"服务没有启动：{' '.join(command)}")
            time.sleep(0.01)
        yield process, port, time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(figures, ignore_errors=True)


def start_seconds(url: str, times: int) -> float:
    """Seconds from the start of the web server to its first page, median."""
    found = []
    for _ in range(times):
        with running([str(config.ROOT / "run.py"), "web"], url, "/login/") as (_process, _port, seconds):
            found.append(seconds)
    return statistics.median(found)


def rates(
    url: str, cookie: str, path: str, rounds: int, requests: int
) -> tuple[float, float, tuple[float, float]]:
    """Requests per second of the floor and of the product, taking turns, and MiB of a product worker."""
    floor_rates, product_rates = [], []
    with (
        running(["-m", "benchmarks.serve", "floor"], url, "/") as (_floor, floor_port, _),
        running(["-m", "benchmarks.serve", "product"], url, "/login/") as (product, product_port, _),
    ):
        _fire(floor_port, "/", requests // 4, "")
        _fire(product_port, path, requests // 4, cookie)
        for _ in range(rounds):
            floor_rates.append(_fire(floor_port, "/", requests * 2, ""))
            product_rates.append(_fire(product_port, path, requests, cookie))
        memory = max(_memory(pid) for pid in _children(product.pid))
    return statistics.median(floor_rates), statistics.median(product_rates), memory


def _fire(port: int, path: str, requests: int, cookie: str) -> float:
    command = [sys.executable, "-m", "benchmarks.load", str(port), path, str(requests), cookie]
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, check=True, text=True)
    found = json.loads(done.stdout)
    if found["wrong"]:
        raise SystemExit(f"{path}：{found['wrong']:.0f} 次请求没有得到 200")
    return float(found["rate"])


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found] or [pid]


def _memory(pid: int) -> tuple[float, float]:
    """MiB of a worker: its share (what it has in common with others counted in part), and all it maps."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines():
        name, _, rest = line.partition(":")
        if name in ("Pss", "Rss"):
            found[name] = int(rest.split()[0]) / 1024
    return found["Pss"], found["Rss"]
