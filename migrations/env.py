"""How migrations run: one transaction for all, alone, and with foreign keys checked at its end."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.types import TypeDecorator

LOCK = 7_205_161  # any number, the same for every process that migrates


def own_engine() -> Engine:
    """An engine for this run only.

    On SQLite a changed table is copied, so foreign keys must not act meanwhile, and the write lock is
    taken before the current revision is read: two that start together migrate once.
    """
    url = current_app.extensions["migrate"].db.engine.url
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _plain(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA busy_timeout=60000")
            connection.execute("PRAGMA foreign_keys=OFF")

        @event.listens_for(engine, "begin")
        def _alone(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Not what `app.engine.names` keeps beside the declared tables to find people by parts of a name, nor the
    indexes of fields that administrators add."""
    if name is None:
        return True
    if kind == "table":
        return "_fts" not in name and not name.startswith(("sqlite_", "zk_"))
    return kind != "index" or not (name.endswith("_grams") or "_slot_" in name)


def plain_type(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the database's types, not ours, so that they outlive our modules."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return f"sa.{thing.impl_instance!r}"
    return False


def drop_empty(migration: Any, _revision: Any, directives: list[Any]) -> None:
    """No file when the schema is what the tables say."""
    options = migration.config.cmd_opts
    if getattr(options, "autogenerate", False) and directives and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def run() -> None:
    """Migrate the application's database."""
    engine = own_engine()
    database = current_app.extensions["migrate"].db
    with engine.connect() as connection, connection.begin():
        sqlite = engine.dialect.name == "sqlite"
        if not sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.configure(
            connection=connection,
            target_metadata=database.metadatas[None],
            render_as_batch=True,
            compare_type=True,
            include_name=ours,
            render_item=plain_type,
            process_revision_directives=drop_empty,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if sqlite:
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"the migration leaves rows without their parents: {broken[:5]}")
    engine.dispose()


run()
