"""What bringing in a large file costs: seconds, memory, and what a list page takes meanwhile.

Runs in a process of its own per database (``python -m benchmarks.imports``), as a worker would, and prints JSON. The
imported customers are taken back at the end, so that the next measurement finds the same database.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import func, select

import config
from app.engine import jobs, outbox
from app.engine.choices import dictionary
from app.engine.database import db, prepare_for_many_rows, utcnow
from app.engine.imports import uploads
from app.engine.imports.tables import ImportRun, ImportState
from app.engine.resource import resource as named
from app.engine.scopes import Actor
from app.engine.security import sign_in
from benchmarks.product import cookie, make_product
from models.customers.tables import CustomerPhone
from models.identity.tables import Employee, Store

ROWS = 100_000
HEADINGS = (
    "客户姓名", "手机号码", "称谓", "意向级别", "客户类型", "来源大类", "客户来源", "省份", "城市", "小区", "详细地址",
    "所属组织（门店）", "导购", "设计师", "备注",
)  # fmt: skip
_FAMILY, _GIVEN = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗",
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红",
)
_FIRST_PHONE = 19_000_000_000
_IDLE = 3.0  # seconds the page is measured alone


def main() -> int:
    """Measure one import of `ROWS` customers."""
    print(json.dumps(measured("customers", ROWS, len(HEADINGS), _write)))
    return 0


def measured(name: str, rows: int, columns: int, write: Callable[[Path, Actor], None]) -> dict[str, Any]:
    """The figures of one import into the list of that name; ``write`` makes the file."""
    from app.factory import create_app

    app = create_app(config.settings(os.environ))
    gc.collect()
    gc.freeze()  # as a worker does
    with app.app_context(), tempfile.TemporaryDirectory() as folder:
        prepare_for_many_rows(db.engine)
        actor = administrator()
        path = Path(folder) / f"{name}.xlsx"
        write(path, actor)
        base, before = _most(), _amount(name)
        with path.open("rb") as file:
            run = uploads.begin(db.session(), named(name), actor, file, path.name, {}, utcnow())
        import_id = run.id
        checked = _work()
        counts = _state(import_id, ImportState.READY)
        idle = _page_meanwhile(lambda: time.sleep(_IDLE))
        _press(uploads.carry_out, import_id, actor)
        filed: list[tuple[float, float]] = []
        busy = _page_meanwhile(lambda: filed.append(_work()))
        most = _most()
        assert _state(import_id, ImportState.DONE) == counts
        _press(uploads.take_back, import_id, actor)
        undone = _work()
        _state(import_id, ImportState.UNDONE)
        if (left := _amount(name) - before) != 0:
            raise SystemExit(f"撤销导入后还有 {left} 条")
    return {
        "rows": rows, "columns": columns, "counts": counts, "check": checked, "apply": filed[0], "undo": undone,
        "base": base, "most": most, "idle": idle, "busy": busy,
    }  # fmt: skip


def _amount(name: str) -> int:
    amount = db.session.scalar(select(func.count()).select_from(named(name).model)) or 0
    db.session.remove()
    return amount


def administrator() -> Actor:
    """The dealer's administrator."""
    session = db.session()
    signed = sign_in(session.scalars(select(Employee.id).where(Employee.username == "admin")).one())
    assert signed is not None
    return signed.actor


def _write(path: Path, actor: Actor) -> None:
    """A file as a channel clerk has it: numbers nobody has yet, names and choices of the dealer."""
    session, rng = db.session(), random.Random(7)
    last = session.scalar(select(func.max(CustomerPhone.phone)).where(CustomerPhone.phone.like("19%"))) or "0"
    first = max(_FIRST_PHONE, int(last) + 1)
    stores = session.execute(select(Store.id, Store.name).where(Store.dealer_id == actor.dealer_id)).all()
    people: dict[str, list[str]] = {}
    for store_id, name in stores:
        found = session.scalars(
            select(Employee.username).where(Employee.store_id == store_id).limit(12)
        ).all()
        if found:
            people[name] = list(found)
    places = list(people)
    levels, kinds, sources = (
        [e for e in dictionary(f"customer.{name}", actor.dealer_id) if e.active]
        for name in ("level", "kind", "source")
    )
    above = {e.value: e.label for e in dictionary("customer.source_category", actor.dealer_id)}
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for n in range(ROWS):
            source, store = rng.choice(sources), rng.choice(places)
            sheet.write_row(n + 1, 0, [
                rng.choice(_FAMILY) + rng.choice(_GIVEN) + rng.choice(_GIVEN), str(first + n), rng.choice(["先生", "女士"]),
                rng.choice(levels).label, rng.choice(kinds).label, above[source.parent], source.label, "浙江省", "杭州市",
                f"{rng.choice(_GIVEN)}{rng.choice(_GIVEN)}花园", f"文三路{rng.randint(1, 999)}号{rng.randint(1, 30)}幢", store,
                rng.choice(people[store]), "", "老客户介绍，想做全屋定制",
            ])  # fmt: skip


def _work() -> tuple[float, float]:
    """Carry out the job that waits, as a worker does; seconds that passed, and of this process's CPU."""
    table = outbox.ROWS.c
    waiting = select(table.id).where(
        table.kind == jobs.KIND, table.done_at.is_(None), table.parked_at.is_(None)
    )
    row_id = db.session.scalars(waiting.order_by(table.id.desc()).limit(1)).one()
    db.session.remove()
    started, before = time.monotonic(), time.process_time()
    outcome = outbox.deliver(db.session(), row_id)
    took = time.monotonic() - started, time.process_time() - before
    db.session.remove()
    if outcome is not outbox.Outcome.DONE:
        raise SystemExit(f"导入未完成：{outcome}")
    return took


def _press(button: Any, import_id: int, actor: Actor) -> None:
    button(db.session(), import_id, actor)
    db.session.commit()
    db.session.remove()


def _state(import_id: int, wanted: ImportState) -> dict[str, int]:
    run = db.session.get_one(ImportRun, import_id)
    if run.state != wanted:
        raise SystemExit(f"导入{run.state.label}：{run.reason}")
    counts = dict(run.counts or {})
    db.session.remove()
    return counts


def _page_meanwhile(what: Any) -> float:
    """The median milliseconds that the first list page takes in another process while something goes on."""
    with _pages() as asked:
        what()
    return asked()


@contextmanager
def _pages() -> Iterator[Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.imports", "page"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    answer: list[float] = []
    yield lambda: answer[0]
    said, _ = process.communicate("")
    answer.append(float(said))


def ask_for_pages() -> int:
    """Ask for the first page again and again until the input ends; print the median."""
    import select as waiting

    from werkzeug.test import EnvironBuilder

    app = make_product()
    environ = EnvironBuilder(path="/customers/", headers={"Cookie": cookie(app, "admin")}).get_environ()

    def ask() -> float:
        started = time.perf_counter()
        answer = app.wsgi_app({**environ}, lambda *_: None)
        b"".join(answer)
        return (time.perf_counter() - started) * 1000

    for _ in range(5):
        ask()
    print("ready", flush=True)
    took = []
    while not waiting.select([sys.stdin], [], [], 0.05)[0]:
        took.append(ask())
    print(statistics.median(took))
    return 0


def _most() -> float:
    """The most memory this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(ask_for_pages() if sys.argv[1:] == ["page"] else main())
