"""The whole product as one tree of processes, started as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.redis_embedded import free_port
from app.supervisor import PAUSES, Child, Tree, stop
from tests.plugins.databases import SECRETS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def until(true: Callable[[], Any], seconds: float = 40) -> Any:
    """Wait for it, at most so long; returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that has ended and waits to be reaped does not."""
    found = []
    for process in family:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


class Running:
    """One `run.py serve` and its descendants."""

    def __init__(self, data: Path, port: int | None = None, **environ: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.output = data.parent / f"output-{self.port}"
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(data),
            "PORT": str(self.port),
            "DEMO": "0",
            "SECRET_KEY": SECRETS["SECRET_KEY"],
            **environ,
        }
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "run.py"], cwd=ROOT, env=self.environ, stdout=file, stderr=file
            )

    def get(self, path: str) -> str:
        """The body, or an empty text when nobody answers or the answer is no success."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return ""

    def started(self) -> bool:
        """Whether the address was printed; fails when the tree has ended."""
        assert self.process.poll() is None, self.output.read_text()
        return "知客已启动" in self.output.read_text()

    def family(self) -> list[psutil.Process]:
        """All descendants."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process | None:
        """The direct child whose command line contains the word."""
        for process in psutil.Process(self.process.pid).children():
            try:
                if any(word in part for part in process.cmdline()):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def wait(self) -> int:
        """The exit status."""
        return self.process.wait(timeout=40)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for this module: the second start finds everything initialised."""
    return tmp_path_factory.mktemp("serve") / "var"


@pytest.fixture(scope="module")
def tree(data: Path) -> Iterator[Running]:
    """A started product."""
    running = Running(data)
    until(running.started, 120)
    yield running
    running.process.terminate()
    running.wait()


def test_it_answers_and_tells_the_login_once(tree: Running, data: Path) -> None:
    ready = json.loads(tree.get("/readyz"))
    assert ready == {"status": "ok", "database": "ok", "migrations": "ok", "redis": "ok"}
    said = tree.output.read_text()
    password = (data / "secrets" / "admin_password").read_text()
    assert f"http://127.0.0.1:{tree.port}" in said
    assert password in said
    assert (data / "secrets" / "admin_password").stat().st_mode & 0o077 == 0
    assert (data / "zhike.db").stat().st_mode & 0o077 == 0


def test_redis_is_local_and_asks_for_its_password(tree: Running) -> None:
    redis = tree.child("redis-server")
    assert redis is not None
    listening = [c.laddr for c in redis.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert "requirepass" not in " ".join(redis.cmdline())


@pytest.mark.parametrize("word", ["worker", "clock", "redis-server", "web"])
def test_whoever_dies_is_restarted(tree: Running, word: str) -> None:
    before = until(lambda: tree.child(word))
    before.kill()

    def replaced() -> bool:
        now = tree.child(word)
        return now is not None and now.pid != before.pid

    until(replaced)
    until(lambda: '"status":"ok"' in tree.get("/readyz"))


def test_what_cannot_start_is_tried_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> subprocess.Popen[bytes]:
        raise RuntimeError("内置 Redis 未能启动")

    child, now = Child("内置 Redis", fail), [1000.0]
    monkeypatch.setattr("app.supervisor.time.monotonic", lambda: now[0])
    for pause in (*PAUSES, PAUSES[-1]):
        assert child.revive() == f"内置 Redis 未能启动，{pause:g} 秒后重试"
        now[0] += pause - 0.01
        assert child.revive() == ""
        now[0] += 0.02


def test_when_redis_is_back_nobody_waits_for_it_any_longer(tmp_path: Path) -> None:
    def launch() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"])

    later = time.monotonic() + 30
    tree = Tree({"DATA_DIR": tmp_path}, {})
    tree.children = [Child("任务进程", launch, failures=6, start_at=later)]
    tree._watch(0)
    assert not tree.children[0].alive
    tree.redis = Child("内置 Redis", launch)
    tree._watch(0)
    assert tree.children[0].alive and tree.children[0].failures == 0
    stop([child.process for child in (tree.redis, *tree.children) if child.process])


def test_pages_answer_while_redis_is_away(tree: Running) -> None:
    until(lambda: tree.child("redis-server")).kill()
    assert tree.get("/healthz") == "ok\n"
    assert tree.get("/login/")
    until(lambda: '"status":"ok"' in tree.get("/readyz"))


def test_a_second_tree_on_the_same_data_is_refused(tree: Running, data: Path) -> None:
    second = Running(data)
    assert second.wait() == 1
    assert "已有一个知客正在使用数据目录" in second.output.read_text()


def test_a_taken_port_is_said_in_words(tree: Running, tmp_path: Path) -> None:
    second = Running(tmp_path / "var", tree.port)
    assert second.wait() == 1
    assert f"端口 {tree.port} 已被占用" in second.output.read_text()
    assert "Traceback" not in second.output.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    running = Running(tmp_path / "var")
    until(running.started, 120)
    family = until(lambda: len(found := running.family()) >= 6 and found)
    os.kill(running.process.pid, number)
    assert running.wait() == 0
    assert not alive(family)
    assert not (running.data / "run" / "redis.url").exists()
    assert "Traceback" not in running.output.read_text()


def test_killed_itself_it_leaves_no_orphan(tmp_path: Path) -> None:
    running = Running(tmp_path / "var")
    until(running.started, 120)
    family = until(lambda: len(found := running.family()) >= 6 and found)
    running.process.kill()
    running.process.wait()
    until(lambda: not alive(family), 15)


def test_told_to_stop_during_initialisation_it_stops(tmp_path: Path) -> None:
    running = Running(tmp_path / "var")
    until(lambda: running.child("redis-server"))
    family = running.family()
    running.process.terminate()
    assert running.wait() == 0
    until(lambda: not alive(family), 15)


def test_the_served_size_uses_the_database_and_redis_it_is_given(
    tmp_path: Path, postgresql_server: Any, redis_url: str
) -> None:
    name = f"served_{os.getpid()}"
    postgresql_server.psql(f"CREATE DATABASE {name};")
    running = Running(
        tmp_path / "var", DATABASE_URL=postgresql_server.get_uri(database=name), REDIS_URL=redis_url
    )
    until(running.started, 120)
    assert json.loads(running.get("/readyz"))["status"] == "ok"
    assert running.child("redis-server") is None
    assert not (running.data / "zhike.db").exists()
    running.process.terminate()
    assert running.wait() == 0
