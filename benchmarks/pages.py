"""What one request costs the server: CPU of the web process and of its database, statement count.

Runs in a process of its own per database (``python -m benchmarks.pages URL ROUNDS``) and prints JSON.
Requests go straight into the WSGI application, so no client and no socket is counted; all cases take
turns in every round, and medians are reported, so that other work on the machine meets all of them.
"""

from __future__ import annotations

import gc
import io
import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, text
from werkzeug.test import EnvironBuilder

from app.engine import chrome
from app.engine.database import db
from benchmarks.floor import make_floor
from benchmarks.product import Case, cases, cookie, make_product

FLOOR = Case("floor", "底线", "", "/")
WARM = 5


class Backend:
    """CPU time of a database server's process, where it runs on this machine; SQLite has none."""

    def __init__(self, engine: Any) -> None:
        self.files: list[Path] = []
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                pid = connection.scalar(text("SELECT pg_backend_pid()"))
            # The first number is the time the process has been running, in nanoseconds.
            found = Path(f"/proc/{pid}/schedstat")
            self.files = [found] if found.exists() else []

    def now(self) -> int:
        """Nanoseconds so far."""
        return sum(int(found.read_text().split()[0]) for found in self.files)


class Request:
    """A request that can be sent again and again."""

    def __init__(self, app: Flask, case: Case, backend: Backend) -> None:
        self.app, self.case, self.backend = app, case, backend
        headers = {"Cookie": cookie(app, case.username)} if case.username else {}
        self.environ = EnvironBuilder(path=case.address, headers=headers).get_environ()

    def send(self) -> tuple[float, float, int]:
        """Milliseconds of CPU, milliseconds that passed, size of the page."""
        environ = {**self.environ, "wsgi.input": io.BytesIO()}
        status: list[str] = []
        started, before, behind = time.perf_counter_ns(), time.process_time_ns(), self.backend.now()
        answer = self.app.wsgi_app(environ, lambda found, *_rest: status.append(found))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        cpu = time.process_time_ns() - before
        passed = time.perf_counter_ns() - started
        cpu += self.backend.now() - behind
        if not status[0].startswith("200"):
            raise SystemExit(f"{self.case.address} 返回 {status[0]}：{body[:300].decode(errors='replace')}")
        return cpu / 1e6, passed / 1e6, len(body)


def measure(url: str, rounds: int) -> dict[str, Any]:
    """Medians by case; the first page also with nothing remembered, and statement counts of both."""
    product = make_product()
    bare, engine = make_floor(url)
    with product.app_context():
        backend = Backend(db.engine)
        seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *found: seen.append(found[2]))
    requests = [Request(bare, FLOOR, Backend(engine))]
    requests += [Request(product, case, backend) for case in cases(product)]
    figures = interleaved(requests, rounds)
    for request in requests[1:]:
        chrome.forget()
        seen.clear()
        request.send()
        figures[request.case.key]["queries"] = len([s for s in seen if not s.startswith(("BEGIN", "PRAGMA"))])
    product.config["COUNT_TTL"] = 0
    chrome.forget()
    fresh = interleaved([requests[0], requests[1]], rounds)
    figures["fresh"] = {**fresh["first"], "label": "第一页，所有计数重新统计", "floor": fresh["floor"]["cpu"]}
    return {**figures, "cookie": cookie(product, "admin")}


def interleaved(requests: list[Request], rounds: int) -> dict[str, dict[str, Any]]:
    """Medians by case, all cases taking turns."""
    taken: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)
    gc.collect()
    gc.freeze()
    for n in range(rounds + WARM):
        for request in requests:
            figure = request.send()
            if n >= WARM:
                taken[request.case.key].append(figure)
    found = {}
    for request in requests:
        of_case = taken[request.case.key]
        found[request.case.key] = {
            "label": request.case.label,
            "cpu": statistics.median(cpu for cpu, _, _ in of_case),
            "passed": statistics.median(passed for _, passed, _ in of_case),
            "size": of_case[-1][2],
        }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2])), ensure_ascii=False))
