"""Everything as one tree of processes: Redis, web, worker and clock under one parent.

The parent starts them in order, restarts what dies with growing pauses, stops all on SIGTERM, and none
outlives it: each child asked the kernel for a signal at the parent's death (see `processes.py`).
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import config
from app.processes import Wake, following
from app.redis_embedded import EmbeddedRedis, NoRedisBinary

PAUSES = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before the n-th restart in a row
STEADY = 60.0  # seconds after which a child counts as healthy again
PATIENCE = 20.0  # seconds a child may take to stop
READY_WITHIN = 60.0


_CHILDREN = (
    ("网页", "web"),
    ("任务进程", "worker", "--lane", "quick"),
    ("长任务进程", "worker", "--lane", "long"),
    ("时钟", "clock"),
)


class CannotStart(Exception):
    """The product cannot start here; the text says why and what to do."""


@dataclass
class Child:
    """One process of the tree."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_at: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs at the moment."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it now."""
        self.process = self.launch()
        self.started_at = time.monotonic()

    def revive(self) -> str:
        """Restart it when it has died and its pause is over; what was done, in words."""
        now = time.monotonic()
        if self.alive:
            return ""
        if self.process is not None:
            code = self.process.returncode
            self.failures = 0 if now - self.started_at > STEADY else self.failures + 1
            self.process = None
            return f"{self.name}已退出（{code}），{self._pause():g} 秒后重启"
        if now < self.start_at:
            return ""
        try:
            self.start()
        except (RuntimeError, OSError) as reason:
            self.failures += 1
            return f"{reason}，{self._pause():g} 秒后重试"
        return f"{self.name}已重启"

    def _pause(self) -> float:
        """Put the next start off; for how many seconds."""
        seconds = PAUSES[min(self.failures, len(PAUSES)) - 1] if self.failures else PAUSES[0]
        self.start_at = time.monotonic() + seconds
        return seconds

    def hurry(self) -> None:
        """What it failed for is over: it starts at once and counts as healthy."""
        self.failures, self.start_at = 0, 0.0


class Tree:
    """The parent of all processes."""

    def __init__(self, settings: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.data = Path(settings["DATA_DIR"])
        self.environ = dict(environ)
        self.wake = Wake()
        self.stopping = False
        self.children: list[Child] = []
        self.redis: Child | None = None
        self._lock: IO[str] | None = None

    # -- start -----------------------------------------------------------------

    def run(self) -> int:
        """Start, watch until told to stop, stop; the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: self.wake.set())
        try:
            self._claim()
            if not self.environ.get("REDIS_URL"):
                self._start_redis()
            if self._initialise():
                self._start_all()
            while not self.stopping:
                self._watch()
        except CannotStart as reason:
            say(str(reason), error=True)
            return 1
        finally:
            self._stop_all()
        return 0

    def _on_stop(self, *_: Any) -> None:
        self.stopping = True
        self.wake.set()

    def _claim(self) -> None:
        """One tree per data folder, and the port must be free: said before anything is started."""
        run = self.data / "run"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (run / "serve.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"已有一个知客正在使用数据目录 {self.data}，请先停止它，或设置另一个 DATA_DIR"
            ) from None
        check_port(self.settings["HOST"], self.settings["PORT"])

    def _start_redis(self) -> None:
        server = EmbeddedRedis(self.data / "redis")
        child = Child("内置 Redis", lambda: server.start(before_exec=following()))
        try:
            child.start()
        except (NoRedisBinary, RuntimeError) as reason:
            raise CannotStart(str(reason)) from None
        self.redis = child
        self.environ["REDIS_URL"] = server.url
        note = self.data / "run" / "redis.url"
        note.touch(mode=0o600)
        note.write_text(server.url, encoding="utf-8")

    def _initialise(self) -> bool:
        """Migrations, permissions, presets and, the first time, demo data; False when told to stop."""
        say("正在检查数据库…")
        process = self._spawn("init", "--part-of-serve")
        while process.poll() is None:
            if self.stopping:
                process.terminate()
                process.wait()
                return False
            self.wake.wait(0.2)
        if process.returncode:
            raise CannotStart("初始化失败，原因见上")
        return True

    def _start_all(self) -> None:
        for name, *command in _CHILDREN:
            child = Child(name, lambda command=command: self._spawn(*command))  # type: ignore[misc]
            self.children.append(child)
            child.start()
            if command == ["web"]:
                self._await_web()
            if self.stopping:
                return
        self._welcome()

    def _await_web(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self.stopping and not answers(self.settings["HOST"], self.settings["PORT"]):
            self._watch(0.1)
            if time.monotonic() > deadline:
                raise CannotStart("网页未能在一分钟内启动，原因见上")

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(config.ROOT / "run.py"), *command],
            cwd=config.ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the parent only, which stops them in order
            preexec_fn=following(),
        )

    def _welcome(self) -> None:
        host = self.settings["HOST"]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
        say(f"\n知客已启动：http://{shown}:{self.settings['PORT']}")
        for line in config.logins(self.settings, self.environ):
            say(f"  {line}")
        for line in config.warnings(self.environ):
            say(line)
        say("按 Ctrl-C 停止。\n")

    # -- watch and stop --------------------------------------------------------

    def _watch(self, pause: float = 1.0) -> None:
        self.wake.wait(pause)
        if self.stopping:
            return
        for child in [*([self.redis] if self.redis else []), *self.children]:
            news = child.revive()
            if news:
                say(news, error=True)
            if news and child is self.redis and child.alive:
                for waiting in self.children:
                    waiting.hurry()

    def _stop_all(self) -> None:
        """First those who work, then Redis, so that none of them loses it in mid-work."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if any(child.alive for child in self.children):
            say("正在停止…")
        stop([child.process for child in reversed(self.children) if child.process])
        if self.redis and self.redis.process:
            stop([self.redis.process])
            (self.data / "run" / "redis.url").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to all, SIGKILL to whoever is still there after `PATIENCE`."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in running:
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_port(host: str, port: int) -> None:
    """Raises `CannotStart` when the address is taken or not ours to listen on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(f"端口 {port} 已被占用，请换一个，例如：PORT={port + 1} make run") from None
            if error.errno == errno.EACCES:
                raise CannotStart(f"没有权限使用端口 {port}，请换一个大于 1024 的端口") from None
            raise CannotStart(f"无法使用地址 {host}:{port}：{error.strerror or error}") from None


def answers(host: str, port: int) -> bool:
    """Whether the web server answers its health question."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(asked, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def say(line: str, *, error: bool = False) -> None:
    """A line for the person at the terminal."""
    print(line, file=sys.stderr if error else sys.stdout, flush=True)


def serve(settings: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Run the whole product until told to stop; the exit status."""
    return Tree(settings, environ).run()
