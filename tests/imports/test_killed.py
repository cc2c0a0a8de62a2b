"""A worker killed in the middle of an import: no line twice, none lost, the import ends (real worker, real
Redis)."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.engine import outbox, sweeping
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.imports.tables import ImportRun, ImportState
from app.engine.jobs import Job
from models.customers.tables import Customer, CustomerPhone
from models.customers.track import TrackEvent
from tests.customers.world import World
from tests.imports.conftest import Importer, xlsx

ROOT = Path(__file__).resolve().parents[2]
LINES = 6_000


def amount(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def worker(app: Flask, redis_url: str, folder: Path) -> subprocess.Popen[bytes]:
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(app.config["DATA_DIR"]),
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": redis_url,
        "DEMO": "0",
    }
    code = "from app.engine.imports import runs; runs.PIECE = 250; from app.cli import main; main(['worker'])"
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_it_goes_on_where_it_was(
    app: Flask, world: World, login: Callable[[str], FlaskClient], drain_queue: Callable[[], None],
    redis_url: str, restorer: Any, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from app.engine.imports import runs

    monkeypatch.setattr(runs, "PIECE", 250)
    rng = random.Random(seed)
    mine = Importer(login("typist"), drain_queue)
    lines = [[f"客户{n}", f"137{n:08d}"] for n in range(LINES)]
    run = mine.upload(xlsx([["客户姓名", "手机号码"], *lines]))
    assert run.state == ImportState.READY, run.reason
    import_id = run.id
    mine.client.post(f"/imports/{import_id}/start")
    restorer.touch_all()
    for _ in range(3):
        before = amount(Customer)
        process = worker(app, redis_url, tmp_path)
        deadline = time.monotonic() + 60
        while amount(Customer) < min(LINES, before + 250) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.2)
        process.kill()
        process.wait()
        db.session.rollback()
        if db.session.get_one(ImportRun, import_id).state == ImportState.DONE:
            break
        db.session.expire_all()
        moment = utcnow()  # the lease of the dead worker is over
        db.session.execute(
            outbox.ROWS.update()
            .where(outbox.ROWS.c.kind == "job.run", outbox.ROWS.c.done_at.is_(None))
            .values(leased_until=moment, handed_at=None)
        )
        db.session.commit()
        assert sweeping.sweep(db.session(), now=utcnow()) == 1
    drain_queue()
    db.session.expire_all()
    assert db.session.get_one(ImportRun, import_id).counts == {"new": LINES}
    assert [amount(m) for m in (Customer, CustomerPhone, TrackEvent)] == [LINES] * 3
    mine_only = select(func.count()).select_from(AuditEntry).where(AuditEntry.resource == "customers")
    assert db.session.scalar(mine_only) == LINES
    assert db.session.scalar(select(func.count(func.distinct(Customer.phone)))) == LINES
    job = db.session.scalars(select(Job).order_by(Job.id.desc())).first()
    assert job is not None
    assert (job.done, job.total) == (LINES, LINES)
